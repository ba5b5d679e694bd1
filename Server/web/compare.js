// SPDX-License-Identifier: Apache-2.0
// Two traces, or two sets of traces, side by side by call path.
//
//     a= b=        trace ids, with commas between
//     qa= qb=      or queries in TraceQL, of the time range; limit= traces of each
//     order=change the paths whose duration changed most first, in place of the tree
import { anything, keep, oneOf, parameters, within } from './address.js';
import * as api from './api.js';
import { dress } from './colors.js';
import { fill, h } from './dom.js';
import { count, duration, named, signed } from './format.js';
import { notice } from './notice.js';
import { card } from './panels.js';
import { present } from './present.js';
import { asked, readRange } from './range.js';
import { Table } from './table.js';
import { t } from './texts.js';
import { inTreeOrder, pathCell } from './trace-paths.js';

/** Lines of attributes that differ. */
const differencesMost = 60;
const valuesMost = 4;

/** What a side is: ids, or a query. @typedef {{ a: string, b: string }} Sides */

/** @param {URLSearchParams} params @returns {Sides} */
export const sidesOf = (params) => ({
  a: params.get('qa') ?? params.get('a') ?? '',
  b: params.get('qb') ?? params.get('b') ?? '',
});

/** A text that is no list of trace ids is a query. @param {string} text */
const isQuery = (text) => !/^[0-9a-f,\s]*$/i.test(text);

/** @param {URLSearchParams} params of the address @returns {URLSearchParams | null} of the API */
export function askedOf(params) {
  const sides = sidesOf(params);
  if (!sides.a.trim() || !sides.b.trim()) return null;
  const question = new URLSearchParams();
  for (const [side, text] of Object.entries(sides)) {
    question.set(isQuery(text) ? `q${side}` : side, text.trim());
  }
  if (Object.values(sides).some(isQuery)) {
    const { range } = readRange(params);
    if (range.last && range.last !== 'all') question.set('last', range.last);
    else for (const [name, at] of Object.entries(asked(range))) question.set(name, at);
    if (params.get('limit')) question.set('limit', params.get('limit') ?? '');
  }
  return question;
}

export const takes = {
  a: anything,
  b: anything,
  qa: anything,
  qb: anything,
  limit: within(1, 10_000),
  order: oneOf('change'),
};

/** @param {HTMLElement} main @param {import('./pages.js').Context} context */
export function page(main, context) {
  document.title = `${t('page.compare')} · Skein`;
  const params = parameters();
  const question = askedOf(params);
  if (!question) {
    const { a, b } = sidesOf(params);
    const one = a || b;
    fill(
      main,
      h(
        'div.page.compare',
        form(context),
        notice({
          title: t(one ? 'compare.one' : 'compare.none'),
          text: t('compare.none.do'),
          quiet: true,
        }),
      ),
    );
    const empty = /** @type {HTMLElement | null} */ (
      main.querySelector(one && !b ? '#compare-b' : '#compare-a')
    );
    empty?.focus();
    return;
  }
  // What is being read stays as it is: it is not read again by itself.
  present(main, { ...context, onRefresh: () => {} }, {
    name: 'compare',
    ask: (signal) => api.compare(question, signal),
    view: () => view(context),
    reasons: (data) => data.incompleteReasons,
  });
}

/** @param {import('./pages.js').Context} context */
function form(context) {
  const params = parameters();
  const sides = sidesOf(params);
  const field = (/** @type {'a' | 'b'} */ side) =>
    h('input', {
      id: `compare-${side}`,
      type: 'text',
      value: sides[side],
      placeholder: t('compare.field'),
      'aria-label': t(`compare.side.${side}`),
      autocomplete: 'off',
      spellcheck: 'false',
    });
  const fields = { a: field('a'), b: field('b') };
  const go = (/** @type {string} */ a, /** @type {string} */ b) => {
    const next = new URLSearchParams(params);
    for (const name of ['a', 'b', 'qa', 'qb']) next.delete(name);
    for (const [side, text] of Object.entries({ a, b })) {
      if (text.trim()) next.set(isQuery(text) ? `q${side}` : side, text.trim());
    }
    context.go(`/compare?${next}`);
  };
  return h(
    'form.compare-form',
    {
      onsubmit: (/** @type {Event} */ event) => {
        event.preventDefault();
        go(fields.a.value, fields.b.value);
      },
    },
    h('label', h('b.side-a', 'A'), fields.a),
    h('label', h('b.side-b', 'B'), fields.b),
    h('button.primary', { type: 'submit' }, t('page.compare')),
    h('button', {
      type: 'button',
      onclick: () => go(fields.b.value, fields.a.value),
    }, t('compare.swap')),
  );
}

