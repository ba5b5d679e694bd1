// SPDX-License-Identifier: Apache-2.0

import Analysis
import Query
import SkeinModel
import Store

extension AnswerJSON {
    /// One line of a result list, with what `more` adds to it.
    mutating func summary(_ trace: TraceSummary, _ more: (inout AnswerJSON) -> Void = { _ in }) {
        object { json in
            json.member("traceId", trace.traceID.hex)
            json.member("rootService", trace.rootService)
            json.member("rootOperation", trace.rootOperation)
            json.member("startTimeUnixNano", "\(trace.start)")
            json.member("durationNanos", "\(trace.duration)")
            json.member("spanCount", number: trace.spanCount)
            json.member("errorCount", number: trace.errorCount)
            json.array("services") { json in
                for service in trace.services {
                    json.object { json in
                        json.member("name", service.name)
                        json.member("spanCount", number: service.spanCount)
                        json.member("errorCount", number: service.errorCount)
                    }
                }
            }
            json.array("matchedSpanIds", of: trace.matchedSpans.map(\.hex))
            more(&json)
        }
    }

    /// Everything about the span at display place `place`.
    mutating func span(_ trace: Trace, _ place: Int) {
        let row = trace.tree.order[place]
        let stored = trace.columnsRow(place)
        let span = trace.spans.columns[stored]
        object { json in
            json.member("row", number: place)
            json.member("traceId", trace.traceID.hex)
            json.member("spanId", Hex.text(trace.frame.spanID[row]))
            let parent = trace.frame.parentID[row]
            json.member("parentSpanId", parent == 0 ? "" : Hex.text(parent))
            json.member("name", trace.text(span.name))
            json.member("service", trace.text(trace.spans.columns.service(stored)))
            json.member("kind", span.kind.word)
            json.member("startTimeUnixNano", "\(trace.frame.start[row])")
            json.member("endTimeUnixNano", "\(trace.frame.end[row])")
            json.object("status") { json in
                json.member("code", span.status.word)
                json.member("message", trace.text(span.statusMessage))
            }
            json.member("traceState", trace.text(span.traceState))
            let scope = Int(span.scope)
            json.object("scope") { json in
                json.member("name", trace.text(trace.spans.columns.scopes.name[scope]))
                json.member("version", trace.text(trace.spans.columns.scopes.version[scope]))
            }
            json.attributes("attributes", trace.spans.columns.keyValues(span.attributes))
            let resource = trace.spans.columns.resources.attributes[Int(span.resource)]
            json.attributes("resource", trace.spans.columns.keyValues(resource))
            json.events(trace, span.events, shift: trace.frame.clockShift[row])
            json.links(trace, span.links)
            json.member("droppedAttributes", number: span.droppedAttributes)
            json.member("droppedEvents", number: span.droppedEvents)
            json.member("droppedLinks", number: span.droppedLinks)
            json.array("warnings", of: trace.frame.warnings[row] ?? [])
        }
    }

    private mutating func events(_ trace: Trace, _ run: Run, shift: Int64) {
        array("events") { json in
            for event in run.rows {
                let events = trace.attributesOfEvent(event)
                json.object { json in
                    json.member("name", trace.text(trace.spans.columns.events.name[event]))
                    let time = shifted(trace.spans.columns.events.time[event], by: shift)
                    json.member("timeUnixNano", "\(time)")
                    json.attributes("attributes", events)
                }
            }
        }
    }

    private mutating func links(_ trace: Trace, _ run: Run) {
        array("links") { json in
            for link in run.rows {
                json.object { json in
                    json.member("traceId", trace.linkedTrace(link).hex)
                    json.member("spanId", Hex.text(trace.spans.columns.links.spanID[link]))
                    json.attributes(
                        "attributes",
                        trace.spans.columns.keyValues(trace.spans.columns.links.attributes[link])
                    )
                }
            }
        }
    }

    private mutating func attributes(_ name: String, _ attributes: [AttributeValue.KeyValue]) {
        array(name) { json in
            for attribute in attributes {
                json.object { json in
                    json.member("key", attribute.key)
                    json.member("type", attribute.value.type.word)
                    json.key("value")
                    json.value(attribute.value)
                }
            }
        }
    }
}

extension Trace {
    /// String `id` of the stored spans.
    func text(_ id: UInt32) -> String { spans.columns.strings.text(id) }

    func attributesOfEvent(_ event: Int) -> [AttributeValue.KeyValue] {
        spans.columns.keyValues(spans.columns.events.attributes[event])
    }

    func linkedTrace(_ link: Int) -> TraceID {
        TraceID(high: spans.columns.links.traceHigh[link], low: spans.columns.links.traceLow[link])
    }
}
