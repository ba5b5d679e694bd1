// SPDX-License-Identifier: Apache-2.0
// otlpgen: a seedable corpus of the spans of a shop of 40 services, as ten node agents would send
// them. The same seed gives the same bytes.
//
//   otlpgen --seed 42 --spans 1000000 --minutes 60 --batch 512 --agents 10 --services 40 --out F
//
// The file begins with "OTLPB01\n"; records follow, each of u32 payload length, u32 span count
// (little-endian) and the bytes of an ExportTraceServiceRequest.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <queue>
#include <string>
#include <vector>

#include "protobuf_writer.h"

enum Kind { INTERNAL = 1, SERVER = 2, CLIENT = 3, PRODUCER = 4, CONSUMER = 5 };

enum StepType { STEP_INTERNAL, STEP_DATABASE, STEP_CACHE, STEP_HTTP, STEP_RPC, STEP_KAFKA };

struct Step {
    StepType t;
    double p;
    int svc, op;
    int rep;
    double med;
    string a, b, c;
    bool par;
};

struct Operation {
    string name, route, method, rpcsvc, rpcm;
    bool http;
    double self;
    double errp;
    vector<Step> steps;
};

struct Service {
    string name, ns, ver, lang;
    int layer;
    vector<Operation> ops;
    int inst0, ninst;
};

struct Instance {
    int svc;
    string res;
    string ip;
    int agent;
    vector<int> threads;
};

static vector<Service> services;
static vector<Instance> instances;
static vector<string> user_agents, client_addresses;
static Zipf user_agent_rank, client_rank, user_rank;
static const char* scopes[] = {"io.opentelemetry.spring-webmvc-6.0",
                               "io.opentelemetry.jdbc",
                               "io.opentelemetry.lettuce-5.1",
                               "io.opentelemetry.apache-httpclient-5.0",
                               "io.opentelemetry.grpc-1.6",
                               "io.opentelemetry.kafka-clients-2.6",
                               "com.example.app"};
static const char* scope_version = "2.9.0-alpha";

struct Record {
    u64 end;
    int inst;
    int scope;
    u64 seq;
    Bytes s;
};

struct EndsLater {
    bool operator()(const Record* a, const Record* b) const {
        return a->end != b->end ? a->end > b->end : a->seq > b->seq;
    }
};

static vector<priority_queue<Record*, vector<Record*>, EndsLater>> open_spans;
static vector<vector<Record*>> pending;
static FILE* out;
static u64 span_count = 0, batch_count = 0, payload_bytes = 0, error_count = 0, event_count = 0,
           link_count = 0;
static u32 batch_size = 512;
static u64 sequence = 0;
static u64 span_count_max;
static int agent_count = 10;
static const char* words[] = {
    "order",   "cart",      "user",   "item",    "price",   "stock",   "pay",     "ship",
    "coupon",  "search",    "review", "profile", "address", "session", "invoice", "refund",
    "catalog", "banner",    "feed",   "comment", "message", "notify",  "risk",    "score",
    "rank",    "recommend", "image",  "video",   "token",   "quota",   "wallet",  "ledger",
    "promo",   "region",    "store",  "seller",  "buyer",   "device",  "event",   "audit"};
static const int word_count = 40;

static Bytes hex(u64 v, int n) {
    char t[20];
    snprintf(t, 20, "%0*llx", n, (unsigned long long)(n < 16 ? v & ((1ull << (4 * n)) - 1) : v));
    return t;
}