/** What of a side belongs to each of its traces. @param {any} figures @param {number} traces */
const each = (figures, traces) => ({
  calls: figures.spanCount / Math.max(1, traces),
  nanos: Number(figures.totalNanos) / Math.max(1, traces),
});

/** @param {number} value */
const plain = (value) => (Number.isInteger(value) ? count(value) : value.toFixed(1));

/** @param {import('./pages.js').Context} context */
function view(context) {
  const head = h('header.page-head', h('h1', t('page.compare')));
  const body = h('div.grid.compare-grid');
  return {
    element: h('div.compare', head, form(context), body),
    /** @param {any} data */
    update(data) {
      dress(data.paths.map((/** @type {any} */ path) => path.service));
      fill(body, sums(data), pathsCard(data, context), differencesCard(data));
    },
  };
}

/** @param {any} data */
function sums(data) {
  const roots = data.paths.filter((/** @type {any} */ path) => path.parent === null);
  const side = (/** @type {'a' | 'b'} */ name) => {
    const traces = data[name].length;
    const nanos = roots.reduce(
      (/** @type {number} */ sum, /** @type {any} */ path) => sum + each(path[name], traces).nanos,
      0,
    );
    const spans = data.paths.reduce(
      (/** @type {number} */ sum, /** @type {any} */ path) => sum + path[name].spanCount,
      0,
    );
    const errors = data.paths.reduce(
      (/** @type {number} */ sum, /** @type {any} */ path) => sum + path[name].errorCount,
      0,
    );
    const only =
      data.paths.filter((/** @type {any} */ path) =>
        path[name].spanCount > 0 && path[name === 'a' ? 'b' : 'a'].spanCount === 0
      ).length;
    return h(
      'div.compare-side',
      h(`b.side-${name}`, name.toUpperCase()),
      h('b.total', duration(nanos)),
      h('span', t('compare.traces', { n: traces })),
      h('span', t('unit.spans', { n: spans })),
      h(errors ? 'span.bad' : 'span', t('unit.errors', { n: errors })),
      only ? h('span', t('compare.only', { n: only })) : null,
      traces === 1 ? h('a.more', { href: `/trace/${data[name][0]}` }, t('compare.open')) : null,
    );
  };
  return h('section.card.compare-sums', { 'aria-label': t('compare.sums') }, side('a'), side('b'));
}

