// SPDX-License-Identifier: Apache-2.0
// Other views of what a search finds: its spans, its spans by a value, and what sets some apart.
import { changed, keep, pathWith } from './address.js';
import * as api from './api.js';
import { serviceLink } from './panels.js';
import { fill, h } from './dom.js';
import { count, duration, moment } from './format.js';
import { errorNotice, incompleteStrip, moreButton } from './notice.js';
import { narrowed, textOf, unordered, withQuery } from './query-text.js';
import { boxOf, orderOf, questionOf } from './question.js';
import { asked, bounded, readRange } from './range.js';
import { percentText } from './scale.js';
import { boxText, conditionOf } from './search-charts.js';
import { orderSelect } from './search-list.js';
import { Table } from './table.js';
import { quote } from './traceql.js';
import { t } from './texts.js';

const tracesOfAPage = 100;
const spansOfATrace = 50;
const groupsLimit = 500;
const valuesOfAKey = 10;
const shownOfAKey = 4;

const spanColumns = [
  'traceId',
  'spanId',
  'service',
  'name',
  'kind',
  'status',
  'startTimeUnixNano',
  'durationNanos',
];

/**
 * @typedef {{ params: URLSearchParams, signal: AbortSignal, go: (href: string) => void,
 *   again: () => void }} View
 * @typedef {{ body: any, rows: any[][], reasons: string[], error?: unknown }} Shown `rows` are those
 * of the CSV
 */

/** A query with one condition more, as an address that shows its traces.
 * @param {URLSearchParams} params @param {string} condition */
function more(params, condition) {
  const next = withQuery(params, narrowed(textOf(params), condition));
  next.delete('tab');
  return `/search?${next}`;
}

/** @param {any} label of a series @returns {string} its value as TraceQL writes it */
const literal = ({ type, value }) => type === 'string' ? quote(String(value)) : String(value);

/** @param {any} label @returns {string} its value for a reader */
const shown = (label) => String(label.value ?? '') || t('search.groups.none');

/** @param {any} label @param {string} [name] @returns {string} that a span has it */
function condition(label, name = label.name) {
  if (label.value === null || label.value === '' || label.type === 'nil') return `${name} = nil`;
  const word = name === 'status' || name === 'kind';
  return `${name} = ${word ? label.value : literal(label)}`;
}

/** @param {any} trace @returns {any[]} its spans that were found, as lines */
const spansIn = ({ traceId, spansets }) =>
  spansets.flatMap((/** @type {any} */ set) =>
    set.spans.map((/** @type {any} */ span) => {
      const value = (/** @type {string} */ name) =>
        span.values.find((/** @type {any} */ one) => one.name === name)?.value ?? '';
      return { ...span, traceId, status: value('status'), kind: value('kind') };
    })
  );

/** @param {View} view @returns {Promise<Shown>} */
async function spans({ params, signal, go }) {
  const question = questionOf(params, '| select(status, kind)');
  question.set('limit', String(tracesOfAPage));
  question.set('spans', String(spansOfATrace));
  const table = spanTable(params, signal);
  /** @type {any[]} */
  const found = [];
  const rows = [spanColumns];
  const says = h('p.says', { role: 'status' });
  const notes = h('div');
  let [traces, cut] = [0, 0];
  const read = async () => {
    const answer = await api.traces(question, signal);
    const { cursor, incompleteReasons } = answer;
    for (const trace of answer.traces) {
      const matched = trace.spansets.reduce(
        (/** @type {number} */ n, /** @type {any} */ set) => n + set.spanCount,
        0,
      );
      if (matched > spansOfATrace) cut++;
      for (const span of spansIn(trace)) {
        found.push(span);
        rows.push(spanColumns.map((name) => span[name]));
      }
    }
    traces += answer.traces.length;
    table.show(found);
    const order = orderOf(params) || 'query';
    fill(
      says,
      h('b', t('search.spans', { n: found.length })),
      h('span', [
        '',
        cursor === null
          ? t('search.spans.of', { n: traces })
          : t('search.spans.first', { traces: t(`search.list.${order}`, { n: traces }) }),
        cut ? t('search.spans.cut', { n: cut, most: spansOfATrace }) : null,
      ].filter((text) => text !== null).join(' · ')),
    );
    fill(notes, incompleteStrip(incompleteReasons));
    if (cursor !== null) question.set('cursor', cursor);
    more.show(cursor === null ? '' : t('search.more', { n: tracesOfAPage }));
  };
  const more = moreButton(read);
  await read();
  const orders = orderSelect((next) => go(pathWith('/search', next)));
  const head = h('div.list-head', says, orders);
  return { body: [head, notes, table.element, more.element], reasons: [], rows };
}

