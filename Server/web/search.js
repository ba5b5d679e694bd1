// SPDX-License-Identifier: Apache-2.0
// The page of searches: form and query, charts, tabs, marks, the first run.
import { keep, parameters, pathWith } from './address.js';
import * as api from './api.js';
import { dress } from './colors.js';
import { save } from './csv.js';
import { fill, h } from './dom.js';
import { firstRun } from './first-run.js';
import { searchForm } from './form.js';
import { bindKeys } from './keys.js';
import { errorNotice, skeleton } from './notice.js';
import { queryEditor } from './editor.js';
import { fields, paramsOf, textOf, unordered, withQuery } from './query-text.js';
import { isFixed, questionOf, tabs } from './question.js';
import { freshness, readRange } from './range.js';
import { SearchCharts } from './search-charts.js';
import { TraceList } from './search-list.js';
import { showTab } from './search-tabs.js';
import { onPulse } from './status.js';
import { t } from './texts.js';

export { takes } from './question.js';

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
    this.list = new TraceList({
      ask: (params) => this.ask(params),
      live: () => this.live,
      setLive: (on) => this.setLive(on),
      mark: (id) => this.mark(id),
      loading: () => this.loading.signal,
      arrive: () => this.leaveFirstRun(),
    });
    this.loading = new AbortController();
    this.signal.addEventListener('abort', () => this.loading.abort());
    this.touchedAt = -Infinity;
    this.first = /** @type {{ element: HTMLElement } | null} */ (null);
  }

  get params() {
    return parameters();
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
    this.marked = h('div.marked', { hidden: true });
    const { head, note, rows, none, more } = this.list;
    this.stage = h('div.stage', head, note, this.marked, rows.element, none, more.element);
    this.tabs = h('nav.tabs', { 'aria-label': t('search.tabs') });
    this.exports = h('div.exports');
    fill(
      this.main,
      h(
        'div.search',
        h('h1.offscreen', t('search.title')),
        this.form.element,
        this.editor.element,
        this.charts,
        h('div.tab-line', this.tabs, this.exports),
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
    this.list.rows.element.addEventListener('pointermove', touch, { signal: this.signal });
    this.list.rows.element.addEventListener('focusin', touch, { signal: this.signal });
    /** Tables of the other tabs walk by themselves. @param {number} by */
    const walk = (by) => {
      if (this.tab) return false;
      touch();
      this.list.rows.move(by);
    };
    bindKeys({
      j: () => walk(1),
      k: () => walk(-1),
      ArrowDown: () => this.list.rows.focused() ? this.list.rows.move(1) : false,
      ArrowUp: () => this.list.rows.focused() ? this.list.rows.move(-1) : false,
      r: () => this.refresh(),
      x: () => {
        const id = this.list.rows.current();
        return id ? this.mark(id) : false;
      },
      v: () => this.compare(),
      ...Object.fromEntries(
        tabs.map((tab, at) => [at + 1, () => this.context.go(this.tabLink(tab))]),
      ),
      '.': () => this.setLive(!this.live),
    }, this.signal);
    const clock = setInterval(() => this.list.rows.refreshTimes(), 5000);
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
    history.pushState(null, '', pathWith('/search', params));
    this.editor.set(textOf(params));
    this.load();
  }

  /** @param {string} tab */
  tabLink(tab) {
    const params = this.params;
    params.delete('tab');
    if (tab) params.set('tab', tab);
    return pathWith('/search', params);
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
    history.replaceState(null, '', pathWith('/search', params));
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
    this.list.rows.mark(marks);
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
    const again = () => this.load();
    const view = { params: this.params, signal, go: this.context.go, again };
    const { rows, error } = await showTab(this.tab, this.stage, view);
    if (signal.aborted) return;
    this.tabRows = rows;
    if (error) this.wrong = this.editor.refuse(error);
  }

  /** @param {boolean} on */
  setLive(on) {
    keep({ live: on ? null : '0' });
    this.list.showHead();
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
      if (await this.list.load(signal)) return;
      const asks = this.params.has('q') || fields.some((name) => this.params.has(name));
      const status = asks ? null : await api.status(signal).catch(() => null);
      if (signal.aborted) return;
      if (status && Number(status.spansStored) === 0) this.enterFirstRun();
      else this.list.showNone();
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
    // A query that is none is told where it is written.
    this.wrong = this.editor.refuse(error);
    if (this.plots) this.plots.element.hidden = true;
    this.list.clear(this.wrong ? null : errorNotice(error, () => this.load()));
  }

  enterFirstRun() {
    if (this.first || this.signal.aborted) return;
    this.first = firstRun(this.signal);
    this.main.firstElementChild?.classList.add('covered');
    this.main.append(this.first.element);
  }

  /** Traces came. @returns {boolean} whether they are the first */
  leaveFirstRun() {
    if (!this.first) return false;
    this.chartedAt = -Infinity;
    this.first.element.remove();
    this.first = null;
    this.main.firstElementChild?.classList.remove('covered');
    api.services(this.signal).then((names) => {
      dress(names);
      this.names = names;
      this.form?.setServices(names);
      this.list.rows.show(this.list.traces);
    }, () => {});
    return true;
  }

  /** While live, the first page is asked again and again and merged into what is shown. */
  async liveLoop() {
    while (!this.signal.aborted) {
      await new Promise((resolve) => setTimeout(resolve, liveInterval));
      if (this.signal.aborted) return;
      const still = performance.now() - this.touchedAt < stillness || this.list.rows.focused();
      if (this.tab || !this.live || document.hidden || still || this.busy) continue;
      const { signal } = this.loading;
      try {
        const answer = await api.traces(questionOf(this.params), signal);
        if (signal.aborted || !this.live) continue;
        this.list.merge(answer);
        const age = performance.now() - (this.chartedAt ?? 0);
        const due = age > Math.max(15_000, freshness(readRange(this.params).range));
        if (due && !this.charting) this.loadCharts();
      } catch {
        // The pulse in the header says that the server does not answer; the list stays as it was.
      }
    }
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
