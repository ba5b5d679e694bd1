// SPDX-License-Identifier: Apache-2.0

public import SkeinModel

/// The spans of a trace by display place, as `TraceTree.order` arranges them: what every analysis
/// reads. Place `p` here is row `p` of the page.
///
/// Places are depth first, so what hangs below place `p` is `p + 1..<subtreeEnd[p]`.
public struct PlacedTrace: Sendable {
    /// A kind of work: spans of one service and name.
    public struct Operation: Sendable, Hashable {
        public var service: String
        public var name: String

        /// Names an operation.
        public init(service: String, name: String) {
            self.service = service
            self.name = name
        }
    }

    /// By place: the place of the parent, or -1.
    public let parent: [Int32]
    /// By place: steps from the root.
    public let depth: [UInt32]
    /// By place: the parent the span names is not where it hangs.
    public let isParentMissing: [Bool]
    /// By place, nanoseconds since 1970.
    public let start: [UInt64]
    /// By place, nanoseconds since 1970; never before `start`.
    public let end: [UInt64]
    public let kind: [SpanKind]
    /// By place: the status is error.
    public let isError: [Bool]
    /// By place: nanoseconds that the times were moved by.
    public let clockShift: [Int64]
    /// By place: a number of `operations`.
    public let operation: [Int32]
    /// Operations in the order of their first places.
    public let operations: [Operation]
    /// By operation: a number of `services`.
    public let serviceOfOperation: [Int32]
    /// Services in the order of their first places.
    public let services: [String]
    /// Hosts that spans name.
    public let hostCount: Int
    /// Attributes, events and links that were dropped before they were stored.
    public let droppedPartCount: UInt64
    /// By place: the place after the last one below it.
    public let subtreeEnd: [Int32]
    /// Places without a parent, ascending.
    public let roots: [Int32]
    /// Children of place `p`, by start, are `children[firstChild[p]..<firstChild[p + 1]]`.
    let firstChild: [Int32]
    let children: [Int32]

    /// Arranges `frame`, of which `tree` was made.
    ///
    /// - Parameters:
    ///   - name: by frame row, a number a span name.
    ///   - isError: by frame row.
    ///   - text: what a number of a service or a name stands for.
    public init(
        _ frame: SpanFrame,
        _ tree: TraceTree,
        name: [UInt32],
        isError: [Bool],
        droppedPartCount: UInt64 = 0,
        text: (UInt32) -> String
    ) {
        precondition(
            name.count == frame.count && isError.count == frame.count,
            "\(name.count) names and \(isError.count) errors of \(frame.count) rows"
        )
        parent = tree.parent
        depth = tree.depth
        isParentMissing = tree.isParentMissing
        start = tree.order.map { frame.start[$0] }
        end = tree.order.map { frame.end[$0] }
        kind = tree.order.map { frame.kind[$0] }
        self.isError = tree.order.map { isError[$0] }
        clockShift = tree.order.map { frame.clockShift[$0] }
        hostCount = Set(frame.host.lazy.compactMap(\.self)).count
        self.droppedPartCount = droppedPartCount
        let numbers = OperationNumbers(frame, tree, name, text)
        operation = numbers.operation
        operations = numbers.operations
        serviceOfOperation = numbers.serviceOfOperation
        services = numbers.services
        let links = ChildPlaces(tree.parent)
        subtreeEnd = links.subtreeEnd
        roots = links.roots
        firstChild = links.first
        children = links.places
    }

    /// Spans.
    public var count: Int { parent.count }

    /// Nanoseconds of the span at `place`.
    public func duration(_ place: Int) -> UInt64 { end[place] - start[place] }

    /// A number of `services`.
    public func service(_ place: Int) -> Int {
        Int(serviceOfOperation[Int(operation[place])])
    }

    /// Children of `place`, by start.
    public func children(of place: Int) -> ArraySlice<Int32> {
        children[Int(firstChild[place])..<Int(firstChild[place + 1])]
    }

    /// The spans for an outline. A failed span is never alike to one that did not fail.
    public var outlineSpans: [OutlineSpan] {
        parent.indices.map { place in
            OutlineSpan(
                parent: Int(parent[place]),
                start: start[place],
                end: end[place],
                label: UInt64(UInt32(bitPattern: operation[place])) << 1 | (isError[place] ? 1 : 0)
            )
        }
    }

    /// Whether nothing hangs below `place`.
    public func isLeaf(_ place: Int) -> Bool { firstChild[place] == firstChild[place + 1] }
}

/// Operations and services numbered as they come in display order.
private struct OperationNumbers {
    var operation: [Int32] = []
    var operations: [PlacedTrace.Operation] = []
    var serviceOfOperation: [Int32] = []
    var services: [String] = []

    init(_ frame: SpanFrame, _ tree: TraceTree, _ name: [UInt32], _ text: (UInt32) -> String) {
        var numbers: [UInt64: Int32] = [:]
        var serviceNumbers: [UInt32: Int32] = [:]
        operation.reserveCapacity(tree.order.count)
        for row in tree.order {
            let key = UInt64(frame.service[row]) << 32 | UInt64(name[row])
            if let known = numbers[key] {
                operation.append(known)
                continue
            }
            let service: Int32
            if let known = serviceNumbers[frame.service[row]] {
                service = known
            } else {
                service = Int32(truncatingIfNeeded: services.count)
                services.append(text(frame.service[row]))
                serviceNumbers[frame.service[row]] = service
            }
            let number = Int32(truncatingIfNeeded: operations.count)
            operations.append(.init(service: services[Int(service)], name: text(name[row])))
            serviceOfOperation.append(service)
            numbers[key] = number
            operation.append(number)
        }
    }
}

/// The children of each place as one flat list.
private struct ChildPlaces {
    var first: [Int32]
    var places: [Int32]
    var roots: [Int32] = []
    var subtreeEnd: [Int32]

    init(_ parents: [Int32]) {
        first = Array(repeating: 0, count: parents.count + 1)
        subtreeEnd = Array(repeating: 0, count: parents.count)
        for parent in parents where parent >= 0 { first[Int(parent) + 1] += 1 }
        for place in parents.indices { first[place + 1] += first[place] }
        var next = first
        places = Array(repeating: 0, count: Int(first[parents.count]))
        for (place, parent) in parents.enumerated() {
            let number = Int32(truncatingIfNeeded: place)
            guard parent >= 0 else {
                roots.append(number)
                continue
            }
            places[Int(next[Int(parent)])] = number
            next[Int(parent)] += 1
        }
        // Children stand behind their parent, so from the back every end is final when it is read.
        for place in parents.indices.reversed() {
            subtreeEnd[place] = max(subtreeEnd[place], Int32(truncatingIfNeeded: place + 1))
            let parent = Int(parents[place])
            if parent >= 0 { subtreeEnd[parent] = max(subtreeEnd[parent], subtreeEnd[place]) }
        }
    }
}

/// The sum, or the largest number there is.
func saturatingSum(_ a: UInt64, _ b: UInt64) -> UInt64 {
    let (sum, overflow) = a.addingReportingOverflow(b)
    return overflow ? .max : sum
}

extension [UInt64] {
    /// The exact quantile of sorted values by the rule of `LatencySketch`; 0 where there are none.
    func quantile(_ q: Double) -> UInt64 {
        isEmpty ? 0 : self[Int(LatencySketch.rank(q, of: UInt64(count))) - 1]
    }
}
