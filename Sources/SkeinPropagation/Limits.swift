// SPDX-License-Identifier: Apache-2.0

/// What a carrier may cost us, however long it is.
enum Limits {
    /// Bytes of one `tracestate` value that are looked at and kept. The standard asks for 512.
    static let traceStateByteCount = 8_192
    /// Members of a `tracestate`; the standard's own bound. The right-most go first.
    static let traceStateMemberCount = 32
    /// Bytes of a `tracestate` key, and of a value: the standard's own bound.
    static let traceStateTextByteCount = 256
    /// Bytes of one `baggage` value, as sent, that are looked at and kept: the least that the
    /// standard asks everyone to pass on.
    static let baggageByteCount = 8_192
    /// Members of a `baggage`: the least that the standard asks everyone to pass on.
    static let baggageMemberCount = 64
    /// Bytes of any other header that are looked at; a longer one is no header of that format.
    static let headerByteCount = 2_048
    /// Bytes of a transaction id that an application lets travel.
    static let transactionByteCount = 256
}
