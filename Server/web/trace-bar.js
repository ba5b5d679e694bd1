// SPDX-License-Identifier: Apache-2.0
// The bar over the rows of a trace: its views, what is shown of it, and how much that is.
import { fill, h, icon } from './dom.js';
import { parseDuration } from './format.js';
import { t } from './texts.js';
import { views } from './trace-address.js';

/** Views whose rows can be rolled up and left out. */
export const withRows = new Set(['timeline', 'tree']);

/** Views of what only the server tells. */
const ofServer = new Set(['table', 'paths']);

/** The views that a trace has. @param {import('./trace-page.js').TracePage} page */
export const viewsOf = (page) => views.filter((view) => page.source.stored || !ofServer.has(view));

/** A round button with a drawing. @param {any} name @param {string} label @param {string} key @param {() => void} run */
export function tool(name, label, key, run) {
  return h('button.quiet.round', {
    type: 'button',
    title: `${label} (${key})`,
    'aria-label': label,
    onclick: run,
  }, icon(name));
}

/** @param {import('./trace-page.js').TracePage} page */
export function traceBar(page) {
  const tabs = viewsOf(page).map((view) =>
    h('button', {
      type: 'button',
      'data-view': view,
      onclick: () => page.setView(view),
    }, t(`view.${view}`))
  );
  const toggle = (
    /** @type {'rolled' | 'path' | 'errors' | 'hide'} */ name,
    /** @type {string} */ hint,
  ) =>
    h('button.chip', {
      type: 'button',
      'data-toggle': name,
      title: hint,
      onclick: () => page.change({ [name]: !page.state[name] }),
    }, t(`show.${name}`));
  const toggles = [
    toggle('rolled', t('show.rolled.hint')),
    toggle('path', t('show.path.hint')),
    toggle('errors', t('show.errors.hint')),
    toggle('hide', t('show.hide.hint')),
  ];
  const least = h('input.least', {
    type: 'text',
    size: '6',
    placeholder: '10ms',
    'aria-label': t('show.least.label'),
    autocomplete: 'off',
    spellcheck: 'false',
  });
  least.addEventListener('change', () => {
    const text = least.value.trim();
    const read = text ? parseDuration(text) : null;
    const wrong = text !== '' && read === null;
    least.setAttribute('aria-invalid', String(wrong));
    if (!wrong) page.change({ least: read?.text ?? '' });
  });
  const kept = h('span.kept', { role: 'status' });
  const rows = h(
    'div.toggles',
    { role: 'group', 'aria-label': t('show.label') },
    toggles,
    h('label.least-label', t('show.least'), least),
    kept,
  );
  const element = h(
    'div.view-line',
    h('div.segments.views', { role: 'group', 'aria-label': t('view.label') }, tabs),
    rows,
  );
  const update = () => {
    const { state } = page;
    for (const tab of tabs) {
      tab.setAttribute('aria-pressed', String(tab.dataset.view === state.view));
    }
    for (const button of toggles) {
      button.setAttribute(
        'aria-pressed',
        String(state[/** @type {'path'} */ (button.dataset.toggle)]),
      );
    }
    if (document.activeElement !== least) least.value = state.least;
    rows.hidden = !withRows.has(state.view);
    const { keptCount } = page;
    const all = h('button.inline', {
      type: 'button',
      'aria-label': t('show.all'),
      title: t('show.all'),
      onclick: () => page.change({ errors: false, hide: false, least: '' }),
    }, icon('close'));
    if (keptCount < 0) fill(kept);
    else fill(kept, t('show.kept', { n: keptCount, all: page.trace.n }), all);
    const runs = page.timeline.runs?.runs.length ?? 0;
    toggles[0].hidden = runs === 0;
    toggles[1].hidden = page.path === null;
    toggles[2].hidden = page.trace.errors === 0 && !state.errors;
  };
  return { element, update };
}
