// SPDX-License-Identifier: Apache-2.0
// The page of searches: form, list, paging, live arrival, and the first run.
import './texts-search.js';
import * as api from './api.js';
import { dress } from './colors.js';
import { fill, h, icon } from './dom.js';
import { firstRun } from './first-run.js';
import { searchForm } from './form.js';
import { bindKeys } from './keys.js';
import { errorNotice } from './notice.js';
import { asksForSpans, defaults, isFixed, limit, questionOf } from './question.js';
import { ResultList } from './results.js';
import { onPulse } from './status.js';
import { t } from './texts.js';

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
    this.form = searchForm(this.params, names, (params) => this.ask(params), this.signal);
    this.head = h('div.list-head');
    this.note = h('div.strip.warn', { role: 'status', hidden: true });
    this.foot = h('div.list-foot');
    this.stage = h('div.stage', null, this.head, this.note, this.list.element, this.foot);
    fill(
      this.main,
      h(
        'div.search',
        null,
        h('h1.offscreen', null, t('search.title')),
        this.form.element,
        this.queryLine(),
        this.stage,
      ),
    );
    this.bind();
    await this.load();
    this.liveLoop();
  }

  bind() {
    const touch = () => {
      this.touchedAt = performance.now();
    };
    this.list.element.addEventListener('pointermove', touch, { signal: this.signal });
    this.list.element.addEventListener('focusin', touch, { signal: this.signal });
    bindKeys({
      j: () => {
        touch();
        this.list.move(1);
      },
      k: () => {
        touch();
        this.list.move(-1);
      },
      ArrowDown: () => this.list.focused() ? this.list.move(1) : false,
      ArrowUp: () => this.list.focused() ? this.list.move(-1) : false,
      r: () => this.load(),
      '.': () => this.setLive(!this.live),
    }, this.signal);
    const clock = setInterval(() => this.list.refreshTimes(), 5000);
    this.signal.addEventListener('abort', () => clearInterval(clock));
    onPulse((pulse) => {
      if (this.first && pulse && pulse.received > 0) this.load();
    }, this.signal);
  }

  /** The query in TraceQL that the address holds beside the form. */
  queryLine() {
    const q = this.params.get('q');
    if (!q) return null;
    const rest = this.params;
    rest.delete('q');
    return h(
      'p.query-line',
      null,
      h('small', null, 'TraceQL'),
      h('code', null, q),
      h('a.button.quiet.round', {
        href: `/search?${rest}`,
        title: t('search.query.remove'),
        'aria-label': t('search.query.remove'),
      }, icon('close')),
    );
  }

  /** Asks a new question: it becomes the address, then the list. @param {URLSearchParams} params */
  ask(params) {
    history.pushState(null, '', params.size ? `/search?${params}` : '/search');
    remember();
    this.load();
  }

  /** @param {boolean} on */
  setLive(on) {
    const params = this.params;
    if (on) params.delete('live');
    else params.set('live', '0');
    history.replaceState(null, '', params.size ? `/search?${params}` : '/search');
    this.showHead();
    if (on) this.load();
  }

  async load() {
    this.loading.abort();
    this.loading = new AbortController();
    const { signal } = this.loading;
    this.stage.classList.add('busy');
    remember();
    try {
      const answer = await api.traces(questionOf(this.params), signal);
      this.pages = 1;
      this.show(answer, answer.traces);
      if (!answer.traces.length) await this.showNone(signal);
    } catch (error) {
      if (!signal.aborted && !this.signal.aborted) this.fail(error);
    } finally {
      if (!signal.aborted) this.stage.classList.remove('busy');
    }
  }

  /** @param {unknown} error */
  fail(error) {
    this.list.show([]);
    fill(this.head);
    this.note.hidden = true;
    fill(this.foot, errorNotice(error, () => this.load()));
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
    const button = h('button', { type: 'button' }, t('search.more', { n: limit }));
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
        button.textContent = t('search.more', { n: limit });
      }
    });
    return button;
  }

  /** The line that says exactly what the list is. */
  showHead() {
    const traces = this.list.traces;
    if (!traces.length) return fill(this.head);
    const params = this.params;
    const order = this.answer?.order ?? params.get('order') ?? defaults.order;
    const n = traces.length;
    const more = this.cursor !== null;
    const what = more
      ? t(`search.list.${order}`, { n })
      : n === 1
      ? t('search.list.one')
      : t('search.list.all', { n });
    const end = more
      ? t('search.list.more')
      : this.answer?.complete === false
      ? null
      : t('search.list.complete');
    const choose = (/** @type {string} */ value) => () => {
      const next = this.params;
      if (value === defaults.order) next.delete('order');
      else next.set('order', value);
      this.ask(next);
    };
    const orders = ['newest', 'slowest'].map((value) =>
      h('button', {
        type: 'button',
        'aria-pressed': String(order === value),
        onclick: choose(value),
      }, t(`search.order.${value}`))
    );
    const canLive = !isFixed(params);
    fill(
      this.head,
      h(
        'p.says',
        { role: 'status', 'aria-live': 'off' },
        h('b', null, what),
        end ? h('span', null, ` · ${end}`) : null,
      ),
      h('span.scale', null, t('search.scale', { duration: this.list.scale() })),
      h('div.segments', { role: 'group', 'aria-label': t('search.order') }, orders),
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
    const conditions = [
      'service',
      'operation',
      'status',
      'kind',
      'minDuration',
      'maxDuration',
      'minTraceDuration',
      'maxTraceDuration',
    ]
      .filter((name) => params.has(name)).map((name) => ({ name, value: params.get(name) ?? '' }))
      .concat(params.getAll('tag').map((value) => ({ name: 'tag', value })));
    const status = await api.status(signal).catch(() => null);
    if (signal.aborted) return;
    if (status && Number(status.spansStored) === 0 && !conditions.length) {
      return this.enterFirstRun();
    }
    const without = (/** @type {{ name: string, value: string }} */ condition) => {
      const next = this.params;
      const kept = next.getAll(condition.name).filter((value) => value !== condition.value);
      next.delete(condition.name);
      for (const value of kept) next.append(condition.name, value);
      return h(
        'a.button',
        { href: `/search?${next}` },
        t('search.none.drop', {
          condition: condition.name === 'tag'
            ? condition.value
            : `${condition.name} ${condition.value}`,
        }),
      );
    };
    const wide = this.params;
    for (const name of ['start', 'end', 'from', 'to']) wide.delete(name);
    wide.set('last', 'all');
    fill(
      this.foot,
      h(
        'section.notice',
        { role: 'status' },
        h('div.notice-icon.quiet', null, icon('search')),
        h('h2', null, t(conditions.length ? 'search.none' : 'search.none.quiet')),
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
    this.first?.element.remove();
    this.first = null;
    this.main.firstElementChild?.classList.remove('covered');
    api.services(this.signal).then((names) => {
      dress(names);
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
      if (!this.live || document.hidden || still || this.stage.classList.contains('busy')) continue;
      const { signal } = this.loading;
      try {
        const answer = await api.traces(questionOf(this.params), signal);
        if (signal.aborted || this.signal.aborted || !this.live) continue;
        this.merge(answer);
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
    if (!overlaps || answer.order !== 'newest') return;
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
