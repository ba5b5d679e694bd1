// SPDX-License-Identifier: Apache-2.0

internal import GRPCCore

extension GRPCContiguousBytes {
    /// The bytes in an array of their own: the one copy between the socket and the log.
    ///
    /// Bound: the buffer is the message's own, read inside the call.
    var bytes: [UInt8] { withUnsafeBytes { [UInt8]($0) } }
}
