// SPDX-License-Identifier: Apache-2.0
// The page of searches: form and query, charts, tabs, list, paging, live arrival, the first run.
import * as api from './api.js';
import { dress } from './colors.js';
import { save } from './csv.js';
import { fill, h, icon } from './dom.js';
import { count } from './format.js';
import { firstRun } from './first-run.js';
import { searchForm } from './form.js';
import { bindKeys } from './keys.js';
import { errorNotice, skeleton } from './notice.js';
import { queryEditor } from './editor.js';
import { fields, paramsOf, relaxed, textOf, unordered, withQuery } from './query-text.js';
import {
  asksForSpans,
  defaults,
  isFixed,
  limit,
  orderNames,
  orderOf,
  questionOf,
} from './question.js';
import { freshness, readRange } from './range.js';
import { ResultList } from './results.js';
import { SearchCharts } from './search-charts.js';
import { showTab } from './search-tabs.js';
import { onPulse } from './status.js';
import { t } from './texts.js';

const tabs = ['', 'spans', 'groups', 'differences'];
const liveInterval = 2000;
/**
 * How long the list keeps still after the pointer moved over it, so that nothing slips away under a
 * click.
 */
const stillness = 2500;

/** @typedef {{ signal: AbortSignal, go: (href: string, replace?: boolean) => void }} Context */

/** @param {HTMLElement} main @param {Context} context */
export function page(main, context) {
  new SearchPage(main, context).start();
}

class SearchPage {
  /** @param {HTMLElement} main @param {Context} context */
  constructor(main, context) {
    this.main = main;
    this.context = context;
    this.signal = context.signal;
    this.list = new ResultList();
    this.pages = 0;
    this.cursor = /** @type {string | null} */ (null);
    this.answer = /** @type {any} */ (null);
    this.loading = new AbortController();
    this.signal.addEventListener('abort', () => this.loading.abort());
    this.touchedAt = -Infinity;
    this.first = /** @type {{ element: HTMLElement } | null} */ (null);
  }

  get params() {
    return new URLSearchParams(location.search);
  }

  get live() {
    return this.params.get('live') !== '0' && !isFixed(this.params);
  }

  async start() {
    document.title = `${t('search.title')} · Skein`;
    document.body.classList.add('page-search');
    const names = await api.services(this.signal).catch(() => /** @type {string[]} */ ([]));
    if (this.signal.aborted) return;
    dress(names);
    this.names = names;
    this.form = this.makeForm();
    this.editor = queryEditor(textOf(this.params), (text) => this.run(text), this.signal);
    this.tab = tabs.find((tab) => tab === this.params.get('tab')) ?? '';
    this.charts = h('div');
    this.list.onmark = (id) => this.mark(id);
    this.marked = h('div.marked', { hidden: true });
    this.head = h('div.list-head');
    this.note = h('div.strip.warn', { role: 'status', hidden: true });
    this.foot = h('div.list-foot');
    this.stage = h(
      'div.stage',
      null,
      this.head,
      this.note,
      this.marked,
      this.list.element,
      this.foot,
    );
    this.tabs = h('nav.tabs', { 'aria-label': t('search.tabs') });
    this.exports = h('div.exports');
    fill(
      this.main,
      h(
        'div.search',
        null,
        h('h1.offscreen', null, t('search.title')),
        this.form.element,
        this.editor.element,
        this.charts,
        h('div.tab-line', null, this.tabs, this.exports),
        this.stage,
      ),
    );
    this.bind();
    this.showMarks();
    await this.load();
    this.liveLoop();
  }

  bind() {
    const touch = () => {
      this.touchedAt = performance.now();
    };
    this.list.element.addEventListener('pointermove', touch, { signal: this.signal });
    this.list.element.addEventListener('focusin', touch, { signal: this.signal });
    /** Tables of the other tabs walk by themselves. @param {number} by */
    const walk = (by) => {
      if (this.tab) return false;
      touch();
      this.list.move(by);
    };
    bindKeys({
      j: () => walk(1),
      k: () => walk(-1),
      ArrowDown: () => this.list.focused() ? this.list.move(1) : false,
      ArrowUp: () => this.list.focused() ? this.list.move(-1) : false,
      r: () => this.refresh(),
      x: () => {
        const id = this.list.current();
        return id ? this.mark(id) : false;
      },
      v: () => this.compare(),
      ...Object.fromEntries(
        tabs.map((tab, at) => [at + 1, () => this.context.go(this.tabLink(tab))]),
      ),
      '.': () => this.setLive(!this.live),
    }, this.signal);
    const clock = setInterval(() => this.list.refreshTimes(), 5000);
    this.signal.addEventListener('abort', () => clearInterval(clock));
    onPulse((pulse) => {
      if (this.first && pulse && pulse.received > 0) this.refresh();
    }, this.signal);
  }

