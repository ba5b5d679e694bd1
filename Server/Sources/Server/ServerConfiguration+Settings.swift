// SPDX-License-Identifier: Apache-2.0

internal import API
internal import Engine
internal import Receivers

extension ServerConfiguration {
    /// Every setting as it is in force, for people to read: none of them is a secret.
    var settings: [ReadAPI.Setting] {
        ConfigurationSources.Key.allCases.map { key in
            ReadAPI.Setting(name: key.rawValue, value: text(of: key), origin: origins[key])
        }
    }

    private func text(of key: ConfigurationSources.Key) -> String {
        switch key {
        case .data: dataDirectory
        case .webDirectory: webDirectory ?? "the page of this program"
        case .retention: "\(retention)"
        case .totalsRetention: totalsRetention.map { "\($0)" } ?? standardTotals
        case .retentionBytes: "\(retentionBytes)"
        case .durability: durability.rawValue
        case .insecureOpen: "\(isInsecureOpen)"
        case .http, .otlpHTTP, .otlpGRPC, .zipkin, .jaegerGRPC, .tempo, .tempoGRPC:
            Listener(rawValue: key.rawValue).flatMap { self[$0] }.map { "\($0)" } ?? "off"
        }
    }

    /// How long totals are kept where nobody says.
    private var standardTotals: String {
        guard let duration = totalsDuration else { return "forever" }
        return "\(duration.components.seconds / 86_400)d"
    }
}
