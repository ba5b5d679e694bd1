// SPDX-License-Identifier: Apache-2.0
// Which span of a trace is which after more spans of it came: its rows have moved then. No DOM here.
import { rowHeight } from './bars.js';
import { writeAddress } from './trace-address.js';

/**
 * The row of a grown trace that holds the span of a row of its older columns, or -1.
 * @param {import('./trv1.js').Trace} old @param {number} row
 * @param {import('./trv1.js').Trace} grown
 */
export function sameSpan(old, row, grown) {
  const name = grown.names.indexOf(old.names[old.name[row]]);
  const service = grown.services.indexOf(old.services[old.service[row]]);
  const start = BigInt(old.t0) + BigInt(old.start[row]) * BigInt(old.unit);
  const offset = Number((start - BigInt(grown.t0)) / BigInt(grown.unit));
  for (let i = 0; i < grown.n; i++) {
    if (grown.start[i] === offset && grown.name[i] === name && grown.service[i] === service) {
      return i;
    }
  }
  return -1;
}

/** For each row of a trace the row of the same span in the grown one, or -1.
 * @param {import('./trv1.js').Trace} old @param {import('./trv1.js').Trace} grown */
function rowsOf(old, grown) {
  const key = (/** @type {import('./trv1.js').Trace} */ trace, /** @type {number} */ row) =>
    `${BigInt(trace.t0) + BigInt(trace.start[row]) * BigInt(trace.unit)} ${trace.duration[row]} ${
      trace.services[trace.service[row]]
    } ${trace.names[trace.name[row]]}`;
  const known = new Map();
  for (let i = 0; i < grown.n; i++) known.set(key(grown, i), i);
  return Int32Array.from({ length: old.n }, (_, row) => known.get(key(old, row)) ?? -1);
}

/**
 * The state of a page as the address of the grown trace, and the row now at the top of the view.
 * @param {import('./trace.js').TracePage} page @param {import('./trv1.js').Trace} grown
 */
export function stateIn(page, grown) {
  const { trace, timeline } = page;
  const whole = page.whole();
  const now = rowsOf(trace, grown);
  const moved = (/** @type {number} */ row) => row >= 0 ? now[row] : -1;
  const closed = new Uint8Array(grown.n);
  whole.closed.forEach((shut, row) => {
    if (shut && now[row] >= 0) closed[now[row]] = 1;
  });
  const zoomed = whole.to - whole.from < trace.total * 0.9999;
  const text = writeAddress({
    ...whole,
    closed,
    from: zoomed ? whole.from : 0,
    to: zoomed ? whole.to : grown.total,
    row: moved(whole.row),
    unrolled: whole.unrolled.map(moved).filter((row) => row >= 0),
    service: grown.services.indexOf(trace.services[whole.service]),
  }, grown);
  const top = moved(timeline.shown[Math.floor(timeline.top / rowHeight)] ?? -1);
  return { text, top };
}
