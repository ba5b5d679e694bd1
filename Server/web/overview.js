// SPDX-License-Identifier: Apache-2.0
// The first page: how it is going in one sentence, what comes in from outside, how long it takes,
// which links are worst, what was not there before.
import { parameters } from './address.js';
import * as api from './api.js';
import { dress } from './colors.js';
import { fill, h, icon } from './dom.js';
import { firstRun } from './first-run.js';
import { compact, duration } from './format.js';
import { HeatMap } from './heatmap.js';
import { bindKeys } from './keys.js';
import { incompleteStrip, notice } from './notice.js';
import { card, number, operationLink, redColumns, serviceLink, verdict } from './panels.js';
import { present } from './present.js';
import { asked, bounded, lastRange, link, readRange } from './range.js';
import {
  answering,
  badness,
  durationChange,
  entryServices,
  errorChange,
  heat,
  read,
  secondsOf,
  stepText,
  windows,
} from './red.js';
import { ResultList } from './results.js';
import { percentText } from './scale.js';
import { sparkline } from './sparkline.js';
import { onPulse } from './status.js';
import { Table } from './table.js';
import { rangeText } from './time.js';
import { calls, searchFor, spans } from './traceql.js';
import { t } from './texts.js';

const entriesShown = 8;
const linksShown = 6;
const newShown = 8;
const points = 40;
const quantiles = '0.5,0.99';

/**
 * @typedef {{ service: string, operation: string, now: import('./red.js').Reading,
 *   before: import('./red.js').Reading, steps: import('./api.js').Totals[] }} Entry
 * @typedef {{ parent: string, child: string, now: import('./red.js').Reading,
 *   before: import('./red.js').Reading, sends: boolean }} Link `sends`: the child has spans of its own
 */

export const takes = {};

/** @param {HTMLElement} main @param {import('./pages.js').Context} context */
export function page(main, context) {
  document.title = `${t('page.overview')} · Skein`;
  present(main, context, {
    name: 'overview',
    ask,
    view: () => new Overview(context),
    reasons: (data) => data.reasons,
  });
}

/** @param {AbortSignal} signal */
async function ask(signal) {
  const { now, before } = windows(bounded(readRange(parameters()).range));
  const operations = (/** @type {typeof now} */ range, /** @type {Record<string, any>} */ more) =>
    api.operationTotals({ ...asked(range), quantiles, ...more }, signal);
  const answered = await api.together(
    operations(now, {}),
    operations(before, {}),
    operations(now, { kind: answering, step: stepText(now, points) }),
    operations(before, { kind: answering }),
    api.edgeTotals({ ...asked(now), quantiles }, signal),
    api.edgeTotals({ ...asked(before), quantiles }, signal),
  );
  const [all, allBefore, answers, answersBefore, edges, edgesBefore] = answered;
  const services = entryServices(answers.operations, edges.edges);
  const sending = new Set([...all.operations, ...answers.operations].map(({ service }) => service));
  const empty = !all.operations.length && !answers.operations.length;
  const [seconds, secondsBefore] = [secondsOf(now), secondsOf(before)];
  const name = (/** @type {any} */ line) => JSON.stringify([line.service, line.operation]);
  const pair = (/** @type {any} */ line) => JSON.stringify([line.parent, line.child]);
  const earlier = new Map(answersBefore.operations.map((line) => [name(line), line]));
  const earlierEdges = new Map(edgesBefore.edges.map((line) => [pair(line), line]));
  const known = new Set(allBefore.operations.map(name));
  const knownServices = new Set(allBefore.operations.map(({ service }) => service));
  /** @type {Entry[]} */
  const entries = answers.operations.filter(({ service }) => services.has(service)).map((line) => ({
    service: line.service,
    operation: line.operation ?? '',
    now: read(line, seconds),
    before: read(earlier.get(name(line)), secondsBefore),
    steps: line.steps,
  }));
  return {
    range: now,
    entries,
    services: [...services],
    count: sending.size,
    names: [...sending],
    links: edges.edges.map((line) => ({
      parent: line.parent,
      child: line.child,
      sends: sending.has(line.child),
      now: read(line, seconds),
      before: read(earlierEdges.get(pair(line)), secondsBefore),
    })),
    comparable: allBefore.operations.length > 0,
    fresh: allBefore.operations.length
      ? all.operations.filter((line) => !known.has(name(line))).map((line) => ({
        service: line.service,
        operation: line.operation ?? '',
        calls: line.callCount,
        whole: !knownServices.has(line.service),
      }))
      : [],
    empty,
    unused: empty && Number((await api.status(signal)).spansStored) === 0,
    reasons: answered.flatMap((answer) => answer.incompleteReasons),
  };
}

/** @typedef {Awaited<ReturnType<typeof ask>>} Data */

