// SPDX-License-Identifier: Apache-2.0

import API
import Foundation
import HTTPTypes
import SkeinModel
import Store
import Testing

@Suite struct APIJaegerTests {
    private let api = TestAPI()

    @Test(arguments: [
        ("/api/services", #"["Cart","web"],"total":2"#),
        ("/api/services/a%2Fb/operations", #"["GET /"],"total":1"#),
        (
            "/api/operations?service=web",
            #"[{"name":"GET /","spanKind":"client"},{"name":"GET /","spanKind":"server"}],"total":2"#
        ),
        (
            "/api/operations?service=web&spanKind=server",
            #"[{"name":"GET /","spanKind":"server"}],"total":1"#
        ),
        ("/api/traces?traceID=abcd", #"[],"total":0"#),
    ])
    func `names come in the envelope`(path: String, data: String) async throws {
        let answer = try await api.ask(path)
        #expect(answer.text.hasPrefix(#"{"data":"# + data + #","limit":0,"offset":0,"errors":"#))
        #expect(answer.status == 200)
    }

    @Test func `a search that is not whole says so in a header`() async throws {
        let answer = try await api.ask("/api/traces?service=web")
        #expect(answer.status == 200)
        let name = try #require(HTTPField.Name("Skein-Incomplete"))
        #expect(answer.headers[name] == "one part is damaged")
    }

    @Test func `a missing trace is told beside those that are there`() async throws {
        let answer = try await api.ask("/api/traces?traceID=abcd&traceID=abc")
        #expect(answer.text.contains(#""traceID":"0000000000000abc""#))
        #expect(
            answer.text.hasSuffix(
                #""errors":[{"code":404,"msg":"trace not found","traceID":"abcd"}]}"#
            )
        )
    }

    @Test func `a span has the shape Jaeger's readers know`() async throws {
        let answer = try await api.ask("/api/traces/abc")
        let span =
            #"{"traceID":"0000000000000abc","spanID":"0000000000000007","#
            + #""operationName":"POST /<b>","references":[{"refType":"FOLLOWS_FROM","#
            + #""traceID":"00000000000000010000000000000002","spanID":"0000000000000003"}],"#
            + #""startTime":5000,"duration":4000,"tags":["#
            + #"{"key":"otel.scope.name","type":"string","value":"lib"},"#
            + #"{"key":"otel.scope.version","type":"string","value":"1.0"},"#
            + #"{"key":"a.list","type":"string","value":"[1,true]"},"#
            + #"{"key":"m.nan","type":"float64","value":"NaN"},"#
            + #"{"key":"m.raw","type":"binary","value":"/wA="},"#
            + #"{"key":"z.big","type":"int64","value":"1152921504606846976"},"#
            + #"{"key":"span.kind","type":"string","value":"client"},"#
            + #"{"key":"error","type":"bool","value":true},"#
            + #"{"key":"otel.status_description","type":"string","value":"broken \"pipe\""}],"#
            + #""logs":[{"timestamp":5001,"fields":[{"key":"event","type":"string","#
            + #""value":"retry"},{"key":"n","type":"int64","value":1}]}],"#
            + #""processID":"p1","warnings":null}"#
        #expect(answer.text.contains(span), "\(answer.text)")
        let processes =
            #""processes":{"p1":{"serviceName":"web","tags":[{"key":"zone","type":"string","#
            + #""value":"a"}]},"p2":{"serviceName":"cart","tags":["#
        #expect(answer.text.contains(processes))
    }

    @Test(arguments: ["abc", "0ABC", "AAAAAAAACrw=", "AAAAAAAACrw", "AAAAAAAAAAAAAAAAAAAKvA=="])
    func `ids come short, in capitals and in base64`(id: String) async throws {
        #expect(try await api.ask("/api/traces/\(id)").status == 200)
    }

    @Test func `search parameters become one plan`() async throws {
        let tags = #"{"error":"true","http.status_code":"500"}"#
            .addingPercentEncoding(withAllowedCharacters: .alphanumerics)
        _ = try await api.ask(
            "/api/traces?service=web&operation=op&tag=a:b:c&tags=\(try #require(tags))"
                + "&tag=span.kind:server&minDuration=1.5ms&start=1000&end=2000&limit=5"
        )
        let plan = try #require(api.store.plans.first)
        #expect(
            plan.span
                == .and([
                    .service(.exactly("web")), .operation(.exactly("op")),
                    .attribute(.any, key: "a", .text("b:c")),
                    .or([.kind(.server), .attribute(.any, key: "span.kind", .text("server"))]),
                    .or([.status(.error), .attribute(.any, key: "error", .text("true"))]),
                    .attribute(.any, key: "http.status_code", .text("500")),
                    .duration(1_500_000...UInt64.max),
                ])
        )
        #expect(plan.range == 1_000_000..<2_001_000)
        #expect(plan.limit == 5)
    }

    @Test(arguments: [
        ("/api/traces", 400, "service"), ("/api/traces?service=a&tag=b", 400, "key:value"),
        ("/api/traces?service=a&tags=%5B1%5D", 400, "JSON object"),
        ("/api/traces?service=a&tags=%7B%22a%22:1%7D", 400, "JSON object"),
        ("/api/traces?service=a&minDuration=2s&maxDuration=1s", 400, "below"),
        ("/api/traces?service=a&limit=x", 400, "limit"), ("/api/operations", 400, "service"),
        ("/api/traces?service=a&start=9&end=2", 400, "empty"),
        ("/api/traces/abcd", 404, "trace not found"), ("/api/traces/%20", 400, "no trace id"),
        ("/api/traces?traceID=zz", 400, "no trace id"),
        ("/api/dependencies?endTs=0", 400, "above 0"),
    ])
    func `errors come in the envelope as text`(
        path: String,
        status: Int,
        message: String
    ) async throws {
        let answer = try await api.ask(path)
        #expect(answer.status == status)
        #expect(answer.headers[.contentType] == "text/plain; charset=utf-8")
        #expect(
            answer.text.hasPrefix(
                #"{"data":null,"total":0,"limit":0,"offset":0,"errors":[{"code":\#(status),"msg":""#
            )
        )
        #expect(answer.text.contains(message), "\(answer.text)")
    }

