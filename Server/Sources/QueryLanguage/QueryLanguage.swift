// SPDX-License-Identifier: Apache-2.0

// QueryLanguage turns what a person or a client wrote into the one query tree, `TraceQuery`, that
// every API's parameters become, and TraceQL into its own tree, `TraceQL.Question`. It owns the trees,
// their parsers, regular expressions, and the messages that say what was wrong, where, and what to
// write instead. It is pure: it never asks a store, a clock or a socket.
//
// Invariant: a tree that `TraceQuery.validated()` accepted needs no further check by who runs it.
