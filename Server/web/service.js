// SPDX-License-Identifier: Apache-2.0
// One service, or one of its operations: rate, errors and durations over time, who calls it and
// whom it calls, what failed and what took longest, which ways its calls go and what runs it.
import { anything, parameters, sortedBy } from './address.js';
import * as api from './api.js';
import { TimeChart } from './chart.js';
import { dress, dyeClass } from './colors.js';
import { fill, h, icon } from './dom.js';
import { ago, compact, duration } from './format.js';
import { HeatMap } from './heatmap.js';
import { Histogram } from './histogram.js';
import { servicePath } from './pages.js';
import { card } from './panels.js';
import { present } from './present.js';
import { asked, bounded, link, readRange, withRange } from './range.js';
import {
  answering,
  heat,
  perStep,
  read,
  secondsOf,
  stepText,
  windows,
} from './red.js';
import { percentText, rateText } from './scale.js';
import { exceptions } from './service-exceptions.js';
import { instances } from './service-instances.js';
import { neighbourTable, operationTable, percentiles } from './service-tables.js';
import { callTrees } from './service-trees.js';
import { nothing } from './services.js';
import { t } from './texts.js';
import { searchFor, spans } from './traceql.js';

const points = 90;
const quantiles = '0.5,0.95,0.99';
const tracesShown = 5;

export const takes = {
  sort: sortedBy('operation', 'kind', 'rate', 'errors', ...percentiles),
  exception: anything,
  tree: anything,
};

/** @param {HTMLElement} main @param {import('./pages.js').Context} context */
export function page(main, context) {
  const [service, operation] = context.values;
  document.title = `${operation ?? service} · Skein`;
  present(main, context, {
    name: `${service}\n${operation ?? ''}`,
    ask: (signal) => ask(service, operation, signal),
    view: () => new ServiceView(service, operation, context),
    reasons: (data) => data.reasons,
  });
}

/** @param {string} service @param {string | undefined} operation @param {AbortSignal} signal */
async function ask(service, operation, signal) {
  const { now, before } = windows(bounded(readRange(parameters()).range));
  const totals = (/** @type {typeof now} */ range, /** @type {Record<string, any>} */ more) =>
    api.operationTotals({ ...asked(range), service, quantiles, ...more }, signal);
  const only = operation === undefined ? {} : { operation };
  const by = operation === undefined ? 'service' : 'operation';
  const step = stepText(now, points);
  const [series, lines, linesBefore, edges, names] = await Promise.all([
    totals(now, { ...only, by, kind: answering, step }),
    totals(now, { ...only, by: 'kind' }),
    totals(before, { ...only, by: 'kind' }),
    api.edgeTotals({ ...asked(now), service, quantiles }, signal),
    api.services(signal),
  ]);
  // Who answers no calls is shown by all its spans.
  const answers = series.operations.length > 0;
  const shown = answers || !lines.operations.length
    ? series
    : await totals(now, { ...only, by, step });
  const line = shown.operations[0];
  const reading = read(line, secondsOf(now));
  const wanted = { service, operation, kinds: answers ? answering : undefined };
  const find = (/** @type {string} */ q, /** @type {Record<string, string>} */ more) =>
    api.traces(
      new URLSearchParams({ q, ...asked(now), limit: String(tracesShown), ...more }),
      signal,
    );
  const nobody = { traces: [], incompleteReasons: [] };
  const [failed, slow, counts] = await Promise.all([
    reading.errors ? find(spans({ ...wanted, error: true }), {}) : nobody,
    reading.calls
      ? find(spans({ ...wanted, atLeast: reading.quantiles[1] }), { order: 'slowest' })
      : nobody,
    answers ? heat({ services: [service], operation }, now, signal) : null,
  ]);
  const name = (/** @type {import('./api.js').OperationTotals} */ { operation: o, kind }) =>
    JSON.stringify([o, kind]);
  const earlier = new Map(linesBefore.operations.map((each) => [name(each), each]));
  return {
    range: now,
    unknown: !reading.calls && !names.includes(service),
    names,
    answers,
    line,
    reading,
    wanted,
    from: Number(BigInt(shown.startTimeUnixNano) / 1_000_000n),
    step: Number.parseInt(step, 10) * 60_000,
    operations: lines.operations.map((each) => ({
      operation: each.operation ?? '',
      kind: each.kind ?? '',
      now: read(each, secondsOf(now)),
      before: read(earlier.get(name(each)), secondsOf(before)),
    })),
    edges: edges.edges.map((edge) => ({ ...edge, now: read(edge, secondsOf(now)) })),
    failed: failed.traces,
    slow: slow.traces,
    heat: counts,
    reasons: [shown, lines, edges, failed, slow].flatMap((answer) => answer.incompleteReasons),
  };
}

