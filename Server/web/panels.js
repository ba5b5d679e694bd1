// SPDX-License-Identifier: Apache-2.0
// What pages of numbers are made of: cards, numbers that lead to their traces, changes, columns.
import { dyeClass } from './colors.js';
import { h, icon } from './dom.js';
import { compact, duration } from './format.js';
import { servicePath } from './pages.js';
import { link } from './range.js';
import { percentText, rateText } from './scale.js';
import { searchFor } from './traceql.js';
import { t } from './texts.js';

let made = 0;

/** How all fares, in one sentence, and why. @param {'good' | 'fair' | 'bad'} state
 * @param {any} sentence @param {any} why */
export const verdict = (state, sentence, why) => [
  h(`i.state.${state}`, { 'aria-hidden': 'true' }, icon(state === 'good' ? 'check' : 'warning')),
  h('div', h('p.says-all', sentence), h('p.says-why', why)),
];

/**
 * A table that is only read.
 * @param {string} label @param {{ text: string, number?: boolean }[]} columns
 * @param {any[][]} rows the first cell names the row, the others are cells or elements of them
 */
export const plainTable = (label, columns, rows) =>
  h(
    'table.list',
    { 'aria-label': label },
    h(
      'thead',
      h('tr', columns.map(({ text, number }) => h(number ? 'th.number' : 'th', { scope: 'col' }, text))),
    ),
    h(
      'tbody',
      rows.map(([head, ...cells]) =>
        h(
          'tr',
          h('th', { scope: 'row' }, head),
          cells.map((cell, at) =>
            h(columns[at + 1].number ? 'td.number' : 'td', cell)
          ),
        )
      ),
    ),
  );

/**
 * @param {string} name a class @param {string} title @param {any} body
 * @param {{ says?: any, tools?: any }} [more] beside the title, and at the end of its line
 */
export function card(name, title, body, { says, tools } = {}) {
  const id = `card-${++made}`;
  return h(
    `section.card.${name}`,
    { 'aria-labelledby': id },
    h(
      'header',
      h('h2', { id }, title),
      says ? h('span.tells', says) : null,
      tools ? h('span.card-tools', tools) : null,
    ),
    body,
  );
}

/** A number that leads to the traces behind it.
 * @param {any} text @param {string} q @param {string} title @param {boolean} [slowest] */
export const number = (text, q, title, slowest) =>
  h('a.number', { href: searchFor(q, { slowest }), title }, text);

/** @param {string} service */
export const serviceLink = (service) =>
  h(`a.name.${dyeClass(service)}`, { href: link(servicePath(service)) }, h('i.dot'), h('span.cut', service));

/** @param {string} service @param {string} operation @param {boolean} [alone] without the service */
export const operationLink = (service, operation, alone = false) =>
  h(
    `a.name.${dyeClass(service)}`,
    { href: link(servicePath(service, operation)) },
    h('i.dot'),
    alone ? null : h('span.service', service, ' '),
    h('b', operation),
  );

/** How a duration changed, in red where it grew. @param {number | null} ratio */
export function delta(ratio) {
  if (ratio === null) return null;
  const up = ratio > 1;
  const text = ratio >= 10
    ? `×${Math.round(ratio)}`
    : `${up ? '+' : '−'}${Math.round(Math.abs(ratio - 1) * 100)}%`;
  return h(
    up ? 'small.delta.worse' : 'small.delta.better',
    { title: t('change.title', { change: text }) },
    icon(up ? 'up' : 'down'),
    text,
  );
}

/**
 * The columns that say rate, errors and durations of a row.
 * @template Row
 * @param {{ reading: (row: Row) => import('./red.js').Reading, q: (row: Row, more?: any) => string,
 *   quantiles: string[], change?: (row: Row) => number | null }} of `change` is that of the last
 * quantile
 * @returns {import('./table.js').Column<Row>[]}
 */
export function redColumns({ reading, q, quantiles, change }) {
  const none = h.bind(null, 'span.faint', null, '–');
  return [
    {
      id: 'rate',
      title: t('red.rate'),
      hint: t('red.rate.hint'),
      number: true,
      value: (row) => reading(row).rate,
      cell: (row) => {
        const { calls, rate } = reading(row);
        return calls
          ? number(rateText(rate), q(row), t('red.open', { calls: compact(calls) }))
          : none();
      },
    },
    {
      id: 'errors',
      title: t('red.errors'),
      number: true,
      value: (row) => reading(row).calls ? reading(row).share : null,
      cell: (row) => {
        const { calls, errors, share } = reading(row);
        if (!calls) return none();
        return errors
          ? h(
            share >= 0.01 ? 'span.bad' : 'span',
            null,
            number(
              percentText(share),
              q(row, { error: true }),
              t('red.open.errors', { n: errors }),
            ),
          )
          : h('span.faint', '0%');
      },
    },
    ...quantiles.map((name, at) => ({
      id: name,
      title: name,
      hint: t('red.quantile', { percent: `${Number(name.slice(1))}%` }),
      number: true,
      value: (/** @type {Row} */ row) => reading(row).quantiles[at] ?? null,
      cell: (/** @type {Row} */ row) => {
        const { calls, quantiles: values } = reading(row);
        if (!calls || values[at] === undefined) return none();
        const last = at === quantiles.length - 1;
        return [
          last && change ? delta(change(row)) : null,
          number(
            duration(values[at]),
            q(row, { atLeast: values[at] }),
            t('red.open.slow', { duration: duration(values[at]) }),
            true,
          ),
        ];
      },
    })),
  ];
}