class Overview {
  /** @param {import('./pages.js').Context} context */
  constructor(context) {
    this.context = context;
    const { signal, go } = context;
    this.sentence = h('div.health', { role: 'status', 'aria-live': 'off' });
    this.entries = new Table({
      label: t('overview.entries'),
      signal,
      key: (/** @type {Entry} */ entry) => JSON.stringify([entry.service, entry.operation]),
      sort: '-rate',
      columns: [
        {
          id: 'name',
          title: t('overview.entry'),
          value: ({ service, operation }) => `${service} ${operation}`,
          cell: ({ service, operation }) => operationLink(service, operation),
        },
        ...redColumns({
          reading: (/** @type {Entry} */ entry) => entry.now,
          q: ({ service, operation }, more) =>
            spans({ service, operation, kinds: answering, ...more }),
          quantiles: ['p50', 'p99'],
          change: ({ now, before }) => durationChange(now, before, 1),
        }),
        {
          id: 'spark',
          title: t('red.calls'),
          cell: ({ steps }) =>
            sparkline(steps.map((step) => step.callCount), steps.map((step) => step.errorCount)),
        },
      ],
    });
    this.more = h('a.more', { href: link('/services') }, t('overview.entries.more'));
    this.heat = new HeatMap({
      label: t('overview.heat'),
      signal,
      onselect: ({ from, to, atLeast, below }) => {
        const q = spans({ services: this.data?.services, kinds: answering, atLeast, below });
        go(searchFor(q, { slowest: true, range: { last: null, from, to } }));
      },
    });
    this.heatNote = h('div');
    this.links = new Table({
      label: t('overview.links'),
      signal,
      empty: t('overview.links.none'),
      key: (/** @type {Link} */ { parent, child }) => JSON.stringify([parent, child]),
      columns: [
        {
          id: 'link',
          title: t('overview.link'),
          cell: ({ parent, child }) =>
            h('span.hop', serviceLink(parent), icon('right'), serviceLink(child)),
        },
        ...redColumns({
          reading: (/** @type {Link} */ line) => line.now,
          q: ({ parent, child, sends }, more) => calls(parent, child, more, sends),
          quantiles: ['p50', 'p99'],
          change: ({ now, before }) => durationChange(now, before, 1),
        }).map((column) => ({ ...column, value: undefined })),
      ],
    });
    this.fresh = h('ul.fresh-list');
    this.freshSays = h('p.none', { hidden: true });
    this.grid = h(
      'div.grid',
      card('entries', t('overview.entries'), [this.entries.element, this.more], {
        says: t('overview.entries.says'),
      }),
      card('heat', t('overview.heat'), [this.heat.element, this.heatNote], {
        says: t('overview.heat.says'),
        tools: this.heat.toggle,
      }),
      card('links', t('overview.links'), this.links.element),
      card('new', t('overview.new'), [this.fresh, this.freshSays]),
    );
    this.aside = h('div.aside');
    this.element = h(
      'div.overview',
      h('h1.offscreen', t('page.overview')),
      this.sentence,
      this.grid,
      this.aside,
    );
    bindKeys(
      Object.fromEntries([1, 2, 3, 4].map((digit) => [String(digit), () => this.focus(digit)])),
      signal,
    );
  }

  /** @param {number} digit the panel of this place */
  focus(digit) {
    const panel = this.grid.children[digit - 1];
    (panel?.querySelector('tbody a, [role=slider], li a') ?? panel?.querySelector('button'))
      ?.focus();
    panel?.scrollIntoView({ block: 'nearest' });
  }

  /** @param {Data} data */
  update(data) {
    this.data = data;
    dress(data.names);
    this.grid.hidden = this.sentence.hidden = data.empty;
    if (data.empty) return this.showNothing(data);
    if (this.first) return this.showFirst();
    fill(this.aside);
    this.showHealth(data);
    const busiest = [...data.entries].sort((a, b) => b.now.calls - a.now.calls);
    const worst = [...data.entries].sort((a, b) =>
      badness(b.now, b.before) - badness(a.now, a.before)
    );
    // The busiest, and whoever is worst even when little called.
    const chosen = new Set([...worst.slice(0, 2), ...busiest].slice(0, entriesShown));
    this.entries.show(data.entries.filter((entry) => chosen.has(entry)));
    this.more.hidden = data.entries.length <= entriesShown;
    if (!this.heating) this.readHeat(data);
    this.links.show(
      data.links.map((line) => ({ line, by: badness(line.now, line.before) }))
        .sort((a, b) => b.by - a.by || b.line.now.calls - a.line.now.calls)
        .slice(0, linksShown).map(({ line }) => line),
    );
    this.showFresh(data);
  }

  /** The heat map reads spans, which takes longer than all the rest: nothing waits for it.
   * @param {Data} data */
  async readHeat({ services, range }) {
    const { signal } = this.context;
    this.heating = true;
    try {
      const drawn = await heat({ services }, range, signal);
      this.heat.show(drawn);
      fill(this.heatNote, incompleteStrip(drawn.incompleteReasons));
    } catch (error) {
      if (!signal.aborted) fill(this.heatNote, incompleteStrip([String(error)]));
    }
    this.heating = false;
  }

