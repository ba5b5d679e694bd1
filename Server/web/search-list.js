// SPDX-License-Identifier: Apache-2.0
// The tab of traces: what the list is, in what order, whether it goes on, and what arrives live.
// Where nothing matches it says what could be dropped.
import { parameters, pathWith } from './address.js';
import * as api from './api.js';
import { fill, h, icon } from './dom.js';
import { count } from './format.js';
import { moreButton } from './notice.js';
import { fields, relaxed, textOf, withQuery } from './query-text.js';
import { asksForSpans, defaults, isFixed, limit, orderNames, orderOf, questionOf } from './question.js';
import { rangeNames } from './range.js';
import { ResultList } from './results.js';
import { t } from './texts.js';

export class TraceList {
  pages = 0;
  /** Where the next page begins. @type {string | null} */
  cursor = null;
  /** @type {any} */
  answer = null;

  /**
   * @param {{ ask: (params: URLSearchParams) => void, live: () => boolean,
   *   setLive: (on: boolean) => void, mark: (id: string) => void, loading: () => AbortSignal,
   *   arrive: () => boolean }} on `arrive` hears of traces that came, and says whether they are the first
   */
  constructor(on) {
    this.on = on;
    this.rows = new ResultList();
    this.rows.onmark = on.mark;
    this.says = h('p.says', { role: 'status', 'aria-live': 'off' });
    this.examined = h('span.examined');
    this.scale = h('span.scale');
    this.orders = h('span.orders');
    this.live = h(
      'button.live',
      { type: 'button', onclick: () => on.setLive(!on.live()) },
      h('i.dot'),
      t('search.live'),
    );
    // Arriving traces change words and leave what may be in use.
    this.head = h(
      'div.list-head',
      { hidden: true },
      this.says,
      this.examined,
      this.scale,
      this.orders,
      this.live,
    );
    this.note = h('div.strip.warn', { role: 'status', hidden: true });
    this.none = h('div');
    this.more = moreButton(() => this.readMore());
  }

  get traces() {
    return this.rows.traces;
  }

  /** Asks for the first page. @param {AbortSignal} signal @returns {Promise<boolean>} whether any match */
  async load(signal) {
    const answer = await api.traces(questionOf(parameters()), signal);
    this.pages = 1;
    this.show(answer, answer.traces);
    return answer.traces.length > 0;
  }

  async readMore() {
    const signal = this.on.loading();
    const question = questionOf(parameters());
    question.set('cursor', /** @type {string} */ (this.cursor));
    const answer = await api.traces(question, signal);
    const known = new Set(this.traces.map((trace) => trace.traceId));
    this.pages++;
    const fresh = answer.traces.filter((/** @type {any} */ trace) => !known.has(trace.traceId));
    this.show(answer, [...this.traces, ...fresh]);
  }

  /** @param {any} answer @param {any[]} traces @param {boolean} [arriving] */
  show(answer, traces, arriving = false) {
    if (traces.length && this.on.arrive()) arriving = true;
    this.answer = answer;
    this.cursor = answer.cursor;
    this.rows.showsMatches = asksForSpans(parameters());
    this.rows.show(traces, { arriving });
    this.rows.mark(parameters().getAll('mark'));
    this.showHead();
    const missing = answer.complete === false;
    this.note.hidden = !missing;
    if (missing) {
      const reasons = (answer.incompleteReasons ?? []).join('; ') ||
        t('search.list.partial.unknown');
      fill(this.note, icon('warning'), t('search.list.partial', { reasons }));
    }
    fill(this.none);
    const words = t(missing ? 'search.continue' : 'search.more', { n: limit });
    this.more.show(this.cursor === null ? '' : words);
  }

  /** Shows nothing but what is given. @param {any} [instead] */
  clear(instead) {
    this.rows.show([]);
    this.head.hidden = this.note.hidden = true;
    this.more.show('');
    fill(this.none, instead);
  }

  /** The line that says exactly what the list is. */
  showHead() {
    const n = this.traces.length;
    this.head.hidden = !n;
    if (!n) return;
    const order = orderOf(parameters());
    const more = this.cursor !== null;
    const what = more
      ? t(`search.list.${order || 'query'}`, { n })
      : n === 1
      ? t('search.list.one')
      : t('search.list.all', { n });
    const end = more
      ? t('search.list.more')
      : this.answer.complete === false
      ? null
      : t('search.list.complete');
    const { examinedTraces, examinedSpans } = this.answer;
    fill(this.says, h('b', what), end ? h('span', ` · ${end}`) : null);
    this.examined.textContent = examinedSpans === undefined
      ? ''
      : t('search.examined', { traces: count(examinedTraces), spans: count(examinedSpans) });
    this.scale.textContent = t('search.scale', { duration: this.rows.scale() });
    if (this.orders.dataset.order !== order) fill(this.orders, orderSelect(this.on.ask));
    this.orders.dataset.order = order;
    const live = this.on.live();
    this.live.hidden = isFixed(parameters());
    this.live.setAttribute('aria-pressed', String(live));
    this.live.title = t(live ? 'search.live.on' : 'search.live.off');
  }

  /** Says that nothing matches, and what could be dropped. */
  showNone() {
    const params = parameters();
    const asks = params.has('q') || fields.some((name) => params.has(name));
    const wide = parameters();
    for (const name of rangeNames) wide.delete(name);
    wide.set('last', 'all');
    const links = [
      ...(asks ? relaxed(textOf(params)) : []).map(({ condition, text }) => [
        withQuery(params, text),
        t('search.none.drop', { condition }),
      ]),
      ...(params.get('last') === 'all' ? [] : [[wide, t('search.none.wide')]]),
    ];
    this.clear(
      h(
        'section.notice',
        { role: 'status' },
        h('div.notice-icon.quiet', icon('search')),
        h('h2', t(asks ? 'search.none' : 'search.none.quiet')),
        h('p', t('search.none.do')),
        h(
          'div.actions',
          links.map(([next, text]) => h('a.button', { href: pathWith('/search', next) }, text)),
        ),
      ),
    );
  }

  /** @param {any} answer the first page, fresh */
  merge(answer) {
    if (this.pages <= 1) {
      if (answer.traces.length || this.traces.length) this.show(answer, answer.traces, true);
      return;
    }
    const fresh = new Set(answer.traces.map((/** @type {any} */ trace) => trace.traceId));
    // Without overlap there is a gap between the pages, and in the slowest order places change:
    // begin anew only there.
    const overlaps = this.traces.some((trace) => fresh.has(trace.traceId));
    if (!overlaps || orderOf(parameters()) !== 'newest') return;
    const rest = this.traces.filter((trace) => !fresh.has(trace.traceId));
    const { complete, incompleteReasons } = this.answer;
    const kept = { cursor: this.cursor, complete, incompleteReasons };
    this.show({ ...answer, ...kept }, [...answer.traces, ...rest], true);
  }
}

/** What the list is ordered by. @param {(params: URLSearchParams) => void} ask */
export function orderSelect(ask) {
  const order = orderOf(parameters());
  const select = h(
    'select',
    {
      'aria-label': t('search.order'),
      onchange: () => {
        const next = parameters();
        if (select.value === defaults.order) next.delete('order');
        else next.set('order', select.value);
        ask(next);
      },
    },
    order ? null : h('option', { value: '', selected: true }, t('search.order.query')),
    orderNames.map((value) =>
      h('option', { value, selected: value === order }, t(`search.order.${value}`))
    ),
  );
  return select;
}
