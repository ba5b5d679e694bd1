// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Client

/// Which server a command asks.
struct ServerAddress: ParsableArguments {
    @Option(
        name: [.customLong("server"), .customLong("address")],
        help: ArgumentHelp("The server's address.", valueName: "url")
    )
    var address = "http://127.0.0.1:16686"

    /// Its native interface.
    ///
    /// - Throws: `ClientError` where that is no address.
    func api() throws(ClientError) -> NativeAPI { try NativeAPI(address: address) }
}
