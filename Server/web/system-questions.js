// SPDX-License-Identifier: Apache-2.0
// What the server is asked and what that costs, by interface and route, and the costliest questions.
import { fill, h } from './dom.js';
import { clock, count, duration } from './format.js';
import { card, plainTable } from './panels.js';
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
    this.routes = h('div.table.questions');
    this.costliest = h('div.table.questions');
    this.says = h('span');
    this.element = [
      card('whole', t('questions.title'), this.routes, { says: t('questions.says') }),
      card('whole', t('questions.costliest'), this.costliest, { says: this.says }),
    ];
  }

  /** @param {Answer} answer */
  update({ routes, costliest, rememberedCount }) {
    const total = routes.reduce((sum, route) => sum + Number(route.cpuNanos), 0) || 1;
    const fillTable = (
      /** @type {HTMLElement} */ place,
      /** @type {string} */ label,
      /** @type {string[]} */ columns,
      /** @type {any[][]} */ rows,
    ) =>
      fill(
        place,
        rows.length
          ? plainTable(
            label,
            columns.map((name, at) => ({ text: t(`questions.${name}`), number: at > 1 })),
            rows,
          )
          : h('p.none', t('questions.none')),
      );
    fillTable(
      this.routes,
      t('questions.title'),
      ['interface', 'route', 'count', 'failed', 'time', 'cpu', 'share'],
      routes.slice(0, shown).map((route) => [
        names[/** @type {'mcp'} */ (route.interface)],
        h('code', route.route),
        count(route.count),
        route.failedCount ? h('b.bad', count(route.failedCount)) : '0',
        duration(Number(route.elapsedNanos) / route.count),
        duration(Number(route.cpuNanos) / route.count),
        percentText(Number(route.cpuNanos) / total),
      ]),
    );
    this.says.textContent = t('questions.costliest.says', { n: rememberedCount });
    fillTable(
      this.costliest,
      t('questions.costliest'),
      ['when', 'asked', 'spans', 'time', 'cpu'],
      costliest.map((asked) => [
        clock(BigInt(asked.askedAtUnixNano)),
        question(asked),
        count(asked.examinedSpanCount),
        duration(Number(asked.elapsedNanos)),
        duration(Number(asked.cpuNanos)),
      ]),
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
    q ? h('small', route) : null,
    httpStatus >= 400 ? h('b.bad', ` ${httpStatus}`) : null,
  ];
}
