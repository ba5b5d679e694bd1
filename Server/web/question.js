// SPDX-License-Identifier: Apache-2.0
// What the address of the search page asks of the server. No DOM.

import { anything, like, oneOf, sortedBy, upTo, within } from './address.js';
import { fields, isOrdered, textOf, tokens, unordered, words } from './query-text.js';
import { asked, readRange } from './range.js';

export const defaults = { order: 'newest' };
export const limit = 20;

export const tabs = ['', 'spans', 'groups', 'differences'];

/** Orders that have a name of their own in the API, and those that only TraceQL has. */
const orders = /** @type {Record<string, string>} */ ({
  newest: '',
  oldest: 'trace:start asc',
  slowest: '',
  fastest: 'trace:duration asc',
  spans: 'span:count desc',
});
export const orderNames = Object.keys(orders);

/**
 * @typedef {{ from: number, to: number, atLeast: number, below: number }} Box milliseconds and
 * nanoseconds; durations are noughts where it has none
 */

/** @param {URLSearchParams} params @returns {Box | null} */
export function boxOf(params) {
  const found = /^(\d{1,15})-(\d{1,15})(?:-(\d{1,18})-(\d{1,18}))?$/.exec(params.get('box') ?? '');
  if (!found) return null;
  const [from, to, atLeast, below] = found.slice(1).map((part) => Number(part ?? 0));
  return from < to && atLeast <= below ? { from, to, atLeast, below } : null;
}

/** More traces in one list than these are slow to draw. */
const limitMost = 1000;
/** A condition of the form, which a query takes the place of.
 * @param {import('./address.js').Check} check @returns {import('./address.js').Check} */
const field = (check) => (text, params) => !params.get('q') && check(text, params);
const length = field(like(/^(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$/));
export const takes = {
  q: anything,
  service: field(anything),
  operation: field(anything),
  tag: upTo(Infinity, field(like(/^[^=]+=./s))),
  minDuration: length,
  maxDuration: length,
  minTraceDuration: length,
  maxTraceDuration: length,
  status: field(oneOf(...words.status)),
  kind: field(oneOf(...words.kind)),
  limit: within(1, limitMost),
  order: (/** @type {string} */ text, /** @type {URLSearchParams} */ params) =>
    orderNames.includes(text) && !isOrdered(params.get('q') ?? ''),
  tab: oneOf(...tabs),
  by: (/** @type {string} */ text) => tokens(text).length === 1 && /^[\w.]/.test(text),
  sort: sortedBy(
    ...['name', 'service', 'kind', 'status', 'start', 'duration'],
    ...['value', 'count', 'errors', 'p50', 'p95', 'p99'],
  ),
  box: (/** @type {string} */ _, /** @type {URLSearchParams} */ params) => boxOf(params) !== null,
  mark: upTo(2, like(/^[0-9a-f]{32}$/)),
};

/** @param {URLSearchParams} params @returns {string} '' where the query itself says it */
export const orderOf = (params) => {
  const order = params.get('order') ?? '';
  if (isOrdered(params.get('q') ?? '')) return '';
  return orderNames.includes(order) ? order : defaults.order;
};

/**
 * @param {URLSearchParams} params of the address @param {string} [stage] put behind its query
 * @returns {URLSearchParams} of the native API
 */
export function questionOf(params, stage = '') {
  const question = new URLSearchParams();
  const order = orderOf(params);
  // A query takes the place of the form's conditions, and its answer says what was read for it.
  // Tags stay as they are: they find more than one condition of TraceQL says.
  const asks = !params.has('tag') && fields.some((name) => params.get(name));
  const text = textOf(params);
  const q = stage
    ? `${unordered(text)} ${stage} ${text.slice(unordered(text).length)}`.trim()
    : params.get('q') || orders[order] || asks
    ? text
    : '';
  for (const [name, value] of params) {
    if (name === 'limit' || (!q && value && fields.includes(name))) question.append(name, value);
  }
  if (q) question.set('q', orders[order] ? `${q} order by ${orders[order]}` : q);
  const { range } = readRange(params);
  // A time up to now is left to the server's clock.
  if (range.last && range.last !== 'all') question.set('last', range.last);
  else if (range.last) question.set('start', '0');
  else for (const [name, at] of Object.entries(asked(range))) question.set(name, at);
  if (order && !orders[order]) question.set('order', order);
  if (!question.has('limit')) question.set('limit', String(limit));
  return question;
}

/** Whether both ends of the time asked about are fixed. @param {URLSearchParams} params */
export const isFixed = (params) => readRange(params).range.last === null;

/**
 * Whether an address asks for certain spans, so that an answer's matching spans mean something.
 * @param {URLSearchParams} params
 */
export const asksForSpans = (params) =>
  ['q', ...fields].some((name) => params.get(name) && !name.includes('TraceDuration'));

/**
 * The search for one tag around the time of a trace: the last day when it is that young, else the
 * day around it.
 * @param {string} key @param {string} value @param {string} unixNanos @returns {string} an address
 */
export function tagSearch(key, value, unixNanos) {
  const params = new URLSearchParams({ tag: `${key}=${value}` });
  const half = 12n * 3_600_000_000_000n;
  const at = BigInt(unixNanos);
  if (BigInt(Date.now()) * 1_000_000n - at < 2n * half) params.set('last', '24h');
  else {
    params.set('from', String((at - half) / 1_000_000n));
    params.set('to', String((at + half) / 1_000_000n));
  }
  return `/search?${params}`;
}