/** @param {any} data @param {import('./pages.js').Context} context */
function pathsCard(data, { signal }) {
  const params = parameters();
  let changed = params.get('order') === 'change';
  const [inA, inB] = [data.a.length, data.b.length];
  const largest = Math.max(
    1,
    ...data.paths.map((/** @type {any} */ path) => Math.abs(path.totalDifferenceNanos)),
  );
  const table = new Table({
    label: t('compare.paths'),
    key: (/** @type {any} */ path) => String(path.at),
    signal,
    columns: [
      { id: 'name', title: t('paths.path'), cell: (path) => nameCell(path) },
      {
        id: 'calls',
        title: t('compare.calls'),
        number: true,
        cell: (path) => both(plain(each(path.a, inA).calls), plain(each(path.b, inB).calls)),
      },
      {
        id: 'errors',
        title: t('stats.errors'),
        number: true,
        cell: (path) => both(count(path.a.errorCount), count(path.b.errorCount)),
      },
      {
        id: 'mean',
        title: t('compare.mean'),
        number: true,
        cell: (path) =>
          both(
            path.a.spanCount ? duration(each(path.a, inA).nanos) : '–',
            path.b.spanCount ? duration(each(path.b, inB).nanos) : '–',
          ),
      },
      {
        id: 'bar',
        title: t('compare.change'),
        cell: (path) => bar(path.totalDifferenceNanos, largest),
      },
      {
        id: 'change',
        title: t('compare.differs'),
        number: true,
        cell: (path) => signed(path.totalDifferenceNanos),
      },
      {
        id: 'self',
        title: t('compare.self'),
        number: true,
        cell: (path) => signed(path.selfDifferenceNanos),
      },
    ],
  });
  const orders = h('div.segments', { role: 'group', 'aria-label': t('compare.order') });
  const show = () => {
    const ordered = inTreeOrder(data.paths);
    if (changed) {
      const by = (/** @type {any} */ path) => Math.abs(path.selfDifferenceNanos);
      ordered.sort((a, b) => by(b) - by(a));
    }
    table.show(ordered.map((path) => (changed ? { ...path, depth: 0 } : path)));
    fill(orders, order(false, t('compare.tree')), order(true, t('compare.most')));
  };
  const order = (/** @type {boolean} */ value, /** @type {string} */ label) =>
    h('button', {
      type: 'button',
      'aria-pressed': String(changed === value),
      onclick: () => {
        changed = value;
        keep({ order: changed && 'change' });
        show();
        orders.querySelector('[aria-pressed=true]')?.focus();
      },
    }, label);
  show();
  const others = data.others.pathCount;
  return card('compare-paths', t('compare.paths'), table.element, {
    says: others ? t('compare.others', { n: others }) : null,
    tools: orders,
  });
}

/** @param {any} path */
function nameCell(path) {
  const only = path.a.spanCount === 0 ? 'b' : path.b.spanCount === 0 ? 'a' : null;
  return pathCell(
    path,
    [
      named(path.operation),
      h('small', path.service),
      only ? h(`span.only.side-${only}`, t(`compare.only.${only}`)) : null,
    ],
  );
}

/** @param {string} a @param {string} b */
const both = (a, b) =>
  a === b
    ? a
    : [h('span.side-a', a), h('span.arrow', ' → '), h('span.side-b', b)];

/** Longer to the right, shorter to the left. @param {number} nanos @param {number} largest */
function bar(nanos, largest) {
  const part = h(nanos > 0 ? 'i.longer' : 'i.shorter');
  part.style.width = `${(Math.abs(nanos) / largest) * 50}%`;
  return h('span.change-bar', { 'aria-hidden': 'true' }, part);
}

/** @param {any} data */
function differencesCard(data) {
  if (!data.differences.length) {
    return card('compare-tags', t('compare.tags'), h('p.none', t('compare.tags.none')));
  }
  const values = (/** @type {any[]} */ list) =>
    h(
      'td',
      list.slice(0, valuesMost).map((one) =>
        h(
          'span.tag-value',
          String(one.value).slice(0, 120),
          h('small', `×${one.count}`),
        )
      ),
      list.length > valuesMost ? h('small.faint', `+${list.length - valuesMost}`) : null,
    );
  const shown = data.differences.slice(0, differencesMost);
  const table = h(
    'table.list.tags-table',
    { 'aria-label': t('compare.tags') },
    h(
      'thead',
      h(
        'tr',
        [t('paths.path'), t('compare.key'), 'A', 'B'].map((title) =>
          h('th', { scope: 'col' }, title)
        ),
      ),
    ),
    h(
      'tbody',
      shown.map((/** @type {any} */ one) => {
        const path = data.paths[one.path];
        return h(
          'tr',
          h('td', named(path?.operation), ' ', h('small.faint', path?.service)),
          h('td.mono', one.key),
          values(one.a),
          values(one.b),
        );
      }),
    ),
  );
  const says = data.differences.length > shown.length
    ? t('compare.tags.first', { n: shown.length, all: data.differences.length })
    : t('compare.tags.hint');
  return card('compare-tags', t('compare.tags'), h('div.table', table), { says });
}
