// SPDX-License-Identifier: Apache-2.0
// One box for what people have in hand: a trace id, a traceparent, key=value, a service.
import { services } from './api.js';
import { fill, h, icon } from './dom.js';
import { t } from './texts.js';

/**
 * Where a text leads, or null when it is none of the kinds above.
 * @param {string} text @param {string[]} names known services @returns {string | null}
 */
export function destination(text, names) {
  const value = text.trim();
  const parent = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$/i.exec(value);
  if (parent) return `/trace/${parent[1].toLowerCase()}?sel=${parent[2].toLowerCase()}`;
  if (/^([0-9a-f]{16}|[0-9a-f]{32})$/i.test(value)) return `/trace/${value.toLowerCase()}`;
  if (/^[^=\s]+=.+$/.test(value)) return `/search?${new URLSearchParams({ tag: value, last: '24h' })}`;
  const service = names.find((name) => name === value) ??
    names.find((name) => name.toLowerCase() === value.toLowerCase());
  return service ? `/search?${new URLSearchParams({ service })}` : null;
}

/** @param {(href: string) => void} go @returns {HTMLElement} */
export function omnibox(go) {
  /** @type {string[]} */
  let names = [];
  const options = h('datalist', { id: 'omnibox-services' });
  const hint = h('p.omnibox-hint', { role: 'alert', hidden: true });
  const input = h('input', {
    id: 'omnibox',
    type: 'search',
    placeholder: t('app.omnibox'),
    'aria-label': t('app.omnibox.label'),
    list: 'omnibox-services',
    autocomplete: 'off',
    spellcheck: 'false',
    autocapitalize: 'off',
  });
  const load = async () => {
    names = await services().catch(() => names);
    fill(options, names.map((name) => h('option', { value: name })));
  };
  input.addEventListener('focus', load);
  input.addEventListener('input', () => {
    hint.hidden = true;
  });
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (!input.value.trim()) return;
    if (!names.length) await load();
    const href = destination(input.value, names);
    if (href === null) {
      hint.textContent = t('app.omnibox.hint');
      hint.hidden = false;
      return;
    }
    input.value = '';
    input.blur();
    go(href);
  };
  return h(
    'form.omnibox',
    { role: 'search', onsubmit: submit },
    icon('search'),
    input,
    h('kbd', { 'aria-hidden': 'true' }, '/'),
    options,
    hint,
  );
}
