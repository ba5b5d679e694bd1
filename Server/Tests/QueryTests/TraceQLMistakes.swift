// SPDX-License-Identifier: Apache-2.0

/// Queries that people write and that are none: where each stops being one, what is said of it and
/// what is advised.
enum TraceQLMistakes {
    struct Mistake: Sendable {
        var text: String
        var position: Int
        var problem: String
        var hint: String
    }

    static let all = inFields + inPipelines

    private static let inFields: [Mistake] = [
        .init(
            text: #""#,
            position: 0,
            problem: #"the query is empty"#,
            hint: #"write { } for every trace"#
        ),
        .init(
            text: #"{"#,
            position: 1,
            problem: #"a value or a condition was expected, not the end"#,
            hint:
                #"write an attribute like .key, an intrinsic like duration, or a value like "text""#
        ),
        .init(
            text: #"}"#,
            position: 0,
            problem: #"{ was expected, not "}""#,
            hint: #"there is one } too many"#
        ),
        .init(
            text: #"{ .a"#,
            position: 4,
            problem: #"} was expected, not the end"#,
            hint: #"close what { or ( opened"#
        ),
        .init(
            text: #"{ .a } }"#,
            position: 7,
            problem: #"the end was expected, not "}""#,
            hint: #"there is one } too many"#
        ),
        .init(
            text: #"{ .a ) }"#,
            position: 5,
            problem: #"an operator was expected, not ")""#,
            hint: #"join conditions by && or ||, compare by = != < > =~"#
        ),
        .init(
            text: #"{ (.a }"#,
            position: 6,
            problem: #"an operator was expected, not "}""#,
            hint: #"join conditions by && or ||, compare by = != < > =~"#
        ),
        .init(
            text: #"{ status = "error" }"#,
            position: 11,
            problem: #"a status never equals text"#,
            hint: #"write status = error, without quotes"#
        ),
        .init(
            text: #"{ status = "bad" }"#,
            position: 11,
            problem: #"a status never equals text"#,
            hint: #"write one of unset, ok, error, without quotes"#
        ),
        .init(
            text: #"{ kind = "server" }"#,
            position: 9,
            problem: #"a kind never equals text"#,
            hint: #"write kind = server, without quotes"#
        ),
        .init(
            text: #"{ kind = "SERVER" }"#,
            position: 9,
            problem: #"a kind never equals text"#,
            hint:
                #"write one of unspecified, internal, server, client, producer, consumer, without quotes"#
        ),
        .init(
            text: #"{ duration > "100ms" }"#,
            position: 13,
            problem: #"a duration never equals text"#,
            hint: #"write duration > 100ms, without quotes"#
        ),
        .init(
            text: #"{ duration > "long" }"#,
            position: 13,
            problem: #"a duration never equals text"#,
            hint: #"write a duration like 250ms, without quotes"#
        ),
        .init(
            text: #"{ name = 5 }"#,
            position: 9,
            problem: #"text never equals a whole number"#,
            hint: #"write the text in quotes: name = "5""#
        ),
        .init(
            text: #"{ name = GET }"#,
            position: 9,
            problem: #"a value or a condition was expected, not "GET""#,
            hint: #"write .GET for the attribute, "GET" for the text"#
        ),
        .init(
            text: #"{ foo = 1 }"#,
            position: 2,
            problem: #"a value or a condition was expected, not "foo""#,
            hint: #"write .foo for the attribute, "foo" for the text"#
        ),
        .init(
            text: #"{ foo.bar = 1 }"#,
            position: 2,
            problem: #""foo.bar" does not say where the key stands"#,
            hint: #"write .foo.bar, span.foo.bar or resource.foo.bar"#
        ),
        .init(
            text: #"{ http.status_code == 200 }"#,
            position: 2,
            problem: #""http.status_code" does not say where the key stands"#,
            hint: #"write .http.status_code, span.http.status_code or resource.http.status_code"#
        ),
        .init(
            text: #"{ .a == 1 }"#,
            position: 6,
            problem: #"a value was expected, not "=""#,
            hint: #"write one = to compare, like .key = "value""#
        ),
        .init(
            text: #"{ .a = 'x' }"#,
            position: 7,
            problem: #"text does not stand in single quotes"#,
            hint: #"write "…""#
        ),
        .init(
            text: #"{ .a = “x” }"#,
            position: 7,
            problem: #"a typographic quote"#,
            hint: #"write "…" with straight quotes"#
        ),
        .init(
            text: #"{ .a = "x }"#,
            position: 7,
            problem: #"the quote is not closed"#,
            hint: #"end the text with ""#
        ),
        .init(
            text: #"{ .a = `x }"#,
            position: 7,
            problem: #"the quote is not closed"#,
            hint: #"end the text with `"#
        ),
        .init(
            text: #"{ .a = "\q" }"#,
            position: 8,
            problem: #"this is no escape"#,
            hint: #"write \\ for a backslash (in a pattern \\. for a dot), or use `…`"#
        ),
        .init(
            text: #"{ .a =~ "a\.b" }"#,
            position: 10,
            problem: #"this is no escape"#,
            hint: #"write \\ for a backslash (in a pattern \\. for a dot), or use `…`"#
        ),
        .init(
            text: #"{ .a and .b }"#,
            position: 5,
            problem: #"an operator was expected, not "and""#,
            hint: #"write && for and"#
        ),
        .init(
            text: #"{ .a or .b }"#,
            position: 5,
            problem: #"an operator was expected, not "or""#,
            hint: #"write || for or"#
        ),
        .init(
            text: #"{ not .a }"#,
            position: 2,
            problem: #"a condition was expected, not "not""#,
            hint: #"write !(…)"#
        ),
        .init(
            text: #"{ .a & .b }"#,
            position: 5,
            problem: #"a single &"#,
            hint: #"write && for and"#
        ),
        .init(
            text: #"{ .a | .b }"#,
            position: 5,
            problem: #"an operator was expected, not "|""#,
            hint: #"write || for or, or close the { first"#
        ),
        .init(
            text: #"{ .a, .b }"#,
            position: 4,
            problem: #"an operator was expected, not ",""#,
            hint: #"write && between conditions"#
        ),
        .init(
            text: #"{ .a in ["x"] }"#,
            position: 5,
            problem: #"an operator was expected, not "in""#,
            hint: #"write =~ "a|b" or .key = "a" || .key = "b""#
        ),
        .init(
            text: #"{ .a in ("x") }"#,
            position: 5,
            problem: #"an operator was expected, not "in""#,
            hint: #"write =~ "a|b" or .key = "a" || .key = "b""#
        ),
        .init(
            text: #"{ .a like "x" }"#,
            position: 5,
            problem: #"an operator was expected, not "like""#,
            hint: #"write =~ ".*text.*""#
        ),
        .init(
            text: #"{ .a = null }"#,
            position: 7,
            problem: #"a value was expected, not "null""#,
            hint: #"write nil"#
        ),
        .init(
            text: #"{ .a = NULL }"#,
            position: 7,
            problem: #"a value was expected, not "NULL""#,
            hint: #"write nil"#
        ),
        .init(
            text: #"{ .a = True }"#,
            position: 7,
            problem: #"a value was expected, not "True""#,
            hint: #"write true, in lower case"#
        ),
        .init(
            text: #"{ .a = ERROR }"#,
            position: 7,
            problem: #"a value was expected, not "ERROR""#,
            hint: #"write error, in lower case"#
        ),
        .init(
            text: #"{ Duration > 1s }"#,
            position: 2,
            problem: #"an intrinsic was expected, not "Duration""#,
            hint: #"write duration"#
        ),
        .init(
            text: #"{ service = "x" }"#,
            position: 2,
            problem: #"an attribute was expected, not "service""#,
            hint: #"write resource.service.name"#
        ),
        .init(
            text: #"{ duration }"#,
            position: 2,
            problem: #"a duration is no condition"#,
            hint: #"compare it, like { duration > 100ms }"#
        ),
        .init(
            text: #"{ name }"#,
            position: 2,
            problem: #"text is no condition"#,
            hint: #"compare it, like { name = "…" }"#
        ),
        .init(
            text: #"{ 5 }"#,
            position: 2,
            problem: #"a whole number is no condition"#,
            hint: #"compare it, like { 5 > 0 }"#
        ),
        .init(
            text: #"{ "x" }"#,
            position: 2,
            problem: #"text is no condition"#,
            hint: #"compare it, like { "x" = "…" }"#
        ),
        .init(
            text: #"{ .a && 5 }"#,
            position: 8,
            problem: #"&& joins conditions, and this is a whole number"#,
            hint: #"compare it first, like 5 = …"#
        ),
        .init(
            text: #"{ .a && name }"#,
            position: 8,
            problem: #"&& joins conditions, and this is text"#,
            hint: #"compare it first, like name = …"#
        ),
        .init(
            text: #"{ .a = 1 = 2 }"#,
            position: 11,
            problem: #"true or false never equals a whole number"#,
            hint: #"compare values of one type"#
        ),
        .init(
            text: #"{ .a =~ 5 }"#,
            position: 8,
            problem: #"a pattern is text in quotes"#,
            hint: #"write =~ "GET .*""#
        ),
        .init(
            text: #"{ status =~ "e.*" }"#,
            position: 2,
            problem: #"a pattern is for text, and this is a status"#,
            hint: #"compare it by = or !="#
        ),
        .init(
            text: #"{ .a =~ .b }"#,
            position: 8,
            problem: #"a pattern is text in quotes"#,
            hint: #"write =~ "GET .*""#
        ),
        .init(
            text: #"{ status > ok }"#,
            position: 2,
            problem: #"a status is neither more nor less"#,
            hint: #"compare it by = or !="#
        ),
        .init(
            text: #"{ .a > nil }"#,
            position: 7,
            problem: #"nil is neither more nor less"#,
            hint: #"compare it by = or !="#
        ),
        .init(
            text: #"{ true > false }"#,
            position: 2,
            problem: #"true or false is neither more nor less"#,
            hint: #"compare it by = or !="#
        ),
        .init(
            text: #"{ name + 1 > 2 }"#,
            position: 2,
            problem: #"+ counts, and this is text"#,
            hint: #"only numbers and durations can be counted with"#
        ),
        .init(
            text: #"{ -name = 1 }"#,
            position: 2,
            problem: #"minus text"#,
            hint: #"only numbers and durations have a minus"#
        ),
        .init(
            text: #"{ !name }"#,
            position: 2,
            problem: #"! of text"#,
            hint: #"put the comparison in parentheses: !(…)"#
        ),
        .init(
            text: #"{ .a = 99999999999999999999 }"#,
            position: 7,
            problem: #"the number does not fit 64 bits"#,
            hint: #"write maxInt, or a float like 1e20"#
        ),
        .init(
            text: #"{ .a > 5x }"#,
            position: 8,
            problem: #""x" is no unit"#,
            hint: #"write a number and a unit of ns us ms s m h d, like 1.5s or 1h30m"#
        ),
        .init(
            text: #"{ .a > 10 ms }"#,
            position: 10,
            problem: #"an operator was expected, not "ms""#,
            hint: #"join conditions by && or ||; text stands in "…""#
        ),
        .init(
            text: #"{ .a > 1.2.3 }"#,
            position: 7,
            problem: #""1.2.3" is no number"#,
            hint: #"write digits like 12, 0.5 or 1e9"#
        ),
        .init(
            text: #"{ . }"#,
            position: 3,
            problem: #"a key is missing"#,
            hint: #"write .key, or ."a key with spaces""#
        ),
        .init(
            text: #"{ span. = 1 }"#,
            position: 7,
            problem: #"a key is missing"#,
            hint: #"write span.key, or span."a key with spaces""#
        ),
        .init(
            text: #"{ span."a = 1 }"#,
            position: 7,
            problem: #"the quote is not closed"#,
            hint: #"end the key with ""#
        ),
        .init(
            text: #"{ span:foo = 1 }"#,
            position: 2,
            problem: #"span:foo is no intrinsic"#,
            hint:
                #"write span.foo for the attribute, or one of span:childCount, span:duration, span:id, span:kind, span:name, span:parentID, span:status, span:statusMessage"#
        ),
        .init(
            text: #"{ trace:foo = 1 }"#,
            position: 2,
            problem: #"trace:foo is no intrinsic"#,
            hint:
                #"write one of trace:depth, trace:duration, trace:errorCount, trace:id, trace:rootName, trace:rootService, trace:serviceCount, trace:spanCount"#
        ),
        .init(
            text: #"{ trace.duration > 1s }"#,
            position: 2,
            problem: #"a trace has no attributes"#,
            hint: #"write trace:duration"#
        ),
        .init(
            text: #"{ resource:service.name = "x" }"#,
            position: 2,
            problem: #"resource:service.name is no intrinsic"#,
            hint: #"write resource.service.name for the attribute"#
        ),
        .init(
            text: #"{ event:foo = 1 }"#,
            position: 2,
            problem: #"event:foo is no intrinsic"#,
            hint: #"write event.foo for the attribute, or one of event:name, event:timeSinceStart"#
        ),
        .init(
            text: #"{ foo:bar = 1 }"#,
            position: 2,
            problem: #"foo:bar is no intrinsic"#,
            hint:
                #"write one of event:name, event:timeSinceStart, instrumentation:name, instrumentation:version, link:spanID, link:traceID, span:childCount, span:duration, span:id, span:kind, span:name, span:parentID, span:status, span:statusMessage, trace:depth, trace:duration, trace:errorCount, trace:id, trace:rootName, trace:rootService, trace:serviceCount, trace:spanCount"#
        ),
    ]
}
