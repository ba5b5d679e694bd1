// SPDX-License-Identifier: Apache-2.0

// Query runs the query trees over any `TraceStore`: it plans, pages, reads traces whole, evaluates
// TraceQL over them and arranges them for a reader. It owns the assembled `Trace` and its columnar
// form; it never parses a request, writes an answer or knows which engine answers.
//
// Invariant: what the store says is missing, or a bound of ours cut, stands in the result's
// `incomplete`; an answer is never silently short.
