// SPDX-License-Identifier: Apache-2.0
// The server about itself: what comes in, what is refused and why, what is kept, what it costs.
import * as api from './api.js';
import { fill, h, icon } from './dom.js';
import { byteCount, compact, count, duration } from './format.js';
import { card } from './panels.js';
import { present } from './present.js';
import { percentText } from './scale.js';
import { t } from './texts.js';

const protocols = ['otlp_http', 'otlp_grpc', 'zipkin'];
const protocolNames = { otlp_http: 'OTLP/HTTP', otlp_grpc: 'OTLP/gRPC', zipkin: 'Zipkin' };

/** @typedef {Map<string, { labels: Record<string, string>, value: number }[]>} Samples */

/** Reads Prometheus text. @param {string} text @returns {Samples} */
export function parseMetrics(text) {
  const samples = new Map();
  for (const line of text.split('\n')) {
    const match = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line);
    if (!match) continue;
    const labels = Object.fromEntries(
      [...(match[2] ?? '').matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)]
        .map(([, name, value]) => [name, value.replace(/\\(.)/g, '$1')]),
    );
    if (!samples.has(match[1])) samples.set(match[1], []);
    samples.get(match[1]).push({ labels, value: Number(match[3]) });
  }
  return samples;
}

/** @param {HTMLElement} main @param {import('./pages.js').Context} context */
export function page(main, context) {
  document.title = `${t('page.system')} · Skein`;
  present(main, context, {
    name: 'system',
    ask: async (signal) => {
      const [status, text] = await Promise.all([api.status(signal), api.ownMetrics(signal)]);
      return { status, samples: parseMetrics(text), at: performance.now() };
    },
    view: () => new SystemView(),
  });
}

class SystemView {
  /** What the numbers were before, for rates. @type {{ samples: Samples, at: number } | null} */
  before = null;

  constructor() {
    this.line = h('div.health', { role: 'status', 'aria-live': 'off' });
    this.receiving = h('div.table');
    this.refused = h('dl.facts-list');
    this.unrefused = h('p.none', null, t('system.refused.none'));
    this.storage = h('dl.facts-list');
    this.gone = h('dl.facts-list');
    this.process = h('dl.facts-list');
    this.settings = h('dl.facts-list');
    this.element = h(
      'div.system',
      null,
      h('h1.offscreen', null, t('page.system')),
      this.line,
      h(
        'div.grid',
        null,
        card('receiving', t('system.receiving'), this.receiving),
        card('refused', t('system.refused'), [this.refused, this.unrefused], {
          says: t('system.refused.says'),
        }),
        card('third', t('system.storage'), this.storage),
        card('third', t('system.gone'), this.gone, { says: t('system.since') }),
        card('third', t('system.process'), this.process),
        card('whole', t('system.settings'), this.settings, { says: t('system.settings.says') }),
      ),
      h(
        'p.raw',
        null,
        h('a', { href: '/metrics', target: '_blank' }, t('system.metrics')),
        h('a', { href: '/api/skein/v1/openapi.json', target: '_blank' }, t('system.openapi')),
      ),
    );
  }

  /** @param {{ status: any, samples: Samples, at: number }} data */
  update({ status, samples, at }) {
    const one = (/** @type {string} */ name) => samples.get(`skein_${name}`)?.[0]?.value ?? 0;
    const of = (
      /** @type {string} */ name,
      /** @type {Record<string, string>} */ labels,
      from = samples,
    ) =>
      (from.get(`skein_${name}`) ?? [])
        .filter((sample) => Object.entries(labels).every(([k, v]) => sample.labels[k] === v))
        .reduce((sum, sample) => sum + sample.value, 0);
    const rate = (/** @type {string} */ name, /** @type {Record<string, string>} */ labels) =>
      this.before
        ? Math.max(0, of(name, labels) - of(name, labels, this.before.samples)) /
          ((at - this.before.at) / 1000)
        : of(name, labels) / Math.max(1, status.uptimeSeconds);
    this.showLine(status, one);
    this.showReceiving(of, rate);
    const causes = (samples.get('skein_receiver_requests_total') ?? [])
      .filter(({ labels, value }) => labels.result !== 'accepted' && value > 0)
      .map(({ labels, value }) => ({ labels, value }));
    const rejected = (samples.get('skein_receiver_rejected_spans_total') ?? [])
      .filter(({ value }) => value > 0);
    fill(
      this.refused,
      causes.map(({ labels, value }) =>
        fact(
          t(`system.result.${labels.result}`),
          t('system.requests', { n: value }),
          protocolName(labels.protocol),
          true,
        )
      ),
      rejected.map(({ labels, value }) =>
        fact(
          t('system.rejected'),
          t('unit.spans', { n: value }),
          protocolName(labels.protocol),
          true,
        )
      ),
    );
    this.refused.hidden = !causes.length && !rejected.length;
    this.unrefused.hidden = !this.refused.hidden;
    fill(
      this.storage,
      fact(t('system.spans'), count(Number(status.spansStored))),
      fact(t('system.disk'), byteCount(Number(status.bytesOnDisk))),
      fact(t('system.parts'), count(one('store_parts')), byteCount(one('store_part_bytes'))),
      fact(t('system.head'), count(one('store_head_spans')), byteCount(one('store_head_bytes'))),
      fact(t('system.log'), byteCount(one('store_log_bytes'))),
      fact(
        t('system.totals'),
        count(one('store_totals_files')),
        byteCount(one('store_totals_bytes')),
      ),
      fact(
        t('system.overflowed'),
        count(one('store_overflowed_keys')),
        '',
        one('store_overflowed_keys') > 0,
      ),
    );
    fill(
      this.gone,
      fact(t('system.expired'), count(one('store_expired_spans_total'))),
      fact(t('system.evicted'), count(one('store_evicted_spans_total'))),
      fact(t('system.deleted'), count(one('store_deleted_spans_total'))),
      fact(
        t('system.uncounted'),
        count(one('store_uncounted_spans_total')),
        '',
        one('store_uncounted_spans_total') > 0,
      ),
      fact(
        t('system.setAside'),
        count(one('store_quarantined_parts')),
        t('unit.spans', {
          n: one('store_quarantined_spans'),
        }),
        one('store_quarantined_parts') > 0,
      ),
      fact(
        t('system.damaged'),
        count(one('store_damaged_records')),
        '',
        one('store_damaged_records') > 0,
      ),
    );
    const own = (/** @type {string} */ name) => samples.get(name)?.[0]?.value ?? 0;
    const busy = this.before
      ? (own('process_cpu_seconds_total') -
        (this.before.samples.get('process_cpu_seconds_total')?.[0]?.value ?? 0)) /
        ((at - this.before.at) / 1000)
      : own('process_cpu_seconds_total') / Math.max(1, status.uptimeSeconds);
    fill(
      this.process,
      fact(t('system.version'), status.version),
      fact(t('system.uptime'), duration(status.uptimeSeconds * 1e9)),
      fact(t('system.memory'), byteCount(own('process_resident_memory_bytes'))),
      fact(t('system.cpu'), t('system.cores', { share: percentText(busy) })),
      fact(t('system.files'), count(own('process_open_fds'))),
    );
    fill(
      this.settings,
      fact(t('system.durability'), status.durability, t(`system.durability.${status.durability}`)),
      Object.entries(status.ports).map(([name, port]) =>
        fact(t('system.port', { name }), String(port))
      ),
      fact(
        t('system.limit'),
        byteCount(one('receiver_in_flight_limit_bytes')),
        t('system.limit.now', {
          bytes: byteCount(one('receiver_in_flight_bytes')),
        }),
      ),
    );
    this.before = { samples, at };
  }

