// SPDX-License-Identifier: Apache-2.0
// The call paths of a trace: spans of one operation reached the same way are one line, indented
// below its caller.
import { dyeClass } from './colors.js';
import { fill, h } from './dom.js';
import { errorNotice } from './notice.js';
import { count, duration, named } from './format.js';
import { Table } from './table.js';
import { t } from './texts.js';

/** Deeper paths are indented no further. */
const deepest = 24;

/**
 * Nodes that name their parent by number, callers before callees and each with its depth.
 * @template {{ parent: number | null }} Node
 * @param {Node[]} nodes
 * @returns {(Node & { depth: number, at: number })[]}
 */
export function inTreeOrder(nodes) {
  /** @type {number[][]} */
  const children = nodes.map(() => []);
  const roots = /** @type {number[]} */ ([]);
  nodes.forEach(({ parent }, at) => {
    if (parent === null || parent === at || !children[parent]) roots.push(at);
    else children[parent].push(at);
  });
  const ordered = [];
  const waiting = roots.reverse().map((at) => ({ at, depth: 0 }));
  while (waiting.length) {
    const { at, depth } = /** @type {{ at: number, depth: number }} */ (waiting.pop());
    ordered.push({ ...nodes[at], depth, at });
    for (const child of children[at].reverse()) waiting.push({ at: child, depth: depth + 1 });
  }
  return ordered;
}

/** The cell of a path's name. @param {any} node @param {any} name */
export const pathCell = (node, name) => {
  const cell = h(`span.path-name.${dyeClass(node.service)}`, h('i.dot'), name);
  cell.style.paddingLeft = `${Math.min(deepest, node.depth) * 16}px`;
  return cell;
};

/** @param {any} node */
const perCaller = (node) => {
  const calls = node.count / node.callerCount;
  return ` ×${Number.isInteger(calls) ? count(calls) : calls.toFixed(1)}`;
};

/** @param {import('./trace-page.js').TracePage} page */
export function view(page) {
  const element = h('div.view-body', h('p.loading', { role: 'status' }, t('view.loading')));
  const { trace, signal } = page;
  const length = trace.total * trace.unit;
  /** Two lengths in one bar: on the critical path, and in all. @param {any} node */
  const bar = (node) => {
    const whole = h('i.path-whole');
    const own = h('i.path-own');
    whole.style.width = `${Math.min(100, (Number(node.totalNanos) / node.count / length) * 100)}%`;
    own.style.width = `${Math.min(100, (Number(node.selfNanos) / node.count / length) * 100)}%`;
    return h(`span.path-bar.${dyeClass(node.service)}`, { 'aria-hidden': 'true' }, whole, own);
  };
  const nanos = (/** @type {string} */ name, /** @type {string} */ title) => ({
    id: name,
    title,
    number: true,
    cell: (/** @type {any} */ node) => duration(Number(node[name])),
  });
  const load = async () => {
    try {
      const answer = await page.source.explained('paths', signal);
      const table = new Table({
        label: t('view.paths'),
        key: (/** @type {any} */ node) => String(node.at),
        signal,
        columns: [
          {
            id: 'name',
            title: t('paths.path'),
            cell: (node) =>
              pathCell(
                node,
                h(
                  'button.inline',
                  { type: 'button', onclick: () => page.select(node.firstRow) },
                  named(node.operation),
                  h('small', node.service),
                ),
              ),
          },
          { id: 'bar', title: t('paths.each'), cell: bar },
          {
            id: 'count',
            title: t('stats.count'),
            number: true,
            cell: (node) =>
              node.callerCount > 0 && node.count > node.callerCount
                ? [count(node.count), h('small', { title: t('paths.perCaller') }, perCaller(node))]
                : count(node.count),
          },
          {
            id: 'errors',
            title: t('stats.errors'),
            number: true,
            cell: (node) => node.errorCount ? h('span.bad', count(node.errorCount)) : '0',
          },
          nanos('totalNanos', t('stats.total')),
          nanos('selfNanos', t('stats.self')),
          nanos('pathNanos', t('stats.path')),
        ],
      });
      fill(element, table.element);
      table.show(inTreeOrder(answer.nodes));
    } catch (error) {
      if (!signal.aborted) fill(element, errorNotice(error, load));
    }
  };
  load();
  return { element };
}
