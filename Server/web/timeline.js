// SPDX-License-Identifier: Apache-2.0
// The rows of a trace. Text lives in a ring of recycled DOM rows (visible row r is slot r mod the ring's size, and a
// row's nodes are touched only when its span changes); bars live on one canvas over them. The document therefore has
// the same few hundred nodes for 10 spans and for a million.
//
//     scroller ── spacer (as tall as all rows)
//        └─ layer (sticky) ── strip (one transform) ── slot, slot, slot …
//                          └─ canvas (bars)
import { dyeClass, dye, resolve, dyeNames } from './colors.js';
import { h, icon } from './dom.js';
import { count, duration } from './format.js';
import { t } from './texts.js';
import { flag, ownTime } from './trv1.js';

export const rowHeight = 26;
/** Browsers stop at about 33.5 million pixels; above this the scroll position is scaled. */
const scrollLimit = 24_000_000;
/** Rows are placed relative to a base that follows the view, for the same limit. */
const baseStep = 500_000;
const narrowestBar = 2;

export class Timeline {
  /**
   * @param {import('./trv1.js').Trace} trace
   * @param {{ select: (row: number) => void, view: () => void, folded: () => void }} on what the page wants to know
   */
  constructor(trace, on) {
    this.trace = trace;
    this.on = on;
    this.from = 0;
    this.to = trace.total;
    this.selected = -1;
    this.closed = new Uint8Array(trace.n);
    this.hits = new Uint8Array(trace.n);
    this.hitCount = -1;
    this.onlyService = -1;
    /** Rows in view order, and where each row is in it (-1: folded away). */
    this.shown = new Int32Array(trace.n);
    this.place = new Int32Array(trace.n);
    this.shownCount = 0;
    this.version = 0;
    this.names = 0;
    this.width = 0;
    this.height = 0;
    /** @type {any[]} */
    this.slots = [];
    this.ringSize = 0;
    this.base = 0;
    this.queued = false;
    this.indent = Math.max(3, Math.min(16, 190 / Math.max(1, trace.maxDepth)));
    this.build();
    this.layout();
  }

  build() {
    this.strip = h('div.strip-rows', { role: 'presentation' });
    this.canvas = h('canvas.bars', { 'aria-hidden': 'true' });
    this.spacer = h('div.spacer', { role: 'presentation' });
    this.pick = h('div.pick', { hidden: true, role: 'presentation' });
    this.hair = h('div.hair', { hidden: true, role: 'presentation' });
    this.layer = h('div.layer', { role: 'presentation' }, this.strip, this.canvas, this.hair, this.pick);
    this.element = h('div.rows', { role: 'treegrid', tabindex: '0', 'aria-label': t('trace.grid'), 'aria-colcount': '2' },
      this.spacer, this.layer);
    this.context = this.canvas.getContext('2d');
    this.element.addEventListener('scroll', () => this.later(), { passive: true });
    this.element.addEventListener('click', (/** @type {MouseEvent} */ event) => this.click(event));
    this.element.addEventListener('dblclick', (/** @type {MouseEvent} */ event) => {
      const row = this.rowAt(event);
      if (row >= 0 && !this.inNames(event)) this.zoomTo(row);
    });
    this.element.addEventListener('wheel', (/** @type {WheelEvent} */ event) => this.wheel(event), { passive: false });
    this.element.addEventListener('pointermove', (/** @type {PointerEvent} */ event) => this.hover(event));
    this.element.addEventListener('pointerleave', () => { this.hair.hidden = true; });
    this.element.addEventListener('pointerdown', (/** @type {PointerEvent} */ event) => this.press(event));
  }

  /** The visible rows after folding. */
  layout() {
    const { n, end } = this.trace;
    this.place.fill(-1);
    let k = 0;
    for (let i = 0; i < n; i = this.closed[i] ? end[i] : i + 1) {
      this.place[i] = k;
      this.shown[k++] = i;
    }
    this.shownCount = k;
    this.version++;
    this.spacer.style.height = `${Math.min(k * rowHeight, scrollLimit)}px`;
    this.element.setAttribute('aria-rowcount', String(k));
    this.later();
  }

