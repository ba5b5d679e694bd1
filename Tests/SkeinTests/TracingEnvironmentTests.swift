// SPDX-License-Identifier: Apache-2.0

import Skein
import SkeinModel
import SkeinPropagation
import SkeinSampling
import SkeinTesting
import Testing
import Tracing

@Suite struct TracingEnvironmentTests {
    private func read(
        _ values: [String: String],
        _ configuration: SkeinConfiguration = SkeinConfiguration()
    ) -> (configuration: SkeinConfiguration, warnings: [String]) {
        let warnings = Warnings()
        var configuration = configuration
        configuration.pipeline.onWarning = { warnings.add($0) }
        return (configuration.applying(TracingEnvironment(values)), warnings.all)
    }

    private func isSampled(_ sampler: any Sampler, low: UInt64, parent: Bool?) -> Bool {
        let input = SamplingInput(
            traceID: TraceID(high: 1, low: low),
            parent: parent.map { .init(isSampled: $0, isRemote: true) },
            name: "operation",
            kind: .server
        )
        return sampler.decision(for: input).isSampled
    }

    @Test func `an empty environment changes nothing`() {
        let (configuration, warnings) = read([:], SkeinConfiguration(serviceName: "order"))
        #expect(configuration.resource.serviceName == "order")
        #expect(configuration.exporter == OTLPEndpoint())
        #expect(configuration.exporter.tracesURL == "http://127.0.0.1:4318/v1/traces")
        #expect(configuration.tracer.isEnabled)
        #expect(warnings.isEmpty)
    }

    @Test func `without a name the program's is used`() {
        let name = read([:]).configuration.resource.serviceName
        #expect(name.hasPrefix("unknown_service:"))
        #expect(name.count > "unknown_service:".count)
    }

    @Test func `the resource takes its attributes and its name`() {
        let values = [
            "OTEL_RESOURCE_ATTRIBUTES": "service.name=a,zone=eu%2C1,service.version=1.2"
        ]
        let resource = read(values, SkeinConfiguration(serviceName: "code")).configuration.resource
        #expect(resource.serviceName == "a")
        #expect(resource.attributes.get("zone") == "eu,1")
        #expect(resource.attributes.get("service.version") == "1.2")
        #expect(resource.attributes.get("telemetry.sdk.language") == "swift")
        let named = values.merging(["OTEL_SERVICE_NAME": "b"]) { $1 }
        #expect(read(named).configuration.resource.serviceName == "b")
    }

    @Test(arguments: [
        (["OTEL_EXPORTER_OTLP_ENDPOINT": "http://h:1"], "http://h:1/v1/traces"),
        (["OTEL_EXPORTER_OTLP_ENDPOINT": "https://h/base/"], "https://h/base/v1/traces"),
        (["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://h:1/x"], "http://h:1/x"),
        (
            [
                "OTEL_EXPORTER_OTLP_ENDPOINT": "http://g",
                "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://h",
            ], "http://h"
        ),
        (["OTEL_EXPORTER_OTLP_ENDPOINT": ""], "http://127.0.0.1:4318/v1/traces"),
    ])
    func `the endpoint is read`(values: [String: String], url: String) {
        let (configuration, warnings) = read(values)
        #expect(configuration.exporter.tracesURL == url)
        #expect(warnings.isEmpty)
    }

    @Test(arguments: [
        "h:4318", "grpc://h", "http://", "http:///x", "http://:80", "http://a b", "é",
    ])
    func `an endpoint that makes no sense is reported and ignored`(url: String) {
        let (configuration, warnings) = read(["OTEL_EXPORTER_OTLP_ENDPOINT": url])
        #expect(configuration.exporter == OTLPEndpoint())
        #expect(warnings.count == 1)
        #expect(warnings.first?.contains(url) == true)
    }

    @Test(arguments: [
        (["OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"], 0),
        (["OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"], 1),
        (["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/json"], 1),
        (
            [
                "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
                "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/protobuf",
            ], 0
        ),
    ])
    func `a protocol that is not spoken is reported`(values: [String: String], count: Int) {
        #expect(read(values).warnings.count == count)
    }

