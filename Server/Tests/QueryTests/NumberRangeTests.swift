// SPDX-License-Identifier: Apache-2.0

import SkeinModel
import Store
import Testing

@Suite struct NumberRangeTests {
    private static let ints: [Int64] = [
        .min, .min + 1, -9_007_199_254_740_993, -1, 0, 1, 17, 9_007_199_254_740_993,
        9_007_199_254_740_995, .max - 1, .max,
    ]
    private static let doubles: [Double] = [
        -.infinity, -1e300, -9_223_372_036_854_775_808, -9_007_199_254_740_994, -1.5, -0.0, 0.25,
        1, 16.999, 9_007_199_254_740_992, 9_007_199_254_740_994, 9_223_372_036_854_775_808,
        .infinity,
    ]

    /// The order of an int and a double, by whole and broken part.
    private static func order(_ int: Int64, _ double: Double) -> Int {
        if double >= 9_223_372_036_854_775_808 { return -1 }
        if double < -9_223_372_036_854_775_808 { return 1 }
        let whole = Int64(double.rounded(.down))
        if int != whole { return int < whole ? -1 : 1 }
        return double > Double(whole) ? -1 : 0
    }

    private static func holds(_ comparison: NumberRange.Comparison, _ order: Int) -> Bool {
        switch comparison {
        case .less: order < 0
        case .atMost: order <= 0
        case .more: order > 0
        case .atLeast: order >= 0
        }
    }

    @Test(arguments: NumberRange.Comparison.allCases)
    func `ints and doubles compare exactly`(comparison: NumberRange.Comparison) {
        for bound in Self.ints {
            let range = NumberRange(comparison, bound)
            for value in Self.ints {
                let order = value < bound ? -1 : value == bound ? 0 : 1
                #expect(range.contains(value) == Self.holds(comparison, order))
            }
            for value in Self.doubles {
                let isInside = Self.holds(comparison, -Self.order(bound, value))
                #expect(range.contains(value) == isInside, "\(value) \(comparison) \(bound)")
            }
        }
        for bound in Self.doubles {
            let range = NumberRange(comparison, bound)
            for value in Self.ints {
                let isInside = Self.holds(comparison, Self.order(value, bound))
                #expect(range.contains(value) == isInside, "\(value) \(comparison) \(bound)")
            }
            for value in Self.doubles {
                let order = value < bound ? -1 : value == bound ? 0 : 1
                #expect(range.contains(value) == Self.holds(comparison, order))
            }
        }
    }

    @Test func `no number compares with NaN`() {
        for comparison in NumberRange.Comparison.allCases {
            let range = NumberRange(comparison, Double.nan)
            #expect(range.ints == nil && range.doubles == nil)
            #expect(!NumberRange(comparison, Int64(3)).contains(Double.nan))
        }
    }

    @Test func `what lies in both bounds is between them`() {
        let range = NumberRange(.atLeast, Int64(400)).intersection(NumberRange(.less, Int64(500)))
        #expect(range.contains(Int64(400)) && range.contains(499.5))
        #expect(!range.contains(Int64(500)) && !range.contains(399.9))
        let none = range.intersection(NumberRange(.more, 600.0))
        #expect(none.ints == nil && none.doubles == nil)
    }

    @Test func `only numbers lie in a range`() {
        let match = ValueMatch.range(NumberRange(.atLeast, Int64(1)))
        #expect(match.matches(.int(1)) && match.matches(.double(1.5)))
        for value: AttributeValue in [.string("17"), .bool(true), .array([.int(17)]), .empty] {
            #expect(!match.matches(value))
        }
    }
}
