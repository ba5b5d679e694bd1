// SPDX-License-Identifier: Apache-2.0
// The rows of a trace. Text lives in a ring of recycled DOM rows (visible row r is slot r mod the
// ring's size, and a
// row's nodes are touched only when its span changes); bars live on one canvas over them. The
// document therefore has
// the same few hundred nodes for 10 spans and for a million.
//
//     scroller ── spacer (as tall as all rows)
//        └─ layer (sticky) ── strip (one transform) ── slot, slot, slot …
//                          └─ canvas (bars)
import { drawBars, margin, rowHeight } from './bars.js';
import { dye, dyeClass, dyeNames, resolve } from './colors.js';
import { h } from './dom.js';
import { count, duration, named, spanLength } from './format.js';
import { Gestures } from './gestures.js';
import { percentText } from './scale.js';
import { t } from './texts.js';
import { flag, ownTime } from './trv1.js';

/** Browsers stop at about 33.5 million pixels; above this the scroll position is scaled. */
const scrollLimit = 24_000_000;
/** The column of durations, as the style sheet has it. Pixels. */
const lengthColumn = 84;
/** Rows are placed relative to a base that follows the view, for the same limit. */
const baseStep = 500_000;

export class Timeline {
  /**
   * @param {import('./trv1.js').Trace} trace
   * @param {{ select: (row: number) => void, view: () => void, folded: () => void }} on what the
   *   page wants to know
   */
  constructor(trace, on) {
    this.trace = trace;
    this.on = on;
    this.from = 0;
    this.to = trace.total;
    this.selected = -1;
    /** @type {Uint8Array} */
    this.closed = new Uint8Array(trace.n);
    /** @type {Uint8Array} */
    this.hits = new Uint8Array(trace.n);
    this.hitCount = -1;
    this.onlyService = -1;
    /** Equal siblings; those that are rolled up show as their first one that is kept.
     *  @type {import('./trace-analysis.js').Runs | null} */
    this.runs = null;
    this.rolled = true;
    /** One entry a run, 1 where its members are shown each. */
    this.unrolled = new Uint8Array(0);
    this.runHits = new Uint8Array(0);
    /** The run that a row stands for, or -1. */
    this.standsFor = new Int32Array(trace.n).fill(-1);
    /** What a filter leaves: 2 a row that is wanted, 1 an ancestor; null without a filter.
     *  @type {Uint8Array | null} */
    this.keep = null;
    /** Drawn where it is there. @type {import('./trace-analysis.js').PathByRow | null} */
    this.path = null;
    /** Rows in view order, and where each row is in it (-1: folded away). */
    this.shown = new Int32Array(trace.n);
    this.place = new Int32Array(trace.n);
    this.shownCount = 0;
    this.version = 0;
    this.names = 0;
    this.width = 0;
    this.height = 0;
    /** @type {any[]} */
    this.slots = [];
    this.ringSize = 0;
    this.base = 0;
    this.queued = false;
    /** @type {string[]} */
    this.dyes = [];
    /** Where the axis has its marks, in units. @type {number[]} */
    this.ticks = [];
    this.indent = 16;
    this.wide = false;
    this.build();
    this.layout();
  }

  build() {
    this.strip = h('div.strip-rows', { role: 'presentation' });
    this.canvas = h('canvas.bars', { 'aria-hidden': 'true' });
    this.spacer = h('div.spacer', { role: 'presentation' });
    this.pick = h('div.pick', { hidden: true, role: 'presentation' });
    this.hair = h('div.hair', { hidden: true, role: 'presentation' });
    this.layer = h(
      'div.layer',
      { role: 'presentation' },
      this.strip,
      this.canvas,
      this.hair,
      this.pick,
    );
    this.element = h(
      'div.rows',
      { role: 'treegrid', tabindex: '0', 'aria-label': t('trace.grid'), 'aria-colcount': '2' },
      this.spacer,
      this.layer,
    );
    this.context = this.canvas.getContext('2d');
    this.element.addEventListener('scroll', () => this.later(), { passive: true });
    new Gestures(this);
  }

