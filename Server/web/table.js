// SPDX-License-Identifier: Apache-2.0
// A table: sorted by a press on a head, walked by j, k and enter, with a head that stays, and with
// no more rows in the document than are seen where it is long.
import { fill, h, icon } from './dom.js';
import { typing } from './keys.js';
import { t } from './texts.js';

/** From so many rows on, only those in view are in the document. */
const virtualFrom = 60;
const rowHeight = 41;
const spare = 8;

/**
 * @template Row
 * @typedef {{
 *   id: string,
 *   title: string,
 *   hint?: string,
 *   number?: boolean,
 *   value?: (row: Row) => number | string | null,
 *   cell: (row: Row) => any,
 * }} Column `value` is what it is sorted by, null where it is not
 * known, which comes last; a column without is not sorted by
 */

/** @template Row */
export class Table {
  /** @type {Row[]} */
  rows = [];

  /**
   * @param {{ label: string, columns: Column<Row>[], sort?: string, key: (row: Row) => string,
   *   href?: (row: Row) => string, go?: (href: string) => void, onsort?: (sort: string) => void,
   *   signal: AbortSignal, empty?: string }} options `sort` is a column's id, "-" before it for the
   * largest first
   */
  constructor(options) {
    this.options = options;
    this.sort = options.sort ?? '';
    /** @type {Map<string, { row: Row, element: HTMLElement }>} */
    this.drawn = new Map();
    this.head = h('tr');
    this.body = h('tbody');
    this.table = h(
      'table.list',
      { 'aria-label': options.label },
      h('thead', this.head),
      this.body,
    );
    this.none = h('p.none', { hidden: true }, options.empty ?? t('table.none'));
    this.element = h('div.table', this.table, this.none);
    this.element.addEventListener('scroll', () => this.virtual && this.place());
    this.drawHead();
    addEventListener('keydown', (event) => this.key(event), { signal: options.signal });
  }

  get virtual() {
    return this.rows.length > virtualFrom;
  }

  drawHead() {
    const wanted = this.sort.replace(/^-/, '');
    fill(
      this.head,
      this.options.columns.map((column) => {
        const on = column.id === wanted;
        const down = this.sort.startsWith('-');
        return h(
          column.number ? 'th.number' : 'th',
          {
            scope: 'col',
            title: column.hint,
            'aria-sort': on ? (down ? 'descending' : 'ascending') : null,
          },
          column.value
            ? h(
              'button',
              { type: 'button', onclick: () => this.sortBy(column) },
              column.title,
              on ? icon(down ? 'down' : 'up') : null,
            )
            : column.title,
        );
      }),
    );
  }

  /** @param {Column<Row>} column */
  sortBy(column) {
    const down = this.sort === `-${column.id}` ? false : this.sort === column.id || column.number;
    this.sort = `${down ? '-' : ''}${column.id}`;
    this.drawHead();
    const at = this.options.columns.indexOf(column);
    this.head.children[at].querySelector('button').focus();
    this.show(this.rows);
    this.options.onsort?.(this.sort);
  }

  /** @param {Row[]} rows */
  show(rows) {
    const down = this.sort.startsWith('-');
    const column = this.options.columns.find(({ id }) => id === this.sort.replace(/^-/, ''));
    const { value } = column ?? {};
    this.rows = value
      ? rows.map((row) => ({ row, by: value(row) })).sort((a, b) => {
        if (a.by === null || b.by === null) return Number(a.by === null) - Number(b.by === null);
        const order = a.by < b.by ? -1 : a.by > b.by ? 1 : 0;
        return down ? -order : order;
      }).map(({ row }) => row)
      : rows;
    this.none.hidden = rows.length > 0;
    this.table.hidden = rows.length === 0;
    this.element.classList.toggle('long', this.virtual);
    this.place();
  }

  /** Puts the rows, or those in view, into the document; one that did not change stays. */
  place() {
    const from = this.virtual
      ? Math.max(0, Math.floor(this.element.scrollTop / rowHeight) - spare)
      : 0;
    const seen = Math.ceil((this.element.clientHeight || 800) / rowHeight) + 2 * spare;
    const to = this.virtual ? Math.min(this.rows.length, from + seen) : this.rows.length;
    const next = new Map();
    for (let i = from; i < to; i++) {
      const row = this.rows[i];
      const key = this.options.key(row);
      const known = this.drawn.get(key);
      const element = known?.row === row ? known.element : this.draw(row, known?.element);
      if (this.virtual) element.setAttribute('aria-rowindex', String(i + 2));
      next.set(key, { row, element });
    }
    this.drawn = next;
    const elements = [...next.values()].map(({ element }) => element);
    const above = this.filler(from);
    const below = this.filler(this.rows.length - to);
    this.table.setAttribute('aria-rowcount', String(this.rows.length + 1));
    const wanted = [above, ...elements, below].filter(Boolean);
    const staying = new Set(wanted);
    for (const child of [...this.body.children]) if (!staying.has(child)) child.remove();
    wanted.forEach((element, at) => {
      if (this.body.children[at] !== element) {
        this.body.insertBefore(element, this.body.children[at] ?? null);
      }
    });
  }

  /** Room for rows that are not in the document. @param {number} rows */
  filler(rows) {
    if (rows <= 0) return null;
    const cell = h('td', { colspan: String(this.options.columns.length) });
    cell.style.height = `${rows * rowHeight}px`;
    return h('tr.filler', { 'aria-hidden': 'true' }, cell);
  }

  /** @param {Row} row @param {HTMLElement} [old] keeps its place and focus */
  draw(row, old) {
    const cells = this.options.columns.map((column) =>
      h(column.number ? 'td.number' : 'td', column.cell(row))
    );
    // The cell in focus stays when numbers around it change.
    const focused = old?.contains(document.activeElement)
      ? [...old.querySelectorAll('a, button')].indexOf(
        /** @type {Element} */ (document.activeElement),
      )
      : -1;
    const element = old ?? h('tr');
    fill(element, cells);
    if (focused >= 0) {
      requestAnimationFrame(() => element.querySelectorAll('a, button')[focused]?.focus());
    }
    return element;
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const by = { j: 1, k: -1 }[event.key];
    // Of several tables, j and k walk the one in focus, else the first.
    const focused = document.activeElement?.closest?.('.table');
    const mine = (focused ?? document.querySelector('main .table')) === this.element;
    if (!by || typing(event) || !mine || !this.rows.length) return;
    const lines = [...this.drawn.values()].map(({ element }) => element);
    const at = lines.findIndex((line) => line.contains(document.activeElement));
    const next = lines[at < 0 ? 0 : Math.max(0, Math.min(lines.length - 1, at + by))];
    const link = /** @type {HTMLElement | null} */ (next?.querySelector('a, button'));
    link?.focus();
    link?.scrollIntoView({ block: 'nearest' });
    event.preventDefault();
  }
}
