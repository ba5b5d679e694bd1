// SPDX-License-Identifier: Apache-2.0
// A card that asks for its own data: what is slow to count holds up nothing else, and what fails
// says so where it would stand.
import { keep, parameters } from './address.js';
import { fill, h } from './dom.js';
import { ago } from './format.js';
import { incompleteStrip } from './notice.js';
import { card } from './panels.js';
import { t } from './texts.js';

/** Milliseconds before it is read again by itself; longer where reading takes long. */
const restLeast = 15_000;

export class Section {
  rests = 0;
  asking = new AbortController();

  /**
   * @param {string} title
   * @param {{ signal: AbortSignal, ask: (signal: AbortSignal) => Promise<any>, body: any,
   *   show: (data: any) => { says?: any, left: number } }} how `show` puts data into `body`, and gives
   * what is said beside the title and how much more there is
   */
  constructor(title, how) {
    this.how = how;
    this.says = h('span');
    this.note = h('div', { role: 'status' }, h('p.none', h('i.spinner'), t('app.loading')));
    this.more = h('p.none');
    this.content = h('div', { hidden: true }, how.body, this.more);
    this.element = card('whole', title, [this.note, this.content], { says: this.says });
    how.signal.addEventListener('abort', () => this.asking.abort());
  }

  /** Reads it, unless it was read a moment ago. */
  refresh() {
    if (Date.now() >= this.rests) this.load();
  }

  async load() {
    const began = Date.now();
    this.rests = Infinity;
    const { signal } = this.asking;
    let note;
    try {
      const data = await this.how.ask(signal);
      const { says, left } = this.how.show(data);
      fill(this.says, says);
      fill(this.more, left ? t('list.more', { n: left }) : null);
      this.content.hidden = false;
      note = incompleteStrip(data.incompleteReasons);
    } catch (error) {
      const retry = h('button', { type: 'button', onclick: () => this.load() }, t('app.retry'));
      const why = /** @type {any} */ (error).message || t('error.offline');
      note = h('div.strip.bad', h('span', why), retry);
    }
    fill(this.note, note);
    this.rests = Date.now() + Math.max(restLeast, 10 * (Date.now() - began));
  }
}

/**
 * A column of when something was seen first or last.
 * @param {'first' | 'last'} id @returns {import('./table.js').Column<any>}
 */
export const seen = (id) => ({
  id,
  title: t(`seen.${id}`),
  number: true,
  value: (row) => Number(row[`${id}TimeUnixNano`]),
  cell: (row) => h('span.soft', ago(row[`${id}TimeUnixNano`])),
});

/**
 * What a press shows and hides; the address keeps which are open.
 * @param {string} parameter of the address @param {string} name
 * @param {any} summary @param {any} body
 */
export function disclosure(parameter, name, summary, body) {
  const names = () =>
    new Set((parameters().get(parameter) ?? '').split(',').filter(Boolean));
  const element = h(
    'details',
    {
      open: names().has(name),
      ontoggle: () => {
        const all = names();
        if (element.open === all.has(name)) return;
        if (element.open) all.add(name);
        else all.delete(name);
        keep({ [parameter]: [...all].join() });
      },
    },
    h('summary', summary),
    body,
  );
  return element;
}
