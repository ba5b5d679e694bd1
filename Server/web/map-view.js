// SPDX-License-Identifier: Apache-2.0
// What both drawings of the map share: where the server placed each box, the part of it that is in
// view, and moving through it by pointer, fingers and keys. A drawing says how boxes and lines look.
import { h } from './dom.js';
import { bindKeys } from './keys.js';

/** Boxes of the server are 200 by 48 and stand 240 apart: lines get more room by this. */
const stretch = 1.4;
export const boxWidth = 208;
export const boxHeight = 46;
/** Room for the head of a line. */
const arrow = 11;
const [leastZoom, mostZoom] = [0.03, 2.5];
/** Text smaller than this share of its size is hardly read. */
const readable = 0.62;
/** Fewer errors than this share are told, but not in red. */
export const alarming = 0.01;
/** A press that moves less is a click. Pixels. */
const dragFrom = 4;

/**
 * @typedef {{ key: string, name: string, says: string, short: string, x: number, y: number,
 *   share: number, group: number | null, lines: Line[] }} Box `says` is all of it in words
 * @typedef {{ key: string, from: Box, to: Box, says: string, short: string, width: number,
 *   share: number }} Line
 * @typedef {{ boxes: Box[], lines: Line[] }} Drawing
 */

/** Where a place of the server is drawn. @param {number} x */
export const across = (x) => x * stretch;

/** The way of a line: forward from side to side, back and within a layer below the boxes.
 * @param {Line} line */
export function way({ from, to }) {
  if (to.x > from.x) {
    const [x, right] = [from.x + boxWidth / 2, to.x - boxWidth / 2 - arrow];
    const bend = Math.max(36, (right - x) / 2);
    return `M${x} ${from.y}C${x + bend} ${from.y} ${right - bend} ${to.y} ${right} ${to.y}`;
  }
  const [y, low] = [from.y + boxHeight / 2, to.y + boxHeight / 2 + arrow];
  const apart = from === to ? 34 : 0;
  return `M${from.x - apart} ${y}C${from.x - apart} ${y + 46} ${to.x + apart} ${low + 46} ` +
    `${to.x + apart} ${low}`;
}

/** Shares of a line's way where its label may stand: rather towards the end that is not lit, so that
 * those of one box do not meet. */
const [labelParts, below] = [[0.68, 0.5, 0.82, 0.32, 0.18], [0, -1.2, 1.2]];

/** @param {Line} line @param {number} part */
function labelAt({ from, to }, part) {
  const between = (/** @type {number} */ a, /** @type {number} */ b, /** @type {number} */ p) =>
    a + (b - a) * p;
  return to.x > from.x
    ? {
      x: between(from.x + boxWidth / 2, to.x - boxWidth / 2, part),
      y: between(from.y, to.y, 0.5 + (part - 0.5) * 1.5),
    }
    : { x: between(from.x, to.x, part), y: between(from.y, to.y, part) + boxHeight / 2 + 32 };
}

/**
 * Where labels stand: each at the first spot where it hides no box and no label before it,
 * in the middle where there is none.
 * @param {Line[]} lines @param {string} lit @param {Box[]} boxes @param {number} size of the text
 * @returns {{ line: Line, x: number, y: number }[]}
 */
export function labelSpots(lines, lit, boxes, size) {
  const taken = boxes.map(({ x, y }) => ({ x, y, width: boxWidth, height: boxHeight }));
  return lines.map((line) => {
    const own = { width: line.short.length * size * 0.56, height: size * 1.3 };
    const spots = labelParts.flatMap((part) => {
      const { x, y } = labelAt(line, lit === line.to.key ? 1 - part : part);
      return below.map((lines) => ({ ...own, x, y: y + lines * size }));
    });
    const free = spots.find(({ x, y, width, height }) =>
      !taken.some((other) =>
        Math.abs(other.x - x) < (other.width + width) / 2 &&
        Math.abs(other.y - y) < (other.height + height) / 2
      )
    ) ?? spots[below.length];
    taken.push(free);
    return { line, x: free.x, y: free.y };
  });
}

