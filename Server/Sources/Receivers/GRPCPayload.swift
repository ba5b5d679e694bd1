// SPDX-License-Identifier: Apache-2.0

internal import GRPCCore

/// A gRPC message as bytes: no generated code, no object tree.
struct PayloadDeserializer: MessageDeserializer {
    func deserialize<Bytes: GRPCContiguousBytes>(_ message: Bytes) throws -> [UInt8] {
        message.bytes
    }
}

/// Bytes as a gRPC message.
struct PayloadSerializer: MessageSerializer {
    func serialize<Bytes: GRPCContiguousBytes>(_ message: [UInt8]) throws -> Bytes {
        Bytes(message)
    }
}
