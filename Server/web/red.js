// SPDX-License-Identifier: Apache-2.0
// Rate, errors and durations as pages say them: reading totals, telling change from chance, which
// services are called from outside. No DOM.
import * as api from './api.js';
import { asked, stepOf } from './range.js';
import { heatOfMetrics, heatOfTotals, heatQuantiles } from './scale.js';
import { spans } from './traceql.js';

/** Spans of these kinds are calls that a service answers. */
export const answering = ['server', 'consumer'];
const minute = 60_000;

/** @typedef {import('./range.js').Range} Range */

/**
 * The range in whole minutes, and as long a one right before it.
 * @param {Range} range @returns {{ now: Range, before: Range }}
 */
export function windows(range) {
  const from = Math.floor(range.from / minute) * minute;
  const to = Math.ceil(range.to / minute) * minute;
  const before = { last: null, from: Math.max(0, from - (to - from)), to: from };
  return { now: { last: range.last, from, to }, before };
}

/** Seconds of a window that have passed. @param {Range} range */
export const secondsOf = (range) =>
  Math.max(1, (Math.min(range.to, Date.now()) - range.from) / 1000);

/** @param {Range} range @param {number} points as the API takes a step */
export const stepText = (range, points) => `${stepOf(range, points) / minute}m`;

/**
 * @typedef {{ calls: number, errors: number, rate: number, share: number, quantiles: number[] }}
 * Reading durations in nanoseconds
 * @param {import('./api.js').Totals | undefined} totals @param {number} seconds
 * @returns {Reading}
 */
export function read(totals, seconds) {
  const calls = totals?.callCount ?? 0;
  const errors = totals?.errorCount ?? 0;
  return {
    calls,
    errors,
    rate: calls / seconds,
    share: calls ? errors / calls : 0,
    quantiles: (totals?.quantileNanos ?? []).map(Number),
  };
}

/** With fewer calls a change says little. */
const callsToJudge = 30;

/**
 * Whether errors became more or fewer than chance explains: the two shares are more than three of
 * their standard deviations apart.
 * @param {Reading} now @param {Reading} before @returns {-1 | 0 | 1}
 */
export function errorChange(now, before) {
  const calls = now.calls + before.calls;
  if (now.calls < callsToJudge || before.calls < callsToJudge) return 0;
  const share = (now.errors + before.errors) / calls;
  const deviation = Math.sqrt(share * (1 - share) * (1 / now.calls + 1 / before.calls));
  const apart = now.share - before.share;
  return deviation && Math.abs(apart) > 3 * deviation ? (apart > 0 ? 1 : -1) : 0;
}

/** Calls above a quantile, with fewer of which it moves by chance alone. */
const callsAbove = 3;

/**
 * How many times as long p99 is, where that is worth saying; else null.
 * @param {Reading} now @param {Reading} before @param {number} at which of the quantiles p99 is
 * @returns {number | null}
 */
export function durationChange(now, before, at) {
  const above = Math.min(now.calls, before.calls) * 0.01;
  if (above < callsAbove || !(before.quantiles[at] > 0)) return null;
  const ratio = now.quantiles[at] / before.quantiles[at];
  return ratio >= 1.3 || ratio <= 1 / 1.3 ? ratio : null;
}

/**
 * Services that most of their calls reach from outside: no other service's span is their parent.
 * @param {import('./api.js').OperationTotals[]} operations of the kinds that answer
 * @param {import('./api.js').EdgeTotals[]} edges @returns {Set<string>}
 */
export function entryServices(operations, edges) {
  /** @type {Map<string, number>} */
  const outside = new Map();
  /** @type {Map<string, number>} */
  const answered = new Map();
  const add = (
    /** @type {Map<string, number>} */ map,
    /** @type {string} */ name,
    /** @type {number} */ n,
  ) => map.set(name, (map.get(name) ?? 0) + n);
  for (const { service, callCount } of operations) {
    add(answered, service, callCount);
    add(outside, service, callCount);
  }
  for (const { child, callCount } of edges) add(outside, child, -callCount);
  const entries = [...answered].filter(([name, calls]) => (outside.get(name) ?? 0) > calls / 2);
  return new Set((entries.length ? entries : [...answered]).map(([name]) => name));
}

/**
 * The share of errors that is beyond chance: two of two calls say less than a tenth of thousands.
 * The lower end of Wilson's interval at three standard deviations.
 * @param {Reading} reading
 */
function sureShare({ calls, share }) {
  if (!calls) return 0;
  const [z, n] = [9, calls];
  const spread = Math.sqrt(z * ((share * (1 - share)) / n + z / (4 * n * n)));
  return Math.max(0, (share + z / (2 * n) - spread) / (1 + z / n));
}

/**
 * How bad it is, to put the worst first: errors, and durations that grew.
 * @param {Reading} now @param {Reading} before
 */
export const badness = (now, before) =>
  sureShare(now) * 100 + Math.max(0, Math.log2(durationChange(now, before, 1) ?? 1)) * 8 +
  (errorChange(now, before) > 0 ? 20 : 0);

/**
 * Values of a step, for charts: null where nothing can be said.
 * @param {import('./api.js').Totals[]} steps @param {(step: import('./api.js').Totals) => number} of
 */
export const perStep = (steps, of) => steps.map((step) => step.callCount ? of(step) : null);

/**
 * The heat map of some spans: each of them counted, or where that cannot be, or not of all, put
 * together from totals, which are of all.
 * @param {{ services: string[], operation?: string }} of @param {Range} range
 * @param {AbortSignal} signal
 * @returns {Promise<import('./scale.js').Heat & { incompleteReasons: string[] }>}
 */
export async function heat({ services, operation }, range, signal) {
  const window = { ...asked(range), step: stepText(range, 72) };
  const q = `${spans({ services, operation, kinds: answering })} | histogram_over_time(duration)`;
  let counted;
  /** @type {string[]} */
  let incompleteReasons;
  try {
    const answer = await api.metrics({ q, ...window }, signal);
    counted = { ...heatOfMetrics(answer), incompleteReasons: answer.incompleteReasons };
    if (answer.complete) return counted;
  } catch (error) {
    if (!(error instanceof api.ApiError)) throw error;
    incompleteReasons = [error.message];
  }
  try {
    const answer = await api.operationTotals({
      ...window,
      ...(services.length === 1 ? { service: services[0] } : {}),
      ...(operation ? { operation } : {}),
      kind: answering,
      by: operation ? 'operation' : 'service',
      quantiles: heatQuantiles.join(),
    }, signal);
    const lines = answer.operations.filter(({ service }) => services.includes(service))
      .map(({ steps }) => steps);
    const from = Number(BigInt(answer.startTimeUnixNano) / 1_000_000n);
    const { incompleteReasons } = answer;
    return { ...heatOfTotals(lines, from, stepOf(range, 72)), incompleteReasons };
  } catch (error) {
    if (!(error instanceof api.ApiError)) throw error;
    return counted ?? { ...heatOfTotals([], range.from, minute), incompleteReasons };
  }
}
