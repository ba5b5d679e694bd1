// SPDX-License-Identifier: Apache-2.0
// The server about itself: what comes in, what is refused and why, what is kept, what it costs.
import * as api from './api.js';
import { fill, h } from './dom.js';
import { byteCount, compact, count, duration } from './format.js';
import { card, plainTable, verdict } from './panels.js';
import { present } from './present.js';
import { percentText } from './scale.js';
import { Questions } from './system-questions.js';
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

export const takes = {};

/** @param {HTMLElement} main @param {import('./pages.js').Context} context */
export function page(main, context) {
  document.title = `${t('page.system')} · Skein`;
  present(main, context, {
    name: 'system',
    ask: async (signal) => {
      const answered = await api.together(
        api.status(signal),
        api.ownMetrics(signal),
        api.askedQuestions(signal),
      );
      const [status, text, questions] = answered;
      return {
        status: status.version ? status : null,
        samples: typeof text === 'string' ? parseMetrics(text) : null,
        questions: questions.routes ? questions : null,
        at: performance.now(),
        reasons: answered.flatMap((answer) => answer.incompleteReasons ?? []),
      };
    },
    view: () => new SystemView(),
    reasons: (data) => data.reasons,
  });
}

class SystemView {
  /** What the numbers were before, for rates. @type {{ samples: Samples, at: number } | null} */
  before = null;
  /** What the server said of itself last. @type {any} */
  status = null;
  /** @type {Samples} */
  samples = new Map();

  constructor() {
    this.line = h('div.health', { role: 'status', 'aria-live': 'off' });
    this.receiving = h('div.table');
    this.refused = h('dl.facts-list');
    this.unrefused = h('p.none', t('system.refused.none'));
    this.storage = h('dl.facts-list');
    this.gone = h('dl.facts-list');
    this.process = h('dl.facts-list');
    this.questions = new Questions();
    this.settings = h('dl.facts-list');
    this.element = h(
      'div.system',
      h('h1.offscreen', t('page.system')),
      this.line,
      h(
        'div.grid',
        card('receiving', t('system.receiving'), this.receiving),
        card('refused', t('system.refused'), [this.refused, this.unrefused], {
          says: t('system.refused.says'),
        }),
        card('third', t('system.storage'), this.storage),
        card('third', t('system.gone'), this.gone, { says: t('system.since') }),
        card('third', t('system.process'), this.process),
        this.questions.element,
        card('whole', t('system.settings'), this.settings),
      ),
      h(
        'p.raw',
        h('a', { href: '/metrics', target: '_blank' }, t('system.metrics')),
        h('a', { href: '/api/skein/v1/openapi.json', target: '_blank' }, t('system.openapi')),
      ),
    );
  }

  /** @param {{ status: any, samples: Samples | null, at: number,
   *   questions: import('./system-questions.js').Answer | null }} data null is not known */
  update({ status, samples, questions, at }) {
    if (questions) this.questions.update(questions);
    this.status = status ?? this.status;
    this.samples = samples ?? this.samples;
    const seconds = this.before
      ? (at - this.before.at) / 1000
      : Math.max(1, this.status?.uptimeSeconds ?? 1);
    if (this.status) this.showLine();
    if (samples) {
      this.showReceiving(seconds);
      this.showRefused(samples);
    }
    this.showFacts(seconds);
    if (samples) this.before = { samples, at };
  }

  /** A sample that stands alone, 0 where there is none. @param {string} name */
  one(name) {
    return this.samples.get(`skein_${name}`)?.[0]?.value ?? 0;
  }

  /** All samples of these labels. @param {string} name @param {Record<string, string>} labels */
  sum(name, labels, from = this.samples) {
    return (from.get(name) ?? [])
      .filter((sample) => Object.entries(labels).every(([k, v]) => sample.labels[k] === v))
      .reduce((sum, sample) => sum + sample.value, 0);
  }

  /** A second's share of what was added since the numbers before, or the server began.
   * @param {string} name @param {Record<string, string>} labels @param {number} seconds */
  rate(name, labels, seconds) {
    const before = this.before ? this.sum(name, labels, this.before.samples) : 0;
    return Math.max(0, this.sum(name, labels) - before) / seconds;
  }

  /** @param {Samples} samples */
  showRefused(samples) {
    const found = (/** @type {string} */ name) =>
      (samples.get(`skein_receiver_${name}_total`) ?? [])
        .filter(({ labels, value }) => labels.result !== 'accepted' && value > 0);
    const facts = [
      ...found('requests').map(({ labels, value }) => [
        t(`system.result.${labels.result}`),
        t('system.requests', { n: value }),
        labels,
      ]),
      ...found('rejected_spans').map(({ labels, value }) => [
        t('system.rejected'),
        t('unit.spans', { n: value }),
        labels,
      ]),
    ];
    fill(
      this.refused,
      facts.map(([name, n, { protocol }]) => fact(name, n, protocolName(protocol), true)),
    );
    this.refused.hidden = !facts.length;
    this.unrefused.hidden = !this.refused.hidden;
  }

