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
 * ticks: number[], dyes: string[], line: string, error: string, dim: (row: number) => boolean }}
 * View
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