/** The middle and the zoom. @param {string} text such as `view` gives
 * @returns {[number, number, number] | null} null where it is none */
export function placeOf(text) {
  const [x, y, zoom, ...more] = text.split(',').map((part) => part ? Number(part) : NaN);
  return !more.length && [x, y, zoom].every(Number.isFinite) && zoom > 0
    ? [x, y, Math.max(leastZoom, Math.min(mostZoom, zoom))]
    : null;
}

export class MapView {
  /** @type {Drawing} */
  drawing = { boxes: [], lines: [] };
  /** @type {Map<string, Box>} */
  boxes = new Map();
  /** @type {Map<string, Line>} */
  lines = new Map();
  /** What the pointer is on, and what the keys are at: a box's key or a line's. */
  hovered = '';
  at = '';
  /** What the panel tells about. */
  chosen = '';
  zoom = 1;
  /** The point of the drawing in the middle of the view. */
  x = 0;
  y = 0;
  width = 0;
  height = 0;
  placed = false;

  /**
   * @param {{ label: string, signal: AbortSignal, choose: (key: string) => any,
   *   moved: () => any }} options
   */
  constructor(options) {
    this.options = options;
    this.element = h('div.map-area');
    const { signal } = options;
    const sized = new ResizeObserver(() => this.resize());
    sized.observe(this.element);
    signal.addEventListener('abort', () => sized.disconnect());
    this.listen();
    bindKeys({
      '+': () => this.scale(1.3),
      '=': () => this.scale(1.3),
      '-': () => this.scale(1 / 1.3),
      0: () => this.fit(true),
    }, signal);
  }

  /** @param {Drawing} drawing */
  show(drawing) {
    this.drawing = drawing;
    this.boxes = new Map(drawing.boxes.map((box) => [box.key, box]));
    this.lines = new Map(drawing.lines.map((line) => [line.key, line]));
    if (!this.boxes.has(this.at) && !this.lines.has(this.at)) {
      this.at = this.boxes.has(this.chosen) ? this.chosen : drawing.boxes[0]?.key ?? '';
    }
    this.draw();
    if (this.width && !this.placed) this.fit();
  }

  /** Made by who extends it. */
  draw() {}
  /** The part in view, or what is lit, changed. */
  place() {}
  light() {}
  /** The keys went to a box or a line. */
  focus() {}

  resize() {
    const { clientWidth, clientHeight } = this.element;
    if (!clientWidth || !clientHeight) return;
    this.width = clientWidth;
    this.height = clientHeight;
    if (this.placed) this.place();
    else if (this.drawing.boxes.length) this.fit();
  }

  /** @param {boolean} [whole] however small it gets */
  fit(whole = false) {
    const { boxes } = this.drawing;
    if (!boxes.length) return;
    const ends = (/** @type {'x' | 'y'} */ axis) =>
      boxes.reduce(([low, high], box) => [Math.min(low, box[axis]), Math.max(high, box[axis])], [
        Infinity,
        -Infinity,
      ]);
    const [[left, right], [top, bottom]] = [ends('x'), ends('y')];
    const [wide, high] = [right - left + boxWidth + 40, bottom - top + boxHeight + 90];
    const zoom = Math.min(1.15, this.width / wide, this.height / high);
    this.zoom = Math.max(leastZoom, whole ? zoom : Math.max(zoom, this.least(zoom)));
    this.x = (left + right) / 2;
    this.y = (top + bottom) / 2 + 12;
    // Where not all is seen, it begins at the left, or at what the panel tells about.
    if (this.width / this.zoom < wide) this.x = left - boxWidth / 2 - 20 + this.width / this.zoom / 2;
    const box = this.boxes.get(this.chosen);
    if (box && this.zoom > zoom) [this.x, this.y] = [box.x, box.y];
    this.settle(whole);
  }

  /** The zoom that is begun with where all would be small. @param {number} _whole */
  least(_whole) {
    return readable;
  }