  /** Colours of the theme of the moment. */
  recolor() {
    this.colors = resolve(this.element, [...dyeNames, '--line', '--error', '--surface']);
    this.dyes = this.trace.services.map((name) => /** @type {any} */ (this.colors)[`--dye-${dye(name)}`]);
    this.later();
  }

  /** @param {number} names width of the column of names */
  resize(names) {
    this.names = names;
    this.width = Math.max(1, this.element.clientWidth - names);
    this.height = this.element.clientHeight;
    const ratio = devicePixelRatio || 1;
    this.canvas.width = Math.round(this.width * ratio);
    this.canvas.height = Math.round(this.height * ratio);
    this.canvas.style.width = `${this.width}px`;
    this.canvas.style.height = `${this.height}px`;
    this.canvas.style.left = `${names}px`;
    this.ringSize = Math.ceil(this.height / rowHeight) + 2;
    this.version++;
    this.later();
  }

  /** How far one pixel of scrolling goes; 1 unless there are more than about 900,000 rows. */
  get pace() {
    const all = this.shownCount * rowHeight;
    return all <= scrollLimit ? 1 : (all - this.height) / (scrollLimit - this.height);
  }

  get top() {
    return this.element.scrollTop * this.pace;
  }

  later() {
    if (this.queued) return;
    this.queued = true;
    requestAnimationFrame(() => {
      this.queued = false;
      this.draw();
    });
  }

  draw() {
    if (!this.ringSize || !this.colors) return;
    const top = this.top;
    const first = Math.floor(top / rowHeight);
    const visible = Math.max(0, Math.min(this.shownCount - first, this.ringSize - 1));
    const base = Math.floor(first / baseStep) * baseStep;
    if (base !== this.base) {
      this.base = base;
      this.version++;
    }
    for (let k = 0; k < visible; k++) this.setSlot(first + k);
    for (const slot of this.slots) {
      const on = slot.place >= first && slot.place < first + visible;
      if (slot.on !== on) {
        slot.on = on;
        slot.element.hidden = !on;
      }
    }
    this.strip.style.transform = `translateY(${this.base * rowHeight - top}px)`;
    this.drawBars(first, visible, first * rowHeight - top);
    this.announce();
  }

  /** Makes the slot of a visible row show it. @param {number} place */
  setSlot(place) {
    const index = place % this.ringSize;
    const slot = (this.slots[index] ??= this.makeSlot(index));
    if (slot.place === place && slot.version === this.version) return;
    slot.place = place;
    slot.version = this.version;
    slot.element.style.top = `${(place - this.base) * rowHeight}px`;
    slot.element.setAttribute('aria-rowindex', String(place + 1));
    this.fillSlot(slot, this.shown[place]);
  }

  /** @param {number} index */
  makeSlot(index) {
    const guides = h('i.guides');
    const fold = h('span.fold', { 'aria-hidden': 'true' }, icon('right'));
    const dot = h('i.dot');
    const name = document.createTextNode('');
    const service = document.createTextNode('');
    const length = document.createTextNode('');
    const hidden = h('span.hidden-count', null, '');
    const failed = h('span.failed', null, icon('error'));
    const element = h('div.row', { role: 'row', id: `row-${index}` },
      h('div.names', { role: 'gridcell' }, guides, fold, dot, failed, h('b', null, name), h('span.service', null, service), hidden),
      h('div.length', { role: 'gridcell' }, h('span', null, length)));
    this.strip.append(element);
    return { element, guides, fold, dot, name, service, length, hidden, failed, place: -1, version: -1, on: true };
  }

