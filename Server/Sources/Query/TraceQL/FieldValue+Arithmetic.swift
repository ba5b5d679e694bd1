// SPDX-License-Identifier: Apache-2.0

import Glibc
import QueryLanguage

/// A query divided by zero.
struct DivisionByZero: Error {}

extension FieldValue {
    /// `self symbol other`: ints give ints, which wrap around as in Go, everything else doubles; `.nothing`
    /// where one side is no number.
    func combined(
        _ symbol: TraceQL.Arithmetic,
        _ other: FieldValue
    ) throws(DivisionByZero) -> FieldValue {
        if case .int(let left) = self, case .int(let right) = other {
            return try Self.ints(symbol, left, right)
        }
        guard let left = number, let right = other.number else { return .nothing }
        switch symbol {
        case .add: return .double(left + right)
        case .subtract: return .double(left - right)
        case .multiply: return .double(left * right)
        case .power: return .double(pow(left, right))
        case .divide, .remainder:
            guard right != 0 else { throw DivisionByZero() }
            return .double(
                symbol == .divide ? left / right : left.truncatingRemainder(dividingBy: right)
            )
        }
    }

    private static func ints(
        _ symbol: TraceQL.Arithmetic,
        _ left: Int64,
        _ right: Int64
    ) throws(DivisionByZero) -> FieldValue {
        switch symbol {
        case .add: return .int(left &+ right)
        case .subtract: return .int(left &- right)
        case .multiply: return .int(left &* right)
        case .power:
            return right < 0 ? .double(pow(Double(left), Double(right))) : .int(power(left, right))
        case .divide:
            guard right != 0 else { throw DivisionByZero() }
            return .int(left.dividedReportingOverflow(by: right).partialValue)
        case .remainder:
            guard right != 0 else { throw DivisionByZero() }
            return .int(left.remainderReportingOverflow(dividingBy: right).partialValue)
        }
    }

    /// By squaring: as many steps as the exponent has bits.
    private static func power(_ base: Int64, _ exponent: Int64) -> Int64 {
        var (result, base, exponent) = (Int64(1), base, exponent)
        while exponent > 0 {
            if exponent & 1 == 1 { result = result &* base }
            base = base &* base
            exponent >>= 1
        }
        return result
    }

    /// `-self`; `.nothing` where it is no number.
    var negated: FieldValue {
        switch self {
        case .int(let value): .int(0 &- value)
        case .duration(let value): .duration(0 &- value)
        case .double(let value): .double(-value)
        default: .nothing
        }
    }

    /// As a double; durations are nanoseconds.
    var number: Double? {
        switch self {
        case .int(let value), .duration(let value): Double(value)
        case .double(let value): value
        default: nil
        }
    }
}
