// SPDX-License-Identifier: Apache-2.0

public import Skein
public import Tracing

/// The tracers of the shop's services: one for each, all exporting by one pipeline.
public struct ShopTracing: Sendable {
    private let pipeline: SpanPipeline

    /// Makes tracers that send their spans to `endpoint`.
    public init(endpoint: OTLPEndpoint, options: PipelineOptions = PipelineOptions()) {
        pipeline = SpanPipeline(exporter: OTLPHTTPExporter(endpoint), options: options)
    }

    /// What became of all spans so far.
    public var counters: TracingCounters { pipeline.counters }

    /// The tracer of one service.
    public func tracer(of service: ShopService) -> any Tracer {
        SkeinTracer(
            resource: Resource(
                serviceName: service.name,
                attributes: [
                    "service.namespace": "gift-shop",
                    "service.version": .string(service.version),
                    "service.instance.id": .string(service.instance),
                    "deployment.environment.name": "demo",
                ]
            ),
            pipeline: pipeline
        )
    }

    /// Sends what is left; no span may follow.
    ///
    /// - Returns: Whether nothing had to be dropped for want of time.
    public func shutdown() async -> Bool { await pipeline.shutdown() }
}
