// SPDX-License-Identifier: Apache-2.0

internal import SkeinModel

/// Writes what is said of a running span, as OTLP's fields of a `Span`, behind what its slot holds.
///
/// The caller holds the slot. Two addresses and no reference, which would be counted for each attribute.
struct SlotWriter {
    let slot: UnsafeMutablePointer<SpanSlot>
    let overflow: UnsafeMutablePointer<SlotOverflow>

    /// Field numbers and wire types of opentelemetry/proto/trace/v1 and common/v1.
    enum Tag {
        static let name: UInt8 = 0x2A
        static let attribute: UInt8 = 0x4A
        static let event: UInt8 = 0x5A
        static let link: UInt8 = 0x6A
    }

    // MARK: Room

    /// Where the next `count` bytes go; `nil` where there is no room for them.
    @inline(__always)
    func reserve(_ count: Int) -> UnsafeMutablePointer<UInt8>? {
        let used = Int(slot.pointee.contentCount)
        if used + count > Int(slot.pointee.contentCapacity), !overflow.pointee.grow(slot, by: count)
        {
            return nil
        }
        slot.pointee.contentCount = UInt32(used + count)
        // Bound: used + count <= contentCapacity.
        return slot.pointee.content + used
    }

    @inline(__always)
    static func varintCount(_ value: Int) -> Int { varintCount(UInt64(value)) }

    @inline(__always)
    static func varintCount(_ value: UInt64) -> Int {
        value < 0x80 ? 1 : (value.bitWidth - value.leadingZeroBitCount + 6) / 7
    }

    @inline(__always)
    static func put(varint value: Int, at place: inout UnsafeMutablePointer<UInt8>) {
        put(varint: UInt64(value), at: &place)
    }

    @inline(__always)
    static func put(varint value: UInt64, at place: inout UnsafeMutablePointer<UInt8>) {
        var rest = value
        while rest >= 0x80 {
            place.pointee = UInt8(truncatingIfNeeded: rest) | 0x80
            place += 1
            rest >>= 7
        }
        place.pointee = UInt8(truncatingIfNeeded: rest)
        place += 1
    }

    @inline(__always)
    static func put(_ byte: UInt8, at place: inout UnsafeMutablePointer<UInt8>) {
        place.pointee = byte
        place += 1
    }

    @inline(__always)
    static func put(
        _ bytes: UnsafeBufferPointer<UInt8>,
        at place: inout UnsafeMutablePointer<UInt8>
    ) {
        guard let base = bytes.baseAddress else { return }
        copy(base, to: place, bytes.count)
        place += bytes.count
    }

    /// Copies `count` bytes to where the caller reserved room for them.
    ///
    /// Keys and most values are short: a call of `memmove` costs more than moving them. Lengths that
    /// are no power of two are covered by two words that overlap.
    @inline(__always)
    private static func copy(
        _ bytes: UnsafePointer<UInt8>,
        to place: UnsafeMutablePointer<UInt8>,
        _ count: Int
    ) {
        let (from, to) = (UnsafeRawPointer(bytes), UnsafeMutableRawPointer(place))
        // Bound: in each case the word is no longer than count.
        switch count {
        case 33...: place.update(from: bytes, count: count)
        case 16...: copyEnds(from, to, count, of: SIMD16<UInt8>.self)
        case 8...: copyEnds(from, to, count, of: UInt64.self)
        case 4...: copyEnds(from, to, count, of: UInt32.self)
        default: for index in 0..<count { place[index] = bytes[index] }
        }
    }

    /// Copies the first word and the last one, which meet or overlap.
    @inline(__always)
    private static func copyEnds<Word: BitwiseCopyable>(
        _ from: UnsafeRawPointer,
        _ to: UnsafeMutableRawPointer,
        _ count: Int,
        of word: Word.Type
    ) {
        let last = count &- MemoryLayout<Word>.size
        let (head, tail) = (
            from.loadUnaligned(as: Word.self),
            from.loadUnaligned(fromByteOffset: last, as: Word.self)
        )
        to.storeBytes(of: head, as: Word.self)
        to.storeBytes(of: tail, toByteOffset: last, as: Word.self)
    }

    @inline(__always)
    static func put(bigEndian value: UInt64, at place: inout UnsafeMutablePointer<UInt8>) {
        // Bound: eight bytes, reserved by the caller.
        UnsafeMutableRawPointer(place).storeBytes(of: value.bigEndian, as: UInt64.self)
        place += 8
    }

    @inline(__always)
    static func put(littleEndian value: UInt64, at place: inout UnsafeMutablePointer<UInt8>) {
        // Bound: eight bytes, reserved by the caller.
        UnsafeMutableRawPointer(place).storeBytes(of: value.littleEndian, as: UInt64.self)
        place += 8
    }

