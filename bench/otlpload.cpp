// SPDX-License-Identifier: Apache-2.0
// otlpload: sends a corpus as OTLP over HTTP/1.1 or gRPC (HTTP/2 without TLS, written here), and
// prints one JSON line: spans a second, latencies of the acknowledgements in milliseconds, and with
// --pid the CPU seconds per million spans and the peak memory of the server.
//
//   otlpload --corpus F --port P [--proto http|grpc] [--path /v1/traces] [--conns N]
//            (--spans M | --passes N | --secs S) [--first BATCH] [--rate SPANS_PER_SECOND]
//            [--pid SERVER]... [--label L] [--settle SECONDS]
//
// Without --rate each connection sends the next batch when the last one was answered. With it each
// batch has a moment at which it is due, whatever the server does, and its latency counts from
// there: a server that falls behind is seen to.
// --passes sends the whole corpus so many times; --first begins with that batch.
// A batch that is pushed back (429, 503, UNAVAILABLE) is sent again after a pause, and counted.
// Each pass over the corpus after the first changes all ids and moves time on by --shift seconds.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>

#include "otlp.h"
using namespace std;

static double now() {
    timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec * 1e-9;
}

static string host = "127.0.0.1", path = "/v1/traces", proto = "http";
static int port = 4318, connection_count = 2;
static u64 total = 1000000, passes = 0;
static double secs = 0;
static double rate = 0;
static u64 shift_s = 3600;
static vector<int> pids;
static u64 first = 0;
static atomic<u64> next_batch{0};
static atomic<u64> accepted_batches{0}, accepted_spans{0}, failed_batches{0}, sent_bytes{0};
static atomic<u64> pushed_back{0};
static const int PUSH_BACK_ATTEMPTS = 300, PUSH_BACK_PAUSE_MICROSECONDS = 200000;
static mutex mu;
static vector<float> latencies;
static string first_error;

static int conn() {
    int f = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in a{};
    a.sin_family = AF_INET;
    a.sin_port = htons(port);
    inet_pton(AF_INET, host.c_str(), &a.sin_addr);
    if (connect(f, (sockaddr*)&a, sizeof a)) {
        close(f);
        return -1;
    }
    int o = 1;
    setsockopt(f, IPPROTO_TCP, TCP_NODELAY, &o, sizeof o);
    return f;
}

static bool write_all(int f, const void* b, size_t n) {
    const char* p = (const char*)b;
    while (n) {
        ssize_t w = send(f, p, n, MSG_NOSIGNAL);
        if (w <= 0) {
            return false;
        }
        p += w;
        n -= w;
    }
    return true;
}

static string printable(string text) {
    text.resize(min<size_t>(text.size(), 200));
    for (char& c : text) {
        if (c < ' ' || c == '"' || c == '\\') {
            c = ' ';
        }
    }
    return text;
}

static void note(const string& s) {
    lock_guard<mutex> g(mu);
    if (first_error.empty()) {
        first_error = s;
    }
}

// What a client is to send again after a while.
static bool is_push_back(int status) {
    return status == 429 || status == 503;
}

