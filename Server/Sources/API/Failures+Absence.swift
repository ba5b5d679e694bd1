// SPDX-License-Identifier: Apache-2.0

import Hummingbird
import Query
import QueryLanguage
import SkeinModel
import Store

extension ReadAPI {
    /// What to answer for a trace that is not stored: why, as far as that is known.
    func noTrace(_ text: String) async -> Failure {
        var failure = Failure.notFound(
            "trace \(text.prefix(40)) is not stored: its spans never came, or retention has removed "
                + "them"
        )
        // Where the past is not remembered, or cannot be asked just now, that is all.
        guard let id = TraceID(hex: text), let absence = try? await engine.absence(of: id) else {
            return failure
        }
        failure.absence = absence
        failure.message = "trace \(text.prefix(40)) " + absence.text
        return failure
    }
}

extension TraceAbsence {
    /// What is known, and what to do.
    fileprivate var text: String {
        switch reason {
        case .expired: expiredText
        case .sampledOut:
            "is not stored, and had it been sent, its sampler would have left it out: all that came "
                + "lately is sampled, \(Self.percent(keptShare ?? 0)) of the traces are kept, and this "
                + "id is not among them. Look for another trace of the same operation, or raise the "
                + "share where it is set"
        case .neverSeen: neverSeenText
        case nil:
            "was not found, but not all could be searched: \(incomplete.joined(separator: "; "))"
        }
    }

    private var expiredText: String {
        let odds = errorRate > 0 ? 1 / errorRate : 0
        let doubt =
            odds >= 2 && odds < 1e9 ? " (one in \(Int(odds)) unknown ids only seems so)" : ""
        let removed = removedAt.map { " on \(Self.time($0))" } ?? ""
        let why =
            cause == .room
            ? "to make room; give it more with --retention-bytes"
            : "for its age\(kept); keep traces longer with --retention"
        return
            "is not stored any more: very probably it was here\(doubt), and was removed\(removed) "
            + why
    }

    private var kept: String {
        let day: UInt64 = 86_400_000_000_000
        guard let retention else { return "" }
        let length =
            retention >= 2 * day && retention.isMultiple(of: day)
            ? "\(retention / day) days" : DurationText.text(retention)
        return " (traces are kept for \(length))"
    }

    /// To the second.
    private static func time(_ nanoseconds: UInt64) -> String {
        TimeText.text(nanoseconds - nanoseconds % 1_000_000_000)
    }

    private var neverSeenText: String {
        let since =
            rememberedSince.map { "; what was removed is remembered since \(Self.time($0))" } ?? ""
        return
            "is not stored, and nothing is known of it: check the id, whether its services send to "
            + "this server, and whether somebody deleted it\(since)"
    }

    private static func percent(_ share: Double) -> String {
        let percent = share * 100
        let text = percent >= 1 ? "\((percent * 10).rounded() / 10)" : "less than 1"
        return (text.hasSuffix(".0") ? String(text.dropLast(2)) : text) + " %"
    }
}

extension AnswerJSON {
    /// What programs are told of a trace that is not there, beside the message.
    mutating func members(of absence: TraceAbsence) {
        if let reason = absence.reason { member("reason", reason.rawValue) }
        if let removedAt = absence.removedAt { member("removedAtUnixNano", "\(removedAt)") }
        if let rememberedSince = absence.rememberedSince {
            member("rememberedSinceUnixNano", "\(rememberedSince)")
        }
    }
}
