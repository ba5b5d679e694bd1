// SPDX-License-Identifier: Apache-2.0
// What all charts share: a canvas of the right size and colours, a cursor by pointer and keys, a
// stretch that is dragged or grown with shift, words beside the cursor, and a table in its place.
import { resolve } from './colors.js';
import { fill, h, icon } from './dom.js';
import { t } from './texts.js';

/** Fewer pixels than this are a click and not a drag. */
const dragFrom = 5;

/**
 * @typedef {{ column: number, row: number }} Cell
 * @typedef {{ from: Cell, to: Cell }} Stretch both ends counting, the smaller first
 */

/** A chart of columns and, some, of rows. Who extends it says what stands where. */
export class Plot {
  columns = 0;
  rows = 1;
  width = 0;
  height = 0;
  pad = { left: 50, right: 8, top: 8, bottom: 20 };
  /** @type {Cell | null} */
  cursor = null;
  /** Where dragging or growing began. @type {Cell | null} */
  anchor = null;
  dragging = false;
  /** @type {Record<string, string>} */
  colors = {};

  /**
   * @param {{ label: string, signal: AbortSignal, names: string[],
   *   onselect?: (stretch: Stretch) => void }} options `names` are the colours it takes
   */
  constructor({ label, signal, names, onselect }) {
    this.names = names;
    this.onselect = onselect;
    this.canvas = h('canvas');
    this.tip = h('div.tip', { hidden: true });
    this.area = h(
      'div.area',
      {
        tabindex: '0',
        role: 'slider',
        'aria-label': label,
        'aria-valuemin': '0',
        'aria-valuemax': '0',
        'aria-valuenow': '0',
        'aria-valuetext': t('app.loading'),
      },
      this.canvas,
      this.tip,
    );
    this.twin = h('div.twin', { tabindex: '0', role: 'region', 'aria-label': label, hidden: true });
    this.toggle = h('button.quiet.round.as-table', {
      type: 'button',
      'aria-pressed': 'false',
      title: t('chart.table'),
      'aria-label': `${t('chart.table')}: ${label}`,
      onclick: () => this.showTable(this.twin.hidden),
    }, icon('table'));
    this.element = h('div.plot.awaited', this.area, this.twin);
    const sized = new ResizeObserver(() => this.resize());
    sized.observe(this.area);
    signal.addEventListener('abort', () => sized.disconnect());
    addEventListener('themechange', () => this.recolor(), { signal });
    this.listen();
  }

  /** Words for a cell, the first line its head. @param {Cell} _cell @returns {any[]} */
  words(_cell) {
    return [];
  }

  /** @param {CanvasRenderingContext2D} _c */
  paint(_c) {}

  /** @returns {{ head: string[], rows: any[][] }} */
  table() {
    return { head: [], rows: [] };
  }

  get innerWidth() {
    return Math.max(1, this.width - this.pad.left - this.pad.right);
  }

  get innerHeight() {
    return Math.max(1, this.height - this.pad.top - this.pad.bottom);
  }

  /** @param {number} column */
  x(column) {
    return this.pad.left + (column / Math.max(1, this.columns)) * this.innerWidth;
  }

  /** @param {number} row its lower edge */
  y(row) {
    return this.pad.top + (1 - row / this.rows) * this.innerHeight;
  }

  recolor() {
    if (!this.area.isConnected) return;
    this.colors = resolve(this.area, this.names);
    this.draw();
  }

  resize() {
    const { clientWidth, clientHeight } = this.area;
    if (!clientWidth || !clientHeight) return;
    const ratio = devicePixelRatio || 1;
    this.width = clientWidth;
    this.height = clientHeight;
    this.canvas.width = Math.round(clientWidth * ratio);
    this.canvas.height = Math.round(clientHeight * ratio);
    this.recolor();
  }

  /** New data was set. */
  changed() {
    this.element.classList.remove('awaited');
    const last = Math.max(0, this.columns - 1);
    if (this.cursor && (this.cursor.column > last || this.cursor.row >= this.rows)) {
      this.cursor = this.anchor = null;
    }
    this.area.setAttribute('aria-valuemax', String(last));
    this.say();
    if (!this.twin.hidden) this.showTable(true);
    this.draw();
  }

  draw() {
    const c = this.canvas.getContext('2d');
    if (!c || !this.width || !this.colors[this.names[0]]) return;
    const ratio = devicePixelRatio || 1;
    c.setTransform(ratio, 0, 0, ratio, 0, 0);
    c.clearRect(0, 0, this.width, this.height);
    c.font = getComputedStyle(this.area).font;
    c.textBaseline = 'middle';
    if (this.columns) this.paint(c);
    else {
      c.textAlign = 'center';
      c.fillStyle = getComputedStyle(this.area).color;
      c.fillText(t('chart.empty'), this.width / 2, this.height / 2);
    }
    this.paintStretch(c);
    this.placeTip();
  }

  /** @returns {Stretch | null} */
  get stretch() {
    const { cursor: b, anchor: a } = this;
    if (!a || !b) return null;
    return {
      from: { column: Math.min(a.column, b.column), row: Math.min(a.row, b.row) },
      to: { column: Math.max(a.column, b.column), row: Math.max(a.row, b.row) },
    };
  }

