// SPDX-License-Identifier: Apache-2.0

// Receivers take spans from the network: OTLP over HTTP and gRPC, and Zipkin over HTTP. They own the
// sockets of the write side, the patience with slow clients, and the statuses of each protocol. They
// never decode a span and never store one: that is Ingest's work.
//
// Invariants: a positive answer is given only after Ingest reported the spans durable; a body is read
// only after its bytes were reserved from Ingest's budget; every connection ends by itself when its
// client stops talking; every refusal is counted.
