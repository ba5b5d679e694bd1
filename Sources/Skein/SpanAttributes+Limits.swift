// SPDX-License-Identifier: Apache-2.0

internal import Tracing

extension SpanAttributes {
    /// Picks at most `limit` of the attributes.
    ///
    /// - Parameters:
    ///   - limit: The attributes to keep.
    ///   - earlier: Attributes that were there before: their keys are kept first, so that a late
    ///     attribute never pushes out an early one. Of the others those go that sort last.
    /// - Returns: The attributes to keep, and how many are left out.
    func limited(
        to limit: Int,
        preferring earlier: SpanAttributes = [:]
    ) -> (kept: SpanAttributes, droppedCount: UInt32) {
        guard count > limit else { return (self, 0) }
        var early: [String] = []
        var late: [String] = []
        forEach { key, _ in
            if earlier.get(key) != nil { early.append(key) } else { late.append(key) }
        }
        var kept = SpanAttributes([:])
        for key in (early.sorted() + late.sorted()).prefix(max(0, limit)) {
            kept.set(key, value: get(key))
        }
        return (kept, UInt32(clamping: count - kept.count))
    }

    /// The attributes with texts of at most `length` Unicode scalars; `nil` for no limit.
    func cut(to length: Int?) -> SpanAttributes {
        guard let length else { return self }
        var result = self
        forEach { key, value in
            if let cut = value.cut(to: length) { result.set(key, value: cut) }
        }
        return result
    }
}

extension SpanAttribute {
    /// The value with its texts cut; `nil` where nothing needs to be.
    fileprivate func cut(to length: Int) -> SpanAttribute? {
        switch self {
        case .string(let text): text.cut(to: length).map(SpanAttribute.string)
        case .stringConvertible(let value):
            value.description.cut(to: length).map(SpanAttribute.string)
        case .stringArray(let texts): .stringArray(texts.map { $0.cut(to: length) ?? $0 })
        case .stringConvertibleArray(let values):
            .stringArray(values.map { $0.description.cut(to: length) ?? $0.description })
        default: nil
        }
    }
}

extension String {
    /// The first `length` Unicode scalars; `nil` where there are no more than that.
    fileprivate func cut(to length: Int) -> String? {
        // A scalar takes at least one byte: most texts need no walk.
        guard utf8.count > length else { return nil }
        let scalars = unicodeScalars
        let end = scalars.index(scalars.startIndex, offsetBy: max(0, length), limitedBy: endIndex)
        guard let end, end != endIndex else { return nil }
        return String(scalars[..<end])
    }
}