  /** @param {any} slot @param {number} row */
  fillSlot(slot, row) {
    const { trace } = this;
    const hasChildren = trace.end[row] - row > 1;
    const closed = this.closed[row] === 1;
    const flags = trace.flags[row];
    slot.row = row;
    slot.guides.style.width = `${trace.depth[row] * this.indent}px`;
    slot.guides.style.backgroundSize = `${this.indent}px 100%`;
    slot.name.data = trace.names[trace.name[row]];
    slot.service.data = trace.services[trace.service[row]];
    slot.length.data = duration(trace.duration[row] * trace.unit);
    slot.hidden.textContent = closed ? `+${count(trace.end[row] - row - 1)}` : '';
    let names = `row ${dyeClass(trace.services[trace.service[row]])}`;
    if (hasChildren) names += closed ? ' closed' : ' open';
    if (flags & flag.error) names += ' bad';
    if (flags & flag.parentMissing) names += ' orphan';
    if (row === this.selected) names += ' selected';
    if (this.dimmed(row)) names += ' dim';
    slot.element.className = names;
    slot.element.setAttribute('aria-level', String(trace.depth[row] + 1));
    slot.element.setAttribute('aria-selected', String(row === this.selected));
    if (hasChildren) slot.element.setAttribute('aria-expanded', String(!closed));
    else slot.element.removeAttribute('aria-expanded');
    const notes = [];
    if (flags & flag.error) notes.push(t('trace.flag.error'));
    if (flags & flag.parentMissing) notes.push(t('trace.flag.parentMissing'));
    if (flags & flag.clockAdjusted) notes.push(t('trace.flag.clockAdjusted'));
    slot.element.title = notes.join(' · ');
  }

  /** @param {number} row */
  dimmed(row) {
    return (this.hitCount > 0 && !this.hits[row]) || (this.onlyService >= 0 && this.trace.service[row] !== this.onlyService);
  }

  /** The selected row is the active one of the grid, as far as it is on screen. */
  announce() {
    const place = this.selected < 0 ? -1 : this.place[this.selected];
    const slot = place < 0 ? null : this.slots[place % this.ringSize];
    if (slot?.on && slot.place === place) this.element.setAttribute('aria-activedescendant', slot.element.id);
    else this.element.removeAttribute('aria-activedescendant');
  }

  /** @param {number} first @param {number} visible @param {number} offset */
  drawBars(first, visible, offset) {
    const { context: c, trace, width, from } = this;
    const colors = /** @type {any} */ (this.colors);
    const ratio = devicePixelRatio || 1;
    const scale = width / (this.to - from);
    c.setTransform(ratio, 0, 0, ratio, 0, 0);
    c.clearRect(0, 0, width, this.height);
    c.fillStyle = colors['--line'];
    for (const at of this.ticks ?? []) c.fillRect(Math.round((at - from) * scale), 0, 1, this.height);
    const barHeight = 12;
    for (let k = 0; k < visible; k++) {
      const row = this.shown[first + k];
      const x = (trace.start[row] - from) * scale;
      const w = Math.max(narrowestBar, trace.duration[row] * scale);
      if (x > width || x + w < 0) continue;
      const y = offset + k * rowHeight + (rowHeight - barHeight) / 2;
      const left = Math.max(x, -4);
      const right = Math.min(x + w, width + 4);
      const color = /** @type {string[]} */ (this.dyes)[trace.service[row]];
      const dim = this.dimmed(row) ? 0.28 : 1;
      this.bar(row, color, left, right, y, barHeight, dim, scale);
      if (trace.flags[row] & flag.error) {
        c.globalAlpha = dim;
        c.strokeStyle = colors['--error'];
        c.lineWidth = 1.5;
        c.beginPath();
        c.roundRect(left - 1.5, y - 1.5, right - left + 3, barHeight + 3, 4);
        c.stroke();
      }
    }
    c.globalAlpha = 1;
  }

