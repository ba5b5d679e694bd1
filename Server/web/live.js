// SPDX-License-Identifier: Apache-2.0
// Traces as they arrive, as a query finds them: rows that stay while they are looked at, no more a
// second than can be drawn, the rest counted. The address holds the query (q) and a pause (paused=1).
import { anything, keep, oneOf, parameters } from './address.js';
import * as api from './api.js';
import { dress, dyeClass } from './colors.js';
import { fill, h, icon } from './dom.js';
import { queryEditor } from './editor.js';
import { clock, duration } from './format.js';
import { bindKeys } from './keys.js';
import { rateText } from './scale.js';
import { sparkline } from './sparkline.js';
import { t } from './texts.js';

const drawnASecond = 50;
const rowsKept = 500;
/** Milliseconds between drawings. */
const beat = 250;
const secondsShown = 60;
/** The rate is that of so many seconds: exporters send in bursts. */
const secondsCounted = 10;
/** What the server tells a second; it counts what is beyond. */
const told = '500';
/** A server that refuses, or is full, is asked again after so many milliseconds. */
const againAfter = 4000;

export const takes = { q: anything, paused: oneOf('1') };

/** @param {HTMLElement} main @param {import('./pages.js').Context} context */
export function page(main, context) {
  document.title = `${t('page.live')} · Skein`;
  const tail = new Tail(context.signal);
  fill(main, h('div.page', { 'data-page': 'live' }, tail.element));
  // Here long before the first trace has settled.
  api.services(context.signal).then(dress, () => {});
  tail.connect();
}

class Tail {
  /** @type {EventSource | null} */
  source = null;
  /** Arrived and not drawn, the oldest first; never more than are drawn in a second. @type {any[]} */
  arrived = [];
  /** What may be drawn at once, refilled with time. */
  allowed = drawnASecond;
  held = false;
  shown = 0;
  leftOut = 0;
  waiting = 0;
  /** The last full seconds, and the one that runs. */
  counts = Array(secondsShown).fill(0);
  errors = Array(secondsShown).fill(0);
  second = Math.floor(performance.now() / 1000);

  /** @param {AbortSignal} signal */
  constructor(signal) {
    this.signal = signal;
    const params = parameters();
    this.q = params.get('q') ?? '';
    this.pinned = params.get('paused') === '1';
    this.editor = queryEditor(this.q, (text) => this.follow(text.trim()), signal, {
      label: t('tail.filter'),
      runs: t('tail.follow'),
      sample: '{ status = error }',
    });
    this.state = h('span.tail-state', { role: 'status' });
    this.waits = h('span.tail-waits', { hidden: true });
    this.numbers = h('span.tells');
    this.rate = h('b');
    this.spark = h('span.tail-spark', { role: 'img', 'aria-label': t('tail.minute') });
    this.pause = h('button', { type: 'button', onclick: () => this.toggle() });
    this.rows = h('ol.tail', { 'aria-label': t('tail.list') });
    this.none = h('p.none', t('tail.none'), ' ', t('tail.none.do'));
    this.strip = h('div.strip.warn', { role: 'status', hidden: true });
    this.element = h(
      'div.live-page',
      h('header.page-head', h('h1', t('page.live')), this.state, this.waits, this.numbers),
      h(
        'div.tail-form',
        this.editor.element,
        this.pause,
        h('button', { type: 'button', onclick: () => this.clear() }, t('tail.clear')),
        h('span.tail-pulse', this.spark, this.rate),
      ),
      this.strip,
      h('section.card', { 'aria-label': t('tail.list') }, this.rows, this.none),
    );
    this.rows.addEventListener('pointerenter', (/** @type {PointerEvent} */ event) =>
      event.pointerType === 'mouse' && this.hold(true));
    this.rows.addEventListener('pointerleave', () => this.hold(this.within));
    this.rows.addEventListener('focusin', () => this.hold(true));
    this.rows.addEventListener('focusout', () =>
      setTimeout(() => this.hold(this.within || this.rows.matches(':hover'))));
    bindKeys({
      ' ': (event) =>
        !(/** @type {Element} */ (event.target).closest('button, summary')) && this.toggle(),
      f: () => this.editor.input.focus(),
      j: () => this.walk(1),
      k: () => this.walk(-1),
    }, signal);
    const timer = setInterval(() => this.draw(), beat);
    signal.addEventListener('abort', () => {
      clearInterval(timer);
      this.source?.close();
    });
    this.showPause();
    this.showNumbers();
  }