  makeForm() {
    const { params } = this;
    const q = params.get('q');
    const shown = q && paramsOf(q) ? withQuery(params, q) : params;
    return searchForm(shown, this.names, (next) => this.ask(next), this.signal);
  }

  /** Asks what was written. @param {string} text */
  run(text) {
    this.ask(withQuery(this.params, text.trim() || '{ }'));
    const form = this.makeForm();
    this.form.element.replaceWith(form.element);
    this.form = form;
  }

  /** Asks a new question: it becomes the address, then the list. @param {URLSearchParams} params */
  ask(params) {
    history.pushState(null, '', params.size ? `/search?${params}` : '/search');
    this.editor.set(textOf(params));
    this.load();
  }

  /** @param {string} tab */
  tabLink(tab) {
    const params = this.params;
    params.delete('tab');
    if (tab) params.set('tab', tab);
    return params.size ? `/search?${params}` : '/search';
  }

  /** Tabs, and what can be taken away from here. */
  showTabs() {
    fill(
      this.tabs,
      tabs.map((tab) =>
        h('a', {
          href: this.tabLink(tab),
          'aria-current': tab === this.tab ? 'page' : null,
        }, t(`search.tab.${tab || 'traces'}`))
      ),
    );
    const question = questionOf(this.params);
    const wanted = new URLSearchParams({ q: unordered(textOf(this.params)) });
    for (const name of ['start', 'end', 'last']) {
      if (question.has(name)) wanted.set(name, /** @type {string} */ (question.get(name)));
    }
    fill(
      this.exports,
      h('a.button.quiet', {
        href: `/api/skein/v1/export?${wanted}`,
        download: 'traces.ndjson',
        title: t('search.export.title'),
      }, t('search.export')),
      h('button.quiet', {
        type: 'button',
        title: t('search.csv.title'),
        onclick: () => save(this.rows(), this.tab || 'traces'),
      }, 'CSV'),
    );
  }

  /** @returns {any[][]} what the tab shows */
  rows() {
    if (this.tab) return this.tabRows ?? [];
    const names = [
      'traceId',
      'rootService',
      'rootOperation',
      'startTimeUnixNano',
      'durationNanos',
      'spanCount',
      'errorCount',
    ];
    return [names, ...this.list.traces.map((trace) => names.map((name) => trace[name] ?? ''))];
  }

  /** @param {string} id marks it, or no longer; a third takes the place of the first */
  mark(id) {
    const params = this.params;
    const marks = params.getAll('mark');
    const next = marks.includes(id)
      ? marks.filter((each) => each !== id)
      : [...marks, id].slice(-2);
    params.delete('mark');
    for (const each of next) params.append('mark', each);
    history.replaceState(null, '', params.size ? `/search?${params}` : '/search');
    this.showMarks();
  }

  get compareLink() {
    const [a, b] = this.params.getAll('mark');
    return b ? `/compare?${new URLSearchParams({ a, b })}` : null;
  }

  compare() {
    if (!this.compareLink) return false;
    this.context.go(this.compareLink);
  }

  showMarks() {
    const marks = this.params.getAll('mark');
    this.list.mark(marks);
    this.marked.hidden = !marks.length;
    const href = this.compareLink;
    fill(
      this.marked,
      h('span', { role: 'status' }, t(href ? 'search.marked' : 'search.marked.one')),
      href ? h('a.button', { href }, t('search.compare')) : null,
      href ? h('kbd', { 'aria-hidden': 'true' }, 'v') : null,
    );
  }

  /** Charts of what matches; they come after the list, and once a while again. */
  async loadCharts() {
    const { signal } = this.loading;
    this.chartedAt = performance.now();
    if (!this.plots) {
      this.plots = new SearchCharts(this.signal);
      fill(this.charts, this.plots.element);
    }
    this.plots.showBox();
    this.charting = true;
    await this.plots.load(this.params, signal);
    if (!signal.aborted) this.charting = false;
  }

  /** @param {AbortSignal} signal */
  async loadTab(signal) {
    if (!this.tabRows) fill(this.stage, skeleton());
    const view = { params: this.params, signal, go: this.context.go };
    const { rows, error } = await showTab(this.tab, this.stage, view, () => this.load());
    if (signal.aborted) return;
    this.tabRows = rows;
    if (error) this.wrong = this.editor.refuse(error);
  }

