// SPDX-License-Identifier: Apache-2.0
// colsize: what a trace-aware column layout can reach on a corpus, in bytes a span and column.
//
//   colsize CORPUS ROWS_PER_BLOCK ZSTD_LEVEL [SPANS_MAX]
#include <time.h>
#include <zstd.h>

#include <algorithm>
#include <map>
#include <string>
#include <unordered_map>

#include "otlp.h"
using namespace std;
typedef string B;

static double cpu() {
    timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return t.tv_sec + t.tv_nsec * 1e-9;
}

static inline void vi(B& b, u64 v) {
    while (v >= 128) {
        b.push_back((char)(v | 128));
        v >>= 7;
    }
    b.push_back((char)v);
}

static inline u64 zz(int64_t v) {
    return ((u64)v << 1) ^ (u64)(v >> 63);
}

struct KV {
    u32 key;
    int t;
    B s;
    u64 i;
};

struct Sp {
    B tid;
    u64 sid, pid;
    u32 name, res, scope;
    int kind, st;
    u64 s, e;
    vector<KV> a;
    B ev, lk;
};

static unordered_map<B, u32> D;
static vector<B> DV;

static u32 dict(const u8* p, size_t n) {
    B s((const char*)p, n);
    auto it = D.find(s);
    if (it != D.end()) {
        return it->second;
    }
    u32 i = DV.size();
    D[s] = i;
    DV.push_back(s);
    return i;
}

static void pkv(const u8* p, const u8* e, vector<KV>& o) {
    KV x{};
    while (p < e) {
        u64 t = read_varint(p);
        u64 n = read_varint(p);
        if (t == 10) {
            x.key = dict(p, n);
        } else if (t == 18) {
            const u8* q = p;
            u64 z = read_varint(q);
            if (z == 10) {
                u64 m = read_varint(q);
                x.t = 1;
                x.s.assign((const char*)q, m);
            } else {
                x.t = z == 16 ? 2 : 3;
                x.i = read_varint(q);
            }
        }
        p += n;
    }
    o.push_back(x);
}

static map<string, u64> T;
static u64 raw = 0;
static int lvl;
static ZSTD_CCtx* Z;

static void add(const string& n, const B& b) {
    if (b.empty()) {
        return;
    }
    B o(ZSTD_compressBound(b.size()), 0);
    size_t c = ZSTD_compressCCtx(Z, &o[0], o.size(), b.data(), b.size(), lvl);
    T[n] += min(c, b.size());
}

static void addu(const string& n, const vector<u32>& v) {
    u32 mx = 0;
    for (u32 x : v) {
        mx = max(mx, x);
    }
    int w = mx < 256 ? 1 : mx < 65536 ? 2 : 4;
    B b(v.size() * w, 0);
    for (size_t i = 0; i < v.size(); i++) {
        for (int k = 0; k < w; k++) {
            b[k * v.size() + i] = (char)(v[i] >> (8 * k));
        }
    }
    add(n, b);
}

static void addts(const string& n, const vector<u64>& v) {  // byte-plane split of 6 bytes
    u64 mx = 0;
    for (u64 x : v) {
        mx |= x;
    }
    int w = 1;
    while (w < 8 && (mx >> (8 * w))) {
        w++;
    }
    for (int k = 0; k < w; k++) {
        B b(v.size(), 0);
        for (size_t i = 0; i < v.size(); i++) {
            b[i] = (char)(v[i] >> (8 * k));
        }
        add(n, b);
    }
}