static void flush_agent(int a, bool final_) {
    auto& v = pending[a];
    while (v.size() >= batch_size || (final_ && !v.empty())) {
        size_t n = min<size_t>(batch_size, v.size());
        // group by (inst, scope)
        vector<Record*> g(v.begin(), v.begin() + n);
        stable_sort(g.begin(), g.end(), [](Record* x, Record* y) {
            return x->inst != y->inst ? x->inst < y->inst : x->scope < y->scope;
        });
        Bytes req, rs, ss;
        size_t i = 0;
        while (i < n) {
            int in = g[i]->inst;
            rs.clear();
            put_bytes(rs, 1, instances[in].res);
            while (i < n && g[i]->inst == in) {
                int sc = g[i]->scope;
                ss.clear();
                Bytes s;
                put_bytes(s, 1, scopes[sc], strlen(scopes[sc]));
                put_bytes(s, 2, scope_version, strlen(scope_version));
                put_bytes(ss, 1, s);
                while (i < n && g[i]->inst == in && g[i]->scope == sc) {
                    put_bytes(ss, 2, g[i]->s);
                    i++;
                }
                put_bytes(rs, 2, ss);
            }
            static const Bytes su = "https://opentelemetry.io/schemas/1.26.0";
            put_bytes(rs, 3, su);
            put_bytes(req, 1, rs);
        }
        u32 h[2] = {(u32)req.size(), (u32)n};
        fwrite(h, 4, 2, out);
        fwrite(req.data(), 1, req.size(), out);
        batch_count++;
        payload_bytes += req.size();
        for (size_t k = 0; k < n; k++) {
            delete g[k];
        }
        v.erase(v.begin(), v.begin() + n);
    }
}

static void drain(u64 upto, bool fin) {
    for (int a = 0; a < agent_count; a++) {
        auto& h = open_spans[a];
        while (!h.empty() && (fin || h.top()->end <= upto)) {
            pending[a].push_back(h.top());
            h.pop();
        }
        flush_agent(a, fin);
    }
}

struct Trace {
    unsigned char tid[16];
    int count;
    bool err;
    u64 user;
};

static void emit(int inst, int scope, Trace& t, u64 sid, u64 pid, const Bytes& name, int kind,
                 u64 st, u64 en, const Bytes& attrs, bool err, const Bytes& extra,
                 bool remoteParent) {
    Record* r = new Record;
    r->end = en;
    r->inst = inst;
    r->scope = scope;
    r->seq = sequence++;
    Bytes& s = r->s;
    s.reserve(attrs.size() + extra.size() + 96 + name.size());
    put_bytes(s, 1, (char*)t.tid, 16);
    put_bytes(s, 2, (char*)&sid, 8);
    if (pid) {
        put_bytes(s, 4, (char*)&pid, 8);
    }
    put_bytes(s, 5, name);
    put_tag(s, 6, 0);
    put_varint(s, kind);
    put_fixed64(s, 7, st);
    put_fixed64(s, 8, en);
    s += attrs;
    s += extra;
    if (err) {
        Bytes z;
        put_tag(z, 3, 0);
        put_varint(z, 2);
        put_bytes(s, 15, z);
        error_count++;
    } else {
        put_bytes(s, 15, "", 0);
    }
    put_fixed32(s, 16, remoteParent ? 0x301 : 0x101);
    open_spans[instances[inst].agent].push(r);
    span_count++;
    t.count++;
}

static void put_thread(Bytes& a, int inst) {
    auto& v = instances[inst].threads;
    int k = below(v.size());
    put_integer(a, 9, "thread.id", v[k]);
    put_text(a, 9, "thread.name", "http-nio-8080-exec-" + to_string(k + 1));
}

static Bytes exception_event(u64 at, int inst) {
    static const char* types[] = {
        "java.net.SocketTimeoutException", "java.sql.SQLTransientConnectionException",
        "io.grpc.StatusRuntimeException", "java.lang.IllegalStateException",
        "com.example.BusinessException"};
    int k = below(5);
    static const char* msgs[] = {
        "Read timed out",
        "HikariPool-1 - Connection is not available, request timed out after 30000ms",
        "UNAVAILABLE: io exception", "Cannot transition order from PAID to CREATED",
        "inventory not enough"};
    Bytes a;
    put_fixed64(a, 1, at);
    put_bytes(a, 2, "exception", 9);
    Bytes m = string(msgs[k]) + " (req " + to_string(below(1000000)) + ")";
    put_text(a, 3, "exception.type", types[k]);
    put_text(a, 3, "exception.message", m);
    Bytes st = string(types[k]) + ": " + m + "\n";
    int n = 12 + below(20);
    for (int i = 0; i < n; i++) {
        st += "\tat com.example." + services[instances[inst].svc].ns + "." +
              words[(k * 7 + i * 3) % word_count] + ".Service.method" +
              to_string((k * 13 + i) % 40) +
              "(Service.java:" + to_string(30 + (k * 97 + i * 31) % 700) + ")\n";
    }
    put_text(a, 3, "exception.stacktrace", st);
    Bytes o;
    put_bytes(o, 11, a);
    event_count++;
    return o;
}

