// SPDX-License-Identifier: Apache-2.0
// Which ways the calls of a service or an operation go: distinct trees with their share and latency,
// each beside the most frequent one.
import * as api from './api.js';
import { dress, dyeClass, shortHash } from './colors.js';
import { fill, h } from './dom.js';
import { compact, count, duration } from './format.js';
import { link } from './range.js';
import { percentText } from './scale.js';
import { disclosure, Section } from './section.js';
import { t } from './texts.js';

/** Calls named in the line of a tree. */
const namedMost = 3;

/** @param {AbortSignal} signal @param {() => Record<string, any>} asked */
export function callTrees(signal, asked) {
  const list = h('ol.trees');
  return new Section(t('trees.title'), {
    signal,
    ask: (signal) => api.ofService('call-trees', asked(), signal),
    body: list,
    show({ trees, treeCount, traceCount, callCount, olderTraces }) {
      dress(trees.flatMap((/** @type {any} */ tree) => tree.lines.map(serviceOf)));
      const parts = () => [...list.querySelectorAll('a, summary')];
      const focused = parts().indexOf(document.activeElement);
      fill(
        list,
        trees.map((/** @type {any} */ tree) => item(tree, trees[tree.usual])),
        trees.length ? null : h('li.none', t('trees.none')),
      );
      parts()[focused]?.focus();
      const calls = count(callCount);
      return {
        says: trees.length && t(olderTraces ? 'trees.newest' : 'trees.of', { calls, n: traceCount }),
        left: treeCount - trees.length,
      };
    },
  });
}

/** @param {any} line */
const serviceOf = ({ service }) => service;

/** @param {any} tree @param {any} usual what it is compared with */
function item(tree, usual) {
  const { share, callCount, errorCount, typical, slowest, lines, lineCount } = tree;
  const fact = (/** @type {string} */ name, /** @type {any} */ text, spec = 'span') =>
    h(spec, h('small', `${name} `), text);
  const to = (/** @type {any} */ { traceId, spanId, durationNanos }, /** @type {string} */ name) =>
    h(
      'a',
      { href: link(`/trace/${traceId}`, { sel: spanId }) },
      t(`trees.${name}`, { duration: duration(Number(durationNanos)) }),
    );
  const [root] = lines;
  const bar = h('i');
  bar.style.width = `${share * 100}%`;
  const name = shortHash(
    JSON.stringify(lines.map((/** @type {any} */ l) => [l.parent, l.service, l.operation])),
  );
  return h(
    `li.${dyeClass(root.service)}`,
    h(
      'div.tree-head',
      h('span.tree-share', { 'aria-hidden': 'true' }, bar),
      h('b', percentText(share)),
      fact(t('trees.calls'), compact(callCount)),
      fact(t('red.errors'), percentText(errorCount / callCount), errorCount ? 'span.bad' : 'span'),
      fact('p50', duration(Number(tree.p50Nanos))),
      fact('p99', duration(Number(tree.p99Nanos))),
      to(typical, 'typical'),
      slowest.traceId !== typical.traceId && to(slowest, 'slowest'),
      usual && usual.typical.traceId !== typical.traceId && h(
        'a',
        { href: link('/compare', { a: usual.typical.traceId, b: typical.traceId }) },
        t('trees.compare'),
      ),
    ),
    disclosure(
      'tree',
      name,
      [
        h('span.name', h('i.dot'), h('b', root.operation)),
        usual ? difference(tree) : h('span.chip', t('trees.usual')),
        h('small.faint', t('trees.show', { n: lineCount })),
      ],
      h('ul.tree-lines', lineItems(tree)),
    ),
  );
}

/** What a tree has that the usual one has not, and what it lacks. @param {any} tree */
function difference({ lines, missing }) {
  const extra = lines.filter((/** @type {any} */ line) => line.extra && !lines[line.parent].extra);
  const left = Math.max(0, extra.length - namedMost) + Math.max(0, missing.length - namedMost);
  const chips = (/** @type {any[]} */ list, /** @type {string} */ kind, /** @type {string} */ sign) =>
    list.slice(0, namedMost).map(({ service, operation }) =>
      h(
        `span.chip.${kind}`,
        { title: t(`trees.${kind}`) },
        h('span.offscreen', t(`trees.${kind}`)),
        `${sign} ${service} `,
        h('b', operation),
      )
    );
  return [
    chips(extra, 'extra', '+'),
    chips(missing, 'missing', '−'),
    left ? h('small.faint', t('list.more', { n: left })) : null,
  ];
}

/** @param {any} tree */
function lineItems({ lines, lineCount }) {
  /** @type {number[]} */
  const depths = [];
  const left = lineCount - lines.length;
  return [
    lines.map((/** @type {any} */ line) => {
      const { parent, service, operation, fewest, most, errorCount, extra } = line;
      const depth = (depths[parent] ?? -1) + 1;
      depths.push(depth);
      const times = fewest < most ? `${fewest}–${most}` : most;
      const element = h(
        `li.${dyeClass(service)}${extra ? '.extra' : ''}`,
        h('i.dot'),
        `${service} `,
        h('b', operation),
        most > 1 && h('small', ` ×${times}`),
        errorCount > 0 && h('small.bad', ` ${t('trees.errors', { n: errorCount })}`),
      );
      element.style.paddingLeft = `${Math.min(depth, 24) * 18 + 6}px`;
      return element;
    }),
    left ? h('li.faint', t('list.more', { n: left })) : null,
  ];
}