  /** @param {any} status @param {(name: string) => number} one */
  showLine(status, one) {
    const troubles = [
      status.storageFailure && t('system.trouble.storage', { why: String(status.storageFailure) }),
      one('store_quarantined_parts') &&
      t('system.trouble.setAside', { n: one('store_quarantined_parts') }),
      one('store_damaged_records') &&
      t('system.trouble.damaged', { n: one('store_damaged_records') }),
      one('store_overflowed_keys') && t('system.trouble.keys', { n: one('store_overflowed_keys') }),
    ].filter(Boolean);
    const state = status.storageFailure ? 'bad' : troubles.length ? 'fair' : 'good';
    fill(
      this.line,
      h(
        `i.state.${state}`,
        { 'aria-hidden': 'true' },
        icon(state === 'good' ? 'check' : 'warning'),
      ),
      h(
        'div',
        null,
        h('p.says-all', null, t(`system.${state}`)),
        h(
          'p.says-why',
          null,
          troubles.length ? troubles.join(' ') : t('system.calm', {
            spans: compact(Number(status.spansStored)),
            uptime: duration(status.uptimeSeconds * 1e9),
          }),
        ),
      ),
    );
  }

  /**
   * @param {(name: string, labels: Record<string, string>) => number} of
   * @param {(name: string, labels: Record<string, string>) => number} rate
   */
  showReceiving(of, rate) {
    const columns = ['protocol', 'speed', 'spans', 'requests', 'bytes', 'time'];
    const accepted = { result: 'accepted' };
    const row = (/** @type {string} */ name, /** @type {Record<string, string>} */ labels) => {
      const requests = of('receiver_requests_total', { ...labels, ...accepted });
      const seconds = of('receiver_seconds_total', labels);
      return h(
        'tr',
        null,
        h('th', { scope: 'row' }, name),
        [
          t('app.status.rate', { rate: compact(Math.round(rate('receiver_spans_total', labels))) }),
          count(of('receiver_spans_total', labels)),
          count(requests),
          byteCount(of('receiver_payload_bytes_total', labels)),
          requests ? duration((seconds / requests) * 1e9) : '–',
        ].map((text) => h('td.number', null, text)),
      );
    };
    fill(
      this.receiving,
      h(
        'table.list',
        null,
        h(
          'thead',
          null,
          h(
            'tr',
            null,
            columns.map((name, at) =>
              h(at ? 'th.number' : 'th', { scope: 'col' }, t(`system.column.${name}`))
            ),
          ),
        ),
        h(
          'tbody',
          null,
          protocols.map((protocol) => row(protocolName(protocol), { protocol })),
          row(t('system.all'), {}),
        ),
      ),
    );
  }
}

/** @param {string} protocol */
const protocolName = (protocol) => protocolNames[/** @type {'zipkin'} */ (protocol)] ?? protocol;

/** @param {string} name @param {string} value @param {string} [more] @param {boolean} [alarming] */
const fact = (name, value, more = '', alarming = false) =>
  h(
    alarming ? 'div.alarming' : 'div',
    null,
    h('dt', null, name),
    h('dd', null, h('b', null, value), more ? h('small', null, more) : null),
  );