  /** The visible rows after filtering, rolling up and folding. */
  layout() {
    const { n, end } = this.trace;
    const { keep, standsFor } = this;
    const runs = this.rolled ? this.runs : null;
    const stands = new Uint8Array(runs?.runs.length ?? 0);
    this.place.fill(-1);
    standsFor.fill(-1);
    let k = 0;
    let i = 0;
    while (i < n) {
      const run = runs ? runs.of[i] : -1;
      const rolled = run >= 0 && !this.unrolled[run];
      if ((keep && !keep[i]) || (rolled && stands[run])) {
        i = end[i];
        continue;
      }
      if (rolled) {
        stands[run] = 1;
        standsFor[i] = run;
      }
      this.place[i] = k;
      this.shown[k++] = i;
      i = rolled || this.closed[i] ? end[i] : i + 1;
    }
    this.shownCount = k;
    this.version++;
    this.spacer.style.height = `${Math.min(k * rowHeight, scrollLimit)}px`;
    this.element.setAttribute('aria-rowcount', String(k));
    this.later();
  }

  /** Colours of the theme of the moment. */
  recolor() {
    this.colors = resolve(this.element, [...dyeNames, '--line', '--error', '--text']);
    this.dyes = this.trace.services.map((name) =>
      /** @type {any} */ (this.colors)[`--dye-${dye(name)}`]
    );
    this.later();
  }

  /** @param {number} names width of the column of names */
  resize(names) {
    this.names = names;
    // However deep the trace, the indentation takes less than half of the names.
    const room = Math.max(40, names - lengthColumn) * 0.42;
    this.indent = Math.max(2, Math.min(16, room / Math.max(1, this.trace.maxDepth)));
    this.width = Math.max(1, this.element.clientWidth - names - 2 * margin);
    this.height = this.element.clientHeight;
    const ratio = devicePixelRatio || 1;
    this.canvas.width = Math.round((this.width + 2 * margin) * ratio);
    this.canvas.height = Math.round(this.height * ratio);
    this.canvas.style.width = `${this.width + 2 * margin}px`;
    this.canvas.style.height = `${this.height}px`;
    this.canvas.style.left = `${names}px`;
    this.ringSize = Math.ceil(this.height / rowHeight) + 2;
    this.version++;
    this.later();
  }

  /** How far one pixel of scrolling goes; 1 unless there are more than about 900,000 rows. */
  get pace() {
    const all = this.shownCount * rowHeight;
    return all <= scrollLimit ? 1 : (all - this.height) / (scrollLimit - this.height);
  }

  get top() {
    return this.element.scrollTop * this.pace;
  }

  later() {
    if (this.queued) return;
    this.queued = true;
    requestAnimationFrame(() => {
      this.queued = false;
      this.draw();
    });
  }

  draw() {
    if (!this.ringSize || !this.colors) return;
    const top = this.top;
    const first = Math.floor(top / rowHeight);
    const visible = Math.max(0, Math.min(this.shownCount - first, this.ringSize - 1));
    const base = Math.floor(first / baseStep) * baseStep;
    if (base !== this.base) {
      this.base = base;
      this.version++;
    }
    for (let k = 0; k < visible; k++) this.setSlot(first + k);
    // Not `for of`: the ring has holes until every slot was needed once, and this skips them.
    this.slots.forEach((slot) => {
      const on = slot.place >= first && slot.place < first + visible;
      if (slot.on !== on) {
        slot.on = on;
        slot.element.hidden = !on;
      }
    });
    this.strip.style.transform = `translateY(${this.base * rowHeight - top}px)`;
    drawBars(
      this.context,
      this.barView(),
      this.shown.subarray(first, first + visible),
      first * rowHeight - top,
    );
    this.announce();
  }

  /** Makes the slot of a visible row show it. @param {number} place */
  setSlot(place) {
    const index = place % this.ringSize;
    const slot = (this.slots[index] ??= this.makeSlot(index));
    if (slot.place === place && slot.version === this.version) return;
    slot.place = place;
    slot.version = this.version;
    slot.element.style.top = `${(place - this.base) * rowHeight}px`;
    slot.element.setAttribute('aria-rowindex', String(place + 1));
    this.fillSlot(slot, this.shown[place]);
  }