  /** @param {CanvasRenderingContext2D} c */
  paintStretch(c) {
    const { stretch } = this;
    if (!stretch) return;
    const [left, right] = [this.x(stretch.from.column), this.x(stretch.to.column + 1)];
    const [top, bottom] = [this.y(stretch.to.row + 1), this.y(stretch.from.row)];
    c.fillStyle = c.strokeStyle = this.colors['--accent'];
    c.globalAlpha = 0.16;
    c.fillRect(left, top, right - left, bottom - top);
    c.globalAlpha = 1;
    c.lineWidth = 1;
    c.strokeRect(left + 0.5, top + 0.5, right - left - 1, bottom - top - 1);
  }

  placeTip() {
    const { cursor } = this;
    this.tip.hidden = !cursor;
    if (!cursor) return;
    const [head, ...lines] = this.words(cursor);
    fill(this.tip, h('b', head), lines);
    const middle = this.x(cursor.column + 0.5);
    const { offsetWidth } = this.tip;
    const left = middle + 12 + offsetWidth < this.width ? middle + 12 : middle - 12 - offsetWidth;
    this.tip.style.transform = `translate(${Math.round(Math.max(0, left))}px, ${this.pad.top}px)`;
  }

  say() {
    const at = this.cursor ?? { column: Math.max(0, this.columns - 1), row: 0 };
    this.area.setAttribute('aria-valuenow', String(at.column));
    this.area.setAttribute(
      'aria-valuetext',
      this.columns
        ? this.words(at).map((line) => line instanceof Element ? line.textContent : line).join(', ')
        : t('chart.empty'),
    );
  }

  /** @param {PointerEvent} event @returns {Cell} the cell under the pointer, or the nearest */
  cellAt(event) {
    const box = this.area.getBoundingClientRect();
    const share = (event.clientX - box.left - this.pad.left) / this.innerWidth;
    const up = 1 - (event.clientY - box.top - this.pad.top) / this.innerHeight;
    const within = (/** @type {number} */ at, /** @type {number} */ n) =>
      Math.max(0, Math.min(n - 1, Math.floor(at * n)));
    return { column: within(share, this.columns), row: within(up, this.rows) };
  }

  listen() {
    const { area } = this;
    let startX = 0;
    area.addEventListener('pointermove', (/** @type {PointerEvent} */ event) => {
      if (!this.columns) return;
      this.cursor = this.cellAt(event);
      if (this.dragging && !this.anchor && Math.abs(event.clientX - startX) > dragFrom) {
        this.anchor = this.began;
      }
      this.draw();
    });
    area.addEventListener('pointerleave', () => {
      if (this.dragging) return;
      this.cursor = this.anchor = null;
      this.draw();
    });
    area.addEventListener('pointerdown', (/** @type {PointerEvent} */ event) => {
      if (event.button || !this.columns || !this.onselect) return;
      area.setPointerCapture(event.pointerId);
      startX = event.clientX;
      this.began = this.cellAt(event);
      this.anchor = null;
      this.dragging = true;
    });
    area.addEventListener('pointerup', () => {
      if (!this.dragging) return;
      this.dragging = false;
      if (this.anchor || this.rows > 1) this.finish();
    });
    area.addEventListener('pointercancel', () => {
      this.dragging = false;
      this.anchor = null;
      this.draw();
    });
    area.addEventListener('blur', () => {
      this.cursor = this.anchor = null;
      this.draw();
    });
    area.addEventListener('keydown', (/** @type {KeyboardEvent} */ event) => this.key(event));
  }

  /** @type {Cell | null} */
  began = null;

  finish() {
    const { stretch, cursor } = this;
    const chosen = stretch ?? (cursor ? { from: cursor, to: cursor } : null);
    this.anchor = null;
    this.draw();
    if (chosen) this.onselect?.(chosen);
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const by = /** @type {Record<string, [number, number]>} */ ({
      ArrowLeft: [-1, 0],
      ArrowRight: [1, 0],
      ArrowUp: [0, 1],
      ArrowDown: [0, -1],
      Home: [-Infinity, 0],
      End: [Infinity, 0],
    })[event.key];
    if (!this.columns || event.ctrlKey || event.metaKey || event.altKey) return;
    if (by) {
      const at = this.cursor ?? { column: this.columns - 1, row: Math.floor(this.rows / 2) };
      if (event.shiftKey) this.anchor ??= at;
      else this.anchor = null;
      const clamp = (/** @type {number} */ to, /** @type {number} */ n) =>
        Math.max(0, Math.min(n - 1, to));
      this.cursor = this.cursor
        ? { column: clamp(at.column + by[0], this.columns), row: clamp(at.row + by[1], this.rows) }
        : at;
      this.say();
      this.draw();
    } else if (event.key === 'Enter' && this.cursor && this.onselect) this.finish();
    else if (event.key === 'Escape' && this.cursor) {
      this.cursor = this.anchor = null;
      this.draw();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** @param {boolean} on */
  showTable(on) {
    this.twin.hidden = !on;
    this.area.hidden = on;
    this.toggle.setAttribute('aria-pressed', String(on));
    if (!on) return fill(this.twin);
    const { head, rows } = this.table();
    fill(
      this.twin,
      h(
        'table',
        h('thead', h('tr', head.map((text) => h('th', { scope: 'col' }, text)))),
        h(
          'tbody',
          rows.map((row) =>
            h(
              'tr',
              row.map((cell, at) => at ? h('td', cell) : h('th', { scope: 'row' }, cell)),
            )
          ),
        ),
      ),
    );
  }
}
