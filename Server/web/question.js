// SPDX-License-Identifier: Apache-2.0
// What the address of the search page asks of the server. No DOM.

import { asked, readRange } from './range.js';

export const defaults = { order: 'newest' };
export const limit = 20;

/** What the server understands; it refuses anything else, and an address may carry anything. */
const understood = new Set([
  'q',
  'service',
  'operation',
  'tag',
  'minDuration',
  'maxDuration',
  'minTraceDuration',
  'maxTraceDuration',
  'status',
  'kind',
  'limit',
  'order',
  'cursor',
]);

/** @param {URLSearchParams} params of the address @returns {URLSearchParams} of the native API */
export function questionOf(params) {
  const question = new URLSearchParams();
  for (const [name, value] of params) {
    if (understood.has(name) && value !== '') question.append(name, value);
  }
  const { range } = readRange(params);
  // A time up to now is left to the server's clock.
  if (range.last && range.last !== 'all') question.set('last', range.last);
  else if (range.last) question.set('start', '0');
  else for (const [name, at] of Object.entries(asked(range))) question.set(name, at);
  if (!question.has('order')) question.set('order', defaults.order);
  if (!question.has('limit')) question.set('limit', String(limit));
  return question;
}

/** Whether both ends of the time asked about are fixed. @param {URLSearchParams} params */
export const isFixed = (params) => readRange(params).range.last === null;

/** Conditions on spans, so that an answer's matching spans mean something. */
const spanConditions = [
  'service',
  'operation',
  'tag',
  'minDuration',
  'maxDuration',
  'status',
  'kind',
  'q',
];

/** @param {URLSearchParams} params of the address @returns {boolean} whether it asks for certain spans */
export const asksForSpans = (params) => spanConditions.some((name) => params.get(name));

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
