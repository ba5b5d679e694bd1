// SPDX-License-Identifier: Apache-2.0
// What a search finds over time: how many spans, those that failed on top, and how long they took.
// A box that is dragged stands in the address; it narrows the search, or is told from the rest.
import { changed, keep, parameters } from './address.js';
import * as api from './api.js';
import { TimeChart } from './chart.js';
import { fill, h, icon } from './dom.js';
import { compact, count, duration } from './format.js';
import { HeatMap } from './heatmap.js';
import { card } from './panels.js';
import { paramsOf, textOf, unordered, withQuery } from './query-text.js';
import { boxOf } from './question.js';
import { asked, bounded, readRange, withRange } from './range.js';
import { stepText } from './red.js';
import { heatOfMetrics, timeText } from './scale.js';
import { t } from './texts.js';

const columns = 60;
/** Steps of ranges so short that minutes are too long. */
const seconds = [1, 2, 5, 10, 15, 30];

/** @typedef {import('./question.js').Box} Box */

/** @param {Box} box @returns {string} the durations of a box as a condition */
export const conditionOf = ({ atLeast, below }) =>
  below ? `duration > ${atLeast}ns && duration <= ${below}ns` : '';

/** @param {Box} box */
export const boxText = ({ from, to, atLeast, below }) =>
  `${timeText(from)} – ${timeText(to)}` +
  (below ? `, ${duration(atLeast)} – ${duration(below)}` : '');

/** The search for what is in a box. @param {URLSearchParams} params @param {Box} box */
function within(params, box) {
  let next = params;
  if (box.below) {
    const text = textOf(params);
    const form = paramsOf(text);
    // The form's bounds count themselves in, a cell's upper one does and its lower one does not.
    if (form) {
      next = withQuery(params, text);
      next.set('minDuration', `${box.atLeast + 1}ns`);
      next.set('maxDuration', `${box.below}ns`);
    } else {
      next = withQuery(params, `${unordered(text)} | { ${conditionOf(box)} }`);
    }
  }
  next = withRange(next, { last: null, from: box.from, to: box.to });
  next.delete('box');
  return next;
}

export class SearchCharts {
  /** @param {AbortSignal} signal */
  constructor(signal) {
    this.bars = new TimeChart({
      label: t('search.count'),
      signal,
      colors: ['--accent', '--error'],
      bars: true,
      format: (value) => compact(Math.round(value)),
      onselect: (from, to) => this.select({ from, to, atLeast: 0, below: 0 }),
    });
    this.heat = new HeatMap({
      label: t('search.heat'),
      signal,
      onselect: ({ from, to, atLeast, below }) =>
        this.select({ from, to, atLeast: Math.round(atLeast), below: Math.round(below) }),
    });
    this.says = h('span', { role: 'status' });
    this.box = h('div.box-line', { hidden: true });
    this.element = h(
      'div.search-charts',
      { hidden: true },
      card('found-spans', t('search.count'), this.bars.element, {
        says: this.says,
        tools: this.bars.toggle,
      }),
      card('times', t('search.heat'), this.heat.element, { tools: this.heat.toggle }),
      this.box,
    );
    this.showBox();
  }

  /** @param {Box} box */
  select(box) {
    const durations = box.below ? `-${box.atLeast}-${box.below}` : '';
    keep({ box: `${Math.round(box.from)}-${Math.round(box.to)}${durations}` });
    this.showBox();
    this.box.querySelector('a')?.focus();
  }

  showBox() {
    const params = parameters();
    const box = boxOf(params);
    this.box.hidden = !box;
    if (!box) return;
    fill(
      this.box,
      h('b', boxText(box)),
      h('a.button', { href: `/search?${within(params, box)}` }, t('search.box.only')),
      h('a.button', { href: changed({ tab: 'differences' }) }, t('search.box.different')),
      h('a.button.quiet.round', {
        href: changed({ box: null }),
        title: t('search.box.drop'),
        'aria-label': t('search.box.drop'),
      }, icon('close')),
    );
  }

  /** @param {URLSearchParams} params @param {AbortSignal} signal */
  async load(params, signal) {
    const text = unordered(textOf(params));
    const range = bounded(readRange(params).range);
    const short = (range.to - range.from) / columns / 1000;
    const step = short < 45
      ? `${seconds.find((each) => each >= short) ?? 30}s`
      : stepText(range, columns);
    const ask = (/** @type {string} */ stage) =>
      api.metrics({ q: `${text} | ${stage}`, ...asked(range), step }, signal);
    try {
      const counts = await ask('count_over_time() by (status)');
      const times = await ask('histogram_over_time(duration)');
      if (signal.aborted) return;
      this.element.hidden = false;
      this.show(counts);
      this.heat.show(heatOfMetrics(times));
    } catch (error) {
      if (!signal.aborted) this.element.hidden = true;
    }
  }

  /** @param {any} answer */
  show(answer) {
    /** @type {Record<string, number[]>} */
    const sums = { ok: [], error: [] };
    for (const { labels, values } of answer.series) {
      const failed = labels.some((/** @type {any} */ label) => label.value === 'error');
      const sum = sums[failed ? 'error' : 'ok'];
      values.forEach((/** @type {number | null} */ value, /** @type {number} */ i) => {
        sum[i] = (sum[i] ?? 0) + (value ?? 0);
      });
    }
    const total = (/** @type {number[]} */ list) => Math.round(list.reduce((a, b) => a + b, 0));
    const [ok, failed] = [total(sums.ok), total(sums.error)];
    this.says.textContent = t('search.count.says', {
      spans: count(ok + failed),
      errors: count(failed),
    }) + (answer.complete ? '' : ` · ${t('search.count.partial')}`);
    this.says.title = (answer.incompleteReasons ?? []).join('; ');
    this.bars.show({
      from: Number(BigInt(answer.startTimeUnixNano) / 1_000_000n),
      step: Number(BigInt(answer.stepNanos) / 1_000_000n),
      columns: Math.max(sums.ok.length, sums.error.length),
      series: [
        { name: t('search.count.ok'), color: '--accent', values: sums.ok },
        { name: t('search.status.error'), color: '--error', values: sums.error },
      ],
    });
  }
}
