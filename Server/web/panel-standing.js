// SPDX-License-Identifier: Apache-2.0
// How a span stands among the calls of its operation: in words, and as a histogram that marks it.
// The histogram is put together from the quantiles of the minute totals, so it counts every call
// received and is as fine as these are.
import { h, svg } from './dom.js';
import { incompleteStrip } from './notice.js';
import { count, duration } from './format.js';
import { t } from './texts.js';

const bars = 36;
const [width, height] = [300, 56];

/** @typedef {{ part: number, nanos: string }} Quantile */

/**
 * The share of calls in each of some bins of equal width on a logarithmic scale.
 * @param {Quantile[]} quantiles @returns {{ shares: number[], low: number, high: number }}
 */
export function histogramOf(quantiles) {
  const points = quantiles.map(({ part, nanos }) => ({
    part,
    at: Math.log(Math.max(1, Number(nanos))),
  }));
  const low = points[0]?.at ?? 0;
  const high = Math.max(low + 0.01, points.at(-1)?.at ?? 0);
  const below = (/** @type {number} */ at) => {
    let part = 0;
    for (let i = 0; i < points.length; i++) {
      if (points[i].at <= at) {
        part = points[i].part;
        continue;
      }
      const before = points[i - 1] ?? points[i];
      const length = points[i].at - before.at;
      return length > 0
        ? before.part + (points[i].part - before.part) * ((at - before.at) / length)
        : part;
    }
    return at >= high ? 1 : part;
  };
  const edges = Array.from({ length: bars + 1 }, (_, i) => low + ((high - low) * i) / bars);
  // What equals the shortest belongs to the first bin.
  const parts = edges.map((edge, i) => (i === 0 ? 0 : below(edge)));
  return {
    shares: parts.slice(1).map((part, i) => Math.max(0, part - parts[i])),
    low: Math.exp(low),
    high: Math.exp(high),
  };
}

/** @param {number} part as "93 %", never rounded up to all */
const percent = (part) => {
  const value = part * 100;
  const text = value > 99 ? (Math.floor(value * 100) / 100).toString() : String(Math.floor(value));
  return `${text}%`;
};

/** @param {any} answer of the standing of a span @returns {any} */
export function standing(answer) {
  // One call, which is this, stands among none.
  if (answer.callCount < 2) return null;
  const [slower, faster] = [answer.fasterAtLeast, 1 - answer.fasterAtMost];
  const n = answer.callCount;
  const words = Math.max(slower, faster) < 0.01
    ? t('stands.same', { n })
    : slower > faster
    ? t('stands.slower', { part: percent(slower), n })
    : t('stands.faster', { part: percent(faster), n });
  const { shares, low, high } = histogramOf(answer.quantiles);
  const most = Math.max(...shares);
  const across = (/** @type {number} */ nanos) =>
    Math.max(0, Math.min(1, Math.log(nanos / low) / Math.log(high / low))) * width;
  const path = shares.map((share, i) => {
    const tall = share > 0 ? Math.max(1.5, (share / most) * (height - 6)) : 0;
    const x = ((i * width) / bars).toFixed(1);
    return `M${x} ${height}v${(-tall).toFixed(1)}h${(width / bars - 1).toFixed(1)}v${
      tall.toFixed(1)
    }z`;
  }).join('');
  const mark = across(Math.max(1, Number(answer.durationNanos))).toFixed(1);
  const drawing = svg('svg', {
    viewBox: `0 0 ${width} ${height}`,
    preserveAspectRatio: 'none',
    role: 'img',
    'aria-label': t('stands.label', {
      low: duration(low),
      high: duration(high),
      mine: duration(Number(answer.durationNanos)),
    }),
  }, svg('path', { d: path, class: 'calls' }), svg('path', { d: `M${mark} 0V${height}`, class: 'mine' }));
  return h(
    'figure.standing',
    h('figcaption', words),
    drawing,
    h('div.ends', h('span', duration(low)), h('span', duration(high))),
    incompleteStrip(answer.incompleteReasons),
  );
}
