// SPDX-License-Identifier: Apache-2.0
// The page of one trace: heading, services, overview, rows, span panel. Its state is in the address
// (trace-address.js).
import './texts-trace.js';
import * as api from './api.js';
import { dress } from './colors.js';
import { fill, h, icon } from './dom.js';
import { find } from './find.js';
import { count } from './format.js';
import { bindKeys } from './keys.js';
import { drawAxis, Minimap } from './minimap.js';
import { errorNotice, notice } from './notice.js';
import { Panel } from './panel.js';
import { t } from './texts.js';
import { Timeline } from './timeline.js';
import { readAddress, writeAddress } from './trace-address.js';
import { traceHead } from './trace-head.js';
import { traceCommands } from './trace-keys.js';
import { decode, flag } from './trv1.js';

/** A trace not there yet is looked for again; so are late spans of a young trace. Milliseconds. */
const missingInterval = 3000;
const missingTries = 20;
const lateChecks = [3000, 6000, 15_000, 30_000];
const youngFor = 60_000;

/** @typedef {{ signal: AbortSignal, go: (href: string, replace?: boolean) => void }} Context */

/** @param {HTMLElement} main @param {Context & { values: string[] }} context */
export const page = (main, context) => tracePage(main, context.values[0], context);

/** @param {HTMLElement} main @param {string} id @param {Context} context */
async function tracePage(main, id, context) {
  const { signal } = context;
  document.body.classList.add('page-trace');
  document.title = `${id.slice(0, 8)} · Skein`;
  if (!/^([0-9a-f]{16}|[0-9a-f]{32})$/i.test(id)) {
    fill(
      main,
      notice({
        title: t('trace.bad'),
        text: t('trace.bad.do'),
        detail: id.slice(0, 80),
        action: home(),
      }),
    );
    return;
  }
  const waiting = setTimeout(
    () => fill(main, h('p.loading', { role: 'status' }, t('trace.loading'))),
    300,
  );
  signal.addEventListener('abort', () => clearTimeout(waiting));
  try {
    const names = api.services(signal).catch(() => /** @type {string[]} */ ([]));
    const buffer = await waitFor(main, id, signal, waiting);
    if (buffer === null) return;
    const trace = decode(buffer);
    dress([...(await names), ...trace.services]);
    clearTimeout(waiting);
    if (!signal.aborted) new TracePage(main, trace, context).start();
  } catch (error) {
    clearTimeout(waiting);
    if (!signal.aborted) fill(main, errorNotice(error, () => tracePage(main, id, context)));
  }
}

/** The columns of a trace; while there is none, says so and looks again.
 * @param {HTMLElement} main
 * @param {string} id
 * @param {AbortSignal} signal
 * @param {number} waiting
 */
async function waitFor(main, id, signal, waiting) {
  for (let tries = 0;; tries++) {
    try {
      return await api.columns(id, signal);
    } catch (error) {
      if (!(error instanceof api.ApiError) || error.code !== 404) throw error;
      clearTimeout(waiting);
      const again = tries < missingTries;
      fill(
        main,
        notice({
          title: t('trace.missing'),
          text: again ? t('trace.missing.wait') : t('trace.missing.do'),
          detail: id,
          action: home(),
          quiet: true,
        }),
      );
      if (!again) return null;
      await new Promise((resolve) => setTimeout(resolve, missingInterval));
      if (signal.aborted) return null;
    }
  }
}

function home() {
  return h('a.button.primary', { href: back() }, t('error.home'));
}

/** The search this trace was opened from. */
function back() {
  try {
    return `/search${sessionStorage.getItem('skein.search') ?? ''}`;
  } catch {
    return '/search';
  }
}

/**
 * The row of a grown trace that holds the span of a row of its older columns, or -1.
 * @param {import('./trv1.js').Trace} old @param {number} row
 * @param {import('./trv1.js').Trace} grown
 */
function sameSpan(old, row, grown) {
  const name = grown.names.indexOf(old.names[old.name[row]]);
  const service = grown.services.indexOf(old.services[old.service[row]]);
  const start = BigInt(old.t0) + BigInt(old.start[row]) * BigInt(old.unit);
  const offset = Number((start - BigInt(grown.t0)) / BigInt(grown.unit));
  for (let i = 0; i < grown.n; i++) {
    if (grown.start[i] === offset && grown.name[i] === name && grown.service[i] === service) {
      return i;
    }
  }
  return -1;
}

