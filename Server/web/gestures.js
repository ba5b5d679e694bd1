// SPDX-License-Identifier: Apache-2.0
// Pointer and wheel over the rows: select, fold, zoom, pan, and the hair line with its time.
import { margin, rowHeight } from './bars.js';
import { follow } from './dom.js';
import { duration } from './format.js';

/** A press that moves less is a click. Pixels. */
const dragThreshold = 4;

export class Gestures {
  /** @param {import('./timeline.js').Timeline} timeline */
  constructor(timeline) {
    this.timeline = timeline;
    this.dragged = false;
    const { element } = timeline;
    element.addEventListener('click', (/** @type {MouseEvent} */ event) => this.click(event));
    element.addEventListener('dblclick', (/** @type {MouseEvent} */ event) => {
      const row = this.rowAt(event);
      if (row >= 0 && !this.inNames(event)) timeline.zoomTo(row);
    });
    element.addEventListener('wheel', (/** @type {WheelEvent} */ event) => this.wheel(event), {
      passive: false,
    });
    element.addEventListener(
      'pointermove',
      (/** @type {PointerEvent} */ event) => this.hover(event),
    );
    element.addEventListener('pointerleave', () => {
      timeline.hair.hidden = true;
    });
    element.addEventListener(
      'pointerdown',
      (/** @type {PointerEvent} */ event) => this.press(event),
    );
  }

  /** Pixels from the left edge of the rows. @param {MouseEvent} event */
  across(event) {
    return event.clientX - this.timeline.element.getBoundingClientRect().left;
  }

  /** @param {MouseEvent} event @returns {number} the row under the pointer, or -1 */
  rowAt(event) {
    const { timeline } = this;
    const y = event.clientY - timeline.element.getBoundingClientRect().top;
    const place = Math.floor((timeline.top + y) / rowHeight);
    return place >= 0 && place < timeline.shownCount ? timeline.shown[place] : -1;
  }

  /** @param {MouseEvent} event */
  inNames(event) {
    return this.across(event) < this.timeline.names;
  }

  /** @param {MouseEvent} event @returns {number} time under the pointer in units */
  timeAt(event) {
    const { names, width, from, to } = this.timeline;
    const x = this.across(event) - names - margin;
    return from + (Math.min(width, Math.max(0, x)) / width) * (to - from);
  }

  /** @param {MouseEvent} event */
  click(event) {
    if (this.dragged) return;
    const { timeline } = this;
    const row = this.rowAt(event);
    if (row < 0) return;
    const fold = /** @type {Element} */ (event.target).closest('.fold');
    const alike = /** @type {Element} */ (event.target).closest('.alike');
    if (alike && timeline.runs) timeline.roll(row);
    else if (fold && (timeline.standsFor[row] >= 0 || timeline.trace.end[row] - row > 1)) {
      timeline.toggle(row);
    } else if (!String(getSelection()).length) timeline.on.select(row);
  }

  /** @param {WheelEvent} event */
  wheel(event) {
    const { timeline } = this;
    if (event.ctrlKey || event.altKey) {
      event.preventDefault();
      timeline.zoom(Math.exp(Math.max(-60, Math.min(60, event.deltaY)) / 180), this.timeAt(event));
      return;
    }
    const sideways = event.shiftKey ? event.deltaY || event.deltaX : event.deltaX;
    if (sideways && (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY))) {
      event.preventDefault();
      timeline.pan(sideways / timeline.width);
    }
  }

  /** @param {PointerEvent} event */
  hover(event) {
    const { hair, names, width, trace } = this.timeline;
    const inside = !this.inNames(event) && event.pointerType === 'mouse';
    hair.hidden = !inside;
    if (!inside) return;
    const x = this.across(event);
    hair.style.transform = `translateX(${Math.round(x)}px)`;
    hair.dataset.time = duration(Math.max(0, this.timeAt(event) * trace.unit));
    hair.classList.toggle('left', x > names + width - 90);
  }

  /** Dragging over the bars chooses a stretch of time. @param {PointerEvent} event */
  press(event) {
    this.dragged = false;
    const { timeline } = this;
    if (event.button || this.inNames(event) || event.pointerType !== 'mouse') return;
    if (this.across(event) > timeline.names + timeline.width + 2 * margin) return;
    const start = this.timeAt(event);
    const startX = event.clientX;
    const ends = (/** @type {PointerEvent} */ now) =>
      [start, this.timeAt(now)].sort((p, q) => p - q);
    const drag = (/** @type {PointerEvent} */ move) => {
      if (!this.dragged && Math.abs(move.clientX - startX) < dragThreshold) return;
      this.dragged = true;
      move.preventDefault();
      const [a, b] = ends(move);
      const scale = timeline.width / (timeline.to - timeline.from);
      timeline.pick.hidden = false;
      timeline.pick.style.left = `${timeline.names + margin + (a - timeline.from) * scale}px`;
      timeline.pick.style.width = `${(b - a) * scale}px`;
      timeline.pick.dataset.time = duration((b - a) * timeline.trace.unit);
    };
    const finish = (/** @type {PointerEvent} */ up) => {
      timeline.pick.hidden = true;
      if (!this.dragged || up.type === 'pointercancel') return;
      const [a, b] = ends(up);
      timeline.setView(a, b);
      // The click that follows a drag is not meant for the row.
      setTimeout(() => {
        this.dragged = false;
      });
    };
    follow(drag, finish);
    event.preventDefault();
    timeline.element.focus({ preventScroll: true });
  }
}
