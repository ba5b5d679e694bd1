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
    /// Where spans go.
    public var exporter = OTLPEndpoint()
    /// Sampler, propagators and span limits.
    public var tracer = TracerOptions()
    /// Buffer, retries and where trouble is reported.
    public var pipeline = PipelineOptions()

    /// Makes the default configuration: all traces, to a collector on this machine.
    ///
    /// - Parameter serviceName: The attribute `service.name`.
    public init(serviceName: String? = nil) { self.serviceName = serviceName }

    /// The resource that the names and attributes make.
    public var resource: Resource {
        Resource(
            serviceName: serviceName ?? "unknown_service:\(Transport.processName)",
            attributes: resourceAttributes
        )
    }
}

/// A receiver of OTLP over HTTP.
public struct OTLPEndpoint: Sendable, Hashable {
    /// The full address that spans are posted to.
    public var tracesURL: String
    /// Headers sent with each request, such as a token.
    public var headers: [Header] = []
    /// Longest wait for the answer to one request.
    public var timeout = Duration.seconds(10)

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

    /// Makes an endpoint of the receiver's base address, to which `/v1/traces` is added.
    ///
    /// - Parameter baseURL: `http://` or `https://`, host and, where needed, port and path.
    public init(baseURL: String = "http://127.0.0.1:4318") {
        // The slashes of a scheme without a host stay, so that `problem` still sees it.
        let endsInSlash = baseURL.hasSuffix("/") && !baseURL.hasSuffix("//")
        tracesURL = (endsInSlash ? String(baseURL.dropLast()) : baseURL) + "/v1/traces"
    }

    /// Makes an endpoint of the full address that spans are posted to.
    public init(tracesURL: String) { self.tracesURL = tracesURL }

    /// Why `tracesURL` cannot be posted to; `nil` where it looks as it should.
    var problem: String? {
        let text = tracesURL.lowercased()
        guard let scheme = ["http://", "https://"].first(where: text.hasPrefix) else {
            return "'\(tracesURL)' does not begin with http:// or https://"
        }
        let rest = text.dropFirst(scheme.count)
        guard let first = rest.first, first != "/", first != ":" else {
            return "'\(tracesURL)' names no host"
        }
        guard rest.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            return "'\(tracesURL)' holds a blank or a character outside of ASCII"
        }
        return nil
    }
}
