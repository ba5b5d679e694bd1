// SPDX-License-Identifier: Apache-2.0
// Questions in TraceQL that numbers of this page lead to. No DOM.
import { link } from './range.js';

/** @param {string} text @returns {string} a text as TraceQL quotes it */
export const quote = (text) =>
  `"${
    text.replace(/[\\"]/g, '\\$&')
      // deno-lint-ignore no-control-regex
      .replace(/[\x00-\x1f\x7f]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`)
  }"`;

/** Nanoseconds exactly. @param {number} nanos */
const literal = (nanos) => `${Math.max(0, Math.round(nanos))}ns`;

/** Attributes by which a caller names whom it calls. */
const peerKeys = [
  'peer.service',
  'server.address',
  'net.peer.name',
  'server.socket.domain',
  'net.sock.peer.name',
  'peer.hostname',
  'db.name',
  'network.peer.address',
  'net.sock.peer.addr',
];

/**
 * Spans that meet all of these.
 * @param {{ service?: string | null, services?: string[], operation?: string | null,
 *   peer?: string, kinds?: string[], error?: boolean, atLeast?: number, below?: number }} wanted
 */
export function spans({ service, services, operation, peer, kinds, error, atLeast, below }) {
  const any = (/** @type {string[]} */ list) =>
    list.length > 1 ? `(${list.join(' || ')})` : list[0];
  const all = [
    service && `resource.service.name = ${quote(service)}`,
    services?.length && any(services.map((name) => `resource.service.name = ${quote(name)}`)),
    operation && `name = ${quote(operation)}`,
    peer && any(peerKeys.map((key) => `span.${key} = ${quote(peer)}`)),
    kinds?.length && any(kinds.map((kind) => `kind = ${kind}`)),
    error && 'status = error',
    atLeast && `duration >= ${literal(atLeast)}`,
    below && Number.isFinite(below) && `duration < ${literal(below)}`,
  ].filter(Boolean);
  return `{ ${all.join(' && ')} }`;
}

/**
 * Calls of one service by another. Of one that sends no spans they are its callers' alone.
 * @param {string | null} parent any where there is none @param {string} child
 * @param {Parameters<typeof spans>[0]} [more] @param {boolean} [sends] whether the child sends spans
 */
export const calls = (parent, child, more = {}, sends = true) =>
  sends
    ? `${spans({ service: parent })} > ${spans({ service: child, ...more })}`
    : spans({ service: parent, peer: child, kinds: ['client', 'producer'], ...more });

/**
 * The address that searches for it.
 * @param {string} q @param {{ slowest?: boolean, range?: import('./range.js').Range }} [how]
 */
export const searchFor = (q, { slowest, range } = {}) =>
  link('/search', { q, order: slowest ? 'slowest' : null }, range);

/** A query of one pair of braces, with more conditions. @param {string} q
 * @param {Parameters<typeof spans>[0]} [more] */
export const and = (q, more) => more ? `${q.slice(0, -2)} && ${spans(more).slice(2)}` : q;
