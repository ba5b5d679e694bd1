// SPDX-License-Identifier: Apache-2.0
// From the server's map to what is drawn, told and listed. No DOM.
import { compact, duration } from './format.js';
import { across } from './map-view.js';
import { answering, read } from './red.js';
import { percentText, rateText } from './scale.js';
import { calls, spans } from './traceql.js';
import { t } from './texts.js';

/**
 * @typedef {import('./red.js').Reading} Reading
 * @typedef {{ callCount: number, errorCount: number, p50Nanos: string, p99Nanos: string }} Numbers
 * @typedef {Numbers & { name: string, layer: number, x: number, y: number, cycle: number | null,
 *   group: number | null }} Node
 * @typedef {Numbers & { from: number, to: number }} Edge
 * @typedef {{ name: string | null, layer: number, x: number, y: number, nodeCount: number,
 *   callCount: number }} Group
 * @typedef {{ members: number[], example: number[], edgeCount: number, callCount: number }} Cycle
 * @typedef {{ nodes: Node[], edges: Edge[], cycles: Cycle[], groups: Group[],
 *   groupEdges: { from: number, to: number, callCount: number, errorCount: number }[],
 *   focusFound: boolean, incompleteReasons: string[] }} Answer
 * @typedef {{ name: string, reading: Reading, node: Node, callers: Call[], called: Call[] }} Service
 * @typedef {{ parent: string, child: string, reading: Reading }} Call
 */

/** The key of a line between two boxes. @param {string} from @param {string} to */
export const lineKey = (from, to) => `${from}\n${to}`;

/** Groups have names of their own beside those of services. @param {Group} group */
export const groupKey = ({ name, layer }) => `${name ?? ''}/${layer}`;

/** @param {Group} group */
export const groupName = ({ name, layer }) =>
  name === null ? t('map.others', { layer: layer + 1 }) : `${name}*`;

/** @param {Numbers} numbers @param {number} seconds */
const reading = ({ callCount, errorCount, p50Nanos, p99Nanos }, seconds) =>
  read({
    callCount,
    errorCount,
    quantileNanos: [p50Nanos, p99Nanos],
    durationSumNanos: '0',
    longestNanos: '0',
  }, seconds);

/** Services and calls by name. @param {Answer} answer @param {number} seconds */
export function listed(answer, seconds) {
  /** @type {Service[]} */
  const services = answer.nodes.map((node) => ({
    name: node.name,
    reading: reading(node, seconds),
    node,
    callers: [],
    called: [],
  }));
  /** @type {Call[]} */
  const links = answer.edges.map((edge) => {
    const [from, to] = [services[edge.from], services[edge.to]];
    const call = { parent: from.name, child: to.name, reading: reading(edge, seconds) };
    from.called.push(call);
    to.callers.push(call);
    return call;
  });
  return { services, calls: links };
}

/** Who is called has spans of servers; who begins traces may not. @param {Service} service
 * @param {any} [more] */
export const spansOf = ({ name, callers }, more) =>
  spans({ service: name, kinds: callers.length ? answering : undefined, ...more });

/** @param {Call} call @param {any} [more] */
export const spansOfCall = ({ parent, child }, more) => calls(parent, child, more);

/** As short as a label. @param {Reading} one @param {boolean} [whole] with the rate */
function short({ calls: n, errors, rate, share, quantiles }, whole) {
  return [
    whole && (n ? rateText(rate) : t('map.quiet')),
    errors ? t('map.errors', { share: percentText(share) }) : null,
    quantiles[1] ? `p99 ${duration(quantiles[1])}` : null,
    !whole && !errors && !quantiles[1] ? rateText(rate) : null,
  ].filter(Boolean).join(' · ');
}

/** @param {Reading} one */
const words = (one) =>
  [
    t('map.says.calls', { n: one.calls, rate: rateText(one.rate) }),
    t('map.errors', { share: percentText(one.share) }),
    one.quantiles[1] ? `p99 ${duration(one.quantiles[1])}` : '',
  ].filter(Boolean).join(', ');

/** @typedef {import('./map-view.js').Box} Box */

/**
 * Lines between boxes, the wider the more calls.
 * @param {Box[]} boxes by the number that edges name
 * @param {{ from: number, to: number, one: Reading }[]} edges
 */
