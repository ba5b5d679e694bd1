// SPDX-License-Identifier: Apache-2.0

internal import Skein
public import SkeinModel
internal import SkeinPropagation

// Where a span stands among the others of its test.
extension SpanPattern {
    /// The span has no parent, here or in another process.
    public func root() -> SpanPattern {
        adding("a root") { span, _ in
            span.isRoot ? nil : "has the parent \(span.parentSpanID)"
        }
    }

    /// The span's parent meets `parent`.
    public func child(of parent: SpanPattern) -> SpanPattern {
        adding("child of (\(parent))") { span, trace in
            if span.isRoot { return "is a root" }
            guard let found = trace.parent(of: span) else { return "its parent was not collected" }
            let reasons = parent.mismatches(found, in: trace)
            return reasons.isEmpty
                ? nil : "its parent '\(found.name)' \(reasons.joined(separator: ", "))"
        }
    }

    /// The span continues another process's: its parent is the one with this id.
    public func child(ofRemote parent: SpanID) -> SpanPattern {
        adding("child of \(parent) elsewhere") { span, _ in
            guard span.parentSpanID == parent else {
                return span.isRoot ? "is a root" : "has the parent \(span.parentSpanID)"
            }
            return span.parentIsRemote ? nil : "its parent is of this process"
        }
    }

    /// A span anywhere above meets `ancestor`.
    public func descendant(of ancestor: SpanPattern) -> SpanPattern {
        adding("descendant of (\(ancestor))") { span, trace in
            let ancestors = trace.ancestors(of: span)
            if ancestors.contains(where: { ancestor.mismatches($0, in: trace).isEmpty }) {
                return nil
            }
            if ancestors.isEmpty { return "has nothing above it" }
            let names = ancestors.map { "'\($0.name)'" }.joined(separator: " in ")
            return "is in \(names)"
        }
    }

    /// A span with the same parent, begun when this one had ended or later, meets `next`.
    public func followed(by next: SpanPattern) -> SpanPattern {
        adding("followed by (\(next))") { span, trace in
            let siblings = trace.siblings(of: span)
            let isFollowed = siblings.contains {
                $0.start >= span.end && next.mismatches($0, in: trace).isEmpty
            }
            if isFollowed { return nil }
            let later = siblings.filter { $0.start >= span.end }.map { "'\($0.name)'" }
            return later.isEmpty
                ? "nothing follows it" : "is followed by \(later.joined(separator: ", "))"
        }
    }

    /// The span has a link to one that meets `other`, in any trace of the collector.
    public func linked(to other: SpanPattern) -> SpanPattern {
        adding("linked to (\(other))") { span, trace in
            if span.links.isEmpty { return "has no link" }
            let targets = span.links.compactMap { trace.linked($0) }
            if targets.contains(where: { other.mismatches($0, in: trace).isEmpty }) { return nil }
            let names = targets.map { "'\($0.name)'" }.joined(separator: ", ")
            return targets.isEmpty
                ? "is linked to spans that were not collected" : "is linked to \(names)"
        }
    }

    /// The span has a link to the span with these ids, collected or not.
    public func linked(to trace: TraceID, _ other: SpanID) -> SpanPattern {
        adding("linked to \(trace) \(other)") { span, _ in
            let ids = span.links.map { "\($0.context.traceID) \($0.context.spanID)" }
            if ids.contains("\(trace) \(other)") { return nil }
            return ids.isEmpty ? "has no link" : "is linked to \(ids.joined(separator: ", "))"
        }
    }
}
