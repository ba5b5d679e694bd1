// SPDX-License-Identifier: Apache-2.0
// A seedable source of random numbers and of the distributions that the reference load needs.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>
using namespace std;
typedef uint64_t u64;
typedef uint32_t u32;
static u64 state[4];

static inline u64 rotate_left(u64 x, int k) {
    return (x << k) | (x >> (64 - k));
}

static u64 random_bits() {
    u64 r = rotate_left(state[1] * 5, 7) * 9, t = state[1] << 17;
    state[2] ^= state[0];
    state[3] ^= state[1];
    state[1] ^= state[2];
    state[0] ^= state[3];
    state[2] ^= t;
    state[3] = rotate_left(state[3], 45);
    return r;
}

static void seed(u64 x) {
    for (int i = 0; i < 4; i++) {
        x += 0x9e3779b97f4a7c15ULL;
        u64 z = x;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
        state[i] = z ^ (z >> 31);
    }
}

static double uniform() {
    return (random_bits() >> 11) * (1.0 / 9007199254740992.0);
}

static u32 below(u32 n) {
    return (u32)(uniform() * n);
}

static double gaussian() {
    double a = uniform() + 1e-18, b = uniform();
    return sqrt(-2 * log(a)) * cos(6.283185307179586 * b);
}

static inline double lognormal(double median, double sigma) {
    return median * exp(sigma * gaussian());
}

struct Zipf {
    vector<double> c;

    void init(int n, double s) {
        c.resize(n);
        double t = 0;
        for (int i = 0; i < n; i++) {
            t += 1 / pow(i + 1, s);
            c[i] = t;
        }
        for (auto& x : c) {
            x /= t;
        }
    }

    int get() {
        double u = uniform();
        return lower_bound(c.begin(), c.end(), u) - c.begin();
    }
};
