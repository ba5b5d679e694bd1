// SPDX-License-Identifier: Apache-2.0

// Skein is the tracer that an application links: it starts and ends spans for
// swift-distributed-tracing, keeps finished ones in a bounded buffer and hands them in batches to an
// exporter.
//
//     SkeinTracer -> SkeinSpan -> end() -> SpanRecord -> SpanPipeline (buffer, batches, retries)
//                                                            -> SpanExporter -> socket
//
// It owns the application's finished spans until they are exported or dropped, and it counts both:
// at any instant, started = live + abandoned + ended, and
// ended = queued + exported + rejected + dropped (by reason).
//
// It never blocks the application, never throws into it and never grows without bound: a full
// buffer drops and counts. It never traces its own export. Only `Transport….swift` touches a clock,
// a socket, the environment or randomness.
