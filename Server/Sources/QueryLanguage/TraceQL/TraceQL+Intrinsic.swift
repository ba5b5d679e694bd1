// SPDX-License-Identifier: Apache-2.0

extension TraceQL {
    /// What every span, its trace, its events, its links or its library has without an attribute
    /// saying so. The raw value is the canonical spelling.
    public enum Intrinsic: String, Sendable, CaseIterable {
        case duration
        case name
        case status
        case statusMessage
        case kind
        /// The id of the parent; `nil` for a root.
        case parent
        /// Place of the span in a walk through its connected piece, counted on the way down.
        case nestedSetLeft
        /// The same on the way up.
        case nestedSetRight
        /// `nestedSetLeft` of the parent; -1 for a root.
        case nestedSetParent
        case spanID = "span:id"
        case parentID = "span:parentID"
        case childCount = "span:childCount"
        /// First start to last end of the trace.
        case traceDuration = "trace:duration"
        case rootName = "trace:rootName"
        case rootService = "trace:rootService"
        case traceID = "trace:id"
        case spanCount = "trace:spanCount"
        /// Spans of status `error`.
        case errorCount = "trace:errorCount"
        case serviceCount = "trace:serviceCount"
        /// Spans on the longest way from a root down.
        case depth = "trace:depth"
        case eventName = "event:name"
        /// From the start of the span to the event.
        case timeSinceStart = "event:timeSinceStart"
        case linkTraceID = "link:traceID"
        case linkSpanID = "link:spanID"
        case libraryName = "instrumentation:name"
        case libraryVersion = "instrumentation:version"

        /// Other spellings than the canonical one.
        private static let synonyms: [String: Intrinsic] = [
            "span:duration": .duration, "span:name": .name, "span:status": .status,
            "span:statusMessage": .statusMessage, "span:kind": .kind,
            "traceDuration": .traceDuration, "rootName": .rootName,
            "rootServiceName": .rootService,
        ]

        /// The intrinsic that `text` names in any of its spellings.
        public init?(spelling text: String) {
            guard let intrinsic = Intrinsic(rawValue: text) ?? Self.synonyms[text] else {
                return nil
            }
            self = intrinsic
        }

        /// Every spelling, those without a scope first.
        public static let spellings: [String] =
            (allCases.map(\.rawValue) + synonyms.keys).sorted {
                ($0.contains(":") ? 1 : 0, $0) < ($1.contains(":") ? 1 : 0, $1)
            }

        /// Whether a span's parent can be asked for it: `parent.name`.
        var isOfSpan: Bool {
            switch self {
            case .duration, .name, .status, .statusMessage, .kind: true
            default: false
            }
        }

        /// The type its values have.
        public var type: ValueType {
            switch self {
            case .duration, .traceDuration, .timeSinceStart: .duration
            case .status: .status
            case .kind: .kind
            case .nestedSetLeft, .nestedSetRight, .nestedSetParent, .childCount, .spanCount,
                .errorCount, .serviceCount, .depth:
                .int
            case .name, .statusMessage, .parent, .spanID, .parentID, .rootName, .rootService,
                .traceID, .eventName, .linkTraceID, .linkSpanID, .libraryName, .libraryVersion:
                .string
            }
        }
    }
}