  /** A bar: the whole span in a light shade, its own time (what no child covers) in full colour.
   *  @param {number} row @param {string} color @param {number} left @param {number} right @param {number} y
   *  @param {number} height @param {number} dim @param {number} scale */
  bar(row, color, left, right, y, height, dim, scale) {
    const { context: c, trace, from } = this;
    const radius = Math.min(3, (right - left) / 2);
    c.fillStyle = color;
    const leaf = trace.end[row] - row <= 1;
    if (leaf || right - left < 6) {
      c.globalAlpha = dim;
      c.beginPath();
      c.roundRect(left, y, right - left, height, radius);
      c.fill();
      return;
    }
    c.save();
    c.beginPath();
    c.roundRect(left, y, right - left, height, radius);
    c.clip();
    c.globalAlpha = 0.32 * dim;
    c.fillRect(left, y, right - left, height);
    c.globalAlpha = dim;
    ownTime(trace, row, (a, b) => {
      const x = (a - from) * scale;
      const w = (b - a) * scale;
      if (w >= 0.5 && x < right && x + w > left) c.fillRect(x, y, w, height);
    });
    c.restore();
  }

  // --- what people do ---

  /** @param {MouseEvent} event @returns {number} the row under the pointer, or -1 */
  rowAt(event) {
    const place = Math.floor((this.top + event.clientY - this.element.getBoundingClientRect().top) / rowHeight);
    return place >= 0 && place < this.shownCount ? this.shown[place] : -1;
  }

  /** @param {MouseEvent} event */
  inNames(event) {
    return event.clientX - this.element.getBoundingClientRect().left < this.names;
  }

  /** @param {MouseEvent} event @returns {number} time under the pointer in units */
  timeAt(event) {
    const x = event.clientX - this.element.getBoundingClientRect().left - this.names;
    return this.from + (Math.min(this.width, Math.max(0, x)) / this.width) * (this.to - this.from);
  }

  /** @param {MouseEvent} event */
  click(event) {
    if (this.dragged) return;
    const row = this.rowAt(event);
    if (row < 0) return;
    const fold = /** @type {Element} */ (event.target).closest('.fold');
    if (fold && this.trace.end[row] - row > 1) this.toggle(row);
    else if (!String(getSelection()).length) this.on.select(row);
  }

