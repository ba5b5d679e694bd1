// SPDX-License-Identifier: Apache-2.0
// Hands out the spans of a request that otlpgen made, one by one, with every field in place. What it
// gives points into the request. The bytes are trusted.
#pragma once
#include "otlp.h"

struct Text {
    const u8* p = (const u8*)"";
    size_t n = 0;

    std::string string() const {
        return std::string((const char*)p, n);
    }
};

enum ValueType { VALUE_NONE, VALUE_TEXT, VALUE_FLAG, VALUE_INTEGER };

struct Attribute {
    Text key, text;
    ValueType type = VALUE_NONE;
    u64 number = 0;

    std::string value() const {
        switch (type) {
            case VALUE_TEXT:
                return text.string();
            case VALUE_FLAG:
                return number ? "true" : "false";
            case VALUE_INTEGER:
                return std::to_string((int64_t)number);
            default:
                return "";
        }
    }
};

typedef std::vector<Attribute> Attributes;

struct Event {
    u64 time = 0;
    Text name;
    Attributes attributes;
};

struct Link {
    Text trace, span;
    Attributes attributes;
};

struct SpanView {
    Text trace, id, parent, name;
    u64 kind = 0, start = 0, end = 0, status = 0;
    Attributes attributes;
    std::vector<Event> events;
    std::vector<Link> links;
};

struct Owner {
    Attributes resource;
    Text service, scope, scope_version;
};

// The next field of a message: its number, and its bytes or its number.
struct Field {
    u32 number = 0;
    Text bytes;
    u64 value = 0;
};

static inline bool next_field(const u8*& p, const u8* e, Field& field) {
    if (p >= e) {
        return false;
    }
    u64 tag = read_varint(p);
    field.number = tag >> 3;
    switch (tag & 7) {
        case 0:
            field.value = read_varint(p);
            break;
        case 1:
            memcpy(&field.value, p, 8);
            p += 8;
            break;
        case 2:
            field.bytes.n = read_varint(p);
            field.bytes.p = p;
            p += field.bytes.n;
            break;
        default:
            field.value = 0;
            p += 4;
    }
    return true;
}

static inline Attribute read_attribute(Text message) {
    Attribute out;
    Field field, inner;
    for (const u8 *p = message.p, *e = p + message.n; next_field(p, e, field);) {
        if (field.number == 1) {
            out.key = field.bytes;
            continue;
        }
        for (const u8 *q = field.bytes.p, *qe = q + field.bytes.n; next_field(q, qe, inner);) {
            out.type = inner.number == 1   ? VALUE_TEXT
                       : inner.number == 2 ? VALUE_FLAG
                       : inner.number == 3 ? VALUE_INTEGER
                                           : VALUE_NONE;
            out.text = inner.bytes;
            out.number = inner.value;
        }
    }
    return out;
}

static inline Event read_event(Text message) {
    Event out;
    Field field;
    for (const u8 *p = message.p, *e = p + message.n; next_field(p, e, field);) {
        if (field.number == 1) {
            out.time = field.value;
        } else if (field.number == 2) {
            out.name = field.bytes;
        } else if (field.number == 3) {
            out.attributes.push_back(read_attribute(field.bytes));
        }
    }
    return out;
}

static inline Link read_link(Text message) {
    Link out;
    Field field;
    for (const u8 *p = message.p, *e = p + message.n; next_field(p, e, field);) {
        if (field.number == 1) {
            out.trace = field.bytes;
        } else if (field.number == 2) {
            out.span = field.bytes;
        } else if (field.number == 4) {
            out.attributes.push_back(read_attribute(field.bytes));
        }
    }
    return out;
}

static inline void read_span(Text message, SpanView& out) {
    out.parent = Text();
    out.kind = out.status = 0;
    out.attributes.clear();
    out.events.clear();
    out.links.clear();
    Field field, inner;
    for (const u8 *p = message.p, *e = p + message.n; next_field(p, e, field);) {
        switch (field.number) {
            case 1:
                out.trace = field.bytes;
                break;
            case 2:
                out.id = field.bytes;
                break;
            case 4:
                out.parent = field.bytes;
                break;
            case 5:
                out.name = field.bytes;
                break;
            case 6:
                out.kind = field.value;
                break;
            case 7:
                out.start = field.value;
                break;
            case 8:
                out.end = field.value;
                break;
            case 9:
                out.attributes.push_back(read_attribute(field.bytes));
                break;
            case 11:
                out.events.push_back(read_event(field.bytes));
                break;
            case 13:
                out.links.push_back(read_link(field.bytes));
                break;
            case 15:
                for (const u8 *q = field.bytes.p, *qe = q + field.bytes.n;
                     next_field(q, qe, inner);) {
                    if (inner.number == 3) {
                        out.status = inner.value;
                    }
                }
                break;
        }
    }
}

// Calls visit(owner, span) for each span, and enter(owner) where a resource begins.
template <class Enter, class Visit>
static void visit_spans(const u8* bytes, size_t count, Enter enter, Visit visit) {
    Field request, part, inner;
    Owner owner;
    SpanView span;
    for (const u8 *p = bytes, *e = p + count; next_field(p, e, request);) {
        owner = Owner();
        for (const u8 *q = request.bytes.p, *qe = q + request.bytes.n; next_field(q, qe, part);) {
            const u8 *s = part.bytes.p, *se = s + part.bytes.n;
            if (part.number == 1) {
                while (next_field(s, se, inner)) {
                    owner.resource.push_back(read_attribute(inner.bytes));
                    if (owner.resource.back().key.string() == "service.name") {
                        owner.service = owner.resource.back().text;
                    }
                }
                enter(owner);
            } else if (part.number == 2) {
                while (next_field(s, se, inner)) {
                    if (inner.number == 1) {
                        Field scope;
                        const u8 *t = inner.bytes.p, *te = t + inner.bytes.n;
                        while (next_field(t, te, scope)) {
                            (scope.number == 1 ? owner.scope : owner.scope_version) = scope.bytes;
                        }
                    } else if (inner.number == 2) {
                        read_span(inner.bytes, span);
                        visit(owner, span);
                    }
                }
            }
        }
    }
}

// What pass number `replay` adds to the bytes of a corpus; see apply_patch.
struct Replay {
    u64 high, low, span, time;

    Replay(u64 replay, u64 shift_ns)
        : high(replay ? mix(replay * 3 + 1) : 0),
          low(replay ? mix(replay * 3 + 2) : 0),
          span(replay ? mix(replay * 3 + 3) & ~1ull : 0),
          time(replay * shift_ns) {}
};