  /** @param {number} by @param {{ x: number, y: number }} [keep] a point of the drawing that stays */
  scale(by, keep = this) {
    const { x, y } = keep;
    const zoom = Math.max(leastZoom, Math.min(mostZoom, this.zoom * by));
    this.x = x + ((this.x - x) * this.zoom) / zoom;
    this.y = y + ((this.y - y) * this.zoom) / zoom;
    this.zoom = zoom;
    this.settle(true);
  }

  /** @param {number} dx @param {number} dy pixels */
  pan(dx, dy) {
    this.x -= dx / this.zoom;
    this.y -= dy / this.zoom;
    this.settle(true);
  }

  /** @param {boolean} told the address is to keep it */
  settle(told) {
    this.placed = true;
    this.place();
    if (told) this.options.moved();
  }

  get view() {
    return [this.x, this.y].map(Math.round).concat(Number(this.zoom.toFixed(3))).join(',');
  }

  /** @param {ReturnType<typeof placeOf>} place of the address */
  restore(place) {
    if (!place) return;
    [this.x, this.y, this.zoom] = place;
    this.placed = true;
  }

  /** Brings a box or a line into view. @param {string} key */
  reveal(key) {
    const place = this.boxes.get(key) ?? this.lines.get(key)?.to;
    if (!place || !this.width) return;
    if (this.zoom < readable) this.zoom = 0.8;
    const [half, tall] = [this.width / 2 / this.zoom, this.height / 2 / this.zoom];
    const away = Math.abs(place.x - this.x) > half - boxWidth / 2 ||
      Math.abs(place.y - this.y) > tall - boxHeight;
    if (away) [this.x, this.y] = [place.x, place.y];
    this.settle(true);
  }

  /** @param {{ clientX: number, clientY: number }} event @returns a point of the drawing */
  point({ clientX, clientY }) {
    const { left, top } = this.element.getBoundingClientRect();
    return {
      x: this.x + (clientX - left - this.width / 2) / this.zoom,
      y: this.y + (clientY - top - this.height / 2) / this.zoom,
    };
  }

  /** What is under a pointer. @param {PointerEvent | MouseEvent} _event @returns {string} */
  under(_event) {
    return '';
  }

  /** @param {string} key */
  hover(key) {
    if (key === this.hovered) return;
    this.hovered = key;
    this.light();
  }

