// SPDX-License-Identifier: Apache-2.0
// What runs a service: its processes, containers or hosts, with numbers of each.
import * as api from './api.js';
import { h } from './dom.js';
import { compact, count } from './format.js';
import { number, redColumns } from './panels.js';
import { Section, seen } from './section.js';
import { Table } from './table.js';
import { t } from './texts.js';
import { and } from './traceql.js';

/**
 * @param {AbortSignal} signal
 * @param {() => Record<string, any>} asked what of the service, and when
 */
export function instances(signal, asked) {
  const table = new Table({
    label: t('instances.title'),
    signal,
    key: (/** @type {any} */ row) => row.key + row.name,
    sort: '-spans',
    columns: [
      {
        id: 'instance',
        title: t('instances.instance'),
        value: (row) => row.name,
        cell: ({ key, name, query }) =>
          h(
            key ? 'b.instance' : 'span.faint',
            null,
            number(
              key ? name : t('instances.untold'),
              query,
              key ? `${key} = ${name}` : t('instances.untold.do'),
            ),
          ),
      },
      {
        id: 'version',
        title: t('instances.version'),
        value: (row) => row.version ?? '',
        cell: (row) => h('span.version', { title: row.version }, row.version ?? '–'),
      },
      {
        id: 'spans',
        title: t('instances.spans'),
        number: true,
        value: (row) => row.spanCount,
        cell: (row) =>
          number(compact(row.spanCount), row.query, t('red.open', { calls: count(row.spanCount) })),
      },
      ...redColumns({
        reading: (/** @type {any} */ row) => ({
          calls: row.spanCount,
          errors: row.errorCount,
          rate: 0,
          share: row.errorCount / row.spanCount,
          quantiles: [Number(row.p50Nanos), Number(row.p99Nanos)],
        }),
        q: (row, more) => and(row.query, more),
        quantiles: ['p50', 'p99'],
      }).slice(1),
      seen('first'),
      seen('last'),
    ],
  });
  return new Section(t('instances.title'), {
    signal,
    ask: (signal) => api.ofService('instances', asked(), signal),
    body: table.element,
    show(data) {
      table.show(data.instances);
      return { left: data.instanceCount - data.instances.length };
    },
  });
}
