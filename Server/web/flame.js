// SPDX-License-Identifier: Apache-2.0
// A trace as a flame: every span as wide as it is long, below its caller. Spans are written into a
// buffer of pixels, one pixel row a level, which is then drawn stretched: a hundred thousand take
// a few milliseconds.
import { dye, dyeNames, pixel, resolve } from './colors.js';
import { h } from './dom.js';
import { named, spanLength } from './format.js';
import { t } from './texts.js';
import { levelling } from './trace-lanes.js';
import { flag } from './trv1.js';

const lineHeight = 20;
/** Narrower blocks have no name, and no more than so many have. Pixels. */
const namedFrom = 44;
const namedMost = 400;
/** Browsers refuse canvases that are much taller. */
const tallest = 8000;
const thinnest = 2;

/** @param {import('./trace-page.js').TracePage} page */
export function view(page) {
  const { trace, timeline, signal } = page;
  const canvas = h('canvas', { role: 'img', 'aria-label': t('flame.label') });
  const tip = h('div.flame-tip', { hidden: true });
  const element = h('div.flame', { tabindex: '0', 'aria-label': t('flame.label') }, canvas, tip);
  const { levels, levelOf } = levelling(trace, tallest / thinnest);
  const line = Math.max(thinnest, Math.min(lineHeight, Math.floor(tallest / levels)));
  let width = 1;

  /** Rows by level, in the order of their starts as far as one parent goes. */
  const draw = () => {
    if (element.hidden || !element.clientWidth) return;
    const ratio = devicePixelRatio || 1;
    width = element.clientWidth;
    const height = levels * line;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
    const c = canvas.getContext('2d');
    const image = pixels(c, canvas.width);
    c.imageSmoothingEnabled = false;
    c.drawImage(image, 0, 0, canvas.width, levels, 0, 0, canvas.width, canvas.height);
    c.setTransform(ratio, 0, 0, ratio, 0, 0);
    const colors = resolve(element, ['--surface', '--text', '--accent']);
    c.fillStyle = colors['--surface'];
    if (line > 4) {
      for (let level = 1; level <= levels; level++) c.fillRect(0, level * line - 1, width, 1);
    }
    names(c, colors);
    outline(c, colors['--text']);
    reveal();
  };

  /** @param {CanvasRenderingContext2D} c @param {number} across */
  const pixels = (c, across) => {
    const colors = resolve(element, [...dyeNames, '--error', '--surface']);
    const dyes = trace.services.map((name) => pixel(colors[`--dye-${dye(name)}`]));
    const error = pixel(colors['--error']);
    const gap = pixel(colors['--surface']);
    const image = c.createImageData(across, levels);
    const buffer = new Uint32Array(image.data.buffer);
    const scale = across / (timeline.to - timeline.from);
    for (let i = 0; i < trace.n; i++) {
      const a = (trace.start[i] - timeline.from) * scale;
      const b = a + trace.duration[i] * scale;
      if (b < 0 || a > across) continue;
      const left = Math.max(0, Math.floor(a));
      const right = Math.min(across, Math.max(left + 1, Math.round(b)));
      const at = levelOf[i] * across;
      const failed = trace.flags[i] & flag.error;
      buffer.fill(failed ? error : dyes[trace.service[i]], at + left, at + right);
      if (right - left > 3 && right < across) buffer[at + right - 1] = gap;
    }
    const flat = document.createElement('canvas');
    flat.width = across;
    flat.height = levels;
    flat.getContext('2d')?.putImageData(image, 0, 0);
    return flat;
  };

  /** @param {number} row */
  const box = (row) => {
    const scale = width / (timeline.to - timeline.from);
    const x = (trace.start[row] - timeline.from) * scale;
    return { x, y: levelOf[row] * line, w: Math.max(1, trace.duration[row] * scale) };
  };

  /** @param {CanvasRenderingContext2D} c @param {Record<string, string>} colors */
  const names = (c, colors) => {
    if (line < 14) return;
    c.font = `12px ${getComputedStyle(element).fontFamily}`;
    c.textBaseline = 'middle';
    c.fillStyle = colors['--surface'];
    let told = 0;
    for (let i = 0; i < trace.n && told < namedMost; i++) {
      const { x, y, w } = box(i);
      const left = Math.max(0, x);
      const room = Math.min(width, x + w) - left - 8;
      if (room < namedFrom) continue;
      told++;
      const text = named(trace.names[trace.name[i]]);
      const most = Math.floor(room / 6.2);
      c.fillText(
        text.length > most ? `${text.slice(0, most - 1)}…` : text,
        left + 5,
        y + line / 2,
        room,
      );
    }
  };

  /** @param {CanvasRenderingContext2D} c @param {string} color */
  const outline = (c, color) => {
    if (timeline.selected < 0) return;
    const { x, y, w } = box(timeline.selected);
    c.strokeStyle = color;
    c.lineWidth = 2;
    c.strokeRect(Math.max(-2, x) + 1, y + 1, Math.min(width + 2, w) - 2, line - 3);
  };

  /** Scrolls to a span that was selected elsewhere, or by a key. */
  let revealed = -1;
  const reveal = () => {
    const row = timeline.selected;
    if (row === revealed) return;
    revealed = row;
    const y = row < 0 ? 0 : levelOf[row] * line;
    const { scrollTop, clientHeight } = element;
    if (row >= 0 && (y < scrollTop || y + line > scrollTop + clientHeight)) {
      element.scrollTop = y - clientHeight / 2;
    }
  };

  /** @param {MouseEvent} event @returns {number} the row there, or -1 */
  const rowAt = (event) => {
    const there = canvas.getBoundingClientRect();
    const level = Math.floor((event.clientY - there.top) / line);
    const unit = (timeline.to - timeline.from) / width;
    const at = timeline.from + (event.clientX - there.left) * unit;
    let best = -1;
    for (let i = 0; i < trace.n; i++) {
      if (levelOf[i] !== level || trace.start[i] > at) continue;
      if (trace.start[i] + Math.max(trace.duration[i], unit) >= at) best = i;
    }
    return best;
  };

  element.addEventListener('click', (/** @type {MouseEvent} */ event) => {
    const row = rowAt(event);
    if (row >= 0) page.select(row);
  });
  element.addEventListener('dblclick', (/** @type {MouseEvent} */ event) => {
    const row = rowAt(event);
    if (row >= 0) timeline.zoomTo(row);
  });
  element.addEventListener('wheel', (/** @type {WheelEvent} */ event) => {
    if (!event.ctrlKey && !event.altKey) return;
    event.preventDefault();
    const share = (event.clientX - canvas.getBoundingClientRect().left) / width;
    timeline.zoom(
      Math.exp(Math.max(-60, Math.min(60, event.deltaY)) / 180),
      timeline.from + share * (timeline.to - timeline.from),
    );
  }, { passive: false });
  element.addEventListener('pointermove', (/** @type {PointerEvent} */ event) => {
    const row = rowAt(event);
    tip.hidden = row < 0;
    if (row < 0) return;
    const there = element.getBoundingClientRect();
    tip.textContent = `${trace.services[trace.service[row]]} ${named(trace.names[trace.name[row]])} · ${
      spanLength(trace.duration[row], trace.unit)
    }`;
    const x = event.clientX - there.left;
    tip.style.left = `${Math.max(0, Math.min(x + 12, width - 240))}px`;
    tip.style.top = `${event.clientY - there.top + element.scrollTop + 14}px`;
  });
  element.addEventListener('pointerleave', () => {
    tip.hidden = true;
  });
  addEventListener('themechange', draw, { signal });
  return { element, draw };
}