export class TracePage {
  /** @param {HTMLElement} main @param {import('./trv1.js').Trace} trace @param {Context} context */
  constructor(main, trace, context) {
    this.main = main;
    this.trace = trace;
    this.context = context;
    this.signal = context.signal;
    this.hits = new Uint8Array(trace.n);
    this.loading = new AbortController();
    this.address = 0;
    this.spanId = '';
    this.back = back();
    this.timeline = new Timeline(trace, {
      select: (row) => this.select(row),
      view: () => this.viewed(),
      folded: () => this.remember(),
    });
    this.minimap = new Minimap(trace, (from, to) => this.timeline.setView(from, to));
    this.panel = new Panel(trace, {
      close: () => this.deselect(),
      zoom: (row) => this.timeline.zoomTo(row),
      parent: (row) => this.select(trace.parent[row]),
    });
    const { element, legend, field, found } = traceHead(this);
    this.head = element;
    this.legend = legend;
    this.field = field;
    this.found = found;
  }

  start() {
    const { trace } = this;
    const root = `${trace.services[trace.service[0]]} ${trace.names[trace.name[0]]}`;
    document.title = `${root} · Skein`;
    this.axis = h('div.axis', { 'aria-hidden': 'true' });
    this.splitter = h('div.splitter', {
      role: 'separator',
      'aria-orientation': 'vertical',
      'aria-label': t('trace.resize'),
      'aria-valuemin': '120',
      'aria-valuenow': '420',
      tabindex: '0',
    });
    this.note = h('div.strip.info', { role: 'status', hidden: true });
    this.body = h(
      'div.trace-body',
      null,
      h(
        'div.timeline',
        null,
        h(
          'div.columns-head',
          null,
          h('span.names-head', null, t('trace.name')),
          h('span.length-head', null, t('span.duration')),
          this.axis,
        ),
        this.timeline.element,
        this.splitter,
      ),
      this.panel.element,
    );
    fill(
      this.main,
      h(
        'div.trace-page',
        null,
        this.head,
        this.note,
        this.warnings(),
        this.minimap.element,
        this.body,
      ),
    );
    this.restore();
    this.bind();
    this.timeline.recolor();
    this.resize();
    // The overview waits until the rows are painted.
    requestAnimationFrame(() =>
      requestAnimationFrame(() => !this.signal.aborted && this.minimap.draw())
    );
    this.watchForLateSpans();
  }

  /** What the server noticed about the trace as a whole. */
  warnings() {
    const { warnings } = this.trace;
    if (!warnings.length) return null;
    return h(
      'details.strip.warn.warnings',
      { ontoggle: () => this.resize() },
      h(
        'summary',
        null,
        icon('warning'),
        t('trace.warnings', { n: warnings.length }),
        icon('right'),
      ),
      h('ul', null, warnings.map((warning) => h('li', null, warning))),
    );
  }

  // --- the address ---

  restore() {
    const { trace, timeline } = this;
    const state = readAddress(new URLSearchParams(location.search), trace);
    timeline.setView(state.from, state.to);
    timeline.setClosed(state.closed);
    this.field.value = state.find;
    if (state.find) this.find(false);
    if (state.service >= 0) this.bringOut(state.service);
    if (state.span) this.selectById(state.span, state.row);
  }

  /** Rows move when late spans arrive, so the row of the address is a hint and the id decides.
   *  @param {string} id @param {number} hint */
  async selectById(id, hint) {
    const spans = [];
    if (hint >= 0) spans.push(hint);
    const { loading } = this;
    for (const which of [...spans, id]) {
      const span = await api.span(this.trace.traceId, which, this.signal).catch(() => null);
      // Who selected another span meanwhile keeps it.
      if (this.signal.aborted || this.loading !== loading) return;
      if (span?.spanId === id && span.row < this.trace.n) {
        return this.select(span.row, { span, center: true });
      }
    }
    this.tell(t('trace.span.gone', { span: id.slice(0, 32) }));
  }

  /** Writes the state into the address, at most once a frame. */
  remember() {
    if (this.address) return;
    this.address = requestAnimationFrame(() => {
      this.address = 0;
      if (this.signal.aborted) return;
      const { timeline } = this;
      const text = writeAddress({
        from: timeline.from,
        to: timeline.to,
        closed: timeline.closed,
        find: this.field.value,
        service: timeline.onlyService,
        span: this.spanId,
        row: timeline.selected,
      }, this.trace);
      history.replaceState(null, '', location.pathname + text);
    });
  }