  /** @param {WheelEvent} event */
  wheel(event) {
    if (event.ctrlKey || event.altKey) {
      event.preventDefault();
      this.zoom(Math.exp(Math.max(-60, Math.min(60, event.deltaY)) / 180), this.timeAt(event));
      return;
    }
    const sideways = event.shiftKey ? event.deltaY || event.deltaX : event.deltaX;
    if (sideways && (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY))) {
      event.preventDefault();
      this.pan(sideways / this.width);
    }
  }

  /** @param {PointerEvent} event */
  hover(event) {
    const inside = !this.inNames(event) && event.pointerType === 'mouse';
    this.hair.hidden = !inside;
    if (!inside) return;
    const x = event.clientX - this.element.getBoundingClientRect().left;
    this.hair.style.transform = `translateX(${Math.round(x)}px)`;
    this.hair.dataset.time = duration(Math.max(0, this.timeAt(event) * this.trace.unit));
    this.hair.classList.toggle('left', x > this.names + this.width - 90);
  }

  /** Dragging over the bars chooses a stretch of time. @param {PointerEvent} event */
  press(event) {
    this.dragged = false;
    if (event.button || this.inNames(event) || event.pointerType !== 'mouse') return;
    if (event.clientX - this.element.getBoundingClientRect().left > this.names + this.width) return;
    const start = this.timeAt(event);
    const startX = event.clientX;
    const ended = new AbortController();
    const { signal } = ended;
    addEventListener('pointermove', (move) => {
      if (!this.dragged && Math.abs(move.clientX - startX) < 4) return;
      this.dragged = true;
      move.preventDefault();
      const [a, b] = [start, this.timeAt(move)].sort((p, q) => p - q);
      const scale = this.width / (this.to - this.from);
      this.pick.hidden = false;
      this.pick.style.left = `${this.names + (a - this.from) * scale}px`;
      this.pick.style.width = `${(b - a) * scale}px`;
      this.pick.dataset.time = duration((b - a) * this.trace.unit);
    }, { signal });
    addEventListener('pointerup', (up) => {
      ended.abort();
      this.pick.hidden = true;
      if (!this.dragged) return;
      const [a, b] = [start, this.timeAt(up)].sort((p, q) => p - q);
      this.setView(a, b);
      setTimeout(() => { this.dragged = false; });
    }, { signal });
    event.preventDefault();
    this.element.focus({ preventScroll: true });
  }

  /** @param {number} from units @param {number} to units */
  setView(from, to) {
    const { total } = this.trace;
    const least = Math.min(total, Math.max(20, total / 1e7));
    let length = Math.min(total, Math.max(least, to - from));
    const start = Math.max(0, Math.min(total - length, (from + to - length) / 2));
    this.from = start;
    this.to = start + length;
    this.on.view();
    this.later();
  }

  /** @param {number} factor above 1 shows more @param {number} [around] units */
  zoom(factor, around = (this.from + this.to) / 2) {
    const a = around - (around - this.from) * factor;
    const b = around + (this.to - around) * factor;
    if (factor > 1) {
      // At the edge, what cannot be shown on one side is shown on the other.
      const total = this.trace.total;
      const from = Math.max(0, Math.min(a, total - (b - a)));
      return this.setView(from, Math.min(total, from + (b - a)));
    }
    this.setView(a, b);
  }

  /** @param {number} share of what is in view */
  pan(share) {
    const length = this.to - this.from;
    const from = Math.max(0, Math.min(this.trace.total - length, this.from + share * length));
    this.setView(from, from + length);
  }

  /** @param {number} row */
  zoomTo(row) {
    const length = Math.max(1, this.trace.duration[row]);
    this.setView(this.trace.start[row] - length * 0.05, this.trace.start[row] + length * 1.05);
  }

  /** @param {number} row @param {boolean} [closed] the other way round when left out */
  toggle(row, closed = !this.closed[row]) {
    if (this.trace.end[row] - row <= 1 || this.closed[row] === Number(closed)) return;
    this.closed[row] = Number(closed);
    this.layout();
    this.on.folded();
  }

  /** @param {boolean} closed */
  foldAll(closed) {
    this.closed.fill(0);
    if (closed) {
      for (let i = 0; i < this.trace.n; i++) {
        if (this.trace.parent[i] >= 0 && this.trace.end[i] - i > 1) this.closed[i] = 1;
      }
    }
    this.layout();
    this.on.folded();
  }

  /** Opens whatever hides a row. @param {number} row */
  unfold(row) {
    let opened = false;
    for (let p = this.trace.parent[row]; p >= 0; p = this.trace.parent[p]) {
      if (this.closed[p]) opened = true;
      this.closed[p] = 0;
    }
    if (!opened) return;
    this.layout();
    this.on.folded();
  }

  /** @param {number} row -1 for none @param {boolean} [center] */
  setSelected(row, center = false) {
    this.selected = row;
    this.version++;
    if (row >= 0) {
      this.unfold(row);
      this.reveal(this.place[row], center);
    }
    this.later();
  }

  /** Scrolls until a visible row is in view. @param {number} place @param {boolean} center */
  reveal(place, center) {
    const y = place * rowHeight;
    const top = this.top;
    if (y >= top && y + rowHeight <= top + this.height && !center) return;
    const margin = center ? this.height / 2 : rowHeight * 2;
    const to = y < top || center ? y - margin : y + rowHeight + margin - this.height;
    this.element.scrollTop = to / this.pace;
  }

  /** @param {Uint8Array} hits @param {number} hitCount -1 when nothing is looked for */
  setHits(hits, hitCount) {
    this.hits = hits;
    this.hitCount = hitCount;
    this.version++;
    this.later();
  }

  /** @param {number} service index, -1 for all */
  setService(service) {
    this.onlyService = service;
    this.version++;
    this.later();
  }
}
