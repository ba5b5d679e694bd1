// SPDX-License-Identifier: Apache-2.0
// questions: draws questions about a corpus that was sent PASSES times (see otlpload), and answers
// them by going over every span: what a store has to answer, from code that shares none with it.
//
//   questions CORPUS PASSES SEED COUNT > questions.json
//
// COUNT questions of each kind, each with arguments of its own. Times are nanoseconds since 1970; an
// hour begins at a whole minute. Lists of traces hold the first 20.
#include <algorithm>
#include <map>
#include <unordered_map>

#include "otlpspans.h"
#include "random.h"

static const u64 HOUR = 3600ull * 1000000000ull, MINUTE = HOUR / 60;
static const size_t LIST = 20;

// Numbers for texts that repeat.
struct Texts {
    unordered_map<string, u32> numbers;
    vector<string> texts;

    u32 number(const string& text) {
        auto found = numbers.emplace(text, texts.size());
        if (found.second) {
            texts.push_back(text);
        }
        return found.first->second;
    }
};

struct Tag {
    u32 key, value;
};

struct Row {
    u32 trace, service, operation, kind;
    bool is_error;
    u64 id, parent_id, start, duration;
    int64_t parent;
    u32 first_tag, tag_count;
};

struct TraceRow {
    u64 high, low, start, end;
    u32 first, count;  // of its rows in by_trace
};

static Texts texts;
static vector<Row> rows;
static vector<Tag> tags;
static vector<TraceRow> traces;
static vector<u32> by_trace;
static u64 first_hour, passes;
static vector<Replay> replays;

static void add_request(const u8* bytes, size_t count,
                        unordered_map<u64, u32>& traces_by_low) {
    u32 service = 0;
    visit_spans(
        bytes, count, [&](const Owner& owner) { service = texts.number(owner.service.string()); },
        [&](const Owner&, const SpanView& span) {
            Row row{};
            u64 high, low;
            memcpy(&high, span.trace.p, 8);
            memcpy(&low, span.trace.p + 8, 8);
            auto found = traces_by_low.emplace(low, traces.size());
            if (found.second) {
                traces.push_back({high, low, ~0ull, 0, 0, 0});
            }
            row.trace = found.first->second;
            memcpy(&row.id, span.id.p, 8);
            if (span.parent.n) {
                memcpy(&row.parent_id, span.parent.p, 8);
            }
            row.service = service;
            row.operation = texts.number(span.name.string());
            row.kind = span.kind;
            row.is_error = span.status == 2;
            row.start = span.start;
            row.duration = span.end > span.start ? span.end - span.start : 0;
            row.parent = -1;
            row.first_tag = tags.size();
            row.tag_count = span.attributes.size();
            for (const Attribute& each : span.attributes) {
                tags.push_back({texts.number(each.key.string()), texts.number(each.value())});
            }
            TraceRow& trace = traces[row.trace];
            trace.start = min(trace.start, span.start);
            trace.end = max(trace.end, max(span.start, span.end));
            trace.count++;
            rows.push_back(row);
        });
}

static void load(const Corpus& corpus) {
    unordered_map<u64, u32> traces_by_low;
    for (size_t i = 0; i < corpus.b.size(); i++) {
        add_request(corpus.at(i), corpus.b[i].len, traces_by_low);
    }
    u32 first = 0;
    first_hour = ~0ull;
    for (TraceRow& each : traces) {
        each.first = first;
        first += each.count;
        each.count = 0;
        first_hour = min(first_hour, each.start);
    }
    first_hour -= first_hour % HOUR;
    by_trace.resize(rows.size());
    for (u32 i = 0; i < rows.size(); i++) {
        TraceRow& trace = traces[rows[i].trace];
        by_trace[trace.first + trace.count++] = i;
    }
    unordered_map<u64, u32> ids;
    for (const TraceRow& trace : traces) {
        ids.clear();
        for (u32 i = 0; i < trace.count; i++) {
            ids[rows[by_trace[trace.first + i]].id] = by_trace[trace.first + i];
        }
        for (u32 i = 0; i < trace.count; i++) {
            Row& row = rows[by_trace[trace.first + i]];
            auto found = row.parent_id ? ids.find(row.parent_id) : ids.end();
            row.parent = found == ids.end() ? -1 : (int64_t)found->second;
        }
    }
}

// MARK: What is asked

struct Window {
    u64 from, to;
};

// Calls visit(row, pass) for each span of all passes that starts in the window.
template <class Visit>
static void each_span(Window window, Visit visit) {
    u64 low = window.from < first_hour ? 0 : (window.from - first_hour) / HOUR;
    u64 high = window.to < first_hour ? 0 : (window.to - first_hour) / HOUR;
    for (u64 pass = low ? low - 1 : 0; pass <= high && pass < passes; pass++) {
        for (const Row& row : rows) {
            u64 start = row.start + replays[pass].time;
            if (start >= window.from && start < window.to) {
                visit(row, pass);
            }
        }
    }
}