function drawnLines(boxes, edges) {
  const most = edges.reduce((high, { one }) => Math.max(high, one.calls), 1);
  const lines = edges.filter(({ from, to }) => boxes[from] && boxes[to])
    .map(({ from: a, to: b, one }) => {
      const [from, to] = [boxes[a], boxes[b]];
      const line = {
        key: lineKey(from.key, to.key),
        from,
        to,
        share: one.share,
        short: short(one),
        says: `${t('map.says.line', { from: from.name, to: to.name })}: ${words(one)}`,
        width: 1.2 + 4.3 * (Math.log1p(one.calls) / Math.log1p(most)) ** 2,
      };
      from.lines.push(line);
      if (from !== to) to.lines.push(line);
      return line;
    });
  return { boxes: boxes.filter(Boolean), lines };
}

/**
 * @param {Answer} answer @param {ReturnType<typeof listed>} lists @param {number} seconds
 * @param {{ group: string | null, all: boolean }} how a group that is open; all though there are groups
 * @returns {import('./map-view.js').Drawing}
 */
export function drawn(answer, lists, seconds, { group, all }) {
  const open = answer.groups.findIndex((one) => groupKey(one) === group);
  if (answer.groups.length && !all && open < 0) return drawnGroups(answer, seconds);
  const boxes = answer.nodes.map((node, at) => {
    if (open >= 0 && node.group !== open) return /** @type {any} */ (null);
    const { reading: one, callers, called } = lists.services[at];
    return {
      key: node.name,
      name: node.name,
      x: across(node.x),
      y: node.y,
      share: one.share,
      group: null,
      lines: [],
      short: short(one, true),
      says: `${node.name}: ${words(one)}. ` +
        t('map.says.ends', { callers: callers.length, called: called.length }),
    };
  });
  return drawnLines(
    boxes,
    answer.edges.map(({ from, to }, at) => ({ from, to, one: lists.calls[at].reading })),
  );
}

/** @param {Answer} answer @param {number} seconds */
function drawnGroups({ nodes, groups, groupEdges }, seconds) {
  const none = { p50Nanos: '0', p99Nanos: '0' };
  const boxes = groups.map((group, at) => {
    const members = nodes.filter((node) => node.group === at);
    const sum = (/** @type {'callCount' | 'errorCount'} */ name) =>
      members.reduce((total, node) => total + node[name], 0);
    const [callCount, errorCount] = [sum('callCount'), sum('errorCount')];
    const one = reading({ callCount, errorCount, ...none }, seconds);
    const size = t('unit.services', { n: group.nodeCount });
    return {
      key: groupKey(group),
      name: groupName(group),
      x: across(group.x),
      y: group.y,
      share: one.share,
      group: at,
      lines: [],
      short: `${size} · ${short(one, true)}`,
      says: `${groupName(group)}: ${size}, ${words(one)}`,
    };
  });
  return drawnLines(
    boxes,
    groupEdges.map(({ from, to, ...edge }) => ({
      from,
      to,
      one: reading({ ...edge, ...none }, seconds),
    })),
  );
}

/** A trace in which the calls of a circle follow each other, or one of its calls.
 * @param {string[]} names */
export const circle = (names) =>
  [...names, names[0]].map((service) => spans({ service })).join(' >> ');

/** @param {Reading} one */
const numbers = (one) => [one.calls, one.errors, ...one.quantiles.map((nanos) => nanos / 1e6)];
const numberNames = ['calls', 'errors', 'p50_ms', 'p99_ms'];

/** Lines of a file. @param {Service[]} services */
export const serviceLines = (services) => [
  ['service', 'layer', ...numberNames, 'callers', 'callees'],
  ...services.map(({ name, node, reading: one, callers, called }) => [
    name,
    node.layer,
    ...numbers(one),
    callers.length,
    called.length,
  ]),
];

/** Lines of a file. @param {Call[]} links */
export const callLines = (links) => [
  ['caller', 'callee', ...numberNames],
  ...links.map(({ parent, child, reading: one }) => [parent, child, ...numbers(one)]),
];

/** @param {Answer} answer */
export const summary = ({ nodes, edges }) =>
  `${t('unit.services', { n: nodes.length })} · ${
    t('map.edges', { n: edges.length, calls: compact(edges.reduce((n, e) => n + e.callCount, 0)) })
  }`;
