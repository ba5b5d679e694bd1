// SPDX-License-Identifier: Apache-2.0

// SkeinTesting is for users' tests: a tracer that keeps its spans in memory, and a small language to
// say what they should look like.
//
//     SpanCollector -> CollectedTrace -> contains(SpanPattern) -> #expect
//
// It owns the spans of one test. It never opens a socket, never sleeps to let something happen, and
// knows of no test library: what fails describes itself, so any of them prints it.