    // MARK: Fields

    /// The operation's name, cut at a character. Where memory is used up it is what fits.
    @inline(__always)
    func name(_ text: UnsafeBufferPointer<UInt8>) {
        var count = Self.cut(text, to: Limits.nameByteCount)
        guard var place = reserve(1 + Self.varintCount(count) + count) ?? rest(for: text, &count)
        else { return }
        Self.put(Tag.name, at: &place)
        Self.put(varint: count, at: &place)
        Self.put(UnsafeBufferPointer(rebasing: text[..<count]), at: &place)
    }

    /// Another name takes the place of the one that was there.
    func rename(_ text: UnsafeBufferPointer<UInt8>) {
        replaceContent(by: SlotFields(content).settled(keepsName: false))
        name(text)
    }

    /// Bytes of `text` that are whole characters, no more than `limit`.
    @inline(__always)
    private static func cut(_ text: UnsafeBufferPointer<UInt8>, to limit: Int) -> Int {
        guard text.count > limit else { return text.count }
        var count = max(0, limit)
        // Bound: count < text.count. A byte that goes on with a character does not begin one.
        while count > 0, text[count] & 0xC0 == 0x80 { count -= 1 }
        return count
    }

    /// The room that is left, for as much of a name as it holds.
    @inline(never)
    private func rest(
        for text: UnsafeBufferPointer<UInt8>,
        _ count: inout Int
    ) -> UnsafeMutablePointer<UInt8>? {
        let left = Int(slot.pointee.contentCapacity) - Int(slot.pointee.contentCount)
        count = Self.cut(text, to: min(left - 3, Limits.nameByteCount))
        return count > 0 ? reserve(1 + Self.varintCount(count) + count) : nil
    }

    private var content: UnsafeBufferPointer<UInt8> {
        // Bound: contentCount bytes were written there.
        UnsafeBufferPointer(start: slot.pointee.content, count: Int(slot.pointee.contentCount))
    }

    /// Takes out what does not count any more; what is left is no longer than it was.
    private func replaceContent(by left: (bytes: [UInt8], attributeCount: Int)) {
        // Bound: left.bytes.count <= contentCount.
        left.bytes.withUnsafeBufferPointer { bytes in
            if let base = bytes.baseAddress {
                slot.pointee.content.update(from: base, count: bytes.count)
            }
        }
        slot.pointee.contentCount = UInt32(left.bytes.count)
        slot.pointee.attributeCount = numericCast(left.attributeCount)
        slot.pointee.mayRepeatKeys = false
    }

    /// Makes place in a span that has as many attributes as it may: for a key that is there, or where
    /// some were set several times.
    @inline(never)
    private func makePlace(for key: UnsafeBufferPointer<UInt8>, limit: Int) -> Bool {
        guard slot.pointee.mayRepeatKeys || slot.pointee.keyBits & Self.bit(of: key) != 0 else {
            return false
        }
        let left = SlotFields(content).settled(without: key)
        guard left.attributeCount < limit else { return false }
        replaceContent(by: left)
        return true
    }

    /// An attribute whose `AnyValue` takes `valueCount` bytes, which `write` writes.
    @inline(__always)
    func attribute(
        _ key: UnsafeBufferPointer<UInt8>,
        valueCount: Int,
        limit: Int,
        _ write: (inout UnsafeMutablePointer<UInt8>) -> Void
    ) {
        guard key.count <= Limits.keyByteCount,
            Int(slot.pointee.attributeCount) < limit || makePlace(for: key, limit: limit)
        else {
            slot.pointee.droppedAttributes &+= 1
            return
        }
        let body = Self.pairCount(key, valueCount)
        let isShort = body < 0x80
        guard var place = reserve(isShort ? 2 + body : 1 + Self.varintCount(body) + body) else {
            slot.pointee.droppedAttributes &+= 1
            return
        }
        slot.pointee.attributeCount &+= 1
        let bit = Self.bit(of: key)
        if slot.pointee.keyBits & bit != 0 { slot.pointee.mayRepeatKeys = true }
        slot.pointee.keyBits |= bit
        Self.put(Tag.attribute, at: &place)
        guard isShort else {
            return Self.putPair(key, body: body, valueCount: valueCount, at: &place, write)
        }
        // The same as `putPair`, where every length is one byte.
        Self.put(UInt8(truncatingIfNeeded: body), at: &place)
        Self.put(0x0A, at: &place)
        Self.put(UInt8(truncatingIfNeeded: key.count), at: &place)
        Self.put(key, at: &place)
        Self.put(0x12, at: &place)
        Self.put(UInt8(truncatingIfNeeded: valueCount), at: &place)
        write(&place)
    }

