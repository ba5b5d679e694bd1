// SPDX-License-Identifier: Apache-2.0

import SkeinModel
import Store

/// The names that the spans of one batch carry.
struct KnownNames: Sendable {
    struct Operation: Hashable {
        var service: String
        var name: String
        var kind: SpanKind
    }

    struct Key: Hashable {
        var service: String
        var scope: AttributeScope
        var key: String
    }

    var operations: [Operation] = []
    var keys: [Key] = []

    init(of table: SpanTable) {
        var operationPairs = Set<UInt64>()
        var keyPairs = Set<UInt64>()
        var resources: Set<UInt32> = []
        let count = table.columns.count
        for row in 0..<count {
            let service = table.columns.service(row)
            let kind = table.columns.kind[row]
            let pair = UInt64(service << 3 | UInt32(kind & 7)) << 32
            if operationPairs.insert(pair | UInt64(table.columns.name[row])).inserted {
                operations.append(
                    Operation(
                        service: table.columns.strings.text(service),
                        name: table.columns.strings.text(table.columns.name[row]),
                        kind: SpanKind(rawValue: kind) ?? .unspecified
                    )
                )
            }
            resources.insert(table.columns.resource[row])
            addKeys(table, table.columns.spanAttributes[row], service, .span, &keyPairs)
            for event in table.columns.spanEvents[row].rows {
                addKeys(table, table.columns.events.attributes[event], service, .event, &keyPairs)
            }
        }
        for resource in resources {
            let service = table.columns.resources.service[Int(resource)]
            let run = table.columns.resources.attributes[Int(resource)]
            addKeys(table, run, service, .resource, &keyPairs)
        }
    }

    private mutating func addKeys(
        _ table: SpanTable,
        _ run: Run,
        _ service: UInt32,
        _ scope: AttributeScope,
        _ pairs: inout Set<UInt64>
    ) {
        let code: UInt32 = scope == .span ? 0 : scope == .resource ? 1 : 2
        for row in run.rows {
            let key = table.columns.attributes.key[row]
            guard pairs.insert(UInt64(service << 2 | code) << 32 | UInt64(key)).inserted else {
                continue
            }
            keys.append(
                Key(
                    service: table.columns.strings.text(service),
                    scope: scope,
                    key: table.columns.strings.text(key)
                )
            )
        }
    }
}
