// SPDX-License-Identifier: Apache-2.0
// The page of one trace: heading, services, overview, rows, span panel. Its state is in the address
// (trace-address.js).
import * as api from './api.js';
import { dress } from './colors.js';
import { counts, diagnosis } from './diagnosis.js';
import { fill, h, icon } from './dom.js';
import { find } from './find.js';
import { condition, findStored, wordsOf } from './find-stored.js';
import { view as flame } from './flame.js';
import { count, parseDuration } from './format.js';
import { bindKeys } from './keys.js';
import { drawAxis, Minimap } from './minimap.js';
import { errorNotice, notice, whyMissing } from './notice.js';
import { Panel } from './panel.js';
import { t } from './texts.js';
import { Timeline } from './timeline.js';
import { readAddress, writeAddress } from './trace-address.js';
import { keepWith, PathByRow, Runs } from './trace-analysis.js';
import { traceBar, viewsOf, withRows } from './trace-bar.js';
import { filePage } from './trace-file.js';
import { sameSpan, stateIn } from './trace-grown.js';
import { traceHead } from './trace-head.js';
import { traceCommands } from './trace-keys.js';
import { json, view as logs } from './trace-logs.js';
import { view as paths } from './trace-paths.js';
import { storedTrace } from './trace-source.js';
import { view as table } from './trace-table.js';
import { decode, flag } from './trv1.js';

/** A trace not there yet is looked for again; so are late spans of a young trace. Milliseconds. */
const missingInterval = 3000;
const missingTries = 20;
const lateChecks = [3000, 6000, 15_000, 30_000];
const youngFor = 60_000;
/** What only the server can find is asked for when nothing was typed for so long. Milliseconds. */
const findAfter = 250;

/** Views besides the rows. A view is an element, and what draws it anew when the stretch in view or
 *  the selection changes.
 * @type {Record<string, (page: TracePage) => { element: HTMLElement, draw?: () => void }>} */
const views = { flame, table, paths, logs, json };
const withTime = new Set(['timeline', 'flame']);

/** @typedef {{ signal: AbortSignal, go: (href: string, replace?: boolean) => void }} Context */

/** @param {HTMLElement} main @param {Context & { values: string[] }} context */
export const page = (main, context) => tracePage(main, context.values[0], context);

/** @param {HTMLElement} main @param {string} id @param {Context} context */
async function tracePage(main, id, context) {
  const { signal } = context;
  document.body.classList.add('page-trace');
  if (id === 'file') {
    if (!signal.aborted) filePage(main, context, TracePage);
    return;
  }
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
    const source = storedTrace(id, new URLSearchParams(location.search).get('raw') === '1');
    const buffer = await waitFor(main, id, source, signal, waiting);
    if (buffer === null) return;
    const trace = decode(buffer);
    dress([...(await names), ...trace.services]);
    clearTimeout(waiting);
    if (!signal.aborted) new TracePage(main, trace, source, context).start();
  } catch (error) {
    clearTimeout(waiting);
    if (!signal.aborted) fill(main, errorNotice(error, () => tracePage(main, id, context)));
  }
}

/** The columns of a trace; while there is none, says so and looks again.
 * @param {HTMLElement} main
 * @param {string} id
 * @param {import('./trace-source.js').Source} source
 * @param {AbortSignal} signal
 * @param {number} waiting
 */