/** @param {URLSearchParams} params @param {AbortSignal} signal */
function spanTable(params, signal) {
  return new Table({
    label: t('search.tab.spans'),
    signal,
    key: (/** @type {any} */ span) => `${span.traceId}${span.spanId}`,
    sort: params.get('sort') ?? '',
    onsort: (sort) => keep({ sort }),
    columns: [
      {
        id: 'name',
        title: t('search.operation'),
        value: ({ name }) => name,
        cell: (span) =>
          h(
            'a.name',
            { href: `/trace/${span.traceId}?sel=${span.spanId}` },
            h('b', span.name),
          ),
      },
      {
        id: 'service',
        title: t('search.service'),
        value: ({ service }) => service,
        cell: ({ service }) => serviceLink(service),
      },
      { id: 'kind', title: t('search.kind'), value: ({ kind }) => kind, cell: ({ kind }) => kind },
      {
        id: 'status',
        title: t('search.status'),
        value: ({ status }) => status,
        cell: ({ status }) => h(status === 'error' ? 'span.bad' : 'span.faint', status),
      },
      {
        id: 'start',
        title: t('search.start'),
        number: true,
        value: ({ startTimeUnixNano }) => Number(startTimeUnixNano),
        cell: ({ startTimeUnixNano }) => moment(startTimeUnixNano),
      },
      {
        id: 'duration',
        title: t('search.duration.span'),
        number: true,
        value: ({ durationNanos }) => Number(durationNanos),
        cell: ({ durationNanos }) => duration(Number(durationNanos)),
      },
    ],
  });
}

/** @param {View} view @returns {Promise<Shown>} */
async function groups(view) {
  const by = view.params.get('by') || 'resource.service.name';
  const chooser = await groupChooser(by, view);
  try {
    const { body, ...shown } = await grouped(by, view);
    return { ...shown, body: [chooser, body] };
  } catch (error) {
    // A key that is none can be mended where it is written.
    return { body: [chooser, errorNotice(error, view.again)], rows: [], reasons: [], error };
  }
}

/** @param {string} by @param {View} view */
async function groupChooser(by, { signal, go }) {
  const keys = await api.keys('', signal).catch(() => []);
  const known = ['resource.service.name', 'name', 'kind', 'status', 'trace:rootName']
    .concat(keys.map(({ scope, key }) => `${scope}.${/[^\w.\-/:]/.test(key) ? quote(key) : key}`));
  const input = h('input.mono', {
    id: 'by',
    list: 'by-keys',
    value: by,
    autocomplete: 'off',
    spellcheck: 'false',
  });
  const chooser = h(
    'form.by',
    {
      onsubmit: (/** @type {Event} */ event) => {
        event.preventDefault();
        go(changed({ by: input.value.trim() }));
      },
    },
    h('label', { for: 'by' }, t('search.groups.by')),
    input,
    h('datalist', { id: 'by-keys' }, [...new Set(known)].map((value) => h('option', { value }))),
    h('button', t('search.groups.do')),
  );
  input.addEventListener('change', () => chooser.requestSubmit());
  return chooser;
}

