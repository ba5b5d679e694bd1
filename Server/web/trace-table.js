// SPDX-License-Identifier: Apache-2.0
// The statistics of a trace: a line for each operation or service. Quantiles are exact.
import { dyeClass } from './colors.js';
import { fill, h } from './dom.js';
import { wordOf } from './find-stored.js';
import { count, duration, named } from './format.js';
import { percentText } from './scale.js';
import { Table } from './table.js';
import { t } from './texts.js';
import { writeAddress } from './trace-address.js';

/** @typedef {import('./trace-analysis.js').Figures} Figures */

/** @param {import('./trace-page.js').TracePage} page */
export function view(page) {
  const { analysis } = page;
  const element = h('div.view-body');
  if (!analysis) {
    fill(element, h('p.none', t('view.none')));
    return { element };
  }
  const draw = () => {
    const byService = page.state.by === 'service';
    const lines = /** @type {Figures[]} */ (byService ? analysis.services : analysis.operations);
    const choice = (/** @type {string} */ by, /** @type {string} */ label) =>
      h('button', {
        type: 'button',
        'aria-pressed': String(page.state.by === by),
        onclick: () => {
          page.state.by = by;
          page.remember();
          draw();
          element.querySelector('[aria-pressed=true]')?.focus();
        },
      }, label);
    const table = makeTable(page, byService);
    fill(
      element,
      h(
        'div.view-head',
        h(
          'div.segments',
          { role: 'group', 'aria-label': t('stats.by') },
          choice('', t('stats.operations')),
          choice('service', t('stats.services')),
        ),
        h('span.says', says(analysis, lines.length, byService)),
      ),
      table.element,
    );
    table.show(lines);
  };
  draw();
  return { element };
}

/** @param {any} analysis @param {number} n @param {boolean} byService */
const says = (analysis, n, byService) => {
  const all = byService ? analysis.serviceCount : analysis.operationCount;
  return n < all ? t('stats.first', { n, all }) : '';
};

/** @param {import('./trace-page.js').TracePage} page @param {boolean} byService */
function makeTable(page, byService) {
  const length = page.trace.total * page.trace.unit;
  const { signal } = page;
  const nanos = (
    /** @type {keyof Figures} */ name,
    /** @type {string} */ title,
    /** @type {string} */ hint = '',
  ) => ({
    id: name.replace('Nanos', ''),
    title,
    hint: hint || undefined,
    number: true,
    value: (/** @type {Figures} */ row) => Number(row[name]),
    cell: (/** @type {Figures} */ row) => duration(Number(row[name])),
  });
  const address = (/** @type {Figures} */ row) => {
    const find = byService ? '' : `name=${wordOf(row.operation ?? '')}`;
    return location.pathname + writeAddress({
      ...page.whole(),
      view: 'timeline',
      hide: true,
      find,
      service: page.trace.services.indexOf(row.service),
    }, page.trace);
  };
  return new Table({
    label: t('view.table'),
    sort: page.state.sort || '-path',
    key: (/** @type {Figures} */ row) => `${row.service}\0${row.operation ?? ''}`,
    onsort: (sort) => {
      page.state.sort = sort;
      page.remember();
    },
    signal,
    columns: [
      {
        id: 'name',
        title: byService ? t('stats.service') : t('stats.operation'),
        value: (row) => `${row.service} ${row.operation ?? ''}`,
        cell: (row) =>
          h(
            `a.stat-name.${dyeClass(row.service)}`,
            { href: address(row), title: t('stats.lead') },
            h('i.dot'),
            byService ? row.service : [named(row.operation), h('small', row.service)],
          ),
      },
      {
        id: 'count',
        title: t('stats.count'),
        number: true,
        value: (row) => row.count,
        cell: (row) => count(row.count),
      },
      {
        id: 'errors',
        title: t('stats.errors'),
        number: true,
        value: (row) => row.errorCount,
        cell: (row) => row.errorCount ? h('span.bad', count(row.errorCount)) : '0',
      },
      nanos('pathNanos', t('stats.path'), t('stats.path.hint')),
      nanos('selfNanos', t('stats.self'), t('stats.self.hint')),
      {
        id: 'share',
        title: t('stats.share'),
        hint: t('stats.share.hint'),
        number: true,
        value: (row) => Number(row.selfNanos),
        cell: (row) => percentText(Number(row.selfNanos) / length),
      },
      nanos('totalNanos', t('stats.total')),
      nanos('averageNanos', t('stats.average')),
      nanos('p50Nanos', 'p50'),
      nanos('p95Nanos', 'p95'),
      nanos('p99Nanos', 'p99'),
      nanos('longestNanos', t('stats.longest')),
    ],
  });
}