int main(int c, char** v) {
    Corpus C;
    size_t BS = atoi(v[2]);
    lvl = atoi(v[3]);
    if (!C.load(v[1], c > 4 ? strtoull(v[4], 0, 10) : ~0ull)) {
        return 1;
    }
    Z = ZSTD_createCCtx();
    double cc = 0;
    vector<Sp> V;
    u64 spans = 0;
    u64 traces = 0;
    auto flush = [&]() {
        if (V.empty()) {
            return;
        }
        double a0 = cpu();
        stable_sort(V.begin(), V.end(), [](const Sp& a, const Sp& b) {
            return a.tid != b.tid ? a.tid < b.tid : a.s < b.s;
        });
        size_t n = V.size();
        // traces: order by first start
        B tids;
        vector<u32> tlen;
        vector<u64> tstart;
        vector<u32> par, name, res, scope, ks, order;
        B pmiss;
        vector<u64> ds, dur, sids;
        struct G {
            size_t i, j;
            u64 s;
        };
        vector<G> g;
        for (size_t i = 0; i < n;) {
            size_t j = i;
            while (j < n && V[j].tid == V[i].tid) {
                j++;
            }
            g.push_back({i, j, V[i].s});
            i = j;
        }
        sort(g.begin(), g.end(), [](const G& a, const G& b) {
            return a.s < b.s;
        });
        vector<const Sp*> R;
        u64 last = g[0].s;
        for (auto& q : g) {
            traces++;
            tids += V[q.i].tid;
            tlen.push_back(q.j - q.i);
            tstart.push_back(q.s - last);
            last = q.s;
            unordered_map<u64, u32> ix;
            for (size_t k = q.i; k < q.j; k++) {
                ix[V[k].sid] = k - q.i;
            }
            for (size_t k = q.i; k < q.j; k++) {
                Sp& s = V[k];
                R.push_back(&s);
                u64 ps = q.s;
                if (!s.pid) {
                    par.push_back(0);
                } else {
                    auto it = ix.find(s.pid);
                    if (it == ix.end()) {
                        par.push_back(1);
                        pmiss.append((char*)&s.pid, 8);
                    } else {
                        par.push_back(2 + zz((int64_t)(k - q.i) - it->second));
                        ps = V[q.i + it->second].s;
                    }
                }
                ds.push_back(zz((int64_t)(s.s - ps)));
                dur.push_back(s.e - s.s);
                sids.push_back(s.sid);
                name.push_back(s.name);
                res.push_back(s.res);
                scope.push_back(s.scope);
                ks.push_back(s.kind * 4 + s.st);
            }
        }
        B sb;
        for (u64 x : sids) {
            sb.append((char*)&x, 8);
        }
        T["span_id"] += sb.size();
        T["trace_id"] += tids.size();
        add("parent", pmiss);
        addu("parent", par);
        addu("trace_len", tlen);
        addts("start", tstart);
        addts("start", ds);
        addts("duration", dur);
        addu("name", name);
        addu("resource", res);
        addu("scope", scope);
        addu("kind_status", ks);
        // op groups
        map<pair<u32, u32>, vector<u32>> og;
        for (u32 i = 0; i < n; i++) {
            og[{R[i]->name, R[i]->scope * 8 + R[i]->kind}].push_back(i);
        }
        // shapes
        {
            map<vector<u32>, u32> sh;
            vector<u32> sv;
            for (auto& o : og) {
                for (u32 i : o.second) {
                    vector<u32> k;
                    for (auto& x : R[i]->a) {
                        k.push_back(x.key);
                    }
                    auto it = sh.emplace(k, sh.size()).first;
                    sv.push_back(it->second);
                }
            }
            addu("attr_shape", sv);
            B d;
            for (auto& x : sh) {
                vi(d, x.first.size());
                for (u32 k : x.first) {
                    vi(d, k);
                }
            }
            add("attr_shape", d);
        }
        map<u32, vector<const KV*>> col;
        for (auto& o : og) {
            for (u32 i : o.second) {
                for (auto& x : R[i]->a) {
                    col[x.key].push_back(&x);
                }
            }
        }
        for (auto& q : col) {
            string nm = "a:" + DV[q.first];
            bool str = q.second[0]->t == 1;
            if (!str) {
                vector<u64> w;
                for (auto* x : q.second) {
                    w.push_back(x->i);
                }
                unordered_map<u64, u32> d;
                vector<u32> id;
                for (u64 x : w) {
                    id.push_back(d.emplace(x, d.size()).first->second);
                }
                if (d.size() < w.size() / 8 || d.size() < 256) {
                    addu(nm, id);
                    B z;
                    vector<u64> o(d.size());
                    for (auto& x : d) {
                        o[x.second] = x.first;
                    }
                    for (u64 x : o) {
                        vi(z, x);
                    }
                    add(nm, z);
                } else {
                    addts(nm, w);
                }
            } else {
                unordered_map<B, u32> d;
                vector<u32> id;
                for (auto* x : q.second) {
                    id.push_back(d.emplace(x->s, d.size()).first->second);
                }
                if (d.size() < q.second.size() * 0.7) {
                    vector<const B*> o(d.size());
                    for (auto& x : d) {
                        o[x.second] = &x.first;
                    }
                    B z;
                    for (auto* x : o) {
                        z += *x;
                        z.push_back(0);
                    }
                    add(nm, z);
                    addu(nm, id);
                } else {
                    B z;
                    for (auto* x : q.second) {
                        z += x->s;
                        z.push_back(0);
                    }
                    add(nm, z);
                }
            }
        }
        B e, l;
        for (auto* r : R) {
            if (!r->ev.empty()) {
                e += r->ev;
            }
            if (!r->lk.empty()) {
                l.push_back(1);
            }
        }
        add("events", e);
        add("links", l);  // links point to the parent in this corpus: 1 flag
        cc += cpu() - a0;
        V.clear();
    };
    for (size_t bi = 0; bi < C.b.size(); bi++) {
        const u8 *p = C.at(bi), *e = p + C.b[bi].len;
        raw += C.b[bi].len;
        while (p < e) {
            read_varint(p);
            u64 n = read_varint(p);
            const u8* re = p + n;
            u32 res = 0;
            while (p < re) {
                u64 t = read_varint(p);
                n = read_varint(p);
                const u8 *q = p, *qe = p + n;
                p = qe;
                if (t == 10) {
                    res = dict(q, n);
                    continue;
                }
                if (t != 18) {
                    continue;
                }
                u32 sc = 0;
                while (q < qe) {
                    t = read_varint(q);
                    n = read_varint(q);
                    const u8 *s = q, *se = q + n;
                    q = se;
                    if (t == 10) {
                        sc = dict(s, n);
                        continue;
                    }
                    if (t != 18) {
                        continue;
                    }
                    Sp x{};
                    x.res = res;
                    x.scope = sc;
                    while (s < se) {
                        t = read_varint(s);
                        switch (t >> 3) {
                            case 1:
                                n = read_varint(s);
                                x.tid.assign((const char*)s, n);
                                s += n;
                                break;
                            case 2:
                                n = read_varint(s);
                                memcpy(&x.sid, s, 8);
                                s += n;
                                break;
                            case 4:
                                n = read_varint(s);
                                if (n) {
                                    memcpy(&x.pid, s, 8);
                                }
                                s += n;
                                break;
                            case 5:
                                n = read_varint(s);
                                x.name = dict(s, n);
                                s += n;
                                break;
                            case 6:
                                x.kind = read_varint(s);
                                break;
                            case 7:
                                memcpy(&x.s, s, 8);
                                s += 8;
                                break;
                            case 8:
                                memcpy(&x.e, s, 8);
                                s += 8;
                                break;
                            case 9:
                                n = read_varint(s);
                                pkv(s, s + n, x.a);
                                s += n;
                                break;
                            case 11:
                                n = read_varint(s);
                                x.ev.append((const char*)s, n);
                                s += n;
                                break;
                            case 13:
                                n = read_varint(s);
                                x.lk = "1";
                                s += n;
                                break;
                            case 15:
                                n = read_varint(s);
                                if (n) {
                                    x.st = s[1];
                                }
                                s += n;
                                break;
                            default:
                                skip_field(s, t & 7);
                        }
                    }
                    V.push_back(move(x));
                    spans++;
                    if (V.size() >= BS) {
                        flush();
                    }
                }
            }
        }
    }
    flush();
    {
        B d;
        for (auto& x : DV) {
            d += x;
            d.push_back(0);
        }
        add("dict", d);
    }
    u64 tot = 0;
    for (auto& x : T) {
        tot += x.second;
    }
    vector<pair<u64, string>> o;
    for (auto& x : T) {
        o.push_back({x.second, x.first});
    }
    sort(o.rbegin(), o.rend());
    printf(
        "block=%zu level=%d spans=%llu trace-fragments=%llu raw=%.1f B/span total=%.2f B/span "
        "ratio=%.1f encode_cpu=%.2fs/Mspan\n",
        BS, lvl, (unsigned long long)spans, (unsigned long long)traces, (double)raw / spans,
        (double)tot / spans, (double)raw / tot, cc / (spans / 1e6));
    for (size_t i = 0; i < o.size() && i < 26; i++) {
        printf("  %-34s %.3f\n", o[i].second.c_str(), (double)o[i].first / spans);
    }
}
