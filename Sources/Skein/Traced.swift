// SPDX-License-Identifier: Apache-2.0

#if Macros
public import SkeinModel
internal import Tracing

/// Runs every call of a function in a span.
///
/// ```swift
/// @Traced("check out", kind: .client, recording: "orderID")
/// func checkOut(_ cart: Cart, orderID: String) async throws -> Receipt { … }
/// ```
/// The span ends with the call; an error that is thrown is recorded. The arguments that are named are
/// attributes, evaluated where the trace is recorded, before the body runs: numbers, truth values and
/// texts as they are, `nil` not at all, anything else as the text that describes it.
///
/// It goes on functions and methods with a body, synchronous or not, throwing or not; not on
/// initializers and accessors, nor on those that rethrow, throw one type alone or return `some` type.
///
/// - Parameters:
///   - name: The operation; without one the function's name after those of the types around it.
///   - kind: The role in a call.
///   - tracer: Records the span; without one the tracer that swift-distributed-tracing knows, which
///     costs a look-up. Give it where calls are many.
///   - recording: Names of parameters.
@attached(body)
public macro Traced(
    _ name: StaticString? = nil,
    kind: SkeinModel.SpanKind = .internal,
    tracer: SkeinTracer? = nil,
    recording: String...
) = #externalMacro(module: "SkeinMacros", type: "TracedMacro")

/// What `@Traced` calls; not meant to be called by hand.
public enum TracedCall {
    /// Runs `body` in a span.
    public static func run<Result>(
        _ name: StaticString,
        _ kind: SkeinModel.SpanKind,
        _ tracer: SkeinTracer?,
        _ attributes: () -> [(key: String, value: AttributeValue)],
        _ body: () throws -> Result
    ) rethrows -> Result {
        if let tracer = tracer ?? InstrumentationSystem.tracer as? SkeinTracer {
            return try tracer.span(name, kind) { span in
                record(attributes, where: span.isRecording) { span.set(key: $0, value: $1) }
                return try body()
            }
        }
        return try withSpan("\(name)", ofKind: Tracing.SpanKind(kind)) { span in
            record(attributes, where: span.isRecording) { key, value in
                if let value = SpanAttribute(value) { span.attributes.set(key, value: value) }
            }
            do {
                return try body()
            } catch {
                span.setStatus(SpanStatus(code: .error))
                throw error
            }
        }
    }

    /// Runs `body`, which may wait, in a span.
    public static func run<Result>(
        _ name: StaticString,
        _ kind: SkeinModel.SpanKind,
        _ tracer: SkeinTracer?,
        _ attributes: () -> [(key: String, value: AttributeValue)],
        isolation: isolated (any Actor)? = #isolation,
        _ body: () async throws -> Result
    ) async rethrows -> Result {
        if let tracer = tracer ?? InstrumentationSystem.tracer as? SkeinTracer {
            return try await tracer.span(name, kind, isolation: isolation) { span in
                record(attributes, where: span.isRecording) { span.set(key: $0, value: $1) }
                return try await body()
            }
        }
        return try await withSpan("\(name)", ofKind: Tracing.SpanKind(kind), isolation: isolation) {
            span in
            record(attributes, where: span.isRecording) { key, value in
                if let value = SpanAttribute(value) { span.attributes.set(key, value: value) }
            }
            do {
                return try await body()
            } catch {
                span.setStatus(SpanStatus(code: .error))
                throw error
            }
        }
    }

    private static func record(
        _ attributes: () -> [(key: String, value: AttributeValue)],
        where isRecording: Bool,
        by set: (_ key: String, _ value: AttributeValue) -> Void
    ) {
        guard isRecording else { return }
        for (key, value) in attributes() where value != .empty { set(key, value) }
    }
}

extension AttributeValue {
    /// The value of an argument, as `@Traced` records it.
    public static func recording(_ argument: some Any) -> AttributeValue {
        switch argument as Any {
        case let text as String: .string(text)
        case let truth as Bool: .bool(truth)
        case let number as any BinaryInteger:
            Int64(exactly: number).map { .int($0) } ?? .string("\(number)")
        case let number as Double: .double(number)
        case let number as Float: .double(Double(number))
        case let optional as any OptionalArgument: optional.recorded
        default: .string(String(describing: argument))
        }
    }
}

/// What may be `nil`.
private protocol OptionalArgument {
    var recorded: AttributeValue { get }
}

extension Optional: OptionalArgument {
    fileprivate var recorded: AttributeValue { map { .recording($0) } ?? .empty }
}
#endif