// http: returns status
static int http_round_trip(int f, const u8* body, size_t len, char* buf, size_t cap) {
    char h[512];
    int hl = snprintf(h, sizeof h,
                      "POST %s HTTP/1.1\r\nHost: %s:%d\r\nContent-Type: "
                      "application/x-protobuf\r\nContent-Length: %zu\r\n\r\n",
                      path.c_str(), host.c_str(), port, len);
    iovec v[2] = {{h, (size_t)hl}, {(void*)body, len}};
    size_t tot = hl + len;
    ssize_t w = writev(f, v, 2);
    if (w < 0) {
        return -1;
    }
    if ((size_t)w < tot) {
        if (w < hl) {
            if (!write_all(f, h + w, hl - w)) {
                return -1;
            }
            w = hl;
        }
        if (!write_all(f, body + (w - hl), tot - w)) {
            return -1;
        }
    }
    size_t n = 0;
    char* he = 0;
    while (n < cap - 1) {
        ssize_t r = recv(f, buf + n, cap - 1 - n, 0);
        if (r <= 0) {
            return -1;
        }
        n += r;
        buf[n] = 0;
        he = strstr(buf, "\r\n\r\n");
        if (he) {
            break;
        }
    }
    if (!he) {
        return -1;
    }
    int st = atoi(buf + 9);
    size_t hdr = he + 4 - buf;
    char* c = strcasestr(buf, "content-length:");
    if (c && c < he) {
        size_t cl = atol(c + 15);
        while (n < hdr + cl && n < cap - 1) {
            ssize_t r = recv(f, buf + n, cap - 1 - n, 0);
            if (r <= 0) {
                return -1;
            }
            n += r;
        }
    } else if (strcasestr(buf, "transfer-encoding: chunked")) {
        buf[n] = 0;
        while (!strstr(buf + hdr, "0\r\n\r\n") && n < cap - 1) {
            ssize_t r = recv(f, buf + n, cap - 1 - n, 0);
            if (r <= 0) {
                return -1;
            }
            n += r;
            buf[n] = 0;
        }
    }
    if (st != 200 && !is_push_back(st)) {
        note(string(buf, min<size_t>(n, 300)));
    }
    return st;
}

// grpc
struct GrpcConnection {
    int f;
    vector<u8> in;
    size_t ip = 0;
    int64_t cw = 65535;
    int64_t iw = 65535;
    u32 maxf = 16384;
    u32 sid = 1;

    bool frame(int type, int fl, u32 s, const void* p, size_t n) {
        u8 h[9] = {(u8)(n >> 16), (u8)(n >> 8),  (u8)n,        (u8)type, (u8)fl,
                   (u8)(s >> 24), (u8)(s >> 16), (u8)(s >> 8), (u8)s};
        iovec v[2] = {{h, 9}, {(void*)p, n}};
        size_t t = 9 + n;
        ssize_t w = writev(f, v, 2);
        if (w < 0) {
            return false;
        }
        if ((size_t)w < t) {
            if (w < 9) {
                if (!write_all(f, h + w, 9 - w)) {
                    return false;
                }
                w = 9;
            }
            return write_all(f, (const u8*)p + (w - 9), t - w);
        }
        return true;
    }

    bool start() {
        f = conn();
        if (f < 0) {
            return false;
        }
        in.clear();
        ip = 0;
        cw = 65535;
        iw = 65535;
        sid = 1;
        if (!write_all(f, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24)) {
            return false;
        }
        u8 s[6] = {0, 4, 0, 0x10, 0, 0};
        if (!frame(4, 0, 0, s, 6)) {
            return false;
        }
        u8 wu[4] = {0x3f, 0, 0, 0};
        return frame(8, 0, 0, wu, 4);
    }

    // read one frame; returns type or -1
    int rd(u8& fl, u32& s, const u8*& pl, u32& n) {
        for (;;) {
            if (in.size() - ip >= 9) {
                const u8* h = in.data() + ip;
                n = h[0] << 16 | h[1] << 8 | h[2];
                if (in.size() - ip >= 9 + n) {
                    fl = h[4];
                    s = (h[5] & 127) << 24 | h[6] << 16 | h[7] << 8 | h[8];
                    pl = h + 9;
                    ip += 9 + n;
                    return h[3];
                }
            }
            if (ip) {
                in.erase(in.begin(), in.begin() + ip);
                ip = 0;
            }
            size_t o = in.size();
            in.resize(o + 16384);
            ssize_t r = recv(f, in.data() + o, 16384, 0);
            if (r <= 0) {
                in.resize(o);
                return -1;
            }
            in.resize(o + r);
        }
    }

    int64_t sw;
    bool done, err, answered;

