// SPDX-License-Identifier: Apache-2.0
// A trace from a file of OTLP JSON, drawn by the page alone: nothing of it is sent or stored.
import { dress } from './colors.js';
import { fill, h, icon } from './dom.js';
import { notice } from './notice.js';
import { t } from './texts.js';
import { TracePage } from './trace-page.js';
import { flag, kinds, measure } from './trv1.js';

/** A larger file is refused: the page would stand still while it reads it. Bytes. */
const fileMost = 128_000_000;
/** Of the columns: offsets are 32 bits, depths 16. */
const offsetMost = 2 ** 32 - 1;
const depthMost = 2 ** 16 - 1;

/** @typedef {{ span: any, resource: any, scope: any, service: string, start: bigint, end: bigint }} Sent */

/** @param {any} number nanoseconds as OTLP JSON has them; what is none is 0 */
const nanos = (number) => /^\d{1,19}$/.test(String(number ?? '')) ? BigInt(number) : 0n;

/** @param {any} value @returns {{ type: string, value: any }} as the native API has it */
function plain(value) {
  const [kind, inner] = Object.entries(value ?? {})[0] ?? ['stringValue', ''];
  const types = /** @type {Record<string, string>} */ ({
    stringValue: 'string',
    intValue: 'int',
    doubleValue: 'double',
    boolValue: 'bool',
  });
  const type = Object.hasOwn(types, kind) ? types[kind] : 'other';
  return { type, value: inner };
}

/** @param {any} list */
const attributes = (list) =>
  (Array.isArray(list) ? list : []).map((one) => ({ key: String(one?.key), ...plain(one?.value) }));

/** Documents of a file: one, or one a line as exports are written. @param {string} text */
function documents(text) {
  try {
    return [JSON.parse(text)];
  } catch {
    return text.split('\n').filter((line) => line.trim()).map((line) => JSON.parse(line));
  }
}

/**
 * The spans of the trace that has most of them in a file, and how many traces it has.
 * @param {string} text @returns {{ spans: Sent[], traces: number }}
 */
export function read(text) {
  /** @type {Map<string, Sent[]>} */
  const traces = new Map();
  for (const document of documents(text)) {
    for (const group of document?.resourceSpans ?? []) {
      const resource = attributes(group?.resource?.attributes);
      const named = resource.find(({ key }) => key === 'service.name')?.value;
      for (const scoped of group?.scopeSpans ?? []) {
        for (const span of scoped?.spans ?? []) {
          const id = String(span?.traceId ?? '');
          const start = nanos(span?.startTimeUnixNano);
          const end = nanos(span?.endTimeUnixNano);
          if (!traces.has(id)) traces.set(id, []);
          traces.get(id)?.push({
            span,
            resource,
            scope: scoped.scope ?? {},
            service: String(named ?? '–'),
            start,
            end: end < start ? start : end,
          });
        }
      }
    }
  }
  const all = [...traces.values()].sort((a, b) => b.length - a.length);
  return { spans: all[0] ?? [], traces: all.length };
}

/** Spans with each directly followed by what it called; of a circle one is the first.
 *  @param {Sent[]} spans @returns {{ at: number, parent: number, depth: number }[]} */
function ordered(spans) {
  const byId = new Map(spans.map((one, at) => [one.span.spanId, at]));
  /** @type {Map<number, number[]>} */
  const children = new Map();
  /** @type {number[]} */
  const roots = [];
  const early = [...spans.keys()].sort((a, b) => {
    const order = spans[a].start - spans[b].start;
    return order < 0n ? -1 : order > 0n ? 1 : a - b;
  });
  for (const at of early) {
    const parent = byId.get(spans[at].span.parentSpanId);
    if (parent === undefined || parent === at) roots.push(at);
    else if (children.has(parent)) children.get(parent)?.push(at);
    else children.set(parent, [at]);
  }
  const seen = new Uint8Array(spans.length);
  /** @type {{ at: number, parent: number, depth: number }[]} */
  const rows = [];
  for (const root of [...roots, ...early]) {
    const waiting = [{ at: root, parent: -1, depth: 0 }];
    while (waiting.length) {
      const next = /** @type {(typeof rows)[0]} */ (waiting.pop());
      if (seen[next.at]) continue;
      seen[next.at] = 1;
      const row = rows.push(next) - 1;
      const depth = Math.min(depthMost, next.depth + 1);
      for (const child of (children.get(next.at) ?? []).slice().reverse()) {
        waiting.push({ at: child, parent: row, depth });
      }
    }
  }
  return rows;
}

/** The columns of spans. @param {Sent[]} spans
 *  @returns {{ trace: import('./trv1.js').Trace, order: number[] }} */