  get within() {
    return this.rows.contains(document.activeElement);
  }

  get paused() {
    return this.pinned || this.held;
  }

  /** @param {string} q */
  follow(q) {
    this.q = q;
    keep({ q });
    this.clear();
    this.connect();
  }

  connect() {
    this.source?.close();
    if (this.signal.aborted) return;
    this.editor.set(this.q);
    this.warn('');
    this.say('connecting');
    const source = new EventSource(
      api.tailAddress({ ...(this.q ? { q: this.q } : {}), rate: told, spans: '1' }),
    );
    this.source = source;
    const on = (/** @type {string} */ name, /** @type {(data: any) => void} */ then) =>
      source.addEventListener(name, (event) => {
        if (this.source === source) then(JSON.parse(/** @type {MessageEvent} */ (event).data));
      });
    source.addEventListener('open', () => this.source === source && this.say('open'));
    on('trace', (trace) => this.arrive(trace));
    on('leftOut', ({ traceCount, unreadTraceCount }) => {
      const n = Number(traceCount ?? 0) + Number(unreadTraceCount ?? 0);
      this.leftOut += n;
      this.counts[secondsShown - 1] += n;
    });
    on('incomplete', (data) => {
      this.warn(t('tail.incomplete', { reasons: String(data.message) }));
    });
    on('end', (data) => this.say('ended', String(data.message)));
    source.addEventListener('error', () => {
      if (this.source !== source) return;
      if (source.readyState === EventSource.CLOSED) this.refused();
      else if (this.state.dataset.state !== 'ended') this.say('lost');
    });
  }

  /** Events do not come and the browser does not try again: the answer says why. */
  async refused() {
    const { source } = this;
    let why = '';
    try {
      await api.tailRefusal(this.q, this.signal);
    } catch (error) {
      if (this.signal.aborted || this.source !== source) return;
      if (this.editor.refuse(error)) return this.say('refused');
      why = /** @type {any} */ (error).message ?? '';
    }
    this.say('lost');
    this.warn(why);
    const again = setTimeout(() => this.source === source && this.connect(), againAfter);
    this.signal.addEventListener('abort', () => clearTimeout(again));
  }

  /** @param {string} text */
  warn(text) {
    this.strip.hidden = !text;
    this.strip.textContent = text;
  }

  /** @param {'connecting' | 'open' | 'lost' | 'ended' | 'refused'} state @param {string} [why] */
  say(state, why = '') {
    this.state.dataset.state = state;
    fill(this.state, h('i.dot'), t(`tail.${state}`, { why }));
  }

  /** @param {any} trace */
  arrive(trace) {
    this.counts[secondsShown - 1]++;
    if (trace.errorCount) this.errors[secondsShown - 1]++;
    this.arrived.push(trace);
    if (this.paused) this.waiting++;
    if (this.arrived.length <= drawnASecond) return;
    this.arrived.shift();
    this.leftOut++;
  }

