// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc

/// Takes one connection on loopback, reads one byte, ends its side and hangs up with the rest unread:
/// whoever still writes is told by `SIGPIPE`.
final class RudeServer: Sendable {
    struct NotStarted: Error {}

    let port: Int

    init() throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let code = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(listener, pointer, length) == 0 && listen(listener, 1) == 0
                    ? getsockname(listener, pointer, &length) : -1
            }
        }
        guard code == 0 else { throw NotStarted() }
        port = Int(address.sin_port.bigEndian)
        Thread.detachNewThread {
            let connection = accept(listener, nil, nil)
            var byte: UInt8 = 0
            _ = read(connection, &byte, 1)
            shutdown(connection, Int32(SHUT_WR))
            close(connection)
            close(listener)
        }
    }
}
