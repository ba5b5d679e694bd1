// SPDX-License-Identifier: Apache-2.0
// Finding rows of a trace by what only the server knows of its spans: "key=value", "key!=value",
// "key>5", "key=~regex" and "key=500..599" ask it in TraceQL. No DOM here.
import * as api from './api.js';
import { parseDuration } from './format.js';
import { quote } from './traceql.js';

/** Spans that are asked for at a time, the most the server gives. */
const hitsMost = 1000;
/** Spans whose row cannot be told from their time, asked for one by one; and so many at once. */
const askedMost = 64;
const askedAtOnce = 6;

/** What the interface calls otherwise than an attribute. */
const fields = /** @type {Record<string, string>} */ ({
  service: 'resource.service.name',
  name: 'name',
  status: 'status',
  kind: 'kind',
  duration: 'duration',
  statusMessage: 'statusMessage',
  'event:name': 'event:name',
});
const words = new Set(['status', 'kind']);

/**
 * The condition of one word in TraceQL, or null when the word is none.
 * @param {string} word
 * @returns {string | null}
 */
export function condition(word) {
  const match = /^([^\s=!<>~"]+)(=~|!~|!=|>=|<=|=|>|<)(.+)$/s.exec(word);
  if (!match) return null;
  const [, key, operator, text] = match;
  const value = plainOf(text);
  const field = Object.hasOwn(fields, key) ? fields[key] : `.${quote(key)}`;
  const range = /^(-?[\d.]+\w*)\.\.(-?[\d.]+\w*)$/.exec(text);
  if (range && operator === '=') {
    return `${field} >= ${literal(key, range[1])} && ${field} <= ${literal(key, range[2])}`;
  }
  if (operator.includes('~')) return `${field} ${operator} ${quote(value)}`;
  const plain = literal(key, value);
  // What looks like a number may have been sent as a text, and so may true and false.
  if (plain !== quote(value) && operator === '=' && !Object.hasOwn(fields, key)) {
    return `(${field} = ${plain} || ${field} = ${quote(value)})`;
  }
  return `${field} ${operator} ${plain}`;
}

/** @param {string} key @param {string} value */
function literal(key, value) {
  if (key === 'duration') return `${Math.round(parseDuration(value)?.nanos ?? 0)}ns`;
  if (words.has(key) || /^(true|false)$/.test(value)) return value.replace(/\W/g, '');
  return /^-?\d+(\.\d+)?$/.test(value) ? value : quote(value);
}

/** Words, where quotes keep spaces together; within them a backslash stands before what is no end.
 *  @param {string} text @returns {string[]} */
export const wordsOf = (text) => text.match(/(?:[^\s"]|"(?:\\.|[^"\\])*(?:"|\\?$))+/gs) ?? [];

/** What a word means without its quotes. @param {string} word */
export const plainOf = (word) =>
  word.replace(
    /"((?:\\.|[^"\\])*)(?:"|\\?$)/gs,
    (_, inner) => inner.replace(/\\(.)/gs, '$1'),
  );

/** A text as one word: the other way round. @param {string} text */
export const wordOf = (text) =>
  /^[^\s"]+$/.test(text) ? text : `"${text.replace(/[\\"]/g, '\\$&')}"`;

/**
 * Rows of a trace whose spans meet conditions.
 * @param {import('./trv1.js').Trace} trace @param {string[]} conditions in TraceQL
 * @param {AbortSignal} signal @param {boolean} raw
 * @returns {Promise<{ rows: number[], complete: boolean, reasons: string[] }>} `reasons` say what the
 *   server could not read
 */
export async function findStored(trace, conditions, signal, raw) {
  const params = new URLSearchParams({
    q: `{ trace:id = ${quote(trace.traceId)} && ${conditions.join(' && ')} }`,
    start: '0',
    spans: String(hitsMost),
    limit: '1',
  });
  const answer = await api.traces(params, signal);
  /** @type {{ spanId: string, name: string, service: string, startTimeUnixNano: string,
   *   durationNanos: string }[]} */
  const spans = [];
  let all = 0;
  for (const set of answer.traces[0]?.spansets ?? []) {
    spans.push(...set.spans);
    all += set.spanCount;
  }
  const { rows, unknown } = placed(trace, spans);
  const asked = unknown.slice(0, askedMost);
  for (let at = 0; at < asked.length; at += askedAtOnce) {
    const some = asked.slice(at, at + askedAtOnce);
    const found = await Promise.all(
      some.map((id) => api.span(trace.traceId, id, signal, raw).catch(() => null)),
    );
    for (const span of found) if (span && span.row < trace.n) rows.add(span.row);
  }
  return {
    rows: [...rows].sort((a, b) => a - b),
    complete: all <= spans.length && unknown.length <= askedMost,
    reasons: answer.incompleteReasons ?? [],
  };
}

/** The rows of spans by name, service, start and duration; ids of those that were moved in time.
 *  @param {import('./trv1.js').Trace} trace @param {any[]} spans */
function placed(trace, spans) {
  /** @type {Map<number, { key: string, id: string }[]>} */
  const wanted = new Map();
  const key = (/** @type {string} */ name, /** @type {string} */ service) => `${name}\0${service}`;
  for (const span of spans) {
    const start = Number((BigInt(span.startTimeUnixNano) - BigInt(trace.t0)) / BigInt(trace.unit));
    const entry = { key: key(span.name, span.service), id: span.spanId };
    const there = wanted.get(start);
    if (there) there.push(entry);
    else wanted.set(start, [entry]);
  }
  const rows = new Set();
  const known = new Set();
  for (let i = 0; i < trace.n; i++) {
    const there = wanted.get(trace.start[i]);
    if (!there) continue;
    const mine = key(trace.names[trace.name[i]], trace.services[trace.service[i]]);
    const alike = there.filter((entry) => entry.key === mine);
    // Of two that cannot be told apart, both are asked for.
    if (alike.length === 1 && !known.has(alike[0].id)) {
      rows.add(i);
      known.add(alike[0].id);
    }
  }
  return { rows, unknown: spans.map((span) => span.spanId).filter((id) => !known.has(id)) };
}
