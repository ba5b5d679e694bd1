// SPDX-License-Identifier: Apache-2.0

/// One block of memory that many columns lie in; freed with its one owner.
struct Slab: ~Copyable {
    private let base: UnsafeMutableRawPointer?
    let byteCount: Int

    /// No memory.
    init() {
        base = nil
        byteCount = 0
    }

    init(byteCount: Int) {
        base = .allocate(byteCount: byteCount, alignment: SlabPacker.alignment)
        self.byteCount = byteCount
    }

    deinit { base?.deallocate() }

    /// The memory, for the packer that fills it.
    fileprivate var start: UnsafeMutableRawPointer? { base }
}

// One owner; the memory is written before anybody else sees it and never after.
extension Slab: @unchecked Sendable {}

/// Lays columns out in a slab, one behind another: first to learn how much room they take, then to
/// copy them.
struct SlabPacker: ~Copyable {
    /// What every column begins at a multiple of.
    static let alignment = 8

    private let base: UnsafeMutableRawPointer?
    private let limit: Int
    private(set) var byteCount = 0
    /// Which of the columns that may be zero are, found while measuring: a bit each, in order.
    private var zeros: UInt64 = 0
    private var position: UInt64 = 0

    /// Measures.
    init() {
        base = nil
        limit = 0
    }

    /// Copies into a slab that was made for what `measured` found. The slab outlives the columns.
    init(_ slab: borrowing Slab, after measured: borrowing SlabPacker) {
        base = slab.start
        limit = slab.byteCount
        zeros = measured.zeros
    }

    /// A copy of `source` in the slab; while measuring, a column nobody may read.
    mutating func column<Element: BitwiseCopyable>(
        _ source: borrowing Column<Element>
    ) -> Column<Element> {
        let start = byteCount
        let count = source.count
        byteCount +=
            (count * MemoryLayout<Element>.stride + Self.alignment - 1)
            / Self.alignment * Self.alignment
        guard let base, count > 0 else {
            return Column(borrowing: Self.zeros(of: Element.self), count: 0)
        }
        // Bound: the slab was made as long as the same columns measured.
        precondition(byteCount <= limit, "columns changed while they were packed")
        let target = (base + start).bindMemory(to: Element.self, capacity: count)
        source.withElements { elements in
            if let first = elements.baseAddress { target.initialize(from: first, count: count) }
        }
        return Column(borrowing: target, count: count)
    }

    /// As `column`, for columns that are often zero throughout: those take no room.
    mutating func sparse<Element: BitwiseCopyable>(
        _ source: borrowing Column<Element>
    ) -> Column<Element> {
        defer { position &+= 1 }
        let bit = UInt64(1) << position
        if base == nil, Self.isZero(source) { zeros |= bit }
        guard zeros & bit != 0 else { return column(source) }
        return Column(borrowing: Self.zeros(of: Element.self), count: source.count)
    }

    /// Whether every byte is zero and there are zeros enough to stand for them.
    private static func isZero<Element: BitwiseCopyable>(
        _ column: borrowing Column<Element>
    ) -> Bool {
        column.withElements { elements in
            let bytes = UnsafeRawBufferPointer(elements)
            guard bytes.count <= zeroByteCount else { return false }
            var offset = 0
            while bytes.count &- offset >= 8 {
                // Bound: 8 bytes remain.
                if bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self) != 0 {
                    return false
                }
                offset &+= 8
            }
            return bytes[offset...].allSatisfy { $0 == 0 }
        }
    }

    /// Bytes of zeros: for the widest column of 16,384 spans; hardly any batch has more.
    static let zeroByteCount = 128 << 10

    private nonisolated(unsafe) static let sharedZeros: UnsafeMutableRawPointer = {
        let zeros = UnsafeMutableRawPointer.allocate(byteCount: zeroByteCount, alignment: 16)
        zeros.initializeMemory(as: UInt8.self, repeating: 0, count: zeroByteCount)
        return zeros
    }()

    /// Bound: read as at most `zeroByteCount` bytes, never written: columns over it do not own it.
    static func zeros<Element: BitwiseCopyable>(
        of type: Element.Type
    ) -> UnsafeMutablePointer<Element> {
        sharedZeros.assumingMemoryBound(to: type)
    }
}
