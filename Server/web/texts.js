// SPDX-License-Identifier: Apache-2.0
// Choosing words. The words themselves stand in texts-*.js, a file a page, in every language the
// page speaks; a page brings its own by importing its file.

/** @typedef {Record<'en' | 'zh', Record<string, string | string[]>>} Catalogue */

/** Everything brought so far. An array holds [singular, plural]. @type {Catalogue} */
export const catalogue = { en: {}, zh: {} };

/** @param {Catalogue} texts @returns {Catalogue} the same */
export function add(texts) {
  Object.assign(catalogue.en, texts.en);
  Object.assign(catalogue.zh, texts.zh);
  return texts;
}

/** @type {'en' | 'zh'} */
let current = 'en';

/** The language saved here, else the browser's. */
export function chooseLanguage() {
  let saved = null;
  try {
    saved = localStorage.getItem('skein.language');
  } catch {
    // Storage may be forbidden; the browser's language then applies.
  }
  setLanguage(saved ?? (navigator.language.toLowerCase().startsWith('zh') ? 'zh' : 'en'));
}

/** @param {string} name */
export function setLanguage(name) {
  current = name === 'zh' ? 'zh' : 'en';
  document.documentElement.lang = current === 'zh' ? 'zh-CN' : 'en';
}

export const language = () => current;

/**
 * The text of a key; `{name}` becomes `values.name`, and `n` chooses singular or plural.
 * @param {string} key
 * @param {Record<string, any>} [values] numbers in `n` are grouped as the language does
 */
export function t(key, values = {}) {
  const entry = catalogue[current][key] ?? key;
  const text = Array.isArray(entry) ? entry[values.n === 1 ? 0 : 1] : entry;
  return text.replace(/\{(\w+)\}/g, (whole, name) => {
    const value = values[name];
    if (value === undefined) return whole;
    return typeof value === 'number'
      ? value.toLocaleString(current === 'zh' ? 'zh-CN' : 'en')
      : String(value);
  });
}
