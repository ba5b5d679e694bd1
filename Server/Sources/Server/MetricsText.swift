// SPDX-License-Identifier: Apache-2.0

internal import API
internal import Ingest
internal import Platform
internal import Store

/// What `/metrics` says, in Prometheus's text format.
struct MetricsText: Sendable {
    private let store: any TraceStore
    private let ingest: Ingest
    private let questions: QuestionLog
    private let clock: any Clock
    private let startedAt: UInt64

    init(store: any TraceStore, ingest: Ingest, questions: QuestionLog, clock: any Clock) {
        self.store = store
        self.ingest = ingest
        self.questions = questions
        self.clock = clock
        startedAt = clock.wallNanoseconds()
    }

    /// All figures as they are now.
    func text() -> String {
        var writer = MetricsWriter()
        writeReceivers(&writer)
        writeStore(&writer)
        writeRemovals(&writer)
        writeDamage(&writer)
        writeQuestions(&writer)
        writeProcess(&writer)
        return writer.text
    }

    private func writeReceivers(_ writer: inout MetricsWriter) {
        let counters = ingest.counters
        writer.family(
            "skein_receiver_requests_total",
            .counter,
            "Requests by protocol and what became of them."
        )
        for way in IngestProtocol.allCases {
            for result in IngestResult.allCases {
                writer.sample(
                    counters.requestCount(way, result),
                    ["protocol": way.rawValue, "result": result.rawValue]
                )
            }
        }
        writer.family("skein_receiver_spans_total", .counter, "Spans stored, by protocol.") {
            counters.spanCount($0)
        }
        writer.family(
            "skein_receiver_rejected_spans_total",
            .counter,
            "Spans refused one by one out of accepted requests, by protocol."
        ) { counters.rejectedSpanCount($0) }
        writer.family(
            "skein_receiver_payload_bytes_total",
            .counter,
            "Bytes of payloads after decompression, by protocol."
        ) { counters.byteCount($0) }
        writer.family(
            "skein_receiver_seconds_total",
            .counter,
            "Time from requests' last bytes to their answers, summed, by protocol."
        )
        for way in IngestProtocol.allCases {
            writer.sample(
                Double(counters.elapsedNanoseconds(way)) / 1e9,
                ["protocol": way.rawValue]
            )
        }
        writer.figure(
            "skein_receiver_in_flight_bytes",
            .gauge,
            "Bytes of requests being handled.",
            ingest.budget.reservedByteCount
        )
        writer.figure(
            "skein_receiver_in_flight_limit_bytes",
            .gauge,
            "Bytes of requests over which more are pushed back.",
            ingest.budget.byteCount
        )
    }

    private func writeStore(_ writer: inout MetricsWriter) {
        let now = store.statistics
        writer.figure("skein_store_spans", .gauge, "Spans that can be found.", now.spans)
        writer.figure(
            "skein_store_head_spans",
            .gauge,
            "Spans acknowledged and not yet in a part.",
            now.headSpans
        )
        writer.figure("skein_store_head_bytes", .gauge, "Memory the head holds.", now.headBytes)
        writer.figure("skein_store_parts", .gauge, "Live parts.", now.parts)
        writer.figure("skein_store_part_bytes", .gauge, "Bytes of live parts.", now.partBytes)
        writer.figure(
            "skein_store_totals_files",
            .gauge,
            "Files with minute totals of spans that are gone, and with call statistics.",
            now.totalsFiles
        )
        writer.figure(
            "skein_store_totals_bytes",
            .gauge,
            "Bytes of those files.",
            now.totalsBytes
        )
        writer.figure("skein_store_log_bytes", .gauge, "Bytes of log segments.", now.logBytes)
        writer.figure(
            "skein_store_appended_batches_total",
            .counter,
            "Requests stored since start.",
            now.appendedBatches
        )
        writer.figure(
            "skein_store_appended_spans_total",
            .counter,
            "Spans stored since start.",
            now.appendedSpans
        )
        writer.figure(
            "skein_store_call_windows_total",
            .counter,
            "Windows of call statistics counted since start, those from the log included.",
            now.countedWindows
        )
        writer.figure(
            "skein_store_repeated_call_windows_total",
            .counter,
            "Windows of call statistics that came again and did not count again.",
            now.repeatedWindows
        )
        writer.figure(
            "skein_store_log_syncs_total",
            .counter,
            "Calls of fdatasync for the log since start.",
            now.logSyncs
        )
    }

