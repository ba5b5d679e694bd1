// SPDX-License-Identifier: Apache-2.0

// SkeinPropagation carries a trace from one process to the next: trace context and baggage, read
// from and written to whatever carries text keys and values (HTTP headers, message properties,
// environment variables).
//
// It owns the values that travel (`TraceContext`, `TraceState`, `Baggage`) and one `Propagator` per
// format. It never decides what is sampled, never logs and never throws: a carrier is written by
// strangers, so whatever is malformed is left out, in time linear in at most `Limits` bytes.