static u64 run_op(Trace& t, int svc, int op, u64 at, u64 parent, int depth, int proto,
                  const Bytes& peer, bool& failed);

static u64 step(Trace& t, int svc, int inst, const Step& s, u64 at, u64 parent, int depth,
                bool& failed) {
    Service& me = services[svc];
    u64 sid = random_bits() | 1;
    Bytes a, ex;
    u64 st = at, en = at;
    bool err = false;
    int in = inst;
    switch (s.t) {
        case STEP_INTERNAL: {
            en = st + (u64)(lognormal(s.med, 0.7) * 1000);
            put_text(a, 9, "code.function.name", "com.example." + me.ns + "." + s.a + "." + s.b);
            put_thread(a, in);
            put_integer(a, 9, "app.items", 1 + below(40));
            if (uniform() < 0.3) {
                put_text(a, 9, "app.variant", below(2) ? "control" : "treatment");
            }
            emit(in, 6, t, sid, parent, s.a + "." + s.b, INTERNAL, st, en, a, false, ex, false);
            break;
        }
        case STEP_DATABASE: {
            en = st + (u64)(lognormal(s.med, 0.9) * 1000);
            err = uniform() < 0.002;
            put_text(a, 9, "db.system", "mysql");
            put_text(a, 9, "db.name", me.ns + "_db");
            put_text(a, 9, "db.user", me.ns + "_rw");
            put_text(a, 9, "db.operation", s.a);
            put_text(a, 9, "db.sql.table", s.b);
            put_text(a, 9, "db.statement", s.c);
            put_text(a, 9, "server.address",
                     "mysql-" + me.ns + "-" + to_string(below(2)) + ".db.svc.cluster.local");
            put_integer(a, 9, "server.port", 3306);
            put_thread(a, in);
            put_integer(a, 9, "db.rows", below(50));
            if (err) {
                ex = exception_event(en, in);
            }
            emit(in, 1, t, sid, parent, s.a + " " + me.ns + "_db." + s.b, CLIENT, st, en, a, err,
                 ex, false);
            break;
        }
        case STEP_CACHE: {
            en = st + (u64)(lognormal(s.med, 0.6) * 1000);
            put_text(a, 9, "db.system", "redis");
            put_text(a, 9, "db.operation", s.a);
            put_text(a, 9, "db.statement",
                     s.a + " " + s.b + ":" + to_string(user_rank.get() * 7919 % 2000000) +
                         (s.a == "SET" ? " ? EX 3600" : ""));
            put_text(a, 9, "network.peer.address",
                     "10.9." + to_string(me.inst0 % 250) + "." + to_string(below(6)));
            put_integer(a, 9, "network.peer.port", 6379);
            put_text(a, 9, "network.type", "ipv4");
            put_text(a, 9, "server.address", "redis-" + me.ns + ".cache.svc.cluster.local");
            put_flag(a, 9, "cache.hit", uniform() < 0.9);
            put_thread(a, in);
            emit(in, 2, t, sid, parent, s.a, CLIENT, st, en, a, false, ex, false);
            break;
        }
        case STEP_HTTP: {
            Service& c = services[s.svc];
            Operation& o = c.ops[s.op];
            bool ce = false;
            u64 net = (u64)(lognormal(250, 0.5) * 1000);
            Bytes path = o.route;
            size_t p = path.find("{id}");
            if (p != string::npos) {
                path.replace(p, 4, to_string(user_rank.get() * 104729ull % 9000000 + 1000000));
            }
            Trace& tt = t;
            u64 e = run_op(tt, s.svc, s.op, st + net, sid, depth + 1, 0,
                           path + "\n" + instances[inst].ip, ce);
            en = e + net / 2;
            err = ce;
            put_text(a, 9, "http.request.method", o.method);
            put_text(a, 9, "url.full", "http://" + c.name + ".prod.svc.cluster.local:8080" + path);
            put_integer(a, 9, "http.response.status_code", err ? 500 : 200);
            put_text(a, 9, "server.address", c.name + ".prod.svc.cluster.local");
            put_integer(a, 9, "server.port", 8080);
            put_text(a, 9, "network.protocol.version", "1.1");
            put_text(a, 9, "peer.service", c.name);
            put_thread(a, in);
            if (err) {
                put_text(a, 9, "error.type", "500");
            }
            emit(in, 3, t, sid, parent, o.method, CLIENT, st, en, a, err, ex, false);
            break;
        }
        case STEP_RPC: {
            Service& c = services[s.svc];
            Operation& o = c.ops[s.op];
            bool ce = false;
            u64 net = (u64)(lognormal(180, 0.5) * 1000);
            u64 e = run_op(t, s.svc, s.op, st + net, sid, depth + 1, 1, instances[inst].ip, ce);
            en = e + net / 2;
            err = ce;
            put_text(a, 9, "rpc.system", "grpc");
            put_text(a, 9, "rpc.service", o.rpcsvc);
            put_text(a, 9, "rpc.method", o.rpcm);
            put_integer(a, 9, "rpc.grpc.status_code", err ? 14 : 0);
            put_text(a, 9, "server.address", c.name + ".prod.svc.cluster.local");
            put_integer(a, 9, "server.port", 9090);
            put_text(a, 9, "network.peer.address", instances[c.inst0 + below(c.ninst)].ip);
            put_integer(a, 9, "network.peer.port", 9090);
            put_text(a, 9, "network.type", "ipv4");
            put_thread(a, in);
            emit(in, 4, t, sid, parent, o.rpcsvc + "/" + o.rpcm, CLIENT, st, en, a, err, ex, false);
            break;
        }
        case STEP_KAFKA: {
            en = st + (u64)(lognormal(s.med, 0.5) * 1000);
            u32 part = below(24);
            u64 off = 1000000000ull + (u64)(at / 50000000ull) + part;
            put_text(a, 9, "messaging.system", "kafka");
            put_text(a, 9, "messaging.destination.name", s.a);
            put_text(a, 9, "messaging.operation", "publish");
            put_text(a, 9, "messaging.client_id", "producer-" + me.name + "-1");
            put_text(a, 9, "messaging.destination.partition.id", to_string(part));
            put_integer(a, 9, "messaging.kafka.message.offset", off);
            u64 x = random_bits(), y = random_bits();
            Bytes mid = hex(x >> 32, 8) + "-" + hex(x >> 16, 4) + "-4" + hex(x, 3) + "-a" +
                        hex(y >> 48, 3) + "-" + hex(y, 12);
            put_text(a, 9, "messaging.message.id", mid);
            put_integer(a, 9, "messaging.message.body.size", 200 + below(1800));
            put_thread(a, in);
            emit(in, 5, t, sid, parent, s.a + " publish", PRODUCER, st, en, a, false, ex, false);
            // consumer in another service
            Service& c = services[s.svc];
            int ci = c.inst0 + below(c.ninst);
            u64 cs = en + (u64)(lognormal(8000, 1.0) * 1000);
            u64 ce = cs + (u64)(lognormal(3000, 0.8) * 1000);
            Bytes b;
            u64 csid = random_bits() | 1;
            put_text(b, 9, "messaging.system", "kafka");
            put_text(b, 9, "messaging.destination.name", s.a);
            put_text(b, 9, "messaging.operation", "process");
            put_text(b, 9, "messaging.kafka.consumer.group", c.name);
            put_text(b, 9, "messaging.destination.partition.id", to_string(part));
            put_integer(b, 9, "messaging.kafka.message.offset", off);
            put_text(b, 9, "messaging.message.id", mid);
            put_integer(b, 9, "messaging.message.body.size", 200 + below(1800));
            put_thread(b, ci);
            Bytes lk;
            put_bytes(lk, 1, (char*)t.tid, 16);
            put_bytes(lk, 2, (char*)&sid, 8);
            put_fixed32(lk, 6, 0x301);
            Bytes le;
            if (uniform() < 0.5) {
                put_bytes(le, 13, lk);
                link_count++;
            }
            if (t.count < 600) {
                u64 cc = cs;
                bool d = false;
                for (auto& q : c.ops[0].steps) {
                    if (q.t == STEP_DATABASE || q.t == STEP_CACHE) {
                        cc = step(t, s.svc, ci, q, cc + 200000, csid, depth + 1, d);
                    }
                }
                if (cc > ce) {
                    ce = cc + 100000;
                }
            }
            emit(ci, 5, t, csid, sid, s.a + " process", CONSUMER, cs, ce, b, false, le, true);
            break;
        }
    }
    if (err) {
        failed = true;
    }
    return en;
}

