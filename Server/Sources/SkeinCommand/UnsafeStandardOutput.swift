// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Writes to standard output at once: what a program that reads a long-running command waits for.
func printNow(_ text: String) {
    var bytes = Array((text + "\n").utf8)[...]
    while !bytes.isEmpty {
        // Bound: pointer and count are those of the slice.
        let written = bytes.withUnsafeBytes { write(1, $0.baseAddress, $0.count) }
        // Nobody listens: the server runs on all the same.
        guard written > 0 else { return }
        bytes = bytes.dropFirst(written)
    }
}
