// SPDX-License-Identifier: Apache-2.0
// Choosing words. The words themselves are data: texts-en.json and texts-zh.json hold the same keys,
// and the browser fetches the one it shows.

/** @typedef {'en' | 'zh'} Language */

/** The words of the language shown; an array holds [singular, plural].
 * @type {Record<string, string | string[]>} */
let words = {};

/** @returns {Language} what early.js chose, or `setLanguage` since */
export const language = () => document.documentElement.lang.startsWith('zh') ? 'zh' : 'en';

/** @param {Language} name */
export async function setLanguage(name) {
  const answer = await fetch(new URL(`texts-${name}.json`, import.meta.url));
  if (!answer.ok) throw new Error(`${answer.url}: ${answer.status}`);
  words = await answer.json();
  document.documentElement.lang = name === 'zh' ? 'zh-CN' : 'en';
}

/** A text that is written the other way, or says so, turns no words around it. @param {string} text */
const apart = (text) =>
  /[\u0590-\u08ff\u200e\u200f\u202a-\u202e\u2066-\u2069\ufb1d-\ufdff\ufe70-\ufefc]/.test(text)
    ? `\u2068${text.replace(/[\u202a-\u202e\u2066-\u2069]/g, '')}\u2069`
    : text;

/**
 * The text of a key; `{name}` becomes `values.name`, and `n` chooses singular or plural.
 * @param {string} key
 * @param {Record<string, any>} [values] numbers are grouped as the language does
 */
export function t(key, values = {}) {
  const entry = words[key] ?? key;
  const text = Array.isArray(entry) ? entry[values.n === 1 ? 0 : 1] : entry;
  return text.replace(/\{(\w+)\}/g, (whole, name) => {
    const value = values[name];
    if (value === undefined) return whole;
    return typeof value === 'number'
      ? value.toLocaleString(language() === 'zh' ? 'zh-CN' : 'en')
      : apart(String(value));
  });
}

// Whoever imports `t` finds the words there.
await setLanguage(language());