  /** @param {boolean} on */
  setLive(on) {
    const params = this.params;
    if (on) params.delete('live');
    else params.set('live', '0');
    history.replaceState(null, '', params.size ? `/search?${params}` : '/search');
    this.showHead();
    if (on) this.refresh();
  }

  get busy() {
    return this.stage.classList.contains('busy');
  }

  /** Asks the same again, unless it is asked still. */
  refresh() {
    if (!this.busy) this.load();
  }

  async load() {
    this.loading.abort();
    this.loading = new AbortController();
    const { signal } = this.loading;
    this.stage.classList.add('busy');
    remember();
    this.showTabs();
    this.wrong = false;
    try {
      if (this.tab) await this.loadTab(signal);
      if (this.tab) return;
      const answer = await api.traces(questionOf(this.params), signal);
      this.pages = 1;
      this.show(answer, answer.traces);
      if (!answer.traces.length) await this.showNone(signal);
    } catch (error) {
      if (!signal.aborted) this.fail(error);
    } finally {
      if (!signal.aborted) {
        this.stage.classList.remove('busy');
        if (!this.first && !this.wrong) this.loadCharts();
      }
    }
  }

  /** @param {unknown} error */
  fail(error) {
    this.list.show([]);
    fill(this.head);
    this.note.hidden = true;
    // A query that is none is told where it is written.
    this.wrong = this.editor.refuse(error);
    if (this.plots) this.plots.element.hidden = true;
    fill(this.foot, this.wrong ? null : errorNotice(error, () => this.load()));
  }

  /** @param {any} answer @param {any[]} traces @param {boolean} [arriving] */
  show(answer, traces, arriving = false) {
    if (this.signal.aborted) return;
    if (this.first && traces.length) {
      this.leaveFirstRun();
      arriving = true;
    }
    this.answer = answer;
    this.cursor = answer.cursor;
    this.list.showsMatches = asksForSpans(this.params);
    this.list.show(traces, { arriving });
    this.list.mark(this.params.getAll('mark'));
    this.showHead();
    const missing = answer.complete === false;
    this.note.hidden = !missing;
    if (missing) {
      const reasons = (answer.incompleteReasons ?? []).join('; ') ||
        t('search.list.partial.unknown');
      fill(this.note, icon('warning'), t('search.list.partial', { reasons }));
    }
    fill(this.foot, this.cursor === null ? null : this.moreButton());
  }

  moreButton() {
    const stopped = this.answer?.complete === false;
    const words = t(stopped ? 'search.continue' : 'search.more', { n: limit });
    const button = h('button', { type: 'button' }, words);
    button.addEventListener('click', async () => {
      button.disabled = true;
      button.textContent = t('search.more.busy');
      const question = questionOf(this.params);
      question.set('cursor', /** @type {string} */ (this.cursor));
      try {
        const answer = await api.traces(question, this.loading.signal);
        const known = new Set(this.list.traces.map((trace) => trace.traceId));
        this.pages++;
        const fresh = answer.traces.filter((/** @type {any} */ trace) => !known.has(trace.traceId));
        this.show(answer, [...this.list.traces, ...fresh]);
      } catch (error) {
        if (!this.loading.signal.aborted) {
          fill(
            this.foot,
            errorNotice(error, () => button.click()),
            button,
          );
        }
        button.disabled = false;
        button.textContent = words;
      }
    });
    return button;
  }

  /** The line that says exactly what the list is. */
  showHead() {
    const traces = this.list.traces;
    if (!traces.length) return fill(this.head);
    const params = this.params;
    const order = orderOf(params);
    const n = traces.length;
    const more = this.cursor !== null;
    const what = more
      ? t(order ? `search.list.${order}` : 'search.list.query', { n })
      : n === 1
      ? t('search.list.one')
      : t('search.list.all', { n });
    const end = more
      ? t('search.list.more')
      : this.answer?.complete === false
      ? null
      : t('search.list.complete');
    const orders = h(
      'select',
      {
        'aria-label': t('search.order'),
        onchange: () => {
          const next = this.params;
          if (orders.value === defaults.order) next.delete('order');
          else next.set('order', orders.value);
          this.ask(next);
        },
      },
      order ? null : h('option', { value: '', selected: true }, t('search.order.query')),
      orderNames.map((value) =>
        h('option', { value, selected: value === order }, t(`search.order.${value}`))
      ),
    );
    const { examinedTraces, examinedSpans } = this.answer ?? {};
    const canLive = !isFixed(params);
    fill(
      this.head,
      h(
        'p.says',
        { role: 'status', 'aria-live': 'off' },
        h('b', null, what),
        end ? h('span', null, ` · ${end}`) : null,
      ),
      examinedSpans === undefined ? null : h(
        'span.examined',
        null,
        t('search.examined', { traces: count(examinedTraces), spans: count(examinedSpans) }),
      ),
      h('span.scale', null, t('search.scale', { duration: this.list.scale() })),
      orders,
      canLive
        ? h(
          'button.live',
          {
            type: 'button',
            'aria-pressed': String(this.live),
            title: t(this.live ? 'search.live.on' : 'search.live.off'),
            onclick: () => this.setLive(!this.live),
          },
          h('i.dot'),
          t('search.live'),
        )
        : null,
    );
  }

