// SPDX-License-Identifier: Apache-2.0

internal import SkeinPropagation
internal import SkeinSampling
internal import Tracing

/// The environment variables of a process, or a table that stands for them.
public struct TracingEnvironment: Sendable {
    private let look: @Sendable (String) -> String?

    /// The variables of this process.
    public static let process = TracingEnvironment(look: { Transport.environment($0) })

    /// A table of variables.
    public init(_ values: [String: String]) { self.init(look: { values[$0] }) }

    private init(look: @escaping @Sendable (String) -> String?) { self.look = look }

    /// The value of a variable; an empty one counts as not set, as OpenTelemetry asks.
    subscript(_ name: String) -> String? {
        guard let value = look(name), !value.isEmpty else { return nil }
        guard value.utf8.count <= Limits.environmentByteCount else { return nil }
        return value
    }
}

extension SkeinConfiguration {
    /// This configuration with what the environment says in place.
    ///
    /// Read are `OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES`, `OTEL_EXPORTER_OTLP_ENDPOINT`,
    /// `OTEL_EXPORTER_OTLP_HEADERS`, `OTEL_EXPORTER_OTLP_TIMEOUT`, `OTEL_EXPORTER_OTLP_COMPRESSION` and
    /// `OTEL_EXPORTER_OTLP_PROTOCOL` (each also with `TRACES_` before its last word),
    /// `OTEL_TRACES_EXPORTER`, `SKEIN_TRACES_FILE`, `OTEL_TRACES_SAMPLER`, `OTEL_TRACES_SAMPLER_ARG`,
    /// `OTEL_PROPAGATORS`, `OTEL_BSP_…` and `OTEL_SPAN_…` limits, `OTEL_SDK_DISABLED`,
    /// `OTEL_EXPORTER_OTLP_METRICS_ENDPOINT`, `SKEIN_CALL_STATISTICS` and `SKEIN_RECORDING`. A value that makes no sense is reported to `pipeline.onWarning` and otherwise ignored.
    public func applying(_ environment: TracingEnvironment) -> SkeinConfiguration {
        var reader = EnvironmentReader(
            environment: environment,
            configuration: self,
            warn: pipeline.onWarning
        )
        reader.readResource()
        reader.readDestination()
        reader.readEndpoint()
        reader.readSampler()
        reader.readPropagators()
        reader.readLimits()
        if let text = environment["OTEL_SDK_DISABLED"] {
            reader.configuration.tracer.isEnabled = text.lowercased() != "true"
        }
        reader.readSwitches()
        return reader.configuration
    }
}

/// Turns variables into configuration, one group at a time.
private struct EnvironmentReader {
    let environment: TracingEnvironment
    var configuration: SkeinConfiguration
    let warn: @Sendable (String) -> Void

    mutating func readResource() {
        let name = "OTEL_RESOURCE_ATTRIBUTES"
        if let text = environment[name] {
            let attributes = pairs(text, of: name)
            for (key, value) in attributes where key != "service.name" {
                configuration.resourceAttributes.set(key, value: .string(value))
            }
            if let service = attributes.last(where: { $0.key == "service.name" })?.value {
                configuration.serviceName = service
            }
        }
        if let service = environment["OTEL_SERVICE_NAME"] { configuration.serviceName = service }
    }

    /// `OTEL_TRACES_EXPORTER`, and the path or address that goes with it.
    mutating func readDestination() {
        guard let name = environment["OTEL_TRACES_EXPORTER"] else { return }
        switch name.lowercased() {
        case "otlp": configuration.destination = .otlp
        case "none": configuration.destination = .none
        case "file": readLogFile()
        case "zipkin": readZipkin()
        default:
            warn(
                """
                OTEL_TRACES_EXPORTER '\(name)' is not known here; otlp, zipkin, file and none are. \
                The exporter stays as it was.
                """
            )
        }
    }

    private mutating func readLogFile() {
        var log: LogFile?
        if case .file(let known) = configuration.destination { log = known }
        if let path = environment["SKEIN_TRACES_FILE"] {
            log = log ?? LogFile(path: path)
            log?.path = path
        }
        if let log {
            configuration.destination = .file(log)
        } else {
            warn("OTEL_TRACES_EXPORTER is 'file': name it by SKEIN_TRACES_FILE. It is ignored.")
        }
    }

    private mutating func readZipkin() {
        #if Zipkin
        var endpoint = ZipkinEndpoint()
        if case .zipkin(let known) = configuration.destination { endpoint = known }
        if let url = environment["OTEL_EXPORTER_ZIPKIN_ENDPOINT"] {
            if let problem = HTTPAddress.problem(url) {
                warn("The Zipkin endpoint \(problem); \(endpoint.spansURL) is used.")
            } else {
                endpoint.spansURL = url
            }
        }
        if let count = number("OTEL_EXPORTER_ZIPKIN_TIMEOUT") {
            endpoint.timeout = .milliseconds(count)
        }
        configuration.destination = .zipkin(endpoint)
        #else
        warn("OTEL_TRACES_EXPORTER is 'zipkin', and this build has not got the trait Zipkin.")
        #endif
    }