static u64 run_op(Trace& t, int svc, int op, u64 at, u64 parent, int depth, int proto,
                  const Bytes& peer, bool& failed) {
    Service& me = services[svc];
    Operation& o = me.ops[op];
    int inst = me.inst0 + below(me.ninst);
    u64 sid = random_bits() | 1;
    u64 cur = at + (u64)(lognormal(o.self, 0.6) * 300);
    bool cerr = false;
    if (depth < 7 && t.count < 400) {
        for (auto& s : o.steps) {
            if (uniform() > s.p) {
                continue;
            }
            int r = 1 + (s.rep ? below(s.rep + 1) : 0);
            u64 base = cur, mx = cur;
            for (int i = 0; i < r && t.count < 400; i++) {
                bool se = false;
                u64 e = step(t, svc, inst, s, s.par ? base : cur, sid, depth, se);
                if (se && uniform() < 0.5) {
                    cerr = true;
                }
                cur = e;
                mx = max(mx, e);
            }
            cur = mx + 20000;
        }
    }
    u64 en = cur + (u64)(lognormal(o.self, 0.6) * 700);
    bool err = cerr || uniform() < o.errp;
    Bytes a, ex;
    if (err && uniform() < 0.7) {
        ex = exception_event(en - 1000, inst);
    }
    if (proto == 0) {
        size_t nl = peer.find('\n');
        Bytes path = peer.substr(0, nl), ip = peer.substr(nl + 1);
        put_text(a, 9, "http.request.method", o.method);
        put_text(a, 9, "http.route", o.route);
        put_text(a, 9, "url.path", path);
        put_text(a, 9, "url.scheme", "http");
        put_integer(a, 9, "http.response.status_code", err ? 500 : (uniform() < 0.02 ? 404 : 200));
        put_text(a, 9, "network.peer.address", ip);
        put_integer(a, 9, "network.peer.port", 32768 + below(28000));
        put_text(a, 9, "server.address", me.name);
        put_text(a, 9, "network.protocol.version", "1.1");
        if (depth == 0) {
            put_text(a, 9, "user_agent.original", user_agents[user_agent_rank.get()]);
            put_text(a, 9, "client.address", client_addresses[client_rank.get()]);
            put_text(a, 9, "enduser.id", "u" + to_string(t.user));
            put_text(a, 9, "app.tenant", "t" + to_string(t.user % 64));
        } else {
            put_text(a, 9, "user_agent.original", "Apache-HttpClient/5.2.1 (Java/17.0.9)");
        }
        if (err) {
            put_text(a, 9, "error.type", "500");
        }
        put_thread(a, inst);
        emit(inst, 0, t, sid, parent, o.method + " " + o.route, SERVER, at, en, a, err, ex,
             depth > 0);
    } else {
        put_text(a, 9, "rpc.system", "grpc");
        put_text(a, 9, "rpc.service", o.rpcsvc);
        put_text(a, 9, "rpc.method", o.rpcm);
        put_integer(a, 9, "rpc.grpc.status_code", err ? 13 : 0);
        put_text(a, 9, "network.peer.address", peer);
        put_integer(a, 9, "network.peer.port", 32768 + below(28000));
        put_text(a, 9, "network.type", "ipv4");
        put_text(a, 9, "server.address", me.name + ".prod.svc.cluster.local");
        put_integer(a, 9, "server.port", 9090);
        put_thread(a, inst);
        emit(inst, 4, t, sid, parent, o.rpcsvc + "/" + o.rpcm, SERVER, at, en, a, err, ex, true);
    }
    failed = err;
    return en;
}

