// SPDX-License-Identifier: Apache-2.0
// Everything known of one span. Long values and long lists open on demand, so that a heavy span
// stays quick.
import { dyeClass } from './colors.js';
import { copyButton, fill, h, icon } from './dom.js';
import { wordOf } from './find-stored.js';
import { count, duration, moment, named, signed, spanLength } from './format.js';
import { tagSearch } from './question.js';
import { linksHere } from './panel-back.js';
import { elsewhere } from './panel-links.js';
import { standing } from './panel-standing.js';
import { percentText } from './scale.js';
import { t } from './texts.js';
import { ownTime } from './trv1.js';

const longValue = 600;
const longList = 60;
/** Tags of other types than these are not found by text. */
const searchable = new Set(['string', 'bool', 'int', 'double']);

/** Values as people read them. @param {any} attribute @returns {string} */
function shown(attribute) {
  const { value } = attribute;
  return typeof value === 'object' && value !== null
    ? JSON.stringify(value, null, 1)
    : String(value);
}

/** Keys may break after their dots rather than within words. @param {string} key */
const breakable = (key) =>
  key.split(/(?<=[._/])/).flatMap((part) => [part, document.createElement('wbr')]);

/** @param {string} text @returns {any} */
function valueNode(text) {
  if (text.length <= longValue) return h('span.value', text);
  const node = h('span.value', { tabindex: '-1' }, `${text.slice(0, longValue)}…`);
  const button = h('button.inline', { type: 'button' }, t('span.whole'));
  button.addEventListener('click', () => {
    node.textContent = text;
    button.remove();
    node.focus();
  });
  return [node, button];
}

/**
 * Items up to the limit, and a button for the rest.
 * @template T
 * @param {T[]} items
 * @param {(item: T) => any} draw
 * @param {any} host
 */
function capped(items, draw, host) {
  fill(host, items.slice(0, longList).map(draw));
  if (items.length <= longList) return host;
  const button = h('button.inline', { type: 'button' }, t('span.more', { n: items.length }));
  button.addEventListener('click', () => {
    button.remove();
    host.append(...items.slice(longList).map(draw));
    host.children[longList].querySelector('a, button')?.focus();
  });
  host.append(button);
  return host;
}

/**
 * @param {any[]} attributes
 * @param {string | null} near start of the span when its tags can be searched for
 * @param {((text: string) => void) | null} [within] looks for a tag in this trace
 */
