// SPDX-License-Identifier: Apache-2.0

import Logging
import ServiceLifecycle
import Tracing

/// Reads the queue and tells the store and the order service that an order is on its way.
struct PushWorker: Service {
    let station: Station
    let queue: PushQueue
    let ledger: Ledger

    func run() async throws {
        for await message in queue.messages.cancelOnGracefulShutdown() {
            do {
                try await process(message)
            } catch {
                // The span carries the error; the worker goes on with the next message.
                station.logger.warning("push failed", metadata: ["order": "\(message.order)"])
            }
            queue.done()
        }
    }

    private func process(_ message: PushMessage) async throws {
        var sender = ServiceContext.topLevel
        station.tracer.extract(message.headers, into: &sender, using: MessageExtractor())
        let name = "process \(PushQueue.name)"
        try await station.tracer.withSpan(name, context: sender, ofKind: .consumer) { span in
            span.addLink(SpanLink(context: sender, attributes: [:]))
            span.updateAttributes {
                $0["messaging.system"] = "shop-queue"
                $0["messaging.destination.name"] = PushQueue.name
                $0["messaging.destination.partition.id"] = PushQueue.Partition.stores.id
                $0["messaging.consumer.group.name"] = "push-workers"
                $0["messaging.operation.name"] = "process"
                $0["messaging.operation.type"] = "process"
                $0["messaging.message.id"] = "push-\(message.order)"
            }
            try await station.span("notify store") { span in
                span.attributes["store.protocol"] = "mqtt"
                try await station.work.take(12...45)
            }
            let path = "/orders/\(message.order)/push"
            let reply = try await station.client.call("PUT", .order, path)
            guard reply.isSuccess else {
                throw UnexpectedStatus(service: .order, status: reply.status)
            }
            ledger.count(\.pushed)
        }
    }
}