  /** @param {number} seconds */
  showFacts(seconds) {
    const { status, samples } = this;
    /** The value of a sample, and another beside it; nothing where it is not known. */
    const of = (
      /** @type {string} */ text,
      /** @type {string} */ name,
      format = count,
      /** @type {any} */ more = '',
      alarming = false,
    ) =>
      samples.has(`skein_${name}`)
        ? fact(t(`system.${text}`), format(this.one(name)), more, alarming && this.one(name) > 0)
        : null;
    const said = (/** @type {string} */ text, /** @type {() => string} */ value, more = '') =>
      status ? fact(t(`system.${text}`), value(), more) : null;
    const bytes = (/** @type {string} */ name) => byteCount(this.one(name));
    fill(
      this.storage,
      said('spans', () => count(Number(status.spansStored))),
      said('disk', () => byteCount(Number(status.bytesOnDisk))),
      of('parts', 'store_parts', count, bytes('store_part_bytes')),
      of('head', 'store_head_spans', count, bytes('store_head_bytes')),
      of('log', 'store_log_bytes', byteCount),
      of('totals', 'store_totals_files', count, bytes('store_totals_bytes')),
      of('overflowed', 'store_overflowed_keys', count, '', true),
    );
    const setAside = t('unit.spans', { n: this.one('store_quarantined_spans') });
    fill(
      this.gone,
      of('expired', 'store_expired_spans_total'),
      of('evicted', 'store_evicted_spans_total'),
      of('deleted', 'store_deleted_spans_total'),
      of('uncounted', 'store_uncounted_spans_total', count, '', true),
      of('setAside', 'store_quarantined_parts', count, setAside, true),
      of('damaged', 'store_damaged_records', count, '', true),
    );
    const own = (
      /** @type {string} */ text,
      /** @type {string} */ name,
      /** @type {(value: number) => string} */ format,
    ) => samples.has(name) ? fact(t(`system.${text}`), format(this.sum(name, {}))) : null;
    const busy = () =>
      t('system.cores', { share: percentText(this.rate('process_cpu_seconds_total', {}, seconds)) });
    fill(
      this.process,
      said('version', () => status.version),
      said('uptime', () => duration(status.uptimeSeconds * 1e9)),
      own('memory', 'process_resident_memory_bytes', byteCount),
      own('cpu', 'process_cpu_seconds_total', busy),
      own('files', 'process_open_fds', count),
    );
    fill(
      this.settings,
      (status?.settings ?? []).map((/** @type {any} */ { name, value, origin }) =>
        fact(name, value, origin ?? t('system.default'))
      ),
      Object.entries(status?.ports ?? {}).map(([name, port]) =>
        fact(t('system.port', { name }), String(port))
      ),
      of(
        'limit',
        'receiver_in_flight_limit_bytes',
        byteCount,
        t('system.limit.now', { bytes: bytes('receiver_in_flight_bytes') }),
      ),
    );
  }

  showLine() {
    const { status } = this;
    const trouble = (/** @type {string} */ text, /** @type {string} */ name) =>
      this.one(name) && t(`system.trouble.${text}`, { n: this.one(name) });
    const troubles = [
      status.storageFailure && t('system.trouble.storage', { why: String(status.storageFailure) }),
      trouble('setAside', 'store_quarantined_parts'),
      trouble('damaged', 'store_damaged_records'),
      trouble('keys', 'store_overflowed_keys'),
    ].filter(Boolean);
    const state = status.storageFailure ? 'bad' : troubles.length ? 'fair' : 'good';
    fill(
      this.line,
      verdict(
        state,
        t(`system.${state}`),
        troubles.length ? troubles.join(' ') : t('system.calm', {
          spans: compact(Number(status.spansStored)),
          uptime: duration(status.uptimeSeconds * 1e9),
        }),
      ),
    );
  }

  /** @param {number} seconds */
  showReceiving(seconds) {
    const columns = ['protocol', 'speed', 'spans', 'requests', 'bytes', 'time'];
    const row = (/** @type {string} */ name, /** @type {Record<string, string>} */ labels) => {
      const of = (/** @type {string} */ what, more = {}) =>
        this.sum(`skein_receiver_${what}_total`, { ...labels, ...more });
      const requests = of('requests', { result: 'accepted' });
      const speed = this.rate('skein_receiver_spans_total', labels, seconds);
      return [
        name,
        t('app.status.rate', { rate: compact(Math.round(speed)) }),
        count(of('spans')),
        count(requests),
        byteCount(of('payload_bytes')),
        requests ? duration((of('seconds') / requests) * 1e9) : '–',
      ];
    };
    fill(
      this.receiving,
      plainTable(
        t('system.receiving'),
        columns.map((name, at) => ({ text: t(`system.column.${name}`), number: at > 0 })),
        [
          ...protocols.map((protocol) => row(protocolName(protocol), { protocol })),
          row(t('system.all'), {}),
        ],
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
    h('dt', name),
    h('dd', h('b', value), more ? h('small', more) : null),
  );
