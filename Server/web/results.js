// SPDX-License-Identifier: Apache-2.0
// The list of traces: one link a trace, bars relative to the longest shown.
import { dyeClass } from './colors.js';
import { h, icon } from './dom.js';
import { ago, clock, count, day, duration } from './format.js';
import { t } from './texts.js';

const chipLimit = 7;
/** The server names no more than this many matching spans of a trace. */
const matchesNamed = 3;

export class ResultList {
  constructor() {
    /** @type {any[]} */
    this.traces = [];
    /** @type {Map<string, { item: HTMLElement, drawn: string }>} */
    this.items = new Map();
    this.longest = 1;
    /** Called with a trace that is to be marked. @type {(id: string) => void} */
    this.onmark = () => {};
    /** Whether the question was about spans, so that rows name and lead to those that match. */
    this.showsMatches = false;
    this.element = h('ol.traces', { 'aria-label': t('search.list') });
  }

  /**
   * Shows these traces; items that stay keep their element, so that focus and hover stay too.
   * @param {any[]} traces @param {{ arriving?: boolean }} [how] whether new ones slide in
   */
  show(traces, { arriving = false } = {}) {
    this.traces = traces;
    this.longest = traces.reduce((most, trace) => Math.max(most, Number(trace.durationNanos)), 1);
    const next = new Map();
    for (const trace of traces) {
      const drawn = JSON.stringify([trace, dyeClass(trace.rootService), this.showsMatches]);
      const known = this.items.get(trace.traceId);
      const entry = known?.drawn === drawn ? known : { item: this.draw(trace), drawn };
      if (arriving && !known) entry.item.classList.add('fresh');
      /** @type {HTMLElement} */ (entry.item.querySelector('.fill')).style.width = `${
        Math.max(0.4, (Number(trace.durationNanos) / this.longest) * 100)
      }%`;
      next.set(trace.traceId, entry);
    }
    this.items = next;
    this.place([...next.values()].map((entry) => entry.item));
    this.refreshTimes();
  }

  /** Puts the items in order, touching only those that moved. @param {HTMLElement[]} items */
  place(items) {
    const staying = new Set(items);
    for (const child of [...this.element.children]) if (!staying.has(child)) child.remove();
    items.forEach((item, index) => {
      if (this.element.children[index] !== item) {
        this.element.insertBefore(item, this.element.children[index] ?? null);
      }
    });
  }

  scale() {
    return duration(this.longest);
  }

  /** @param {any} trace @returns {HTMLElement} */
  draw(trace) {
    const matched = this.showsMatches ? trace.matchedSpanIds ?? [] : [];
    const select = matched.length ? `?sel=${matched[0]}` : '';
    const errors = trace.errorCount;
    const chips = trace.services.slice(0, chipLimit).map((/** @type {any} */ service) =>
      h(
        `span.chip.${dyeClass(service.name)}`,
        h('i.dot'),
        h('span.chip-name', service.name),
        h('small', count(service.spanCount)),
        service.errorCount ? icon('error') : null,
      )
    );
    const hidden = trace.services.length - chipLimit;
    return h(
      'li',
      { 'data-id': trace.traceId },
      h('button.pick', {
        type: 'button',
        title: t('search.mark'),
        'aria-label': t('search.mark'),
        'aria-pressed': 'false',
        onclick: () => this.onmark(trace.traceId),
      }),
      h(
        `a.trace.${dyeClass(trace.rootService ?? '')}`,
        { href: `/trace/${trace.traceId}${select}` },
        h('span.when', h('b', clock(trace.startTimeUnixNano)), h('small', '')),
        h(
          'span.what',
          h(
            'span.title',
            h('span.service', trace.rootService || t('search.unknown.root')),
            ' ',
            h('b', trace.rootOperation || trace.traceId.slice(0, 16)),
          ),
          h(
            'span.chips',
            chips,
            hidden > 0 ? h('span.chip', `+${hidden}`) : null,
            matched.length
              ? h(
                'span.matched',
                t('search.matched', {
                  n: matched.length < matchesNamed ? matched.length : `${matchesNamed}+`,
                }),
              )
              : null,
          ),
        ),
        h(
          'span.counts',
          h('span', t('unit.spans', { n: trace.spanCount })),
          errors ? h('span.failed', icon('error'), t('unit.errors', { n: errors })) : null,
        ),
        h(
          'span.length',
          h('span.value', duration(Number(trace.durationNanos))),
          h('span.track', h(errors ? 'i.fill.bad' : 'i.fill')),
        ),
      ),
    );
  }

  /** @param {string[]} ids those that are marked to be compared, in their order */
  mark(ids) {
    for (const [id, { item }] of this.items) {
      const at = ids.indexOf(id);
      const button = /** @type {HTMLElement} */ (item.firstElementChild);
      button.textContent = 'AB'[at] ?? '';
      button.setAttribute('aria-pressed', String(at >= 0));
    }
  }

  /** @returns {string | undefined} the trace in focus */
  current() {
    const item = document.activeElement?.closest('.traces li');
    return item?.getAttribute('data-id') ?? undefined;
  }

  refreshTimes() {
    const today = new Date().toDateString();
    for (const trace of this.traces) {
      const label = this.items.get(trace.traceId)?.item.querySelector('.when small');
      const date = new Date(Number(BigInt(trace.startTimeUnixNano) / 1_000_000n));
      const text = date.toDateString() === today
        ? ago(trace.startTimeUnixNano)
        : day(trace.startTimeUnixNano);
      if (label && label.textContent !== text) label.textContent = text;
    }
  }

  focused() {
    return this.element.contains(document.activeElement);
  }

  /** Moves the focus, from outside to the first. @param {number} by */
  move(by) {
    const links = /** @type {HTMLElement[]} */ ([...this.element.querySelectorAll('a.trace')]);
    const at = links.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    const next = at < 0 ? 0 : Math.min(links.length - 1, Math.max(0, at + by));
    links[next]?.focus();
    links[next]?.scrollIntoView({ block: 'nearest' });
  }
}
