// SPDX-License-Identifier: Apache-2.0
// rowbinary: one pass of a corpus as rows of ClickHouse's RowBinary, for the table otel_traces that
// the OpenTelemetry collector's exporter makes (otel_traces.sql).
//
//   rowbinary CORPUS PASS FILE
//
// PASS 0 is the corpus as it is; each later one has other ids and lies an hour later, as otlpload
// sends them.
#include "otlpspans.h"
using namespace std;
typedef string Bytes;

static void put_varint(Bytes& out, u64 value) {
    while (value >= 128) {
        out.push_back((char)(value | 128));
        value >>= 7;
    }
    out.push_back((char)value);
}

static void put_text(Bytes& out, const void* bytes, size_t count) {
    put_varint(out, count);
    out.append((const char*)bytes, count);
}

static void put_text(Bytes& out, const string& text) {
    put_text(out, text.data(), text.size());
}

static void put_text(Bytes& out, Text text) {
    put_text(out, text.p, text.n);
}

static void put_u64(Bytes& out, u64 value) {
    out.append((const char*)&value, 8);
}

static void put_hex(Bytes& out, Text bytes) {
    static const char* digits = "0123456789abcdef";
    put_varint(out, bytes.n * 2);
    for (size_t i = 0; i < bytes.n; i++) {
        out.push_back(digits[bytes.p[i] >> 4]);
        out.push_back(digits[bytes.p[i] & 15]);
    }
}

static void put_map(Bytes& out, const Attributes& attributes) {
    put_varint(out, attributes.size());
    for (const Attribute& each : attributes) {
        put_text(out, each.key);
        put_text(out, each.value());
    }
}

static void put_events(Bytes& out, const vector<Event>& events) {
    put_varint(out, events.size());
    for (const Event& each : events) {
        put_u64(out, each.time);
    }
    put_varint(out, events.size());
    for (const Event& each : events) {
        put_text(out, each.name);
    }
    put_varint(out, events.size());
    for (const Event& each : events) {
        put_map(out, each.attributes);
    }
}

static void put_links(Bytes& out, const vector<Link>& links) {
    put_varint(out, links.size());
    for (const Link& each : links) {
        put_hex(out, each.trace);
    }
    put_varint(out, links.size());
    for (const Link& each : links) {
        put_hex(out, each.span);
    }
    put_varint(out, links.size());
    for (size_t i = 0; i < links.size(); i++) {
        put_text(out, "");  // the link's trace state
    }
    put_varint(out, links.size());
    for (const Link& each : links) {
        put_map(out, each.attributes);
    }
}

static void put_span(Bytes& out, const Owner& owner, const Bytes& resource, const SpanView& span) {
    static const char* kinds[] = {"Unspecified", "Internal", "Server",
                                  "Client",      "Producer", "Consumer"};
    static const char* statuses[] = {"Unset", "Ok", "Error"};
    put_u64(out, span.start);
    put_hex(out, span.trace);
    put_hex(out, span.id);
    put_hex(out, span.parent);
    put_text(out, "");  // trace state
    put_text(out, span.name);
    put_text(out, kinds[span.kind]);
    put_text(out, owner.service);
    out += resource;
    put_text(out, owner.scope);
    put_text(out, owner.scope_version);
    put_map(out, span.attributes);
    put_u64(out, span.end - span.start);
    put_text(out, statuses[span.status]);
    put_text(out, "");  // status message
    put_events(out, span.events);
    put_links(out, span.links);
}

int main(int count, char** arguments) {
    if (count != 4) {
        fprintf(stderr, "usage: rowbinary CORPUS PASS FILE\n");
        return 64;
    }
    Corpus corpus;
    FILE* file = fopen(arguments[3], "wb");
    if (!corpus.load(arguments[1]) || !file) {
        fprintf(stderr, "cannot read %s or write %s\n", arguments[1], arguments[3]);
        return 1;
    }
    const u64 hour = 3600ull * 1000000000ull, pass = strtoull(arguments[2], 0, 10);
    vector<u8> request;
    vector<Patch> patches;
    Bytes rows, resource;
    for (size_t i = 0; i < corpus.b.size(); i++) {
        request.assign(corpus.at(i), corpus.at(i) + corpus.b[i].len);
        patches.clear();
        walk_patch(request.data(), request.size(), patches);
        apply_patch(request.data(), patches, pass, hour);
        rows.clear();
        visit_spans(
            request.data(), request.size(),
            [&](const Owner& owner) {
                resource.clear();
                put_map(resource, owner.resource);
            },
            [&](const Owner& owner, const SpanView& span) {
                put_span(rows, owner, resource, span);
            });
        fwrite(rows.data(), 1, rows.size(), file);
    }
    if (fclose(file)) {
        perror(arguments[3]);
        return 1;
    }
}
