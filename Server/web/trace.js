// SPDX-License-Identifier: Apache-2.0
// The way to the page of one trace: reads its columns, waits for a trace that is not there yet, and
// says what is wrong with an id.
import { parameters } from './address.js';
import * as api from './api.js';
import { dress } from './colors.js';
import { fill, h } from './dom.js';
import { errorNotice, notice, whyMissing } from './notice.js';
import { t } from './texts.js';
import { filePage } from './trace-file.js';
import { shortId } from './trace-head.js';
import { backToSearch, TracePage } from './trace-page.js';
import { storedTrace } from './trace-source.js';
import { decode } from './trv1.js';

export { takes } from './trace-address.js';

/** A trace not there yet is looked for again. Milliseconds. */
const missingInterval = 3000;
const missingTries = 20;

/** @typedef {{ signal: AbortSignal, go: (href: string, replace?: boolean) => void }} Context */

/** @param {HTMLElement} main @param {Context & { values: string[] }} context */
export const page = (main, context) => tracePage(main, context.values[0], context);

/** @param {HTMLElement} main @param {string} id @param {Context} context */
async function tracePage(main, id, context) {
  const { signal } = context;
  document.body.classList.add('page-trace');
  if (id === 'file') {
    if (!signal.aborted) filePage(main, context);
    return;
  }
  document.title = `${shortId(id)} · Skein`;
  if (!/^([0-9a-f]{16}|[0-9a-f]{32})$/i.test(id)) {
    fill(
      main,
      notice({
        title: t('trace.bad'),
        text: t('trace.bad.do'),
        detail: id.slice(0, 80),
        action: home(),
      }),
    );
    return;
  }
  const waiting = setTimeout(
    () => fill(main, h('p.loading', { role: 'status' }, t('trace.loading'))),
    300,
  );
  signal.addEventListener('abort', () => clearTimeout(waiting));
  try {
    const names = api.services(signal).catch(() => /** @type {string[]} */ ([]));
    const source = storedTrace(id, parameters().get('raw') === '1');
    const buffer = await waitFor(main, id, source, signal, waiting);
    if (buffer === null) return;
    const trace = decode(buffer);
    dress(await names, trace.services);
    clearTimeout(waiting);
    if (!signal.aborted) new TracePage(main, trace, source, context).start();
  } catch (error) {
    clearTimeout(waiting);
    if (!signal.aborted) fill(main, errorNotice(error, () => tracePage(main, id, context)));
  }
}

/** The columns of a trace; while there is none, says so and looks again.
 * @param {HTMLElement} main
 * @param {string} id
 * @param {import('./trace-source.js').Source} source
 * @param {AbortSignal} signal
 * @param {number} waiting
 */
async function waitFor(main, id, source, signal, waiting) {
  for (let tries = 0;; tries++) {
    try {
      return await source.columns(signal);
    } catch (error) {
      if (!(error instanceof api.ApiError) || error.code !== 404) throw error;
      clearTimeout(waiting);
      // What is gone does not come.
      const again = error.detail?.reason !== 'expired' && tries < missingTries;
      fill(
        main,
        notice({
          title: t('trace.missing'),
          text: again ? t('trace.missing.wait') : whyMissing(error.detail),
          detail: id,
          action: home(),
          quiet: true,
        }),
      );
      if (!again) return null;
      await new Promise((resolve) => setTimeout(resolve, missingInterval));
      if (signal.aborted) return null;
    }
  }
}

function home() {
  return h('a.button.primary', { href: backToSearch() }, t('error.home'));
}
