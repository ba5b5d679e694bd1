// SPDX-License-Identifier: Apache-2.0

import Analysis
import Query
import QueryLanguage
import Store
import Testing

@Suite struct MapIncompletenessTests {
    @Test func `a map tells what is missing from edges and from services`() async throws {
        let store = ScriptedStore()
        store.change {
            $0.totals = { request in
                let reasons =
                    switch (request.lines, request.kinds) {
                    case (.edges, _): ["an edge"]
                    case (_, nil): ["a service", "an edge"]
                    default: ["a server"]
                    }
                return Totals(range: request.range, incomplete: reasons)
            }
        }
        let map = try await QueryEngine(store: store, now: { 7_200_000_000_000 })
            .map(in: .last(60_000_000_000), view: .init(), quantiles: [])
        #expect(map.incomplete == ["an edge", "a service", "a server"])
    }
}
