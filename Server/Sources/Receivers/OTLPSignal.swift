// SPDX-License-Identifier: Apache-2.0

internal import SkeinWire

extension OTLP.Signal {
    /// All of them.
    static let all: [OTLP.Signal] = [.traces, .metrics, .logs]

    /// What an HTTP path is for.
    init?(path: some StringProtocol) {
        switch path {
        case "/v1/traces": self = .traces
        case "/v1/metrics": self = .metrics
        case "/v1/logs": self = .logs
        default: return nil
        }
    }

    /// Whether requests are read: of metrics, call statistics are kept.
    var isKept: Bool { self != .logs }

    /// What senders of another signal are told.
    var notKeptMessage: String {
        """
        Skein keeps traces only: these \(name) were received and not kept. Point the exporter of \
        \(name) elsewhere, or switch it off
        """
    }

    private var name: String {
        switch self {
        case .traces: "traces"
        case .metrics: "metrics"
        case .logs: "logs"
        }
    }
}
