// SPDX-License-Identifier: Apache-2.0

internal import SkeinSampling
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
    private static let endTimeout = Mutex(Duration.zero)

    /// Makes a tracer that exports where the configuration says, OTLP over HTTP if it says nothing,
    /// and gives it to swift-distributed-tracing.
    ///
    /// Call it before anything that captures a tracer, such as an `HTTPClient`, is made. A second
    /// call changes nothing, returns the first handle and warns. Where this build has not got the
    /// exporter, because its trait is off, it warns and records nothing.
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
        return install(configuration) { makeExporter(configuration) }
    }

    private static func makeExporter(_ configuration: SkeinConfiguration) -> (any SpanExporter)? {
        switch configuration.destination {
        case .otlp:
            #if GRPC
            if configuration.exporter.wire == .grpc {
                return OTLPGRPCExporter(configuration.exporter)
            }
            #endif
            #if OTLPHTTP
            return OTLPHTTPExporter(configuration.exporter)
            #else
            configuration.pipeline.onWarning(
                """
                Nothing is recorded: the package was built without its trait OTLPHTTP. Enable it, \
                write to a file, or give bootstrap an exporter.
                """
            )
            return nil
            #endif
        #if Zipkin
        case .zipkin(let endpoint): return ZipkinExporter(endpoint)
        #endif
        case .file(let log): return LogFileExporter(log)
        case .none: return nil
        }
    }

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
        let configuration = configuration.applying(environment)
        return install(configuration) { configuration.destination == .none ? nil : exporter }
    }

    private static func install(
        _ configuration: SkeinConfiguration,
        exporter: () -> (any SpanExporter)?
    ) -> TracingHandle {
        let (handle, isNew) = current.withLock { current in
            if let current { return (current, false) }
            let pipeline = (configuration.tracer.isEnabled ? exporter() : nil).map {
                SpanPipeline(exporter: $0, options: configuration.pipeline)
            }
            let sampler = pipeline == nil ? nil : makeRemoteSampler(configuration)
            let handle = TracingHandle(configuration, pipeline: pipeline, sampler: sampler)
            current = handle
            return (handle, true)
        }
        if isNew {
            prepareEnd(configuration)
            handle.remoteSampler?.start()
            InstrumentationSystem.bootstrap(handle.tracer)
        } else {
            configuration.pipeline.onWarning("Tracing was set up before; the first set-up stays.")
        }
        return handle
    }
}

extension SkeinTracing {
    /// Lets the ends of the process wait for the export, as the configuration says.
    private static func prepareEnd(_ configuration: SkeinConfiguration) {
        guard let timeout = configuration.exitTimeout else { return }
        endTimeout.withLock { $0 = timeout }
        Transport.atExit { SkeinTracing.shutDownAtEnd() }
        guard configuration.exportsOnTermination else { return }
        if !Transport.onTermination({ SkeinTracing.shutDownAtEnd() }) {
            configuration.pipeline.onWarning(
                "The program handles SIGTERM itself: let it call shutdown on the tracing handle."
            )
        }
    }

    /// The same as `shutdown`, for a thread that cannot await. A second call has nothing to wait for.
    private static func shutDownAtEnd() {
        guard !Transport.isForkedCopy, let handle = current.withLock({ $0 }) else { return }
        let timeout = endTimeout.withLock { $0 }
        Transport.waitForTask(atMost: timeout + Limits.cancellationGrace) {
            await handle.shutdown(timeout: timeout)
        }
    }

    private static func makeRemoteSampler(_ configuration: SkeinConfiguration) -> RemoteSampler? {
        guard let sampling = configuration.remoteSampling else { return nil }
        #if OTLPHTTP
        return RemoteSampler(
            sampling,
            service: configuration.resource.serviceName,
            onWarning: configuration.pipeline.onWarning
        )
        #else
        configuration.pipeline.onWarning(
            """
            \(sampling.url) is not asked how to sample: the package was built without its trait \
            OTLPHTTP. The sampler stays as it was.
            """
        )
        return nil
        #endif
    }
}

/// What `SkeinTracing.bootstrap` set up.
public struct TracingHandle: Sendable {
    /// The tracer of the process. Starting spans on it is cheaper than by the global functions.
    public let tracer: SkeinTracer
    /// Asks how to sample, where the configuration says whom.
    public let remoteSampler: RemoteSampler?
    private let pipeline: SpanPipeline?

    init(_ configuration: SkeinConfiguration, pipeline: SpanPipeline?, sampler: RemoteSampler?) {
        self.pipeline = pipeline
        remoteSampler = sampler
        var options = configuration.tracer
        if let sampler {
            let followsParent = configuration.remoteSampling?.followsParent ?? true
            options.sampler = followsParent ? ParentBasedSampler(root: sampler) : sampler
        }
        options.isEnabled = pipeline != nil
        tracer =
            if let pipeline {
                SkeinTracer(
                    resource: configuration.resource,
                    pipeline: pipeline,
                    options: options
                )
            } else {
                SkeinTracer(
                    resource: configuration.resource,
                    sink: DiscardingSink(),
                    options: options
                )
            }
    }

    /// What became of all spans so far.
    public var counters: TracingCounters { tracer.counters }

    /// What became of call statistics so far; all zero where there are none.
    public var callCounters: CallCounters { pipeline?.callCounters ?? CallCounters() }

    /// Exports all spans that ended before the call; `SpanPipeline.flush(timeout:)` has the details.
    @discardableResult
    public func flush(timeout: Duration = .seconds(10)) async -> Bool {
        await pipeline?.flush(timeout: timeout) ?? true
    }

    /// Exports what has ended and stops; `SpanPipeline.shutdown(timeout:)` has the details.
    @discardableResult
    public func shutdown(timeout: Duration = .seconds(5)) async -> Bool {
        await remoteSampler?.stop()
        return await pipeline?.shutdown(timeout: timeout) ?? true
    }
}

/// The sink of a tracer that is switched off and therefore never has a span.
private struct DiscardingSink: SpanSink {
    func accept(_ span: SpanRecord) {}
}