    @Test(
        arguments: [
            ("otlp", .otlp, 0), ("OTLP", .otlp, 0), ("none", .none, 0), ("console", .otlp, 1),
            ("file", .file(LogFile(path: "spans.jsonl")), 0),
        ] as [(String, SkeinConfiguration.Destination, Int)]
    )
    func `the exporter is read`(
        name: String,
        destination: SkeinConfiguration.Destination,
        count: Int
    ) {
        let (configuration, warnings) = read([
            "OTEL_TRACES_EXPORTER": name, "SKEIN_TRACES_FILE": "spans.jsonl",
        ])
        #expect(configuration.destination == destination)
        #expect(warnings.count == count)
    }

    @Test func `a file keeps what the code says of it, and needs a path`() {
        var log = LogFile(path: "a.jsonl")
        log.fileCount = 9
        var configuration = SkeinConfiguration()
        configuration.destination = .file(log)
        log.path = "b.jsonl"
        let values = ["OTEL_TRACES_EXPORTER": "file", "SKEIN_TRACES_FILE": "b.jsonl"]
        #expect(read(values, configuration).configuration.destination == .file(log))
        let (left, warnings) = read(["OTEL_TRACES_EXPORTER": "file"])
        #expect(left.destination == .otlp)
        #expect(warnings.count == 1)
    }

    @Test(
        arguments: [("gzip", .gzip, 0), ("GZIP", .gzip, 0), ("none", .none, 0), ("zstd", .none, 1)]
            as [(String, OTLPEndpoint.Compression, Int)]
    )
    func `the compression is read`(
        text: String,
        compression: OTLPEndpoint.Compression,
        count: Int
    ) {
        let (configuration, warnings) = read(["OTEL_EXPORTER_OTLP_COMPRESSION": text])
        #expect(configuration.exporter.compression == compression)
        #expect(warnings.count == count)
        let narrower = read([
            "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
            "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION": "none",
        ])
        #expect(narrower.configuration.exporter.compression == .none)
    }