function table(attributes, near, within = null) {
  const sorted = [...attributes].sort((a, b) => a.key.localeCompare(b.key));
  return capped(sorted, (attribute) => {
    const text = shown(attribute);
    const tag = `${attribute.key}=${text}`;
    const long = text.length > longValue;
    const find = near !== null && !long && searchable.has(attribute.type)
      ? h('a.copy', {
        href: tagSearch(attribute.key, text, near),
        title: t('span.search', { tag }),
        'aria-label': t('span.search', { tag }),
      }, icon('search'))
      : null;
    return h(
      'div.attribute',
      h('dt', breakable(attribute.key)),
      h(
        `dd.type-${attribute.type}`,
        valueNode(text),
        h(
          'span.doings',
          within && !long && searchable.has(attribute.type) && !/[\s"=!<>~]/.test(attribute.key)
            ? h('button.copy', {
              type: 'button',
              title: t('span.within', { tag }),
              'aria-label': t('span.within', { tag }),
              onclick: () => within(`${attribute.key}=${wordOf(text)}`),
            }, icon('fold'))
            : null,
          find,
          copyButton(() => text, t('span.copy', { key: attribute.key })),
        ),
      ),
    );
  }, h('dl.attributes'));
}

/** The reading of an exception: its type and message first, its stack as it was written.
 *  @param {any[]} attributes */
function exception(attributes) {
  const value = (/** @type {string} */ name) => {
    const found = attributes.find((one) => one.key === `exception.${name}`);
    return found ? shown(found) : '';
  };
  const stack = value('stacktrace');
  return [
    h('p.exception', h('b', value('type')), ' ', valueNode(value('message'))),
    stack ? h('pre.stack', { tabindex: '0', 'aria-label': t('logs.stack') }, stack) : null,
  ];
}

/** @param {string} title @param {number | null} n @param {any} body @param {boolean} [open] */
function section(title, n, body, open = true) {
  return h(
    'details.section',
    { open },
    h('summary', icon('right'), title, n === null ? null : h('small', count(n))),
    body,
  );
}

/** @param {any} span @param {any} event */
function eventNode(span, event) {
  const offset = Number(BigInt(event.timeUnixNano) - BigInt(span.startTimeUnixNano));
  const bad = event.name === 'exception';
  const told = new Set(['exception.type', 'exception.message', 'exception.stacktrace']);
  const rest = event.attributes.filter((/** @type {any} */ one) => !bad || !told.has(one.key));
  return h(
    bad ? 'li.event.bad' : 'li.event',
    null,
    h(
      'header',
      bad ? icon('error') : null,
      h('b', named(event.name)),
      h('time', signed(offset)),
    ),
    bad ? exception(event.attributes) : null,
    rest.length ? table(rest, span.startTimeUnixNano) : null,
  );
}

/** @param {any} link */
const linkNode = (link) =>
  h(
    'li.event',
    h(
      'header',
      icon('link'),
      h(
        'a.mono',
        { href: `/trace/${link.traceId}?sel=${link.spanId}` },
        `${link.traceId.slice(0, 16)}… / ${link.spanId}`,
      ),
    ),
    link.attributes?.length ? table(link.attributes, null) : null,
  );

/** @param {string} label @param {string} text */
const identity = (label, text) =>
  h(
    'div.attribute',
    h('dt', label),
    h(
      'dd',
      h('span.value.mono', text),
      h('span.doings', copyButton(() => text, t('span.copy', { key: label }))),
    ),
  );

/** @param {number} n */
const dropped = (n) => (n > 0 ? h('p.note', t('span.dropped', { n })) : null);

export class Panel {
  /**
   * @param {import('./trv1.js').Trace} trace
   * @param {{ close: () => void, zoom: (row: number) => void, parent: (row: number) => void,
   *   find: (text: string) => void, stored: boolean,
   *   standing: (row: number, signal: AbortSignal) => Promise<any> }} on
   */
  constructor(trace, on) {
    this.trace = trace;
    this.on = on;
    this.body = h('div.panel-body');
    this.element = h(
      'aside.panel',
      { 'aria-label': t('span.panel'), hidden: true, tabindex: '-1' },
      this.body,
    );
  }

  hide() {
    this.showing?.abort();
    this.element.hidden = true;
  }

  /** What the columns say already, before the rest of the span arrives. @param {number} row */
  preview(row) {
    const { trace } = this;
    const same = !this.element.hidden;
    this.element.hidden = false;
    fill(this.body, this.head(row, null), h('p.quiet-note', { role: 'status' }, t('span.loading')));
    if (same) this.body.scrollTop = 0;
    this.element.className = `panel ${dyeClass(trace.services[trace.service[row]])}`;
  }

  /** @param {number} row @param {any} span */
  show(row, span) {
    this.showing?.abort();
    this.showing = new AbortController();
    const { signal } = this.showing;
    const stands = h('div.standing-host');
    fill(this.body, this.head(row, span), stands, this.sections(span, signal));
    this.body.scrollTop = 0;
    if (!this.on.stored) return;
    this.on.standing(row, signal).then(
      (answer) => !signal.aborted && fill(stands, standing(answer)),
      // Without it the span is as good.
      () => {},
    );
  }

  /** @param {number} row @param {Error} error */
  fail(row, error) {
    fill(
      this.body,
      this.head(row, null),
      h('div.strip.bad', { role: 'alert' }, icon('warning'), error.message || t('error.server')),
    );
  }

  /** @param {number} row @param {any} span */
  head(row, span) {
    const { trace } = this;
    let own = 0;
    ownTime(trace, row, (a, b) => {
      own += b - a;
    });
    const unit = trace.unit;
    const share = (/** @type {number} */ part) =>
      t('span.share', { percent: percentText(part / trace.total) });
    const fact = (
      /** @type {string} */ label,
      /** @type {string} */ value,
      /** @type {string} */ small,
    ) =>
      h(
        'div',
        h('dt', label),
        h('dd', h('b', value), h('small', small)),
      );
    const kind = span?.kind ?? null;
    return h(
      'header.panel-head',
      h(
        'div.panel-tools',
        h(
          'span.service',
          h('i.dot'),
          h('span', named(trace.services[trace.service[row]])),
          kind ? h('small', t(`span.kind.${kind}`)) : null,
        ),
        h('button.quiet.round', {
          type: 'button',
          title: `${t('span.zoom')} (z)`,
          'aria-label': t('span.zoom'),
          onclick: () => this.on.zoom(row),
        }, icon('search')),
        h('button.quiet.round', {
          type: 'button',
          title: `${t('app.close')} (esc)`,
          'aria-label': t('app.close'),
          onclick: () => this.on.close(),
        }, icon('close')),
      ),
      h('h2', named(trace.names[trace.name[row]])),
      h(
        'dl.facts',
        fact(
          t('span.duration'),
          span
            ? duration(Number(BigInt(span.endTimeUnixNano) - BigInt(span.startTimeUnixNano)))
            : spanLength(trace.duration[row], unit),
          share(trace.duration[row]),
        ),
        fact(t('span.own'), spanLength(own, unit), share(own)),
        fact(
          t('span.start'),
          signed(trace.start[row] * unit),
          span ? moment(span.startTimeUnixNano).slice(11) : ' ',
        ),
      ),
    );
  }

  /** @param {any} span @param {AbortSignal} signal */
  sections(span, signal) {
    const within = (/** @type {string} */ text) => this.on.find(text);
    const failed = span.status?.code === 'error';
    return [
      failed
        ? h(
          'div.strip.bad',
          icon('error'),
          h('div', valueNode(span.status.message || t('span.failed'))),
        )
        : null,
      span.warnings?.length
        ? h('div.strip.warn', icon('warning'), span.warnings.join(' · '))
        : null,
      section(t('span.attributes'), span.attributes.length, [
        table(span.attributes, span.startTimeUnixNano, within),
        dropped(span.droppedAttributes),
      ]),
      span.events.length || span.droppedEvents
        ? section(t('span.events'), span.events.length, [
          capped(span.events, (event) => eventNode(span, event), h('ol.events')),
          dropped(span.droppedEvents),
        ])
        : null,
      span.links.length || span.droppedLinks
        ? section(t('span.links'), span.links.length, [
          capped(span.links, linkNode, h('ol.events')),
          dropped(span.droppedLinks),
        ])
        : null,
      section(
        t('span.resource'),
        span.resource.length,
        table(span.resource, span.startTimeUnixNano, within),
        failed === false,
      ),
      this.on.stored ? section(t('span.back'), null, linksHere(span, signal), false) : null,
      section(t('span.elsewhere'), null, elsewhere(span), true),
      section(
        t('span.identity'),
        null,
        h(
          'dl.attributes',
          identity(t('span.id'), span.spanId),
          span.parentSpanId ? identity(t('span.parent'), span.parentSpanId) : null,
          identity(t('span.trace'), span.traceId),
          identity(t('span.began'), moment(span.startTimeUnixNano)),
          identity(t('span.ended'), moment(span.endTimeUnixNano)),
          span.scope?.name
            ? identity(t('span.scope'), `${span.scope.name} ${span.scope.version ?? ''}`.trim())
            : null,
          span.traceState ? identity(t('span.state'), span.traceState) : null,
        ),
        false,
      ),
    ];
  }
}