export function columnsOf(spans) {
  const rows = ordered(spans);
  const n = rows.length;
  let [t0, last] = [spans[0].start, spans[0].end];
  for (const { start, end } of spans) {
    if (start < t0) t0 = start;
    if (end > last) last = end;
  }
  let unit = 1;
  while (Number(last - t0) / unit > offsetMost) unit *= 1000;
  const [names, services] = [new Map(), new Map()];
  const numberOf = (/** @type {Map<string, number>} */ known, /** @type {string} */ text) => {
    if (!known.has(text)) known.set(text, known.size);
    return known.get(text) ?? 0;
  };
  const trace = {
    n,
    traceId: String(spans[0].span.traceId),
    t0: String(t0),
    unit,
    services: /** @type {string[]} */ ([]),
    names: /** @type {string[]} */ ([]),
    warnings: [],
    start: new Uint32Array(n),
    duration: new Uint32Array(n),
    parent: new Int32Array(n),
    name: new Uint32Array(n),
    service: new Uint16Array(n),
    depth: new Uint16Array(n),
    kind: new Uint8Array(n),
    flags: new Uint8Array(n),
    end: new Int32Array(n),
    total: 1,
    maxDepth: 0,
    errors: 0,
  };
  rows.forEach(({ at, parent, depth }, row) => {
    const { span, service, start, end } = spans[at];
    trace.start[row] = Number(start - t0) / unit;
    trace.duration[row] = Number(end - start) / unit;
    trace.parent[row] = parent;
    trace.depth[row] = depth;
    trace.name[row] = numberOf(names, String(span.name ?? ''));
    trace.service[row] = numberOf(services, service);
    trace.kind[row] = Number(span.kind) || 0;
    trace.flags[row] = (span.status?.code === 2 ? flag.error : 0) |
      (parent < 0 && span.parentSpanId ? flag.parentMissing : 0);
  });
  trace.names = [...names.keys()];
  trace.services = [...services.keys()];
  measure(trace);
  return { trace, order: rows.map(({ at }) => at) };
}

/** A span as the native API tells it. @param {Sent} sent @param {number} row */
function told({ span, resource, scope, service, start, end }, row) {
  return {
    row,
    traceId: String(span.traceId),
    spanId: String(span.spanId),
    parentSpanId: String(span.parentSpanId ?? ''),
    name: String(span.name ?? ''),
    service,
    kind: kinds[Number(span.kind) || 0] ?? kinds[0],
    startTimeUnixNano: String(start),
    endTimeUnixNano: String(end),
    status: {
      code: ['unset', 'ok', 'error'][span.status?.code] ?? 'unset',
      message: String(span.status?.message ?? ''),
    },
    traceState: String(span.traceState ?? ''),
    scope,
    attributes: attributes(span.attributes),
    resource,
    events: (span.events ?? []).map((/** @type {any} */ event) => ({
      name: String(event.name ?? ''),
      timeUnixNano: String(nanos(event.timeUnixNano)),
      attributes: attributes(event.attributes),
    })),
    links: (span.links ?? []).map((/** @type {any} */ one) => ({
      traceId: String(one.traceId),
      spanId: String(one.spanId),
      attributes: attributes(one.attributes),
    })),
    droppedAttributes: Number(span.droppedAttributesCount) || 0,
    droppedEvents: Number(span.droppedEventsCount) || 0,
    droppedLinks: Number(span.droppedLinksCount) || 0,
    warnings: [],
  };
}

/** @param {Sent[]} spans @param {number[]} order @returns {import('./trace-source.js').Source} */
function fileSource(spans, order) {
  const none = () => Promise.reject(new Error(t('file.alone')));
  return {
    raw: false,
    stored: false,
    columns: none,
    explained: none,
    standing: none,
    span: (which) => {
      const row = typeof which === 'number'
        ? which
        : order.findIndex((at) => String(spans[at].span.spanId) === which);
      return row < 0 ? none() : Promise.resolve(told(spans[order[row]], row));
    },
    whole: () =>
      Promise.resolve({
        resourceSpans: spans.map(({ span, service }) => ({
          resource: {
            attributes: [{ key: 'service.name', value: { stringValue: service } }],
          },
          scopeSpans: [{ spans: [span] }],
        })),
      }),
  };
}

/**
 * Asks for a file and draws its trace.
 * @param {HTMLElement} main @param {import('./trace.js').Context} context
 */
export function filePage(main, context) {
  document.title = `${t('file.title')} · Skein`;
  const field = h('input.offscreen', {
    type: 'file',
    id: 'file',
    accept: '.json,.ndjson,.jsonl,application/json',
    tabindex: '-1',
    'aria-label': t('file.title'),
  });
  /** @type {TracePage | null} */
  let drawn = null;
  const open = async (/** @type {File | undefined} */ file) => {
    if (!file) return;
    try {
      if (file.size > fileMost) throw new Error(t('file.large', { n: fileMost / 1e6 }));
      const { spans, traces } = read(await file.text());
      if (!spans.length) throw new Error(t('file.none'));
      const { trace, order } = columnsOf(spans);
      dress([], trace.services);
      // What the address says is about the file before.
      if (drawn) history.replaceState(null, '', location.pathname);
      drawn?.ended.abort();
      drawn = new TracePage(main, trace, fileSource(spans, order), context);
      drawn.start();
      drawn.tell(t('file.shown', { file: file.name.slice(0, 80), n: traces }));
    } catch (error) {
      const wrong = String(/** @type {Error} */ (error).message).slice(0, 300);
      // A trace that is drawn stays.
      if (drawn) drawn.tell(`${t('file.bad')}: ${wrong}`);
      else ask(wrong);
    }
  };
  const ask = (/** @type {string} */ wrong) => {
    const button = h(
      'button.primary',
      { type: 'button', onclick: () => field.click() },
      icon('up'),
      t('file.choose'),
    );
    const said = notice({
      title: t(wrong ? 'file.bad' : 'file.title'),
      text: t('file.do'),
      detail: wrong || undefined,
      action: [button, field],
      quiet: !wrong,
    });
    fill(main, said);
    button.focus();
  };
  field.addEventListener('change', () => open(field.files?.[0]));
  const { signal } = context;
  main.addEventListener('dragover', (event) => event.preventDefault(), { signal });
  main.addEventListener('drop', (event) => {
    event.preventDefault();
    open(event.dataTransfer?.files[0]);
  }, { signal });
  ask('');
}
