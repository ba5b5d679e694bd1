// SPDX-License-Identifier: Apache-2.0

import GRPCCore

/// A gRPC message as bytes: questions are small, and answers are written by their own code.
struct GRPCBytes: MessageDeserializer, MessageSerializer {
    /// Bound: the buffer is the message's own, read inside the call.
    func deserialize<Bytes: GRPCContiguousBytes>(_ message: Bytes) throws -> [UInt8] {
        message.withUnsafeBytes { [UInt8]($0) }
    }

    func serialize<Bytes: GRPCContiguousBytes>(_ message: [UInt8]) throws -> Bytes {
        Bytes(message)
    }
}
