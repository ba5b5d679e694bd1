// SPDX-License-Identifier: Apache-2.0

extension TraceQLMistakes {
    static let inPipelines: [Mistake] = [
        .init(
            text: #"{ .a } { .b }"#,
            position: 7,
            problem: #"an operator was expected, not "{""#,
            hint: #"join two { } by && || > >> < << ~ or without"#
        ),
        .init(
            text: #"{ .a } and { .b }"#,
            position: 7,
            problem: #"an operator was expected, not "and""#,
            hint: #"write && for and"#
        ),
        .init(
            text: #"{ .a } or { .b }"#,
            position: 7,
            problem: #"an operator was expected, not "or""#,
            hint: #"write || for or"#
        ),
        .init(
            text: #"{ .a } not { .b }"#,
            position: 7,
            problem: #"an operator was expected, not "not""#,
            hint: #"write {A} without {B}, or !>> for "not below""#
        ),
        .init(
            text: #"{ .a } !without { .b }"#,
            position: 7,
            problem: #"the end, | or an operator was expected, not "!""#,
            hint: #"go on with | count() > 2, with order by trace:duration, or not at all"#
        ),
        .init(
            text: #"{ .a } within 3s { .b }"#,
            position: 7,
            problem: #"the end, | or an operator was expected, not "within""#,
            hint: #"words that go on are without, order by and with (…)"#
        ),
        .init(
            text: #"{ .a } without { .b } within 30"#,
            position: 29,
            problem: #"a duration was expected, not "30""#,
            hint: #"write within 30s"#
        ),
        .init(
            text: #"{ .a } without { .b } within -3s"#,
            position: 29,
            problem: #"a duration was expected, not "-""#,
            hint: #"write within 30s"#
        ),
        .init(
            text: #"{ .a } without"#,
            position: 14,
            problem: #"{ was expected, not the end"#,
            hint: #"spans are written as { }, { name = "…" }"#
        ),
        .init(
            text: #"{ .a } = { .b }"#,
            position: 7,
            problem: #"this operator is not for spans"#,
            hint: #"join spans by && || > >> < << ~ or without"#
        ),
        .init(
            text: #"{ .a } + { .b }"#,
            position: 7,
            problem: #"+ between spans and spans"#,
            hint: #"+ - * / join ({…} | rate()) with another or with a number"#
        ),
        .init(
            text: #"{ .a } > 2"#,
            position: 7,
            problem: #"spans and a number"#,
            hint: #"count the spans first: {…} | count() > 2"#
        ),
        .init(
            text: #"2 > { .a }"#,
            position: 2,
            problem: #"spans and a number"#,
            hint: #"count the spans first: {…} | count() > 2"#
        ),
        .init(
            text: #"{ .a } | "#,
            position: 9,
            problem: #"{ was expected, not the end"#,
            hint: #"spans are written as { }, { name = "…" }"#
        ),
        .init(
            text: #"{ .a } | count()"#,
            position: 9,
            problem: #"a number alone keeps no traces and leaves none out"#,
            hint: #"compare it, like count() > 2"#
        ),
        .init(
            text: #"{ .a } | count"#,
            position: 14,
            problem: #"( was expected, not the end"#,
            hint: #"write count()"#
        ),
        .init(
            text: #"{ .a } | count() > "#,
            position: 19,
            problem: #"a number or { was expected, not the end"#,
            hint: #"spans are written as { }, { name = "…" }"#
        ),
        .init(
            text: #"{ .a } | count(.a) > 2"#,
            position: 15,
            problem: #") was expected, not ".a""#,
            hint: #"count() takes nothing; for some spans write {…} | count()"#
        ),
        .init(
            text: #"{ .a } | avg() > 2"#,
            position: 13,
            problem: #"a value or a condition was expected, not ")""#,
            hint:
                #"write an attribute like .key, an intrinsic like duration, or a value like "text""#
        ),
        .init(
            text: #"{ .a } | avg(name) > 2"#,
            position: 13,
            problem: #"avg of text"#,
            hint: #"only numbers and durations have one, like avg(duration)"#
        ),
        .init(
            text: #"{ .a } | avg(1) > 2"#,
            position: 13,
            problem: #"this is the same for every span"#,
            hint: #"take an attribute or an intrinsic, like avg(duration)"#
        ),
        .init(
            text: #"{ .a } | 1 > 2"#,
            position: 11,
            problem: #"neither side looks at spans"#,
            hint: #"write count() > 2, or compare inside { }"#
        ),
        .init(
            text: #"{ .a } | count() > "x""#,
            position: 19,
            problem: #"a number or { was expected, not ""x"""#,
            hint: #"spans are written as { }, { name = "…" }"#
        ),
        .init(
            text: #"{ .a } | count() > 2 && count() < 5"#,
            position: 21,
            problem: #"comparisons are not joined"#,
            hint: #"write one after the other: … | … | …"#
        ),
        .init(
            text: #"{ .a } | by()"#,
            position: 12,
            problem: #"a value or a condition was expected, not ")""#,
            hint:
                #"write an attribute like .key, an intrinsic like duration, or a value like "text""#
        ),
        .init(
            text: #"{ .a } | by(1)"#,
            position: 12,
            problem: #"this is the same for every span"#,
            hint: #"group by an attribute or an intrinsic, like by(resource.service.name)"#
        ),
        .init(
            text: #"{ .a } | by(.a, .b)"#,
            position: 14,
            problem: #") was expected, not ",""#,
            hint: #"by(…) takes one expression; for several write by(.a) | by(.b)"#
        ),
        .init(
            text: #"{ .a } | coalesce"#,
            position: 17,
            problem: #"( was expected, not the end"#,
            hint: #"write coalesce()"#
        ),
        .init(
            text: #"{ .a } | coalesce(.a)"#,
            position: 18,
            problem: #") was expected, not ".a""#,
            hint: #"coalesce() takes nothing"#
        ),
        .init(
            text: #"{ .a } | select()"#,
            position: 16,
            problem: #"an attribute or an intrinsic was expected, not ")""#,
            hint: #"write one like .key, resource.service.name or duration"#
        ),
        .init(
            text: #"{ .a } | select(1)"#,
            position: 16,
            problem: #"an attribute or an intrinsic was expected, not "1""#,
            hint: #"write one like .key, resource.service.name or duration"#
        ),
        .init(
            text: #"{ .a } | select(foo)"#,
            position: 16,
            problem: #"a value or a condition was expected, not "foo""#,
            hint: #"write .foo for the attribute, "foo" for the text"#
        ),
        .init(
            text: #"{ .a } | topk(10)"#,
            position: 9,
            problem: #"topk is for series"#,
            hint: #"write {…} | rate() by (name) | topk(10)"#
        ),
        .init(
            text: #"{ .a } | foo()"#,
            position: 9,
            problem: #"{ was expected, not "foo""#,
            hint: #""foo" begins nothing; write spans as { name = "…" }"#
        ),
        .init(
            text: #"({ .a } | by(.x)) && { .b }"#,
            position: 0,
            problem: #"one side is several spansets, one for each value of by(…)"#,
            hint: #"end that side with | coalesce()"#
        ),
        .init(
            text: #"{ .b } >> ({ .a } | by(.x) | count() > 2)"#,
            position: 7,
            problem: #"one side is several spansets, one for each value of by(…)"#,
            hint: #"end that side with | coalesce()"#
        ),
        .init(
            text: #"rate()"#,
            position: 0,
            problem: #"there are no spans to measure"#,
            hint: #"write {…} | rate(…)"#
        ),
        .init(
            text: #"{ .a } | rate"#,
            position: 13,
            problem: #"( was expected, not the end"#,
            hint: #"write rate(…)"#
        ),
        .init(
            text: #"{ .a } | rate(.x)"#,
            position: 14,
            problem: #") was expected, not ".x""#,
            hint: #"close rate( with )"#
        ),
        .init(
            text: #"{ .a } | rate() by name"#,
            position: 19,
            problem: #"( was expected, not "name""#,
            hint: #"write by (resource.service.name)"#
        ),
        .init(
            text: #"{ .a } | rate() by (1)"#,
            position: 20,
            problem: #"an attribute or an intrinsic was expected, not "1""#,
            hint: #"write one like .key, resource.service.name or duration"#
        ),
        .init(
            text: #"{ .a } | rate() | count() > 2"#,
            position: 18,
            problem: #"topk, bottomk or a comparison was expected, not "count""#,
            hint: #"after a function of metrics come | topk(10), | bottomk(10) or > 10"#
        ),
        .init(
            text: #"{ .a } | rate() + 1"#,
            position: 16,
            problem: #"the end was expected, not "+""#,
            hint: #"put each side in parentheses: ({…} | rate()) / ({…} | rate())"#
        ),
        .init(
            text: #"{ .a } | rate() / { .b } | rate()"#,
            position: 16,
            problem: #"the end was expected, not "/""#,
            hint: #"put each side in parentheses: ({…} | rate()) / ({…} | rate())"#
        ),
        .init(
            text: #"{ .a } | rate() | topk()"#,
            position: 23,
            problem: #"a whole number above 0 was expected, not ")""#,
            hint: #"write how many series to tell, like topk(10)"#
        ),
        .init(
            text: #"{ .a } | rate() | topk(0)"#,
            position: 23,
            problem: #"a whole number above 0 was expected, not "0""#,
            hint: #"write how many series to tell, like topk(10)"#
        ),
        .init(
            text: #"{ .a } | rate() | topk(1.5)"#,
            position: 23,
            problem: #"a whole number above 0 was expected, not "1.5""#,
            hint: #"write how many series to tell, like topk(10)"#
        ),
        .init(
            text: #"{ .a } | rate() > "x""#,
            position: 18,
            problem: #"a number was expected, not ""x"""#,
            hint: #"compare series with a number or a duration, like > 10"#
        ),
        .init(
            text: #"{ .a } | sum_over_time(name)"#,
            position: 23,
            problem: #"sum_over_time of text"#,
            hint: #"take a number or a duration, like sum_over_time(duration)"#
        ),
        .init(
            text: #"{ .a } | sum_over_time()"#,
            position: 23,
            problem: #"an attribute or an intrinsic was expected, not ")""#,
            hint: #"write one like .key, resource.service.name or duration"#
        ),
        .init(
            text: #"{ .a } | quantile_over_time(duration)"#,
            position: 36,
            problem: #", was expected, not ")""#,
            hint: #"write the quantiles: quantile_over_time(duration, .99, 0.5)"#
        ),
        .init(
            text: #"{ .a } | quantile_over_time(duration, 2)"#,
            position: 38,
            problem: #"a number from 0 to 1 was expected, not "2""#,
            hint: #"for the slowest hundredth write 0.99"#
        ),
        .init(
            text: #"{ .a } | quantile_over_time(duration, .foo)"#,
            position: 38,
            problem: #"a number from 0 to 1 was expected, not ".foo""#,
            hint: #"for the slowest hundredth write 0.99"#
        ),
        .init(
            text: #"{ .a } | compare()"#,
            position: 17,
            problem: #"{ was expected, not ")""#,
            hint: #"write what to compare with the rest: compare({status = error})"#
        ),
        .init(
            text: #"{ .a } | compare({.b}, 0)"#,
            position: 23,
            problem: #"a whole number above 0 was expected, not "0""#,
            hint: #"write how many values to tell, like 10"#
        ),
        .init(
            text: #"{ .a } | compare({.b}, 1, 5)"#,
            position: 27,
            problem: #", was expected, not ")""#,
            hint: #"a start needs an end: compare({…}, 10, start, end)"#
        ),
        .init(
            text: #"{ .a } | compare({.b}, 1, 5, 5)"#,
            position: 29,
            problem: #"the end is not after the start"#,
            hint: #"write the earlier one first"#
        ),
        .init(
            text: #"{ .a } | compare({.b}) by (name)"#,
            position: 9,
            problem: #"compare has no by (…)"#,
            hint: #"leave it out"#
        ),
        .init(
            text: #"({ .a } | rate()) % 2"#,
            position: 18,
            problem: #"% between series and a number"#,
            hint: #"+ - * / join ({…} | rate()) with another or with a number"#
        ),
        .init(
            text: #"({ .a } | rate()) + { .b }"#,
            position: 18,
            problem: #"+ between series and spans"#,
            hint: #"+ - * / join ({…} | rate()) with another or with a number"#
        ),
        .init(
            text: #"{ .a } | ({ .b } | rate())"#,
            position: 9,
            problem: #"series are not made of spans found before"#,
            hint: #"begin with them: ({…} | rate()) / ({…} | rate())"#
        ),
        .init(
            text: #"{ .a } | rate() order by trace:duration"#,
            position: 16,
            problem: #"series have no order"#,
            hint: #"order by is for traces; for series write | topk(10)"#
        ),
        .init(
            text: #"{ .a } order trace:duration"#,
            position: 13,
            problem: #"by was expected, not "trace:duration""#,
            hint: #"write order by trace:duration"#
        ),
        .init(
            text: #"{ .a } order by duration"#,
            position: 16,
            problem: #"what to order by was expected, not "duration""#,
            hint: #"write one of trace:duration, trace:start, span:count"#
        ),
        .init(
            text: #"{ .a } order by trace:duration order by trace:start"#,
            position: 31,
            problem: #"ordered twice"#,
            hint: #"leave one order by out"#
        ),
        .init(
            text: #"{ .a } order by trace:duration sideways"#,
            position: 31,
            problem: #"the end, | or an operator was expected, not "sideways""#,
            hint: #"words that go on are without, order by and with (…)"#
        ),
        .init(
            text: #"{ .a } with (foo=1)"#,
            position: 13,
            problem: #"the name of a hint was expected, not "foo""#,
            hint: #"write one of most_recent, sample, span_sample, trace_sample, exemplars"#
        ),
        .init(
            text: #"{ .a } with ()"#,
            position: 13,
            problem: #"the name of a hint was expected, not ")""#,
            hint: #"write one of most_recent, sample, span_sample, trace_sample, exemplars"#
        ),
        .init(
            text: #"{ .a } with (most_recent=1)"#,
            position: 25,
            problem: #"a value of most_recent was expected, not "1""#,
            hint: #"write true or false"#
        ),
        .init(
            text: #"{ .a } with (sample=2)"#,
            position: 20,
            problem: #"a value of sample was expected, not "2""#,
            hint: #"write true, false or a part from 0 to 1"#
        ),
        .init(
            text: #"{ .a } with (exemplars=-1)"#,
            position: 23,
            problem: #"a value of exemplars was expected, not "-""#,
            hint: #"write true, false or how many"#
        ),
        .init(
            text: #"{ .a } with (sample=true, sample=false)"#,
            position: 26,
            problem: #"another hint was expected, not "sample""#,
            hint: #"sample is given already; leave one out"#
        ),
        .init(
            text: #"{ .a } with (sample=true) with (exemplars=true)"#,
            position: 26,
            problem: #"with (…) stands twice"#,
            hint: #"write one: with (a = 1, b = 2)"#
        ),
        .init(
            text: #"{ .a } limit 10"#,
            position: 7,
            problem: #"the end was expected, not "limit""#,
            hint: #"how many traces to tell is a parameter beside the query"#
        ),
        .init(
            text: #".a = 1"#,
            position: 0,
            problem: #"{ was expected, not ".a""#,
            hint: #"conditions on a span stand in { }: { .a … }"#
        ),
        .init(
            text: #"name = "x""#,
            position: 0,
            problem: #"{ was expected, not "name""#,
            hint: #"conditions on a span stand in { }: { name … }"#
        ),
        .init(
            text: #"!{ .a }"#,
            position: 0,
            problem: #"{ was expected, not "!""#,
            hint: #"traces that have A and no B are {A} without {B}"#
        ),
        .init(
            text: #"not { .a }"#,
            position: 0,
            problem: #"{ was expected, not "not""#,
            hint: #"traces that have A and no B are {A} without {B}"#
        ),
        .init(
            text: #"{ { .a } }"#,
            position: 2,
            problem: #"a condition was expected, not "{""#,
            hint: #"{ } do not nest; close the first one and write &&"#
        ),
        .init(
            text: #"{ .a >> .b }"#,
            position: 5,
            problem: #"an operator was expected, not ">>""#,
            hint: #"spans are related outside of { }: {A} >> {B}"#
        ),
        .init(
            text: #"{ .a ~ "x" }"#,
            position: 5,
            problem: #"an operator was expected, not "~""#,
            hint: #"spans are related outside of { }: {A} >> {B}"#
        ),
        .init(
            text: #"{ count() > 2 }"#,
            position: 2,
            problem: #"a condition was expected, not "count""#,
            hint: #"numbers over spans come after: {…} | count() > 2"#
        ),
        .init(
            text: #"SELECT * FROM spans"#,
            position: 0,
            problem: #"{ was expected, not "SELECT""#,
            hint: #""SELECT" begins nothing; write spans as { name = "…" }"#
        ),
        .init(
            text: #"hello"#,
            position: 0,
            problem: #"{ was expected, not "hello""#,
            hint: #""hello" begins nothing; write spans as { name = "…" }"#
        ),
        .init(
            text: #"{ .a = $x }"#,
            position: 7,
            problem: #""$" begins nothing here"#,
            hint: #"values other than numbers stand in "…", conditions in { }"#
        ),
        .init(
            text: #"{ ((((((((((((((((((((((((((((((((((.a)))))))))))))))))))))))))))))))))) }"#,
            position: 33,
            problem: #"nested more than 32 levels deep"#,
            hint: #"leave out parentheses that are not needed"#
        ),
        .init(
            text: #"{ !.a = 1 }"#,
            position: 8,
            problem: #"true or false never equals a whole number"#,
            hint: #"compare values of one type"#
        ),
        .init(
            text: #"{ .a = 1 } | { .b } && "#,
            position: 23,
            problem: #"{ was expected, not the end"#,
            hint: #"spans are written as { }, { name = "…" }"#
        ),
        .init(
            text: #"- { .a }"#,
            position: 0,
            problem: #"minus spans"#,
            hint: #"only numbers and durations have a minus"#
        ),
        .init(
            text: #"5"#,
            position: 0,
            problem: #"a number alone keeps no traces and leaves none out"#,
            hint: #"compare it, like 5 > 2"#
        ),
        .init(
            text: #"{ parent. = 1 }"#,
            position: 9,
            problem: #"a key is missing"#,
            hint: #"write parent.key, or parent."a key with spaces""#
        ),
        .init(
            text: #"{ .a = 1h1 }"#,
            position: 10,
            problem: #"a unit is missing"#,
            hint: #"write a number and a unit of ns us ms s m h d, like 1.5s or 1h30m"#
        ),
        .init(
            text: #"{ .a = 300y }"#,
            position: 10,
            problem: #""y" is no unit"#,
            hint: #"write a number and a unit of ns us ms s m h d, like 1.5s or 1h30m"#
        ),
        .init(
            text: #"{ .a = 106752d }"#,
            position: 7,
            problem: #"the duration does not fit 63 bits"#,
            hint: #"at most 292 years"#
        ),
    ]
}
