// SPDX-License-Identifier: Apache-2.0

// Platform is the only place in the server that makes system calls: disk, clock, randomness and
// threads stand behind small protocols, so that a test can run the real engine over a disk that
// tears writes and a clock that jumps. It owns no policy: it never retries a failed call, never
// swallows an error and never caches.
//
// Invariants: every `DiskError` carries path, operation and errno; a write that returns has written
// every byte; `sync` returning means that the bytes written before it survive a power cut.