/** @param {string} by @param {View} view @returns {Promise<Shown>} */
async function grouped(by, { params, signal }) {
  const text = unordered(textOf(params));
  const window = { ...asked(bounded(readRange(params).range)), step: 'all' };
  const ask = (/** @type {string} */ stage, series = groupsLimit) =>
    api.metrics({ q: `${text} | ${stage} by (${by})`, ...window, series: String(series) }, signal);
  const counts = await ask('count_over_time()');
  const errors = await ask('{ status = error } | count_over_time()');
  const times = await ask('quantile_over_time(duration, .5, .95, .99)', 3 * groupsLimit);
  /** @type {Map<string, { label: any, count: number, errors: number, p: number[] }>} */
  const rows = new Map();
  const rowOf = (/** @type {any[]} */ labels) => {
    const label = labels.find((each) => each.name === by) ?? { name: by, value: '' };
    const key = `${label.type} ${label.value}`;
    if (!rows.has(key)) rows.set(key, { label, count: 0, errors: 0, p: [] });
    return /** @type {any} */ (rows.get(key));
  };
  for (const { labels, values } of counts.series) rowOf(labels).count = values[0] ?? 0;
  for (const { labels, values } of errors.series) {
    if (values[0]) rowOf(labels).errors = values[0];
  }
  for (const { labels, values } of times.series) {
    const p = labels.find((/** @type {any} */ label) => label.name === 'p')?.value;
    rowOf(labels).p[[0.5, 0.95, 0.99].indexOf(Number(p))] = (values[0] ?? 0) * 1e9;
  }
  const all = [...rows.values()].filter((row) => row.count > 0);
  const table = new Table({
    label: t('search.tab.groups'),
    signal,
    sort: params.get('sort') ?? '-count',
    onsort: (sort) => keep({ sort }),
    key: ({ label }) => `${label.type} ${label.value}`,
    columns: [
      {
        id: 'value',
        title: by,
        value: ({ label }) => String(label.value ?? ''),
        cell: ({ label }) =>
          h(
            'a.name',
            { href: more(params, condition(label, by)) },
            h('b', shown(label)),
          ),
      },
      {
        id: 'count',
        title: t('search.groups.count'),
        number: true,
        value: (row) => row.count,
        cell: (row) => count(Math.round(row.count)),
      },
      {
        id: 'errors',
        title: t('search.status.error'),
        number: true,
        value: (row) => row.errors / row.count,
        cell: (row) =>
          row.errors
            ? h(
              'span.bad',
              `${count(Math.round(row.errors))} · ${percentText(row.errors / row.count)}`,
            )
            : h('span.faint', '0'),
      },
      ...['p50', 'p95', 'p99'].map((id, at) => ({
        id,
        title: id,
        number: true,
        value: (/** @type {any} */ row) => row.p[at] ?? null,
        cell: (/** @type {any} */ row) => row.p[at] === undefined ? '–' : duration(row.p[at]),
      })),
    ],
  });
  table.show(all);
  return {
    body: table.element,
    reasons: [counts, errors, times].flatMap((answer) => answer.incompleteReasons),
    rows: [
      [by, 'spans', 'errors', 'p50Nanos', 'p95Nanos', 'p99Nanos'],
      ...all.map(({ label, count, errors, p }) => [label.value ?? '', count, errors, ...p]),
    ],
  };
}

