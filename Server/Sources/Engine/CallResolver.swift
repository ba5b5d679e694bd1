// SPDX-License-Identifier: Apache-2.0

import SkeinModel

/// Finds out, for the spans of one trace, who called whom. Used again and again, so that no trace
/// costs an allocation.
///
/// The *caller* of a span is its parent span; the server half of a Zipkin span, which shares its id
/// with the client half, is called by the client half. Where several spans have the parent's id, the
/// one of the span's own service is meant, else the server half, else the first. A *call* is a span
/// whose caller is of another service. A *request* is a caller span: all its calls of one service
/// belong together.
/// ```
/// row  service  parent    caller    calls of requests
///  0   shop       -         -
///  1   shop       0         0
///  2   stock      1         1       shop -> stock: 2 calls (rows 2 and 3) in one request (row 1)
///  3   stock      1         1
/// ```
/// Rows are given in order of start, span id and content: "first" means the same wherever the spans
/// of a trace lie.
struct CallResolver: ~Copyable {
    /// Calls that one span made of one service.
    struct Request: BitwiseCopyable {
        /// Service of the calling span.
        var caller: UInt32
        /// Service that was called.
        var service: UInt32
        var callCount: UInt32
        /// Start of the first of the calls.
        var start: UInt64
    }

    /// Stands for "no service".
    static let none = UInt32.max

    /// By row: the calling service, or `none` where the span is no call.
    private(set) var caller = Column<UInt32>(capacity: 64)
    private(set) var requests = Column<Request>(capacity: 64)

    private var service = Column<UInt32>(capacity: 64)
    private var spanID = Column<UInt64>(capacity: 64)
    private var parentID = Column<UInt64>(capacity: 64)
    private var start = Column<UInt64>(capacity: 64)
    private var isShared = Column<Bool>(capacity: 64)
    /// By row: the next row with the same span id, or -1.
    private var next = Column<Int32>(capacity: 64)
    /// By number of `ids`: the first row with that id.
    private var first = Column<Int32>(capacity: 64)
    private var ids = PackedTable()
    private var pairs = PackedTable()

    /// Rows of the trace so far.
    var count: Int { service.count }

    /// Forgets the trace.
    mutating func removeAll() {
        caller.truncate(to: 0)
        requests.truncate(to: 0)
        service.truncate(to: 0)
        spanID.truncate(to: 0)
        parentID.truncate(to: 0)
        start.truncate(to: 0)
        isShared.truncate(to: 0)
        next.truncate(to: 0)
        first.truncate(to: 0)
        ids.removeAll()
        pairs.removeAll()
    }

    /// Adds a span; `parentID` is 0 where it has none.
    @inline(__always)
    mutating func append(
        service: UInt32,
        spanID: UInt64,
        parentID: UInt64,
        start: UInt64,
        isShared: Bool
    ) {
        self.service.append(service)
        self.spanID.append(spanID)
        self.parentID.append(parentID)
        self.start.append(start)
        self.isShared.append(isShared)
    }

    /// Fills `caller` and `requests`.
    mutating func resolve() {
        indexIDs()
        for row in 0..<count {
            let from = callingRow(of: row)
            guard from >= 0, service[from] != service[row] else {
                caller.append(Self.none)
                continue
            }
            caller.append(service[from])
            count(call: row, from: from)
        }
    }

    private mutating func indexIDs() {
        let count = count
        next.append(count: count) { $0.initialize(repeating: -1) }
        // From the last row on, so that each chain ascends.
        var row = count
        while row > 0 {
            row &-= 1
            let (index, isNew) = ids.insert(spanID[row])
            if isNew {
                first.append(Int32(truncatingIfNeeded: row))
            } else {
                next[row] = first[index]
                first[index] = Int32(truncatingIfNeeded: row)
            }
        }
    }

    /// The row that called `row`, or -1.
    private func callingRow(of row: Int) -> Int {
        if isShared[row] {
            var half = firstRow(spanID[row])
            var looks = 0
            while half >= 0, looks < Limits.spansOfOneID {
                if !isShared[half] { return half }
                half = Int(next[half])
                looks += 1
            }
        }
        guard parentID[row] != 0 else { return -1 }
        var candidate = firstRow(parentID[row])
        var any = -1
        var server = -1
        var looks = 0
        while candidate >= 0, looks < Limits.spansOfOneID {
            if candidate != row {
                if service[candidate] == service[row] { return candidate }
                if any < 0 { any = candidate }
                if server < 0, isShared[candidate] { server = candidate }
            }
            candidate = Int(next[candidate])
            looks += 1
        }
        return server >= 0 ? server : any
    }

    @inline(__always)
    private func firstRow(_ id: UInt64) -> Int {
        guard let index = ids.find(id) else { return -1 }
        return Int(first[index])
    }

    private mutating func count(call row: Int, from: Int) {
        let key = UInt64(from) << 32 | UInt64(service[row])
        let (index, isNew) = pairs.insert(key)
        if isNew {
            requests.append(
                Request(
                    caller: service[from],
                    service: service[row],
                    callCount: 1,
                    start: start[row]
                )
            )
        } else {
            requests[index].callCount &+= 1
            requests[index].start = min(requests[index].start, start[row])
        }
    }
}
