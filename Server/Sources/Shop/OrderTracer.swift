// SPDX-License-Identifier: Apache-2.0

import Tracing

/// Who and what a request is about. Travels with the trace context through every service, so that
/// each span can be found by the order it worked for.
struct OrderIdentity: Sendable, Hashable {
    var order: String
    var customer: String

    static let orderHeader = "shop-order-id"
    static let customerHeader = "shop-customer-id"
}

extension ServiceContext {
    private enum OrderKey: ServiceContextKey {
        typealias Value = OrderIdentity
        static var nameOverride: String? { "shop.order" }
    }

    /// The order that the current work is for.
    var order: OrderIdentity? {
        get { self[OrderKey.self] }
        set { self[OrderKey.self] = newValue }
    }
}

/// Wraps `base` so that every span carries `order.id` and `customer.id`.
func traceOrders(with base: any Tracer) -> any Tracer {
    func wrap(_ base: some Tracer) -> any Tracer { OrderTracer(base: base) }
    return wrap(base)
}

/// A tracer that marks every span with the order it works for, and sends the order along.
///
/// Libraries that know the tracing API but nothing of orders, such as AsyncHTTPClient, mark their
/// spans this way too.
struct OrderTracer<Base: Tracer>: Tracer {
    let base: Base

    func startSpan<Instant: TracerInstant>(
        _ operationName: String,
        context: @autoclosure () -> ServiceContext,
        ofKind kind: SpanKind,
        at instant: @autoclosure () -> Instant,
        function: String,
        file fileID: String,
        line: UInt
    ) -> Base.Span {
        let context = context()
        let span = base.startSpan(
            operationName,
            context: context,
            ofKind: kind,
            at: instant(),
            function: function,
            file: fileID,
            line: line
        )
        if let identity = context.order {
            span.updateAttributes {
                $0["order.id"] = identity.order
                $0["customer.id"] = identity.customer
            }
        }
        return span
    }

    func activeSpan(identifiedBy context: ServiceContext) -> Base.Span? {
        base.activeSpan(identifiedBy: context)
    }

    @available(*, deprecated)
    func forceFlush() { base.forceFlush() }

    func extract<Carrier, Extract: Extractor>(
        _ carrier: Carrier,
        into context: inout ServiceContext,
        using extractor: Extract
    ) where Extract.Carrier == Carrier {
        base.extract(carrier, into: &context, using: extractor)
        if let order = extractor.extract(key: OrderIdentity.orderHeader, from: carrier),
            let customer = extractor.extract(key: OrderIdentity.customerHeader, from: carrier)
        {
            context.order = OrderIdentity(order: order, customer: customer)
        }
    }

    func inject<Carrier, Inject: Injector>(
        _ context: ServiceContext,
        into carrier: inout Carrier,
        using injector: Inject
    ) where Inject.Carrier == Carrier {
        base.inject(context, into: &carrier, using: injector)
        if let identity = context.order {
            injector.inject(identity.order, forKey: OrderIdentity.orderHeader, into: &carrier)
            injector.inject(identity.customer, forKey: OrderIdentity.customerHeader, into: &carrier)
        }
    }
}