    bool handle() {
        u8 fl;
        u32 s, n;
        const u8* pl;
        int t = rd(fl, s, pl, n);
        if (t < 0) {
            return false;
        }
        if (t == 4 && !(fl & 1)) {
            for (u32 i = 0; i + 6 <= n; i += 6) {
                u32 id = pl[i] << 8 | pl[i + 1],
                    v = (u32)pl[i + 2] << 24 | pl[i + 3] << 16 | pl[i + 4] << 8 | pl[i + 5];
                if (id == 4) {
                    sw += (int64_t)v - iw;
                    iw = v;
                }
                if (id == 5) {
                    maxf = v;
                }
            }
            return frame(4, 1, 0, "", 0);
        }
        if (t == 6 && !(fl & 1)) {
            u8 b[8];
            memcpy(b, pl, 8);
            return frame(6, 1, 0, b, 8);
        }
        if (t == 8) {
            u32 v = ((u32)pl[0] & 127) << 24 | pl[1] << 16 | pl[2] << 8 | pl[3];
            if (s == 0) {
                cw += v;
            } else if (s == sid) {
                sw += v;
            }
        }
        if (t == 0 && s == sid && n >= 5) {
            answered = true;  // A failed call has trailers alone.
        }
        if ((t == 0 || t == 1) && s == sid && (fl & 1)) {
            done = true;
        }
        if (t == 3 && s == sid) {
            err = done = true;
            note("RST_STREAM " + to_string(pl[3]));
        }
        if (t == 7) {
            note("GOAWAY " + string((const char*)pl + 8, n > 8 ? n - 8 : 0));
            return false;
        }
        return true;
    }

    int call(const u8* body, size_t len) {
        string h;
        auto lit = [&](const char* k, const char* v) {
            h.push_back(0);
            h.push_back(strlen(k));
            h += k;
            h.push_back(strlen(v));
            h += v;
        };
        h.push_back((char)0x83);
        h.push_back((char)0x86);
        lit(":path", "/opentelemetry.proto.collector.trace.v1.TraceService/Export");
        string au = host + ":" + to_string(port);
        lit(":authority", au.c_str());
        lit("content-type", "application/grpc");
        lit("te", "trailers");
        sw = iw;
        done = err = answered = false;
        if (!frame(1, 4, sid, h.data(), h.size())) {
            return -1;
        }
        u8 pre[5] = {0, (u8)(len >> 24), (u8)(len >> 16), (u8)(len >> 8), (u8)len};
        size_t off = 0, tot = len + 5;
        vector<u8>& tmp = tmpb;
        while (off < tot) {
            if (done) {
                return err ? 500 : -1;
            }
            size_t c = min<size_t>(tot - off, min<u32>(maxf, 65536));
            c = min<int64_t>(c, min(cw, sw));
            if ((int64_t)c <= 0) {
                if (!handle()) {
                    return -1;
                }
                continue;
            }
            bool last = off + c == tot;
            if (off == 0) {
                tmp.resize(c);
                memcpy(tmp.data(), pre, min<size_t>(5, c));
                if (c > 5) {
                    memcpy(tmp.data() + 5, body, c - 5);
                }
                if (!frame(0, last, sid, tmp.data(), c)) {
                    return -1;
                }
            } else if (!frame(0, last, sid, body + off - 5, c)) {
                return -1;
            }
            off += c;
            cw -= c;
            sw -= c;
        }
        while (!done) {
            if (!handle()) {
                return -1;
            }
        }
        sid += 2;
        return err ? 500 : answered ? 200 : 503;
    }

    vector<u8> tmpb;
};

struct ProcessState {
    double cpu = 0;
    long hwm = 0, rss = 0;
};

