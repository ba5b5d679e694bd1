// SPDX-License-Identifier: Apache-2.0
// What the address of the search page asks of the server. No DOM.

import { fields, isOrdered, textOf } from './query-text.js';
import { asked, readRange } from './range.js';

export const defaults = { order: 'newest' };
export const limit = 20;

/** Orders that have a name of their own in the API, and those that only TraceQL has. */
const orders = /** @type {Record<string, string>} */ ({
  newest: '',
  oldest: 'trace:start asc',
  slowest: '',
  fastest: 'trace:duration asc',
  spans: 'span:count desc',
});
export const orderNames = Object.keys(orders);

/** @param {URLSearchParams} params @returns {string} '' where the query itself says it */
export const orderOf = (params) => {
  const order = params.get('order') ?? '';
  if (isOrdered(params.get('q') ?? '')) return '';
  return orderNames.includes(order) ? order : defaults.order;
};

/** What the server understands; it refuses anything else, and an address may carry anything. */
const understood = [...fields, 'limit', 'cursor'];

/** @param {URLSearchParams} params of the address @returns {URLSearchParams} of the native API */
export function questionOf(params) {
  const question = new URLSearchParams();
  const order = orderOf(params);
  // A query takes the place of the form's conditions, and its answer says what was read for it.
  // Tags stay as they are: they find more than one condition of TraceQL says.
  const asks = !params.has('tag') && fields.some((name) => params.get(name));
  const q = params.get('q') || orders[order] || asks ? textOf(params) : '';
  for (const [name, value] of params) {
    if (understood.includes(name) && value !== '' && !(q && fields.includes(name))) {
      question.append(name, value);
    }
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