  /** @param {number} index */
  makeSlot(index) {
    const guides = h('i.guides');
    const fold = h('span.fold', { 'aria-hidden': 'true' });
    const dot = h('i.dot');
    const name = document.createTextNode('');
    const service = document.createTextNode('');
    const length = document.createTextNode('');
    const hidden = h('span.hidden-count', '');
    const alike = h('span.alike', '');
    const figures = h('span.figures', '');
    const [own, share] = [document.createTextNode(''), document.createTextNode('')];
    const failed = h('i.failed');
    const element = h(
      'div.row',
      { role: 'row', id: `row-${index}` },
      h(
        'div.names',
        { role: 'gridcell' },
        guides,
        fold,
        dot,
        failed,
        h('b', name),
        alike,
        figures,
        h('span.service', service),
        hidden,
      ),
      h('div.length', { role: 'gridcell' }, length),
      this.wide ? h('div.more-cell', { role: 'gridcell' }, own) : null,
      this.wide ? h('div.more-cell', { role: 'gridcell' }, share) : null,
    );
    this.strip.append(element);
    return {
      element,
      guides,
      fold,
      dot,
      name,
      service,
      length,
      hidden,
      alike,
      figures,
      own,
      share,
      failed,
      place: -1,
      version: -1,
      on: true,
    };
  }

  /** @param {any} slot @param {number} row */
  fillSlot(slot, row) {
    const { trace } = this;
    const run = this.standsFor[row];
    const hasChildren = run >= 0 || trace.end[row] - row > 1;
    const closed = run >= 0 || this.closed[row] === 1;
    const flags = trace.flags[row];
    slot.row = row;
    slot.guides.style.width = `${trace.depth[row] * this.indent}px`;
    slot.guides.style.backgroundSize = `${this.indent}px 100%`;
    slot.name.data = named(trace.names[trace.name[row]]);
    slot.service.data = named(trace.services[trace.service[row]]);
    this.fillRun(slot, row, run);
    if (this.wide) this.fillWide(slot, row, run);
    slot.hidden.textContent = closed && run < 0 ? `+${count(trace.end[row] - row - 1)}` : '';
    let names = `row ${dyeClass(trace.services[trace.service[row]])}`;
    if (hasChildren) names += closed ? ' closed' : ' open';
    if (run >= 0) names += ' run';
    if (run < 0 ? flags & flag.error : this.runs?.runs[run].errorCount) names += ' bad';
    if (this.path && this.path.first[this.lastOf(row)] > this.path.first[row]) names += ' on-path';
    if (flags & flag.parentMissing) names += ' orphan';
    if (row === this.selected) names += ' selected';
    if (this.dimmed(row)) names += ' dim';
    slot.element.className = names;
    slot.element.setAttribute('aria-level', String(trace.depth[row] + 1));
    slot.element.setAttribute('aria-selected', String(row === this.selected));
    if (hasChildren) slot.element.setAttribute('aria-expanded', String(!closed));
    else slot.element.removeAttribute('aria-expanded');
    const notes = [];
    if (flags & flag.error) notes.push(t('trace.flag.error'));
    if (flags & flag.parentMissing) notes.push(t('trace.flag.parentMissing'));
    if (flags & flag.clockAdjusted) notes.push(t('trace.flag.clockAdjusted'));
    slot.element.title = notes.join(' · ');
  }

  /** The row after everything that a row stands for. @param {number} row */
  lastOf(row) {
    const run = this.standsFor[row];
    if (run >= 0) return row + 1;
    return this.closed[row] ? this.trace.end[row] : row + 1;
  }

  /** What stands for many says so; one that began a run of such can roll it up again.
   *  @param {any} slot @param {number} row @param {number} run -1 for none */
  fillRun(slot, row, run) {
    const { trace, runs } = this;
    const told = run >= 0 ? runs?.runs[run] : null;
    slot.length.data = told
      ? duration(Number(told.sumNanos))
      : spanLength(trace.duration[row], trace.unit);
    const begins = this.rolled && runs?.isFirst(row);
    slot.alike.textContent = begins || told ? `×${count(runs?.runs[runs.of[row]].count ?? 0)}` : '';
    slot.alike.title = begins && !told ? t('trace.run.roll') : '';
    slot.figures.textContent = told
      ? [
        `p50 ${duration(Number(told.p50Nanos))}`,
        `p99 ${duration(Number(told.p99Nanos))}`,
        told.errorCount ? t('unit.errors', { n: told.errorCount }) : '',
      ].filter(Boolean).join(' · ')
      : '';
  }

