// SPDX-License-Identifier: Apache-2.0

import QueryLanguage
import SkeinWire

/// What questions over gRPC have in common: moments, lengths of time, maps of texts.
extension ProtobufFields {
    /// A `google.protobuf.Timestamp` as nanoseconds since 1970; `nil` where it is missing, or before
    /// 1970 as clients write one that is not set.
    func moment(_ field: UInt32, _ name: String) throws -> UInt64? {
        guard let (seconds, nanoseconds) = try secondsAndNanoseconds(field, name), seconds >= 0
        else {
            return nil
        }
        let whole = Saturating.nanoseconds(UInt64(seconds), unit: 1_000_000_000)
        let (sum, overflow) = whole.addingReportingOverflow(UInt64(max(0, nanoseconds)))
        return overflow ? .max : sum
    }

    /// A `google.protobuf.Duration` as nanoseconds; `nil` where it is missing, or 0 as clients write
    /// one that is not set.
    func duration(_ field: UInt32, _ name: String) throws -> UInt64? {
        guard let (seconds, nanoseconds) = try secondsAndNanoseconds(field, name) else {
            return nil
        }
        guard seconds >= 0, nanoseconds >= 0 else {
            throw Failure.badRequest("\(name) is negative; give a duration above 0")
        }
        let whole = Saturating.nanoseconds(UInt64(seconds), unit: 1_000_000_000)
        let (sum, overflow) = whole.addingReportingOverflow(UInt64(nanoseconds))
        return overflow ? .max : sum == 0 ? nil : sum
    }

    private func secondsAndNanoseconds(
        _ field: UInt32,
        _ name: String
    ) throws -> (seconds: Int64, nanoseconds: Int64)? {
        guard let message = try message(field) else { return nil }
        let nanoseconds = Int64(bitPattern: message.number(2))
        guard abs(nanoseconds.clamped) < 1_000_000_000 else {
            throw Failure.badRequest("the nanoseconds of \(name) are not below a second")
        }
        return (Int64(bitPattern: message.number(1)), nanoseconds)
    }

    /// A map of texts to texts, by key; of a key that is there several times the last counts.
    func textMap(_ field: UInt32) throws -> [(key: String, value: String)] {
        var map: [String: String] = [:]
        for entry in try messages(field) { map[try entry.text(1)] = try entry.text(2) }
        return map.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    /// Text, `nil` where it is missing or empty.
    func nonEmptyText(_ field: UInt32) throws -> String? {
        let text = try text(field)
        return text.isEmpty ? nil : text
    }
}

extension Int64 {
    /// A number whose magnitude can be taken.
    fileprivate var clamped: Int64 { self == .min ? .max : self }
}

extension ProtobufWriter {
    /// Writes nanoseconds since 1970 as a `google.protobuf.Timestamp`, or a length of time as a
    /// `google.protobuf.Duration`, which look alike.
    mutating func nanoseconds(_ field: UInt32, _ value: UInt64) {
        message(field) { message in
            message.varint(1, value / 1_000_000_000)
            message.varint(2, value % 1_000_000_000)
        }
    }
}
