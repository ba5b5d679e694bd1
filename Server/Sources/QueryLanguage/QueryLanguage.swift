// SPDX-License-Identifier: Apache-2.0

// QueryLanguage turns what a person or a client wrote into the one query tree, `TraceQuery`, that
// every API's parameters become. It owns the tree, the parsers of its parts (durations, tags,
// cursors) and the messages that say what was wrong, where, and what to write instead. It is pure:
// it never asks a store, a clock or a socket.
//
// Invariant: a tree that `TraceQuery.validated()` accepted needs no further check by who runs it.
