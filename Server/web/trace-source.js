// SPDX-License-Identifier: Apache-2.0
// Where the page of a trace reads it: from the server.
import * as api from './api.js';

/**
 * @typedef {{ raw: boolean, stored: boolean, columns: (signal: AbortSignal) => Promise<ArrayBuffer>,
 *   span: (which: string | number, signal: AbortSignal) => Promise<any>,
 *   explained: (what: 'analysis' | 'paths', signal: AbortSignal) => Promise<any>,
 *   standing: (row: number, signal: AbortSignal) => Promise<any>,
 *   whole: (signal: AbortSignal) => Promise<any> }} Source
 */

/** @param {string} id @param {boolean} raw without the clocks being corrected @returns {Source} */
export const storedTrace = (id, raw) => ({
  raw,
  stored: true,
  columns: (signal) => api.columns(id, signal, raw),
  span: (which, signal) => api.span(id, which, signal, raw),
  explained: (what, signal) => api.explained(id, what, signal, raw),
  standing: (row, signal) => api.standing(id, row, signal, raw),
  whole: (signal) => api.whole(id, signal),
});
