// SPDX-License-Identifier: Apache-2.0
// Numbers over time: lines, areas or stacked bars, with axes in the browser's time zone. Dragging
// selects a stretch of time.
import { h } from './dom.js';
import { Plot } from './plot.js';
import { niceTicks, timeText, timeTicks } from './scale.js';
import { t } from './texts.js';

/**
 * @typedef {{ name: string, color: string, values: (number | null)[], fill?: boolean }} Series
 * `color` is a custom property; null is a gap
 * @typedef {{ from: number, step: number, columns: number, series: Series[] }} Data times in
 * milliseconds
 */

export class TimeChart extends Plot {
  /** @type {Data} */
  data = { from: 0, step: 60_000, columns: 0, series: [] };
  max = 1;
  /** @type {number[]} */
  ticks = [0, 1];

  /**
   * @param {{ label: string, signal: AbortSignal, colors: string[], bars?: boolean,
   *   format: (value: number) => string, onselect?: (from: number, to: number) => void }} options
   */
  constructor({ label, signal, colors, bars, format, onselect }) {
    super({
      label,
      signal,
      names: [...new Set(['--line', '--faint', '--accent', '--text', ...colors])],
      onselect: onselect &&
        (({ from, to }) => onselect(this.time(from.column), this.time(to.column + 1))),
    });
    this.bars = bars ?? false;
    this.format = format;
  }

  /** @param {number} column */
  time(column) {
    return this.data.from + column * this.data.step;
  }

  /** @param {Data} data */
  show(data) {
    this.data = data;
    this.columns = data.columns;
    let most = 0;
    for (let i = 0; i < data.columns; i++) {
      const values = data.series.map((series) => series.values[i] ?? 0);
      most = Math.max(most, this.bars ? values.reduce((a, b) => a + b, 0) : Math.max(...values));
    }
    this.ticks = niceTicks(most, 3);
    this.max = this.ticks[this.ticks.length - 1];
    this.changed();
  }

  /** @param {import('./plot.js').Cell} cell */
  words({ column }) {
    const { series, step } = this.data;
    const from = this.time(column);
    return [
      step >= 86_400_000 ? timeText(from, true) : `${timeText(from)} – ${timeText(from + step)}`,
      ...series.map(({ name, color, values }) =>
        h('span', this.swatch(color), `${name} `, h('em', this.told(values[column])))
      ),
    ];
  }

  /** @param {number | null | undefined} value */
  told(value) {
    return value === null || value === undefined ? t('chart.none') : this.format(value);
  }

  /** @param {string} color */
  swatch(color) {
    const dot = h('i.dot');
    dot.style.setProperty('--dye', `var(${color})`);
    return dot;
  }

  legend() {
    return h(
      'span.legend-line',
      { 'aria-hidden': 'true' },
      this.data.series.map(({ name, color }) => h('span', this.swatch(color), name)),
    );
  }

  table() {
    const { series, columns } = this.data;
    return {
      head: [t('chart.time'), ...series.map(({ name }) => name)],
      rows: Array.from({ length: columns }, (_, i) => [
        timeText(this.time(i)),
        ...series.map(({ values }) => this.told(values[i])),
      ]),
    };
  }

  /** @param {number} value */
  level(value) {
    return this.pad.top + (1 - value / this.max) * this.innerHeight;
  }

  /** @param {CanvasRenderingContext2D} c */
  paint(c) {
    this.paintAxes(c);
    if (this.bars) this.paintBars(c);
    else for (const series of this.data.series) this.paintLine(c, series);
    if (!this.cursor) return;
    c.fillStyle = this.colors['--faint'];
    c.fillRect(Math.round(this.x(this.cursor.column + 0.5)), this.pad.top, 1, this.innerHeight);
    if (this.bars) return;
    for (const { color, values } of this.data.series) {
      const value = values[this.cursor.column];
      if (value === null || value === undefined) continue;
      c.fillStyle = this.colors[color];
      c.beginPath();
      c.arc(this.x(this.cursor.column + 0.5) + 0.5, this.level(value), 3, 0, 7);
      c.fill();
    }
  }

  /** @param {CanvasRenderingContext2D} c */
  paintAxes(c) {
    const { left, top } = this.pad;
    c.textAlign = 'right';
    for (const tick of this.ticks) {
      const y = Math.round(this.level(tick));
      c.fillStyle = this.colors['--line'];
      c.fillRect(left, y, this.innerWidth, 1);
      c.fillStyle = this.colors['--faint'];
      c.fillText(tick === 0 ? '0' : plain(this.format(tick)), left - 7, y + 0.5);
    }
    paintTimes(c, this, this.data.from, this.time(this.columns), top + this.innerHeight);
  }

  /** @param {CanvasRenderingContext2D} c */
  paintBars(c) {
    const gap = this.innerWidth / this.columns > 5 ? 1 : 0;
    for (let i = 0; i < this.columns; i++) {
      let base = 0;
      const [left, right] = [Math.round(this.x(i)), Math.round(this.x(i + 1))];
      for (const { color, values } of this.data.series) {
        const value = values[i] ?? 0;
        if (value <= 0) continue;
        const [from, to] = [this.level(base), this.level(base + value)];
        c.fillStyle = this.colors[color];
        // What is there is seen, however little it is.
        c.fillRect(
          left,
          Math.min(to, from - 1),
          Math.max(1, right - left - gap),
          from - Math.min(to, from - 1),
        );
        base += value;
      }
    }
  }

  /** @param {CanvasRenderingContext2D} c @param {Series} series */
  paintLine(c, { color, values, fill }) {
    c.strokeStyle = c.fillStyle = this.colors[color];
    c.lineWidth = 1.5;
    c.lineJoin = 'round';
    const bottom = this.level(0);
    let begun = -1;
    const end = (/** @type {number} */ i) => {
      if (begun < 0) return;
      // One value between gaps is a dot.
      if (i - begun === 1) {
        c.beginPath();
        c.arc(this.x(begun + 0.5), this.level(values[begun] ?? 0), 1.8, 0, 7);
        c.fill();
      } else {
        c.beginPath();
        for (let k = begun; k < i; k++) c.lineTo(this.x(k + 0.5), this.level(values[k] ?? 0));
        c.stroke();
        if (fill) {
          c.lineTo(this.x(i - 0.5), bottom);
          c.lineTo(this.x(begun + 0.5), bottom);
          c.globalAlpha = 0.12;
          c.fill();
          c.globalAlpha = 1;
        }
      }
      begun = -1;
    };
    for (let i = 0; i < this.columns; i++) {
      const there = values[i] !== null && values[i] !== undefined;
      if (there && begun < 0) begun = i;
      if (!there) end(i);
    }
    end(this.columns);
  }
}

/** Without noughts that say nothing: "2.00/s" is "2/s". @param {string} text */
export const plain = (text) => text.replace(/\.(\d*?)0+(?!\d)/, (_, rest) => rest && `.${rest}`);

/**
 * Times under a chart.
 * @param {CanvasRenderingContext2D} c @param {Plot} plot @param {number} from @param {number} to
 * @param {number} y
 */
export function paintTimes(c, plot, from, to, y) {
  if (to <= from) return;
  c.textAlign = 'center';
  c.fillStyle = plot.colors['--faint'];
  for (const { at, text } of timeTicks(from, to, Math.max(2, plot.innerWidth / 58))) {
    const x = plot.pad.left + ((at - from) / (to - from)) * plot.innerWidth;
    if (x > plot.width - 18 || x < plot.pad.left + 2) continue;
    c.fillText(text, x, y + 12);
  }
}
