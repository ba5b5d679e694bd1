// SPDX-License-Identifier: Apache-2.0

extension TraceQL.Pipeline {
    /// What the query asks spans for, each once, in the order it is written.
    public var operands: [TraceQL.Operand] {
        var found: [TraceQL.Operand] = []
        collect(&found)
        return found
    }

    fileprivate func collect(_ found: inout [TraceQL.Operand]) {
        for stage in stages {
            switch stage {
            case .spans(let spanset): spanset.collect(&found)
            case .filter(let filter):
                filter.left.collect(&found)
                filter.right.collect(&found)
            case .group(let field): field.collect(&found)
            case .coalesce: break
            case .select(let operands): for operand in operands { found.addOnce(operand) }
            }
        }
    }
}

extension TraceQL.Spanset {
    fileprivate func collect(_ found: inout [TraceQL.Operand]) {
        switch self {
        case .filter(let field): field?.collect(&found)
        case .and(let left, let right), .or(let left, let right),
            .related(_, _, let left, let right), .without(let left, let right, _):
            left.collect(&found)
            right.collect(&found)
        case .pipeline(let pipeline): pipeline.collect(&found)
        }
    }
}

extension TraceQL.Field {
    fileprivate func collect(_ found: inout [TraceQL.Operand]) {
        switch self {
        case .literal: break
        case .operand(let operand): found.addOnce(operand)
        case .negation(let field), .not(let field): field.collect(&found)
        case .binary(_, let left, let right):
            left.collect(&found)
            right.collect(&found)
        }
    }
}

extension TraceQL.Scalar {
    fileprivate func collect(_ found: inout [TraceQL.Operand]) {
        switch self {
        case .literal: break
        case .aggregate(_, let field): field?.collect(&found)
        case .negation(let scalar): scalar.collect(&found)
        case .arithmetic(_, let left, let right):
            left.collect(&found)
            right.collect(&found)
        }
    }
}

extension [TraceQL.Operand] {
    fileprivate mutating func addOnce(_ operand: TraceQL.Operand) {
        if !contains(operand) { append(operand) }
    }
}
