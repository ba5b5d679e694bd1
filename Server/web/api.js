// SPDX-License-Identifier: Apache-2.0
// The native API, same origin. Every failure arrives as ApiError with a sentence for the reader.

const root = '/api/skein/v1';

export class ApiError extends Error {
  /**
   * @param {number} code HTTP status, or 0 when the server did not answer
   * @param {string} message
   * @param {any} [detail] all that the server said
   */
  constructor(code, message, detail) {
    super(message);
    this.code = code;
    this.detail = detail;
    this.position = detail?.position;
  }
}

/**
 * @param {string} path @param {AbortSignal} [signal] @param {string} [base]
 * @returns {Promise<Response>}
 */
async function get(path, signal, base = root) {
  let response;
  try {
    response = await fetch(base + path, { signal });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError(0, '');
  }
  if (response.ok) return response;
  let said;
  try {
    said = (await response.json()).error;
  } catch {
    // A proxy's own page, perhaps: the status says enough.
  }
  throw new ApiError(response.status, said?.message ?? '', said);
}

/** @param {string} path @param {AbortSignal} [signal] */
async function json(path, signal) {
  return (await get(path, signal)).json();
}

/**
 * The answers to several questions. One that is refused leaves the others: its answer is empty, and
 * says why. Where all are refused there is nothing to show, and the first refusal is thrown.
 * @template {any[]} All
 * @param {[...{ [Each in keyof All]: Promise<All[Each]> }]} asked
 * @returns {Promise<All>}
 */
export async function together(...asked) {
  const answers = await Promise.allSettled(asked);
  const refused = answers.flatMap((one) => one.status === 'rejected' ? [one.reason] : []);
  const broken = refused.find((error) => !(error instanceof ApiError));
  if (broken || refused.length === asked.length) throw broken ?? refused[0];
  return /** @type {any} */ (answers.map((one) =>
    one.status === 'fulfilled' ? one.value : {
      operations: [],
      edges: [],
      traces: [],
      incompleteReasons: [one.reason.message || `HTTP ${one.reason.code}`],
    }
  ));
}

/** @param {Record<string, string | string[]>} values those of a list are repeated */
const query = (values) =>
  new URLSearchParams(
    Object.entries(values).flatMap(([name, value]) => [value].flat().map((one) => [name, one])),
  ).toString();

/** @param {AbortSignal} [signal] @returns {Promise<string[]>} */
export const services = async (signal) => (await json('/services', signal)).services;

/**
 * @param {string} service
 * @param {AbortSignal} [signal]
 * @returns {Promise<{name: string, kind: string}[]>}
 */
export const operations = async (service, signal) =>
  (await json(`/operations?${query(service ? { service } : {})}`, signal)).operations;

/**
 * @param {string} service
 * @param {AbortSignal} [signal]
 * @returns {Promise<{scope: string, key: string}[]>}
 */
export const keys = async (service, signal) =>
  (await json(`/keys?${query(service ? { service } : {})}`, signal)).keys;

/**
 * @param {string} key
 * @param {string} scope
 * @param {string} prefix
 * @param {AbortSignal} [signal]
 * @returns {Promise<string[]>}
 */
export const values = async (key, scope, prefix, signal) =>
  (await json(`/values?${query({ key, scope, prefix, limit: '100' })}`, signal)).values;

/**
 * @typedef {{ callCount: number, errorCount: number, durationSumNanos: string, longestNanos: string,
 *   quantileNanos: string[] }} Totals
 * @typedef {Totals & { service: string, operation: string | null, kind: string | null,
 *   steps: Totals[] }} OperationTotals
 * @typedef {Totals & { parent: string, child: string, steps: Totals[] }} EdgeTotals
 * @typedef {{ startTimeUnixNano: string, endTimeUnixNano: string, complete: boolean,
 *   incompleteReasons: string[] }} Answer
 */

/**
 * @param {Record<string, string | string[]>} params @param {AbortSignal} [signal]
 * @returns {Promise<Answer & { operations: OperationTotals[] }>}
 */
export const operationTotals = (params, signal) =>
  json(`/totals/operations?${query(params)}`, signal);

/**
 * @param {Record<string, string | string[]>} params @param {AbortSignal} [signal]
 * @returns {Promise<Answer & { edges: EdgeTotals[] }>}
 */
export const edgeTotals = (params, signal) => json(`/totals/edges?${query(params)}`, signal);

/** Services and their calls, laid out.
 * @param {Record<string, string>} params @param {AbortSignal} [signal] */
export const map = (params, signal) => json(`/map?${query(params)}`, signal);

/** Where traces are told as they arrive. @param {Record<string, string>} params */
export const tailAddress = (params) => `${root}/tail?${query(params)}`;

/** Why there is no tail to read: a source of events does not say. @param {string} q
 * @param {AbortSignal} signal */
export async function tailRefusal(q, signal) {
  const given = new AbortController();
  signal.addEventListener('abort', () => given.abort());
  await get(`/tail?${query({ q })}`, given.signal);
  given.abort();
}

/** Numbers over time of a TraceQL query.
 * @param {Record<string, string>} params @param {AbortSignal} [signal] */
export const metrics = (params, signal) => json(`/metrics?${query(params)}`, signal);

/** The server's own numbers, as Prometheus reads them. @param {AbortSignal} [signal] */
export const ownMetrics = async (signal) => (await get('/metrics', signal, '')).text();

/** @param {URLSearchParams} params @param {AbortSignal} [signal] */
export const traces = (params, signal) => json(`/traces?${params}`, signal);

/** @param {string} id @param {AbortSignal} [signal] @param {boolean} [raw] no clock corrected
 *  @returns {Promise<ArrayBuffer>} */
export const columns = async (id, signal, raw = false) =>
  (await get(`/traces/${id}?format=columns${raw ? '&raw=true' : ''}`, signal)).arrayBuffer();

/** Findings, critical path, runs and statistics; or with "paths" the spans merged by call path.
 * @param {string} id @param {'analysis' | 'paths'} what @param {AbortSignal} [signal]
 * @param {boolean} [raw] */
export const explained = (id, what, signal, raw = false) =>
  json(`/traces/${id}/${what}${raw ? '?raw=true' : ''}`, signal);

/** Which calls of its operation a span was slower than.
 * @param {string} id @param {number} row @param {AbortSignal} [signal] @param {boolean} [raw] */
export const standing = (id, row, signal, raw = false) =>
  json(`/traces/${id}/spans/${row}/standing${raw ? '?raw=true' : ''}`, signal);

/** Two traces, or two sets of them, by call path.
 * @param {URLSearchParams} params @param {AbortSignal} [signal] */
export const compare = (params, signal) => json(`/compare?${params}`, signal);

/** The whole trace as OTLP JSON. @param {string} id @param {AbortSignal} [signal] */
export const whole = (id, signal) => json(`/traces/${id}`, signal);

/**
 * @param {string} id
 * @param {string | number} span its row, or its 16-digit id
 * @param {AbortSignal} [signal]
 * @param {boolean} [raw]
 */
export const span = (id, span, signal, raw = false) =>
  json(`/traces/${id}/spans/${span}${raw ? '?raw=true' : ''}`, signal);

/** @param {string} id */
export const traceJSONAddress = (id) => `${root}/traces/${id}`;

/** @param {AbortSignal} [signal] */
export const status = (signal) => json('/status', signal);

/** @param {AbortSignal} [signal] @returns {Promise<import('./system-questions.js').Answer>} */
export const askedQuestions = (signal) => json('/questions', signal);
