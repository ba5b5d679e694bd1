// SPDX-License-Identifier: Apache-2.0

/// The numbers of the composition root.
enum Limits {
    /// How long requests may go on after the server was told to stop. Under the five seconds that
    /// it promises to stop in, with time left to close the store.
    static let stop = Duration.seconds(3)

    /// Sites that may frame the page: they stand in a header of every answer.
    static let embeddingSiteCount = 32

    /// Bytes of a host's name, as the DNS bounds them.
    static let hostNameByteCount = 253

    /// File descriptors kept for the store, the listeners and the runtime.
    static let storeFileCount = 256
}