  /** The columns of the tree without bars. @param {any} slot @param {number} row
   *  @param {number} run */
  fillWide(slot, row, run) {
    const { trace } = this;
    let own = 0;
    const rows = run >= 0 ? this.runs?.members[run] ?? [row] : [row];
    for (const one of rows) {
      ownTime(trace, one, (a, b) => {
        own += b - a;
      });
    }
    slot.own.data = spanLength(own, trace.unit);
    slot.share.data = percentText(own / trace.total);
  }

  /** @param {number} row @param {boolean} [alone] not what it stands for */
  dimmed(row, alone = false) {
    const run = alone ? -1 : this.standsFor[row];
    if (run >= 0 && this.runHits[run]) return false;
    return (this.keep !== null && this.keep[row] === 1) || (this.hitCount > 0 && !this.hits[row]) ||
      (this.onlyService >= 0 && this.trace.service[row] !== this.onlyService);
  }

  /** The selected row is the active one of the grid, as far as it is on screen. */
  announce() {
    const place = this.selected < 0 ? -1 : this.place[this.selected];
    const slot = place < 0 ? null : this.slots[place % this.ringSize];
    if (slot?.on && slot.place === place) {
      this.element.setAttribute('aria-activedescendant', slot.element.id);
    } else this.element.removeAttribute('aria-activedescendant');
  }

  /** @returns {import('./bars.js').View} */
  barView() {
    const colors = /** @type {any} */ (this.colors);
    return {
      trace: this.trace,
      from: this.from,
      to: this.to,
      width: this.width,
      height: this.height,
      ticks: this.ticks,
      dyes: this.dyes,
      line: colors['--line'],
      error: colors['--error'],
      path: this.path,
      text: colors['--text'],
      members: (row) => {
        const run = this.standsFor[row];
        return run < 0 ? null : this.runs?.members[run] ?? null;
      },
      last: (row) => this.lastOf(row),
      dim: (row, alone) => this.dimmed(row, alone),
    };
  }

  /** @param {number} from units @param {number} to units */
  setView(from, to) {
    const { total } = this.trace;
    const least = Math.min(total, Math.max(20, total / 1e7));
    const length = Math.min(total, Math.max(least, to - from));
    const start = Math.max(0, Math.min(total - length, (from + to - length) / 2));
    this.from = start;
    this.to = start + length;
    this.on.view();
    this.later();
  }

  /** @param {number} factor above 1 shows more @param {number} [around] units */
  zoom(factor, around = (this.from + this.to) / 2) {
    const a = around - (around - this.from) * factor;
    const b = around + (this.to - around) * factor;
    if (factor > 1) {
      // At the edge, what cannot be shown on one side is shown on the other.
      const total = this.trace.total;
      const from = Math.max(0, Math.min(a, total - (b - a)));
      return this.setView(from, Math.min(total, from + (b - a)));
    }
    this.setView(a, b);
  }

  /** @param {number} share of what is in view */
  pan(share) {
    const length = this.to - this.from;
    const from = Math.max(0, Math.min(this.trace.total - length, this.from + share * length));
    this.setView(from, from + length);
  }

  /** @param {number} row */
  zoomTo(row) {
    const length = Math.max(1, this.trace.duration[row]);
    this.setView(this.trace.start[row] - length * 0.05, this.trace.start[row] + length * 1.05);
  }

  /** @param {number} row @param {boolean} [closed] the other way round when left out */
  toggle(row, closed = this.standsFor[row] < 0 && !this.closed[row]) {
    if (this.standsFor[row] >= 0) return closed ? undefined : this.roll(row, false);
    if (this.trace.end[row] - row <= 1 || this.closed[row] === Number(closed)) return;
    this.closed[row] = Number(closed);
    this.layout();
    this.on.folded();
  }

  /** Rolls up the run a row is a member of, or shows each of its members.
   *  @param {number} row @param {boolean} [up] the other way round when left out */
  roll(row, up = this.standsFor[row] < 0) {
    const run = this.runs && this.rolled ? this.runs.of[row] : -1;
    if (run < 0) return;
    this.unrolled[run] = up ? 0 : 1;
    this.layout();
    if (up && this.selected >= 0 && this.place[this.selected] < 0) {
      // What stands for the run now, not the one that is rolled up: selecting that would show it.
      this.on.select(this.runs?.members[run].find((one) => this.place[one] >= 0) ?? -1);
    }
    this.on.folded();
  }

