// SPDX-License-Identifier: Apache-2.0

public import Engine
internal import Ingest

/// Brings a backup back into an empty or a new folder, copying and verifying every file.
///
/// - Parameters:
///   - backup: the folder that `StoreBackup.make` made.
///   - directory: where to.
/// - Throws: `EngineError` with one line that says what is wrong and what to do.
public func restoreBackup(
    _ backup: String,
    into directory: String
) throws -> StoreBackup.Summary {
    try StoreBackup.restore(backup, into: directory, decoder: WirePayloadDecoder())
}

/// Reads every byte of a store, of a running server's too, or of a backup.
///
/// - Parameters:
///   - directory: the folder.
///   - tell: is called with a line for each file.
/// - Throws: `EngineError` where there is no store, or one of another format version.
public func verifyStore(
    _ directory: String,
    tell: (String) -> Void
) throws -> StoreVerification.Summary {
    try StoreVerification.verify(
        directory: directory,
        decoder: WirePayloadDecoder(),
        tell: tell
    )
}
