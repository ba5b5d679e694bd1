// SPDX-License-Identifier: Apache-2.0
// A trace that grows while it is looked at: late spans are looked for, and which span is which is told
// although rows have moved.
import { parameters } from './address.js';
import { rowHeight } from './bars.js';
import { writeAddress } from './trace-address.js';
import { decode } from './trv1.js';

/** Spans of a young trace may still be on their way. Milliseconds. */
const lateChecks = [3000, 6000, 15_000, 30_000];
const youngFor = 60_000;
/** A trace that ends in the future, by clocks that are off, is not watched until then. */
const checksMost = 20;

/**
 * The row of a grown trace that holds the span of a row of its older columns, or -1.
 * @param {import('./trv1.js').Trace} old @param {number} row
 * @param {import('./trv1.js').Trace} grown
 */
function sameSpan(old, row, grown) {
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
 * @param {import('./trace-page.js').TracePage} page @param {import('./trv1.js').Trace} grown
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

/** Whether a span the server gave for a row is the one the columns hold there.
 * @param {import('./trv1.js').Trace} trace @param {number} row @param {any} span */
export function isRow(trace, row, span) {
  const offset = (BigInt(span.startTimeUnixNano) - BigInt(trace.t0)) / BigInt(trace.unit);
  return span.name === trace.names[trace.name[row]] &&
    span.service === trace.services[trace.service[row]] && offset === BigInt(trace.start[row]);
}

/**
 * The trace has grown since its columns were read, and its rows have moved: draws it anew with the
 * same span selected.
 * @param {import('./trace-page.js').TracePage} page
 * @param {number} row of the old columns @param {AbortSignal} signal
 * @returns {Promise<boolean>} false when it has not grown after all
 */
export async function catchUp({ trace, source, context }, row, signal) {
  try {
    const grown = decode(await source.columns(signal));
    if (grown.n === trace.n) return false;
    const now = sameSpan(trace, row, grown);
    const params = parameters();
    for (const name of ['sel', 'row', 'shut', 'open', 'unroll']) params.delete(name);
    if (now >= 0) {
      params.set('sel', (await source.span(now, signal)).spanId);
      params.set('row', String(now));
    }
    if (!signal.aborted) context.go(`${location.pathname}?${params}`, true);
    return true;
  } catch {
    return signal.aborted;
  }
}

/** Spans of a young trace join when they are here. @param {import('./trace-page.js').TracePage} page */
export async function watchForLateSpans(page) {
  const { trace, signal, source } = page;
  const end = Number((BigInt(trace.t0) + BigInt(trace.total) * BigInt(trace.unit)) / 1_000_000n);
  for (let check = 0; check < checksMost && Date.now() - end < youngFor; check++) {
    await new Promise((resolve) =>
      setTimeout(resolve, lateChecks[Math.min(check, lateChecks.length - 1)])
    );
    // A tab that nobody sees asks for nothing; it looks again when it is seen.
    if (document.hidden) {
      await new Promise((resolve) =>
        addEventListener('visibilitychange', resolve, { once: true, signal })
      );
    }
    if (signal.aborted) return;
    // A server that did not answer may the next time.
    const grown = await source.columns(signal).then(decode, () => null);
    if (signal.aborted) return;
    if (grown && grown.n > trace.n) return page.join(grown);
  }
}