  listen() {
    const area = this.element;
    /** @type {Map<number, PointerEvent>} */
    const down = new Map();
    let moved = 0;
    area.addEventListener('pointerdown', (/** @type {PointerEvent} */ event) => {
      if (event.button) return;
      if (!down.size) moved = 0;
      down.set(event.pointerId, event);
    });
    area.addEventListener('pointermove', (/** @type {PointerEvent} */ event) => {
      // It was let go where this did not hear of it.
      if (!event.buttons) down.delete(event.pointerId);
      const before = down.get(event.pointerId);
      if (!before) {
        if (event.pointerType === 'mouse') this.hover(this.under(event));
        return;
      }
      const [dx, dy] = [event.clientX - before.clientX, event.clientY - before.clientY];
      moved += Math.abs(dx) + Math.abs(dy);
      const other = [...down.values()].find(({ pointerId }) => pointerId !== event.pointerId);
      down.set(event.pointerId, event);
      if (moved < dragFrom) return;
      if (!area.hasPointerCapture(event.pointerId)) area.setPointerCapture(event.pointerId);
      if (other) {
        const apart = (/** @type {PointerEvent} */ one) =>
          Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY);
        this.scale(apart(event) / Math.max(1, apart(before)), this.point(other));
      } else this.pan(dx, dy);
    });
    for (const name of ['pointerup', 'pointercancel']) {
      area.addEventListener(name, (/** @type {any} */ event) => {
        // What captured the pointer hides which box it is on.
        if (down.delete(event.pointerId) && name === 'pointerup' && moved < dragFrom) {
          const key = this.under(event);
          if (key) this.go(key);
          this.options.choose(key);
        }
      });
    }
    area.addEventListener('pointerleave', () => this.hover(''));
    area.addEventListener('dblclick', (/** @type {MouseEvent} */ event) =>
      this.scale(1.6, this.point(event)));
    area.addEventListener('wheel', (/** @type {WheelEvent} */ event) => {
      if (!event.ctrlKey && !event.altKey && !event.metaKey) {
        if (!event.shiftKey) return;
        event.preventDefault();
        return this.pan(-event.deltaX || -event.deltaY, 0);
      }
      event.preventDefault();
      const by = Math.max(-60, Math.min(60, event.deltaY));
      this.scale(Math.exp(-by / 160), this.point(event));
    }, { passive: false });
    area.addEventListener('keydown', (/** @type {KeyboardEvent} */ event) => {
      if (!event.ctrlKey && !event.metaKey && !event.altKey && this.key(event)) {
        event.preventDefault();
      }
    });
  }

  /** @param {KeyboardEvent} event @returns {boolean} whether it meant something here */
  key({ key, shiftKey }) {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[key];
    if (step) {
      if (shiftKey) this.pan(-60 * step[0], -60 * step[1]);
      else this.walk(step[0], step[1]);
      return true;
    }
    if (key === 'Enter' || key === ' ') this.options.choose(this.at);
    else if (key === 'Escape' && this.lines.has(this.at)) {
      this.go(/** @type {Line} */ (this.lines.get(this.at)).from.key);
    } else if (key === 'Escape' && this.chosen) this.options.choose('');
    else if (key === 'e' || key === 'E') this.turn(key === 'e' ? 1 : -1);
    else return false;
    return true;
  }

  /** The box the keys are at, or the one a line of theirs begins at. */
  get from() {
    return this.boxes.get(this.at) ?? this.lines.get(this.at)?.from;
  }

  /** To the nearest box that way. @param {number} dx @param {number} dy */
  walk(dx, dy) {
    const { from } = this;
    if (!from) return;
    let best = null;
    let least = Infinity;
    for (const box of this.drawing.boxes) {
      const along = (box.x - from.x) * dx + (box.y - from.y) * dy;
      const aside = Math.abs((box.x - from.x) * dy) + Math.abs((box.y - from.y) * dx);
      const far = along + 2 * aside;
      if (along > 1 && far < least) [best, least] = [box, far];
    }
    if (best) this.go(best.key);
  }

  /** To the next line of a box. @param {1 | -1} by */
  turn(by) {
    const box = this.boxes.get(this.turning ?? '') ?? this.from;
    if (!box?.lines.length) return;
    const at = box.lines.findIndex(({ key }) => key === this.at);
    const next = at < 0 ? (by > 0 ? 0 : -1) : at + by;
    this.go(/** @type {Line} */ (box.lines.at(next % box.lines.length)).key, box.key);
  }

  /** @param {string} key @param {string} [turning] the box whose lines are gone through */
  go(key, turning) {
    this.at = key;
    this.turning = turning;
    const place = this.boxes.get(key) ?? this.lines.get(key)?.to;
    const [half, tall] = [this.width / 2 / this.zoom, this.height / 2 / this.zoom];
    if (place && (Math.abs(place.x - this.x) > half || Math.abs(place.y - this.y) > tall)) {
      this.reveal(key);
    }
    this.focus();
    this.light();
  }
}

/** The box or line that is pointed at, by pointer or keys, else the chosen one.
 * @param {MapView} view */
export function pointed({ hovered, chosen, at, element }) {
  const keyed = element.contains(document.activeElement) &&
    document.activeElement?.matches(':focus-visible');
  return hovered || (keyed && at) || chosen;
}

/** What is lit with it: its lines and their other ends.
 * @param {MapView} view @returns {Set<string> | null} null where nothing is pointed at */
export function lit(view) {
  const { boxes, lines } = view;
  const key = pointed(view);
  const box = boxes.get(key);
  const line = lines.get(key);
  if (box) {
    return new Set([key, ...box.lines.flatMap((one) => [one.key, one.from.key, one.to.key])]);
  }
  return line ? new Set([key, line.from.key, line.to.key]) : null;
}
