// SPDX-License-Identifier: Apache-2.0

public import Engine
public import Receivers

/// Everything a server can be told.
public struct ServerConfiguration: Sendable {
    /// Where the spans are kept. A folder of its own, made when it is not there.
    public var dataDirectory = "skein-data"
    /// The page, the native and Jaeger's interface.
    public var http = ListenAddress(host: "127.0.0.1", port: 16686)
    /// OTLP over HTTP.
    public var otlpHTTP = ListenAddress(host: "127.0.0.1", port: 4318)
    /// OTLP over gRPC.
    public var otlpGRPC = ListenAddress(host: "127.0.0.1", port: 4317)
    /// Zipkin's interfaces, both ways.
    public var zipkin = ListenAddress(host: "127.0.0.1", port: 9411)
    /// Jaeger's query interface over gRPC; `nil` for none.
    public var jaegerGRPC: ListenAddress?
    /// Tempo's query interface on a port of its own; `nil` for none.
    public var tempo: ListenAddress?
    /// Tempo's streaming query interface over gRPC; `nil` for none.
    public var tempoGRPC: ListenAddress?
    /// How long spans are kept.
    public var retention = Retention.standard
    /// How long minute totals are kept; `nil` for 90 days, or as long as spans where that is longer.
    public var totalsRetention: Retention?
    /// How many bytes of spans are kept.
    public var retentionBytes = ByteLimit.unlimited
    /// When a request is acknowledged.
    public var durability = EngineOptions.Durability.fsync
    /// Whether other machines may reach ports that anyone can use.
    public var isInsecureOpen = false
    /// Serves the page from this folder instead of the one in the binary, for work on the page.
    public var webDirectory: String?

    /// By setting: where it was made. A setting that is not there has its default.
    var origins: [ConfigurationSources.Key: String] = [:]

    /// The defaults.
    public init() {}

    /// Refuses ports that other machines can reach, unless that was asked for.
    ///
    /// - Throws: `ConfigurationError`, which says what to do.
    public func checkExposure() throws(ConfigurationError) {
        guard !isInsecureOpen else { return }
        for listener in Listener.allCases {
            guard let address = self[listener], !address.isLoopback else { continue }
            throw ConfigurationError(
                """
                --\(listener.rawValue) \(address) can be reached from other machines, and \
                this version does not ask who they are. Listen on 127.0.0.1 or [::1], or add \
                --insecure-open if everyone who can reach this machine may read and write traces
                """
            )
        }
    }

    /// How long minute totals are kept after all; `nil` for ever.
    public var totalsDuration: Duration? {
        if let totalsRetention { return totalsRetention.duration }
        guard let spans = retention.duration, let standard = EngineOptions().totalsRetention else {
            return nil
        }
        return max(spans, standard)
    }

    /// Refuses totals that would go before their spans.
    ///
    /// - Throws: `ConfigurationError`, which says what to do.
    public func checkTotals() throws(ConfigurationError) {
        guard let totalsRetention, let totals = totalsRetention.duration else { return }
        if let spans = retention.duration, spans <= totals { return }
        throw ConfigurationError(
            """
            --totals-retention \(totalsRetention) is shorter than --retention \(retention): totals count \
            spans that are gone. Give the same time to keep none, or a longer one
            """
        )
    }

    /// The listeners that are to be bound.
    var listeners: [Listener] { Listener.allCases.filter { self[$0] != nil } }

    /// The address of one listener, `nil` where it is not to be bound. Only those that are bound when
    /// asked for can be set to `nil`; the others stay as they are.
    public subscript(listener: Listener) -> ListenAddress? {
        get {
            switch listener {
            case .http: http
            case .otlpHTTP: otlpHTTP
            case .otlpGRPC: otlpGRPC
            case .zipkin: zipkin
            case .jaegerGRPC: jaegerGRPC
            case .tempo: tempo
            case .tempoGRPC: tempoGRPC
            }
        }
        set {
            switch listener {
            case .http: http = newValue ?? http
            case .otlpHTTP: otlpHTTP = newValue ?? otlpHTTP
            case .otlpGRPC: otlpGRPC = newValue ?? otlpGRPC
            case .zipkin: zipkin = newValue ?? zipkin
            case .jaegerGRPC: jaegerGRPC = newValue
            case .tempo: tempo = newValue
            case .tempoGRPC: tempoGRPC = newValue
            }
        }
    }
}

/// A port of the server. The raw value is its option and its name in the ports file.
public enum Listener: String, Sendable, CaseIterable {
    case http
    case otlpHTTP = "otlp-http"
    case otlpGRPC = "otlp-grpc"
    case zipkin
    /// Bound only when asked for.
    case jaegerGRPC = "jaeger-grpc"
    /// Bound only when asked for.
    case tempo
    /// Bound only when asked for.
    case tempoGRPC = "tempo-grpc"
}

/// A setting the server cannot work with.
public struct ConfigurationError: Error, Sendable, CustomStringConvertible {
    /// What is wrong, where it was said, and what would be right.
    public let description: String

    /// States the problem.
    public init(_ description: String) { self.description = description }
}