    private func writeRemovals(_ writer: inout MetricsWriter) {
        let now = store.statistics
        writer.figure(
            "skein_store_expired_spans_total",
            .counter,
            "Spans removed since start because they were too old.",
            now.expiredSpans
        )
        writer.figure(
            "skein_store_evicted_spans_total",
            .counter,
            "Spans removed since start because there were too many bytes.",
            now.evictedSpans
        )
        writer.figure(
            "skein_store_expired_parts_total",
            .counter,
            "Parts removed since start, too old or too many bytes.",
            now.expiredParts
        )
        writer.figure(
            "skein_store_expired_bytes_total",
            .counter,
            "Bytes of disk that removing them gave back.",
            now.expiredBytes
        )
        writer.figure(
            "skein_store_expired_totals_files_total",
            .counter,
            "Files of minute totals removed since start, too old or too many bytes.",
            now.expiredTotalsFiles
        )
        writer.figure(
            "skein_store_quarantine_bytes",
            .gauge,
            "Bytes of log segments and totals files that are set aside.",
            now.quarantineBytes
        )
        writer.figure(
            "skein_store_forgotten_senders_total",
            .counter,
            "Senders of call statistics forgotten since start because there were too many.",
            now.forgottenSenders
        )
        writer.figure(
            "skein_store_uncounted_spans_total",
            .counter,
            "Spans removed since start that no totals count, because they could not be read.",
            now.uncountedSpans
        )
        writer.figure(
            "skein_store_deleted_spans_total",
            .counter,
            "Spans of traces that were deleted by request since start.",
            now.deletedSpans
        )
    }

    private func writeDamage(_ writer: inout MetricsWriter) {
        let now = store.statistics
        writer.figure(
            "skein_store_quarantined_parts",
            .gauge,
            "Parts set aside because they are damaged or missing.",
            now.quarantinedParts
        )
        writer.figure(
            "skein_store_quarantined_spans",
            .gauge,
            "Spans in those parts.",
            now.quarantinedSpans
        )
        writer.figure(
            "skein_store_overflowed_keys",
            .gauge,
            "Attribute keys past the bound of a part, in the part that has most of them.",
            now.overflowedKeys
        )
        writer.figure(
            "skein_store_overflowed_values",
            .gauge,
            "Attribute values of such keys, in all parts.",
            now.overflowedValues
        )
        writer.figure(
            "skein_store_damaged_records",
            .gauge,
            "Log records lost to damage at the last start.",
            now.damagedRecords
        )
        writer.figure(
            "skein_store_failed",
            .gauge,
            "1 while writes are refused because the disk failed.",
            now.failure == nil ? 0 : 1
        )
    }

    private func writeQuestions(_ writer: inout MetricsWriter) {
        let sums = questions.sums
        func family(
            _ name: String,
            _ help: String,
            _ value: (QuestionSum) -> some CustomStringConvertible
        ) {
            writer.family(name, .counter, help)
            for (place, sum) in sums {
                writer.sample(value(sum), ["interface": place.interface, "route": place.route])
            }
        }
        family("skein_questions_total", "Questions asked of the store, by where.") { $0.count }
        family("skein_questions_failed_total", "Those of them that had no answer.") {
            $0.failedCount
        }
        family("skein_question_seconds_total", "Time until their answers, summed.") {
            Double($0.cost.elapsedNanoseconds) / 1e9
        }
        family("skein_question_cpu_seconds_total", "Processor time of reading for them.") {
            Double($0.cost.cpuNanoseconds) / 1e9
        }
    }

    private func writeProcess(_ writer: inout MetricsWriter) {
        writer.figure(
            "process_cpu_seconds_total",
            .counter,
            "Processor time used, user and system.",
            Process.processorSeconds()
        )
        writer.figure(
            "process_resident_memory_bytes",
            .gauge,
            "Memory in use.",
            Process.residentByteCount()
        )
        writer.figure(
            "process_open_fds",
            .gauge,
            "Files and sockets that are open.",
            Process.openFileCount()
        )
        writer.figure(
            "process_start_time_seconds",
            .gauge,
            "When the process began, seconds since 1970.",
            Double(startedAt) / 1e9
        )
        writer.family("skein_build_info", .gauge, "1, with the version as a label.")
        writer.sample(1, ["version": skeinVersion])
    }
}

extension MetricsWriter {
    /// A family with one sample a protocol.
    fileprivate mutating func family(
        _ name: String,
        _ kind: Kind,
        _ help: String,
        value: (IngestProtocol) -> Int
    ) {
        family(name, kind, help)
        for way in IngestProtocol.allCases { sample(value(way), ["protocol": way.rawValue]) }
    }
}