    /// Bytes of a `KeyValue`.
    @inline(__always)
    static func pairCount(_ key: UnsafeBufferPointer<UInt8>, _ valueCount: Int) -> Int {
        if key.count | valueCount < 0x80 { return 4 + key.count + valueCount }
        return 2 + varintCount(key.count) + key.count + varintCount(valueCount) + valueCount
    }

    @inline(__always)
    static func putPair(
        _ key: UnsafeBufferPointer<UInt8>,
        body: Int,
        valueCount: Int,
        at place: inout UnsafeMutablePointer<UInt8>,
        _ write: (inout UnsafeMutablePointer<UInt8>) -> Void
    ) {
        put(varint: body, at: &place)
        put(0x0A, at: &place)
        put(varint: key.count, at: &place)
        put(key, at: &place)
        put(0x12, at: &place)
        put(varint: valueCount, at: &place)
        write(&place)
    }

    /// A bit that stands for a key; two keys may share one.
    @inline(__always)
    private static func bit(of key: UnsafeBufferPointer<UInt8>) -> UInt64 {
        guard let base = key.baseAddress else { return 1 }
        let raw = UnsafeRawPointer(base)
        var text = UInt64(truncatingIfNeeded: key.count)
        // The first word and the last one, which may overlap. Bound: neither is longer than the key.
        if key.count >= 8 {
            text ^= raw.loadUnaligned(as: UInt64.self)
            text ^= raw.loadUnaligned(fromByteOffset: key.count &- 8, as: UInt64.self) &<< 1
        } else {
            for byte in key { text = text &<< 8 ^ UInt64(byte) }
        }
        return 1 &<< (text &* 0x9E37_79B9_7F4A_7C15 &>> 58)
    }

    /// A field that holds a message whose bytes are ready.
    func message(_ tag: UInt8, _ bytes: [UInt8]) -> Bool {
        guard var place = reserve(1 + Self.varintCount(bytes.count) + bytes.count) else {
            return false
        }
        Self.put(tag, at: &place)
        Self.put(varint: bytes.count, at: &place)
        bytes.withUnsafeBufferPointer { Self.put($0, at: &place) }
        return true
    }

    func event(_ bytes: [UInt8], limit: Int) {
        guard Int(slot.pointee.eventCount) < limit, message(Tag.event, bytes) else {
            slot.pointee.droppedEvents &+= 1
            return
        }
        slot.pointee.eventCount &+= 1
    }

    func link(_ bytes: [UInt8], limit: Int) {
        guard Int(slot.pointee.linkCount) < limit, message(Tag.link, bytes) else {
            slot.pointee.droppedLinks &+= 1
            return
        }
        slot.pointee.linkCount &+= 1
    }
}

// Attribute values: fields of `AnyValue`, string 1, bool 2, int 3, double 4.
extension SlotWriter {
    @inline(__always)
    func text(
        _ key: UnsafeBufferPointer<UInt8>,
        _ text: UnsafeBufferPointer<UInt8>,
        limit: Int
    ) {
        let count = 1 + Self.varintCount(text.count) + text.count
        attribute(key, valueCount: count, limit: limit) { place in
            Self.put(0x0A, at: &place)
            Self.put(varint: text.count, at: &place)
            Self.put(text, at: &place)
        }
    }

    @inline(__always)
    func number(_ key: UnsafeBufferPointer<UInt8>, _ value: Int64, limit: Int) {
        let bits = UInt64(bitPattern: value)
        let count = 1 + Self.varintCount(bits)
        attribute(key, valueCount: count, limit: limit) { place in
            Self.put(0x18, at: &place)
            Self.put(varint: bits, at: &place)
        }
    }

    @inline(__always)
    func number(_ key: UnsafeBufferPointer<UInt8>, _ value: Double, limit: Int) {
        attribute(key, valueCount: 9, limit: limit) { place in
            Self.put(0x21, at: &place)
            Self.put(littleEndian: value.bitPattern, at: &place)
        }
    }

    @inline(__always)
    func flag(_ key: UnsafeBufferPointer<UInt8>, _ value: Bool, limit: Int) {
        attribute(key, valueCount: 2, limit: limit) { place in
            Self.put(0x10, at: &place)
            Self.put(value ? 1 : 0, at: &place)
        }
    }

    /// A value whose bytes are ready.
    func encoded(_ key: UnsafeBufferPointer<UInt8>, _ value: [UInt8], limit: Int) {
        attribute(key, valueCount: value.count, limit: limit) { place in
            value.withUnsafeBufferPointer { Self.put($0, at: &place) }
        }
    }
}
