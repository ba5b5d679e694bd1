// SPDX-License-Identifier: Apache-2.0

import Engine
import Platform
import Store
import StoreContract
import Testing

/// The states a store's spans can be in.
enum StoreState: String, CaseIterable, Sendable {
    case headOnly, flushed, reopened, mixed, merged, oneRowBlocks
    /// Sometimes left in the head, sometimes flushed, joined or opened anew.
    case shuffled
}

@Suite struct ContractTests {
    @Test(arguments: StoreState.allCases, StoreContract.Check.allCases)
    func `the engine keeps the contract`(state: StoreState, check: StoreContract.Check) async throws
    {
        for seed in [UInt64(1), 2, UInt64.random(in: 3..<1_000_000)] {
            let directory = TemporaryDirectory()
            try await contract(state, directory).run(check, seed: seed)
        }
    }

    private func contract(_ state: StoreState, _ directory: TemporaryDirectory) -> StoreContract {
        let count = Counter()
        return StoreContract(
            makeStore: { try Self.open(state, directory) },
            settle: { store in
                guard let store = store as? EmbeddedStore else { return store }
                switch state {
                case .headOnly: return store
                case .flushed, .oneRowBlocks:
                    try await store.flush()
                    return store
                case .merged:
                    try await store.flush()
                    try await store.maintain()
                    return store
                case .reopened:
                    await store.close()
                    return try Self.open(state, directory)
                case .shuffled:
                    switch count.next() * 7 % 5 {
                    case 0: return store
                    case 1, 2: try await store.flush()
                    case 3: try await store.maintain()
                    default:
                        await store.close(flushing: count.next() % 2 == 0)
                        return try Self.open(state, directory)
                    }
                    return store
                case .mixed:
                    if count.next() % 2 == 0 { try await store.flush() }
                    return store
                }
            },
            finish: { store in
                guard let store = store as? EmbeddedStore else { return }
                await store.close()
            }
        )
    }

    private static func open(
        _ state: StoreState,
        _ directory: TemporaryDirectory
    ) throws -> EmbeddedStore {
        var options = EngineOptions.small
        if state == .oneRowBlocks { options.blockRows = 1 }
        options.merging = state == .merged || state == .shuffled
        return try EmbeddedStore.open(
            directory: directory.path,
            options: options,
            decoder: SpanGenerator.Decoder()
        )
    }
}
