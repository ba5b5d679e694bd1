// SPDX-License-Identifier: Apache-2.0

/// What a sampler may hold, however many operations an application has.
enum Limits {
    /// Operations that are told apart; those that come later share what is left. A name without
    /// bound (a path with an id in it) must not become memory without bound.
    static let operations = 2_000
}
