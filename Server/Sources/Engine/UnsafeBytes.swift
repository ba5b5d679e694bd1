// SPDX-License-Identifier: Apache-2.0

extension Array where Element == UInt8 {
    /// Calls `body` with a run of the bytes, valid only during the call.
    func withRun<Result>(
        _ range: Range<Int>,
        _ body: (UnsafeRawBufferPointer) -> Result
    ) -> Result {
        // Bound: slicing traps where `range` leaves the array.
        withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[range])) }
    }
}