// Services in four layers, each with its instances and what they say of themselves.
static void make_services(int service_count) {
    for (int i = 0; i < service_count; i++) {
        Service s;
        s.layer = i < 2 ? 0 : i < service_count * 0.2 ? 1 : i < service_count * 0.65 ? 2 : 3;
        s.ns = words[i % word_count];
        if (i >= word_count) {
            s.ns += to_string(i / word_count);
        }
        static const char* suf[] = {"-gateway", "-bff", "-service", "-core"};
        s.name = s.ns + suf[s.layer];
        s.ver = "1." + to_string(10 + below(80)) + "." + to_string(below(30));
        s.lang = below(3) ? "java" : "go";
        s.inst0 = instances.size();
        s.ninst = s.layer == 0 ? 4 : 3;
        for (int k = 0; k < s.ninst; k++) {
            Instance in;
            in.svc = i;
            in.ip = "10." + to_string(1 + below(3)) + "." + to_string(below(250)) + "." +
                    to_string(2 + below(250));
            in.agent = instances.size() % agent_count;
            for (int q = 0; q < 32; q++) {
                in.threads.push_back(40 + q + below(3) * 32);
            }
            Bytes r;
            string pod = s.name + "-" + hex(random_bits(), 9) + "-" + hex(random_bits(), 5);
            put_text(r, 1, "service.name", s.name);
            put_text(r, 1, "service.namespace", "shop");
            put_text(r, 1, "service.version", s.ver);
            put_text(r, 1, "service.instance.id", pod);
            put_text(r, 1, "deployment.environment", "prod");
            put_text(r, 1, "host.name", "node-" + to_string(in.agent));
            put_text(r, 1, "k8s.pod.name", pod);
            put_text(r, 1, "k8s.namespace.name", "prod");
            put_text(r, 1, "k8s.node.name", "node-" + to_string(in.agent));
            put_text(r, 1, "telemetry.sdk.language", s.lang);
            put_text(r, 1, "telemetry.sdk.name", "opentelemetry");
            put_text(r, 1, "telemetry.sdk.version", "1.43.0");
            put_integer(r, 1, "process.pid", 1 + below(300));
            in.res = r;
            instances.push_back(in);
        }
        services.push_back(s);
    }
}

