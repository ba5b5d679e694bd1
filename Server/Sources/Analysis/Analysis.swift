// SPDX-License-Identifier: Apache-2.0

// Analysis explains traces: their tree, their clocks, who called whom. It owns pure functions over
// plain values; it never reads a store, a clock or a socket.
//
// Invariant: any set of spans gives an answer. Parents that are missing, point at themselves or in a
// circle, ids used twice and times of any value are facts to report, never reasons to fail, and no
// walk is recursive: a trace may be a chain of a million spans.
