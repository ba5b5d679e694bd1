// SPDX-License-Identifier: Apache-2.0
// The keys of the trace page.
import { rowHeight } from './bars.js';
import { copyText } from './dom.js';
import { typing } from './keys.js';
import { viewsOf } from './trace-bar.js';

/** Two keys are one command when they come so soon after each other. Milliseconds. */
const pairWithin = 1000;

/**
 * @param {import('./trace-page.js').TracePage} page
 * @returns {Record<string, (event: KeyboardEvent) => any>} by KeyboardEvent.key
 */
export function traceCommands(page) {
  const { timeline, trace } = page;
  /** Keys that move from row to row belong to views that show rows. */
  const without = () => !['timeline', 'tree', 'flame'].includes(page.state.view);
  const elsewhere = (/** @type {KeyboardEvent} */ event) =>
    /** @type {Element} */ (event.target).closest?.('button, a, summary, .panel, .splitter') !==
      null;
  const move = (/** @type {number} */ by) => (/** @type {KeyboardEvent} */ event) => {
    if (without() || (event.key.startsWith('Arrow') && elsewhere(event))) return false;
    // A selected row that was folded away is left by way of what hides it.
    let from = timeline.selected;
    while (from >= 0 && timeline.place[from] < 0) from = trace.parent[from];
    const place = from < 0 ? (by > 0 ? -1 : 0) : timeline.place[from];
    page.select(timeline.shown[Math.max(0, Math.min(timeline.shownCount - 1, place + by))]);
  };
  // The next span of the critical path is "]c" as well: what "]" did alone is then taken back.
  let pressed = -Infinity;
  let before = [0, 0];
  addEventListener('keydown', (event) => {
    const paired = performance.now() - pressed < pairWithin;
    if (event.key === ']' || event.key === 'Shift') return;
    pressed = -Infinity;
    if (!paired || event.key !== 'c' || typing(event)) return;
    event.preventDefault();
    timeline.setView(before[0], before[1]);
    page.nextOnPath(1);
  }, { capture: true, signal: page.signal });
  const screen = () => Math.max(1, Math.floor(timeline.height / rowHeight) - 2);
  const left = (/** @type {KeyboardEvent} */ event) => {
    const row = timeline.selected;
    if (without() || row < 0 || (event.key.startsWith('Arrow') && elsewhere(event))) return false;
    const folded = timeline.closed[row] || timeline.standsFor[row] >= 0;
    if (trace.end[row] - row > 1 && !folded) timeline.toggle(row, true);
    else page.select(trace.parent[row]);
  };
  const right = (/** @type {KeyboardEvent} */ event) => {
    const row = timeline.selected;
    if (without() || row < 0 || (event.key.startsWith('Arrow') && elsewhere(event))) return false;
    if (timeline.closed[row] || timeline.standsFor[row] >= 0) timeline.toggle(row, false);
    else if (trace.end[row] - row > 1) page.select(row + 1);
  };
  const panel = (/** @type {KeyboardEvent} */ event) => {
    if (event.key === 'Enter' && (without() || elsewhere(event))) return false;
    const { element } = page.panel;
    if (!element.hidden && event.key === 'i') page.deselect();
    else if (!element.hidden && page.spanId) element.focus();
    else {page.select(Math.max(0, timeline.selected)).then(() =>
        event.key === 'Enter' && element.focus()
      );}
  };
  const view = (/** @type {number} */ by) => () => {
    const views = viewsOf(page);
    const at = views.indexOf(page.state.view);
    page.setView(views[(at + by + views.length) % views.length]);
  };
  return {
    v: view(1),
    V: view(-1),
    o: () => timeline.selected >= 0 && timeline.roll(timeline.selected),
    p: () => page.nextOnPath(1),
    P: () => page.nextOnPath(-1),
    j: move(1),
    k: move(-1),
    ArrowDown: move(1),
    ArrowUp: move(-1),
    s: (event) => move(screen())(event),
    w: (event) => move(-screen())(event),
    PageDown: (event) => move(screen())(event),
    PageUp: (event) => move(-screen())(event),
    Home: (event) => without() || elsewhere(event) ? false : page.select(0),
    End: (event) =>
      without() || elsewhere(event) ? false : page.select(timeline.shown[timeline.shownCount - 1]),
    h: left,
    l: right,
    ArrowLeft: left,
    ArrowRight: right,
    ' ': (event) =>
      without() || elsewhere(event) || timeline.selected < 0
        ? false
        : timeline.toggle(timeline.selected),
    C: () => timeline.foldAll(true),
    X: () => timeline.foldAll(false),
    u: () => timeline.selected >= 0 && page.select(trace.parent[timeline.selected]),
    '+': () => timeline.zoom(1 / 1.5),
    '=': () => timeline.zoom(1 / 1.5),
    '-': () => timeline.zoom(1.5),
    0: () => timeline.setView(0, trace.total),
    '[': () => timeline.pan(-0.25),
    ']': () => {
      pressed = performance.now();
      before = [timeline.from, timeline.to];
      timeline.pan(0.25);
    },
    z: () => timeline.selected >= 0 && timeline.zoomTo(timeline.selected),
    f: () => page.finder.field.select(),
    n: () => page.finder.next(1),
    N: () => page.finder.next(-1),
    e: () => page.nextError(1),
    E: () => page.nextError(-1),
    Enter: panel,
    i: panel,
    y: () => page.spanId && copyText(page.spanId),
    Escape: () => page.escape(),
  };
}
