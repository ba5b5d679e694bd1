// SPDX-License-Identifier: Apache-2.0
// The time range of every page, as the address holds it. No DOM.
//
//     last=15m           up to now; an hour where nothing is said; all = since ever
//     from=… to=…        milliseconds since 1970, or times in ISO 8601
//
// Addresses of before, with start and end in nanoseconds, are understood and written anew.

export const presets = ['15m', '1h', '3h', '6h', '24h', '2d', '7d', '30d'];
export const defaultLast = '1h';

const units = { s: 1e3, m: 60e3, h: 3600e3, d: 86_400e3, w: 7 * 86_400e3 };
const minute = units.m;
/** The server keeps totals for 90 days unless told otherwise. */
const longest = 90 * units.d;
export const rangeNames = ['last', 'from', 'to', 'start', 'end'];

/** @typedef {{ last: string | null, from: number, to: number }} Range `last` is null when both ends are fixed */

/** @param {string} text such as 90m @returns {number | null} milliseconds */
export function parseLast(text) {
  const match = /^(\d{1,9})([smhdw])$/.exec(text);
  const width = match ? Number(match[1]) * units[/** @type {'s'} */ (match[2])] : 0;
  return width > 0 && width <= 3660 * units.d ? width : null;
}

/** @param {string | null} text @returns {number | null} milliseconds since 1970 */
function parseMoment(text) {
  // Date.parse alone takes almost anything for a day.
  const iso = /^\d{4}-\d\d-\d\d/;
  if (!text || !/^\d{1,15}$/.test(text) && !iso.test(text)) return null;
  const at = iso.test(text) ? Date.parse(text) : Number(text);
  return Number.isFinite(at) && at >= 0 && at < 8.64e15 ? Math.round(at) : null;
}

/** @param {string | null} text nanoseconds @returns {number | null} milliseconds */
const parseNanos = (text) =>
  text && /^\d{1,19}$/.test(text) ? Number(BigInt(text) / 1_000_000n) : null;

/** How the ends of a range are written, those of before last. */
const ends = /** @type {const} */ ({
  from: [['from', parseMoment], ['start', parseNanos]],
  to: [['to', parseMoment], ['end', parseNanos]],
});

/**
 * @param {URLSearchParams} params @param {number} [now]
 * @returns {{ range: Range, dropped: string[] }} what could not be understood is dropped and named
 */
export function readRange(params, now = Date.now()) {
  const at = (/** @type {'from' | 'to'} */ end) => {
    const name = ends[end].find(([name, parse]) => parse(params.get(name)) !== null);
    return name ? { name: name[0], at: /** @type {number} */ (name[1](params.get(name[0]))) } : null;
  };
  const [from, to] = [at('from'), at('to')];
  const fixed = { last: null, from: from?.at ?? 0, to: to?.at ?? now };
  const last = params.get('last') ?? '';
  /** @type {(string | undefined)[]} */
  let used = [from?.name, to?.name];
  /** @type {Range} */
  let range = fixed;
  if (!from && !to || fixed.from >= fixed.to) {
    const known = last === 'all' || parseLast(last) !== null;
    range = lastRange(known ? last : defaultLast, now);
    used = [known ? 'last' : ''];
  }
  const dropped = rangeNames.filter((name) => params.get(name) && !used.includes(name))
    .map((name) => `${name}=${params.get(name)}`);
  return { range, dropped };
}

/** @param {string} last @param {number} [now] @returns {Range} */
export const lastRange = (last, now = Date.now()) => ({
  last,
  from: last === 'all' ? 0 : now - (parseLast(last) ?? 0),
  to: now,
});

/**
 * Parameters of an address with this range in place of the one they held.
 * @param {URLSearchParams} params @param {Range} range @returns {URLSearchParams} new ones
 */
export function withRange(params, range) {
  const next = new URLSearchParams(params);
  for (const name of rangeNames) next.delete(name);
  if (range.last === null) {
    next.set('from', String(Math.round(range.from)));
    next.set('to', String(Math.round(range.to)));
  } else if (range.last !== defaultLast) next.set('last', range.last);
  return next;
}

/**
 * The window before or after; one that would reach past now is the one up to now.
 * @param {Range} range @param {-1 | 1} by @param {number} [now] @returns {Range}
 */
export function shift(range, by, now = Date.now()) {
  const width = range.to - range.from;
  const from = range.from + by * width;
  const to = range.to + by * width;
  if (to >= now - 1000) {
    const preset = presets.find((name) => parseLast(name) === Math.round(width));
    return preset ? lastRange(preset, now) : { last: null, from: now - width, to: now };
  }
  return { last: null, from: Math.max(0, from), to: Math.max(width, to) };
}

/** No longer than totals are kept. @param {Range} range @returns {Range} */
export const bounded = (range) => ({ ...range, from: Math.max(range.from, range.to - longest) });

/** A step of whole minutes for about so many points. @param {Range} range @param {number} points */
export function stepOf(range, points) {
  const wanted = (range.to - range.from) / points / minute;
  const steps = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440];
  return (steps.find((step) => step >= wanted) ?? Math.ceil(wanted / 1440) * 1440) * minute;
}

/** Milliseconds as the server writes times. @param {number} at */
export const nanos = (at) => String(BigInt(Math.round(at)) * 1_000_000n);

/** What the native API takes. @param {Range} range @returns {{ start: string, end: string }} */
export const asked = (range) => ({ start: nanos(range.from), end: nanos(range.to) });

/** How long a window waits before it is asked for again by itself. @param {Range} range */
export const freshness = (range) =>
  Math.min(60_000, Math.max(5_000, (range.to - range.from) / 360));

const kept = ['last', 'from', 'to', 'embed', 'live'];

/**
 * An address that keeps the time range, and what else belongs to every page, of the one shown.
 * @param {string} path @param {Record<string, string | null | undefined>} [more]
 * @param {Range} [range] in place of the one shown
 */
export function link(path, more = {}, range) {
  let params = new URLSearchParams();
  const now = new URLSearchParams(location.search);
  for (const name of kept) {
    if (now.get(name)) params.set(name, /** @type {string} */ (now.get(name)));
  }
  if (range) params = withRange(params, range);
  for (const [name, value] of Object.entries(more)) if (value) params.set(name, value);
  return params.size ? `${path}?${params}` : path;
}
