// SPDX-License-Identifier: Apache-2.0
// The columnar form of a trace: "TRV1", u32 header length, JSON header, padding to 8, then columns
// of n
// little-endian entries: start u32, duration u32, parent i32, name u32, service u16, depth u16,
// kind u8, flags u8.
// Rows are depth first, so the subtree of row i is rows i ..< end[i]. No DOM here.

export const flag = {
  error: 1,
  parentMissing: 2,
  clockAdjusted: 4,
  events: 8,
  links: 16,
  remote: 32,
};
export const kinds = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'];

/**
 * @typedef {{ n: number, traceId: string, t0: string, unit: number, total: number, services:
 *   string[],
 * names: string[], warnings: string[], start: Uint32Array, duration: Uint32Array, parent:
 * Int32Array,
 * name: Uint32Array, service: Uint16Array, depth: Uint16Array, kind: Uint8Array, flags: Uint8Array,
 *   end: Int32Array, maxDepth: number, errors: number }} Trace
 */

/** @param {ArrayBuffer} buffer @returns {Trace} views of the buffer, nothing copied */
export function decode(buffer) {
  const view = new DataView(buffer);
  if (buffer.byteLength < 8 || view.getUint32(0, false) !== 0x54525631) {
    throw new Error('not a TRV1 document');
  }
  const headerLength = view.getUint32(4, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, headerLength)));
  const n = header.n;
  let offset = (8 + headerLength + 7) & ~7;
  /**
   * @template T
   * @param {new (b: ArrayBuffer, o: number, n: number) => T} type
   * @param {number} size
   * @returns {T}
   */
  const column = (type, size) => {
    const at = offset;
    offset += size * n;
    return new type(buffer, at, n);
  };
  const trace = {
    n,
    traceId: header.traceId,
    t0: header.t0,
    unit: header.unitNanos,
    services: header.services,
    names: header.names,
    warnings: header.warnings ?? [],
    start: column(Uint32Array, 4),
    duration: column(Uint32Array, 4),
    parent: column(Int32Array, 4),
    name: column(Uint32Array, 4),
    service: column(Uint16Array, 2),
    depth: column(Uint16Array, 2),
    kind: column(Uint8Array, 1),
    flags: column(Uint8Array, 1),
    end: new Int32Array(n),
    total: 1,
    maxDepth: 0,
    errors: 0,
  };
  measure(trace);
  return trace;
}

/** Subtree ends, the trace's length and its counts, in two passes. @param {Trace} trace */
export function measure(trace) {
  const { n, start, duration, parent, depth, flags, end } = trace;
  for (let i = 0; i < n; i++) {
    end[i] = i + 1;
    trace.total = Math.max(trace.total, start[i] + duration[i]);
    if (depth[i] > trace.maxDepth) trace.maxDepth = depth[i];
    trace.errors += flags[i] & flag.error;
  }
  for (let i = n - 1; i > 0; i--) {
    const p = parent[i];
    if (p >= 0 && p < i && end[p] < end[i]) end[p] = end[i];
  }
}

/**
 * Calls `piece(from, to)` for each stretch of a span's own time: what no direct child covers.
 * Children come in the order of their starts, so one sweep is enough.
 * @param {Trace} trace @param {number} row @param {(from: number, to: number) => void} piece
 */
export function ownTime(trace, row, piece) {
  const { start, duration, end } = trace;
  const last = start[row] + duration[row];
  let covered = start[row];
  for (let child = row + 1; child < end[row] && covered < last; child = end[child]) {
    const from = start[child];
    if (from > covered) piece(covered, Math.min(from, last));
    covered = Math.max(covered, from + duration[child]);
  }
  if (covered < last) piece(covered, last);
}

/** Spans and errors of each service, most spans first. @param {Trace} trace */
export function serviceCounts(trace) {
  const counts = trace.services.map((name, index) => ({ name, index, spans: 0, errors: 0 }));
  for (let i = 0; i < trace.n; i++) {
    const entry = counts[trace.service[i]];
    entry.spans++;
    entry.errors += trace.flags[i] & flag.error;
  }
  return counts.filter((entry) => entry.spans > 0).sort((a, b) =>
    b.spans - a.spans || a.name.localeCompare(b.name)
  );
}
