// SPDX-License-Identifier: Apache-2.0

/// The name of a short link: 60 bits as twelve characters.
struct LinkName: Hashable {
    /// Below 2^60.
    let number: UInt64

    /// Digits that are told apart when read aloud: no i, l, o, u.
    private static let alphabet = Array("0123456789abcdefghjkmnpqrstvwxyz".utf8)
    private static let characterCount = 12

    /// The name that an address has, or has when `attempt` others were taken: 60 bits of FNV-1a, mixed
    /// once more. Nobody is kept from finding two addresses with the same; they get different names all
    /// the same, see `AddressFile.take`.
    init(of address: PageAddress, attempt: UInt8) {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        func add(_ byte: UInt8) { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
        add(attempt)
        for byte in address.text.utf8 { add(byte) }
        hash = (hash ^ (hash >> 33)) &* 0xff51_afd7_ed55_8ccd
        hash = (hash ^ (hash >> 33)) &* 0xc4ce_b9fe_1a85_ec53
        number = (hash ^ (hash >> 33)) >> 4
    }

    /// A number of the file; `nil` where it is none of a name.
    init?(number: UInt64) {
        guard number >> 60 == 0 else { return nil }
        self.number = number
    }

    /// A name as it stands in an address; `nil` for any other text.
    init?(text: String) {
        guard text.utf8.count == Self.characterCount else { return nil }
        var number: UInt64 = 0
        for character in text.utf8 {
            guard let digit = Self.alphabet.firstIndex(of: character) else { return nil }
            number = number << 5 | UInt64(digit)
        }
        self.number = number
    }

    var text: String {
        var characters: [UInt8] = []
        for place in (0..<Self.characterCount).reversed() {
            characters.append(Self.alphabet[Int(number >> UInt64(place * 5) & 31)])
        }
        return String(decoding: characters, as: UTF8.self)
    }
}