  /** @param {string} text @param {any} [action] */
  tell(text, action) {
    this.note.hidden = false;
    fill(
      this.note,
      text,
      action,
      h('button.quiet.round', {
        type: 'button',
        'aria-label': t('app.close'),
        onclick: () => {
          this.note.hidden = true;
          this.resize();
        },
      }, icon('close')),
    );
    this.resize();
  }

  // --- selection, find, services ---

  /** @param {number} row @param {{ span?: any, center?: boolean }} [how] */
  async select(row, { span, center } = {}) {
    if (row < 0) return;
    this.loading.abort();
    this.loading = new AbortController();
    const { signal } = this.loading;
    const opening = this.panel.element.hidden;
    this.panel.preview(row);
    if (opening) this.resize();
    this.timeline.setSelected(row, center);
    if (!span) {
      this.spanId = '';
      // Holding a key down passes many rows; only the one it stops at is asked for.
      await new Promise((resolve) => setTimeout(resolve, 40));
      if (signal.aborted) return;
      try {
        span = await api.span(this.trace.traceId, row, signal);
      } catch (error) {
        if (!signal.aborted) this.panel.fail(row, /** @type {Error} */ (error));
        return;
      }
    }
    if (signal.aborted || this.signal.aborted) return;
    if (!this.isRow(row, span) && (await this.catchUp(row, signal))) return;
    this.spanId = span.spanId;
    this.panel.show(row, span);
    this.remember();
  }

  /** Whether a span the server gave for a row is the one the columns hold there.
   * @param {number} row @param {any} span
   */
  isRow(row, span) {
    const { trace } = this;
    const offset = (BigInt(span.startTimeUnixNano) - BigInt(trace.t0)) / BigInt(trace.unit);
    return span.name === trace.names[trace.name[row]] &&
      span.service === trace.services[trace.service[row]] && offset === BigInt(trace.start[row]);
  }

  /**
   * The trace has grown since its columns were read, and its rows have moved: draws it anew with
   * the same span selected.
   * @param {number} row of the old columns @param {AbortSignal} signal
   * @returns {Promise<boolean>} false when it has not grown after all
   */
  async catchUp(row, signal) {
    const { trace } = this;
    try {
      const grown = decode(await api.columns(trace.traceId, signal));
      if (grown.n === trace.n) return false;
      const now = sameSpan(trace, row, grown);
      const params = new URLSearchParams(location.search);
      for (const name of ['sel', 'row', 'shut', 'open']) params.delete(name);
      if (now >= 0) {
        params.set('sel', (await api.span(trace.traceId, now, signal)).spanId);
        params.set('row', String(now));
      }
      if (!signal.aborted) this.context.go(`${location.pathname}?${params}`, true);
      return true;
    } catch {
      return signal.aborted;
    }
  }

  deselect() {
    this.loading.abort();
    this.panel.hide();
    this.spanId = '';
    this.timeline.setSelected(-1);
    this.resize();
    this.remember();
    this.timeline.element.focus({ preventScroll: true });
  }

  /** @param {boolean} jump to the first hit when none is selected */
  find(jump) {
    const text = this.field.value.trim();
    const n = text ? find(this.trace, text, this.hits) : -1;
    if (!text) this.hits.fill(0);
    this.timeline.setHits(this.hits, n);
    this.hitCount = n;
    this.showFound();
    if (jump && n > 0 && !this.hits[Math.max(0, this.timeline.selected)]) {
      this.timeline.reveal(Math.max(0, this.timeline.place[this.hits.indexOf(1)]), false);
    }
    this.remember();
  }

  showFound() {
    const n = this.hitCount ?? -1;
    const row = this.timeline.selected;
    if (n <= 0) {
      this.found.textContent = n === 0 ? t('trace.find.none') : '';
      return;
    }
    let at = 0;
    if (row >= 0 && this.hits[row]) { for (let i = 0; i <= row; i++) at += this.hits[i]; }
    this.found.textContent = at ? t('trace.find.count', { at, n }) : count(n);
  }

  /**
   * The next row a test holds for, round the end.
   * @param {number} by
   * @param {(row: number) => any} test
   */
  async nextWhere(by, test) {
    const { n } = this.trace;
    const from = this.timeline.selected < 0 ? (by > 0 ? -1 : 0) : this.timeline.selected;
    for (let k = 1; k <= n; k++) {
      const row = (((from + by * k) % n) + n) % n;
      if (test(row)) {
        await this.select(row);
        this.showFound();
        return;
      }
    }
  }

