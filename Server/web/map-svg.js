// SPDX-License-Identifier: Apache-2.0
// The map as SVG: every box and line is an element that takes focus and names itself.
import { fill } from './dom.js';
import { alarming, boxHeight, boxWidth, labelSpots, lit, MapView, pointed, way } from './map-view.js';

const space = 'http://www.w3.org/2000/svg';
/** Labels at once; more would hide what they are about. */
const labelsShown = 14;

/** @param {string} name @param {Record<string, any>} [attributes] @param {...any} children */
function s(name, attributes = {}, ...children) {
  const element = document.createElementNS(space, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  element.append(...children);
  return element;
}

const ruler = document.createElement('canvas').getContext('2d');

/** As much of a text as has room. @param {string} text @param {string} font @param {number} width */
export function fitted(text, font, width) {
  if (!ruler) return text;
  ruler.font = font;
  if (ruler.measureText(text).width <= width) return text;
  let [low, high] = [0, text.length];
  while (low < high) {
    const mid = (low + high + 1) >> 1;
    if (ruler.measureText(`${text.slice(0, mid)}…`).width <= width) low = mid;
    else high = mid - 1;
  }
  return `${text.slice(0, low)}…`;
}

export class SvgMap extends MapView {
  /** @type {Map<string, SVGElement>} */
  drawn = new Map();
  /** What stands where; while it stays, elements stay. */
  shape = '';

  /** @param {ConstructorParameters<typeof MapView>[0]} options */
  constructor(options) {
    super(options);
    this.paths = s('g');
    this.nodes = s('g');
    this.labels = s('g', { 'aria-hidden': 'true' });
    this.world = s('g', {}, this.paths, this.nodes, this.labels);
    const arrow = (/** @type {string} */ id) =>
      s('marker', {
        id,
        class: id,
        viewBox: '0 0 8 8',
        refX: 0.5,
        refY: 4,
        markerWidth: 13,
        markerHeight: 13,
        markerUnits: 'userSpaceOnUse',
        orient: 'auto',
      }, s('path', { d: 'M0 .5 7 4 0 7.5Z' }));
    const hatch = s('pattern', {
      id: 'hatch',
      width: 5,
      height: 5,
      patternUnits: 'userSpaceOnUse',
      patternTransform: 'rotate(45)',
    }, s('rect', { width: 2.6, height: 5 }));
    this.svg = s(
      'svg',
      { class: 'map-svg', role: 'group', 'aria-label': options.label },
      s('defs', {}, arrow('arrow'), arrow('arrow-bad'), hatch),
      this.world,
    );
    this.element.append(this.svg);
    this.svg.addEventListener('focusin', (event) => {
      const key = this.keyOf(event.target);
      if (key) this.at = key;
      this.light();
    });
    this.svg.addEventListener('focusout', () => queueMicrotask(() => this.light()));
  }

  /** @param {any} target */
  keyOf(target) {
    return target.closest?.('[data-key]')?.dataset.key ?? '';
  }

  /** @param {PointerEvent} event @override */
  under(event) {
    const target = document.elementFromPoint(event.clientX, event.clientY);
    return target && this.element.contains(target) ? this.keyOf(target) : '';
  }

  draw() {
    const { boxes, lines } = this.drawing;
    const shape = JSON.stringify([
      boxes.map(({ key, x, y }) => [key, x, y]),
      lines.map(({ key }) => key),
    ]);
    if (shape !== this.shape) {
      const focused = this.svg.contains(document.activeElement);
      this.shape = shape;
      this.drawn = new Map();
      const button = { role: 'button', tabindex: '-1' };
      fill(
        this.paths,
        lines.map((line) => {
          const d = way(line);
          const g = s('g', { class: 'line', ...button }, s('path', { class: 'reach', d }), s('path', { d }));
          g.dataset.key = line.key;
          this.drawn.set(line.key, g);
          return g;
        }),
      );
      fill(
        this.nodes,
        boxes.map((box) => {
          const at = { x: box.x - boxWidth / 2, y: box.y - boxHeight / 2 };
          const g = s(
            'g',
            { class: 'box', ...button },
            s('rect', { ...at, width: boxWidth, height: boxHeight, rx: 9 }),
            s('text', { class: 'box-name', x: at.x + 12, y: box.y - 4 }),
            s('text', { class: 'box-says', x: at.x + 12, y: box.y + 13 }),
            s('rect', { class: 'box-bad', ...at, y: box.y + boxHeight / 2 - 4, height: 4, fill: 'url(#hatch)' }),
          );
          g.dataset.key = box.key;
          this.drawn.set(box.key, g);
          return g;
        }),
      );
      if (focused) this.focus();
    }
    for (const box of boxes) this.dressBox(box);
    for (const line of lines) this.dressLine(line);
    this.light();
  }

  /** @param {import('./map-view.js').Box} box */
  dressBox(box) {
    const g = /** @type {SVGElement} */ (this.drawn.get(box.key));
    const bad = box.share >= alarming;
    g.setAttribute('class', `box${bad ? ' failing' : ''}${box.group === null ? '' : ' of-many'}`);
    g.setAttribute('aria-label', box.says);
    const [, name, says, share] = g.children;
    const family = getComputedStyle(document.body).fontFamily;
    name.textContent = fitted(box.name, `600 13px ${family}`, boxWidth - 24);
    says.textContent = fitted(box.short, `11px ${family}`, boxWidth - 20);
    share.setAttribute('width', String(bad ? Math.max(8, box.share * (boxWidth - 16)) : 0));
    share.setAttribute('x', String(box.x - boxWidth / 2 + 8));
  }

  /** @param {import('./map-view.js').Line} line */
  dressLine(line) {
    const g = /** @type {SVGElement} */ (this.drawn.get(line.key));
    g.setAttribute('class', line.share >= alarming ? 'line failing' : 'line');
    g.setAttribute('aria-label', line.says);
    g.children[1].setAttribute('stroke-width', line.width.toFixed(2));
    g.children[1].setAttribute(
      'marker-end',
      line.share >= alarming ? 'url(#arrow-bad)' : 'url(#arrow)',
    );
  }

  place() {
    this.svg.setAttribute('viewBox', `0 0 ${this.width} ${this.height}`);
    const [x, y] = [this.width / 2 - this.x * this.zoom, this.height / 2 - this.y * this.zoom];
    this.world.setAttribute('transform', `translate(${x} ${y}) scale(${this.zoom})`);
  }

  light() {
    const bright = lit(this);
    this.svg.classList.toggle('lit', bright !== null);
    for (const [key, g] of this.drawn) {
      g.classList.toggle('on', bright?.has(key) ?? false);
      g.setAttribute('tabindex', key === this.at ? '0' : '-1');
      g.setAttribute('aria-pressed', String(key === this.chosen));
    }
    const lines = bright ? this.drawing.lines.filter(({ key }) => bright.has(key)) : [];
    fill(
      this.labels,
      labelSpots(lines.slice(0, labelsShown), pointed(this), this.drawing.boxes, 11)
        .map(({ line, x, y }) => s('text', { class: 'line-says', x, y: y + 4 }, line.short)),
    );
  }

  focus() {
    this.drawn.get(this.at)?.focus({ preventScroll: true });
  }
}