// What each service offers, and the steps that each operation takes.
static void make_operations(int service_count) {
    for (int i = 0; i < service_count; i++) {
        Service& s = services[i];
        int n = 5 + below(12);
        for (int k = 0; k < n; k++) {
            Operation o;
            static const char* ms[] = {"GET", "GET", "GET", "POST", "PUT", "DELETE"};
            o.method = ms[below(6)];
            string w = words[below(word_count)];
            o.route = "/api/v" + to_string(1 + below(3)) + "/" + s.ns + "/" + w +
                      (below(3) ? "/{id}" : "");
            if (below(4) == 0) {
                o.route += "/" + string(words[below(word_count)]);
            }
            o.rpcsvc =
                "shop." + s.ns + ".v1." + (char)toupper(s.ns[0]) + s.ns.substr(1) + "Service";
            string w2 = words[below(word_count)];
            static const char* vb[] = {"Get", "List", "Create", "Update", "BatchGet", "Check"};
            o.rpcm = string(vb[below(6)]) + (char)toupper(w2[0]) + w2.substr(1);
            o.self = lognormal(800, 0.8);
            o.errp = uniform() < 0.2 ? 0.03 : 0.004;
            int ns_ = s.layer == 3 ? 1 + below(4) : 2 + below(4);
            for (int q = 0; q < ns_; q++) {
                Step st;
                st.p = 0.35 + 0.5 * uniform();
                st.rep = 0;
                st.par = below(3) == 0;
                double u = uniform();
                st.svc = st.op = 0;
                if (s.layer < 3 && u < (s.layer == 0 ? 0.9 : s.layer == 1 ? 0.65 : 0.3)) {
                    int lo = s.layer == 0   ? 2
                             : s.layer == 1 ? (int)ceil(service_count * 0.2)
                                            : (int)ceil(service_count * 0.65);
                    int hi = s.layer == 0   ? (int)(service_count * 0.2)
                             : s.layer == 1 ? service_count
                                            : service_count;
                    if (hi <= lo) {
                        hi = service_count;
                    }
                    st.svc = lo + below(hi - lo);
                    st.op = below(5);
                    st.t = s.layer == 0 ? STEP_HTTP : below(2) ? STEP_HTTP : STEP_RPC;
                    st.rep = below(8) == 0 ? 3 : 0;
                } else if (u < 0.55) {
                    st.t = STEP_DATABASE;
                    string tb = words[below(word_count)];
                    string tt = "t_" + tb + (below(2) ? "_detail" : "");
                    st.b = tt;
                    int z = below(4);
                    st.a = z == 0 ? "INSERT" : z == 1 ? "UPDATE" : "SELECT";
                    st.c = z == 0   ? "INSERT INTO " + tt +
                                          " (id, user_id, status, amount, created_at, updated_at) "
                                          "VALUES (?, ?, ?, ?, ?, ?)"
                           : z == 1 ? "UPDATE " + tt +
                                          " SET status = ?, version = version + 1, updated_at = ? "
                                          "WHERE id = ? AND version = ?"
                                    : "SELECT id, user_id, " + string(words[below(word_count)]) +
                                          ", status, amount, created_at, updated_at FROM " + tt +
                                          " WHERE user_id = ? AND status IN (?, ?) ORDER BY "
                                          "created_at DESC LIMIT ?";
                    st.med = lognormal(900, 0.7);
                    st.rep = below(6) == 0 ? 4 : 0;
                } else if (u < 0.8) {
                    st.t = STEP_CACHE;
                    st.a = below(4) ? "GET" : "SET";
                    st.b = string(s.ns) + ":" + words[below(word_count)];
                    st.med = lognormal(250, 0.4);
                    st.rep = below(6) == 0 ? 4 : 0;
                } else if (u < 0.94) {
                    st.t = STEP_INTERNAL;
                    st.a = string(1, toupper(s.ns[0])) + s.ns.substr(1) + "Manager";
                    st.b = string(words[below(word_count)]) + "Compute";
                    st.med = lognormal(500, 0.8);
                } else {
                    st.t = STEP_KAFKA;
                    st.a = "topic-" + s.ns + "-" + words[below(word_count)];
                    st.svc = (int)ceil(service_count * 0.2) +
                             below(service_count - (int)ceil(service_count * 0.2));
                    st.med = lognormal(600, 0.4);
                }
                o.steps.push_back(st);
            }
            s.ops.push_back(o);
        }
    }
}

