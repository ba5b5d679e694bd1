// SPDX-License-Identifier: Apache-2.0
// The head of the trace page: title, facts, services, folding.
import { traceJSONAddress } from './api.js';
import { dyeClass } from './colors.js';
import { copyButton, h, icon } from './dom.js';
import { count, duration, moment, named } from './format.js';
import { t } from './texts.js';
import { tool } from './trace-bar.js';
import { serviceCounts } from './trv1.js';

/**
 * Makes the head; its legend and the place of what the server counts are handed to the page as well.
 * @param {import('./trace-page.js').TracePage} page
 */
export function traceHead(page) {
  const { trace, timeline } = page;
  const services = serviceCounts(trace);
  const nanos = trace.total * trace.unit;
  const facts = [
    t('unit.spans', { n: trace.n }),
    t('unit.services', { n: services.length }),
    t('unit.levels', { n: trace.maxDepth + 1 }),
  ];
  const service = named(trace.services[trace.service[0]]);
  const operation = named(trace.names[trace.name[0]]);
  timeline.element.setAttribute(
    'aria-description',
    t('trace.grid.summary', {
      service,
      operation,
      duration: duration(nanos),
      spans: facts[0],
      services: facts[1],
      errors: t('unit.errors', { n: trace.errors }),
    }),
  );
  const legend = services.map((entry) =>
    h(
      `button.chip.${dyeClass(entry.name)}`,
      {
        type: 'button',
        'aria-pressed': 'false',
        title: t('trace.service.only', { service: entry.name }),
        'data-service': String(entry.index),
        onclick: () => page.bringOut(entry.index),
      },
      h('i.dot'),
      h('span.chip-name', named(entry.name)),
      h('small', count(entry.spans)),
      entry.errors ? icon('error') : null,
    )
  );
  const counted = h('span.more-facts');
  const element = h(
    'header.trace-head',
    h(
      'div.title-line',
      h('a.crumb', { href: page.back }, icon('back'), t('trace.back')),
      h('h1', h('span.service', service), ' ', operation),
      copyButton(() => trace.traceId, t('trace.copy.id'), `${shortId(trace.traceId)}…`),
      doings(trace.traceId, page.source.stored),
    ),
    h(
      'div.facts-line',
      { role: 'group', 'aria-label': t('trace.facts') },
      h('b.total', duration(nanos)),
      facts.map((text) => h('span', text)),
      trace.errors
        ? h(
          'button.failed',
          {
            type: 'button',
            title: `${t('trace.errors.next')} (e)`,
            onclick: () => page.nextError(1),
          },
          icon('error'),
          t('unit.errors', { n: trace.errors }),
        )
        : h('span', t('unit.errors', { n: 0 })),
      counted,
      h('span.moment', moment(trace.t0).slice(0, -3)),
    ),
    h(
      'div.tool-line',
      h('div.legend', { role: 'group', 'aria-label': t('trace.services') }, legend),
      page.finder.element,
      h(
        'div.fold-tools',
        tool('fold', t('trace.collapse'), 'C', () => timeline.foldAll(true)),
        tool('unfold', t('trace.expand'), 'X', () => timeline.foldAll(false)),
        tool(
          'reset',
          t('trace.zoom.reset'),
          '0',
          () => timeline.setView(0, trace.total),
        ),
      ),
    ),
  );
  return { element, legend, counts: counted };
}

/** The beginning of an id, without the zeros before one of 64 bits. @param {string} id */
export const shortId = (id) => id.replace(/^0{16}/, '').slice(0, 8);

/** What else can be done with a trace. @param {string} id @param {boolean} stored */
function doings(id, stored) {
  const file = h(
    'a.quiet.button',
    { href: '/trace/file', title: t('trace.file.label') },
    icon('up'),
    t('trace.file'),
  );
  if (!stored) return h('div.head-doings', file);
  const download = (/** @type {string} */ format, /** @type {string} */ ending) =>
    h(
      'a.quiet.button',
      {
        href: `${traceJSONAddress(id)}${format}`,
        download: `${id}.${ending}`,
        title: t('trace.download', { format: ending }),
      },
      icon('down'),
      ending === 'json' ? 'JSON' : 'Protobuf',
    );
  return h(
    'div.head-doings',
    h(
      'a.quiet.button',
      { href: `/compare?a=${id}`, title: t('trace.compare.label') },
      icon('table'),
      t('trace.compare'),
    ),
    file,
    download('', 'json'),
    download('?format=protobuf', 'pb'),
  );
}
