// SPDX-License-Identifier: Apache-2.0

// The bytes of names go on to the table as they are; nothing is read here.
extension CallStatistics {
    /// The series of an operation.
    @inline(__always)
    func series(
        _ operation: UnsafeBufferPointer<UInt8>,
        _ peer: CallPeer,
        _ kind: UInt8
    ) -> UInt32 {
        table.find(operation, peer, kind)
    }

    /// The series of a call that has got another name.
    func series(renaming number: UInt32, _ operation: UnsafeBufferPointer<UInt8>) -> UInt32 {
        let (peer, kind) = table.key(number)
        return table.find(operation, peer, kind)
    }
}
