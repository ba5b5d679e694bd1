// SPDX-License-Identifier: Apache-2.0
// The page of one trace: heading, services, overview, rows, span panel. What is in view, selected, folded and looked
// for is written into the address, and read back from it:
//     z=0.1200-0.4000 (shares of the trace)  sel=<span id> row=<its row>  shut=3,17 (folded rows)  q=<find>  svc=<service>
import * as api from './api.js';
import { dress, dyeClass } from './colors.js';
import { copyButton, copyText, fill, h, icon } from './dom.js';
import { find } from './find.js';
import { count, duration, moment } from './format.js';
import { bindKeys } from './keys.js';
import { drawAxis, Minimap } from './minimap.js';
import { errorNotice, notice } from './notice.js';
import { Panel } from './panel.js';
import { t } from './texts.js';
import { rowHeight, Timeline } from './timeline.js';
import { decode, flag, serviceCounts } from './trv1.js';

/** A trace not there yet is looked for again; so are late spans of a young trace. Milliseconds. */
const missingInterval = 3000;
const missingTries = 20;
const lateChecks = [3000, 6000, 15_000, 30_000];
const youngFor = 60_000;
/** Folded rows written into the address; more would make it unwieldy. */
const shutLimit = 400;

/** @typedef {{ signal: AbortSignal, go: (href: string, replace?: boolean) => void }} Context */

