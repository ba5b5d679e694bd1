// SPDX-License-Identifier: Apache-2.0

// SkeinSampling decides, when a span starts, whether its trace is recorded.
//
// It owns the `Sampler` protocol and one sampler per file. A sampler sees what is known at the start
// (ids, parent, name, kind, time; no attributes) and returns at once: it never waits, never throws and
// never touches a clock, a file or a socket. Samplers are consistent: all services that sample the
// same trace by ratio compare the same 56 random bits, so that a smaller ratio keeps a subset.
