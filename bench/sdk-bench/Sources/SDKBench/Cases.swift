// SPDX-License-Identifier: Apache-2.0

import Skein
import SkeinModel
import Tracing

extension Setup {
    /// In the order they are run and printed.
    var cases: [Case] { own + tracing + carriers }

    /// Spans of our own.
    private var own: [Case] {
        let (recorded, unrecorded, uncounted) = (recorded, unrecorded, uncounted)
        let underRecorded: (() -> Void) -> Void = { body in recorded.span("parent") { _ in body() }
        }
        let underUnrecorded: (() -> Void) -> Void = { body in
            unrecorded.span("parent") { _ in body() }
        }
        return [
            Case(name: "own unsampled root") { unrecorded.span("root") { _ in } },
            Case(name: "own unsampled child", within: underUnrecorded) {
                unrecorded.span("child") { $0.set("n", 1) }
            },
            Case(name: "own unsampled child, 10 attributes", within: underUnrecorded) {
                unrecorded.span("child") { Attributes.set($0) }
            },
            Case(name: "own unsampled call", within: underUnrecorded) {
                unrecorded.span("child", .client) { _ in }
            },
            Case(name: "own unsampled call with a peer", within: underUnrecorded) {
                unrecorded.span("child", .client, peer: "stock") { _ in }
            },
            Case(name: "own unsampled call, not counted", within: underUnrecorded) {
                uncounted.span("child", .client) { _ in }
            },
            Case(name: "own sampled root") { recorded.span("root") { _ in } },
            Case(name: "own sampled child", within: underRecorded) {
                recorded.span("child") { _ in }
            },
            Case(name: "own sampled call", within: underRecorded) {
                recorded.span("child", .client) { _ in }
            },
            Case(name: "own sampled child, 10 attributes", within: underRecorded) {
                recorded.span("GET /api/v1/order/{id}", .server) { Attributes.set($0) }
            },
        ]
    }

    /// Spans of swift-distributed-tracing.
    private var tracing: [Case] {
        let (recorded, unrecorded) = (recorded, unrecorded)
        let noOp = NoOpTracer()
        let underRecorded: (() -> Void) -> Void = { body in
            recorded.withSpan("parent") { _ in body() }
        }
        let underUnrecorded: (() -> Void) -> Void = { body in
            unrecorded.withSpan("parent") { _ in body() }
        }
        return [
            Case(name: "NoOpTracer") { noOp.withSpan("child") { _ in } },
            Case(name: "tracing unsampled root") { unrecorded.withSpan("root") { _ in } },
            Case(name: "tracing unsampled child", within: underUnrecorded) {
                unrecorded.withSpan("child") { _ in }
            },
            Case(name: "tracing unsampled call", within: underUnrecorded) {
                unrecorded.withSpan("child", ofKind: .client) { _ in }
            },
            Case(name: "own unsampled child beside tracing") { body in
                unrecorded.withSpan("other") { _ in }
                unrecorded.span("parent") { _ in body() }
            } body: {
                unrecorded.span("child") { _ in }
            },
            Case(name: "own unsampled child of tracing", within: underUnrecorded) {
                unrecorded.span("child") { _ in }
            },
            Case(name: "tracing sampled child", within: underRecorded) {
                recorded.withSpan("child") { _ in }
            },
            Case(name: "tracing sampled child, 3 attributes", within: underRecorded) {
                recorded.withSpan("child") { span in
                    span.attributes["a"] = 1
                    span.attributes["b"] = "two"
                    span.attributes["c"] = true
                }
            },
            Case(name: "own sampled child of tracing", within: underRecorded) {
                recorded.span("child") { _ in }
            },
        ]
    }

    private var carriers: [Case] {
        let recorded = recorded
        let header = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
        let headers = ["traceparent": header]
        // Made when it is needed: from the first span of swift-distributed-tracing on, those of our own
        // look for its context.
        let parent = Lazy { recorded.startSpan("parent") }
        return [
            Case(name: "own inject", within: { body in recorded.span("parent") { _ in body() } }) {
                recorded.inject { Sink.take($0, $1) }
            },
            Case(name: "own extract") {
                Sink.take(recorded.extract { $0 == "traceparent" ? header : nil }.trace != nil)
            },
            Case(name: "tracing inject") {
                var carrier = headers
                recorded.inject(parent.value.context, into: &carrier, using: DictionaryCarrier())
            },
            Case(name: "tracing extract") {
                var context = InstrumentationContext.topLevel
                recorded.extract(headers, into: &context, using: DictionaryCarrier())
            },
        ]
    }
}

/// The ten of a request: six fixed texts and three numbers, and one text of the program's making.
enum Attributes {
    @inline(__always)
    static func set(_ span: ActiveSpan) {
        span.set("http.request.method", static: "GET")
        span.set("http.route", static: "/api/v1/order/{id}")
        span.set("url.path", "/api/v1/order/12345")
        span.set("url.scheme", static: "http")
        span.set("http.response.status_code", 200)
        span.set("network.peer.address", "10.0.0.12")
        span.set("network.peer.port", 6_200)
        span.set("server.address", static: "order-service")
        span.set("thread.id", 8_200)
        span.set("user_agent.original", "Apache-HttpClient/5.2.1")
    }
}

/// A value that is made when it is first asked for; for one thread.
final class Lazy<Value> {
    private let make: () -> Value
    private(set) lazy var value = make()

    init(_ make: @escaping () -> Value) { self.make = make }
}

/// Where results go that nobody needs, so that they are made.
enum Sink {
    @_optimize(none) @inline(never)
    static func take(_ key: String, _ value: String) {}
    @_optimize(none) @inline(never)
    static func take(_ isThere: Bool) {}
}

private struct DictionaryCarrier: Injector, Extractor {
    func inject(_ value: String, forKey key: String, into carrier: inout [String: String]) {
        carrier[key] = value
    }
    func extract(key: String, from carrier: [String: String]) -> String? { carrier[key] }
}
