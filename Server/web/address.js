// SPDX-License-Identifier: Apache-2.0
// The address is the state of a page: reading it, writing it, and leaving out what it cannot mean.

import { rangeNames } from './range.js';

/** What the address of the moment says. */
export const parameters = () => new URLSearchParams(location.search);

/** @param {string} path @param {URLSearchParams} params */
export const pathWith = (path, params) => params.size ? `${path}?${params}` : path;

/** This address with other values; null takes one out.
 * @param {Record<string, any>} values */
export function changed(values) {
  const params = parameters();
  for (const [name, value] of Object.entries(values)) {
    if (value) params.set(name, value);
    else params.delete(name);
  }
  return pathWith(location.pathname, params);
}

/** Makes other values part of this address. @param {Record<string, any>} values */
export const keep = (values) => history.replaceState(null, '', changed(values));

/**
 * Whether a text can be a parameter's value; `most` says how often it may be there.
 * @typedef {((text: string, params: URLSearchParams) => boolean) & { most?: number }} Check
 */

/** @type {Check} */
export const anything = () => true;

/** @param {...string} list @returns {Check} */
export const oneOf = (...list) => (text) => list.includes(text);

/** @param {RegExp} pattern @returns {Check} */
export const like = (pattern) => (text) => pattern.test(text);

/** @param {number} least @param {number} most @returns {Check} */
export const within = (least, most) => (text) =>
  /^\d{1,15}$/.test(text) && Number(text) >= least && Number(text) <= most;

/** Columns of a table. @param {...string} ids @returns {Check} */
export const sortedBy = (...ids) => (text) => ids.includes(text.replace(/^-/, ''));

/** @param {Check} check @param {number} most @returns {Check} */
export const upTo = (most, check) =>
  Object.assign((/** @type {string} */ text, /** @type {any} */ params) => check(text, params), {
    most,
  });

const anyOften = upTo(Infinity, anything);

/** What every page takes; whether times are such is for `readRange` to say.
 * @type {Record<string, Check>} */
const everywhere = {
  embed: oneOf('1'),
  live: oneOf('0', '1'),
  ...Object.fromEntries(rangeNames.map((name) => [name, anything])),
};

/**
 * An address without what its page does not understand.
 * @param {URLSearchParams} params
 * @param {Record<string, Check>} [takes] all else it can hold, where the page says so
 * @returns {{ params: URLSearchParams, dropped: string[] }} what is dropped, as it was written
 */
export function understood(params, takes) {
  const known = { ...everywhere, ...takes };
  const next = new URLSearchParams();
  const dropped = [];
  for (const [name, value] of params) {
    const check = Object.hasOwn(known, name) ? known[name] : takes ? null : anyOften;
    // A form leaves fields empty that nobody filled.
    if (!value && check) continue;
    if (check?.(value, params) && next.getAll(name).length < (check.most ?? 1)) {
      next.append(name, value);
    } else dropped.push(`${name}=${value}`);
  }
  return { params: next, dropped };
}

/** @param {URLSearchParams} params @param {string[]} wrong as name=value */
export function without(params, wrong) {
  const next = new URLSearchParams(params);
  for (const one of wrong) {
    const at = one.indexOf('=');
    next.delete(one.slice(0, at), one.slice(at + 1));
  }
  return next;
}
