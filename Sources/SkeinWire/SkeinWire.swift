// SPDX-License-Identifier: Apache-2.0

// SkeinWire turns bytes into spans and spans into bytes: OTLP (protobuf and JSON) and Zipkin v2
// (JSON and proto3), with the small answers those protocols ask for. It owns the forms, the limits
// on what one payload may hold, and the words that tell a sender what was wrong with it. It never
// touches a clock, a file or a socket, and never decides what is kept.
//
// Invariants: any bytes are answered with a whole batch or with a `WireError`, never with a trap;
// memory stays in proportion to the payload; nothing is allocated by a length that was not checked
// against the bytes that are there; nesting is counted.
