// SPDX-License-Identifier: Apache-2.0

/// Sound queries, each with the canonical text of it: every production and every intrinsic.
enum TraceQLQueries {
    static let sound: [(text: String, canonical: String)] = [
        (#"{ }"#, #"{ }"#),
        (#"{}"#, #"{ }"#),
        (#"{ .a }"#, #"{ .a }"#),
        (#"{ true }"#, #"{ true }"#),
        (#"{ .http.status_code = 200 }"#, #"{ .http.status_code = 200 }"#),
        (
            #"{ span.http.method = "GET" && resource.service.name != `web` }"#,
            #"{ span.http.method = "GET" && resource.service.name != "web" }"#
        ),
        (#"{ .a || .b && .c }"#, #"{ .a || .b && .c }"#),
        (#"{ .a || (.b && .c) }"#, #"{ .a || (.b && .c) }"#),
        (#"{ .a + 1 * 2 ^ 3 ^ 2 > -4 % 3 }"#, #"{ .a + 1 * 2 ^ 3 ^ 2 > -4 % 3 }"#),
        (#"{ -.a ^ 2 = 4 }"#, #"{ -.a ^ 2 = 4 }"#),
        (#"{ -(.a ^ 2) = 4 }"#, #"{ -(.a ^ 2) = 4 }"#),
        (#"{ !.a && .b }"#, #"{ !.a && .b }"#),
        (#"{ !(.a = 1) }"#, #"{ !(.a = 1) }"#),
        (#"{ !.a = true }"#, #"{ !.a = true }"#),
        (#"{ .a-b > 1 }"#, #"{ .a-b > 1 }"#),
        (#"{ .a - .b > 1 }"#, #"{ .a - .b > 1 }"#),
        (#"{ 1 < .a }"#, #"{ 1 < .a }"#),
        (#"{ nil = .a }"#, #"{ nil = .a }"#),
        (#"{ .a != nil }"#, #"{ .a != nil }"#),
        (#"{ span."a b".c = "x\"y\\z\n\t\u00e9\x01" }"#, #"{ span."a b.c" = "x\"y\\z\n\té\x01" }"#),
        (
            #"{ span."name with \"quote\" and \\" = 1 }"#,
            #"{ span."name with \"quote\" and \\" = 1 }"#
        ),
        (
            #"{ parent.a = 1 && parent.span.b = 2 && parent.resource.c = 3 }"#,
            #"{ parent.a = 1 && parent.span.b = 2 && parent.resource.c = 3 }"#
        ),
        (
            #"{ parent.name = "x" && parent."name" = "y" && parent."span.x" = 1 && parent.duration > 1s}"#,
            #"{ parent.name = "x" && parent."name" = "y" && parent."span.x" = 1 && parent.duration > 1s }"#
        ),
        (
            #"{ event.exception.type =~ "java\\..*" && link.kind = "follows" && instrumentation.x = 1 }"#,
            #"{ event.exception.type =~ "java\\..*" && link.kind = "follows" && instrumentation.x = 1 }"#
        ),
        (
            #"{ duration > 1.5s && duration < 1h30m && duration >= 100ms }"#,
            #"{ duration > 1.5s && duration < 1h30m0s && duration >= 100ms }"#
        ),
        (
            #"{ duration > -5us || duration <= 10µs || duration != 1ns || duration = 2m || duration < 1d}"#,
            #"{ duration > -5µs || duration <= 10µs || duration != 1ns || duration = 2m0s || duration < 24h0m0s }"#
        ),
        (
            #"{ status = error || status != ok && status = unset }"#,
            #"{ status = error || status != ok && status = unset }"#
        ),
        (
            #"{ kind = server || kind = client || kind = internal || kind=producer || kind=consumer || kind=unspecified }"#,
            #"{ kind = server || kind = client || kind = internal || kind = producer || kind = consumer || kind = unspecified }"#
        ),
        (
            #"{ name =~ "GET .*" && statusMessage !~ "time.*" }"#,
            #"{ name =~ "GET .*" && statusMessage !~ "time.*" }"#
        ),
        (
            #"{ span:duration > 1s && span:name = "x" && span:kind = server && span:status = ok && span:statusMessage = "a" }"#,
            #"{ duration > 1s && name = "x" && kind = server && status = ok && statusMessage = "a" }"#
        ),
        (
            #"{ span:id = "00f067aa0ba902b7" && span:parentID != nil && span:childCount > 3 }"#,
            #"{ span:id = "00f067aa0ba902b7" && span:parentID != nil && span:childCount > 3 }"#
        ),
        (
            #"{ trace:duration > 1s && trace:rootName = "a" && trace:rootService = "b" && trace:id = "c" }"#,
            #"{ trace:duration > 1s && trace:rootName = "a" && trace:rootService = "b" && trace:id = "c" }"#
        ),
        (
            #"{ traceDuration > 1s && rootName = "a" && rootServiceName = "b" }"#,
            #"{ trace:duration > 1s && trace:rootName = "a" && trace:rootService = "b" }"#
        ),
        (
            #"{ trace:spanCount > 10 && trace:errorCount = 0 && trace:serviceCount >= 2 && trace:depth < 5 }"#,
            #"{ trace:spanCount > 10 && trace:errorCount = 0 && trace:serviceCount >= 2 && trace:depth < 5 }"#
        ),
        (
            #"{ event:name = "x" && event:timeSinceStart > 1ms && link:traceID = "a" && link:spanID = "b" }"#,
            #"{ event:name = "x" && event:timeSinceStart > 1ms && link:traceID = "a" && link:spanID = "b" }"#
        ),
        (
            #"{ instrumentation:name = "lib" && instrumentation:version = "1" }"#,
            #"{ instrumentation:name = "lib" && instrumentation:version = "1" }"#
        ),
        (
            #"{ nestedSetParent < 0 && nestedSetLeft = 1 && nestedSetRight > 2 && parent = nil }"#,
            #"{ nestedSetParent < 0 && nestedSetLeft = 1 && nestedSetRight > 2 && parent = nil }"#
        ),
        (
            #"{ .a = minInt && .b = maxInt && .c = 1e20 && .d = 0.5 && .e = 1E-5 && .f = false }"#,
            #"{ .a = minInt && .b = 9223372036854775807 && .c = 1e+20 && .d = 0.5 && .e = 1e-05 && .f = false }"#
        ),
        (#"{ .a = -9223372036854775807 }"#, #"{ .a = -9223372036854775807 }"#),
        (#"{ .a = -minInt }"#, #"{ .a = -minInt }"#),
        (#"{ .a } && { .b } || { .c }"#, #"{ .a } && { .b } || { .c }"#),
        (#"{ .a } && ({ .b } || { .c })"#, #"{ .a } && ({ .b } || { .c })"#),
        (#"{ .a } >> { .b } > { .c }"#, #"{ .a } >> { .b } > { .c }"#),
        (#"{ .a } >> ({ .b } > { .c })"#, #"{ .a } >> ({ .b } > { .c })"#),
        (#"{.a} > {.b}"#, #"{ .a } > { .b }"#),
        (#"{.a} < {.b}"#, #"{ .a } < { .b }"#),
        (#"{.a} << {.b}"#, #"{ .a } << { .b }"#),
        (#"{.a} ~ {.b}"#, #"{ .a } ~ { .b }"#),
        (#"{.a} !> {.b}"#, #"{ .a } !> { .b }"#),
        (#"{.a} !< {.b}"#, #"{ .a } !< { .b }"#),
        (#"{.a} !>> {.b}"#, #"{ .a } !>> { .b }"#),
        (#"{.a} !<< {.b}"#, #"{ .a } !<< { .b }"#),
        (#"{.a} !~ {.b}"#, #"{ .a } !~ { .b }"#),
        (#"{.a} &> {.b}"#, #"{ .a } &> { .b }"#),
        (#"{.a} &< {.b}"#, #"{ .a } &< { .b }"#),
        (#"{.a} &>> {.b}"#, #"{ .a } &>> { .b }"#),
        (#"{.a} &<< {.b}"#, #"{ .a } &<< { .b }"#),
        (#"{.a} &~ {.b}"#, #"{ .a } &~ { .b }"#),
        (#"{.a} without {.b}"#, #"{ .a } without { .b }"#),
        (#"{.a} without {.b} within 30s"#, #"{ .a } without { .b } within 30s"#),
        (
            #"{.a} && {.c} without {.b} within 1m30s || {.d}"#,
            #"{ .a } && { .c } without { .b } within 1m30s || { .d }"#
        ),
        (
            #"({.a} && {.c}) without ({.b} || {.x}) within 100ms"#,
            #"({ .a } && { .c }) without ({ .b } || { .x }) within 100ms"#
        ),
        (#"{.a} without {.b} within 30s >> {.c}"#, #"{ .a } without { .b } within 30s >> { .c }"#),
        (#"{.a} | count() > 2"#, #"{ .a } | count() > 2"#),
        (
            #"{.a} | count() + 1 > 2 * avg(duration) / 1ms"#,
            #"{ .a } | count() + 1 > 2 * avg(duration) / 1ms"#
        ),
        (#"{.a} | (count() + 1) * 2 >= 3"#, #"{ .a } | (count() + 1) * 2 >= 3"#),
        (#"{.a} | avg(duration) > 1s"#, #"{ .a } | avg(duration) > 1s"#),
        (
            #"{.a} | max(.x) - min(.x) != sum(span.y) ^ 2 % 3"#,
            #"{ .a } | max(.x) - min(.x) != sum(span.y) ^ 2 % 3"#
        ),
        (#"{.a} | -count() < -2"#, #"{ .a } | -count() < -2"#),
        (#"{.a} | 5 > count()"#, #"{ .a } | 5 > count()"#),
        (
            #"{.a} | by(resource.service.name) | count() > 2 | coalesce() | select(.a, duration, resource.b)"#,
            #"{ .a } | by(resource.service.name) | count() > 2 | coalesce() | select(.a, duration, resource.b)"#
        ),
        (#"{.a} | by(.a + 1) | by(name)"#, #"{ .a } | by(.a + 1) | by(name)"#),
        (#"count() > 3"#, #"count() > 3"#),
        (#"by(name) | count() > 3"#, #"by(name) | count() > 3"#),
        (#"{.a} | {.b} | count() > 1"#, #"{ .a } | { .b } | count() > 1"#),
        (#"({.a} | count() > 2) && {.b}"#, #"({ .a } | count() > 2) && { .b }"#),
        (
            #"({.a} | by(.x) | count() > 2 | coalesce()) >> {.b}"#,
            #"({ .a } | by(.x) | count() > 2 | coalesce()) >> { .b }"#
        ),
        (#"({.a} | count() > 1 | select(.b))"#, #"{ .a } | count() > 1 | select(.b)"#),
        (#"{.a} | rate()"#, #"{ .a } | rate()"#),
        (
            #"{.a} | count_over_time() by (name, resource.service.name)"#,
            #"{ .a } | count_over_time() by (name, resource.service.name)"#
        ),
        (#"{.a} | min_over_time(duration)"#, #"{ .a } | min_over_time(duration)"#),
        (#"{.a} | max_over_time(.x) by(kind)"#, #"{ .a } | max_over_time(.x) by (kind)"#),
        (#"{.a} | avg_over_time(span.http.size)"#, #"{ .a } | avg_over_time(span.http.size)"#),
        (#"{.a} | sum_over_time(.x)"#, #"{ .a } | sum_over_time(.x)"#),
        (
            #"{.a} | quantile_over_time(duration, .99, 0.5, 1, 0) by (name)"#,
            #"{ .a } | quantile_over_time(duration, 0.99, 0.5, 1.0, 0.0) by (name)"#
        ),
        (#"{.a} | histogram_over_time(duration)"#, #"{ .a } | histogram_over_time(duration)"#),
        (#"{.a} | compare({status = error})"#, #"{ .a } | compare({ status = error })"#),
        (#"{.a} | compare({status = error}, 10)"#, #"{ .a } | compare({ status = error }, 10)"#),
        (#"{.a} | compare({}, 10, 1000, 2000)"#, #"{ .a } | compare({ }, 10, 1000, 2000)"#),
        (#"{.a} | rate() | topk(10)"#, #"{ .a } | rate() | topk(10)"#),
        (
            #"{.a} | rate() by (name) | bottomk(2) | topk(1)"#,
            #"{ .a } | rate() by (name) | bottomk(2) | topk(1)"#
        ),
        (#"{.a} | rate() > 10"#, #"{ .a } | rate() > 10"#),
        (#"{.a} | rate() | > 10.5 | topk(2)"#, #"{ .a } | rate() > 10.5 | topk(2)"#),
        (#"{.a} | rate() by(name) <= -1 != 5"#, #"{ .a } | rate() by (name) <= -1 != 5"#),
        (#"{.a} | avg_over_time(duration) > 100ms"#, #"{ .a } | avg_over_time(duration) > 100ms"#),
        (#"({.a} | rate()) / ({.b} | rate())"#, #"({ .a } | rate()) / ({ .b } | rate())"#),
        (
            #"({.a} | rate()) + ({.b} | rate()) * ({.c} | rate())"#,
            #"({ .a } | rate()) + ({ .b } | rate()) * ({ .c } | rate())"#
        ),
        (
            #"(({.a} | rate()) + ({.b} | rate())) * 2"#,
            #"(({ .a } | rate()) + ({ .b } | rate())) * 2"#
        ),
        (
            #"100 * ({.a} | rate() by (name)) - ({.b} | rate() by (.x)) | topk(5)"#,
            #"(100 * ({ .a } | rate() by (name)) - ({ .b } | rate() by (.x))) | topk(5)"#
        ),
        (
            #"(({.a} | rate()) - ({.b} | rate())) > 2"#,
            #"(({ .a } | rate()) - ({ .b } | rate())) > 2"#
        ),
        (#"({.a} | rate() > 2) + 1"#, #"({ .a } | rate() > 2) + 1"#),
        (
            #"{.a} | select(.b) | rate() with (exemplars=true)"#,
            #"{ .a } | select(.b) | rate() with (exemplars = true)"#
        ),
        (#"{.a} | count() > 1 | rate()"#, #"{ .a } | count() > 1 | rate()"#),
        (#"{.a} with(most_recent=true)"#, #"{ .a } with (most_recent = true)"#),
        (#"{.a} order by trace:duration"#, #"{ .a } order by trace:duration desc"#),
        (#"{.a} order by trace:start asc"#, #"{ .a } order by trace:start asc"#),
        (
            #"{.a} | count() > 2 order by span:count desc with (most_recent=false, sample=0.1)"#,
            #"{ .a } | count() > 2 order by span:count desc with (most_recent = false, sample = 0.1)"#
        ),
        (
            #"{.a} with (sample=true, span_sample=1, trace_sample=0, exemplars=100) order by trace:spanCount"#,
            #"{ .a } order by span:count desc with (sample = true, span_sample = 1, trace_sample = 0, exemplars = 100)"#
        ),
        (#"{ .a } // a comment"#, #"{ .a }"#),
        (#"{ duration > 100 }"#, #"{ duration > 100 }"#),
        (#"{ .straße = "größe" && .日本 = "語" }"#, #"{ .straße = "größe" && .日本 = "語" }"#),
        (#"{ "a" = .b && "x" =~ "y" }"#, #"{ "a" = .b && "x" =~ "y" }"#),
        (#"({ }) "#, #"{ }"#),
        (#"((({ .a })))"#, #"{ .a }"#),
        (#"{ 1 + 1 = 2 }"#, #"{ 1 + 1 = 2 }"#),
        (
            #"{ duration * 2 > 1s && duration / 1ms > 1.5 }"#,
            #"{ duration * 2 > 1s && duration / 1ms > 1.5 }"#
        ),
        (#"{ .a < "b" && name >= "c" }"#, #"{ .a < "b" && name >= "c" }"#),
    ]
}
