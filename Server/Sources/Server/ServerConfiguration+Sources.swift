// SPDX-License-Identifier: Apache-2.0

internal import Engine
internal import Receivers

extension ServerConfiguration {
    /// Reads the configuration from its sources and checks it.
    ///
    /// - Parameter sources: command line, environment, file.
    /// - Throws: `ConfigurationError` for the first setting that is wrong: where it was made, what
    ///   is wrong, what is right.
    public init(from sources: ConfigurationSources) throws {
        self.init()
        for key in ConfigurationSources.Key.allCases {
            origins[key] = try sources.setting(key)?.origin
        }
        if let setting = try sources.setting(.data) { dataDirectory = setting.text }
        if let setting = try sources.setting(.webDirectory) { webDirectory = setting.text }
        for listener in Listener.allCases {
            guard let key = ConfigurationSources.Key(rawValue: listener.rawValue),
                let setting = try sources.setting(key)
            else { continue }
            self[listener] = try setting.parsed { try ListenAddress(parsing: $0) }
        }
        if let setting = try sources.setting(.retention) {
            retention = try setting.parsed { try Retention(parsing: $0) }
        }
        if let setting = try sources.setting(.retentionBytes) {
            retentionBytes = try setting.parsed { try ByteLimit(parsing: $0) }
        }
        if let setting = try sources.setting(.totalsRetention) {
            totalsRetention = try setting.parsed { try Retention(parsing: $0) }
        }
        if let setting = try sources.setting(.durability) {
            durability = try setting.parsed { try EngineOptions.Durability(parsing: $0) }
        }
        if let setting = try sources.setting(.insecureOpen) {
            isInsecureOpen = try setting.parsed(Self.flag)
        }
        guard !dataDirectory.isEmpty else {
            throw ConfigurationError("--data names no folder; try --data skein-data")
        }
        try checkTotals()
        try checkExposure()
    }

    private static func flag(_ text: String) throws -> Bool {
        switch text.lowercased() {
        case "true", "yes", "1": true
        case "false", "no", "0", "": false
        default: throw ConfigurationError("\"\(text)\" is neither true nor false")
        }
    }
}

extension ConfigurationSources.Setting {
    /// Reads the text; what goes wrong is said with the place where the setting was made.
    fileprivate func parsed<Value>(_ parse: (String) throws -> Value) throws -> Value {
        do {
            return try parse(text)
        } catch {
            throw ConfigurationError("\(origin): \(error)")
        }
    }
}

extension EngineOptions.Durability {
    /// Reads `fsync` or `os`.
    fileprivate init(parsing text: String) throws {
        guard let known = Self(rawValue: text) else {
            let names = Self.allCases.map(\.rawValue)
            let meant = nearest(to: text, among: names).map { "; did you mean \($0)?" } ?? ""
            throw ConfigurationError(
                "\"\(text)\" is none of \(names.joined(separator: ", "))\(meant)"
            )
        }
        self = known
    }
}
