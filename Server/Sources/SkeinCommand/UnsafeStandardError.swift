// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Writes to standard error.
func printError(_ text: String, terminator: String = "\n") {
    var bytes = Array((text + terminator).utf8)[...]
    while !bytes.isEmpty {
        // Bound: pointer and count are those of the slice.
        let written = bytes.withUnsafeBytes { write(2, $0.baseAddress, $0.count) }
        // Nobody listens: there is nowhere else to say it.
        guard written > 0 else { return }
        bytes = bytes.dropFirst(written)
    }
}
