// SPDX-License-Identifier: Apache-2.0
// How many calls took how long, all of a time together, and where one of them stands.
import { plain } from './chart.js';
import { duration } from './format.js';
import { Plot } from './plot.js';
import { niceTicks } from './scale.js';
import { t } from './texts.js';

export class Histogram extends Plot {
  /** @type {number[]} */
  edges = [];
  /** @type {number[]} */
  counts = [];
  /** A duration to point at. @type {number | null} */
  mark = null;
  exact = true;

  /**
   * @param {{ label: string, signal: AbortSignal,
   *   onselect?: (atLeast: number, below: number) => void }} options nanoseconds
   */
  constructor({ label, signal, onselect }) {
    super({
      label,
      signal,
      names: ['--line', '--faint', '--accent', '--error'],
      onselect: onselect &&
        (({ from, to }) => onselect(this.edges[from.column], this.edges[to.column + 1])),
    });
  }

  /** @param {import('./scale.js').Heat} heat all its columns are added up @param {number | null} [mark] */
  show(heat, mark = null) {
    const rows = Math.max(0, heat.edges.length - 1);
    this.edges = heat.edges;
    this.exact = heat.exact;
    this.counts = Array.from({ length: rows }, (_, row) => {
      let n = 0;
      for (let i = 0; i < heat.columns; i++) n += heat.counts[i * rows + row];
      return n;
    });
    this.columns = rows;
    this.mark = mark;
    this.ticks = niceTicks(Math.max(0, ...this.counts), 3);
    this.changed();
  }

  /** @param {import('./plot.js').Cell} cell */
  words({ column }) {
    return [
      `${duration(this.edges[column])} – ${duration(this.edges[column + 1])}`,
      t(this.exact ? 'chart.calls' : 'chart.calls.about', {
        calls: String(Math.round(this.counts[column])),
      }),
    ];
  }

  table() {
    return {
      head: [t('chart.duration'), t('chart.count')],
      rows: this.counts.map((
        n,
        i,
      ) => [this.words({ column: i, row: 0 })[0], String(Math.round(n))]),
    };
  }

  /** @param {CanvasRenderingContext2D} c */
  paint(c) {
    const ticks = this.ticks ?? [0, 1];
    const max = ticks[ticks.length - 1];
    const { left, top } = this.pad;
    const level = (/** @type {number} */ n) => top + (1 - n / max) * this.innerHeight;
    c.textAlign = 'right';
    for (const tick of ticks) {
      c.fillStyle = this.colors['--line'];
      c.fillRect(left, Math.round(level(tick)), this.innerWidth, 1);
      c.fillStyle = this.colors['--faint'];
      c.fillText(String(tick), left - 7, level(tick));
    }
    c.fillStyle = this.colors['--accent'];
    this.counts.forEach((n, i) => {
      if (n < 0.05) return;
      const x = Math.round(this.x(i));
      const y = Math.min(level(n), level(0) - 1);
      c.fillRect(x, y, Math.max(1, Math.round(this.x(i + 1)) - x - 1), level(0) - y);
    });
    c.textAlign = 'center';
    c.fillStyle = this.colors['--faint'];
    const every = Math.ceil(this.edges.length / Math.max(2, this.innerWidth / 64));
    this.edges.forEach((edge, i) => {
      const round = Math.abs(Math.log10(edge) - Math.round(Math.log10(edge))) < 1e-6;
      if (this.exact ? i % every : !round) return;
      c.fillText(plain(duration(edge)), this.x(i), top + this.innerHeight + 12);
    });
    if (this.mark === null || this.edges.length < 2) return;
    const [a, b] = [Math.log(this.edges[0]), Math.log(this.edges[this.edges.length - 1])];
    const share = Math.max(0, Math.min(1, (Math.log(Math.max(1, this.mark)) - a) / (b - a)));
    c.fillStyle = this.colors['--error'];
    c.fillRect(Math.round(left + share * this.innerWidth) - 1, top, 2, this.innerHeight);
  }
}
