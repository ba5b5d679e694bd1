// SPDX-License-Identifier: Apache-2.0
// What the server is asked and what that costs, by interface and route, and the costliest questions.
import { fill, h } from './dom.js';
import { clock, count, duration } from './format.js';
import { card } from './panels.js';
import { percentText } from './scale.js';
import { t } from './texts.js';

/**
 * @typedef {{ interface: string, route: string, elapsedNanos: string, cpuNanos: string,
 *   examinedSpanCount: number }} Asked
 * @typedef {{ routes: (Asked & { count: number, failedCount: number })[], rememberedCount: number,
 *   costliest: (Asked & { askedAtUnixNano: string, text: string, httpStatus: number })[] }} Answer
 */

const names = { native: 'Skein', jaeger: 'Jaeger', zipkin: 'Zipkin', tempo: 'Tempo', mcp: 'MCP' };
/** Of so many, which are more than a hundred routes, the rest is on /metrics. */
const shown = 12;

export class Questions {
  constructor() {
    this.routes = h('div.table');
    this.costliest = h('div.table');
    this.says = h('span');
    this.element = [
      card('whole', t('questions.title'), this.routes, { says: t('questions.says') }),
      card('whole', t('questions.costliest'), this.costliest, { says: this.says }),
    ];
  }

  /** @param {Answer} answer */
  update({ routes, costliest, rememberedCount }) {
    const total = routes.reduce((sum, route) => sum + Number(route.cpuNanos), 0) || 1;
    fill(
      this.routes,
      table(
        t('questions.title'),
        ['interface', 'route', 'count', 'failed', 'time', 'cpu', 'share'],
        routes.slice(0, shown).map((route) => ({
          head: names[/** @type {'mcp'} */ (route.interface)],
          text: h('code', null, route.route),
          numbers: [
            count(route.count),
            route.failedCount ? h('b.bad', null, count(route.failedCount)) : '0',
            duration(Number(route.elapsedNanos) / route.count),
            duration(Number(route.cpuNanos) / route.count),
            percentText(Number(route.cpuNanos) / total),
          ],
        })),
      ),
    );
    this.says.textContent = t('questions.costliest.says', { n: rememberedCount });
    fill(
      this.costliest,
      table(
        t('questions.costliest'),
        ['when', 'asked', 'spans', 'time', 'cpu'],
        costliest.map((asked) => ({
          head: clock(BigInt(asked.askedAtUnixNano)),
          text: question(asked),
          numbers: [
            count(asked.examinedSpanCount),
            duration(Number(asked.elapsedNanos)),
            duration(Number(asked.cpuNanos)),
          ],
        })),
      ),
    );
  }
}

/** @param {{ route: string, text: string, httpStatus: number }} asked what the page can ask is a link */
function question({ route, text, httpStatus }) {
  const search = text.startsWith('/') ? text.split('?')[1] ?? '' : '';
  const q = new URLSearchParams(search).get('q');
  const code = h('code', { title: text }, q ?? (text || route));
  return [
    q && route.endsWith('/v1/traces') ? h('a', { href: `/search?${search}` }, code) : code,
    q ? h('small', null, route) : null,
    httpStatus >= 400 ? h('b.bad', null, ` ${httpStatus}`) : null,
  ];
}

/** @param {string} label @param {string[]} columns
 *  @param {{ head: any, text: any, numbers: any[] }[]} rows */
const table = (label, columns, rows) =>
  rows.length
    ? h(
      'table.list.questions',
      { 'aria-label': label },
      h(
        'thead',
        null,
        h(
          'tr',
          null,
          columns.map((name, at) =>
            h(at > 1 ? 'th.number' : 'th', { scope: 'col' }, t(`questions.${name}`))
          ),
        ),
      ),
      h(
        'tbody',
        null,
        rows.map(({ head, text, numbers }) =>
          h(
            'tr',
            null,
            h('th', { scope: 'row' }, head),
            h('td.asked', null, text),
            numbers.map((number) => h('td.number', null, number)),
          )
        ),
      ),
    )
    : h('p.none', null, t('questions.none'));