  /** Nothing matched: the first run, or what could be dropped. @param {AbortSignal} signal */
  async showNone(signal) {
    const params = this.params;
    const text = textOf(params);
    const conditions = fields.some((name) => params.has(name)) || params.get('q')
      ? relaxed(text)
      : [];
    const status = await api.status(signal).catch(() => null);
    if (signal.aborted) return;
    if (status && Number(status.spansStored) === 0 && !conditions.length && !params.get('q')) {
      return this.enterFirstRun();
    }
    const without = (/** @type {{ condition: string, text: string }} */ one) =>
      h(
        'a.button',
        { href: `/search?${withQuery(this.params, one.text)}` },
        t('search.none.drop', { condition: one.condition }),
      );
    const wide = this.params;
    for (const name of ['start', 'end', 'from', 'to']) wide.delete(name);
    wide.set('last', 'all');
    fill(
      this.foot,
      h(
        'section.notice',
        { role: 'status' },
        h('div.notice-icon.quiet', null, icon('search')),
        h(
          'h2',
          null,
          t(conditions.length || params.get('q') ? 'search.none' : 'search.none.quiet'),
        ),
        h('p', null, t('search.none.do')),
        h(
          'div.actions',
          null,
          conditions.map(without),
          params.get('last') === 'all'
            ? null
            : h('a.button', { href: `/search?${wide}` }, t('search.none.wide')),
        ),
      ),
    );
  }

  enterFirstRun() {
    if (this.first || this.signal.aborted) return;
    this.first = firstRun(this.signal);
    this.main.firstElementChild?.classList.add('covered');
    this.main.append(this.first.element);
  }

  leaveFirstRun() {
    this.chartedAt = -Infinity;
    this.first?.element.remove();
    this.first = null;
    this.main.firstElementChild?.classList.remove('covered');
    api.services(this.signal).then((names) => {
      dress(names);
      this.names = names;
      this.form?.setServices(names);
      this.list.show(this.list.traces);
    }, () => {});
  }

  /** While live, the first page is asked again and again and merged into what is shown. */
  async liveLoop() {
    while (!this.signal.aborted) {
      await new Promise((resolve) => setTimeout(resolve, liveInterval));
      if (this.signal.aborted) return;
      const still = performance.now() - this.touchedAt < stillness || this.list.focused();
      if (this.tab || !this.live || document.hidden || still || this.busy) continue;
      const { signal } = this.loading;
      try {
        const answer = await api.traces(questionOf(this.params), signal);
        if (signal.aborted || !this.live) continue;
        this.merge(answer);
        const age = performance.now() - (this.chartedAt ?? 0);
        const due = age > Math.max(15_000, freshness(readRange(this.params).range));
        if (due && !this.charting) this.loadCharts();
      } catch {
        // The pulse in the header says that the server does not answer; the list stays as it was.
      }
    }
  }

  /** @param {any} answer the first page, fresh */
  merge(answer) {
    if (this.pages <= 1) {
      if (answer.traces.length || this.list.traces.length) this.show(answer, answer.traces, true);
      return;
    }
    const fresh = new Map(answer.traces.map((/** @type {any} */ trace) => [trace.traceId, trace]));
    const overlaps = this.list.traces.some((trace) => fresh.has(trace.traceId));
    // Without overlap there is a gap between the pages, and in the slowest order places change:
    // begin anew only there.
    if (!overlaps || orderOf(this.params) !== 'newest') return;
    const rest = this.list.traces.filter((trace) => !fresh.has(trace.traceId));
    this.show(
      {
        ...answer,
        cursor: this.cursor,
        complete: this.answer.complete,
        incompleteReasons: this.answer.incompleteReasons,
      },
      [...answer.traces, ...rest],
      true,
    );
  }
}

/** The trace page leads back to the search it was opened from. */
function remember() {
  try {
    sessionStorage.setItem('skein.search', location.search);
  } catch {
    // Then the way back leads to the plain list.
  }
}
