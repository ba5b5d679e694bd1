// SPDX-License-Identifier: Apache-2.0

import Foundation
import Receivers
import Server
import Testing

@Suite struct ServerConfigurationTests {
    static func configuration(
        options: [ConfigurationSources.Key: String] = [:],
        environment: [String: String] = [:],
        file: String? = nil
    ) throws -> ServerConfiguration {
        try ServerConfiguration(
            from: ConfigurationSources(options: options, environment: environment, filePath: file)
        )
    }

    /// Runs `body` with the path of a file that has this content.
    static func withFile(_ content: String, _ body: (String) throws -> Void) throws {
        let file = FileManager.default.temporaryDirectory
            .appendingPathComponent("skein-configuration-\(UUID().uuidString).json")
        try Data(content.utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        try body(file.path)
    }

    static func message(
        options: [ConfigurationSources.Key: String] = [:],
        environment: [String: String] = [:],
        file: String? = nil
    ) throws -> String {
        let error = #expect(throws: ConfigurationError.self) {
            try configuration(options: options, environment: environment, file: file)
        }
        return error?.description ?? ""
    }

    @Test func `nothing said is the default, which only this machine can reach`() throws {
        let configuration = try Self.configuration()
        #expect(configuration.http.description == "127.0.0.1:16686")
        #expect(configuration.otlpHTTP.description == "127.0.0.1:4318")
        #expect(configuration.otlpGRPC.description == "127.0.0.1:4317")
        #expect(configuration.zipkin.description == "127.0.0.1:9411")
        #expect(configuration.retention.description == "7d")
        #expect(configuration.jaegerGRPC == nil)
        #expect(configuration.tempo == nil && configuration.tempoGRPC == nil)
        #expect(Listener.allCases.allSatisfy { configuration[$0]?.isLoopback != false })
    }

    @Test func `an option counts before the environment, and that before the file`() throws {
        try Self.withFile(#"{"retention": "1h", "data": "of-file", "zipkin": "127.0.0.1:3"}"#) {
            let configuration = try Self.configuration(
                options: [.retention: "3h"],
                environment: ["SKEIN_RETENTION": "2h", "SKEIN_ZIPKIN": "127.0.0.1:2"],
                file: $0
            )
            #expect(configuration.retention.description == "3h")
            #expect(configuration.zipkin.port == 2)
            #expect(configuration.dataDirectory == "of-file")
        }
    }

    @Test func `the environment may name the file`() throws {
        try Self.withFile(#"{"otlp-http": "127.0.0.1:77", "insecure-open": true}"#) {
            let configuration = try Self.configuration(environment: ["SKEIN_CONFIG": $0])
            #expect(configuration.otlpHTTP.port == 77)
            #expect(configuration.isInsecureOpen)
        }
    }

    @Test(arguments: Listener.allCases)
    func `an address that others can reach must be asked for`(_ listener: Listener) throws {
        let key = try #require(ConfigurationSources.Key(rawValue: listener.rawValue))
        let message = try Self.message(options: [key: "0.0.0.0:0"])
        #expect(message.contains("--\(listener.rawValue)"))
        #expect(message.contains("--insecure-open"))
        let open = try Self.configuration(options: [key: "0.0.0.0:0", .insecureOpen: "true"])
        #expect(open[listener]?.host == "0.0.0.0")
    }

    @Test(
        arguments: [
            (.durability, "fsink", "did you mean fsync?"), (.durability, "maybe", "fsync, os"),
            (.retention, "soon", "7d"), (.retention, "0d", "7d"), (.retention, "-1d", "7d"),
            (.retention, "9223372036854775807w", "forever"), (.http, "nowhere", "HOST:PORT"),
            (.zipkin, "127.0.0.1:99999", "99999"), (.insecureOpen, "perhaps", "true nor false"),
            (.data, "", "--data"),
        ] as [(ConfigurationSources.Key, String, String)]
    )
    func `a wrong value says where it stands and what is right`(
        _ key: ConfigurationSources.Key,
        _ value: String,
        _ hint: String
    ) throws {
        let ofOption = try Self.message(options: [key: value])
        #expect(ofOption.contains(hint))
        #expect(ofOption.contains("--\(key.rawValue)"))
        guard !value.isEmpty else { return }
        let name = "SKEIN_" + key.rawValue.uppercased().replacing("-", with: "_")
        let ofEnvironment = try Self.message(environment: [name: value])
        #expect(ofEnvironment.contains(hint))
        #expect(ofEnvironment.contains(name))
    }

