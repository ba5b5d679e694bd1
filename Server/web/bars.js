// SPDX-License-Identifier: Apache-2.0
// The bars of the visible rows on one canvas. A bar is light over the whole span, and in full
// colour over its own
// time: what no child covers. So the eye finds where the time went without reading a number.
import { flag, ownTime } from './trv1.js';

export const rowHeight = 26;
/** Room beside the first and the last moment, so that marks around bars are not cut. */
export const margin = 10;
const barHeight = 12;
const narrowestBar = 2;
/** Below this width a bar is too small to show its parts. */
const narrowestParts = 6;
const dimmed = 0.28;
const childShade = 0.32;

/**
 * @typedef {{ trace: import('./trv1.js').Trace, from: number, to: number, width: number, height:
 *   number,
 * ticks: number[], dyes: string[], line: string, error: string, text: string,
 * path: import('./trace-analysis.js').PathByRow | null, dim: (row: number, alone?: boolean) => boolean,
 * members: (row: number) => number[] | null, last: (row: number) => number }} View `members` are
 *   the rows that one row stands for, `last` is the row after all that it hides
 */

/**
 * @param {CanvasRenderingContext2D} c @param {View} view
 * @param {Int32Array} rows the visible ones
 * @param {number} offset pixels from the canvas' top to the first row's
 */
export function drawBars(c, view, rows, offset) {
  const { trace, width } = view;
  const ratio = devicePixelRatio || 1;
  const scale = width / (view.to - view.from);
  c.setTransform(ratio, 0, 0, ratio, margin * ratio, 0);
  c.clearRect(-margin, 0, width + 2 * margin, view.height);
  c.fillStyle = view.line;
  for (const at of view.ticks) c.fillRect(Math.round((at - view.from) * scale), 0, 1, view.height);
  rows.forEach((row, k) => {
    if (view.path) drawPath(c, view, row, offset + (k + 1) * rowHeight - pathBelow, scale);
    const members = view.members(row);
    if (members) {
      drawMembers(c, view, members, offset + k * rowHeight + (rowHeight - barHeight) / 2, scale);
      return;
    }
    const x = (trace.start[row] - view.from) * scale;
    const w = Math.max(narrowestBar, trace.duration[row] * scale);
    if (x > width + margin || x + w < -margin) return;
    const y = offset + k * rowHeight + (rowHeight - barHeight) / 2;
    const left = Math.max(x, -margin - 4);
    const right = Math.min(x + w, width + margin + 4);
    drawBar(c, view, row, left, right, y, scale);
    if (trace.flags[row] & flag.error) {
      c.strokeStyle = view.error;
      c.lineWidth = 1.5;
      c.beginPath();
      c.roundRect(left - 1.5, y - 1.5, right - left + 3, barHeight + 3, 4);
      c.stroke();
    }
  });
  c.globalAlpha = 1;
}

/**
 * @param {CanvasRenderingContext2D} c @param {View} view @param {number} row
 * @param {number} left @param {number} right @param {number} y @param {number} scale pixels a unit
 */
function drawBar(c, view, row, left, right, y, scale) {
  const { trace, from } = view;
  const alpha = view.dim(row) ? dimmed : 1;
  c.fillStyle = view.dyes[trace.service[row]];
  c.globalAlpha = alpha;
  c.beginPath();
  c.roundRect(left, y, right - left, barHeight, Math.min(3, (right - left) / 2));
  const leaf = trace.end[row] - row <= 1;
  if (leaf || right - left < narrowestParts) {
    c.fill();
    return;
  }
  c.save();
  c.clip();
  c.globalAlpha = childShade * alpha;
  c.fillRect(left, y, right - left, barHeight);
  c.globalAlpha = alpha;
  ownTime(trace, row, (a, b) => {
    const x = (a - from) * scale;
    const w = (b - a) * scale;
    if (w >= 0.5 && x < right && x + w > left) c.fillRect(x, y, w, barHeight);
  });
  c.restore();
  c.globalAlpha = alpha;
}

/**
 * All that one row stands for on its line, each at its time; those that fall on the same pixel once.
 * @param {CanvasRenderingContext2D} c @param {View} view @param {number[]} members by start
 * @param {number} y @param {number} scale
 */
function drawMembers(c, view, members, y, scale) {
  const { trace, from, width } = view;
  let drawn = -Infinity;
  let somePale = false;
  for (const row of members) {
    const x = (trace.start[row] - from) * scale;
    const right = x + Math.max(1, trace.duration[row] * scale);
    const failed = (trace.flags[row] & flag.error) !== 0;
    const pale = view.dim(row, true);
    if (right < -margin || x > width + margin) continue;
    somePale ||= pale;
    if (right < drawn + 0.5 && (pale || (!failed && !somePale))) continue;
    c.globalAlpha = pale ? dimmed : 1;
    // A gap of a pixel keeps apart what ran one after the other, where there is room for it.
    const left = Math.max(x, -margin);
    c.fillStyle = failed ? view.error : view.dyes[trace.service[row]];
    c.fillRect(
      left,
      y + 2,
      Math.max(0.7, Math.min(right, width + margin) - left - 0.4),
      barHeight - 4,
    );
    drawn = Math.max(drawn, right);
  }
  c.globalAlpha = 1;
}

/** Stretches of the critical path drawn for one row at most, however many it hides. */
const pathPieces = 4000;
const pathBelow = 5;

/**
 * The critical path as a line under the bars, with a foot where it enters a row: told by its shape.
 * @param {CanvasRenderingContext2D} c @param {View} view @param {number} row
 * @param {number} y @param {number} scale
 */
function drawPath(c, view, row, y, scale) {
  const path = /** @type {import('./trace-analysis.js').PathByRow} */ (view.path);
  const members = view.members(row);
  c.fillStyle = view.text;
  c.globalAlpha = 1;
  const line = (/** @type {number} */ begin, /** @type {number} */ end) => {
    const step = Math.max(1, Math.ceil((end - begin) / pathPieces));
    for (let k = begin; k < end; k += step) {
      const x = (path.from[k] - view.from) * scale;
      const right = (path.to[k] - view.from) * scale;
      if (right < -margin || x > view.width + margin) continue;
      const left = Math.max(x, -margin);
      const w = Math.max(1, Math.min(right, view.width + margin) - left);
      c.fillRect(left, y, w, 2);
      if (w > 3) c.fillRect(left, y - 3, 1, 3);
    }
  };
  if (!members) return line(path.first[row], path.first[view.last(row)]);
  const last = members[members.length - 1];
  // Members that stand next to each other have their stretches next to each other.
  if (members.length > pathPieces) {
    return line(path.first[members[0]], path.first[view.trace.end[last]]);
  }
  for (const one of members) line(path.first[one], path.first[view.trace.end[one]]);
}
