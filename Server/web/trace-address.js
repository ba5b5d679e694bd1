// SPDX-License-Identifier: Apache-2.0
// What is in view, selected, folded and looked for, as the address of a trace holds it. No DOM.
//
//     z=0.12-0.4   the stretch in view, as shares of the trace
//     sel= row=    id of the selected span, and its row as a hint
//     shut=3,17    folded rows; or shut=all open=3,17: all below the roots are folded but these, if
// that is shorter
//     q= svc=      what is looked for, and the service brought out
//     v=           the view, where it is not the timeline
//     roll=0       equal siblings are shown each; unroll=3,17: those that begin with these rows are
//     cp=1 err=1 min=10ms hide=1
//                  critical path; only errors, what took as long, what is looked for or brought out
//     raw=1        times as they were sent, no clock corrected

import { anything, like, oneOf, parameters, within } from './address.js';
import { parseDuration } from './format.js';

/** Rows listed in an address; more would make it unwieldy. */
const listLimit = 400;

export const views = ['timeline', 'flame', 'tree', 'table', 'paths', 'logs', 'json'];

const on = oneOf('1');
const rowList = like(/^(\d+,)*\d+$/);
const column = like(/^-?\w{1,20}$/);
const stretch = /^(0|0?\.\d+)-(1|0?\.\d+)$/;

/** @type {Record<string, import('./address.js').Check>} */
export const takes = {
  z: (text) => {
    const [, from, to] = stretch.exec(text) ?? [];
    return +from < +to;
  },
  sel: like(/^[0-9a-f]{16}$/i),
  row: within(0, 1e9),
  shut: (text, params) => text === 'all' || rowList(text, params),
  open: rowList,
  unroll: rowList,
  q: anything,
  svc: anything,
  v: oneOf(...views),
  roll: oneOf('0'),
  cp: on,
  err: on,
  hide: on,
  raw: on,
  min: (text) => !!parseDuration(text),
  by: oneOf('service'),
  sort: column,
};

/**
 * @typedef {{ view: string, rolled: boolean, unrolled: number[], path: boolean, errors: boolean,
 *   least: string, hide: boolean, raw: boolean, sort: string, by: string }} Shown
 * @typedef {Shown & { from: number, to: number, closed: Uint8Array, find: string, service: number, span:
 *   string,
 *   row: number }} State `service` and `row` are -1 for none
 * @typedef {import('./trv1.js').Trace} Trace
 */

/**
 * @param {URLSearchParams} params
 * @param {Trace} trace
 * @returns {State} whatever cannot be understood is left out
 */
export function readAddress(params, trace) {
  const zoom = stretch.exec(params.get('z') ?? '');
  const [from, to] = zoom
    ? [Number(zoom[1]) * trace.total, Number(zoom[2]) * trace.total]
    : [0, trace.total];
  const closed = new Uint8Array(trace.n);
  if (params.get('shut') === 'all') {
    for (let i = 0; i < trace.n; i++) {
      closed[i] = trace.parent[i] >= 0 && foldable(trace, i) ? 1 : 0;
    }
    for (const row of rows(params.get('open'), trace)) closed[row] = 0;
  } else for (const row of rows(params.get('shut'), trace)) closed[row] = 1;
  const row = Number(params.get('row') ?? -1);
  return {
    from: Number.isFinite(from) && Number.isFinite(to) && from < to ? from : 0,
    to: Number.isFinite(from) && Number.isFinite(to) && from < to ? to : trace.total,
    closed,
    find: params.get('q') ?? '',
    service: params.has('svc') ? trace.services.indexOf(params.get('svc') ?? '') : -1,
    span: params.get('sel') ?? '',
    view: views.find((view) => view === params.get('v')) ?? 'timeline',
    rolled: params.get('roll') !== '0',
    unrolled: (params.get('unroll') ?? '').split(',').filter(Boolean).map(Number)
      .filter((row) => Number.isInteger(row) && row >= 0 && row < trace.n),
    path: params.get('cp') === '1',
    errors: params.get('err') === '1',
    least: parseDuration(params.get('min') ?? '')?.text ?? '',
    hide: params.get('hide') === '1',
    raw: params.get('raw') === '1',
    sort: column(params.get('sort') ?? '', params) ? params.get('sort') ?? '' : '',
    by: params.get('by') === 'service' ? 'service' : '',
    row: Number.isInteger(row) && row >= 0 && row < trace.n ? row : -1,
  };
}

/** @param {State} state @param {Trace} trace @returns {string} empty, or beginning with "?" */
export function writeAddress(state, trace) {
  const params = new URLSearchParams();
  if (parameters().get('embed') === '1') params.set('embed', '1');
  if (state.to - state.from < trace.total * 0.9999) {
    const share = (/** @type {number} */ at) =>
      (at / trace.total).toFixed(9).replace(/\.?0+$/, '');
    params.set('z', `${share(state.from)}-${share(state.to)}`);
  }
  if (state.span) {
    params.set('sel', state.span);
    params.set('row', String(state.row));
  }
  const shut = [];
  const open = [];
  for (let i = 0; i < trace.n; i++) {
    if (state.closed[i]) shut.push(i);
    else if (trace.parent[i] >= 0 && foldable(trace, i)) open.push(i);
  }
  if (shut.length > open.length) {
    params.set('shut', 'all');
    if (open.length) params.set('open', open.slice(0, listLimit).join(','));
  } else if (shut.length) params.set('shut', shut.slice(0, listLimit).join(','));
  if (state.find) params.set('q', state.find);
  if (state.service >= 0) params.set('svc', trace.services[state.service]);
  if (state.view !== 'timeline') params.set('v', state.view);
  if (!state.rolled) params.set('roll', '0');
  if (state.unrolled.length) params.set('unroll', state.unrolled.slice(0, listLimit).join(','));
  if (state.path) params.set('cp', '1');
  if (state.errors) params.set('err', '1');
  if (state.least) params.set('min', state.least);
  if (state.hide) params.set('hide', '1');
  if (state.raw) params.set('raw', '1');
  if (state.view === 'table' && state.by) params.set('by', state.by);
  if (state.view === 'table' && state.sort) params.set('sort', state.sort);
  // Commas read better than %2C, and mean the same.
  const text = params.toString().replaceAll('%2C', ',');
  return text && `?${text}`;
}

/** @param {Trace} trace @param {number} row */
const foldable = (trace, row) => trace.end[row] - row > 1;

/** @param {string | null} list @param {Trace} trace @returns {number[]} */
const rows = (list, trace) =>
  (list ?? '').split(',').filter(Boolean).map(Number)
    .filter((row) => Number.isInteger(row) && row >= 0 && row < trace.n && foldable(trace, row));
