// SPDX-License-Identifier: Apache-2.0
// The sums behind charts: steps of axes, shares, rates, and counts of durations by powers. No DOM.
import { language, t } from './texts.js';

/**
 * Round values from zero up to at least `max`, about `wanted` steps of 1, 2 or 5 times a power of
 * ten.
 * @param {number} max @param {number} [wanted] @returns {number[]}
 */
export function niceTicks(max, wanted = 4) {
  if (!(max > 0) || !Number.isFinite(max)) return [0, 1];
  const rough = max / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5].find((factor) => factor * power >= rough * 0.999) ?? 10) * power;
  const count = Math.ceil(max / step - 1e-9);
  // Multiplied, not added up, so that 0.3 does not become 0.30000000000000004.
  return Array.from({ length: count + 1 }, (_, i) => Number((i * step).toPrecision(12)));
}

const minute = 60_000;
const timeSteps = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 10_080, 43_200];

/**
 * Local times on round minutes, hours or days inside a range.
 * @param {number} from milliseconds @param {number} to @param {number} wanted
 * @returns {{ at: number, text: string }[]}
 */
export function timeTicks(from, to, wanted) {
  const step = (timeSteps.find((minutes) => (to - from) / (minutes * minute) <= wanted) ??
    timeSteps[timeSteps.length - 1]) * minute;
  const offset = new Date(from).getTimezoneOffset() * minute;
  const ticks = [];
  for (let at = Math.ceil((from - offset) / step) * step + offset; at < to; at += step) {
    ticks.push({ at, text: timeText(at, step >= 1440 * minute) });
  }
  return ticks;
}

/** Local "10:42", or the day at midnight and where days are counted.
 * @param {number} at @param {boolean} [day] */
export function timeText(at, day = false) {
  const date = new Date(at);
  const midnight = date.getHours() === 0 && date.getMinutes() === 0;
  const locale = language() === 'zh' ? 'zh-CN' : 'en-GB';
  return day || midnight
    ? date.toLocaleDateString(locale, { month: 'short', day: 'numeric' })
    : date.toLocaleTimeString(locale, { hour: '2-digit', minute: '2-digit' });
}

/** Three digits at most. @param {number} value */
const short = (value) =>
  value >= 99.95 || value === 0 ? String(Math.round(value)) : value.toFixed(value >= 9.995 ? 1 : 2);

/** "12.3/s", "4.20/min". @param {number} perSecond */
export function rateText(perSecond) {
  if (perSecond >= 9999.5) return t('unit.perSecond', { rate: `${short(perSecond / 1000)}k` });
  return perSecond >= 0.1 || perSecond === 0
    ? t('unit.perSecond', { rate: short(perSecond) })
    : t('unit.perMinute', { rate: short(perSecond * 60) });
}

/** A share as "1.25%". @param {number} share of 1 */
export function percentText(share) {
  if (!(share > 0)) return '0%';
  if (share < 0.0001) return '<0.01%';
  return `${share >= 0.99995 ? 100 : short(share * 100)}%`;
}

/**
 * Counts of spans by time and by duration: column after column of times, in each the shortest
 * first. `edges` has one more than there are rows, in nanoseconds.
 * @typedef {{ from: number, step: number, columns: number, edges: number[], counts: Float64Array,
 *   exact: boolean }} Heat
 */

const perDecade = 6;

/** Edges so many to a power of ten that hold these durations. @param {number} low @param {number} high */
export function logEdges(low, high) {
  const first = Math.floor(Math.log10(Math.max(1, low)) * perDecade);
  const last = Math.max(first + 1, Math.ceil(Math.log10(Math.max(1, high)) * perDecade + 1e-9));
  return Array.from({ length: last - first + 1 }, (_, i) => 10 ** ((first + i) / perDecade));
}

/** Asked of totals for `heatOfTotals`. */
export const heatQuantiles = [
  0,
  0.05,
  0.15,
  0.25,
  0.35,
  0.45,
  0.55,
  0.65,
  0.75,
  0.85,
  0.9,
  0.95,
  0.98,
  0.99,
  0.999,
  1,
];

/**
 * About how many calls took how long, from quantiles of minute totals: what lies between two
 * neighbouring quantiles is spread evenly over the logarithm of the duration between them.
 * @param {import('./api.js').Totals[][]} lines steps of operations, each with `heatQuantiles`
 * @param {number} from @param {number} step @returns {Heat}
 */
export function heatOfTotals(lines, from, step) {
  const columns = lines.reduce((most, steps) => Math.max(most, steps.length), 0);
  let [low, high] = [Infinity, 0];
  for (const steps of lines) {
    for (const { callCount, quantileNanos } of steps) {
      if (!callCount) continue;
      low = Math.min(low, Number(quantileNanos[0]));
      high = Math.max(high, Number(quantileNanos[quantileNanos.length - 1]));
    }
  }
  const edges = high > 0 ? logEdges(low, high * 1.0001) : [];
  const rows = Math.max(0, edges.length - 1);
  const counts = new Float64Array(columns * rows);
  const first = edges.length ? Math.log10(edges[0]) : 0;
  const place = (/** @type {number} */ nanos) =>
    (Math.log10(Math.max(1, nanos)) - first) * perDecade;
  for (const steps of lines) {
    steps.forEach(({ callCount, quantileNanos }, column) => {
      if (!callCount) return;
      for (let k = 1; k < heatQuantiles.length; k++) {
        const calls = callCount * (heatQuantiles[k] - heatQuantiles[k - 1]);
        const a = place(Number(quantileNanos[k - 1]));
        const b = Math.max(a, place(Number(quantileNanos[k])));
        for (let row = Math.floor(a); row <= Math.min(rows - 1, Math.floor(b)); row++) {
          const part = b - a < 1e-9 ? 1 : (Math.min(b, row + 1) - Math.max(a, row)) / (b - a);
          counts[column * rows + Math.max(0, row)] += calls * Math.max(0, part);
        }
      }
    });
  }
  return { from, step, columns, edges, counts, exact: false };
}

/**
 * The same from `histogram_over_time(duration)`, whose buckets end at powers of two, in seconds.
 * @param {any} answer of /api/skein/v1/metrics @returns {Heat}
 */
export function heatOfMetrics(answer) {
  const series = new Map();
  for (const { labels, values } of answer.series) {
    const bucket = labels.find((/** @type {any} */ label) => label.name === '__bucket');
    if (bucket) series.set(Math.round(Number(bucket.value) * 1e9), values);
  }
  const ends = [...series.keys()].sort((a, b) => a - b);
  const edges = ends.length ? [ends[0] / 2] : [];
  // A bucket nobody is in has no series, and keeps its place.
  for (const end of ends) {
    while (edges[edges.length - 1] * 1.5 < end) edges.push(edges[edges.length - 1] * 2);
  }
  const columns = series.size ? series.get(ends[0]).length : 0;
  const rows = Math.max(0, edges.length - 1);
  const counts = new Float64Array(columns * rows);
  for (const end of ends) {
    const row = edges.findIndex((edge) => edge >= end * 0.75) - 1;
    series.get(end).forEach((/** @type {number | null} */ value, /** @type {number} */ column) => {
      counts[column * rows + row] += value ?? 0;
    });
  }
  return {
    from: Number(BigInt(answer.startTimeUnixNano) / 1_000_000n),
    step: Number(BigInt(answer.stepNanos) / 1_000_000n),
    columns,
    edges,
    counts,
    exact: true,
  };
}