  /** Draws what has arrived, as far as may be. */
  draw() {
    this.tick();
    if (!this.paused) {
      this.allowed = Math.min(drawnASecond, this.allowed + (drawnASecond * beat) / 1000);
      const n = Math.min(Math.floor(this.allowed), this.arrived.length);
      // The newest are drawn; of those before them only the number is told.
      const traces = n ? this.arrived.slice(-n) : [];
      if (n || this.arrived.length) this.leftOut += this.arrived.length - n;
      this.arrived = [];
      this.allowed -= n;
      this.shown += n;
      this.rows.prepend(...traces.reverse().map(row));
      while (this.rows.children.length > rowsKept) this.rows.lastElementChild.remove();
    }
    this.showNumbers();
  }

  /** Moves the seconds on. */
  tick() {
    const now = Math.floor(performance.now() / 1000);
    const passed = Math.min(secondsShown, now - this.second);
    if (!passed) return;
    this.second = now;
    for (const list of [this.counts, this.errors]) {
      list.splice(0, passed);
      while (list.length < secondsShown) list.push(0);
    }
    const full = this.counts.slice(0, -1);
    fill(this.spark, sparkline(full, this.errors.slice(0, -1)));
    this.spark.setAttribute('aria-label', `${t('tail.minute')}: ${full.slice(-10).join(', ')}`);
    const counted = full.slice(-secondsCounted).reduce((sum, n) => sum + n, 0);
    this.rate.textContent = rateText(counted / secondsCounted);
  }

  showNumbers() {
    this.none.hidden = this.rows.children.length > 0;
    this.rows.hidden = !this.none.hidden;
    const text = [
      t('tail.told', { n: this.shown }),
      this.leftOut ? t('tail.leftOut', { n: this.leftOut }) : '',
    ].filter(Boolean).join(' · ');
    if (this.numbers.textContent !== text) this.numbers.textContent = text;
    this.numbers.title = t('tail.leftOut.hint');
    this.waits.hidden = !this.paused;
    const waits = `${t(this.pinned ? 'tail.paused' : 'tail.held')} · ${
      t('tail.waits', { n: this.waiting })
    }`;
    if (this.waits.textContent !== waits) this.waits.textContent = waits;
  }

  toggle() {
    this.pinned = !this.pinned;
    keep({ paused: this.pinned && '1' });
    this.showPause();
  }

  /** @param {boolean} held */
  hold(held) {
    this.held = held;
    this.showPause();
  }

  showPause() {
    if (!this.paused) this.waiting = 0;
    this.pause.textContent = t(this.pinned ? 'tail.go' : 'tail.pause');
    this.pause.title = `${this.pause.textContent} (${t('help.spaceKey')})`;
    this.showNumbers();
  }

  clear() {
    this.arrived = [];
    this.shown = this.leftOut = this.waiting = 0;
    fill(this.rows);
    this.showNumbers();
  }

  /** @param {1 | -1} by */
  walk(by) {
    const links = [...this.rows.querySelectorAll('a')];
    const at = links.indexOf(/** @type {any} */ (document.activeElement));
    const next = links[at < 0 ? 0 : Math.max(0, Math.min(links.length - 1, at + by))];
    next?.focus();
    next?.scrollIntoView({ block: 'nearest' });
  }
}

/** @param {any} trace */
function row(trace) {
  const { traceId, rootService, rootOperation, errorCount, spanCount, matchedSpanIds } = trace;
  const matched = matchedSpanIds?.[0];
  return h(
    errorCount ? 'li.failed' : 'li',
    null,
    h(
      `a.${dyeClass(rootService ?? '')}`,
      { href: `/trace/${traceId}${matched ? `?sel=${matched}` : ''}` },
      h('span.faint', clock(trace.startTimeUnixNano)),
      h('i.dot'),
      h(
        'span.tail-what',
        h('span.service', rootService || t('tail.root')),
        ' ',
        h('b', rootOperation || traceId.slice(0, 16)),
      ),
      errorCount ? h('span.bad', icon('error'), t('unit.errors', { n: errorCount })) : null,
      h('span.faint', t('unit.spans', { n: spanCount })),
      h('span.number', duration(Number(trace.durationNanos))),
    ),
  );
}
