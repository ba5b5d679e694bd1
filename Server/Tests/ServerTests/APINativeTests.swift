// SPDX-License-Identifier: Apache-2.0

import API
import Foundation
import HTTPTypes
import SkeinModel
import Store
import Testing

@Suite struct APINativeTests {
    private let api = TestAPI()
    private let prefix = "/api/skein/v1"

    @Test func `the OpenAPI document tells exactly the routes there are`() async throws {
        struct Document: Decodable {
            var openapi: String
            var paths: [String: [String: Operation]]
            struct Operation: Decodable { var operationId: String }
        }
        let answer = try await api.ask(prefix + "/openapi.json")
        let document = try JSONDecoder().decode(Document.self, from: Data(answer.bytes))
        #expect(document.openapi == "3.1.0")
        #expect(document.paths.keys.sorted() == api.api.nativePaths.sorted())
        for (path, operations) in document.paths {
            let methods =
                switch path {
                case prefix + "/traces/{id}": ["delete", "get"]
                case prefix + "/mcp": ["post"]
                default: ["get"]
                }
            #expect(operations.keys.sorted() == methods)
        }
    }

    @Test(arguments: [
        ("/services", #"{"services":["Cart","web"]}"#),
        (
            "/operations?service=web",
            #"{"operations":[{"name":"GET /","kind":"client"},{"name":"GET /","kind":"server"}]}"#
        ),
        ("/keys", #"{"keys":[{"scope":"span","key":"order.id"}]}"#),
        ("/values?key=a%20b&prefix=%E4%B8%AD", #"{"values":["a b=中"],"complete":false}"#),
        (
            "/status",
            #"{"version":"9","spansReceived":"3","spansStored":"2","bytesOnDisk":"120","#
                + #""uptimeSeconds":4,"durability":"os","storageFailure":null,"partsSetAside":0,"overflowedKeys":0,"#
                + #""ports":{"otlp-http":4318},"#
                + #""settings":[{"name":"data","value":"spans","origin":"--data"},"#
                + #"{"name":"tempo","value":"off","origin":null}]}"#
        ),
        (
            "/traces?service=web",
            #"{"traces":[{"traceId":"00000000000000000000000000000abc","rootService":"web","#
                + #""rootOperation":"POST /<b>","startTimeUnixNano":"5000500","#
                + #""durationNanos":"4999500","spanCount":2,"errorCount":1,"services":[{"#
                + #""name":"web","spanCount":1,"errorCount":1}],"matchedSpanIds":["#
                + #""0000000000000007"]}],"cursor":"newest-00000000004c4d34-"#
                + #"00000000000000000000000000000abc","order":"newest","complete":false,"#
                + #""incompleteReasons":["one part is damaged"]}"#
        ),
    ])
    func `answers have the stated shape`(path: String, body: String) async throws {
        let answer = try await api.ask(prefix + path)
        #expect(answer.text == body)
        #expect(answer.status == 200)
        #expect(answer.headers[.contentType] == "application/json")
    }

    @Test(arguments: [
        ("/nothing/here", 404, "openapi.json"), ("/services?x=1", 400, "\"x\\\" is not known"),
        ("/traces?servcie=web", 400, "did you mean service?"),
        ("/traces?service=a&service=b", 400, "given 2 times"),
        ("/traces?limit=0", 400, "1 to 10000"),
        ("/traces?limit=99999999999999999999", 400, "limit"),
        ("/traces?limit=-1", 400, "limit"), ("/traces?minDuration=5x", 400, "at character 2"),
        ("/traces?minDuration=2s&maxDuration=1s", 400, "below minDuration"),
        ("/traces?tag=", 400, "the key is empty"), ("/traces?tag=a%22=%ZZ", 400, "%25"),
        ("/traces?service=%FF", 400, "UTF-8"), ("/traces?status=bad", 400, "unset, ok, error"),
        ("/traces?kind=x", 400, "server"), ("/traces?order=x", 400, "newest, slowest"),
        ("/traces?start=5&end=5", 400, "empty"), ("/traces?start=a", 400, "digits"),
        ("/traces?last=1h&end=5", 400, "one of them"), ("/traces?cursor=x", 400, "no cursor"),
        ("/values", 400, "key is required"), ("/values?key=a&limit=0", 400, "limit is 0"),
        ("/values?key=a&scope=trace", 400, "span, resource, event, any"),
        ("/traces?q=%7B%20.a%20%3D%3D%201%20%7D", 400, "at character 7: a value was expected"),
        ("/traces?spans=3", 400, "give q as well"),
        ("/traces?q=%7B%7D&service=a", 400, "q and service are both given"),
        ("/traces?q=%7B%7D+%7C+rate()", 400, "numbers over time"),
        ("/traces?q=%7B%7D&spans=1001", 400, "0 to 1000"),
        ("/traces?q=%7B%7D&limit=0", 400, "1 to 10000"),
        ("/traces?q=%7B%7D+order+by+trace:start&order=newest", 400, "leave one of them out"),
        ("/traces?q=%7B%7D&cursor=x", 400, "no cursor"),
        ("/traces?q=%7B%7D&q=%7B%7D", 400, "given 2 times"),
        ("/traces/xyz", 400, "hexadecimal"), ("/traces/0", 400, "not all zero"),
        ("/traces/abcd", 404, "is not stored"), ("/traces/abc?format=xml", 400, "columns"),
        ("/traces/abc?raw=maybe", 400, "true or false"),
        ("/traces/abc/spans/2", 404, "has 2 spans"), ("/traces/abc/spans/-1", 400, "row"),
        ("/traces/abc/spans/99999999999999999999", 400, "row"),
        ("/traces/abcd/spans/0", 404, "is not stored"),
    ])
    func `a wrong request is answered with what is wrong`(
        path: String,
        status: Int,
        message: String
    ) async throws {
        struct Body: Decodable {
            var error: Inner
            struct Inner: Decodable {
                var code: Int
                var message: String
            }
        }
        let answer = try await api.ask(prefix + path)
        #expect(answer.status == status)
        #expect(answer.text.contains(message), "\(answer.text)")
        let body = try JSONDecoder().decode(Body.self, from: Data(answer.bytes))
        #expect(body.error.code == status)
    }

    @Test func `a query that is none is told part by part`() async throws {
        struct Body: Decodable {
            var error: Inner
            struct Inner: Decodable {
                var parameter: String
                var position: Int
                var problem: String
                var hint: String
            }
        }
        let answer = try await api.ask(prefix + "/traces?q=%7B%20status%20%3D%20%22error%22%20%7D")
        #expect(answer.status == 400)
        let error = try JSONDecoder().decode(Body.self, from: Data(answer.bytes)).error
        #expect(error.parameter == "q")
        #expect(error.position == 11)
        #expect(error.problem == "a status never equals text")
        #expect(error.hint == "write status = error, without quotes")
    }

    @Test func `a query is answered with the spans it found`() async throws {
        let query = "%7Bstatus%3Derror%7D%7Cby(resource.zone)%7Cselect(.a.list,duration)"
        let answer = try await api.ask(prefix + "/traces?spans=1&start=0&q=" + query)
        #expect(answer.status == 200, "\(answer.text)")
        let found = #"""
            "spansets":[{"keys":[{"name":"by(resource.zone)","type":"string","value":"a"}],\#
            "spanCount":1,"spans":[{"spanId":"0000000000000007","name":"POST /<b>",\#
            "service":"web","startTimeUnixNano":"5000500","durationNanos":"4000000",\#
            "values":[{"name":".a.list","type":"array","value":[1,true]},\#
            {"name":"duration","type":"int","value":4000000}]}]}]}],
            """#
        #expect(answer.text.contains(found), "\(answer.text)")
        let rest = #"""
            "cursor":null,"order":"newest","complete":false,\#
            "incompleteReasons":["one part is damaged"],"examinedTraces":1,"examinedSpans":2}
            """#
        #expect(answer.text.hasSuffix(rest), "\(answer.text)")
        let plan = try #require(api.store.plans.first)
        #expect(plan.span == .status(.error))
    }

    @Test func `a query's parameters become one plan`() async throws {
        _ = try await api.ask(
            prefix + "/traces?service=web&operation=a+b&tag=resource:zone=a&tag=!x&minDuration=1ms"
                + "&status=error&kind=client&maxTraceDuration=2s&start=5&end=9&limit=7&order=slowest"
                + "&cursor=slowest-0000000000000001-00000000000000000000000000000002"
        )
        let plan = try #require(api.store.plans.first)
        #expect(
            plan.span
                == .and([
                    .service(.exactly("web")), .operation(.exactly("a b")),
                    .attribute(.resource, key: "zone", .text("a")),
                    .not(.attribute(.any, key: "x", .exists)),
                    .duration(1_000_000...UInt64.max), .status(.error), .kind(.client),
                ])
        )
        #expect(plan.trace == [.duration(0...2_000_000_000)])
        #expect(plan.range == 5..<9)
        #expect(plan.limit == 7)
        #expect(plan.order == .slowest)
        #expect(plan.cursor == ScanCursor(value: 1, traceID: TraceID(high: 0, low: 2)))
    }

    @Test func `a span is told whole, in its place of the columns`() async throws {
        let answer = try await api.ask(prefix + "/traces/ABC/spans/0")
        let expected =
            #"{"row":0,"traceId":"00000000000000000000000000000abc","spanId":"0000000000000007","#
            + #""parentSpanId":"","name":"POST /<b>","service":"web","kind":"client","#
            + #""startTimeUnixNano":"5000500","endTimeUnixNano":"9000500","status":{"code":"error","#
            + #""message":"broken \"pipe\""},"traceState":"","scope":{"name":"lib","version":"1.0"},"#
            + #""attributes":[{"key":"z.big","type":"int","value":"1152921504606846976"},"#
            + #"{"key":"a.list","type":"array","value":[1,true]},"#
            + #"{"key":"m.raw","type":"bytes","value":"/wA="},"#
            + #"{"key":"m.nan","type":"double","value":"NaN"}],"#
            + #""resource":[{"key":"service.name","type":"string","value":"web"},"#
            + #"{"key":"zone","type":"string","value":"a"}],"#
            + #""events":[{"name":"retry","timeUnixNano":"5001500","#
            + #""attributes":[{"key":"n","type":"int","value":1}]}],"#
            + #""links":[{"traceId":"00000000000000010000000000000002","#
            + #""spanId":"0000000000000003","attributes":[]}],"#
            + #""droppedAttributes":0,"droppedEvents":0,"droppedLinks":0,"warnings":[]}"#
        #expect(answer.text == expected)
    }

    @Test func `the shared half has an id of its own, and its own id when raw`() async throws {
        let own = try await api.ask(prefix + "/traces/abc/spans/1")
        #expect(!own.text.contains(#""spanId":"0000000000000007""#))
        #expect(own.text.contains(#""parentSpanId":"0000000000000007""#))
        let raw = try await api.ask(prefix + "/traces/abc/spans/1?raw=true")
        #expect(raw.text.contains(#""spanId":"0000000000000007""#))
    }

    @Test(
        arguments: [
            ("/traces/abc", nil, "application/json", "{\"resourceSpans\""),
            ("/traces/abc", "application/x-protobuf", "application/x-protobuf", "\u{0A}"),
            ("/traces/abc?format=json", "application/x-protobuf", "application/json", "{"),
            ("/traces/abc?format=columns", nil, "application/octet-stream", "TRV1"),
        ] as [(String, String?, String, String)]
    )
    func `a trace comes in the form asked for`(
        path: String,
        accept: String?,
        type: String,
        prefix begin: String
    ) async throws {
        let answer = try await api.ask(prefix + path, accept: accept)
        #expect(answer.headers[.contentType] == type)
        #expect(answer.bytes.starts(with: begin.utf8))
    }

    @Test func `HEAD answers like GET without a body, other methods are refused`() async throws {
        let head = try await api.ask(prefix + "/services", method: .head)
        #expect(head.status == 200)
        #expect(head.bytes.isEmpty)
        let post = try await api.ask(prefix + "/traces/abc", method: .post)
        #expect(post.status == 405)
        #expect(post.headers[.allow] == "GET, HEAD, DELETE")
        let names = try await api.ask(prefix + "/services", method: .post)
        #expect(names.status == 405)
        #expect(names.headers[.allow] == "GET, HEAD")
    }
}
