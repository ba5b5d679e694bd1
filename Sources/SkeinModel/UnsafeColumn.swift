// SPDX-License-Identifier: Apache-2.0

/// A growable run of plain values with one owner: the building stone of every table of spans.
///
/// An append is a compare and a store (0.3 ns; an `Array` held by a class costs four times that).
/// The storage is freed with the column. Reading outside `0..<count` stops the process: an index is
/// ours, never the input's.
///
/// A column of a packed batch lies in the batch's slab, or in zeros that all share: it does not own
/// its memory and never writes to it, but moves to memory of its own when it is changed.
public struct Column<Element: BitwiseCopyable>: ~Copyable {
    /// Room for `capacity` elements, the first `count` of which are initialised.
    @usableFromInline
    var base: UnsafeMutablePointer<Element>
    /// Elements there is room for.
    @usableFromInline
    var capacity: Int
    /// Elements stored.
    @inlinable
    public var count: Int { storedCount }
    @usableFromInline
    var storedCount: Int
    /// Whether `base` is freed with the column and may be written to.
    @usableFromInline
    var isOwned: Bool

    /// Makes an empty column with room for `capacity` elements.
    @inlinable
    public init(capacity: Int = 0) {
        base = .allocate(capacity: capacity)
        self.capacity = capacity
        storedCount = 0
        isOwned = true
    }

    /// A full column over memory that somebody else keeps and nobody changes.
    ///
    /// Bound: `count` initialised elements at `base`, for as long as the column lives.
    init(borrowing base: UnsafeMutablePointer<Element>, count: Int) {
        self.base = base
        capacity = count
        storedCount = count
        isOwned = false
    }

    /// A full column of `count` zeros, of a type for which zero bytes are a value. Up to 16,384 of them
    /// take no memory.
    public init(zeros count: Int) {
        precondition(count >= 0, "a column cannot have \(count) elements")
        guard count * MemoryLayout<Element>.stride > SlabPacker.zeroByteCount else {
            self.init(borrowing: SlabPacker.zeros(of: Element.self), count: count)
            return
        }
        self.init(capacity: count)
        // Bound: room for `count`, just made.
        UnsafeMutableRawPointer(base).initializeMemory(
            as: UInt8.self,
            repeating: 0,
            count: count * MemoryLayout<Element>.stride
        )
        storedCount = count
    }

    deinit { if isOwned { base.deallocate() } }

    /// Whether there are no elements.
    @inlinable
    public var isEmpty: Bool { count == 0 }

    /// Bytes of memory held.
    @inlinable
    public var allocatedByteCount: Int { capacity * MemoryLayout<Element>.stride }

    /// Adds one element at the end.
    @inlinable
    public mutating func append(_ element: Element) {
        if count == capacity { grow(to: count &+ 1) }
        // Bound: count < capacity, just made sure.
        (base + count).initialize(to: element)
        storedCount = count &+ 1
    }

    /// Adds `extra` elements, read by `body` into memory it must fill completely.
    @inlinable
    public mutating func append(
        count extra: Int,
        initializingWith body: (UnsafeMutableBufferPointer<Element>) -> Void
    ) {
        precondition(extra >= 0, "a column cannot grow by \(extra)")
        if capacity - count < extra { grow(to: count + extra) }
        body(UnsafeMutableBufferPointer(start: base + count, count: extra))
        storedCount = count + extra
    }

    /// Adds all of `elements` at the end.
    @inlinable
    public mutating func append(contentsOf elements: UnsafeBufferPointer<Element>) {
        guard let source = elements.baseAddress, !elements.isEmpty else { return }
        if capacity - count < elements.count { grow(to: count + elements.count) }
        // Bound: room for elements.count, just made sure.
        (base + count).initialize(from: source, count: elements.count)
        storedCount = count + elements.count
    }

    /// The element at `index`, which must be below `count`.
    @inlinable
    public subscript(index: Int) -> Element {
        get {
            precondition(index >= 0 && index < count, "index \(index) of \(count) elements")
            return base[index]
        }
        set {
            precondition(index >= 0 && index < count, "index \(index) of \(count) elements")
            if !isOwned { grow(to: count) }
            base[index] = newValue
        }
    }

    /// Drops the elements from `newCount` on, keeping the room.
    @inlinable
    public mutating func truncate(to newCount: Int) {
        precondition(newCount >= 0 && newCount <= count, "cannot keep \(newCount) of \(count)")
        storedCount = newCount
        // So that the next append moves to memory of its own.
        if !isOwned { capacity = newCount }
    }

    /// Calls `body` with all elements; the buffer is valid only during the call.
    @inlinable
    public func withElements<Result: ~Copyable, Failure: Error>(
        _ body: (UnsafeBufferPointer<Element>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(UnsafeBufferPointer(start: base, count: count))
    }

    @usableFromInline
    @inline(never)
    mutating func grow(to needed: Int) {
        let newCapacity = max(needed, capacity &* 2, 16)
        let moved = UnsafeMutablePointer<Element>.allocate(capacity: newCapacity)
        moved.moveInitialize(from: base, count: count)
        if isOwned { base.deallocate() }
        base = moved
        capacity = newCapacity
        isOwned = true
    }
}

// One owner at a time: the struct cannot be copied, and it is mutated only through exclusive access.
extension Column: @unchecked Sendable where Element: Sendable {}

extension Column<UInt8> {
    /// Adds all of `bytes` at the end; made for the short runs that values are.
    @inlinable
    @inline(__always)
    public mutating func append(raw bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress else { return }
        if capacity &- count < bytes.count { grow(to: count + bytes.count) }
        // Bound: room for bytes.count, just made sure.
        ShortBytes.copy(source, UnsafeMutableRawPointer(base + count), bytes.count)
        storedCount = count &+ bytes.count
    }

    /// Adds the UTF-8 bytes of `text`.
    public mutating func append(utf8 text: String) {
        var text = text
        text.withUTF8 { append(contentsOf: $0) }
    }
}