/** @typedef {Awaited<ReturnType<typeof ask>>} Data */

class ServiceView {
  /** @type {Data | undefined} */
  data;

  /**
   * @param {string} service @param {string | undefined} operation
   * @param {import('./pages.js').Context} context
   */
  constructor(service, operation, context) {
    this.service = service;
    this.operation = operation;
    this.context = context;
    const { signal, go } = context;
    const zoom = (/** @type {number} */ from, /** @type {number} */ to) => {
      const params = parameters();
      go(`${location.pathname}?${withRange(params, { last: null, from, to })}`);
    };
    const chart = (/** @type {any} */ options) =>
      new TimeChart({ signal, onselect: zoom, ...options });
    this.rate = chart({
      label: t('service.rate'),
      colors: ['--accent', '--error'],
      bars: true,
      format: (/** @type {number} */ value) => rateText(value),
    });
    this.errors = chart({ label: t('service.errors'), colors: ['--error'], format: percentText });
    this.durations = chart({
      label: t('service.durations'),
      colors: ['--dye-1', '--dye-4', '--dye-7'],
      format: duration,
    });
    this.heat = new HeatMap({
      label: t('service.heat'),
      signal,
      onselect: ({ from, to, atLeast, below }) =>
        go(searchFor(spans({ ...this.data?.wanted, atLeast, below }), {
          slowest: true,
          range: { last: null, from, to },
        })),
    });
    this.spread = new Histogram({
      label: t('service.spread'),
      signal,
      onselect: (atLeast, below) =>
        go(searchFor(spans({ ...this.data?.wanted, atLeast, below }), { slowest: true })),
    });
    this.head = h('header.page-head');
    this.note = h('div.strip.info', { role: 'status', hidden: true });
    const whole = operation === undefined;
    this.operations = whole ? operationTable(service, signal) : null;
    this.callers = whole ? neighbourTable('parent', signal) : null;
    this.called = whole ? neighbourTable('child', signal) : null;
    const asking = () => ({
      service,
      ...(whole ? {} : { operation }),
      ...asked(/** @type {Data} */ (this.data).range),
    });
    this.sections = {
      exceptions: exceptions(signal, asking),
      instances: instances(signal, () => ({
        ...asking(),
        ...(this.data?.answers ? { kind: answering } : {}),
      })),
      trees: callTrees(signal, asking),
    };
    this.failed = h('ol.few');
    this.slow = h('ol.few');
    const plot = (
      /** @type {string} */ name,
      /** @type {string} */ title,
      /** @type {any} */ one,
    ) => {
      const legend = h('span');
      one.legendAt = legend;
      return card(name, title, one.element, { tools: [legend, one.toggle] });
    };
    this.heatCards = [
      plot('heat', t('service.heat'), this.heat),
      plot('spread', t('service.spread'), this.spread),
    ];
    const tell = (/** @type {boolean} */ error) => () =>
      this.data
        ? searchFor(
          spans(
            error
              ? { ...this.data.wanted, error: true }
              : { ...this.data.wanted, atLeast: this.data.reading.quantiles[1] },
          ),
          { slowest: !error },
        )
        : null;
    this.moreFailed = h('a.more', t('service.all'));
    this.moreSlow = h('a.more', t('service.all'));
    this.linkFailed = tell(true);
    this.linkSlow = tell(false);
    this.grid = h(
      'div.grid',
      plot('third', t('service.rate'), this.rate),
      plot('third', t('service.errors'), this.errors),
      plot('third', t('service.durations'), this.durations),
      ...this.heatCards,
      this.operations && card('whole', t('service.operations'), this.operations.element),
      this.callers && card('half', t('service.callers'), this.callers.element),
      this.called && card('half', t('service.called'), this.called.element),
      this.sections.exceptions.element,
      card('half', t('service.failed'), [this.failed, this.moreFailed]),
      card('half', t('service.slow'), [this.slow, this.moreSlow]),
      this.sections.trees.element,
      this.sections.instances.element,
    );
    this.none = h('div');
    this.element = h('div.service-page', this.head, this.note, this.grid, this.none);
  }

