// SPDX-License-Identifier: Apache-2.0

internal import Configuration
internal import FoundationEssentials

/// Where settings come from, the strongest first: the command line, the environment (`SKEIN_…`), a
/// JSON file whose keys are the options' names.
public struct ConfigurationSources: Sendable {
    /// The name of every setting, as its option has it without the dashes.
    public enum Key: String, Sendable, CaseIterable {
        case data, http
        case otlpHTTP = "otlp-http"
        case otlpGRPC = "otlp-grpc"
        case zipkin, retention, durability
        case jaegerGRPC = "jaeger-grpc"
        case tempo
        case tempoGRPC = "tempo-grpc"
        case retentionBytes = "retention-bytes"
        case totalsRetention = "totals-retention"
        case embedIn = "embed-in"
        case insecureOpen = "insecure-open"
        case webDirectory = "web-dir"
    }

    /// A setting as text, and where it was found, for messages.
    public struct Setting: Sendable {
        public let text: String
        public let origin: String
    }

    private let options: [Key: String]
    private let environment: EnvironmentVariablesProvider
    private let file: (path: String, values: JSONSnapshot)?

    /// Joins the sources.
    ///
    /// - Parameters:
    ///   - options: what the command line says.
    ///   - environment: the process's variables, or `nil` for the real ones.
    ///   - filePath: the file of `--config`; where there is none, `SKEIN_CONFIG` names it.
    /// - Throws: `ConfigurationError` when the file cannot be read or has a key that nothing is
    ///   called by.
    public init(
        options: [Key: String],
        environment: [String: String]? = nil,
        filePath: String?
    ) throws {
        self.options = options
        if let environment {
            self.environment = EnvironmentVariablesProvider(environmentVariables: environment)
        } else {
            self.environment = EnvironmentVariablesProvider()
        }
        let named = try self.environment.value(
            forKey: AbsoluteConfigKey(["skein", "config"]),
            type: .string
        )
        var path = filePath
        if path == nil, case .string(let text) = named.value?.content { path = text }
        guard let path else {
            file = nil
            return
        }
        do {
            let bytes = [UInt8](try Data(contentsOf: URL(filePath: path)))
            try Self.checkKeys(of: bytes, path: path)
            let values = try JSONSnapshot(
                data: bytes.span.bytes,
                providerName: path,
                parsingOptions: .default
            )
            file = (path, values)
        } catch let error as ConfigurationError {
            throw error
        } catch {
            throw ConfigurationError("cannot read the configuration file \(path): \(error)")
        }
    }

    /// The strongest setting of a key, `nil` where nobody sets it.
    public func setting(_ key: Key) throws -> Setting? {
        if let text = options[key] {
            return Setting(text: text, origin: "--\(key.rawValue)")
        }
        let components = key.rawValue.split(separator: "-").map(String.init)
        if let text = try text(environment.value, key, ["skein"] + components) {
            let name = (["skein"] + components).joined(separator: "_").uppercased()
            return Setting(text: text, origin: name)
        }
        if let file, let text = try text(file.values.value, key, [key.rawValue]) {
            return Setting(text: text, origin: "\"\(key.rawValue)\" in \(file.path)")
        }
        return nil
    }

    private func text(
        _ value: (AbsoluteConfigKey, ConfigType) throws -> LookupResult,
        _ setting: Key,
        _ components: [String]
    ) throws -> String? {
        let name = AbsoluteConfigKey(components)
        // A file may say true where the environment can only say "true".
        if setting == .insecureOpen, let flag = try? value(name, .bool).value,
            case .bool(let isSet) = flag.content
        {
            return String(isSet)
        }
        // A file may have a list where the command line repeats an option.
        if setting == .embedIn, let list = try? value(name, .stringArray).value,
            case .stringArray(let texts) = list.content
        {
            return texts.joined(separator: ",")
        }
        do {
            guard let found = try value(name, .string).value,
                case .string(let text) = found.content
            else { return nil }
            return text
        } catch {
            throw ConfigurationError(
                "\"\(setting.rawValue)\" in \(file?.path ?? "the environment") is not text"
            )
        }
    }

    /// A misspelt key would otherwise be a setting silently not made.
    private static func checkKeys(of bytes: [UInt8], path: String) throws {
        let known = Key.allCases.map(\.rawValue)
        for key in try JSONDecoder().decode(ObjectKeys.self, from: Data(bytes)).names
        where !known.contains(key) {
            let meant = nearest(to: key, among: known).map { "; did you mean \"\($0)\"?" }
            throw ConfigurationError(
                "\"\(key)\" in \(path) is no setting\(meant ?? ""). "
                    + "Settings are \(known.joined(separator: ", "))"
            )
        }
    }
}

/// The keys of a JSON object.
private struct ObjectKeys: Decodable {
    let names: [String]

    init(from decoder: any Decoder) throws {
        names = try decoder.container(keyedBy: AnyKey.self).allKeys.map(\.stringValue).sorted()
    }

    private struct AnyKey: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }
}

/// The word that differs least from `word`, when it differs in less than half of it.
///
/// - Parameters:
///   - word: what was written.
///   - known: what can be meant.
/// - Returns: the likeliest, `nil` where none is likely.
public func nearest(to word: String, among known: [String]) -> String? {
    let distances = known.map { (word: $0, distance: editDistance(word, $0)) }
    guard let best = distances.min(by: { $0.distance < $1.distance }) else { return nil }
    return best.distance * 2 < max(word.count, best.word.count) ? best.word : nil
}

/// How many characters must be put in, taken out or changed to turn one word into the other.
private func editDistance(_ first: String, _ second: String) -> Int {
    let second = Array(second)
    var row = Array(0...second.count)
    for (i, character) in first.enumerated() {
        var diagonal = row[0]
        row[0] = i + 1
        for (j, other) in second.enumerated() {
            let changed = diagonal + (character == other ? 0 : 1)
            diagonal = row[j + 1]
            row[j + 1] = min(changed, row[j] + 1, row[j + 1] + 1)
        }
    }
    return row[second.count]
}