static ProcessState process_state(int pid) {
    ProcessState s;
    char p[64];
    snprintf(p, 64, "/proc/%d/stat", pid);
    FILE* f = fopen(p, "r");
    if (!f) {
        return s;
    }
    char b[2048];
    size_t n = fread(b, 1, 2047, f);
    b[n] = 0;
    fclose(f);
    char* q = strrchr(b, ')');
    unsigned long u = 0, k = 0;
    sscanf(q + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &u, &k);
    s.cpu = (u + k) / (double)sysconf(_SC_CLK_TCK);
    snprintf(p, 64, "/proc/%d/status", pid);
    f = fopen(p, "r");
    while (f && fgets(b, 2048, f)) {
        if (!strncmp(b, "VmHWM:", 6)) {
            s.hwm = atol(b + 6);
        }
        if (!strncmp(b, "VmRSS:", 6)) {
            s.rss = atol(b + 6);
        }
    }
    if (f) {
        fclose(f);
    }
    return s;
}

int main(int c, char** v) {
    const char* cf = "corpus/main.otlpb";
    string label;
    double settle = 0;
    u64 cspans = ~0ull;
    for (int i = 1; i + 1 < c; i += 2) {
        string k = v[i], a = v[i + 1];
        if (k == "--corpus") {
            cf = v[i + 1];
        } else if (k == "--host") {
            host = a;
        } else if (k == "--port") {
            port = stoi(a);
        } else if (k == "--path") {
            path = a;
        } else if (k == "--proto") {
            proto = a;
        } else if (k == "--conns") {
            connection_count = stoi(a);
        } else if (k == "--spans") {
            total = stoull(a);
        } else if (k == "--passes") {
            passes = stoull(a);
        } else if (k == "--secs") {
            secs = stod(a);
            total = ~0ull;
        } else if (k == "--rate") {
            rate = stod(a);
        } else if (k == "--pid") {
            pids.push_back(stoi(a));
        } else if (k == "--first") {
            first = stoull(a);
        } else if (k == "--label") {
            label = a;
        } else if (k == "--settle") {
            settle = stod(a);
        } else if (k == "--shift") {
            shift_s = stoull(a);
        } else if (k == "--corpus-spans") {
            cspans = stoull(a);
        } else {
            fprintf(stderr, "? %s\n", v[i]);
            return 2;
        }
    }
    Corpus corpus;
    if (!corpus.load(cf, cspans)) {
        fprintf(stderr, "cannot load %s\n", cf);
        return 1;
    }
    size_t nb = corpus.b.size();
    vector<vector<Patch>> patches(nb);
    for (size_t i = 0; i < nb; i++) {
        walk_patch(corpus.at(i), corpus.b[i].len, patches[i]);
    }
    // batches to send: until total spans
    vector<ProcessState> p0;
    for (int p : pids) {
        p0.push_back(process_state(p));
    }
    rusage r0;
    getrusage(RUSAGE_SELF, &r0);
    double t0 = now(), tend = secs > 0 ? t0 + secs : 1e300;
    u64 perRep = corpus.spans;
    next_batch = first;
    auto work = [&](int w) {
        vector<u8> tmp;
        char* rb = (char*)malloc(1 << 16);
        int f = -1;
        GrpcConnection h;
        if (proto == "grpc") {
            if (!h.start()) {
                note("connect");
                return;
            }
        } else {
            f = conn();
            if (f < 0) {
                note("connect");
                return;
            }
        }
        vector<float> L;
        for (;;) {
            u64 i = next_batch.fetch_add(1);
            u64 rep = i / nb, bi = i % nb;
            u64 sent = (i - first) * perRep / nb;
            if ((passes ? i - first >= passes * nb : sent >= total) || now() > tend) {
                break;
            }
            tmp.assign(corpus.at(bi), corpus.at(bi) + corpus.b[bi].len);
            apply_patch(tmp.data(), patches[bi], rep, shift_s * 1000000000ull);
            double due = t0 + sent / rate;
            if (rate > 0) {
                double d = due - now();
                if (d > 0) {
                    timespec ts{(time_t)d, (long)((d - (long)d) * 1e9)};
                    nanosleep(&ts, 0);
                }
            }
            double a, b;
            int st;
            for (int attempt = 0;; attempt++) {
                a = now();
                st = proto == "grpc" ? h.call(tmp.data(), tmp.size())
                                     : http_round_trip(f, tmp.data(), tmp.size(), rb, 1 << 16);
                b = now();
                if (!is_push_back(st) || attempt == PUSH_BACK_ATTEMPTS) {
                    break;
                }
                pushed_back++;
                usleep(PUSH_BACK_PAUSE_MICROSECONDS);
                if (proto != "grpc") {  // The answer closed the connection.
                    close(f);
                    f = conn();
                }
            }
            if (st == 200) {
                accepted_batches++;
                accepted_spans += corpus.b[bi].n;
                sent_bytes += tmp.size();
                L.push_back((b - (rate > 0 ? due : a)) * 1e3);
            } else {
                failed_batches++;
                if (st < 0) {
                    note("io error");
                    if (proto == "grpc") {
                        close(h.f);
                        if (!h.start()) {
                            break;
                        }
                    } else {
                        close(f);
                        f = conn();
                        if (f < 0) {
                            break;
                        }
                    }
                }
                if (failed_batches > 2000) {
                    break;
                }
            }
        }
        lock_guard<mutex> g(mu);
        latencies.insert(latencies.end(), L.begin(), L.end());
    };
    vector<thread> T;
    for (int i = 0; i < connection_count; i++) {
        T.emplace_back(work, i);
    }
    for (auto& t : T) {
        t.join();
    }
    double t1 = now();
    rusage r1;
    getrusage(RUSAGE_SELF, &r1);
    if (settle > 0) {
        timespec ts{(time_t)settle, 0};
        nanosleep(&ts, 0);
    }
    double el = t1 - t0;
    sort(latencies.begin(), latencies.end());
    auto q = [&](double x) {
        return latencies.empty()
                   ? 0.0
                   : (double)latencies[min(latencies.size() - 1, (size_t)(x * latencies.size()))];
    };
    double cpu = 0;
    long hwm = 0;
    for (size_t i = 0; i < pids.size(); i++) {
        ProcessState s = process_state(pids[i]);
        cpu += s.cpu - p0[i].cpu;
        hwm += s.hwm;
    }
    double lc =
        (r1.ru_utime.tv_sec - r0.ru_utime.tv_sec) + (r1.ru_stime.tv_sec - r0.ru_stime.tv_sec) +
        (r1.ru_utime.tv_usec - r0.ru_utime.tv_usec + r1.ru_stime.tv_usec - r0.ru_stime.tv_usec) *
            1e-6;
    printf(
        "{\"label\":\"%s\",\"proto\":\"%s\",\"conns\":%d,\"spans\":%llu,\"bad_batches\":%llu,"
        "\"pushed_back\":%llu,"
        "\"secs\":%.3f,\"spans_per_s\":%.0f,\"MBps\":%.1f,\"p50_ms\":%.2f,\"p99_ms\":%.2f,\"max_"
        "ms\":%.2f,\"batches\":%llu,\"srv_cpu_s\":%.2f,\"srv_cpu_s_per_Mspan\":%.3f,\"spans_per_core_s\":%.0f,\"srv_"
        "hwm_MB\":%.1f,\"gen_cpu_s\":%.2f,\"err\":\"%s\"}\n",
        label.c_str(), proto.c_str(), connection_count, (unsigned long long)accepted_spans,
        (unsigned long long)failed_batches, (unsigned long long)pushed_back, el,
        accepted_spans / el, sent_bytes / el / 1e6, q(.5), q(.99), q(1),
        (unsigned long long)accepted_batches, cpu,
        accepted_spans ? cpu / (accepted_spans / 1e6) : 0, cpu > 0 ? accepted_spans / cpu : 0,
        hwm / 1024.0, lc, printable(first_error).c_str());
}
