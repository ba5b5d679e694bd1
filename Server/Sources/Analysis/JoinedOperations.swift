// SPDX-License-Identifier: Apache-2.0

/// The operations of several traces, numbered as they are first met.
struct JoinedOperations: Sendable {
    /// By number.
    private(set) var operations: [PlacedTrace.Operation] = []
    private var numbers: [PlacedTrace.Operation: Int32] = [:]

    mutating func number(of operation: PlacedTrace.Operation) -> Int32 {
        if let known = numbers[operation] { return known }
        let number = Int32(truncatingIfNeeded: operations.count)
        operations.append(operation)
        numbers[operation] = number
        return number
    }

    subscript(number: Int32) -> PlacedTrace.Operation { operations[Int(number)] }
}
