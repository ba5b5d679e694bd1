// SPDX-License-Identifier: Apache-2.0

internal import Synchronization
internal import Tracing

/// Sets up tracing for the process:
/// ```swift
/// let tracing = SkeinTracing.bootstrap(SkeinConfiguration(serviceName: "order"))
/// // ... the program; then, before it ends:
/// await tracing.shutdown()
/// ```
public enum SkeinTracing {
    private static let current = Mutex<TracingHandle?>(nil)

    #if OTLPHTTP
    /// Makes a tracer that exports OTLP over HTTP and gives it to swift-distributed-tracing.
    ///
    /// Call it before anything that captures a tracer, such as an `HTTPClient`, is made. A second
    /// call changes nothing, returns the first handle and warns.
    ///
    /// - Parameters:
    ///   - configuration: What the code knows.
    ///   - environment: Wins over `configuration`.
    /// - Returns: The tracer, and how to flush and stop it.
    @discardableResult
    public static func bootstrap(
        _ configuration: SkeinConfiguration = SkeinConfiguration(),
        environment: TracingEnvironment = .process
    ) -> TracingHandle {
        let configuration = configuration.applying(environment)
        return install(configuration) { OTLPHTTPExporter(configuration.exporter) }
    }
    #endif

    /// Makes a tracer that exports by `exporter` and gives it to swift-distributed-tracing.
    ///
    /// A second call changes nothing, returns the first handle and warns.
    ///
    /// - Parameters:
    ///   - configuration: What the code knows.
    ///   - exporter: Where spans go.
    ///   - environment: Wins over `configuration`.
    /// - Returns: The tracer, and how to flush and stop it.
    @discardableResult
    public static func bootstrap(
        _ configuration: SkeinConfiguration = SkeinConfiguration(),
        exporter: some SpanExporter,
        environment: TracingEnvironment = .process
    ) -> TracingHandle {
        install(configuration.applying(environment)) { exporter }
    }

    private static func install(
        _ configuration: SkeinConfiguration,
        exporter: () -> any SpanExporter
    ) -> TracingHandle {
        let (handle, isNew) = current.withLock { current in
            if let current { return (current, false) }
            let pipeline =
                configuration.tracer.isEnabled
                ? SpanPipeline(exporter: exporter(), options: configuration.pipeline) : nil
            let handle = TracingHandle(configuration, pipeline: pipeline)
            current = handle
            return (handle, true)
        }
        if isNew {
            InstrumentationSystem.bootstrap(handle.tracer)
        } else {
            configuration.pipeline.onWarning("Tracing was set up before; the first set-up stays.")
        }
        return handle
    }
}

/// What `SkeinTracing.bootstrap` set up.
public struct TracingHandle: Sendable {
    /// The tracer of the process. Starting spans on it is cheaper than by the global functions.
    public let tracer: SkeinTracer
    private let pipeline: SpanPipeline?

    init(_ configuration: SkeinConfiguration, pipeline: SpanPipeline?) {
        self.pipeline = pipeline
        tracer =
            if let pipeline {
                SkeinTracer(
                    resource: configuration.resource,
                    pipeline: pipeline,
                    options: configuration.tracer
                )
            } else {
                SkeinTracer(
                    resource: configuration.resource,
                    sink: DiscardingSink(),
                    options: configuration.tracer
                )
            }
    }

    /// What became of all spans so far.
    public var counters: TracingCounters { tracer.counters }

    /// Exports all spans that ended before the call; `SpanPipeline.flush(timeout:)` has the details.
    @discardableResult
    public func flush(timeout: Duration = .seconds(10)) async -> Bool {
        await pipeline?.flush(timeout: timeout) ?? true
    }

    /// Exports what has ended and stops; `SpanPipeline.shutdown(timeout:)` has the details.
    @discardableResult
    public func shutdown(timeout: Duration = .seconds(5)) async -> Bool {
        await pipeline?.shutdown(timeout: timeout) ?? true
    }
}

/// The sink of a tracer that is switched off and therefore never has a span.
private struct DiscardingSink: SpanSink {
    func accept(_ span: SpanRecord) {}
}