static Window any_hour() {
    u64 from = first_hour + MINUTE * below(60 * (passes - 1) + 1);
    return {from, from + HOUR};
}

// An hour that holds a moment.
static Window hour_around(u64 moment) {
    u64 back = MINUTE * below(60), last = first_hour + HOUR * (passes - 1);
    u64 minute = moment - moment % MINUTE;
    u64 from = min(max(minute - min(minute, back), first_hour), last);
    return {from, from + HOUR};
}

static string trace_id(u32 trace, u64 pass) {
    u64 words[2] = {traces[trace].high ^ replays[pass].high, traces[trace].low ^ replays[pass].low};
    char text[33];
    for (int i = 0; i < 16; i++) {
        snprintf(text + 2 * i, 3, "%02x", ((const u8*)words)[i]);
    }
    return text;
}

struct Condition {
    int64_t service = -1, operation = -1, key = -1, value = -1;
    u64 duration = 0;

    bool meets(const Row& row) const {
        if ((service >= 0 && row.service != service) ||
            (operation >= 0 && row.operation != operation) || row.duration < duration) {
            return false;
        }
        if (key < 0) {
            return true;
        }
        for (u32 i = 0; i < row.tag_count; i++) {
            const Tag& tag = tags[row.first_tag + i];
            if (tag.key == key && tag.value == value) {
                return true;
            }
        }
        return false;
    }
};

// MARK: Writing

static bool is_first_question = true;

static string quoted(const string& text) {
    string out = "\"";
    for (char c : text) {
        if (c == '"' || c == '\\') {
            out += '\\';
        }
        out += c;
    }
    return out + "\"";
}

static void begin(const char* kind, int run) {
    printf("%s\n{\"kind\":\"%s\",\"run\":%d", is_first_question ? "" : ",", kind, run);
    is_first_question = false;
}

static void put_number(const char* name, u64 value) {
    printf(",\"%s\":%llu", name, (unsigned long long)value);
}

static void put_text(const char* name, const string& value) {
    printf(",\"%s\":%s", name, quoted(value).c_str());
}

static void put_window(Window window) {
    put_number("from", window.from);
    put_number("to", window.to);
}

struct Listed {
    u64 value;
    string id;
};

// The first traces by value, largest first; equal ones by id.
static void put_traces(const char* name, vector<Listed> found) {
    sort(found.begin(), found.end(), [](const Listed& a, const Listed& b) {
        return a.value != b.value ? a.value > b.value : a.id < b.id;
    });
    printf(",\"%s\":[", name);
    for (size_t i = 0; i < min(LIST, found.size()); i++) {
        printf("%s\"%s\"", i ? "," : "", found[i].id.c_str());
    }
    printf("]");
}

// MARK: The kinds

// FNV-1a over what is put in.
struct Digest {
    u64 value = 0xcbf29ce484222325ull;

    void put(const void* bytes, size_t count) {
        for (size_t i = 0; i < count; i++) {
            value = (value ^ ((const u8*)bytes)[i]) * 0x100000001b3ull;
        }
    }

    void put(u64 number) {
        put(&number, 8);
    }

    void put(const string& text) {
        put(text.size());
        put(text.data(), text.size());
    }
};

// Of a span's ids, times, service, name, and attributes in their order. Ids count as numbers whose
// first byte is the highest.
static u64 digest(const Row& row, u64 pass) {
    Digest out;
    out.put(__builtin_bswap64(row.id ^ replays[pass].span));
    out.put(row.parent_id ? __builtin_bswap64(row.parent_id ^ replays[pass].span) : 0);
    out.put(row.start + replays[pass].time);
    out.put(row.start + replays[pass].time + row.duration);
    out.put(texts.texts[row.service]);
    out.put(texts.texts[row.operation]);
    for (u32 i = 0; i < row.tag_count; i++) {
        const Tag& tag = tags[row.first_tag + i];
        out.put(texts.texts[tag.key]);
        out.put(texts.texts[tag.value]);
    }
    return out.value;
}

// `ids_xor` and `content_xor`: the ids, and the digests, of all spans of the trace.
static void put_trace(const string& id, u64 spans, u64 ids, u64 content) {
    char text[17];
    put_text("trace", id);
    put_number("spans", spans);
    snprintf(text, sizeof text, "%016llx", (unsigned long long)ids);
    put_text("ids_xor", text);
    snprintf(text, sizeof text, "%016llx", (unsigned long long)content);
    put_text("content_xor", text);
    printf("}");
}