  /** @param {import('./trace-analysis.js').Runs} runs @param {boolean} rolled
   *  @param {number[]} unrolled first rows of the runs whose members are shown each */
  setRuns(runs, rolled, unrolled) {
    const top = this.shown[Math.floor(this.top / rowHeight)];
    this.runs = runs;
    this.rolled = rolled;
    this.unrolled = new Uint8Array(runs.runs.length);
    this.markRuns();
    for (const row of unrolled) if (runs.of[row] >= 0) this.unrolled[runs.of[row]] = 1;
    this.layout();
    if (this.selected >= 0) this.setSelected(this.selected);
    else if (top > 0 && this.place[top] >= 0) {
      this.element.scrollTop = (this.place[top] * rowHeight) / this.pace;
    }
  }

  /** @param {Uint8Array | null} keep see `keep` */
  setKeep(keep) {
    this.keep = keep;
    this.layout();
    if (this.selected >= 0 && this.place[this.selected] >= 0) {
      this.reveal(this.place[this.selected], false);
    }
  }

  /** @param {import('./trace-analysis.js').PathByRow | null} path */
  setPath(path) {
    this.path = path;
    this.version++;
    this.later();
  }

  /** As a tree without bars, with more columns. @param {boolean} wide */
  setWide(wide) {
    if (this.wide === wide) return;
    this.wide = wide;
    this.element.classList.toggle('wide', wide);
    this.element.setAttribute('aria-colcount', wide ? '4' : '2');
    for (const slot of this.slots) slot?.element.remove();
    this.slots = [];
    this.version++;
    this.later();
  }

  /** @param {boolean} closed */
  foldAll(closed) {
    this.closed.fill(0);
    if (closed) {
      for (let i = 0; i < this.trace.n; i++) {
        if (this.trace.parent[i] >= 0 && this.trace.end[i] - i > 1) this.closed[i] = 1;
      }
    }
    this.layout();
    this.on.folded();
  }

  /** @param {Uint8Array} closed one entry a row, 1 where folded */
  setClosed(closed) {
    this.closed = closed;
    this.layout();
  }

  /** Opens whatever hides a row. @param {number} row */
  unfold(row) {
    if (this.place[row] >= 0) return;
    for (let p = row; p >= 0; p = this.trace.parent[p]) {
      if (p !== row) this.closed[p] = 0;
      const run = this.runs ? this.runs.of[p] : -1;
      // The first of a run stands for it as well as for itself.
      if (run >= 0 && (p !== row || !this.runs?.isFirst(p))) this.unrolled[run] = 1;
      if (this.keep && !this.keep[p]) this.keep[p] = 1;
    }
    this.layout();
    this.on.folded();
  }

  /** @param {number} row -1 for none @param {boolean} [center] */
  setSelected(row, center = false) {
    this.selected = row;
    this.version++;
    if (row >= 0) {
      this.unfold(row);
      this.reveal(this.place[row], center);
    }
    this.later();
  }

  /** Scrolls until a visible row is in view. @param {number} place @param {boolean} center */
  reveal(place, center) {
    const y = place * rowHeight;
    const top = this.top;
    if (y >= top && y + rowHeight <= top + this.height && !center) return;
    const room = center ? this.height / 2 : rowHeight * 2;
    const to = y < top || center ? y - room : y + rowHeight + room - this.height;
    this.element.scrollTop = to / this.pace;
  }

  /** @param {Uint8Array} hits @param {number} hitCount -1 when nothing is looked for */
  setHits(hits, hitCount) {
    this.hits = hits;
    this.hitCount = hitCount;
    this.markRuns();
    this.version++;
    this.later();
  }

  /** Which runs have a hit among their members. */
  markRuns() {
    const { runs, hits, hitCount } = this;
    this.runHits = new Uint8Array(runs?.runs.length ?? 0);
    if (!runs || hitCount <= 0) return;
    for (let i = 0; i < hits.length; i++) {
      if (hits[i] && runs.of[i] >= 0) this.runHits[runs.of[i]] = 1;
    }
  }

  /** @param {number} service index, -1 for all */
  setService(service) {
    this.onlyService = service;
    this.version++;
    this.later();
  }
}