    @Test func `sites that may frame the page are repeated, joined or listed`() throws {
        #expect(try Self.configuration().embedIn.sources.isEmpty)
        let wanted = ["'self'", "https://grafana.example", "http://127.0.0.1:3000"]
        let text = "self, https://Grafana.example,http://127.0.0.1:3000,self"
        #expect(try Self.configuration(options: [.embedIn: text]).embedIn.sources == wanted)
        let named = try Self.configuration(environment: ["SKEIN_EMBED_IN": text])
        #expect(named.embedIn.sources == wanted)
        let list = #"{"embed-in": ["self", "https://grafana.example", "http://127.0.0.1:3000"]}"#
        for content in [list, #"{"embed-in": "\#(text)"}"#] {
            try Self.withFile(content) { path in
                let told = try Self.configuration(file: path)
                #expect(told.embedIn.sources == wanted)
            }
        }
    }

    @Test(arguments: [
        "grafana.example", "*", "https://*.example", "https:", "https://", "https://a.example/path",
        "https://a.example; script-src *", "https://a.example 'unsafe-inline'",
        "https://a.example:0",
        "https://a.example:99999", "https://a.example:+80", "https://a@b.example",
        "https://[::1]:80",
        "javascript://a", "none", "https://ä.example", "https://a.example\r\nX: y",
        "https://" + String(repeating: "a", count: 254),
        (0..<33).map { "https://\($0).example" }.joined(separator: ","),
    ])
    func `what is no site to be framed by is refused with the reason`(_ text: String) throws {
        let message = try Self.message(options: [.embedIn: text])
        #expect(message.contains("--embed-in"))
        #expect(message.contains("https://grafana.example") || message.contains("32 may be"))
    }

    @Test func `a misspelt key of the file is told with what was meant`() throws {
        try Self.withFile(#"{"retentoin": "1d"}"#) {
            let message = try Self.message(file: $0)
            #expect(message.contains("did you mean \"retention\"?"))
        }
    }

    @Test(arguments: ["", "[]", "{", #"{"data": 5}"#])
    func `a file that is no object of settings is refused`(_ content: String) throws {
        try Self.withFile(content) { path in
            let message = try Self.message(file: path)
            #expect(message.contains(path))
        }
    }

    @Test func `a file that is not there is named`() throws {
        #expect(
            try Self.message(file: "/nonexistent/skein.json").contains("/nonexistent/skein.json")
        )
    }

    @Test func `totals are kept for 90 days, or as long as spans`() throws {
        #expect(try Self.configuration().totalsDuration == .seconds(90 * 86_400))
        let long = try Self.configuration(options: [.retention: "180d"])
        #expect(long.totalsDuration == .seconds(180 * 86_400))
        let ever = try Self.configuration(options: [.retention: "forever"])
        #expect(ever.totalsDuration == nil)
        let none = try Self.configuration(
            options: [.retention: "1d"],
            environment: ["SKEIN_TOTALS_RETENTION": "24h"]
        )
        #expect(none.totalsDuration == .seconds(86_400))
        let always = try Self.configuration(options: [.totalsRetention: "forever"])
        #expect(always.totalsDuration == nil)
    }

    @Test(arguments: [("7d", "1d"), ("forever", "90d")])
    func `totals that would go before their spans are refused`(
        _ spans: String,
        _ totals: String
    ) throws {
        let message = try Self.message(
            options: [.retention: spans, .totalsRetention: totals]
        )
        #expect(message.contains("--totals-retention \(totals)"))
        #expect(message.contains("--retention \(spans)"))
    }

    @Test(arguments: [
        ("90s", 90), ("30m", 1_800), ("12h", 43_200), ("7d", 604_800), ("2w", 1_209_600),
    ])
    func `a retention is a number and a unit`(_ text: String, _ seconds: Int) throws {
        let retention = try Retention(parsing: text)
        #expect(retention.duration == .seconds(seconds))
        #expect(retention.description == text)
        #expect(try Retention(parsing: "forever").duration == nil)
    }
}