static void ask_trace(int run) {
    u32 trace = rows[below(rows.size())].trace;
    u64 pass = below(passes), ids = 0, content = 0;
    for (u32 i = 0; i < traces[trace].count; i++) {
        const Row& row = rows[by_trace[traces[trace].first + i]];
        ids ^= __builtin_bswap64(row.id ^ replays[pass].span);
        content ^= digest(row, pass);
    }
    begin("trace", run);
    put_trace(trace_id(trace, pass), traces[trace].count, ids, content);
}

static void ask_absent(int run) {
    u64 words[2] = {random_bits(), random_bits()};
    char text[33];
    snprintf(text, sizeof text, "%016llx%016llx", (unsigned long long)words[0],
             (unsigned long long)words[1]);
    begin("absent", run);
    put_trace(text, 0, 0, 0);
}

// A search for the newest traces. `newest` is in order of the trace's start, `by_match` in order of
// its newest matching span, as those order it who do not know when a trace began.
static void ask_search(const char* kind, int run, Window window, const Condition& condition) {
    map<pair<u32, u64>, u64> found;
    u64 spans = 0;
    each_span(window, [&](const Row& row, u64 pass) {
        if (condition.meets(row)) {
            u64& newest = found[{row.trace, pass}];
            newest = max(newest, row.start + replays[pass].time);
            spans++;
        }
    });
    begin(kind, run);
    put_window(window);
    if (condition.service >= 0) {
        put_text("service", texts.texts[condition.service]);
        put_text("operation", texts.texts[condition.operation]);
    }
    put_text("key", texts.texts[condition.key]);
    put_text("value", texts.texts[condition.value]);
    put_number("duration", condition.duration);
    put_number("matching_spans", spans);
    put_number("matching_traces", found.size());
    vector<Listed> newest, by_match;
    for (const auto& each : found) {
        u32 trace = each.first.first;
        string id = trace_id(trace, each.first.second);
        newest.push_back({traces[trace].start + replays[each.first.second].time, id});
        by_match.push_back({each.second, id});
    }
    put_traces("newest", newest);
    put_traces("by_match", by_match);
    printf("}");
}

static const Tag* tag_of(const Row& row, int64_t key) {
    for (u32 i = 0; i < row.tag_count; i++) {
        if (tags[row.first_tag + i].key == key) {
            return &tags[row.first_tag + i];
        }
    }
    return nullptr;
}

// A row drawn from those that have one of these keys.
static const Row& row_with(const vector<string>& keys, Condition& condition) {
    for (;;) {
        const Row& row = rows[below(rows.size())];
        for (const string& each : keys) {
            if (const Tag* tag = tag_of(row, texts.number(each))) {
                condition.key = tag->key;
                condition.value = tag->value;
                return row;
            }
        }
    }
}

static void ask_operation(int run) {
    Condition condition;
    const Row& row =
        row_with({"http.response.status_code", "rpc.grpc.status_code"}, condition);
    condition.service = row.service;
    condition.operation = row.operation;
    vector<u64> durations;
    for (const Row& each : rows) {
        if (each.service == row.service && each.operation == row.operation) {
            durations.push_back(each.duration);
        }
    }
    sort(durations.begin(), durations.end());
    condition.duration = durations[(size_t)(durations.size() * (0.3 + 0.65 * uniform()))];
    ask_search("operation", run, any_hour(), condition);
}

// One user's requests, alone.
static void ask_rare_tag(int run) {
    Condition condition;
    const Row& row = row_with({"enduser.id"}, condition);
    ask_search("rare_tag", run, hour_around(row.start + replays[below(passes)].time), condition);
}

// A value that each pass has in two spans at most; in an hour, and in everything there is.
static void ask_unique_value(int run) {
    Condition condition;
    const Row& row = row_with({"messaging.message.id"}, condition);
    u64 moment = row.start + replays[below(passes)].time;
    ask_search("unique_value", run, hour_around(moment), condition);
    ask_search("unique_value_all", run, {first_hour, first_hour + HOUR * (passes + 1)}, condition);
}

// A tag that thousands of spans an hour have, and so long a duration that few of them are left.
static void ask_common_tag(int run) {
    static const vector<pair<string, string>> common = {
        {"http.response.status_code", "500"}, {"http.response.status_code", "404"},
        {"db.system", "redis"},               {"db.system", "mysql"},
        {"rpc.system", "grpc"},               {"messaging.system", "kafka"},
        {"cache.hit", "false"}};
    const auto& tag = common[run % common.size()];
    Condition condition;
    condition.key = texts.number(tag.first);
    condition.value = texts.number(tag.second);
    vector<u64> durations;
    for (const Row& row : rows) {
        if (condition.meets(row)) {
            durations.push_back(row.duration);
        }
    }
    sort(durations.begin(), durations.end());
    size_t kept = min<size_t>(durations.size(), (size_t)(30 * pow(20, uniform())));
    condition.duration = kept ? durations[durations.size() - kept] : 0;
    ask_search("common_tag", run, any_hour(), condition);
}

