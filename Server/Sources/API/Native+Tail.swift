// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Hummingbird
import Query
import QueryLanguage
import ServiceLifecycle
import SkeinModel
import Store

/// `GET /api/skein/v1/tail`: traces as they arrive, by server-sent events.
///
/// ```
/// retry: 2000
///
/// id: 1795229164614832890
/// event: trace
/// data: {"traceId":"…",…}          as a search tells it, one line
///
/// event: leftOut
/// data: {"traceCount":12,"unreadTraceCount":0}
///
/// : nothing yet                    every 15 s without anything else
///
/// event: end
/// data: {"message":"the server stops"}
/// ```
extension ReadAPI {
    func tail(_ request: ReadRequest) async throws -> Response {
        let query = request.query
        try query.allow(["q", "spans", "rate", "settle"])
        let rate = try query.count("rate", default: 20)
        guard RequestLimits.tailRate.contains(rate) else {
            throw Failure.badRequest(
                "rate is \(rate); give \(RequestLimits.tailRate.lowerBound) to "
                    + "\(RequestLimits.tailRate.upperBound) traces a second"
            )
        }
        let settle = try query.duration("settle") ?? 1_000_000_000
        guard settle <= RequestLimits.tailSettle else {
            throw Failure.badRequest("settle is \(DurationText.text(settle)); give at most 1m")
        }
        let slot = try streams.take(.tail)
        let question: TraceQL.Question
        let text = try query.one("q") ?? "{ }"
        do { question = try TraceQL.parse(text) } catch { throw error.of("q") }
        var tail = try TraceTail(
            engine,
            question,
            toldSpanLimit: try query.count("spans", default: 3),
            settle: settle,
            ratePerSecond: rate
        )
        // What is stored by now is not told; what comes after this answer's head is.
        try await tail.begin(tellingAfter: Self.resumption(request.lastEventID))
        let stream = TailStream(tail: tail, slot: slot, now: engine.now)
        var headers = HTTPFields()
        headers[.contentType] = "text/event-stream"
        headers[.cacheControl] = "no-store"
        headers[.xContentTypeOptions] = "nosniff"
        return Response(
            status: .ok,
            headers: headers,
            body: ResponseBody { writer in
                try await stream.write { try await writer.write($0) }
                try await writer.finish(nil)
            }
        )
    }

    /// From when on a reader that comes back is told: a little before the last event it has, for what
    /// began then may have arrived since.
    private static func resumption(_ lastEventID: String?) -> UInt64? {
        guard let lastEventID, let told = UInt64(lastEventID) else { return nil }
        return told > RequestLimits.tailOverlap ? told - RequestLimits.tailOverlap : 0
    }
}

/// One tail being written.
private struct TailStream: Sendable {
    let tail: TraceTail
    /// Held as long as the stream is.
    let slot: StreamSlots.Slot
    let now: @Sendable () -> UInt64

    /// Writes until the server stops or the reader is gone. `write` returns when there is room for
    /// more: a slow reader slows the tail down, and the connection's guard ends it.
    func write(_ write: (ByteBuffer) async throws -> Void) async throws {
        var tail = tail
        try await write(ByteBuffer(string: "retry: \(RequestLimits.tailRetryMilliseconds)\n\n"))
        var silentPolls = 0
        var toldReasons: Set<String> = []
        while true {
            var text = ""
            var isEnd = false
            if Task.isShuttingDownGracefully {
                text = Self.event("end", Self.message("the server stops"))
                isEnd = true
            } else {
                do {
                    let batch = try await tail.poll()
                    text = events(batch, &toldReasons)
                } catch StoreError.overloaded {
                    // The store is busy: what was missed is found by a later poll.
                } catch let error as QueryError {
                    text = Self.event("end", Self.message(error.description))
                    isEnd = true
                } catch StoreError.closed {
                    text = Self.event("end", Self.message("the server stops"))
                    isEnd = true
                }
            }
            silentPolls = text.isEmpty ? silentPolls + 1 : 0
            if silentPolls >= RequestLimits.tailSilentPolls {
                text = ": nothing yet\n\n"
                silentPolls = 0
            }
            if !text.isEmpty { try await write(ByteBuffer(string: text)) }
            if isEnd { return }
            try await Task.sleep(for: .milliseconds(RequestLimits.tailPauseMilliseconds))
        }
    }

    private func events(_ batch: TraceTail.Batch, _ toldReasons: inout Set<String>) -> String {
        var text = ""
        let id = "id: \(now())\n"
        for trace in batch.traces {
            var json = AnswerJSON()
            json.found(trace)
            text += id + Self.event("trace", json.bytes)
        }
        if batch.leftOutCount + batch.unreadCount > 0 {
            var json = AnswerJSON()
            json.object { json in
                json.member("traceCount", number: batch.leftOutCount)
                json.member("unreadTraceCount", number: batch.unreadCount)
            }
            text += Self.event("leftOut", json.bytes)
        }
        let reasons = batch.incomplete.filter { toldReasons.insert($0).inserted }
        if toldReasons.count > RequestLimits.tailReasonCount { toldReasons = [] }
        for reason in reasons { text += Self.event("incomplete", Self.message(reason)) }
        return text
    }

    private static func message(_ text: String) -> [UInt8] {
        var json = AnswerJSON()
        json.object { $0.member("message", text) }
        return json.bytes
    }

    /// JSON has no line breaks: one line of data is all of it.
    private static func event(_ name: String, _ json: [UInt8]) -> String {
        "event: \(name)\ndata: \(String(decoding: json, as: UTF8.self))\n\n"
    }
}