/** @param {View} view @returns {Promise<Shown>} */
async function differences({ params, signal }) {
  const box = boxOf(params);
  const range = bounded(readRange(params).range);
  const nanos = (/** @type {number} */ at) => `${Math.round(at)}000000`;
  const chosen = box ? conditionOf(box) : 'status = error';
  const times = box ? `, ${nanos(box.from)}, ${nanos(box.to)}` : '';
  const answer = await api.metrics({
    q: `${unordered(textOf(params))} | compare({ ${chosen} }, ${valuesOfAKey}${times})`,
    ...asked(range),
    step: 'all',
  }, signal);
  /** @type {Map<string, Map<string, { label: any, n: number[] }>>} */
  const attributes = new Map();
  const totals = [0, 0];
  for (const { labels, values } of answer.series) {
    const side = labels.find((/** @type {any} */ l) => l.name === '__meta_type')?.value ?? '';
    const label = labels.find((/** @type {any} */ l) => l.name !== '__meta_type');
    const at = side.startsWith('selection') ? 0 : 1;
    const n = values[0] ?? 0;
    if (side.endsWith('_total')) {
      // What every span has, such as its name, tells how many there are.
      totals[at] = Math.max(totals[at], n);
      continue;
    }
    if (!label || (!box && label.name === 'status')) continue;
    const of = attributes.get(label.name) ?? new Map();
    attributes.set(label.name, of);
    const key = `${label.type} ${label.value}`;
    const entry = of.get(key) ?? { label, n: [0, 0] };
    of.set(key, entry);
    entry.n[at] = n;
  }
  const share = (/** @type {number[]} */ n, /** @type {number} */ at) =>
    totals[at] ? Math.min(1, n[at] / totals[at]) : 0;
  const gap = (/** @type {{ n: number[] }} */ { n }) => Math.abs(share(n, 0) - share(n, 1));
  const ranked = [...attributes].map(([name, of]) => {
    const values = [...of.values()].sort((a, b) => gap(b) - gap(a));
    return { name, values, gap: gap(values[0]) };
  }).filter(({ gap }) => gap >= 0.01).sort((a, b) => b.gap - a.gap);
  const bar = (/** @type {string} */ kind, /** @type {number} */ part) => {
    const fillBar = h(`i.${kind}`);
    fillBar.style.width = `${part * 100}%`;
    return h('span.share', h('span.track', fillBar), percentText(part));
  };
  const both = totals[0] > 0 && totals[1] > 0;
  const sides = box ? boxText(box) : t('search.status.error');
  const body = [
    h(
      'p.says',
      { role: 'status' },
      h('i.mine'),
      h(
        'b',
        t('search.different.mine', { what: sides, spans: count(Math.round(totals[0])) }),
      ),
      h('i.rest'),
      h('span', t('search.different.rest', { spans: count(Math.round(totals[1])) })),
    ),
    !both || !ranked.length
      ? h('p.none', t(both ? 'search.different.none' : 'search.different.empty'))
      : h(
        'ol.differences',
        ranked.map(({ name, values }) =>
          h(
            'li',
            h('h3.mono', name),
            values.filter((value, at) => at === 0 || gap(value) >= 0.01).slice(0, shownOfAKey).map(
              ({ label, n }) =>
                h(
                  'div.difference',
                  h(
                    'a',
                    { href: more(params, condition(label, intrinsic(name))) },
                    shown(label),
                  ),
                  bar('mine', share(n, 0)),
                  bar('rest', share(n, 1)),
                ),
            ),
          )
        ),
      ),
  ];
  return {
    body,
    reasons: answer.incompleteReasons,
    rows: [
      ['attribute', 'value', 'selection', 'rest'],
      ...ranked.flatMap(({ name, values }) =>
        values.map(({ label, n }) => [name, label.value ?? '', ...n])
      ),
    ],
  };
}

/** Names of compare that TraceQL calls otherwise. @param {string} name */
const intrinsic = (name) =>
  ({ rootName: 'trace:rootName', rootServiceName: 'trace:rootService' })[name] ?? name;

const views = /** @type {Record<string, (view: View) => Promise<Shown>>} */ ({
  spans,
  groups,
  differences,
});

/**
 * @param {string} tab @param {HTMLElement} place @param {View} view
 * @returns {Promise<{ rows: any[][], error?: unknown }>} the rows of the CSV
 */
export async function showTab(tab, place, view) {
  const { body, rows, reasons, error } = await views[tab](view).catch((error) => (
    { body: errorNotice(error, view.again), rows: [], reasons: [], error }
  ));
  if (!view.signal.aborted) fill(place, incompleteStrip(reasons), body);
  return { rows, error };
}
