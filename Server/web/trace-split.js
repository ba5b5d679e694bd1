// SPDX-License-Identifier: Apache-2.0
// How wide the names of the rows are, and the handle that changes it.
import { follow, h } from './dom.js';
import { t } from './texts.js';

const narrowest = 120;
/** Of the rows. */
const widestShare = 0.7;
/** Pixels a key. */
const step = 24;

export class Splitter {
  /** @param {HTMLElement} rows @param {() => void} changed */
  constructor(rows, changed) {
    this.rows = rows;
    this.changed = changed;
    /** What was chosen by hand. @type {number | undefined} */
    this.chosen = undefined;
    this.element = h('div.splitter', {
      role: 'separator',
      'aria-orientation': 'vertical',
      'aria-label': t('trace.resize'),
      'aria-valuemin': String(narrowest),
      tabindex: '0',
      onpointerdown: (/** @type {PointerEvent} */ event) => this.press(event),
      onkeydown: (/** @type {KeyboardEvent} */ event) => {
        const by = { ArrowLeft: -step, ArrowRight: step }[event.key];
        if (!by) return;
        event.preventDefault();
        event.stopPropagation();
        this.choose(this.measure() + by);
      },
    });
  }

  /** @param {number} width */
  choose(width) {
    this.chosen = width;
    this.changed();
  }

  /** @returns {number} the width of the names, in pixels */
  measure() {
    const whole = this.rows.clientWidth;
    const wanted = this.chosen ??
      Math.min(520, Math.max(Math.min(300, whole * 0.58), whole * 0.34));
    const width = Math.round(Math.max(narrowest, Math.min(whole * widestShare, wanted)));
    this.element.setAttribute('aria-valuenow', String(width));
    this.element.setAttribute('aria-valuemax', String(Math.round(whole * widestShare)));
    return width;
  }

  /** @param {PointerEvent} event */
  press(event) {
    event.preventDefault();
    const left = this.rows.getBoundingClientRect().left;
    follow((move) => this.choose(move.clientX - left));
  }
}
