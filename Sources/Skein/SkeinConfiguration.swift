// SPDX-License-Identifier: Apache-2.0

public import Tracing

/// All that `SkeinTracing.bootstrap(_:)` needs to know; every default works.
///
/// The standard `OTEL_…` variables win over what the code sets, so that who runs a program can
/// change it; `applying(_:)` lists them.
public struct SkeinConfiguration: Sendable {
    /// The attribute `service.name`; `nil` reads `unknown_service:` and the program's name.
    public var serviceName: String?
    /// Further attributes of the resource.
    public var resourceAttributes: SpanAttributes = [:]
    /// By which exporter spans go.
    public var destination = Destination.otlp
    /// Where spans go that are exported as OTLP.
    public var exporter = OTLPEndpoint()
    /// Whom to ask how to sample; what is answered takes the place of `tracer.sampler`. `nil` asks
    /// nobody. Needs the trait `OTLPHTTP`.
    public var remoteSampling: RemoteSampling?
    /// Sampler, propagators and span limits.
    public var tracer = TracerOptions()
    /// How long the end of the process waits for what has ended to be exported, where nobody called
    /// `shutdown` before: `exit` and the return from the main function. `nil` does not wait.
    public var exitTimeout: Duration? = .seconds(5)
    /// Whether `SIGTERM` exports what has ended, within `exitTimeout`, before it ends the process. It
    /// has no effect where the program handles the signal itself: call `shutdown` there.
    public var exportsOnTermination = false
    /// Buffer, retries and where trouble is reported.
    public var pipeline = PipelineOptions()

    /// Makes the default configuration: all traces, to a collector on this machine.
    ///
    /// - Parameter serviceName: The attribute `service.name`.
    public init(serviceName: String? = nil) { self.serviceName = serviceName }

    /// The exporters that `SkeinTracing.bootstrap(_:)` can make.
    public enum Destination: Sendable, Hashable {
        /// OTLP, to `SkeinConfiguration.exporter`. Needs the trait of the endpoint's `wire`.
        case otlp
        #if Zipkin
        /// Zipkin v2 JSON.
        case zipkin(ZipkinEndpoint)
        #endif
        /// A file on this machine.
        case file(LogFile)
        /// None: contexts are passed on untouched, and nothing is recorded.
        case none
    }

    /// The resource that the names and attributes make.
    public var resource: Resource {
        Resource(
            serviceName: serviceName ?? "unknown_service:\(Transport.processName)",
            attributes: resourceAttributes
        )
    }
}

/// A receiver of OTLP.
public struct OTLPEndpoint: Sendable, Hashable {
    /// The full address that spans are posted to; of one for gRPC scheme, host and port.
    public var tracesURL: String
    /// The full address that call statistics are posted to; of one for gRPC scheme, host and port.
    public var metricsURL: String
    /// How requests travel.
    public var wire = Wire.http
    /// Headers sent with each request, such as a token.
    public var headers: [Header] = []
    /// Longest wait for the answer to one request.
    public var timeout = Duration.seconds(10)
    /// How bodies are packed.
    public var compression = Compression.none

    /// How requests travel. Each way needs its trait.
    public enum Wire: Sendable, Hashable {
        /// Protobuf over HTTP. Needs the trait `OTLPHTTP`.
        case http
        #if GRPC
        /// Over gRPC.
        case grpc
        #endif
    }

    /// How the bodies of requests are packed.
    public enum Compression: String, Sendable, Hashable, CaseIterable {
        /// As they are.
        case none
        /// By gzip: about a fifth of the bytes for some ten milliseconds of CPU a megabyte.
        case gzip
    }

    /// One header of a request.
    public struct Header: Sendable, Hashable {
        /// The name.
        public var name: String
        /// The value.
        public var value: String

        /// Pairs a name with a value.
        public init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    /// Makes an endpoint of the receiver's base address, to which `/v1/traces` and `/v1/metrics` are
    /// added.
    ///
    /// - Parameter baseURL: `http://` or `https://`, host and, where needed, port and path.
    public init(baseURL: String = "http://127.0.0.1:4318") {
        // The slashes of a scheme without a host stay, so that `problem` still sees it.
        let endsInSlash = baseURL.hasSuffix("/") && !baseURL.hasSuffix("//")
        let base = endsInSlash ? String(baseURL.dropLast()) : baseURL
        tracesURL = base + "/v1/traces"
        metricsURL = base + "/v1/metrics"
    }

    /// Makes an endpoint of the full address that spans are posted to. Where it ends in `/traces`,
    /// call statistics go to `/metrics` beside it, else to the address itself with `/metrics` added.
    public init(tracesURL: String) {
        self.tracesURL = tracesURL
        let suffix = "/traces"
        metricsURL =
            (tracesURL.hasSuffix(suffix) ? String(tracesURL.dropLast(suffix.count)) : tracesURL)
            + "/metrics"
    }

    #if GRPC
    /// Makes an endpoint that is spoken to over gRPC.
    ///
    /// - Parameter grpcURL: `http://` or `https://`, host and, where it is not 4317, port.
    public init(grpcURL: String) {
        tracesURL = grpcURL
        metricsURL = grpcURL
        wire = .grpc
    }
    #endif

    /// The name of `wire` in the environment.
    var protocolName: String {
        switch wire {
        case .http: "http/protobuf"
        #if GRPC
        case .grpc: "grpc"
        #endif
        }
    }

    /// Why `tracesURL` cannot be posted to; `nil` where it looks as it should.
    var problem: String? { HTTPAddress.problem(tracesURL) }
}

/// What can be said of an address without asking anybody.
enum HTTPAddress {
    /// Why requests cannot be sent to `url`; `nil` where it looks as it should.
    static func problem(_ url: String) -> String? {
        let text = url.lowercased()
        guard let scheme = ["http://", "https://"].first(where: text.hasPrefix) else {
            return "'\(url)' does not begin with http:// or https://"
        }
        let rest = text.dropFirst(scheme.count)
        guard let first = rest.first, first != "/", first != ":" else {
            return "'\(url)' names no host"
        }
        guard rest.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            return "'\(url)' holds a blank or a character outside of ASCII"
        }
        return nil
    }
}