    mutating func readEndpoint() {
        var endpoint = configuration.exporter
        readProtocol(into: &endpoint)
        let known = endpoint
        if let url = environment["OTEL_EXPORTER_OTLP_ENDPOINT"] {
            endpoint.move(to: url, as: OTLPEndpoint(baseURL: url))
        }
        if let url = environment["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] {
            endpoint.move(to: url, as: OTLPEndpoint(tracesURL: url))
        }
        if let problem = endpoint.problem {
            warn("The OTLP endpoint \(problem); \(known.tracesURL) is used.")
            endpoint.tracesURL = known.tracesURL
            endpoint.metricsURL = known.metricsURL
        }
        if let url = environment["OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"] {
            if let problem = HTTPAddress.problem(url) {
                warn("The OTLP endpoint of metrics \(problem); \(endpoint.metricsURL) is used.")
            } else {
                endpoint.metricsURL = url
            }
        }
        for name in ["OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_TRACES_HEADERS"] {
            guard let text = environment[name] else { continue }
            for (key, value) in pairs(text, of: name) {
                guard value.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) else {
                    warn("The value of \(key) in \(name) is no header value; it is left out.")
                    continue
                }
                endpoint.headers.removeAll { $0.name.lowercased() == key.lowercased() }
                endpoint.headers.append(.init(name: key, value: value))
            }
        }
        for name in ["OTEL_EXPORTER_OTLP_TIMEOUT", "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT"] {
            if let count = number(name) { endpoint.timeout = .milliseconds(count) }
        }
        for name in ["OTEL_EXPORTER_OTLP_COMPRESSION", "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION"] {
            guard let text = environment[name] else { continue }
            if let compression = OTLPEndpoint.Compression(rawValue: text.lowercased()) {
                endpoint.compression = compression
            } else {
                warn("\(name) '\(text)' is not known here; gzip and none are. It is ignored.")
            }
        }
        configuration.exporter = endpoint
    }

    /// Who asked for a protocol that is not spoken should know. An address that nobody chose is that of
    /// the protocol.
    private func readProtocol(into endpoint: inout OTLPEndpoint) {
        for name in ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"] {
            guard let text = environment[name] else { continue }
            switch text.lowercased() {
            case "http/protobuf":
                guard endpoint.wire != .http else { return }
                endpoint.wire = .http
                endpoint.move(to: "", as: OTLPEndpoint())
            #if GRPC
            case "grpc":
                guard endpoint.wire != .grpc else { return }
                endpoint.wire = .grpc
                endpoint.move(to: "http://127.0.0.1:4317", as: OTLPEndpoint())
            #endif
            default: warn("\(name) '\(text)' is not spoken here; \(endpoint.protocolName) is used.")
            }
            return
        }
    }

    mutating func readSampler() {
        guard let name = environment["OTEL_TRACES_SAMPLER"] else { return }
        let sampler: any Sampler
        switch name.lowercased() {
        case "always_on": sampler = AlwaysSampler()
        case "always_off": sampler = NeverSampler()
        case "traceidratio": sampler = RatioSampler(ratio())
        case "parentbased_always_on": sampler = ParentBasedSampler(root: AlwaysSampler())
        case "parentbased_always_off": sampler = ParentBasedSampler(root: NeverSampler())
        case "parentbased_traceidratio":
            sampler = ParentBasedSampler(root: RatioSampler(ratio()))
        case "jaeger_remote", "parentbased_jaeger_remote":
            configuration.remoteSampling = remoteSampling(followsParent: name.count > 13)
            return
        default:
            warn(
                """
                OTEL_TRACES_SAMPLER '\(name)' is not known here; always_on, always_off, \
                traceidratio, jaeger_remote and each of them after parentbased_ are. The sampler stays as it was.
                """
            )
            return
        }
        configuration.tracer.sampler = sampler
        configuration.remoteSampling = nil
    }

    /// `endpoint=…,pollingIntervalMs=…,initialSamplingRate=…`, each of which may be left out.
    private func remoteSampling(followsParent: Bool) -> RemoteSampling {
        let variable = "OTEL_TRACES_SAMPLER_ARG"
        var sampling = configuration.remoteSampling ?? RemoteSampling()
        sampling.followsParent = followsParent
        for (key, value) in pairs(environment[variable] ?? "", of: variable) {
            switch key {
            case "endpoint":
                if let problem = HTTPAddress.problem(value) {
                    warn("The sampling endpoint \(problem); \(sampling.url) is used.")
                } else {
                    sampling.url = value
                }
            case "pollingIntervalMs":
                if let count = number(value, of: "\(variable), \(key)") {
                    sampling.pollInterval = .milliseconds(count)
                }
            case "initialSamplingRate":
                if let ratio = Double(value), (0...1).contains(ratio) {
                    sampling.initialRatio = ratio
                } else {
                    warn("\(key) '\(value)' in \(variable) is not a number from 0 to 1.")
                }
            default: warn("'\(key)' in \(variable) is not known here and left out.")
            }
        }
        return sampling
    }

    /// `SKEIN_RECORDING`: the switch that `SkeinTracer.isRecording` moves later.
    /// And `SKEIN_CALL_STATISTICS`.
    mutating func readSwitches() {
        if let isOn = isOn("SKEIN_RECORDING") { configuration.tracer.isRecording = isOn }
        if let isOn = isOn("SKEIN_CALL_STATISTICS") { configuration.tracer.countsCalls = isOn }
    }

    private func isOn(_ name: String) -> Bool? {
        guard let text = environment[name] else { return nil }
        switch text.lowercased() {
        case "on": return true
        case "off": return false
        default:
            warn("\(name) '\(text)' is neither on nor off; it is ignored.")
            return nil
        }
    }

    mutating func readPropagators() {
        guard let text = environment["OTEL_PROPAGATORS"] else { return }
        var propagators: [any Propagator] = []
        for name in text.split(separator: ",") {
            switch name.filter({ $0 != " " }).lowercased() {
            case "tracecontext": propagators.append(W3CTraceContext())
            case "baggage": propagators.append(W3CBaggage())
            case "baggage-once": propagators.append(OnceBaggageHeader())
            case "b3": propagators.append(B3(.single))
            case "b3multi": propagators.append(B3(.multiple))
            case "jaeger": propagators.append(JaegerContext())
            case "xray": propagators.append(XRay())
            case "sw8":
                let service = configuration.resource.serviceName
                propagators.append(SkyWalkingContext(service: service))
            case "none": break
            case let other:
                warn("'\(other)' in OTEL_PROPAGATORS is not known here and left out.")
            }
        }
        configuration.tracer.propagators = propagators
    }

    mutating func readLimits() {
        let attributeCounts = ["OTEL_ATTRIBUTE_COUNT_LIMIT", "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT"]
        for name in attributeCounts { read(name, into: \.tracer.limits.attributeCount) }
        read("OTEL_SPAN_EVENT_COUNT_LIMIT", into: \.tracer.limits.eventCount)
        read("OTEL_SPAN_LINK_COUNT_LIMIT", into: \.tracer.limits.linkCount)
        read("OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", into: \.tracer.limits.attributeCountPerEvent)
        read("OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", into: \.tracer.limits.attributeCountPerLink)
        let lengths = [
            "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT",
        ]
        for name in lengths {
            if let count = number(name) { configuration.tracer.limits.attributeValueLength = count }
        }
        read("OTEL_BSP_MAX_QUEUE_SIZE", into: \.pipeline.limits.spanCount)
        if configuration.pipeline.limits.spanCount > Limits.spanCountMax {
            warn("OTEL_BSP_MAX_QUEUE_SIZE is above \(Limits.spanCountMax); that is used.")
        }
        read("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", into: \.pipeline.limits.batchSpanCount)
        if let count = number("OTEL_BSP_SCHEDULE_DELAY") {
            configuration.pipeline.limits.delay = .milliseconds(count)
        }
    }

    private mutating func read(_ name: String, into path: WritableKeyPath<SkeinConfiguration, Int>)
    {
        if let count = number(name) { configuration[keyPath: path] = count }
    }

    private func ratio() -> Double {
        guard let text = environment["OTEL_TRACES_SAMPLER_ARG"] else { return 1 }
        guard let ratio = Double(text), (0...1).contains(ratio) else {
            warn("OTEL_TRACES_SAMPLER_ARG '\(text)' is not a number from 0 to 1; 1 is used.")
            return 1
        }
        return ratio
    }

    private func number(_ name: String) -> Int? {
        guard let text = environment[name] else { return nil }
        return number(text, of: name)
    }

    private func number(_ text: String, of name: String) -> Int? {
        guard let count = Int(text), (0...Int(Int32.max)).contains(count) else {
            warn("\(name) '\(text)' is not a whole number from 0 to \(Int32.max); it is ignored.")
            return nil
        }
        return count
    }

    /// `key=value` pairs after each other, escaped as in W3C's baggage.
    private func pairs(_ text: String, of name: String) -> [(key: String, value: String)] {
        let baggage = Baggage(header: text)
        if baggage.droppedCount > 0 {
            warn("\(baggage.droppedCount) parts of \(name) are not of the form key=value.")
        }
        return baggage.members.map { ($0.key, $0.value) }
    }
}

extension OTLPEndpoint {
    /// Takes the addresses of another for HTTP; for gRPC one address does for all.
    fileprivate mutating func move(to url: String, as other: OTLPEndpoint) {
        tracesURL = wire == .http ? other.tracesURL : url
        metricsURL = wire == .http ? other.metricsURL : url
    }
}
