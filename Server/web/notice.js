// SPDX-License-Identifier: Apache-2.0
// Notes: what failed in one line, what to do in one line, and a way on. Never a blank page.
import { ApiError } from './api.js';
import { fill, h, icon } from './dom.js';
import { moment } from './format.js';
import { t } from './texts.js';

/**
 * @param {{ title: string, text: string, detail?: string, action?: any, quiet?: boolean }} content
 * @returns {HTMLElement}
 */
export function notice({ title, text, detail, action, quiet }) {
  return h(
    'section.notice',
    { role: quiet ? 'status' : 'alert' },
    h(
      quiet ? 'div.notice-icon.quiet' : 'div.notice-icon',
      null,
      icon(quiet ? 'search' : 'warning'),
    ),
    h('h1', title),
    detail ? h('p.detail', detail) : null,
    h('p', text),
    action ? h('div.actions', action) : null,
  );
}

/** @param {unknown} error @param {() => void} retry @returns {HTMLElement} */
export function errorNotice(error, retry) {
  const action = h('button.primary', { type: 'button', onclick: retry }, t('app.retry'));
  if (!(error instanceof ApiError)) {
    return notice({ title: t('error.data'), text: t('error.do'), detail: String(error), action });
  }
  if (error.code === 0) {
    const text = t('error.offline.do', { origin: location.origin });
    return notice({ title: t('error.offline'), text, action });
  }
  const busy = error.code === 503 || error.code === 429;
  if (error.code >= 400 && error.code < 500 && !busy) {
    // Asking again would not help. Where an id meant several traces, the message names them.
    const ids = error.code === 409 ? error.message.match(/\b[0-9a-f]{32}\b/g) ?? [] : [];
    const links = ids.map((id) => h('a.button.mono', { href: `/trace/${id}` }, id));
    return notice({ title: t('error.bad'), text: error.message, action: links });
  }
  const detail = error.message || `HTTP ${error.code}`;
  return notice({
    title: t(busy ? 'error.busy' : 'error.server'),
    text: t('error.do'),
    detail,
    action,
  });
}

/** Why a trace is not there, as far as the server knows. @param {any} said */
export function whyMissing(said) {
  switch (said?.reason) {
    case 'expired':
      return t('trace.missing.expired', { time: moment(said.removedAtUnixNano) });
    case 'sampledOut':
      return t('trace.missing.sampledOut');
    case 'neverSeen':
      return t('trace.missing.neverSeen');
    default:
      return t('trace.missing.do');
  }
}

/** The shape of a page that is on its way. @returns {HTMLElement} */
export function skeleton() {
  const bars = Array.from({ length: 7 }, () => h('i'));
  return h(
    'div.skeleton',
    { role: 'status' },
    h('span.offscreen', t('app.loading')),
    h('b'),
    h('div', bars),
  );
}

/**
 * The yellow strip over data that is not whole.
 * @param {string[]} reasons sentences of the server @returns {HTMLElement | null} null without any
 */
export function incompleteStrip(reasons) {
  const each = [...new Set(reasons)];
  return each.length
    ? h(
      'div.strip.warn.incomplete',
      { role: 'status' },
      icon('warning'),
      h('span', t('app.incomplete', { reasons: each.join('; ') })),
    )
    : null;
}

/**
 * The button below a list that goes on, and what went wrong with it.
 * @param {() => Promise<any>} load
 */
export function moreButton(load) {
  let words = '';
  const note = h('div');
  const button = h('button', { type: 'button', onclick: () => press() });
  const press = async () => {
    button.disabled = true;
    button.textContent = t('search.more.busy');
    await load().then(() => fill(note), (error) => {
      if (error.name !== 'AbortError') fill(note, errorNotice(error, press));
    });
    button.disabled = false;
    button.textContent = words;
  };
  const element = h('div.list-foot', { hidden: true }, note, button);
  return {
    element,
    /** @param {string} text none where the list is at its end */
    show: (text) => {
      words = button.textContent = text;
      element.hidden = !text;
    },
  };
}

/** Says something for a moment. @param {string} text */
export function toast(text) {
  document.querySelector('.toast')?.remove();
  const element = h('div.toast', { role: 'status' }, '');
  document.body.append(element);
  // Text that comes after its region is announced.
  requestAnimationFrame(() => {
    element.textContent = text;
  });
  setTimeout(() => element.remove(), 2400);
}
