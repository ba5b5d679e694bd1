// SPDX-License-Identifier: Apache-2.0

// Simulation runs the real engine over a disk and a clock that are made of a seed: it crashes it at
// any call, fails any call, spoils what was synced, and compares every answer with a ledger of what
// was acknowledged. It owns the seeded world, the workload, the ledger and the bugs planted to show
// that it would find them. It never changes the engine and never ships with the server.
//
// The way of a run: `Scenario` (seeded steps) -> `StoreCore` (the engine) -> `SimulatedDisk`, crash,
// `StoreCore.open`, `Verification` against `SpanLedger`, and so on until the steps are used up.
//
// Invariants:
// - A run depends on its seed, its options and the code, on nothing else: two runs of one seed make
//   the same calls with the same bytes, in any process.
// - One thread, no waiting: a run that does not end is a bug of the engine.
