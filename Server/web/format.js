// SPDX-License-Identifier: Apache-2.0
// Numbers, durations and times as people read them, and durations as people write them. No DOM.
import { language } from './texts.js';

const steps = /** @type {[number, string][]} */ ([[1e9, 's'], [1e6, 'ms'], [1e3, 'µs'], [1, 'ns']]);

/** Three significant digits without an exponent. @param {number} value */
function digits(value) {
  if (value >= 99.95) return String(Math.round(value));
  if (value >= 9.995) return value.toFixed(1);
  return value.toFixed(2);
}

/** A duration such as "3.06 ms" or "2 min 03 s". @param {number} nanos */
export function duration(nanos) {
  if (nanos >= 60e9) {
    const seconds = Math.round(nanos / 1e9);
    const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
    if (hours >= 48) return `${count(Math.floor(hours / 24))} d ${pad(hours % 24)} h`;
    return hours ? `${hours} h ${pad(minutes)} min` : `${minutes} min ${pad(seconds % 60)} s`;
  }
  if (nanos < 1) return '0 ns';
  // 999.6 µs must round up to 1.00 ms, not show as "1000 µs".
  const [unit, name] = steps.find(([unit]) => nanos >= unit * 0.9995) ?? steps[3];
  return unit === 1 ? `${Math.round(nanos)} ns` : `${digits(nanos / unit)} ${name}`;
}

/** A name as it is shown; of one that nothing is seen of there is a dash. @param {any} name
 *  @returns {string} */
export const named = (name) => /^[\s\p{Cc}\p{Cf}]*$/u.test(name ?? '') ? '–' : name;

/** @param {string} text @param {number} most characters */
export const clipped = (text, most) => text.length > most ? `${text.slice(0, most)}…` : text;

/** The length of a span in columns, which know none shorter than their unit.
 *  @param {number} units @param {number} unit nanoseconds */
export const spanLength = (units, unit) =>
  units < 1 && unit > 1 ? `<${duration(unit)}` : duration(units * unit);

/** A time before or after another, to the millisecond however long. @param {number} nanos */
export function signed(nanos) {
  const long = Math.abs(nanos);
  const text = long < 60e9
    ? duration(long)
    : `${count(Math.floor(long / 60e9))} min ${((long % 60e9) / 1e9).toFixed(3).padStart(6, '0')} s`;
  return `${nanos < 0 ? '−' : '+'}${text}`;
}

/** Units that steps of long axes are whole numbers of. */
const longUnits = /** @type {[number, string][]} */ ([
  [86_400e9, 'd'],
  [3600e9, 'h'],
  [60e9, 'min'],
]);

/**
 * Axis labels: one unit for the whole axis and only as many digits as the step needs.
 * @param {number} step nanoseconds
 */
export function axisFormat(step) {
  return (/** @type {number} */ nanos) => {
    if (nanos === 0) return '0';
    const long = longUnits.find(([unit]) => step % unit === 0);
    if (long) return `${count(Math.round(nanos / long[0]))} ${long[1]}`;
    const largest = Math.max(Math.abs(nanos), step);
    const [unit, name] = steps.find(([unit]) => largest >= unit) ?? steps[3];
    const decimals = Math.max(0, Math.min(9, Math.ceil(-Math.log10(step / unit) - 1e-9)));
    return `${(nanos / unit).toFixed(decimals)} ${name}`;
  };
}

/** @param {number} value */
export const count = (value) => value.toLocaleString(language() === 'zh' ? 'zh-CN' : 'en');

/** "1.2k", "3.4M". @param {number} value */
export function compact(value) {
  if (value < 10_000) return count(value);
  if (value < 1e6) return `${digits(value / 1e3)}k`;
  return value < 1e9 ? `${digits(value / 1e6)}M` : `${digits(value / 1e9)}G`;
}

/** @param {number} bytes */
export function byteCount(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 1e6) return `${digits(bytes / 1e3)} kB`;
  return bytes < 1e9 ? `${digits(bytes / 1e6)} MB` : `${digits(bytes / 1e9)} GB`;
}

const pad = (/** @type {number} */ n, width = 2) => String(n).padStart(width, '0');

/** Local "10:42:07". @param {string} unixNanos */
export function clock(unixNanos) {
  const date = new Date(Number(BigInt(unixNanos) / 1_000_000n));
  return `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}`;
}

/** Local "2026-11-21". @param {string} unixNanos */
export function day(unixNanos) {
  const date = new Date(Number(BigInt(unixNanos) / 1_000_000n));
  return `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
}

/** Local date and time to the microsecond. @param {string} unixNanos */
export const moment = (unixNanos) =>
  `${day(unixNanos)} ${clock(unixNanos)}.${
    pad(Number((BigInt(unixNanos) / 1000n) % 1_000_000n), 6)
  }`;

/** "12 s ago". @param {string} unixNanos */
export function ago(unixNanos) {
  const seconds = Math.max(0, (Date.now() - Number(BigInt(unixNanos) / 1_000_000n)) / 1000);
  const format = new Intl.RelativeTimeFormat(language() === 'zh' ? 'zh-CN' : 'en', {
    style: 'narrow',
    numeric: 'auto',
  });
  if (seconds < 60) return format.format(-Math.floor(seconds), 'second');
  if (seconds < 3600) return format.format(-Math.floor(seconds / 60), 'minute');
  if (seconds < 86_400) return format.format(-Math.floor(seconds / 3600), 'hour');
  return format.format(-Math.floor(seconds / 86_400), 'day');
}

/**
 * Reads "10ms", "1.5 s", "250µs" or a bare number of milliseconds.
 * @param {string} text
 * @returns {{ nanos: number, text: string } | null} null when it is no duration
 */
export function parseDuration(text) {
  const match = /^\s*(\d+(?:\.\d+)?)\s*(ns|us|µs|μs|ms|s|m|min|h)?\s*$/i.exec(text);
  if (!match) return null;
  const unit = (match[2] ?? 'ms').toLowerCase().replace(/[µμ]/, 'u').replace('min', 'm');
  const scale = { ns: 1, us: 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 }[unit] ?? 1;
  return { nanos: Number(match[1]) * scale, text: match[1] + unit };
}
