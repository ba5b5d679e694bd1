// SPDX-License-Identifier: Apache-2.0
// The keys of the trace page.
import { rowHeight } from './bars.js';
import { copyText } from './dom.js';

/**
 * @param {import('./trace.js').TracePage} page
 * @returns {Record<string, (event: KeyboardEvent) => any>} by KeyboardEvent.key
 */
export function traceCommands(page) {
  const { timeline, trace } = page;
  const elsewhere = (/** @type {KeyboardEvent} */ event) =>
    /** @type {Element} */ (event.target).closest?.('button, a, summary, .panel, .splitter') !==
      null;
  const move = (/** @type {number} */ by) => (/** @type {KeyboardEvent} */ event) => {
    if (event.key.startsWith('Arrow') && elsewhere(event)) return false;
    // A selected row that was folded away is left by way of what hides it.
    let from = timeline.selected;
    while (from >= 0 && timeline.place[from] < 0) from = trace.parent[from];
    const place = from < 0 ? (by > 0 ? -1 : 0) : timeline.place[from];
    page.select(timeline.shown[Math.max(0, Math.min(timeline.shownCount - 1, place + by))]);
  };
  const screen = () => Math.max(1, Math.floor(timeline.height / rowHeight) - 2);
  const left = (/** @type {KeyboardEvent} */ event) => {
    const row = timeline.selected;
    if (row < 0 || (event.key.startsWith('Arrow') && elsewhere(event))) return false;
    if (trace.end[row] - row > 1 && !timeline.closed[row]) timeline.toggle(row, true);
    else page.select(trace.parent[row]);
  };
  const right = (/** @type {KeyboardEvent} */ event) => {
    const row = timeline.selected;
    if (row < 0 || (event.key.startsWith('Arrow') && elsewhere(event))) return false;
    if (timeline.closed[row]) timeline.toggle(row, false);
    else if (trace.end[row] - row > 1) page.select(row + 1);
  };
  const panel = (/** @type {KeyboardEvent} */ event) => {
    if (event.key === 'Enter' && elsewhere(event)) return false;
    if (!page.panel.element.hidden && event.key === 'i') page.deselect();
    else {page.select(Math.max(0, timeline.selected)).then(() =>
        event.key === 'Enter' && page.panel.element.focus()
      );}
  };
  return {
    j: move(1),
    k: move(-1),
    ArrowDown: move(1),
    ArrowUp: move(-1),
    s: (event) => move(screen())(event),
    w: (event) => move(-screen())(event),
    PageDown: (event) => move(screen())(event),
    PageUp: (event) => move(-screen())(event),
    Home: (event) => elsewhere(event) ? false : page.select(0),
    End: (event) => elsewhere(event) ? false : page.select(timeline.shown[timeline.shownCount - 1]),
    h: left,
    l: right,
    ArrowLeft: left,
    ArrowRight: right,
    ' ': (event) =>
      elsewhere(event) || timeline.selected < 0 ? false : timeline.toggle(timeline.selected),
    C: () => timeline.foldAll(true),
    X: () => timeline.foldAll(false),
    u: () => timeline.selected >= 0 && page.select(trace.parent[timeline.selected]),
    '+': () => timeline.zoom(1 / 1.5),
    '=': () => timeline.zoom(1 / 1.5),
    '-': () => timeline.zoom(1.5),
    0: () => timeline.setView(0, trace.total),
    '[': () => timeline.pan(-0.25),
    ']': () => timeline.pan(0.25),
    z: () => timeline.selected >= 0 && timeline.zoomTo(timeline.selected),
    f: () => page.field.select(),
    n: () => page.nextHit(1),
    N: () => page.nextHit(-1),
    e: () => page.nextError(1),
    E: () => page.nextError(-1),
    Enter: panel,
    i: panel,
    y: () => page.spanId && copyText(page.spanId),
    Escape: () => page.escape(),
  };
}