// `slowest` by the whole trace, `slowest_in_window` by those of its spans that start in the hour.
static void ask_slowest(int run) {
    Window window = any_hour();
    struct Ends {
        u64 start = ~0ull, end = 0;
    };
    map<pair<u32, u64>, Ends> found;
    each_span(window, [&](const Row& row, u64 pass) {
        Ends& ends = found[{row.trace, pass}];
        u64 start = row.start + replays[pass].time;
        ends.start = min(ends.start, start);
        ends.end = max(ends.end, start + row.duration);
    });
    vector<Listed> slowest, in_window;
    for (const auto& each : found) {
        const TraceRow& trace = traces[each.first.first];
        string id = trace_id(each.first.first, each.first.second);
        slowest.push_back({trace.end - trace.start, id});
        in_window.push_back({each.second.end - each.second.start, id});
    }
    begin("slowest", run);
    put_window(window);
    put_traces("slowest", slowest);
    put_traces("slowest_in_window", in_window);
    printf("}");
}

// Calls, errors and the exact percentiles (the smallest value that so many percent do not exceed).
static void ask_operations(int run) {
    Window window = any_hour();
    struct Calls {
        u64 errors = 0;
        vector<u64> durations;
    };
    map<pair<string, string>, Calls> found;
    each_span(window, [&](const Row& row, u64) {
        Calls& calls = found[{texts.texts[row.service], texts.texts[row.operation]}];
        calls.errors += row.is_error;
        calls.durations.push_back(row.duration);
    });
    begin("operations", run);
    put_window(window);
    printf(",\"rows\":[");
    bool is_first = true;
    for (auto& each : found) {
        vector<u64>& all = each.second.durations;
        sort(all.begin(), all.end());
        auto quantile = [&](u64 percent) {
            return (unsigned long long)all[(all.size() * percent + 99) / 100 - 1];
        };
        printf("%s[%s,%s,%zu,%llu,%llu,%llu,%llu]", is_first ? "" : ",",
               quoted(each.first.first).c_str(), quoted(each.first.second).c_str(), all.size(),
               (unsigned long long)each.second.errors, quantile(50), quantile(95), quantile(99));
        is_first = false;
    }
    printf("]}");
}

// Calls of one service by another: the child starts in the hour.
static void ask_graph(int run) {
    Window window = any_hour();
    map<pair<string, string>, pair<u64, u64>> found;
    each_span(window, [&](const Row& row, u64) {
        if (row.parent >= 0 && rows[row.parent].service != row.service) {
            auto& edge =
                found[{texts.texts[rows[row.parent].service], texts.texts[row.service]}];
            edge.first++;
            edge.second += row.is_error;
        }
    });
    begin("graph", run);
    put_window(window);
    printf(",\"rows\":[");
    bool is_first = true;
    for (const auto& each : found) {
        printf("%s[%s,%s,%llu,%llu]", is_first ? "" : ",", quoted(each.first.first).c_str(),
               quoted(each.first.second).c_str(), (unsigned long long)each.second.first,
               (unsigned long long)each.second.second);
        is_first = false;
    }
    printf("]}");
}

static void ask_services(int run) {
    vector<string> names;
    for (const Row& row : rows) {
        names.push_back(texts.texts[row.service]);
    }
    sort(names.begin(), names.end());
    names.erase(unique(names.begin(), names.end()), names.end());
    begin("services", run);
    put_window(any_hour());
    printf(",\"names\":[");
    for (size_t i = 0; i < names.size(); i++) {
        printf("%s%s", i ? "," : "", quoted(names[i]).c_str());
    }
    printf("]}");
}

int main(int count, char** arguments) {
    Corpus corpus;
    if (count != 5 || !corpus.load(arguments[1])) {
        fprintf(stderr, "usage: questions CORPUS PASSES SEED COUNT\n");
        return 64;
    }
    passes = max(1ull, strtoull(arguments[2], 0, 10));
    for (u64 pass = 0; pass < passes; pass++) {
        replays.emplace_back(pass, HOUR);
    }
    load(corpus);
    seed(strtoull(arguments[3], 0, 10));
    printf("{\"spans\":%llu,\"traces\":%llu,\"passes\":%llu,\"first_hour\":%llu,\"questions\":[",
           (unsigned long long)(rows.size() * passes), (unsigned long long)(traces.size() * passes),
           (unsigned long long)passes, (unsigned long long)first_hour);
    for (int run = 0; run < atoi(arguments[4]); run++) {
        ask_trace(run);
        ask_absent(run);
        ask_operation(run);
        ask_rare_tag(run);
        ask_unique_value(run);
        ask_common_tag(run);
        ask_slowest(run);
        ask_operations(run);
        ask_graph(run);
        ask_services(run);
    }
    printf("\n]}\n");
}