/** @param {HTMLElement} main @param {string} id @param {Context} context */
export async function tracePage(main, id, context) {
  const { signal } = context;
  document.body.classList.add('page-trace');
  document.title = `${id.slice(0, 8)} · Skein`;
  if (!/^([0-9a-f]{16}|[0-9a-f]{32})$/i.test(id)) {
    fill(main, notice({ title: t('trace.bad'), text: t('trace.bad.do'), detail: id.slice(0, 80), action: home() }));
    return;
  }
  const waiting = setTimeout(() => fill(main, h('p.loading', { role: 'status' }, t('trace.loading'))), 300);
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
 *  @param {HTMLElement} main @param {string} id @param {AbortSignal} signal @param {number} waiting */
async function waitFor(main, id, signal, waiting) {
  for (let tries = 0; ; tries++) {
    try {
      return await api.columns(id, signal);
    } catch (error) {
      if (!(error instanceof api.ApiError) || error.code !== 404) throw error;
      clearTimeout(waiting);
      const again = tries < missingTries;
      fill(main, notice({
        title: t('trace.missing'), text: again ? t('trace.missing.wait') : t('trace.missing.do'), detail: id,
        action: home(), quiet: true,
      }));
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
    return `/${sessionStorage.getItem('skein.search') ?? ''}`;
  } catch {
    return '/';
  }
}

class TracePage {
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
    this.timeline = new Timeline(trace, {
      select: (row) => this.select(row), view: () => this.viewed(), folded: () => this.remember(),
    });
    this.minimap = new Minimap(trace, (from, to) => this.timeline.setView(from, to));
    this.panel = new Panel(trace, {
      close: () => this.deselect(), zoom: (row) => this.timeline.zoomTo(row), parent: (row) => this.select(trace.parent[row]),
    });
  }

  start() {
    const { trace } = this;
    const root = `${trace.services[trace.service[0]]} ${trace.names[trace.name[0]]}`;
    document.title = `${root} · Skein`;
    this.axis = h('div.axis', { 'aria-hidden': 'true' });
    this.splitter = h('div.splitter', { role: 'separator', 'aria-orientation': 'vertical', 'aria-label': t('trace.resize'), tabindex: '0' });
    this.note = h('div.strip.info', { role: 'status', hidden: true });
    this.body = h('div.trace-body', null,
      h('div.timeline', null,
        h('div.columns-head', null, h('span.names-head', null, t('trace.name')), h('span.length-head', null, t('span.duration')), this.axis),
        this.timeline.element, this.splitter),
      this.panel.element);
    fill(this.main, h('div.trace-page', null, this.head(), this.note, this.minimap.element, this.body));
    this.restore();
    this.bind();
    this.timeline.recolor();
    this.resize();
    // The overview waits until the rows are painted.
    requestAnimationFrame(() => requestAnimationFrame(() => !this.signal.aborted && this.minimap.draw()));
    this.timeline.element.focus({ preventScroll: true });
    this.watchForLateSpans();
  }

  head() {
    const { trace } = this;
    const services = serviceCounts(trace);
    const nanos = trace.total * trace.unit;
    const facts = [
      t('unit.spans', { n: trace.n }), t('unit.services', { n: services.length }), t('unit.levels', { n: trace.maxDepth + 1 }),
    ];
    const service = trace.services[trace.service[0]];
    const operation = trace.names[trace.name[0]];
    this.timeline.element.setAttribute('aria-description', t('trace.grid.summary', {
      service, operation, duration: duration(nanos), spans: facts[0], services: facts[1], errors: t('unit.errors', { n: trace.errors }),
    }));
    this.legend = services.map((entry) => h(`button.chip.${dyeClass(entry.name)}`, {
      type: 'button', 'aria-pressed': 'false', title: t('trace.service.only', { service: entry.name }), 'data-service': String(entry.index),
      onclick: () => this.bringOut(entry.index),
    }, h('i.dot'), entry.name, h('small', null, count(entry.spans)), entry.errors ? icon('error') : null));
    return h('header.trace-head', null,
      h('div.title-line', null,
        h('a.crumb', { href: back() }, icon('back'), t('trace.back')),
        h('h1', null, h('span.service', null, service), ' ', operation),
        copyButton(() => trace.traceId, t('trace.copy.id'), `${trace.traceId.slice(0, 8)}…`),
        h('a.quiet.button.json', { href: api.traceJSONAddress(trace.traceId), target: '_blank', title: t('trace.json.label') }, icon('code'), t('trace.json'))),
      h('div.facts-line', { role: 'group', 'aria-label': t('trace.facts') },
        h('b.total', null, duration(nanos)),
        facts.map((text) => h('span', null, text)),
        trace.errors ? h('button.failed', { type: 'button', title: `${t('trace.errors.next')} (e)`, onclick: () => this.nextError(1) },
          icon('error'), t('unit.errors', { n: trace.errors })) : h('span', null, t('unit.errors', { n: 0 })),
        h('span.moment', null, moment(trace.t0).slice(0, -3))),
      h('div.tool-line', null,
        h('div.legend', { role: 'group', 'aria-label': t('trace.services') }, this.legend),
        this.finder(),
        h('div.fold-tools', null,
          this.tool('fold', t('trace.collapse'), 'C', () => this.timeline.foldAll(true)),
          this.tool('unfold', t('trace.expand'), 'X', () => this.timeline.foldAll(false)),
          this.tool('reset', t('trace.zoom.reset'), '0', () => this.timeline.setView(0, trace.total)))));
  }

  /** @param {any} name @param {string} label @param {string} key @param {() => void} run */
  tool(name, label, key, run) {
    return h('button.quiet.round', { type: 'button', title: `${label} (${key})`, 'aria-label': label, onclick: run }, icon(name));
  }

  finder() {
    this.field = h('input', {
      id: 'find', type: 'search', placeholder: t('trace.find'), 'aria-label': t('trace.find.label'), autocomplete: 'off', spellcheck: 'false',
    });
    this.found = h('span.found', { role: 'status' });
    this.field.addEventListener('input', () => this.find(true));
    this.field.addEventListener('keydown', (/** @type {KeyboardEvent} */ event) => {
      if (event.key === 'Enter') this.nextHit(event.shiftKey ? -1 : 1);
      if (event.key === 'Escape') {
        this.field.value = '';
        this.find(false);
        this.timeline.element.focus({ preventScroll: true });
      }
    });
    return h('div.finder', null, icon('search'), this.field, this.found,
      this.tool('up', t('trace.find.previous'), 'N', () => this.nextHit(-1)),
      this.tool('down', t('trace.find.next'), 'n', () => this.nextHit(1)));
  }

  // --- the address ---

  restore() {
    const params = new URLSearchParams(location.search);
    const { trace, timeline } = this;
    const zoom = /^([\d.]+)-([\d.]+)$/.exec(params.get('z') ?? '');
    if (zoom) timeline.setView(Number(zoom[1]) * trace.total, Number(zoom[2]) * trace.total);
    for (const text of (params.get('shut') ?? '').split(',')) {
      const row = Number(text);
      if (text && row < trace.n && trace.end[row] - row > 1) timeline.closed[row] = 1;
    }
    timeline.layout();
    this.field.value = params.get('q') ?? '';
    if (this.field.value) this.find(false);
    const service = trace.services.indexOf(params.get('svc') ?? '');
    if (service >= 0) this.bringOut(service);
    const wanted = params.get('sel');
    if (wanted) this.selectById(wanted, Number(params.get('row') ?? -1));
  }

  /** Rows move when late spans arrive, so the row of the address is a hint and the id decides.
   *  @param {string} id @param {number} hint */
  async selectById(id, hint) {
    const spans = [];
    if (Number.isInteger(hint) && hint >= 0 && hint < this.trace.n) spans.push(hint);
    for (const which of [...spans, id]) {
      const span = await api.span(this.trace.traceId, which, this.signal).catch(() => null);
      if (this.signal.aborted) return;
      if (span?.spanId === id && span.row < this.trace.n) return this.select(span.row, { span, center: true });
    }
    this.tell(t('trace.span.gone', { span: id.slice(0, 32) }));
  }

  /** Writes the state into the address, at most once a frame. */
  remember() {
    if (this.address) return;
    this.address = requestAnimationFrame(() => {
      this.address = 0;
      if (this.signal.aborted) return;
      const { trace, timeline } = this;
      const params = new URLSearchParams();
      if (timeline.to - timeline.from < trace.total * 0.9999) {
        const share = (/** @type {number} */ at) => (at / trace.total).toFixed(6).replace(/\.?0+$/, '');
        params.set('z', `${share(timeline.from)}-${share(timeline.to)}`);
      }
      if (this.spanId) {
        params.set('sel', this.spanId);
        params.set('row', String(timeline.selected));
      }
      const shut = [];
      for (let i = 0; i < trace.n && shut.length < shutLimit; i++) if (timeline.closed[i]) shut.push(i);
      if (shut.length) params.set('shut', shut.join(','));
      if (this.field.value) params.set('q', this.field.value);
      if (timeline.onlyService >= 0) params.set('svc', trace.services[timeline.onlyService]);
      // Commas read better than %2C, and mean the same.
      const text = params.toString().replaceAll('%2C', ',');
      history.replaceState(null, '', location.pathname + (text ? `?${text}` : ''));
    });
  }

  /** @param {string} text @param {any} [action] */
  tell(text, action) {
    this.note.hidden = false;
    fill(this.note, text, action, h('button.quiet.round', {
      type: 'button', 'aria-label': t('app.close'), onclick: () => { this.note.hidden = true; this.resize(); },
    }, icon('close')));
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

  /** @param {boolean} jump to the first hit when none is selected */
  find(jump) {
    const text = this.field.value.trim();
    const n = text ? find(this.trace, text, this.hits) : -1;
    if (!text) this.hits.fill(0);
    this.timeline.setHits(this.hits, n);
    this.hitCount = n;
    this.showFound();
    if (jump && n > 0 && !this.hits[Math.max(0, this.timeline.selected)]) this.timeline.reveal(Math.max(0, this.timeline.place[this.hits.indexOf(1)]), false);
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
    if (row >= 0 && this.hits[row]) for (let i = 0; i <= row; i++) at += this.hits[i];
    this.found.textContent = at ? t('trace.find.count', { at, n }) : count(n);
  }

  /** The next row a test holds for, round the end. @param {number} by @param {(row: number) => any} test */
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
    for (const chip of this.legend ?? []) chip.setAttribute('aria-pressed', String(Number(chip.dataset.service) === next));
    this.remember();
  }

  // --- size, keys ---

  get namesWidth() {
    const whole = this.timeline.element.clientWidth;
    const wanted = this.chosenWidth ?? Math.min(520, Math.max(300, whole * 0.34));
    return Math.round(Math.max(120, Math.min(whole * 0.7, wanted)));
  }

  resize() {
    const names = this.namesWidth;
    this.body.style.setProperty('--names', `${names}px`);
    this.timeline.resize(names);
    this.viewed(true);
  }

  /** @param {boolean} [quiet] the address stays as it is */
  viewed(quiet = false) {
    const { timeline, trace } = this;
    this.minimap.show(timeline.from, timeline.to);
    if (this.axis && timeline.width > 1) {
      const ticks = drawAxis(this.axis, timeline.from * trace.unit, timeline.to * trace.unit, timeline.width);
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
    this.splitter.addEventListener('pointerdown', (/** @type {PointerEvent} */ event) => this.dragSplitter(event));
    this.splitter.addEventListener('keydown', (/** @type {KeyboardEvent} */ event) => {
      const by = { ArrowLeft: -24, ArrowRight: 24 }[event.key];
      if (!by) return;
      event.preventDefault();
      event.stopPropagation();
      this.chosenWidth = this.namesWidth + by;
      this.resize();
    });
    bindKeys(this.commands(), signal);
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

  /** @returns {Record<string, (event: KeyboardEvent) => any>} */
  commands() {
    const { timeline, trace } = this;
    const elsewhere = (/** @type {KeyboardEvent} */ event) =>
      /** @type {Element} */ (event.target).closest?.('button, a, summary, .panel, .splitter') !== null;
    const move = (/** @type {number} */ by) => (/** @type {KeyboardEvent} */ event) => {
      if (event.key.startsWith('Arrow') && elsewhere(event)) return false;
      const place = timeline.selected < 0 ? (by > 0 ? -1 : 0) : timeline.place[timeline.selected];
      this.select(timeline.shown[Math.max(0, Math.min(timeline.shownCount - 1, place + by))]);
    };
    const page = () => Math.max(1, Math.floor(timeline.height / rowHeight) - 2);
    const left = (/** @type {KeyboardEvent} */ event) => {
      const row = timeline.selected;
      if (row < 0 || (event.key.startsWith('Arrow') && elsewhere(event))) return false;
      if (trace.end[row] - row > 1 && !timeline.closed[row]) timeline.toggle(row, true);
      else this.select(trace.parent[row]);
    };
    const right = (/** @type {KeyboardEvent} */ event) => {
      const row = timeline.selected;
      if (row < 0 || (event.key.startsWith('Arrow') && elsewhere(event))) return false;
      if (timeline.closed[row]) timeline.toggle(row, false);
      else if (trace.end[row] - row > 1) this.select(row + 1);
    };
    const panel = (/** @type {KeyboardEvent} */ event) => {
      if (event.key === 'Enter' && elsewhere(event)) return false;
      if (!this.panel.element.hidden && event.key === 'i') this.deselect();
      else this.select(Math.max(0, timeline.selected)).then(() => event.key === 'Enter' && this.panel.element.focus());
    };
    return {
      j: move(1), k: move(-1), ArrowDown: move(1), ArrowUp: move(-1),
      s: (event) => move(page())(event), w: (event) => move(-page())(event),
      PageDown: (event) => move(page())(event), PageUp: (event) => move(-page())(event),
      Home: (event) => elsewhere(event) ? false : this.select(0),
      End: (event) => elsewhere(event) ? false : this.select(timeline.shown[timeline.shownCount - 1]),
      h: left, l: right, ArrowLeft: left, ArrowRight: right,
      ' ': (event) => elsewhere(event) || timeline.selected < 0 ? false : timeline.toggle(timeline.selected),
      C: () => timeline.foldAll(true), X: () => timeline.foldAll(false),
      u: () => timeline.selected >= 0 && this.select(trace.parent[timeline.selected]),
      '+': () => timeline.zoom(1 / 1.5), '=': () => timeline.zoom(1 / 1.5), '-': () => timeline.zoom(1.5),
      0: () => timeline.setView(0, trace.total), '[': () => timeline.pan(-0.25), ']': () => timeline.pan(0.25),
      z: () => timeline.selected >= 0 && timeline.zoomTo(timeline.selected),
      f: () => this.field.select(),
      n: () => this.nextHit(1), N: () => this.nextHit(-1), e: () => this.nextError(1), E: () => this.nextError(-1),
      Enter: panel, i: panel, y: () => this.spanId && copyText(this.spanId),
      Escape: () => this.escape(),
    };
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
    else this.context.go(back());
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
      const show = h('button', { type: 'button', onclick: () => this.context.go(location.pathname + location.search, true) }, t('trace.arrived.show'));
      return this.tell(t('trace.arrived', { n: late }), show);
    }
  }
}
