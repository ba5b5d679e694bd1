// SPDX-License-Identifier: Apache-2.0
// The tables of a service: its operations, its neighbours.
import { keep, parameters } from './address.js';
import { h } from './dom.js';
import { operationLink, redColumns, serviceLink } from './panels.js';
import { durationChange } from './red.js';
import { Table } from './table.js';
import { t } from './texts.js';
import { calls, spans } from './traceql.js';

/** @typedef {import('./service.js').Data} Data */

export const percentiles = ['p50', 'p95', 'p99'];

/** @param {string} service @param {AbortSignal} signal */
export const operationTable = (service, signal) =>
  new Table({
    label: t('service.operations'),
    signal,
    key: (/** @type {Data['operations'][0]} */ row) => JSON.stringify([row.operation, row.kind]),
    sort: parameters().get('sort') ?? '-rate',
    onsort: (sort) => keep({ sort }),
    columns: [
      {
        id: 'operation',
        title: t('search.operation'),
        value: (row) => row.operation.toLowerCase(),
        cell: (row) => operationLink(service, row.operation, true),
      },
      {
        id: 'kind',
        title: t('service.kind'),
        value: (row) => row.kind,
        cell: (row) => h('span.faint', t(`kind.${row.kind || 'unspecified'}`)),
      },
      ...redColumns({
        reading: (/** @type {Data['operations'][0]} */ row) => row.now,
        q: (row, more) =>
          spans({
            service,
            operation: row.operation,
            kinds: row.kind ? [row.kind] : undefined,
            ...more,
          }),
        quantiles: percentiles,
        change: (row) => durationChange(row.now, row.before, 2),
      }),
    ],
  });

/**
 * Who calls a service, or whom it calls.
 * @param {'parent' | 'child'} other the side told @param {AbortSignal} signal
 */
export function neighbourTable(other, signal) {
  const name = `service.${other === 'parent' ? 'callers' : 'called'}`;
  return new Table({
    label: t(name),
    signal,
    empty: t(`${name}.none`),
    key: (/** @type {Data['edges'][0]} */ edge) => edge[other],
    sort: '-rate',
    columns: [
      {
        id: 'service',
        title: t('services.service'),
        value: (edge) => edge[other],
        cell: (edge) => serviceLink(edge[other]),
      },
      ...redColumns({
        reading: (/** @type {Data['edges'][0]} */ edge) => edge.now,
        q: (edge, more) => calls(edge.parent, edge.child, more),
        quantiles: percentiles,
      }),
    ],
  });
}
