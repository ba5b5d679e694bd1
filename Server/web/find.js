// SPDX-License-Identifier: Apache-2.0
// Finding rows of a trace: every word must occur in the operation or the service; "-word" excludes,
// ">10ms" and "<1s" compare durations, "error" means spans that failed. No DOM here.
import { parseDuration } from './format.js';
import { flag } from './trv1.js';

/**
 * Marks matching rows in `hits` and returns how many there are.
 * @param {import('./trv1.js').Trace} trace
 * @param {string[]} words
 * @param {Uint8Array} hits one entry a row
 */
export function find(trace, words, hits) {
  const tests = words.map((word) => test(trace, word.toLowerCase()));
  let found = 0;
  for (let i = 0; i < trace.n; i++) {
    const match = tests.length > 0 && tests.every((matches) => matches(i));
    hits[i] = match ? 1 : 0;
    if (match) found++;
  }
  return found;
}

/**
 * @param {import('./trv1.js').Trace} trace
 * @param {string} word
 * @returns {(row: number) => boolean}
 */
function test(trace, word) {
  if (word.length > 1 && word[0] === '-') {
    const inner = test(trace, word.slice(1));
    return (row) => !inner(row);
  }
  const limit = /^[<>]/.test(word) ? parseDuration(word.slice(1)) : null;
  if (limit) {
    const units = limit.nanos / trace.unit;
    return word[0] === '>'
      ? (row) => trace.duration[row] > units
      : (row) => trace.duration[row] < units;
  }
  // Words are looked up once per distinct name, not once per span.
  const names = trace.names.map((name) => name.toLowerCase().includes(word));
  const services = trace.services.map((name) => name.toLowerCase().includes(word));
  const failed = word === 'error' || word === '错误';
  return (row) =>
    names[trace.name[row]] || services[trace.service[row]] ||
    (failed && (trace.flags[row] & flag.error) !== 0);
}
