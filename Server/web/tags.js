// SPDX-License-Identifier: Apache-2.0
// A field of several key=value tags. Keys are offered first, and the stored values once a key is
// there.
import * as api from './api.js';
import { fill, h, icon } from './dom.js';
import { t } from './texts.js';

const pause = 150;

/**
 * @param {string[]} given @param {() => string} service the chosen one, whose keys are offered
 * @param {() => void} changed @param {AbortSignal} signal
 */
export function tagField(given, service, changed, signal) {
  const tags = [...given];
  const chips = h('span.tag-chips');
  const options = h('datalist', { id: 'tag-options' });
  const input = h('input', {
    id: 'tag',
    list: 'tag-options',
    placeholder: t('search.tags.hint'),
    autocomplete: 'off',
    spellcheck: 'false',
    autocapitalize: 'off',
  });
  const draw = () => {
    fill(
      chips,
      tags.map((tag, index) =>
        h(
          'span.tag',
          h('span', tag),
          h('button', {
            type: 'button',
            'aria-label': t('search.tags.remove', { tag }),
            title: t('search.tags.remove', { tag }),
            onclick: () => {
              tags.splice(index, 1);
              draw();
              changed();
            },
          }, icon('close')),
        )
      ),
    );
    input.placeholder = tags.length ? '' : t('search.tags.hint');
  };
  draw();

  /**
   * Turns what is typed into a tag.
   * @returns {boolean | null} null when nothing is typed, false when it is no tag
   */
  const take = () => {
    const text = input.value.trim();
    if (!text) return null;
    if (!/^[^=\s]+=.+$/.test(text)) return false;
    if (!tags.includes(text)) tags.push(text);
    input.value = '';
    draw();
    return true;
  };

  /** @type {{ scope: string, key: string }[] | null} */
  let known = null;
  let knownFor = '';
  let timer = 0;
  let asking = new AbortController();
  const suggest = async () => {
    asking.abort();
    asking = new AbortController();
    const mine = asking.signal;
    const text = input.value;
    const at = text.indexOf('=');
    try {
      if (known === null || knownFor !== service()) {
        knownFor = service();
        known = await api.keys(knownFor, signal);
      }
      if (mine.aborted) return;
      if (at < 0) return fill(options, known.map(({ key }) => h('option', { value: `${key}=` })));
      const key = text.slice(0, at);
      const scope = known.find((entry) => entry.key === key)?.scope ?? 'span';
      const values = await api.values(key, scope, text.slice(at + 1), mine);
      if (!mine.aborted) {
        fill(
          options,
          values.map((value) => h('option', { value: `${key}=${value}` })),
        );
      }
    } catch {
      // Suggestions are a help only; the field works without them.
    }
  };
  input.addEventListener('focus', suggest);
  input.addEventListener('input', () => {
    clearTimeout(timer);
    timer = setTimeout(suggest, pause);
  });
  input.addEventListener('change', () => take() && changed());
  input.addEventListener('keydown', (/** @type {KeyboardEvent} */ event) => {
    if (event.key === 'Backspace' && !input.value && tags.length) {
      tags.pop();
      draw();
      changed();
    }
  });
  const element = h('div.tag-field', chips, input, options);
  element.addEventListener(
    'click',
    (/** @type {Event} */ event) => event.target === element && input.focus(),
  );
  return { element, input, take, values: () => tags };
}