int main(int c, char** v) {
    u64 seed_value = 42;
    span_count_max = 1000000;
    double minutes = 60;
    const char* out_path = "corpus.otlpb";
    u64 t0 = 1795132800ull * 1000000000ull;
    int service_count = 40;
    for (int i = 1; i + 1 < c; i += 2) {
        string k = v[i];
        if (k == "--seed") {
            seed_value = atoll(v[i + 1]);
        } else if (k == "--spans") {
            span_count_max = atoll(v[i + 1]);
        } else if (k == "--minutes") {
            minutes = atof(v[i + 1]);
        } else if (k == "--out") {
            out_path = v[i + 1];
        } else if (k == "--batch") {
            batch_size = atoi(v[i + 1]);
        } else if (k == "--agents") {
            agent_count = atoi(v[i + 1]);
        } else if (k == "--t0") {
            t0 = strtoull(v[i + 1], 0, 10) * 1000000000ull;
        } else if (k == "--services") {
            service_count = atoi(v[i + 1]);
        } else {
            fprintf(stderr, "unknown %s\n", v[i]);
            return 2;
        }
    }
    seed(seed_value);
    make_services(service_count);
    make_operations(service_count);
    for (int i = 0; i < 60; i++) {
        user_agents.push_back(
            "Mozilla/5.0 (" + string(below(2) ? "iPhone; CPU iPhone OS 1" : "Linux; Android 1") +
            to_string(below(8)) + "_" + to_string(below(6)) +
            ") AppleWebKit/605.1.15 (KHTML, like Gecko) Version/" + to_string(10 + below(9)) + "." +
            to_string(below(5)) + " Mobile/15E148 ShopApp/" + to_string(5 + below(4)) + "." +
            to_string(below(30)));
    }
    for (int i = 0; i < 20000; i++) {
        client_addresses.push_back(to_string(1 + below(222)) + "." + to_string(below(256)) + "." +
                                   to_string(below(256)) + "." + to_string(below(256)));
    }
    user_agent_rank.init(60, 1.0);
    client_rank.init(20000, 0.6);
    user_rank.init(200000, 0.7);
    Zipf zop;
    zop.init(services[0].ops.size() + services[1].ops.size(), 0.8);
    open_spans.resize(agent_count);
    pending.resize(agent_count);
    out = fopen(out_path, "wb");
    setvbuf(out, 0, _IOFBF, 1 << 20);
    fwrite("OTLPB01\n", 1, 8, out);
    double dur = minutes * 60e9;
    u64 traces = 0, mxc = 0;

    // span_count/span_count_max
    while (span_count < span_count_max) {
        Trace t;
        u64 x = random_bits(), y = random_bits();
        memcpy(t.tid, &x, 8);
        memcpy(t.tid + 8, &y, 8);
        t.count = 0;
        t.user = user_rank.get() * 7919ull % 2000000;
        u64 at = t0 + (u64)(dur * ((double)span_count / span_count_max)) + below(1000000);
        int k = zop.get();
        int sv = k < (int)services[0].ops.size() ? 0 : 1;
        int op = sv == 0 ? k : k - services[0].ops.size();
        bool e = false;
        Operation& o = services[sv].ops[op];
        Bytes path = o.route;
        size_t p = path.find("{id}");
        if (p != string::npos) {
            path.replace(p, 4, to_string(user_rank.get() * 104729ull % 9000000 + 1000000));
        }
        run_op(t, sv, op, at, 0, 0, 0, path + "\n10.0.0." + to_string(2 + below(20)), e);
        traces++;
        mxc = max<u64>(mxc, t.count);
        drain(at, false);
    }
    drain(0, true);
    fclose(out);
    printf(
        "seed=%llu spans=%llu traces=%llu spans/trace=%.2f max=%llu batches=%llu "
        "payload_bytes=%llu bytes/span=%.1f attrs/span=%.2f err=%.3f%% events=%llu links=%llu "
        "services=%zu instances=%zu\n",
        (unsigned long long)seed_value, (unsigned long long)span_count, (unsigned long long)traces,
        (double)span_count / traces, (unsigned long long)mxc, (unsigned long long)batch_count,
        (unsigned long long)payload_bytes, (double)payload_bytes / span_count,
        (double)attribute_count / span_count, 100.0 * error_count / span_count,
        (unsigned long long)event_count, (unsigned long long)link_count, services.size(),
        instances.size());
}
