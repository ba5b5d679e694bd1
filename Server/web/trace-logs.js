// SPDX-License-Identifier: Apache-2.0
// The events of all spans of a trace in the order of their times, and the trace as it was sent.
import { dyeClass } from './colors.js';
import { copyButton, fill, h, icon } from './dom.js';
import { clipped, named, signed } from './format.js';
import { errorNotice } from './notice.js';
import { t } from './texts.js';

/** Larger traces are read when that is asked for: a span is about 700 bytes of JSON. */
const readBelow = 20_000;
const eventsShown = 200;
/** Characters that are shown; a document with more of them is slow to lay out. */
const textShown = 400_000;
/** Of one event in the list; all of it is in the panel of its span. */
const messageShown = 2000;
const tagShown = 300;

/** A value of OTLP JSON as people read it. @param {any} value @returns {string} */
export function valueText(value) {
  if (!value) return '';
  const [kind, inner] = Object.entries(value)[0] ?? ['', ''];
  if (kind === 'arrayValue') {
    return `[${(/** @type {any} */ (inner).values ?? []).map(valueText).join(', ')}]`;
  }
  if (kind === 'kvlistValue') {
    const pairs = (/** @type {any} */ (inner).values ?? [])
      .map((/** @type {any} */ pair) => `${pair.key}: ${valueText(pair.value)}`);
    return `{${pairs.join(', ')}}`;
  }
  return String(inner);
}

/** Every event with its span. @param {any} document OTLP JSON */
export function eventsOf(document) {
  const events = [];
  for (const resource of document.resourceSpans ?? []) {
    const service = resource.resource?.attributes
      ?.find((/** @type {any} */ one) => one.key === 'service.name')?.value?.stringValue ?? '';
    for (const scope of resource.scopeSpans ?? []) {
      for (const span of scope.spans ?? []) {
        for (const event of span.events ?? []) {
          events.push({ event, span, service, at: BigInt(event.timeUnixNano ?? '0') });
        }
      }
    }
  }
  return events.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
}

/** Reads the whole trace, after asking when it is large.
 * @param {import('./trace-page.js').TracePage} page @param {HTMLElement} element
 * @param {(document: any) => void} show */
function reading(page, element, show) {
  const read = async () => {
    fill(element, h('p.loading', { role: 'status' }, t('view.loading')));
    try {
      page.document ??= await page.source.whole(page.signal);
      show(page.document);
    } catch (error) {
      if (!page.signal.aborted) fill(element, errorNotice(error, read));
    }
  };
  if (page.trace.n < readBelow || page.document) return read();
  fill(
    element,
    h(
      'p.none',
      t('logs.large', { n: page.trace.n, size: Math.ceil((page.trace.n * 700) / 1e6) }),
      ' ',
      h('button', { type: 'button', onclick: read }, t('logs.read')),
    ),
  );
}

/** @param {import('./trace-page.js').TracePage} page */
export function view(page) {
  const element = h('div.view-body');
  reading(page, element, (document) => {
    const events = eventsOf(document);
    if (!events.length) return fill(element, h('p.none', t('logs.none')));
    const list = h('ol.logs');
    const more = h('button', { type: 'button' });
    let shown = 0;
    const show = () => {
      const next = events.slice(shown, shown + eventsShown);
      list.append(...next.map((entry) => logLine(page, entry)));
      shown += next.length;
      more.hidden = shown >= events.length;
      more.textContent = t('logs.more', { shown, n: events.length });
    };
    more.addEventListener('click', show);
    fill(element, list, more);
    show();
  });
  return { element };
}

/** @param {import('./trace-page.js').TracePage} page @param {any} entry */
function logLine(page, { event, span, service, at }) {
  const bad = event.name === 'exception';
  const attributes = /** @type {any[]} */ (event.attributes ?? []);
  const value = (/** @type {string} */ key) =>
    valueText(attributes.find((one) => one.key === key)?.value);
  const rest = attributes.filter((one) => !bad || !one.key.startsWith('exception.'));
  const offset = Number(at - BigInt(page.trace.t0));
  return h(
    bad ? 'li.bad' : 'li',
    null,
    h('time', signed(offset)),
    h(
      `button.inline.log-span.${dyeClass(service)}`,
      { type: 'button', title: t('logs.lead'), onclick: () => page.selectById(span.spanId, -1) },
      h('i.dot'),
      named(span.name),
      h('small', service),
    ),
    h(
      'div',
      bad ? icon('error') : null,
      h('b', clipped(named((bad && value('exception.type')) || event.name), tagShown)),
      bad ? h('span', ` ${clipped(value('exception.message'), messageShown)}`) : null,
      rest.map((one) =>
        h('span.log-tag', clipped(`${one.key}=${valueText(one.value)}`, tagShown))
      ),
      value('exception.stacktrace')
        ? h(
          'details',
          h('summary', t('logs.stack')),
          h('pre', value('exception.stacktrace').slice(0, 20_000)),
        )
        : null,
    ),
  );
}

/** @param {import('./trace-page.js').TracePage} page */
export function json(page) {
  const element = h('div.view-body');
  reading(page, element, (document) => {
    const text = JSON.stringify(document, null, 2);
    fill(
      element,
      h(
        'div.view-head',
        copyButton(() => text, t('json.copy'), t('json.copy')),
        text.length > textShown
          ? h('span.says', t('json.part', { n: textShown, all: text.length }))
          : null,
      ),
      h('pre.document', { tabindex: '0', 'aria-label': t('view.json') }, text.slice(0, textShown)),
    );
  });
  return { element };
}
