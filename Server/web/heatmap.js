// SPDX-License-Identifier: Apache-2.0
// How many calls took how long, over time: a cell for each step and each part of a power of the
// duration, the darker the more. A click or a dragged box asks for the traces in it.
import { paintTimes, plain } from './chart.js';
import { duration } from './format.js';
import { Plot } from './plot.js';
import { timeText } from './scale.js';
import { t } from './texts.js';

/** @typedef {{ from: number, to: number, atLeast: number, below: number }} Box milliseconds and nanoseconds */

export class HeatMap extends Plot {
  /** @type {import('./scale.js').Heat} */
  data = { from: 0, step: 60_000, columns: 0, edges: [], counts: new Float64Array(), exact: true };
  most = 1;

  /** @param {{ label: string, signal: AbortSignal, onselect?: (box: Box) => void }} options */
  constructor({ label, signal, onselect }) {
    super({
      label,
      signal,
      names: ['--line', '--faint', '--accent', '--text'],
      onselect: onselect && (({ from, to }) =>
        onselect({
          from: this.time(from.column),
          to: this.time(to.column + 1),
          atLeast: this.data.edges[from.row],
          below: this.data.edges[to.row + 1],
        })),
    });
  }

  /** @param {number} column */
  time(column) {
    return this.data.from + column * this.data.step;
  }

  /** @param {import('./scale.js').Heat} data */
  show(data) {
    this.data = data;
    this.rows = Math.max(1, data.edges.length - 1);
    this.columns = data.edges.length > 1 ? data.columns : 0;
    this.most = data.counts.reduce((most, count) => Math.max(most, count), 1);
    this.changed();
  }

  /** @param {import('./plot.js').Cell} cell */
  words({ column, row }) {
    const { edges, step, exact, counts } = this.data;
    const { from, to } = this.stretch ?? { from: { column, row }, to: { column, row } };
    let n = 0;
    for (let i = from.column; i <= to.column; i++) {
      for (let k = from.row; k <= to.row; k++) n += counts[i * this.rows + k] ?? 0;
    }
    const about = !exact && n > 0 && n < 0.95 ? '<1' : String(Math.round(n));
    return [
      `${timeText(this.time(from.column))} – ${timeText(this.time(to.column) + step)}`,
      `${duration(edges[from.row])} – ${duration(edges[to.row + 1])}`,
      t(exact ? 'chart.calls' : 'chart.calls.about', { calls: about }),
    ];
  }

  table() {
    const { edges, counts } = this.data;
    const rows = [];
    for (let i = 0; i < this.columns; i++) {
      const column = counts.subarray(i * this.rows, (i + 1) * this.rows);
      const whole = column.reduce((a, b) => a + b, 0);
      const peak = column.indexOf(Math.max(...column));
      let slowest = this.rows - 1;
      while (slowest > 0 && column[slowest] < 0.5) slowest--;
      rows.push(
        whole
          ? [
            timeText(this.time(i)),
            String(Math.round(whole)),
            duration(edges[peak]),
            duration(edges[slowest + 1]),
          ]
          : [timeText(this.time(i)), '0', '', ''],
      );
    }
    const head = [t('chart.time'), t('chart.count'), t('chart.most'), t('chart.slowest')];
    return { head, rows };
  }

  /** @param {CanvasRenderingContext2D} c */
  paint(c) {
    const { edges, counts, from } = this.data;
    const { left, top } = this.pad;
    c.textAlign = 'right';
    edges.forEach((edge, row) => {
      // Powers of ten, or as many edges as have room.
      const power = Math.log10(edge);
      const round = Math.abs(power - Math.round(power)) < 1e-6;
      const every = Math.ceil(edges.length / 6);
      if (this.data.exact ? row % every !== 0 : !round) return;
      const y = Math.round(this.y(row));
      c.fillStyle = this.colors['--line'];
      c.fillRect(left, y, this.innerWidth, 1);
      c.fillStyle = this.colors['--faint'];
      c.fillText(plain(duration(edge)), left - 7, Math.max(top + 5, y + 0.5));
    });
    c.fillStyle = this.colors['--accent'];
    const gap = this.innerWidth / this.columns > 5 ? 1 : 0;
    for (let i = 0; i < this.columns; i++) {
      const [x, right] = [Math.round(this.x(i)), Math.round(this.x(i + 1))];
      for (let k = 0; k < this.rows; k++) {
        const n = counts[i * this.rows + k];
        if (n < 0.05) continue;
        c.globalAlpha = 0.14 + 0.86 * Math.sqrt(n / this.most);
        const [y, bottom] = [Math.round(this.y(k + 1)), Math.round(this.y(k))];
        c.fillRect(x, y, Math.max(1, right - x - gap), Math.max(1, bottom - y - gap));
      }
    }
    c.globalAlpha = 1;
    paintTimes(c, this, from, this.time(this.columns), top + this.innerHeight);
    if (!this.cursor) return;
    const { column, row } = this.cursor;
    c.strokeStyle = this.colors['--text'];
    c.lineWidth = 1;
    c.strokeRect(
      this.x(column) + 0.5,
      this.y(row + 1) + 0.5,
      Math.max(2, this.x(column + 1) - this.x(column) - 1),
      Math.max(2, this.y(row) - this.y(row + 1) - 1),
    );
  }
}