    @Test func `dependencies of a service are told`() async throws {
        let answer = try await api.ask("/api/dependencies?service=cart")
        #expect(answer.text.contains(#"[{"parent":"web","child":"cart","callCount":1}]"#))
        let other = try await api.ask("/api/dependencies?service=nobody")
        #expect(other.text.hasPrefix(#"{"data":[],"#))
    }
}

@Suite struct APIZipkinTests {
    private let api = TestAPI(.zipkin)

    @Test(arguments: [
        ("/api/v2/services", #"["cart","web"]"#), ("/zipkin/api/v2/services", #"["cart","web"]"#),
        ("/api/v2/spans?serviceName=web", #"["get /"]"#),
        ("/api/v2/autocompleteKeys", #"["environment"]"#),
        ("/api/v2/autocompleteValues?key=a", #"["a="]"#),
        (
            "/api/v2/dependencies?endTs=5000",
            #"[{"parent":"web","child":"cart","callCount":1,"errorCount":1}]"#
        ),
    ])
    func `lists have the stated shape`(path: String, body: String) async throws {
        let answer = try await api.ask(path)
        #expect(answer.text == body)
        #expect(answer.status == 200)
    }

    @Test func `a trace comes back as it was sent`() async throws {
        let answer = try await api.ask("/api/v2/trace/abc")
        let spans = try #require(
            try JSONSerialization.jsonObject(with: Data(answer.bytes)) as? [[String: Any]]
        )
        #expect(
            spans.compactMap { $0["id"] as? String } == ["0000000000000007", "0000000000000007"]
        )
    }

    @Test func `conditions may be met by different spans of the service`() async throws {
        _ = try await api.ask(
            "/api/v2/traces?serviceName=Web&spanName=GET&annotationQuery=error%20and%20a=b%20and%20a=c"
                + "&minDuration=5&maxDuration=6&endTs=2000&lookback=1000&limit=3"
        )
        let plan = try #require(api.store.plans.first)
        #expect(
            plan.span
                == .and([.service(.ignoringCase("Web")), .operation(.ignoringCase("GET"))])
        )
        #expect(plan.range == 1_000_000_000..<2_000_000_000)
    }

    @Test func `the text of an error is its status message`() async throws {
        _ = try await api.ask("/api/v2/traces?annotationQuery=error%3Dtimeout")
        let plan = try #require(api.store.plans.first)
        #expect(
            plan.span
                == .or([
                    .and([.status(.error), .statusMessage(.exactly("timeout"))]),
                    .attribute(.any, key: "error", .text("timeout")),
                ])
        )
    }

    @Test(arguments: [
        ("/api/v2/spans", 400, "serviceName"), ("/api/v2/dependencies", 400, "endTs"),
        ("/api/v2/traces?limit=0", 400, "limit"), ("/api/v2/traces?lookback=0", 400, "above 0"),
        ("/api/v2/traces?maxDuration=5", 400, "minDuration"),
        ("/api/v2/traces?minDuration=0", 400, "above 0"),
        ("/api/v2/traces?minDuration=9&maxDuration=5", 400, "below"),
        ("/api/v2/trace/xyz", 400, "no trace id"), ("/api/v2/trace/abcd", 404, "abcd not found"),
        ("/api/v2/traceMany", 400, "traceIds"), ("/api/v2/traceMany?traceIds=1", 400, "2 to"),
        ("/api/v2/traceMany?traceIds=1,1", 400, "each once"),
        ("/api/v2/traceMany?traceIds=1,,2", 400, "no trace id"),
        ("/api/v2/autocompleteValues", 400, "key"),
    ])
    func `errors are plain text`(path: String, status: Int, message: String) async throws {
        let answer = try await api.ask(path)
        #expect(answer.status == status)
        #expect(answer.headers[.contentType] == "text/plain; charset=utf-8")
        #expect(answer.text.contains(message), "\(answer.text)")
    }

    @Test func `many traces come as lists of spans, missing ones left out`() async throws {
        let answer = try await api.ask("/api/v2/traceMany?traceIds=abc,abcd")
        let traces = try #require(
            try JSONSerialization.jsonObject(with: Data(answer.bytes)) as? [[[String: Any]]]
        )
        #expect(traces.map(\.count) == [2])
    }

    @Test func `the page's configuration is there`() async throws {
        let answer = try await api.ask("/config.json")
        #expect(answer.text.contains(#""searchEnabled":true"#))
    }
}
