// SPDX-License-Identifier: Apache-2.0
// Finding spans of the trace that is shown: the field, the rows that match, and going among them.
import { h, icon } from './dom.js';
import { find } from './find.js';
import { condition, findStored, plainOf, wordsOf } from './find-stored.js';
import { count } from './format.js';
import { t } from './texts.js';
import { tool, withRows } from './trace-bar.js';

/** What only the server can find is asked for when nothing was typed for so long. Milliseconds. */
const findAfter = 250;

export class Finder {
  /** @param {import('./trace-page.js').TracePage} page */
  constructor(page) {
    this.page = page;
    /** One entry a row, 1 where it matches. */
    this.hits = new Uint8Array(page.trace.n);
    /** Rows that match, -1 when nothing is looked for. */
    this.count = -1;
    this.asking = new AbortController();
    this.field = h('input', {
      id: 'find',
      type: 'search',
      placeholder: t('trace.find'),
      'aria-label': t('trace.find.label'),
      autocomplete: 'off',
      spellcheck: 'false',
      oninput: () => this.find(true),
      onkeydown: (/** @type {KeyboardEvent} */ event) => {
        if (event.key === 'Enter') this.next(event.shiftKey ? -1 : 1);
        if (event.key === 'Escape') {
          this.clear();
          page.timeline.element.focus({ preventScroll: true });
        }
      },
    });
    this.found = h('span.found', { role: 'status' });
    this.element = h(
      'div.finder',
      icon('search'),
      this.field,
      this.found,
      tool('up', t('trace.find.previous'), 'N', () => this.next(-1)),
      tool('down', t('trace.find.next'), 'n', () => this.next(1)),
    );
  }

  /** @returns {string} */
  get text() {
    return this.field.value;
  }

  set text(text) {
    this.field.value = text;
  }

  clear() {
    this.text = '';
    this.find(false);
  }

  /** Looks for this in the trace. @param {string} text */
  look(text) {
    this.text = text;
    if (!withRows.has(this.page.state.view)) this.page.setView('timeline');
    this.find(true);
  }

  /** @param {boolean} jump to the first hit when none is selected */
  find(jump) {
    const { page, hits } = this;
    const words = wordsOf(this.text);
    const conditions = words.map(condition).filter((one) => one !== null);
    const plain = words.filter((word) => condition(word) === null).map(plainOf).filter(Boolean);
    let n = -1;
    if (plain.length) n = find(page.trace, plain, hits);
    else hits.fill(conditions.length ? 1 : 0);
    this.asking.abort();
    if (conditions.length && page.source.stored) this.ask(conditions, jump);
    else this.settle(conditions.length ? 0 : n, jump);
    page.remember();
  }

  /** Keeps those of the hits that the server finds as well.
   *  @param {string[]} conditions @param {boolean} jump */
  async ask(conditions, jump) {
    const { page, hits } = this;
    this.asking = new AbortController();
    const { signal } = this.asking;
    page.signal.addEventListener('abort', () => this.asking.abort(), { signal });
    this.found.textContent = '…';
    if (jump) await new Promise((resolve) => setTimeout(resolve, findAfter));
    if (signal.aborted) return;
    try {
      const answer = await findStored(page.trace, conditions, signal, page.source.raw);
      const there = new Set(answer.rows);
      let n = 0;
      for (let i = 0; i < hits.length; i++) {
        if (hits[i] && !there.has(i)) hits[i] = 0;
        n += hits[i];
      }
      this.settle(n, jump);
      if (!answer.complete) page.tell(t('find.some', { n }));
      else if (answer.reasons.length) {
        page.tell(t('app.incomplete', { reasons: answer.reasons.join('; ') }));
      }
    } catch (error) {
      if (signal.aborted) return;
      hits.fill(0);
      this.settle(0, false);
      page.tell(/** @type {Error} */ (error).message || t('error.server'));
    }
  }

  /** @param {number} n hits; -1 when nothing is looked for @param {boolean} jump */
  settle(n, jump) {
    const { page, hits } = this;
    const { timeline } = page;
    timeline.setHits(hits, n);
    this.count = n;
    this.show();
    if (page.state.hide) page.filter();
    if (jump && n > 0 && !hits[Math.max(0, timeline.selected)]) {
      timeline.reveal(Math.max(0, timeline.place[hits.indexOf(1)]), false);
    }
  }

  /** Says how many there are, and the how manyth is selected. */
  show() {
    const { count: n, hits } = this;
    const row = this.page.timeline.selected;
    let at = 0;
    if (row >= 0 && hits[row]) { for (let i = 0; i <= row; i++) at += hits[i]; }
    this.found.textContent = n < 0
      ? ''
      : n === 0
      ? t('trace.find.none')
      : at
      ? t('trace.find.count', { at, n })
      : count(n);
  }

  /** @param {number} by */
  next(by) {
    if (this.count > 0) this.page.nextWhere(by, (row) => this.hits[row]);
  }
}
