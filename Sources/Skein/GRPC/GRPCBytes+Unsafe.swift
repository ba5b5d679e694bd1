// SPDX-License-Identifier: Apache-2.0

#if GRPC
internal import GRPCCore

/// A message of gRPC as bytes: no generated code, no tree of objects.
struct GRPCBytes: MessageSerializer, MessageDeserializer {
    func serialize<Bytes: GRPCContiguousBytes>(_ message: [UInt8]) throws -> Bytes {
        Bytes(message)
    }

    /// Bound: the buffer is the message's own, read inside the call.
    func deserialize<Bytes: GRPCContiguousBytes>(_ message: Bytes) throws -> [UInt8] {
        message.withUnsafeBytes { [UInt8]($0) }
    }
}
#endif
