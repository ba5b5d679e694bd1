// SPDX-License-Identifier: Apache-2.0

import Skein
public import Tracing

/// The tracers of the shop's services: one for each instance, all exporting by one pipeline.
public struct ShopTracing: Sendable {
    private let pipeline: SpanPipeline

    /// Makes tracers that post their spans to an OTLP/HTTP receiver.
    ///
    /// - Parameter tracesURL: Its full address, most often ending in `/v1/traces`.
    public init(tracesURL: String) {
        pipeline = SpanPipeline(exporter: OTLPHTTPExporter(OTLPEndpoint(tracesURL: tracesURL)))
    }

    /// Spans that ended, that the receiver took, and that were lost on the way.
    public var counts: (ended: Int, exported: Int, lost: Int) {
        let counters = pipeline.counters
        let dropped = counters.droppedCounts.values.reduce(0, +)
        return (counters.endedCount, counters.exportedCount, dropped + counters.rejectedCount)
    }

    /// The tracer of one instance of a service.
    public func tracer(of instance: ShopInstance) -> any Tracer {
        SkeinTracer(
            resource: Resource(
                serviceName: instance.service.name,
                attributes: [
                    "service.namespace": "gift-shop",
                    "service.version": .string(instance.version),
                    "service.instance.id": .string(instance.name),
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
