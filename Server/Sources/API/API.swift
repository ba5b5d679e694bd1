// SPDX-License-Identifier: Apache-2.0

// API answers those who read: the native interface under /api/skein/v1, Jaeger's under /api, Zipkin's
// under /api/v2, Tempo's under /tempo. It owns routes, parameters, status codes and the shapes of
// answers; it never searches by itself: each request becomes a `TraceQuery` or a TraceQL question for
// the `QueryEngine`.
//
// Invariants: a malformed parameter is answered with 400 and what, where and what to do instead; an
// answer that is not whole says so; input text reaches an answer only as quoted JSON.
