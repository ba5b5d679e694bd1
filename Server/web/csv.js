// SPDX-License-Identifier: Apache-2.0
// What a table shows, as a file for spreadsheets.
import { h } from './dom.js';

/** A cell; what a spreadsheet would compute is kept a text. @param {any} value */
const cell = (value) => {
  const text = String(value ?? '');
  const safe = typeof value !== 'number' && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
};

/** @param {any[][]} rows @param {string} name */
export function save(rows, name) {
  const text = rows.map((row) => `${row.map(cell).join()}\r\n`).join('');
  const href = URL.createObjectURL(new Blob(['\ufeff', text], { type: 'text/csv' }));
  const link = h('a', { href, download: `${name}.csv` });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(href), 10_000);
}
