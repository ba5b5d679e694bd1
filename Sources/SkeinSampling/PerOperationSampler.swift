// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// Asks a sampler of its own for each operation.
///
/// Samplers of operations that were not named are made when the operation is first seen; past 2,000
/// operations, those that come later share one.
public final class PerOperationSampler: Sampler {
    private let operations: Mutex<[String: any Sampler]>
    private let make: @Sendable () -> any Sampler
    private let shared: any Sampler

    /// Makes the sampler.
    ///
    /// - Parameters:
    ///   - operations: By name of the operation; of more than 2,000 the first by name count.
    ///   - otherwise: Makes the sampler of an operation that has none.
    public init(
        _ operations: [String: any Sampler],
        otherwise: @escaping @Sendable () -> any Sampler
    ) {
        let names = operations.keys.sorted().prefix(Limits.operations)
        self.operations = Mutex(names.reduce(into: [:]) { $0[$1] = operations[$1] })
        make = otherwise
        shared = otherwise()
    }

    public func decision(for span: SamplingInput) -> SamplingDecision {
        let sampler = operations.withLock { operations -> any Sampler in
            if let known = operations[span.name] { return known }
            guard operations.count < Limits.operations else { return shared }
            let new = make()
            operations[span.name] = new
            return new
        }
        return sampler.decision(for: span)
    }
}
