// SPDX-License-Identifier: Apache-2.0

import Engine
import Foundation

/// A directory of its own for one test, removed afterwards.
final class TemporaryDirectory: Sendable {
    let path: String

    init() {
        let name = "skein-engine-" + UUID().uuidString
        path = FileManager.default.temporaryDirectory.appendingPathComponent(name).path
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

extension EngineOptions {
    /// Small blocks and segments, so that few spans reach every branch; nothing by itself.
    static var small: EngineOptions {
        var options = EngineOptions()
        options.segmentBytes = 4_096
        options.segmentsAhead = 0
        options.blockRows = 16
        options.merging = false
        options.reserveBytes = 0
        options.maintenanceInterval = .seconds(3_600)
        options.queryThreads = 1
        return options
    }
}
