// SPDX-License-Identifier: Apache-2.0
// A map of more services than elements are good for: painted, with what the keys are at said aloud.
import { resolve } from './colors.js';
import { h } from './dom.js';
import { alarming, boxHeight, boxWidth, labelSpots, lit, MapView, pointed, way } from './map-view.js';
import { fitted } from './map-svg.js';

const names = [
  '--surface', '--edge', '--text', '--soft', '--faint', '--accent', '--accent-wash', '--error', '--bg',
];
/** From these shares of their size on, names and numbers are painted. */
const [namesFrom, numbersFrom] = [0.3, 0.5];
const labelsShown = 14;

export class CanvasMap extends MapView {
  /** @type {Record<string, string>} */
  colors = {};
  /** @type {Map<string, Path2D>} */
  ways = new Map();
  waiting = 0;

  /** @param {ConstructorParameters<typeof MapView>[0]} options */
  constructor(options) {
    super(options);
    this.canvas = h('canvas');
    this.said = h('div.offscreen', { role: 'status' });
    this.stage = h(
      'div.map-canvas',
      { tabindex: '0', role: 'application', 'aria-label': options.label },
      this.canvas,
    );
    this.element.append(this.stage, this.said);
    this.stage.addEventListener('focus', () => this.focus());
    this.stage.addEventListener('blur', () => this.light());
    addEventListener('themechange', () => {
      this.colors = {};
      this.place();
    }, { signal: options.signal });
    options.signal.addEventListener('abort', () => cancelAnimationFrame(this.waiting));
  }

  /** @param {number} whole @override */
  least(whole) {
    return Math.max(whole, Math.min(namesFrom, whole * 3));
  }

  draw() {
    this.ways = new Map(this.drawing.lines.map((line) => [line.key, new Path2D(way(line))]));
    this.place();
  }

  light() {
    this.place();
  }

  place() {
    if (this.waiting) return;
    this.waiting = requestAnimationFrame(() => {
      this.waiting = 0;
      if (this.width) this.paint();
    });
  }

  focus() {
    this.stage.focus({ preventScroll: true });
    this.said.textContent = (this.boxes.get(this.at) ?? this.lines.get(this.at))?.says ?? '';
    this.place();
  }

