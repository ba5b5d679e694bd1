// SPDX-License-Identifier: Apache-2.0
// What fails in a service: exceptions of one type, operation and kind of message as one line, with
// an example and its stack trace.
import * as api from './api.js';
import { shortHash } from './colors.js';
import { h } from './dom.js';
import { compact, count, moment } from './format.js';
import { number, operationLink } from './panels.js';
import { link } from './range.js';
import { disclosure, Section, seen } from './section.js';
import { sparkline } from './sparkline.js';
import { Table } from './table.js';
import { t } from './texts.js';

/** @param {any} row */
const named = (row) => JSON.stringify([row.type, row.message, row.operation, row.event]);

/** @param {AbortSignal} signal @param {() => Record<string, any>} asked */
export function exceptions(signal, asked) {
  const what = (/** @type {any} */ row) => {
    const { traceId, spanId, startTimeUnixNano, message, stackTrace } = row.example;
    const { service, operation } = asked();
    const title = row.type ?? t(row.event ? 'exceptions.exception' : 'exceptions.failed');
    const none = t('exceptions.messageless');
    return [
      h(
        'p.exception',
        // The last part of a name with dots says the most.
        h('b', number(title.split('.').at(-1) || title, row.query, title)),
        row.message || none,
      ),
      operation ? null : operationLink(service, row.operation, true),
      disclosure('exception', shortHash(named(row)), t('exceptions.example'), [
        h('p.exception', message || none),
        h(
          'a.more',
          { href: link(`/trace/${traceId}`, { sel: spanId }) },
          t('exceptions.trace', { time: moment(startTimeUnixNano).slice(0, 19) }),
        ),
        stackTrace && h('pre', { tabindex: 0 }, stackTrace),
      ]),
    ];
  };
  const table = new Table({
    label: t('exceptions.title'),
    signal,
    empty: t('exceptions.none'),
    key: named,
    sort: '-count',
    columns: [
      { id: 'exception', title: t('exceptions.exception'), value: named, cell: what },
      {
        id: 'count',
        title: t('exceptions.count'),
        number: true,
        value: (row) => row.count,
        cell: (row) =>
          number(
            compact(row.count),
            row.query,
            t('exceptions.open', { n: row.count, traces: count(row.traceCount) }),
          ),
      },
      { id: 'spark', title: t('exceptions.when'), cell: (row) => sparkline([], row.steps) },
      seen('first'),
      seen('last'),
    ],
  });
  return new Section(t('exceptions.title'), {
    signal,
    ask: (signal) => api.ofService('exceptions', asked(), signal),
    body: table.element,
    show(data) {
      table.show(data.groups);
      return { left: data.groupCount - data.groups.length };
    },
  });
}
