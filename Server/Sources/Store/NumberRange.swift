// SPDX-License-Identifier: Apache-2.0

/// The numbers that `<`, `<=`, `>` or `>=` asks for: ints and doubles, each compared exactly, so that
/// no int is lost to the 53 bits of a double.
public struct NumberRange: Sendable, Equatable {
    /// How a number stands to the one compared with.
    public enum Comparison: String, Sendable, CaseIterable {
        case less = "<"
        case atMost = "<="
        case more = ">"
        case atLeast = ">="
    }

    /// The ints inside; `nil` for none.
    public let ints: ClosedRange<Int64>?
    /// The doubles inside; `nil` for none. NaN never is.
    public let doubles: ClosedRange<Double>?

    /// Ints and doubles that stand to `number` as said.
    public init(_ comparison: Comparison, _ number: Int64) {
        ints = Self.ints(comparison, number)
        // The double next to an int of more than 53 bits lies beside it, on either side.
        let near = Double(number)
        let isBelow = Int64(exactly: near).map { $0 < number } ?? false
        let isExact = Int64(exactly: near) == number
        switch comparison {
        case .atLeast where isExact, .atMost where isExact, .more where isExact,
            .less where isExact:
            doubles = Self.doubles(comparison, near)
        case .more, .atLeast: doubles = Self.doubles(isBelow ? .more : .atLeast, near)
        case .less, .atMost: doubles = Self.doubles(isBelow ? .atMost : .less, near)
        }
    }

    /// Ints and doubles that stand to `number` as said; none where it is NaN.
    public init(_ comparison: Comparison, _ number: Double) {
        doubles = Self.doubles(comparison, number)
        switch comparison {
        case .more, .atLeast: ints = Self.least(comparison, number).map { $0...Int64.max }
        case .less, .atMost: ints = Self.greatest(comparison, number).map { Int64.min...$0 }
        }
    }

    /// What lies in both.
    public func intersection(_ other: NumberRange) -> NumberRange {
        NumberRange(
            ints: Self.common(ints, other.ints),
            doubles: Self.common(doubles, other.doubles)
        )
    }

    /// Whether `number` lies inside.
    @inlinable
    public func contains(_ number: Int64) -> Bool { ints?.contains(number) ?? false }

    /// Whether `number` lies inside.
    @inlinable
    public func contains(_ number: Double) -> Bool { doubles?.contains(number) ?? false }

    private init(ints: ClosedRange<Int64>?, doubles: ClosedRange<Double>?) {
        self.ints = ints
        self.doubles = doubles
    }

    private static func common<Number>(
        _ a: ClosedRange<Number>?,
        _ b: ClosedRange<Number>?
    ) -> ClosedRange<Number>? {
        guard let a, let b, a.overlaps(b) else { return nil }
        return a.clamped(to: b)
    }

    private static func ints(_ comparison: Comparison, _ number: Int64) -> ClosedRange<Int64>? {
        switch comparison {
        case .less: number == .min ? nil : Int64.min...number - 1
        case .atMost: Int64.min...number
        case .more: number == .max ? nil : number + 1...Int64.max
        case .atLeast: number...Int64.max
        }
    }

    private static func doubles(
        _ comparison: Comparison,
        _ number: Double
    ) -> ClosedRange<Double>? {
        if number.isNaN { return nil }
        switch comparison {
        case .less: return number == -.infinity ? nil : -.infinity...number.nextDown
        case .atMost: return -.infinity...number
        case .more: return number == .infinity ? nil : number.nextUp ... .infinity
        case .atLeast: return number ... .infinity
        }
    }

    /// 2 to the 63rd: one more than the greatest int.
    private static let intLimit = 9_223_372_036_854_775_808.0

    private static func least(_ comparison: Comparison, _ number: Double) -> Int64? {
        guard number < intLimit else { return nil }
        guard number >= -intLimit else { return .min }
        let floor = Int64(number.rounded(.down))
        // Below 2^63 the floor is at most 2^63 - 1024: adding one cannot overflow.
        return comparison == .atLeast && Double(floor) == number ? floor : floor + 1
    }

    private static func greatest(_ comparison: Comparison, _ number: Double) -> Int64? {
        guard number >= -intLimit else { return nil }
        guard number < intLimit else { return .max }
        let ceiling = Int64(exactly: number.rounded(.up)) ?? .max
        if comparison == .atMost, Double(ceiling) == number { return ceiling }
        return ceiling == .min ? nil : ceiling - 1
    }
}