  /** @param {PointerEvent} event @override */
  under(event) {
    const { x, y } = this.point(event);
    const box = this.drawing.boxes.find((one) =>
      Math.abs(one.x - x) <= boxWidth / 2 && Math.abs(one.y - y) <= boxHeight / 2
    );
    if (box) return box.key;
    const c = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext('2d'));
    c.save();
    c.setTransform(1, 0, 0, 1, 0, 0);
    c.lineWidth = 9 / this.zoom;
    const near = 60;
    const line = this.drawing.lines.find(({ key, from, to }) =>
      x > Math.min(from.x, to.x) - near && x < Math.max(from.x, to.x) + near &&
      y > Math.min(from.y, to.y) - near && y < Math.max(from.y, to.y) + near &&
      c.isPointInStroke(/** @type {Path2D} */ (this.ways.get(key)), x, y)
    );
    c.restore();
    return line?.key ?? '';
  }

  paint() {
    if (!this.colors['--text']) this.colors = resolve(this.element, names);
    const { canvas, colors, width, height, zoom } = this;
    const ratio = devicePixelRatio || 1;
    const c = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    c.setTransform(1, 0, 0, 1, 0, 0);
    c.clearRect(0, 0, canvas.width, canvas.height);
    const k = zoom * ratio;
    c.setTransform(k, 0, 0, k, (width / 2 - this.x * zoom) * ratio, (height / 2 - this.y * zoom) * ratio);
    const bright = lit(this);
    const [left, right] = [this.x - width / 2 / zoom, this.x + width / 2 / zoom];
    const [top, bottom] = [this.y - height / 2 / zoom, this.y + height / 2 / zoom];
    for (const line of this.drawing.lines) {
      const on = bright?.has(line.key);
      const { from, to } = line;
      if (Math.max(from.x, to.x) < left || Math.min(from.x, to.x) > right) continue;
      if (Math.max(from.y, to.y) < top - 99 || Math.min(from.y, to.y) > bottom + 99) continue;
      const failing = line.share >= alarming;
      c.globalAlpha = on ? 1 : bright ? 0.07 : 0.4;
      c.strokeStyle = failing ? colors['--error'] : on ? colors['--accent'] : colors['--faint'];
      c.lineWidth = Math.max(on ? 1.6 / zoom : 0.7 / zoom, line.width);
      c.setLineDash(failing ? [8, 4] : []);
      c.stroke(/** @type {Path2D} */ (this.ways.get(line.key)));
    }
    c.setLineDash([]);
    // What is lit comes last: names may be wider than their boxes.
    const last = (/** @type {{ key: string }} */ { key }) => bright?.has(key) || key === this.at;
    const { boxes } = this.drawing;
    for (const box of [...boxes.filter((one) => !last(one)), ...boxes.filter(last)]) {
      if (Math.abs(box.x - this.x) > width / 2 / zoom + boxWidth) continue;
      if (Math.abs(box.y - this.y) > height / 2 / zoom + boxHeight) continue;
      this.paintBox(c, box, bright?.has(box.key), bright !== null);
    }
    c.globalAlpha = 1;
    const lines = bright ? this.drawing.lines.filter(({ key }) => bright.has(key)) : [];
    const size = Math.min(40, 11 / zoom);
    const spots = labelSpots(lines.slice(0, labelsShown), pointed(this), boxes, size);
    for (const { line, ...at } of spots) this.paintLabel(c, line, at, size);
  }

  /** @param {CanvasRenderingContext2D} c @param {import('./map-view.js').Box} box
   * @param {boolean | undefined} on @param {boolean} dim what is not lit */
  paintBox(c, box, on, dim) {
    const { colors, zoom } = this;
    const [x, y] = [box.x - boxWidth / 2, box.y - boxHeight / 2];
    const family = getComputedStyle(document.body).fontFamily;
    const own = box.key === this.at && document.activeElement === this.stage;
    c.globalAlpha = on || !dim || own ? 1 : 0.3;
    c.fillStyle = box.key === this.chosen ? colors['--accent-wash'] : colors['--surface'];
    c.strokeStyle = own || on ? colors['--accent'] : box.share >= alarming ? colors['--error'] : colors['--edge'];
    c.lineWidth = own ? 3 / zoom : Math.max(1, 0.8 / zoom);
    c.beginPath();
    c.roundRect(x, y, boxWidth, boxHeight, 9);
    c.fill();
    c.stroke();
    if (box.share >= alarming) {
      c.fillStyle = colors['--error'];
      c.fillRect(x + 8, y + boxHeight - 4, Math.max(8, box.share * (boxWidth - 16)), 4);
    }
    c.textBaseline = 'middle';
    if (zoom < numbersFrom && (on || own)) return this.paintName(c, box, family);
    if (zoom < namesFrom) return;
    c.fillStyle = colors['--text'];
    c.textAlign = 'left';
    const font = `600 ${zoom < numbersFrom ? 20 : 13}px ${family}`;
    const name = fitted(box.name, font, boxWidth - 18);
    c.font = font;
    c.fillText(name, x + 10, zoom < numbersFrom ? box.y : box.y - 8);
    if (zoom < numbersFrom) return;
    const small = `11px ${family}`;
    const says = fitted(box.short, small, boxWidth - 18);
    c.font = small;
    c.fillStyle = box.share >= alarming ? colors['--error'] : colors['--soft'];
    c.fillText(says, x + 10, box.y + 10);
  }

  /** A lit name stays readable however small its box is.
   * @param {CanvasRenderingContext2D} c @param {import('./map-view.js').Box} box
   * @param {string} family */
  paintName(c, box, family) {
    const size = 12 / this.zoom;
    c.font = `600 ${size}px ${family}`;
    c.textAlign = 'center';
    this.paintText(c, box.name, box, size, '--text');
  }

  /** @param {CanvasRenderingContext2D} c @param {import('./map-view.js').Line} line
   * @param {{ x: number, y: number }} at @param {number} size */
  paintLabel(c, line, at, size) {
    c.font = `600 ${size}px ${getComputedStyle(document.body).fontFamily}`;
    c.textAlign = 'center';
    this.paintText(c, line.short, at, size, line.share >= alarming ? '--error' : '--text');
  }

  /** @param {CanvasRenderingContext2D} c @param {string} text @param {{ x: number, y: number }} at
   * @param {number} size @param {string} color */
  paintText(c, text, { x, y }, size, color) {
    c.lineWidth = size / 3;
    c.strokeStyle = this.colors['--bg'];
    c.lineJoin = 'round';
    c.strokeText(text, x, y);
    c.fillStyle = this.colors[color];
    c.fillText(text, x, y);
  }
}