  /** @param {number} by */
  nextHit(by) {
    if ((this.hitCount ?? -1) > 0) this.nextWhere(by, (row) => this.hits[row]);
  }

  /** @param {number} by */
  nextError(by) {
    if (this.trace.errors) this.nextWhere(by, (row) => this.trace.flags[row] & flag.error);
  }

  /** @param {number} service index; the one brought out already is let go */
  bringOut(service) {
    const next = this.timeline.onlyService === service ? -1 : service;
    this.timeline.setService(next);
    for (const chip of this.legend ?? []) {
      chip.setAttribute('aria-pressed', String(Number(chip.dataset.service) === next));
    }
    this.remember();
  }

  // --- size, keys ---

  get namesWidth() {
    const whole = this.timeline.element.clientWidth;
    const wanted = this.chosenWidth ??
      Math.min(520, Math.max(Math.min(300, whole * 0.58), whole * 0.34));
    return Math.round(Math.max(120, Math.min(whole * 0.7, wanted)));
  }

  resize() {
    const names = this.namesWidth;
    this.body.style.setProperty('--names', `${names}px`);
    this.splitter.setAttribute('aria-valuenow', String(names));
    this.splitter.setAttribute(
      'aria-valuemax',
      String(Math.round(this.timeline.element.clientWidth * 0.7)),
    );
    this.timeline.resize(names);
    this.viewed(true);
  }

  /** @param {boolean} [quiet] the address stays as it is */
  viewed(quiet = false) {
    const { timeline, trace } = this;
    this.minimap.show(timeline.from, timeline.to);
    if (this.axis && timeline.width > 1) {
      const ticks = drawAxis(
        this.axis,
        timeline.from * trace.unit,
        timeline.to * trace.unit,
        timeline.width,
      );
      timeline.ticks = ticks.map((at) => at / trace.unit);
    }
    if (quiet !== true) this.remember();
  }

  bind() {
    const { signal, timeline } = this;
    const watch = new ResizeObserver(() => {
      this.resize();
      this.minimap.draw();
    });
    watch.observe(this.body);
    signal.addEventListener('abort', () => watch.disconnect());
    addEventListener('themechange', () => {
      timeline.recolor();
      this.minimap.draw();
    }, { signal });
    this.splitter.addEventListener(
      'pointerdown',
      (/** @type {PointerEvent} */ event) => this.dragSplitter(event),
    );
    this.splitter.addEventListener('keydown', (/** @type {KeyboardEvent} */ event) => {
      const by = { ArrowLeft: -24, ArrowRight: 24 }[event.key];
      if (!by) return;
      event.preventDefault();
      event.stopPropagation();
      this.chosenWidth = this.namesWidth + by;
      this.resize();
    });
    bindKeys(traceCommands(this), signal);
  }

  /** @param {PointerEvent} event */
  dragSplitter(event) {
    event.preventDefault();
    const left = this.timeline.element.getBoundingClientRect().left;
    const ended = new AbortController();
    addEventListener('pointermove', (move) => {
      this.chosenWidth = move.clientX - left;
      this.resize();
    }, { signal: ended.signal });
    addEventListener('pointerup', () => ended.abort(), { signal: ended.signal });
  }

  /** Back out one level: panel, find, service, zoom, page. */
  escape() {
    const { timeline, trace } = this;
    if (!this.panel.element.hidden) this.deselect();
    else if (this.field.value) {
      this.field.value = '';
      this.find(false);
    } else if (timeline.onlyService >= 0) this.bringOut(timeline.onlyService);
    else if (timeline.to - timeline.from < trace.total * 0.9999) timeline.setView(0, trace.total);
    else this.context.go(this.back);
  }

  /** Spans of a young trace may still be on their way: says so when they are here. */
  async watchForLateSpans() {
    const { trace, signal } = this;
    for (const pause of lateChecks) {
      if (Date.now() - Number(BigInt(trace.t0) / 1_000_000n) > youngFor) return;
      await new Promise((resolve) => setTimeout(resolve, pause));
      if (signal.aborted || document.hidden) return;
      const buffer = await api.columns(trace.traceId, signal).catch(() => null);
      if (signal.aborted || buffer === null) return;
      const late = decode(buffer).n - trace.n;
      if (late <= 0) continue;
      const show = h('button', {
        type: 'button',
        onclick: () => this.context.go(location.pathname + location.search, true),
      }, t('trace.arrived.show'));
      return this.tell(t('trace.arrived', { n: late }), show);
    }
  }
}
