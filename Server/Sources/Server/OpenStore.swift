// SPDX-License-Identifier: Apache-2.0

internal import Engine
internal import Ingest
internal import Platform

/// Opens the store a configuration describes, making its folder when it is not there.
func openStore(
    _ configuration: ServerConfiguration,
    clock: any Clock
) throws -> EmbeddedStore {
    var options = EngineOptions()
    options.durability = configuration.durability
    options.retention = configuration.retention.duration
    options.totalsRetention = configuration.totalsDuration
    options.retentionBytes = configuration.retentionBytes.byteCount
    return try EmbeddedStore.open(
        directory: configuration.dataDirectory,
        options: options,
        disk: PosixDisk(),
        clock: clock,
        decoder: WirePayloadDecoder()
    )
}