  /** @param {Data} data */
  update(data) {
    this.data = data;
    dress(data.names, [
      this.service,
      ...data.edges.flatMap(({ parent, child }) => [parent, child]),
    ]);
    this.showHead(data);
    const there = data.reading.calls > 0;
    this.grid.hidden = !there;
    fill(this.none, there ? null : nothing(data.range, data.unknown));
    this.note.hidden = data.answers || !there;
    this.note.textContent = t('service.unanswering');
    if (!there) return;
    this.showCharts(data);
    for (const each of this.heatCards) each.hidden = !data.heat;
    if (data.heat) {
      this.heat.show(data.heat);
      this.spread.show(data.heat);
    }
    this.operations?.show(data.operations);
    this.callers?.show(data.edges.filter(({ child }) => child === this.service));
    this.called?.show(data.edges.filter(({ parent }) => parent === this.service));
    for (const section of Object.values(this.sections)) section.refresh();
    this.showTraces(this.failed, data.failed, t('service.failed.none'));
    this.showTraces(this.slow, data.slow, t('table.none'));
    this.moreFailed.hidden = data.failed.length < tracesShown;
    this.moreFailed.href = this.linkFailed();
    this.moreSlow.hidden = data.slow.length < tracesShown;
    this.moreSlow.href = this.linkSlow();
  }

  /** @param {Data} data */
  showHead({ reading, wanted }) {
    const { service, operation } = this;
    const facts = reading.calls
      ? [
        h('a', { href: searchFor(spans(wanted)) }, rateText(reading.rate)),
        h(
          reading.share >= 0.01 ? 'a.bad' : 'a',
          { href: searchFor(spans({ ...wanted, error: true })) },
          t('service.fact.errors', { share: percentText(reading.share) }),
        ),
        ...['p50', 'p95', 'p99'].map((name, at) =>
          h(
            'a',
            {
              href: searchFor(spans({ ...wanted, atLeast: reading.quantiles[at] }), {
                slowest: true,
              }),
            },
            h('small', `${name} `),
            duration(reading.quantiles[at]),
          )
        ),
      ]
      : [];
    fill(
      this.head,
      h(
        'nav.crumbs',
        { 'aria-label': t('service.crumbs') },
        h('a', { href: link('/services') }, t('page.services')),
        operation === undefined
          ? null
          : [icon('right'), h('a', { href: link(servicePath(service)) }, service)],
      ),
      h(`h1.${dyeClass(service)}`, h('i.dot'), operation ?? service),
      h('p.page-facts', facts),
    );
  }

  /** @param {Data} data */
  showCharts({ line, from, step }) {
    const { steps } = line;
    const seconds = steps.map((_, i) =>
      Math.max(1, Math.min(step, Date.now() - from - i * step) / 1000)
    );
    const base = { from, step, columns: steps.length };
    this.rate.show({
      ...base,
      series: [
        {
          name: t('service.ok'),
          color: '--accent',
          values: steps.map((each, i) => (each.callCount - each.errorCount) / seconds[i]),
        },
        {
          name: t('red.errors'),
          color: '--error',
          values: steps.map((each, i) => each.errorCount / seconds[i]),
        },
      ],
    });
    this.errors.show({
      ...base,
      series: [{
        name: t('red.errors'),
        color: '--error',
        fill: true,
        values: perStep(steps, (each) => each.errorCount / each.callCount),
      }],
    });
    this.durations.show({
      ...base,
      series: ['p50', 'p95', 'p99'].map((name, at) => ({
        name,
        color: ['--dye-1', '--dye-4', '--dye-7'][at],
        values: perStep(steps, (each) => Number(each.quantileNanos[at])),
      })),
    });
    for (const chart of [this.rate, this.durations]) {
      fill(/** @type {any} */ (chart).legendAt, chart.legend());
    }
  }

  /** @param {HTMLElement} list @param {any[]} traces @param {string} none */
  showTraces(list, traces, none) {
    fill(
      list,
      traces.map((trace) =>
        h(
          'li',
          h(
            `a.${dyeClass(trace.rootService ?? '')}`,
            {
              href: link(`/trace/${trace.traceId}`, { sel: trace.matchedSpanIds?.[0] }),
            },
            h('i.dot'),
            h(
              'span',
              `${trace.rootService || t('search.unknown.root')} `,
              h('b', trace.rootOperation || trace.traceId.slice(0, 16)),
            ),
            trace.errorCount
              ? h('small.failed', icon('error'), compact(trace.errorCount))
              : null,
            h('small', ago(trace.startTimeUnixNano)),
            h('em', duration(Number(trace.durationNanos))),
          ),
        )
      ),
      traces.length ? null : h('li.none', none),
    );
  }
}