  /** @param {Data} data */
  showHealth({ entries, count, range }) {
    const all = entries.reduce((n, { now }) => n + now.calls, 0);
    const failed = entries.reduce((n, { now }) => n + now.errors, 0);
    const share = all ? failed / all : 0;
    const worse = entries.map((entry) => ({ entry, by: badness(entry.now, entry.before) }))
      .filter(({ entry: { now, before } }) =>
        errorChange(now, before) > 0 || (durationChange(now, before, 1) ?? 0) > 1
      )
      .sort((a, b) => b.by - a.by).map(({ entry }) => entry);
    const state = share >= 0.05 || worse.some(({ now, before }) => errorChange(now, before) > 0)
      ? 'bad'
      : worse.length || share >= 0.01
      ? 'fair'
      : 'good';
    const period = rangeText(range);
    fill(
      this.sentence,
      verdict(
        state,
        t('overview.health', {
          services: t('unit.services', { n: count }),
          calls: compact(all),
          entries: t('overview.entries.n', { n: entries.length }),
          failed: failed
            ? t('overview.failed', { share: percentText(share) })
            : t('overview.failed.none'),
          period,
        }),
        [
          worse.length ? worse.slice(0, 2).map((entry) => this.why(entry)) : t('overview.calm'),
          worse.length > 2 ? t('overview.worse.more', { n: worse.length - 2 }) : null,
        ],
      ),
    );
  }

  /** What became worse at an entry. @param {Entry} entry */
  why({ service, operation, now, before }) {
    const more = errorChange(now, before) > 0;
    const said = t(
      more ? 'overview.worse.errors' : 'overview.worse.slow',
      more
        ? { before: percentText(before.share), now: percentText(now.share) }
        : { before: duration(before.quantiles[1]), now: duration(now.quantiles[1]) },
    );
    const q = { service, operation, kinds: answering };
    return h(
      'span',
      operationLink(service, operation),
      ' ',
      more
        ? number(said, spans({ ...q, error: true }), t('red.open.errors', { n: now.errors }))
        : number(
          said,
          spans({ ...q, atLeast: now.quantiles[1] }),
          t('red.open.slow', {
            duration: duration(now.quantiles[1]),
          }),
          true,
        ),
    );
  }

  /** @param {Data} data */
  showFresh({ fresh, comparable }) {
    const services = [...new Set(fresh.filter(({ whole }) => whole).map(({ service }) => service))];
    const operations = fresh.filter(({ whole }) => !whole).sort((a, b) => b.calls - a.calls);
    const items = [
      ...services.map((service) => [t('overview.new.service'), serviceLink(service), null]),
      ...operations.map(({ service, operation, calls: n }) => [
        t('overview.new.operation'),
        operationLink(service, operation),
        t('omnibox.calls', { calls: compact(n) }),
      ]),
    ];
    fill(
      this.fresh,
      items.slice(0, newShown).map(([kind, what, says]) =>
        h('li', h('small', kind), what, h('small', says))
      ),
      items.length > newShown
        ? h('li', h('small', t('overview.new.more', { n: items.length - newShown })))
        : null,
    );
    this.fresh.hidden = items.length === 0;
    this.freshSays.hidden = items.length > 0;
    this.freshSays.textContent = t(comparable ? 'overview.new.none' : 'overview.new.unknown');
  }

  /** Nothing was called: the first run, or a quiet time. @param {Data} data */
  async showNothing({ unused, range }) {
    if (unused) {
      if (this.first) return;
      const { signal } = this.context;
      this.first = firstRun(signal);
      fill(this.aside, this.first.element);
      onPulse((pulse) => this.first && pulse && pulse.received > 0 && this.showFirst(), signal);
      return;
    }
    if (this.first) return this.showFirst();
    fill(
      this.aside,
      notice({
        title: t('overview.quiet', { period: rangeText(range) }),
        text: t('overview.quiet.do'),
        quiet: true,
        action: ['24h', '7d', '30d'].map((last) =>
          h('a.button', { href: link('/', {}, lastRange(last)) }, t(`time.${last}`))
        ),
      }),
    );
  }

  /** The first trace has come: here it is. */
  async showFirst() {
    if (this.arrived) return;
    const { signal } = this.context;
    const params = new URLSearchParams({ last: '30d', limit: '1' });
    const answer = await api.traces(params, signal).catch(() => null);
    if (!answer?.traces.length || this.arrived || signal.aborted) return;
    this.arrived = true;
    const list = new ResultList();
    dress(answer.traces[0].services.map((/** @type {any} */ service) => service.name));
    list.show(answer.traces, { arriving: true });
    fill(
      this.aside,
      h(
        'div.first-trace',
        { role: 'status' },
        h('h2', t('overview.first')),
        h('p', t('overview.first.do')),
        list.element,
        h('a.button', {
          href: '/',
          onclick: () => {
            this.first = undefined;
          },
        }, t('overview.first.on')),
      ),
    );
    this.grid.hidden = this.sentence.hidden = true;
  }

  /** @type {{ element: HTMLElement } | undefined} */
  first;
  /** @type {Data | undefined} */
  data;
  arrived = false;
  heating = false;
}
