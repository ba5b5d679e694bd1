// SPDX-License-Identifier: Apache-2.0
#include "CPatterns.h"

#include <re2/re2.h>

#include <cstdio>
#include <new>

struct skein_pattern {
    skein_pattern(re2::StringPiece text, const re2::RE2::Options &options)
        : expression(text, options) {}
    re2::RE2 expression;
};

skein_pattern *skein_pattern_make(const char *bytes, size_t count, long long memory, char *problem,
                                  size_t problem_room, ptrdiff_t *place) {
    re2::RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(memory);
    // Nobody asks what a group matched.
    options.set_never_capture(true);
    // Stack traces have many lines: `.*Timeout.*` has to find one that names it anywhere.
    options.set_dot_nl(true);
    re2::StringPiece text(bytes, count);
    skein_pattern *made = new (std::nothrow) skein_pattern(text, options);
    *place = -1;
    if (made == nullptr) {
        std::snprintf(problem, problem_room, "out of memory");
        return nullptr;
    }
    if (made->expression.ok()) return made;
    std::snprintf(problem, problem_room, "%s", made->expression.error().c_str());
    const std::string &wrong = made->expression.error_arg();
    if (!wrong.empty()) {
        size_t found = made->expression.pattern().find(wrong);
        if (found != std::string::npos) *place = static_cast<ptrdiff_t>(found);
    }
    delete made;
    return nullptr;
}

bool skein_pattern_matches(const skein_pattern *pattern, const char *bytes, size_t count) {
    return pattern->expression.Match(re2::StringPiece(bytes, count), 0, count,
                                     re2::RE2::ANCHOR_BOTH, nullptr, 0);
}

void skein_pattern_free(skein_pattern *pattern) { delete pattern; }
