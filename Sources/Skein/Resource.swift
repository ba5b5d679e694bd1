// SPDX-License-Identifier: Apache-2.0

public import Tracing

/// What a process, or one of several services in it, says of itself with every span.
///
/// Spans of one resource travel together under it; it is encoded once, when it is made.
public struct Resource: Sendable {
    private let storage: Storage

    /// Makes a resource of its attributes; the name and version of this SDK are added.
    ///
    /// - Parameters:
    ///   - serviceName: The attribute `service.name`.
    ///   - attributes: Further attributes, such as `service.version` or `deployment.environment.name`.
    public init(serviceName: String, attributes: SpanAttributes = [:]) {
        var all = attributes
        all.set("service.name", value: .string(serviceName))
        all.set("telemetry.sdk.name", value: "skein")
        all.set("telemetry.sdk.language", value: "swift")
        all.set("telemetry.sdk.version", value: .string(SDKVersion.text))
        storage = Storage(attributes: all)
    }

    /// All attributes, those added by the SDK included.
    public var attributes: SpanAttributes { storage.attributes }

    /// The attribute `service.name`.
    public var serviceName: String {
        guard case .string(let name) = attributes.get("service.name") else { return "" }
        return name
    }

    /// The fields of OTLP's `Resource` message.
    var encoded: [UInt8] { storage.encoded }

    /// Equal for copies of one resource only: what spans are grouped by.
    var identity: ObjectIdentifier { ObjectIdentifier(storage) }

    private final class Storage: Sendable {
        let attributes: SpanAttributes
        let encoded: [UInt8]

        init(attributes: SpanAttributes) {
            self.attributes = attributes
            var writer = ProtobufWriter()
            writer.attributes(1, attributes)
            encoded = writer.bytes
        }
    }
}

/// The version that the SDK reports of itself.
enum SDKVersion {
    static let text = "0.1.0"
}
