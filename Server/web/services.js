// SPDX-License-Identifier: Apache-2.0
// All services: how often they are called, what fails, how long it takes.
import { keep, parameters, sortedBy } from './address.js';
import * as api from './api.js';
import { dress } from './colors.js';
import { fill, h, icon } from './dom.js';
import { compact } from './format.js';
import { notice } from './notice.js';
import { redColumns, serviceLink } from './panels.js';
import { present } from './present.js';
import { asked, bounded, lastRange, link, readRange } from './range.js';
import { answering, durationChange, read, secondsOf, stepText, windows } from './red.js';
import { sparkline } from './sparkline.js';
import { Table } from './table.js';
import { t } from './texts.js';
import { rangeText } from './time.js';
import { spans } from './traceql.js';

const points = 40;
const quantiles = '0.5,0.95,0.99';

/**
 * @typedef {{ service: string, spans: number, now: import('./red.js').Reading,
 *   before: import('./red.js').Reading, steps: import('./api.js').Totals[], callers: number,
 *   called: number }} Row
 */

export const takes = {
  sort: sortedBy('service', 'rate', 'errors', 'p50', 'p95', 'p99', 'callers', 'called'),
};

/** @param {HTMLElement} main @param {import('./pages.js').Context} context */
export function page(main, context) {
  document.title = `${t('page.services')} · Skein`;
  present(main, context, {
    name: 'services',
    ask,
    view: () => view(context),
    reasons: (data) => data.reasons,
  });
}

/** @param {AbortSignal} signal */
async function ask(signal) {
  const { now, before } = windows(bounded(readRange(parameters()).range));
  const totals = (/** @type {typeof now} */ range, /** @type {Record<string, any>} */ more) =>
    api.operationTotals({ ...asked(range), by: 'service', quantiles, ...more }, signal);
  const answered = await api.together(
    totals(now, { quantiles: '0.5' }),
    totals(now, { kind: answering, step: stepText(now, points) }),
    totals(before, { kind: answering }),
    api.edgeTotals({ ...asked(now), quantiles: '0.5' }, signal),
  );
  const [all, answers, earlier, edges] = answered;
  const by = (/** @type {import('./api.js').OperationTotals[]} */ lines) =>
    new Map(lines.map((line) => [line.service, line]));
  const [lines, linesBefore] = [by(answers.operations), by(earlier.operations)];
  const [seconds, secondsBefore] = [secondsOf(now), secondsOf(before)];
  /** @type {Row[]} */
  const rows = (all.operations.length ? all : answers).operations.map(({ service, callCount }) => ({
    service,
    spans: callCount,
    now: read(lines.get(service), seconds),
    before: read(linesBefore.get(service), secondsBefore),
    steps: lines.get(service)?.steps ?? [],
    callers: edges.edges.filter(({ child }) => child === service).length,
    called: edges.edges.filter(({ parent }) => parent === service).length,
  }));
  return {
    range: now,
    rows,
    reasons: answered.flatMap((answer) => answer.incompleteReasons),
  };
}

/** @param {import('./pages.js').Context} context */
function view({ signal }) {
  const says = h('span.tells');
  const table = new Table({
    label: t('page.services'),
    signal,
    key: (/** @type {Row} */ { service }) => service,
    sort: parameters().get('sort') ?? '-rate',
    onsort: (sort) => keep({ sort }),
    columns: [
      {
        id: 'service',
        title: t('services.service'),
        value: ({ service }) => service.toLowerCase(),
        cell: ({ service, spans: n, now }) => [
          h('b', serviceLink(service)),
          now.calls ? null : h(
            'small.faint.unanswering',
            { title: t('services.unanswering.do') },
            icon('question'),
            t('services.unanswering', { n: compact(n) }),
          ),
        ],
      },
      ...redColumns({
        reading: (/** @type {Row} */ row) => row.now,
        q: ({ service }, more) => spans({ service, kinds: answering, ...more }),
        quantiles: ['p50', 'p95', 'p99'],
        change: ({ now, before }) => durationChange(now, before, 2),
      }),
      {
        id: 'callers',
        title: t('services.callers'),
        hint: t('services.callers.hint'),
        number: true,
        value: ({ callers }) => callers,
        cell: ({ callers }) => callers || h('span.faint', '0'),
      },
      {
        id: 'called',
        title: t('services.called'),
        hint: t('services.called.hint'),
        number: true,
        value: ({ called }) => called,
        cell: ({ called }) => called || h('span.faint', '0'),
      },
      {
        id: 'spark',
        title: t('red.calls'),
        cell: ({ steps }) =>
          sparkline(steps.map((step) => step.callCount), steps.map((step) => step.errorCount)),
      },
    ],
  });
  const card = h('section.card', { 'aria-label': t('page.services') }, table.element);
  const none = h('div');
  return {
    element: h(
      'div.services',
      h('header.page-head', h('h1', t('page.services')), says),
      card,
      none,
    ),
    /** @param {Awaited<ReturnType<typeof ask>>} data */
    update({ rows, range }) {
      dress(rows.map(({ service }) => service));
      card.hidden = rows.length === 0;
      says.textContent = rows.length ? t('services.says', { n: rows.length }) : '';
      table.show(rows);
      fill(none, rows.length ? null : nothing(range));
    },
  };
}

/**
 * @param {import('./range.js').Range} range
 * @param {boolean} [unknown] nothing of it is there at any other time either
 */
export function nothing(range, unknown = false) {
  return notice({
    title: unknown ? t('service.unknown') : t('services.none', { period: rangeText(range) }),
    text: t(unknown ? 'service.unknown.do' : 'services.none.do'),
    quiet: true,
    action: ['24h', '7d', '30d'].map((last) =>
      h('a.button', { href: link(location.pathname, {}, lastRange(last)) }, t(`time.${last}`))
    ),
  });
}
