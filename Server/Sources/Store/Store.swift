// SPDX-License-Identifier: Apache-2.0

// Store is the vocabulary of storage: what is handed to an engine, what is asked of it, what it
// answers. It holds protocols and plain values; it never decodes, plans or touches a disk.
//
// Promises every `TraceStore` keeps (StoreContract tests them):
// - `append` returns only when the batch is durable by the store's policy and found by every query
//   that starts afterwards.
// - Nothing acknowledged is lost or doubled by a crash. An exact duplicate of a span (a client's
//   retry) is shown once.
// - An answer that is not whole says so and why. "Empty" never stands for "cannot".
