// SPDX-License-Identifier: Apache-2.0
import Glibc
import QueryLanguage
import SkeinModel
import SkeinPropagation
import SkeinWire

// The entry point of libFuzzer. SKEIN_FUZZ_TARGET names one of the targets below. What a target
// checks is that any bytes are answered: with a batch whose every row can be read, or with an error.

/// Called by libFuzzer with each input.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    // The pair is what the fuzzer lends for the length of this call.
    target(UnsafeRawBufferPointer(start: start, count: count))
    return 0
}

typealias Target = @Sendable (UnsafeRawBufferPointer) -> Void

private let receivedAt: UInt64 = 1_795_000_000_000_000_000

private let targets = decoders.merging(StoreTargets.targets) { target, _ in target }

private let decoders: [String: Target] = [
    "otlp-protobuf": { read(try? OTLP.decodeProtobuf($0, receivedAt: receivedAt)) },
    "otlp-json": { read(try? OTLP.decodeJSON($0, receivedAt: receivedAt)) },
    "zipkin-json": { read(try? Zipkin.decodeJSON($0, receivedAt: receivedAt)) },
    "zipkin-protobuf": { read(try? Zipkin.decodeProtobuf($0, receivedAt: receivedAt)) },
    "call-protobuf": { check(try? OTLP.decodeCalls($0, format: .protobuf)) },
    "call-json": { check(try? OTLP.decodeCalls($0, format: .json)) },
    "jaeger-json": { read(try? Jaeger.decodeUIJSON($0, receivedAt: receivedAt)) },
    "trace-context": { bytes in
        var context = PropagatedContext()
        let text = String(decoding: bytes, as: UTF8.self)
        let parts = text.split(separator: "\n", maxSplits: 1).map(String.init)
        W3CTraceContext().extract(into: &context) { key in
            key == "traceparent" ? parts.first : parts.last
        }
        W3CTraceContext().inject(context) { _, value in precondition(value.utf8.count <= 32_768) }
    },
    "baggage": { bytes in
        let header = Baggage(header: String(decoding: bytes, as: UTF8.self)).header
        precondition(Baggage(header: header).header == header, "baggage does not keep: \(header)")
    },
    "traceql": { bytes in
        guard let question = try? TraceQL.parse(String(decoding: bytes, as: UTF8.self)) else {
            return
        }
        let again = try? TraceQL.parse("\(question)")
        precondition(again == question, "a query does not read back: \(question)")
    },
    // Fails on purpose, to show that a failure is noticed.
    "canary": { precondition(!$0.elementsEqual("bad".utf8), "the canary sang") },
]

private let target: Target = {
    let name = getenv("SKEIN_FUZZ_TARGET").map { String(cString: $0) } ?? ""
    guard let target = targets[name] else {
        let names = targets.keys.sorted().joined(separator: ", ")
        let message = Array("SKEIN_FUZZ_TARGET is '\(name)'; it may be \(names)\n".utf8)
        _ = message.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
        exit(64)
    }
    return target
}()

/// Reads every row of a batch; a run or an id outside of its table traps.
private func read(_ batch: consuming DecodedBatch?) {
    guard let batch else { return }
    let columns = batch.columns
    for row in 0..<columns.count {
        let span = columns[row]
        // An end before the start is kept as it was sent, and lasts nothing.
        let isForward = columns.end[row] > columns.start[row]
        precondition((columns.duration(row) > 0) == isForward, "a duration against its times")
        for id in [span.name, span.statusMessage, span.traceState, columns.service(row)] {
            _ = columns.strings.text(id)
        }
        read(span.attributes, columns)
        read(columns.resources.attributes[Int(span.resource)], columns)
        read(columns.scopes.attributes[Int(span.scope)], columns)
        for event in span.events.rows {
            _ = columns.strings.text(columns.events.name[event])
            read(columns.events.attributes[event], columns)
        }
        for link in span.links.rows {
            _ = columns.strings.text(columns.links.traceState[link])
            read(columns.links.attributes[link], columns)
        }
    }
    // What was taken can be written, and what was written is taken again whole.
    let again = try? OTLP.decodeProtobuf(OTLP.encodeProtobuf(columns), receivedAt: receivedAt)
    let json = OTLP.encodeJSON(columns)
    let fromJSON = try? json.span.bytes.withUnsafeBytes {
        try OTLP.decodeJSON($0, receivedAt: receivedAt)
    }
    let counts = (count(again), count(fromJSON))
    precondition(counts == (columns.count, columns.count), "what was written does not read back")
    _ = Zipkin.encodeJSON(columns)
}

/// What was taken of call statistics is calls, with the names that tell them apart.
private func check(_ calls: DecodedCalls?) {
    for row in calls?.counts?.rows ?? [] {
        precondition(row.kind.isCall, "a row of no kind of call")
        precondition(row.service.utf8.count <= 1_024, "a name beyond its bound")
    }
}

private func count(_ batch: consuming DecodedBatch?) -> Int {
    guard let batch else { return -1 }
    return batch.columns.count + batch.rejected
}

private func read(_ run: Run, _ columns: borrowing SpanColumns) {
    for row in run.rows {
        _ = columns.strings.text(columns.attributes.key[row])
        _ = columns.attributes[row]
    }
}
