// SPDX-License-Identifier: Apache-2.0

// Engine is the embedded store: it keeps spans on one disk and answers every question of
// `TraceStore`. It owns a directory (one process at a time), the threads that write it and the
// formats in it. It never decodes a protocol (replay uses the decoder it is given), never listens on
// a socket and never asks the clock or the disk but through `Platform`.
//
// `StoreCore` is the store without threads, `EmbeddedStore` the threads around it.
//
// The way of a batch: `append` -> queue -> log thread (write, one fdatasync for all who wait) ->
// head (found from here on) -> acknowledged -> part (one immutable file a flush) -> merged parts ->
// retention.
//
// Invariants:
// - What was acknowledged is in a synced log segment whose records are not yet covered by the
//   manifest's flushed sequence, or in a part that the manifest lists.
// - Head and parts change together, under one lock: no query sees a span twice or not at all.
// - A file that the manifest does not list is garbage. A file that fails its checksum is set aside,
//   counted, and named in every answer until retention forgets it.