async function waitFor(main, id, source, signal, waiting) {
  for (let tries = 0;; tries++) {
    try {
      return await source.columns(signal);
    } catch (error) {
      if (!(error instanceof api.ApiError) || error.code !== 404) throw error;
      clearTimeout(waiting);
      // What is gone does not come.
      const again = error.detail?.reason !== 'expired' && tries < missingTries;
      fill(
        main,
        notice({
          title: t('trace.missing'),
          text: again ? t('trace.missing.wait') : whyMissing(error.detail),
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

export class TracePage {
  /**
   * @param {HTMLElement} main @param {import('./trv1.js').Trace} trace
   * @param {import('./trace-source.js').Source} source @param {Context} context
   */
  constructor(main, trace, source, context) {
    this.main = main;
    this.trace = trace;
    this.source = source;
    this.context = context;
    /** Ends with the page, and when a grown trace takes its place. */
    this.ended = new AbortController();
    this.signal = this.ended.signal;
    context.signal.addEventListener('abort', () => this.ended.abort(), { signal: this.signal });
    /** @type {import('./trace-address.js').Shown} */
    this.state = readAddress(new URLSearchParams(location.search), trace);
    /** What the server found, once it is here. @type {any} */
    this.analysis = null;
    /** @type {PathByRow | null} */
    this.path = null;
    /** The whole trace as it was sent, once a view has read it. @type {any} */
    this.document = null;
    /** Spans that a filter leaves, -1 without one. */
    this.keptCount = -1;
    this.finding = new AbortController();
    /** What was chosen by hand. @type {number | undefined} */
    this.chosenWidth = undefined;
    /** @type {Map<string, { element: HTMLElement, draw?: () => void }>} */
    this.opened = new Map();
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
      find: (text) => this.findThis(text),
      standing: (row, signal) => this.source.standing(row, signal),
      stored: source.stored,
    });
    this.bar = traceBar(this);
    this.says = h('div.says-line', { hidden: true });
    const { element, legend, field, found, counts } = traceHead(this);
    this.head = element;
    this.counts = counts;
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
    this.rows = h(
      'div.timeline',
      null,
      h(
        'div.columns-head',
        null,
        h('span.names-head', null, t('trace.name')),
        h('span.length-head', null, t('span.duration')),
        h('span.more-head', null, t('span.own')),
        h('span.more-head', null, t('tree.share')),
        this.axis,
      ),
      this.timeline.element,
      this.splitter,
    );
    this.viewHost = h('div.view', { hidden: true });
    this.body = h('div.trace-body', null, this.rows, this.viewHost, this.panel.element);
    fill(
      this.main,
      h(
        'div.trace-page',
        null,
        this.head,
        this.note,
        this.warnings(),
        this.says,
        this.minimap.element,
        this.bar.element,
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
    if (this.source.stored) this.watchForLateSpans();
  }

  // --- what the server found, views, filters ---

  async explain() {
    const { trace, timeline, state } = this;
    const analysis = await this.source.explained('analysis', this.signal).catch(() => null);
    // Of a trace that grew meanwhile, the rows are others.
    if (this.signal.aborted || !analysis || analysis.spanCount !== trace.n) return;
    this.analysis = analysis;
    if (analysis.criticalPath.rootRow !== null) {
      this.path = new PathByRow(trace, analysis.criticalPath);
    }
    timeline.setRuns(new Runs(trace, analysis.runs), state.rolled, state.unrolled);
    timeline.setPath(state.path ? this.path : null);
    fill(this.counts, counts(analysis));
    this.clocks();
    fill(this.says, diagnosis(analysis.findings, (finding) => this.lead(finding)));
    this.says.hidden = analysis.findings.length === 0;
    this.opened.delete('table');
    this.setView(state.view);
    this.resize();
  }

  /** Clocks that were corrected can be seen as they were, and the other way round. */
  clocks() {
    const moved = this.analysis?.movedCount ?? 0;
    if (!moved && !this.state.raw) return;
    this.counts.append(h('button.inline', {
      type: 'button',
      title: t('clocks.hint'),
      onclick: () => this.switchClocks(),
    }, t(this.state.raw ? 'clocks.correct' : 'clocks.raw')));
  }

  switchClocks() {
    // Rows have another order then.
    const address = writeAddress({
      ...this.whole(),
      raw: !this.state.raw,
      unrolled: [],
      closed: new Uint8Array(this.trace.n),
    }, this.trace);
    this.context.go(location.pathname + address, true);
  }

  /** @param {import('./trace-analysis.js').Finding} finding */
  lead(finding) {
    const { trace, timeline } = this;
    if (!withRows.has(this.state.view)) this.setView('timeline');
    if (finding.startTimeUnixNano && finding.endTimeUnixNano) {
      const at = (/** @type {string} */ nanos) =>
        Number(BigInt(nanos) - BigInt(trace.t0)) / trace.unit;
      const [from, to] = [at(finding.startTimeUnixNano), at(finding.endTimeUnixNano)];
      timeline.setView(from - (to - from) * 0.2, to + (to - from) * 0.2);
    }
    if (finding.row !== null) this.select(finding.row, { center: true });
  }

  /** @param {string} name */
  setView(name) {
    const { state, timeline } = this;
    state.view = viewsOf(this).includes(name) ? name : 'timeline';
    if (state.view !== name) return this.setView('timeline');
    this.bar.update();
    this.remember();
    this.minimap.element.hidden = !withTime.has(name);
    this.rows.hidden = !withRows.has(name);
    this.rows.classList.toggle('wide', name === 'tree');
    this.viewHost.hidden = withRows.has(name);
    if (withRows.has(name)) {
      timeline.setWide(name === 'tree');
      return this.resize();
    }
    let view = this.opened.get(name);
    if (!view) {
      view = views[name](this);
      // Statistics that are not here yet are put there when they are.
      if (name !== 'table' || this.analysis) this.opened.set(name, view);
    }
    fill(this.viewHost, view.element);
    view.draw?.();
  }

  /** @param {Partial<import('./trace-address.js').Shown>} what */
  change(what) {
    const { state, timeline } = this;
    Object.assign(state, what);
    if ('rolled' in what) {
      timeline.rolled = state.rolled;
      timeline.layout();
    }
    if ('path' in what) timeline.setPath(state.path ? this.path : null);
    this.filter();
    this.remember();
  }

  /** Leaves out rows that are not wanted; ancestors of wanted ones stay. */
  filter() {
    const { state, timeline, trace, hits } = this;
    const least = state.least ? (parseDuration(state.least)?.nanos ?? 0) / trace.unit : 0;
    const service = timeline.onlyService;
    const found = state.hide && (this.hitCount ?? -1) >= 0;
    const ofService = state.hide && service >= 0;
    const on = state.errors || least > 0 || found || ofService;
    if (!on) {
      this.keptCount = -1;
      if (timeline.keep) timeline.setKeep(null);
    } else {
      const { keep, count } = keepWith(
        trace,
        (row) =>
          (!state.errors || (trace.flags[row] & flag.error) !== 0) &&
          trace.duration[row] >= least &&
          (!found || hits[row] === 1) &&
          (!ofService || trace.service[row] === service),
      );
      this.keptCount = count;
      timeline.setKeep(keep);
    }
    this.bar.update();
  }

  /** Looks for this in the trace. @param {string} text */
  findThis(text) {
    this.field.value = text;
    if (!withRows.has(this.state.view)) this.setView('timeline');
    this.find(true);
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
    timeline.rolled = state.rolled;
    timeline.setView(state.from, state.to);
    timeline.setClosed(state.closed);
    this.field.value = state.find;
    if (state.find) this.find(false);
    if (state.service >= 0) this.bringOut(state.service);
    this.filter();
    this.setView(state.view);
    if (state.span) this.selectById(state.span, state.row);
    this.explain();
  }

  /** Rows move when late spans arrive, so the row of the address is a hint and the id decides.
   *  @param {string} id @param {number} hint */
  async selectById(id, hint) {
    const spans = [];
    if (hint >= 0) spans.push(hint);
    const { loading } = this;
    for (const which of [...spans, id]) {
      const span = await this.source.span(which, this.signal).catch(() => null);
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
      const text = writeAddress(this.whole(), this.trace);
      history.replaceState(null, '', location.pathname + text);
    });
  }

  /** Everything the address holds. @returns {import('./trace-address.js').State} */
  whole() {
    const { timeline } = this;
    const { runs, unrolled } = timeline;
    return {
      ...this.state,
      unrolled: runs
        ? runs.runs.filter((_, at) => unrolled[at]).map((run) => run.firstRow)
        : this.state.unrolled,
      from: timeline.from,
      to: timeline.to,
      closed: timeline.closed,
      find: this.field.value,
      service: timeline.onlyService,
      span: this.spanId,
      row: timeline.selected,
    };
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
    this.opened.get(this.state.view)?.draw?.();
    if (!span) {
      this.spanId = '';
      // Holding a key down passes many rows; only the one it stops at is asked for.
      await new Promise((resolve) => setTimeout(resolve, 40));
      if (signal.aborted) return;
      try {
        span = await this.source.span(row, signal);
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
      const grown = decode(await this.source.columns(signal));
      if (grown.n === trace.n) return false;
      const now = sameSpan(trace, row, grown);
      const params = new URLSearchParams(location.search);
      for (const name of ['sel', 'row', 'shut', 'open', 'unroll']) params.delete(name);
      if (now >= 0) {
        params.set('sel', (await this.source.span(now, signal)).spanId);
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
    const words = wordsOf(text);
    const conditions = words.map(condition).filter((one) => one !== null);
    const plain = words.filter((word) => condition(word) === null).join(' ').replaceAll('"', '');
    let n = -1;
    if (plain) n = find(this.trace, plain, this.hits);
    else this.hits.fill(conditions.length ? 1 : 0);
    this.finding.abort();
    if (conditions.length && this.source.stored) this.findOnServer(conditions, jump);
    else this.foundRows(conditions.length ? 0 : n, jump);
    this.remember();
  }

  /** Keeps those of the hits that the server finds as well.
   *  @param {string[]} conditions @param {boolean} jump */
  async findOnServer(conditions, jump) {
    this.finding = new AbortController();
    const { signal } = this.finding;
    this.signal.addEventListener('abort', () => this.finding.abort(), { signal });
    this.found.textContent = '…';
    if (jump) await new Promise((resolve) => setTimeout(resolve, findAfter));
    if (signal.aborted) return;
    try {
      const { rows, complete } = await findStored(this.trace, conditions, signal, this.source.raw);
      const there = new Set(rows);
      let n = 0;
      for (let i = 0; i < this.hits.length; i++) {
        if (this.hits[i] && !there.has(i)) this.hits[i] = 0;
        n += this.hits[i];
      }
      this.foundRows(n, jump);
      if (!complete) this.tell(t('find.some', { n }));
    } catch (error) {
      if (signal.aborted) return;
      this.hits.fill(0);
      this.foundRows(0, false);
      this.tell(/** @type {Error} */ (error).message || t('error.server'));
    }
  }

  /** @param {number} n hits; -1 when nothing is looked for @param {boolean} jump */
  foundRows(n, jump) {
    this.timeline.setHits(this.hits, n);
    this.hitCount = n;
    this.showFound();
    if (this.state.hide) this.filter();
    if (jump && n > 0 && !this.hits[Math.max(0, this.timeline.selected)]) {
      this.timeline.reveal(Math.max(0, this.timeline.place[this.hits.indexOf(1)]), false);
    }
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

  /** The next row of the critical path in view order. @param {number} by */
  nextOnPath(by) {
    const { path, state } = this;
    if (!path) return;
    if (!state.path) this.change({ path: true });
    this.nextWhere(by, (row) => path.has(row));
  }

  /** @param {number} service index; the one brought out already is let go */
  bringOut(service) {
    const next = this.timeline.onlyService === service ? -1 : service;
    this.timeline.setService(next);
    for (const chip of this.legend ?? []) {
      chip.setAttribute('aria-pressed', String(Number(chip.dataset.service) === next));
    }
    if (this.state.hide) this.filter();
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
    this.opened.get(this.state.view)?.draw?.();
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
    else if (this.keptCount >= 0) this.change({ errors: false, hide: false, least: '' });
    else if (this.state.view !== 'timeline') this.setView('timeline');
    else if (timeline.to - timeline.from < trace.total * 0.9999) timeline.setView(0, trace.total);
    else this.context.go(this.back);
  }

  /** Spans of a young trace may still be on their way: they join when they are here. */
  async watchForLateSpans() {
    const { trace, signal } = this;
    for (const pause of lateChecks) {
      const end = BigInt(trace.t0) + BigInt(trace.total) * BigInt(trace.unit);
      if (Date.now() - Number(end / 1_000_000n) > youngFor) return;
      await new Promise((resolve) => setTimeout(resolve, pause));
      if (signal.aborted || document.hidden) return;
      const buffer = await this.source.columns(signal).catch(() => null);
      if (signal.aborted || buffer === null) return;
      const grown = decode(buffer);
      if (grown.n > trace.n) return this.join(grown);
    }
  }

  /** Draws the grown trace in place of this one, as far as its spans are the same ones.
   *  @param {import('./trv1.js').Trace} grown */
  join(grown) {
    const { text, top } = stateIn(this, grown);
    history.replaceState(null, '', location.pathname + text);
    const focused = this.main.contains(document.activeElement);
    this.ended.abort();
    dress(grown.services);
    const next = new TracePage(this.main, grown, this.source, this.context);
    next.start();
    if (top > 0) next.timeline.reveal(next.timeline.place[top], false);
    if (focused) next.timeline.element.focus({ preventScroll: true });
    next.tell(t('trace.arrived', { n: grown.n - this.trace.n }));
  }
}
