// SPDX-License-Identifier: Apache-2.0
// One trace: heading, services, overview, rows, span panel. Its state is in the address
// (trace-address.js).
import { parameters } from './address.js';
import { dress } from './colors.js';
import { counts, diagnosis } from './diagnosis.js';
import { fill, h, icon } from './dom.js';
import { view as flame } from './flame.js';
import { parseDuration } from './format.js';
import { bindKeys } from './keys.js';
import { drawAxis, Minimap } from './minimap.js';
import { Panel } from './panel.js';
import { t } from './texts.js';
import { Timeline } from './timeline.js';
import { readAddress, writeAddress } from './trace-address.js';
import { keepWith, PathByRow, Runs } from './trace-analysis.js';
import { traceBar, viewsOf, withRows } from './trace-bar.js';
import { Finder } from './trace-find.js';
import { catchUp, isRow, stateIn, watchForLateSpans } from './trace-grown.js';
import { traceHead } from './trace-head.js';
import { traceCommands } from './trace-keys.js';
import { json, view as logs } from './trace-logs.js';
import { view as paths } from './trace-paths.js';
import { Splitter } from './trace-split.js';
import { view as table } from './trace-table.js';
import { flag } from './trv1.js';

/** Views besides the rows. A view is an element, and what draws it anew when the stretch in view or
 *  the selection changes.
 * @type {Record<string, (page: TracePage) => { element: HTMLElement, draw?: () => void }>} */
const views = { flame, table, paths, logs, json };
const withTime = new Set(['timeline', 'flame']);

/** The search that a trace was opened from. */
export function backToSearch() {
  try {
    return `/search${sessionStorage.getItem('skein.search') ?? ''}`;
  } catch {
    return '/search';
  }
}

export class TracePage {
  /**
   * @param {HTMLElement} main @param {import('./trv1.js').Trace} trace
   * @param {import('./trace-source.js').Source} source @param {import('./trace.js').Context} context
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
    this.state = readAddress(parameters(), trace);
    /** What the server found, once it is here. @type {any} */
    this.analysis = null;
    /** @type {PathByRow | null} */
    this.path = null;
    /** The whole trace as it was sent, once a view has read it. @type {any} */
    this.document = null;
    /** Spans that a filter leaves, -1 without one. */
    this.keptCount = -1;
    /** @type {Map<string, { element: HTMLElement, draw?: () => void }>} */
    this.opened = new Map();
    this.loading = new AbortController();
    this.address = 0;
    this.spanId = '';
    this.back = backToSearch();
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
      find: (text) => this.finder.look(text),
      standing: (row, signal) => this.source.standing(row, signal),
      stored: source.stored,
    });
    this.bar = traceBar(this);
    this.says = h('div.says-line', { hidden: true });
    this.finder = new Finder(this);
    const { element, legend, counts } = traceHead(this);
    this.head = element;
    this.counts = counts;
    this.legend = legend;
  }

  start() {
    const { trace } = this;
    const root = `${trace.services[trace.service[0]]} ${trace.names[trace.name[0]]}`.trim();
    document.title = `${root} · Skein`;
    this.axis = h('div.axis', { 'aria-hidden': 'true' });
    this.splitter = new Splitter(this.timeline.element, () => this.resize());
    this.note = h('div.strip.info', { role: 'status', hidden: true });
    this.rows = h(
      'div.timeline',
      h(
        'div.columns-head',
        h('span.names-head', t('trace.name')),
        h('span.length-head', t('span.duration')),
        h('span.more-head', t('span.own')),
        h('span.more-head', t('tree.share')),
        this.axis,
      ),
      this.timeline.element,
      this.splitter.element,
    );
    this.viewHost = h('div.view', { hidden: true });
    this.body = h('div.trace-body', this.rows, this.viewHost, this.panel.element);
    fill(
      this.main,
      h(
        'div.trace-page',
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
    if (this.source.stored) watchForLateSpans(this);
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
    const { state, timeline, trace, finder } = this;
    const least = state.least ? (parseDuration(state.least)?.nanos ?? 0) / trace.unit : 0;
    const service = timeline.onlyService;
    const found = state.hide && finder.count >= 0;
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
          (!found || finder.hits[row] === 1) &&
          (!ofService || trace.service[row] === service),
      );
      this.keptCount = count;
      timeline.setKeep(keep);
    }
    this.bar.update();
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
        icon('warning'),
        t('trace.warnings', { n: warnings.length }),
        icon('right'),
      ),
      h('ul', warnings.map((warning) => h('li', warning))),
    );
  }

  // --- the address ---

  restore() {
    const { trace, timeline } = this;
    const state = readAddress(parameters(), trace);
    timeline.rolled = state.rolled;
    timeline.setView(state.from, state.to);
    timeline.setClosed(state.closed);
    this.finder.text = state.find;
    if (state.find) this.finder.find(false);
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
      find: this.finder.text,
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

  // --- selection, services ---

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
    if (!isRow(this.trace, row, span) && (await catchUp(this, row, signal))) return;
    this.spanId = span.spanId;
    this.panel.show(row, span);
    this.remember();
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
        this.finder.show();
        return;
      }
    }
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

  resize() {
    const names = this.splitter.measure();
    this.body.style.setProperty('--names', `${names}px`);
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
    bindKeys(traceCommands(this), signal);
  }

  /** Back out one level: panel, find, service, zoom, page. */
  escape() {
    const { timeline, trace } = this;
    if (!this.panel.element.hidden) this.deselect();
    else if (this.finder.text) this.finder.clear();
    else if (timeline.onlyService >= 0) this.bringOut(timeline.onlyService);
    else if (this.keptCount >= 0) this.change({ errors: false, hide: false, least: '' });
    else if (this.state.view !== 'timeline') this.setView('timeline');
    else if (timeline.to - timeline.from < trace.total * 0.9999) timeline.setView(0, trace.total);
    else this.context.go(this.back);
  }

  /** Draws the grown trace in place of this one, as far as its spans are the same ones.
   *  @param {import('./trv1.js').Trace} grown */
  join(grown) {
    const { text, top } = stateIn(this, grown);
    history.replaceState(null, '', location.pathname + text);
    const focused = this.main.contains(document.activeElement);
    this.ended.abort();
    dress([], grown.services);
    const next = new TracePage(this.main, grown, this.source, this.context);
    next.start();
    if (top > 0) next.timeline.reveal(next.timeline.place[top], false);
    if (focused) next.timeline.element.focus({ preventScroll: true });
    next.tell(t('trace.arrived', { n: grown.n - this.trace.n }));
  }
}