    @Test func `headers are read, the narrower variable winning`() {
        let (configuration, warnings) = read([
            "OTEL_EXPORTER_OTLP_HEADERS": "Authorization=Bearer%20x,tenant=a",
            "OTEL_EXPORTER_OTLP_TRACES_HEADERS": "tenant=b,bad=a%0d%0ab",
            "OTEL_EXPORTER_OTLP_TIMEOUT": "2500",
        ])
        #expect(
            configuration.exporter.headers == [
                .init(name: "Authorization", value: "Bearer x"), .init(name: "tenant", value: "b"),
            ]
        )
        #expect(configuration.exporter.timeout == .milliseconds(2_500))
        #expect(warnings.count == 1)
    }

    @Test(
        arguments: [
            ("always_on", nil, [true, true, true, true]),
            ("always_off", nil, [false, false, false, false]),
            ("traceidratio", "0.5", [false, true, false, true]),
            ("parentbased_always_on", nil, [true, true, true, false]),
            ("parentbased_always_off", nil, [false, false, true, false]),
            ("parentbased_traceidratio", "0.5", [false, true, true, false]),
            ("PARENTBASED_TRACEIDRATIO", "0", [false, false, true, false]),
        ] as [(String, String?, [Bool])]
    )
    func `the sampler is read`(name: String, argument: String?, expected: [Bool]) {
        var values = ["OTEL_TRACES_SAMPLER": name]
        values["OTEL_TRACES_SAMPLER_ARG"] = argument
        let (configuration, warnings) = read(values)
        let sampler = configuration.tracer.sampler
        let high: UInt64 = 0x80_0000_0000_0000
        let decisions = [
            isSampled(sampler, low: 1, parent: nil), isSampled(sampler, low: high, parent: nil),
            isSampled(sampler, low: 1, parent: true), isSampled(sampler, low: high, parent: false),
        ]
        #expect(decisions == expected)
        #expect(warnings.isEmpty)
    }

    @Test(arguments: ["2", "-0.1", "nan", "half", "0.5 "])
    func `a ratio that makes no sense is reported and reads 1`(argument: String) {
        let (configuration, warnings) = read([
            "OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": argument,
        ])
        #expect(isSampled(configuration.tracer.sampler, low: 0, parent: nil))
        #expect(warnings.count == 1)
    }

    @Test func `unknown samplers and propagators are reported and left out`() {
        let (configuration, warnings) = read([
            "OTEL_TRACES_SAMPLER": "xray", "OTEL_PROPAGATORS": "baggage, ottrace",
        ])
        #expect(isSampled(configuration.tracer.sampler, low: 0, parent: nil))
        #expect(configuration.tracer.propagators.flatMap(\.keys) == ["baggage"])
        #expect(warnings.count == 2)
        #expect(read(["OTEL_PROPAGATORS": "none"]).configuration.tracer.propagators.isEmpty)
    }

    @Test func `limits are read and nonsense is not`() {
        let (configuration, warnings) = read([
            "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": "3", "OTEL_ATTRIBUTE_COUNT_LIMIT": "9",
            "OTEL_SPAN_EVENT_COUNT_LIMIT": "-1", "OTEL_SPAN_LINK_COUNT_LIMIT": "many",
            "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT": "64", "OTEL_BSP_MAX_QUEUE_SIZE": "10",
            "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "5", "OTEL_BSP_SCHEDULE_DELAY": "100",
        ])
        #expect(configuration.tracer.limits.attributeCount == 3)
        #expect(configuration.tracer.limits.eventCount == 128)
        #expect(configuration.tracer.limits.linkCount == 128)
        #expect(configuration.tracer.limits.attributeValueLength == 64)
        #expect(configuration.pipeline.limits.spanCount == 10)
        #expect(configuration.pipeline.limits.batchSpanCount == 5)
        #expect(configuration.pipeline.limits.delay == .milliseconds(100))
        #expect(warnings.count == 2)
    }

    @Test func `a queue that memory does not hold is bounded, and said`() async {
        var (configuration, warnings) = read(["OTEL_BSP_MAX_QUEUE_SIZE": "2147483647"])
        #expect(warnings.count == 1)
        configuration.pipeline.limits.spanCount = .max
        let exporter = ScriptedExporter()
        let pipeline = SpanPipeline(exporter: exporter, options: configuration.pipeline)
        let tracer = SkeinTracer(resource: Resource(serviceName: "x"), pipeline: pipeline)
        tracer.span("one") { _ in }
        #expect(await pipeline.shutdown())
        #expect(pipeline.counters.exportedCount == 1)
    }

    @Test func `addresses of spans and statistics move together`() {
        var own = SkeinConfiguration()
        own.exporter.metricsURL = "http://metrics:9/v1/metrics"
        let kept = own.applying(TracingEnvironment([:])).exporter
        #expect(kept.metricsURL == "http://metrics:9/v1/metrics")
        let moved = own.applying(
            TracingEnvironment(["OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:1/base"])
        ).exporter
        #expect(moved == OTLPEndpoint(baseURL: "http://c:1/base"))
        let traces = own.applying(
            TracingEnvironment(["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c:1/v1/traces"])
        ).exporter
        #expect(traces.metricsURL == "http://c:1/v1/metrics")
    }

    @Test(arguments: [("true", false), ("TRUE", false), ("false", true), ("1", true)])
    func `can be switched off`(text: String, isEnabled: Bool) {
        #expect(read(["OTEL_SDK_DISABLED": text]).configuration.tracer.isEnabled == isEnabled)
    }

    @Test(arguments: ["0", "-1"])
    func `a batch size or delay of nothing does not stop the exports`(text: String) async {
        var configuration = read([
            "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": text, "OTEL_BSP_SCHEDULE_DELAY": text,
        ]).configuration
        configuration.pipeline.clock = ManualClock()
        let exporter = ScriptedExporter()
        let pipeline = SpanPipeline(exporter: exporter, options: configuration.pipeline)
        SkeinTracer(resource: configuration.resource, pipeline: pipeline).startSpan("a").end()
        #expect(await pipeline.shutdown())
        #expect(exporter.sent == [["a"]])
    }
}

@Suite struct SkeinTracingTests {
    @Test func `sets the process up once`() async {
        let exporter = ScriptedExporter()
        let warnings = Warnings()
        var configuration = SkeinConfiguration(serviceName: "bootstrapped")
        configuration.pipeline.onWarning = { warnings.add($0) }
        let environment = TracingEnvironment(["OTEL_RESOURCE_ATTRIBUTES": "zone=eu"])
        let first = SkeinTracing.bootstrap(
            configuration,
            exporter: exporter,
            environment: environment
        )
        let second = SkeinTracing.bootstrap(
            configuration,
            exporter: ScriptedExporter(),
            environment: environment
        )
        #expect(first.tracer === second.tracer)
        #expect(warnings.all.count == 1)
        withSpan("global") { _ in }
        #expect(await first.flush())
        #expect(exporter.sent == [["global"]])
        #expect(first.counters.exportedCount == 1)
        #expect(first.tracer.resource.attributes.get("zone") == "eu")
        #expect(await first.shutdown())
        #expect(exporter.isShutDown)
    }
}
