// SPDX-License-Identifier: Apache-2.0
// What every page does while it waits: the shape of the page after a moment, after two seconds how
// long it has been and a way to stop, what failed and how to try again, what is not whole.
import { fill, h } from './dom.js';
import { clock } from './format.js';
import { errorNotice, incompleteStrip, notice, skeleton } from './notice.js';
import { nanos } from './range.js';
import { t } from './texts.js';

const skeletonAfter = 300;
const progressAfter = 2000;

/**
 * Shows a page from answers, first now and then whenever the frame wants it read again. A view is
 * made once and then told of new data, so that focus, hover and scrolling stay.
 * @template Data
 * @param {HTMLElement} main
 * @param {import('./pages.js').Context} context
 * @param {{
 *   name: string,
 *   ask: (signal: AbortSignal) => Promise<Data>,
 *   view: () => { element: HTMLElement, update: (data: Data) => any },
 *   reasons?: (data: Data) => string[],
 * }} page `reasons` says why data is not whole
 */
export function present(main, context, { name, ask, view, reasons }) {
  /** @type {ReturnType<typeof view> | null} */
  let drawn = null;
  let drawnAt = 0;
  let asking = new AbortController();
  const strips = h('div.strips');
  const body = h('div.body');
  const whole = h('div.page', { 'data-page': name }, strips, body);
  const staying = /** @type {HTMLElement | null} */ (main.querySelector('.page'));
  // The page of another time range stays, pale, until the new one is here.
  if (staying?.dataset.page !== name) fill(main, whole);
  else staying.classList.add('busy');

  const show = (/** @type {any[]} */ ...children) => {
    if (!whole.isConnected) fill(main, whole);
    fill(body, ...children);
  };

  /** The answer that is awaited. @type {Promise<void> | null} */
  let awaited = null;
  // Asked again too early a question begins anew, and a slow one would never be answered.
  const load = () => {
    awaited ??= read().finally(() => {
      awaited = null;
    });
    return awaited;
  };
  const read = async () => {
    asking = new AbortController();
    const { signal } = asking;
    const began = performance.now();
    const waiting = drawn
      ? 0
      : setTimeout(() => whole.isConnected && !drawn && show(skeleton()), skeletonAfter);
    const progress = setInterval(() => {
      const seconds = Math.floor((performance.now() - began) / 1000);
      if (seconds * 1000 < progressAfter) return;
      if (!whole.isConnected) show(skeleton());
      fill(strips, progressStrip(seconds, stop));
    }, 500);
    const settle = () => {
      clearTimeout(waiting);
      clearInterval(progress);
    };
    const stop = () => {
      settle();
      asking.abort();
      fill(strips);
      if (!drawn) {
        const [title, text] = [t('app.stopped'), t('app.stopped.do')];
        show(notice({ title, text, action: retry(), quiet: true }));
      }
    };
    try {
      const data = await ask(AbortSignal.any([signal, context.signal]));
      settle();
      if (signal.aborted || context.signal.aborted) return;
      if (!drawn) {
        drawn = view();
        show(drawn.element);
      }
      drawn.update(data);
      drawnAt = Date.now();
      fill(strips, incompleteStrip(reasons?.(data) ?? []));
    } catch (error) {
      settle();
      if (signal.aborted || context.signal.aborted) return;
      // What is shown stays true of its time: say so above it, and go on trying.
      if (drawn) fill(strips, staleStrip(error, load, drawnAt));
      else {
        fill(strips);
        show(errorNotice(error, load));
      }
    }
  };
  const retry = () => h('button.primary', { type: 'button', onclick: load }, t('app.retry'));
  context.signal.addEventListener('abort', () => asking.abort());
  context.onRefresh(load);
  load();
}

/** @param {number} seconds @param {() => void} stop */
const progressStrip = (seconds, stop) =>
  h(
    'div.strip.info.progress',
    { role: 'status', 'aria-live': 'off' },
    h('i.spinner'),
    t('app.reading', { n: seconds }),
    h('button', { type: 'button', onclick: stop }, t('app.cancel')),
  );

/** @param {unknown} error @param {() => void} retry @param {number} at */
const staleStrip = (error, retry, at) =>
  h(
    'div.strip.bad',
    { role: 'status' },
    t('app.stale', {
      when: clock(nanos(at)),
      why: /** @type {any} */ (error)?.message || t('error.offline'),
    }),
    h('button', { type: 'button', onclick: retry }, t('app.retry')),
  );
