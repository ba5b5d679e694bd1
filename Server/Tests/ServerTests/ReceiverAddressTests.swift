// SPDX-License-Identifier: Apache-2.0

import Receivers
import Testing

@Suite struct ReceiverAddressTests {
    @Test(arguments: [
        ("127.0.0.1:4318", "127.0.0.1", 4318, true),
        ("127.9.8.7:0", "127.9.8.7", 0, true),
        ("localhost:80", "localhost", 80, true),
        ("[::1]:9411", "::1", 9411, true),
        ("0.0.0.0:1", "0.0.0.0", 1, false),
        ("[::]:65535", "::", 65535, false),
        ("127.0.0.1.example.com:1", "127.0.0.1.example.com", 1, false),
        ("collector:4318", "collector", 4318, false),
    ])
    func `an address is read and written`(
        _ text: String,
        _ host: String,
        _ port: Int,
        _ isLoopback: Bool
    ) throws {
        let address = try ListenAddress(parsing: text)
        #expect(address.host == host)
        #expect(address.port == port)
        #expect(address.isLoopback == isLoopback)
        #expect(address.description == text)
    }

    @Test func `a port alone is one of the loopback`() throws {
        #expect(try ListenAddress(parsing: "16685").description == "127.0.0.1:16685")
        #expect(try ListenAddress(parsing: "0").isLoopback)
    }

    @Test(arguments: [
        "", "localhost", ":4318", "localhost:", "localhost:x", "localhost:65536",
        "localhost:-1", "localhost:+1", "::1:80", "[]:80", "localhost:٣", "65536", "٣", "-1",
    ])
    func `what is no address is refused with an example`(_ text: String) {
        let error = #expect(throws: InvalidAddress.self) { try ListenAddress(parsing: text) }
        #expect(error?.description.contains("HOST:PORT") == true)
    }
}
