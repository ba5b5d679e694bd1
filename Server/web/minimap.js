// SPDX-License-Identifier: Apache-2.0
// The whole trace in a strip of pixels, written straight into an image; drag over it to zoom.
import { dye, dyeNames, pixel, resolve } from './colors.js';
import { follow, h } from './dom.js';
import { axisFormat } from './format.js';
import { t } from './texts.js';
import { flag } from './trv1.js';

/** Minutes. */
const longSteps = [1, 2, 5, 10, 20, 30, 60, 120, 360, 720, 1440];

/**
 * Round steps of an axis: about one tick every 110 pixels.
 * @param {number} length nanoseconds
 * @param {number} width pixels
 */
export function tickStep(length, width) {
  const rough = length / Math.max(2, width / 110);
  // Seconds are counted by tens, minutes and hours as clocks have them.
  const long = rough > 30e9 && longSteps.find((minutes) => minutes * 60e9 >= rough);
  if (long) return long * 60e9;
  const unit = rough > 30e9 ? 86_400e9 : 1;
  const power = unit * 10 ** Math.floor(Math.log10(rough / unit));
  return [1, 2, 5, 10].map((k) => k * power).find((step) => step >= rough) ?? power * 10;
}

/**
 * The labels of one axis.
 * @param {HTMLElement} host
 * @param {number} from
 * @param {number} to nanoseconds
 * @param {number} width
 * @returns {number[]} ticks in nanoseconds
 */
export function drawAxis(host, from, to, width) {
  const step = tickStep(to - from, width);
  const text = axisFormat(step);
  const ticks = [];
  const labels = [];
  for (let at = Math.ceil(from / step) * step; at < to; at += step) {
    const x = ((at - from) / (to - from)) * width;
    ticks.push(at);
    if (x > width - 40) continue;
    const label = h('span', text(at));
    // Paper has another width than the screen, and says so.
    label.style.left = `calc(var(--axis, ${width}px) * ${x / width})`;
    labels.push(label);
  }
  host.replaceChildren(...labels);
  return ticks;
}

/**
 * Failed spans without a failed child: where a failure began, not whom it took along.
 * @param {import('./trv1.js').Trace} trace
 */
function errorOrigins(trace) {
  const origin = new Uint8Array(trace.n);
  for (let i = trace.n - 1; i >= 0; i--) {
    // Children come after their parent, so each has had its say (2: a child failed) when its
    // parent's turn comes.
    const failed = (trace.flags[i] & flag.error) !== 0;
    if (failed && trace.parent[i] >= 0) origin[trace.parent[i]] = 2;
    origin[i] = failed && origin[i] !== 2 ? 1 : 0;
  }
  return origin;
}

export class Minimap {
  /**
   * @param {import('./trv1.js').Trace} trace
   * @param {(from: number, to: number) => void} choose in units
   */
  constructor(trace, choose) {
    this.trace = trace;
    this.choose = choose;
    this.canvas = h('canvas', { 'aria-hidden': 'true' });
    this.left = h('div.shade', { role: 'presentation' });
    this.right = h('div.shade', { role: 'presentation' });
    this.window = h('div.window', { role: 'presentation' }, h('i.grip'), h('i.grip.end'));
    this.axis = h('div.axis', { 'aria-hidden': 'true' });
    this.area = h('div.map', this.canvas, this.left, this.right, this.window);
    this.element = h(
      'div.minimap',
      { role: 'img', 'aria-label': t('trace.minimap') },
      this.axis,
      this.area,
    );
    this.area.addEventListener(
      'pointerdown',
      (/** @type {PointerEvent} */ event) => this.press(event),
    );
    this.area.addEventListener('dblclick', () => this.choose(0, trace.total));
  }

  draw() {
    const { trace } = this;
    const ratio = devicePixelRatio || 1;
    const width = Math.max(1, Math.round(this.area.clientWidth * ratio));
    const height = Math.max(1, Math.round(this.area.clientHeight * ratio));
    this.canvas.width = width;
    this.canvas.height = height;
    const colors = resolve(this.area, [...dyeNames, '--error']);
    const dyes = trace.services.map((name) => pixel(colors[`--dye-${dye(name)}`]));
    const error = pixel(colors['--error']);
    const context = this.canvas.getContext('2d');
    const image = context.createImageData(width, height);
    const pixels = new Uint32Array(image.data.buffer);
    const scale = width / trace.total;
    // Few spans get a band of pixel rows each with a gap below; many share one pixel row.
    const origin = errorOrigins(trace);
    const band = Math.min(6 * ratio, height / trace.n);
    const thick = Math.max(1, Math.floor(band - (band >= 3 ? 1 : 0)));
    for (let i = 0; i < trace.n; i++) {
      const y = Math.min(height - thick, Math.floor(i * band));
      const a = Math.min(width - 1, Math.floor(trace.start[i] * scale));
      const b = Math.min(
        width,
        Math.max(a + Math.ceil(ratio), Math.ceil((trace.start[i] + trace.duration[i]) * scale)),
      );
      const color = origin[i] ? error : dyes[trace.service[i]];
      for (let line = y; line < y + thick; line++) {
        pixels.fill(color, line * width + a, line * width + b);
      }
    }
    context.putImageData(image, 0, 0);
    drawAxis(this.axis, 0, trace.total * trace.unit, this.area.clientWidth);
  }

  /** @param {number} from @param {number} to units */
  show(from, to) {
    const total = this.trace.total;
    const [a, b] = [(from / total) * 100, (to / total) * 100];
    this.left.style.width = `${a}%`;
    this.right.style.left = `${b}%`;
    this.right.style.width = `${100 - b}%`;
    this.window.style.left = `${a}%`;
    this.window.style.width = `${b - a}%`;
    this.element.classList.toggle('zoomed', b - a < 99.99);
    this.shown = { from, to };
  }

  /** @param {PointerEvent} event */
  press(event) {
    if (event.button) return;
    event.preventDefault();
    const box = this.area.getBoundingClientRect();
    const total = this.trace.total;
    const timeAt = (/** @type {PointerEvent} */ move) =>
      (Math.min(box.width, Math.max(0, move.clientX - box.left)) / box.width) * total;
    const grip = /** @type {Element} */ (event.target).closest('.grip');
    const shown = this.shown ?? { from: 0, to: total };
    // A grip moves its own edge: the other edge is the fixed end of the drag.
    const fixed = grip ? (grip.classList.contains('end') ? shown.from : shown.to) : timeAt(event);
    let moved = false;
    follow((move) => {
      if (!moved && Math.abs(move.clientX - event.clientX) < 3) return;
      moved = true;
      const [a, b] = [fixed, timeAt(move)].sort((p, q) => p - q);
      this.choose(a, b);
    }, (end) => end.type === 'pointercancel' && this.choose(shown.from, shown.to));
  }
}
