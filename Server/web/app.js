// SPDX-License-Identifier: Apache-2.0
// The frame around every page: header, routes, language, theme, keys that work everywhere.
// The address is the whole state: each page is drawn from it and writes itself back into it.
import { fill, h, icon, mark } from './dom.js';
import { chooseLanguage, language, setLanguage, t } from './texts.js';
import { showHelp } from './help.js';
import { typing } from './keys.js';
import { omnibox } from './omnibox.js';
import { searchPage } from './search.js';
import { statusPill } from './status.js';
import { tracePage } from './trace.js';
import { notice } from './notice.js';

const app = /** @type {HTMLElement} */ (document.getElementById('app'));
const main = h('main', { id: 'main', tabindex: '-1' });
let page = new AbortController();

/** Draws the page of the current address. */
function render() {
  page.abort();
  page = new AbortController();
  document.body.className = '';
  const path = location.pathname;
  const trace = /^\/trace\/([^/]+)\/?$/.exec(path);
  if (trace) tracePage(main, decodeURIComponent(trace[1]), { signal: page.signal, go });
  else if (path === '/' || path === '/search') searchPage(main, { signal: page.signal, go });
  else missingPage();
}

function missingPage() {
  document.title = 'Skein';
  fill(
    main,
    notice({
      title: t('error.missing.page'),
      text: t('error.missing.page.do'),
      action: h('a.button.primary', { href: '/' }, t('error.home')),
    }),
  );
}

/**
 * @param {string} href an address of this page
 * @param {boolean} [replace] keep the back button where it was
 */
export function go(href, replace = false) {
  if (replace) history.replaceState(null, '', href);
  else history.pushState(null, '', href);
  if (!replace) scrollTo(0, 0);
  render();
}

function themeButton() {
  const order = ['system', 'light', 'dark'];
  const icons = /** @type {const} */ ({ system: 'auto', light: 'sun', dark: 'moon' });
  const button = h('button.quiet.round', { type: 'button', id: 'theme' });
  const show = () => {
    const theme =
      /** @type {'system' | 'light' | 'dark'} */ (document.documentElement.dataset.theme ??
        'system');
    fill(button, icon(icons[theme]));
    button.title = t(`app.theme.${theme}`);
    button.setAttribute('aria-label', button.title);
  };
  button.addEventListener('click', () => {
    const theme =
      order[(order.indexOf(document.documentElement.dataset.theme ?? 'system') + 1) % 3];
    if (theme === 'system') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    save('skein.theme', theme === 'system' ? null : theme);
    show();
    dispatchEvent(new Event('themechange'));
  });
  show();
  return button;
}

/** @param {string} key @param {string | null} value */
function save(key, value) {
  try {
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, value);
  } catch {
    // Storage may be forbidden; the choice then lasts as long as the tab.
  }
}

function languageButton() {
  const label = t('app.language.label');
  return h('button.quiet', {
    type: 'button',
    id: 'language',
    title: label,
    'aria-label': label,
    lang: language() === 'zh' ? 'en' : 'zh-CN',
    onclick: () => {
      setLanguage(language() === 'zh' ? 'en' : 'zh');
      save('skein.language', language());
      frame();
      render();
    },
  }, t('app.language'));
}

function frame() {
  const help = h('button.quiet.round', {
    type: 'button',
    title: `${t('app.help')} (?)`,
    'aria-label': t('app.help'),
    onclick: showHelp,
  }, icon('question'));
  fill(
    app,
    h('a.skip', { href: '#main' }, t('app.skip')),
    h(
      'header.top',
      null,
      h('a.brand', { href: '/', 'aria-label': 'Skein' }, mark(), h('span', null, 'Skein')),
      omnibox(go),
      h('div.tools', null, statusPill(), languageButton(), themeButton(), help),
    ),
    main,
  );
}

addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === 'Escape' && event.target instanceof HTMLInputElement) event.target.blur();
  if (typing(event)) return;
  if (event.key === '?') showHelp();
  else if (event.key === '/') document.getElementById('omnibox')?.focus();
  else if (event.key === 'd') document.getElementById('theme')?.click();
  else return;
  event.preventDefault();
});

addEventListener('click', (event) => {
  if (
    event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey ||
    event.altKey
  ) return;
  const link = /** @type {Element} */ (event.target).closest?.('a[href]');
  if (!(link instanceof HTMLAnchorElement) || link.target || link.origin !== location.origin) {
    return;
  }
  if (!/^\/($|search$|trace\/)/.test(link.pathname) || link.getAttribute('href')?.startsWith('#')) {
    return;
  }
  event.preventDefault();
  go(link.pathname + link.search);
});

addEventListener('popstate', render);
matchMedia('(prefers-color-scheme: dark)').addEventListener(
  'change',
  () => dispatchEvent(new Event('themechange')),
);

chooseLanguage();
frame();
render();
