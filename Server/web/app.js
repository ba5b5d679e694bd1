// SPDX-License-Identifier: Apache-2.0
// The frame around every page: header, navigation, time range, language, theme, keys that work
// everywhere. The address is the whole state: each page is drawn from it and writes itself back.
import { parameters, pathWith, understood, without } from './address.js';
import { shortLink } from './api.js';
import * as compare from './compare.js';
import { copyText, fill, h, icon, mark } from './dom.js';
import { showHelp } from './help.js';
import { typing } from './keys.js';
import * as tail from './live.js';
import * as map from './map.js';
import { errorNotice, notice, toast } from './notice.js';
import { omnibox } from './omnibox.js';
import * as overview from './overview.js';
import { isOldSearch, pageOf, pages } from './pages.js';
import { freshness, link, readRange, shift, withRange } from './range.js';
import * as search from './search.js';
import * as service from './service.js';
import * as services from './services.js';
import { statusPill } from './status.js';
import * as system from './system.js';
import { language, setLanguage, t } from './texts.js';
import { timeControl } from './time.js';
import * as trace from './trace.js';

/** What draws the pages, by their names; `takes` says what their addresses can hold.
 * @type {Record<string, import('./pages.js').Module>} */
const modules = {
  overview,
  search,
  services,
  service,
  operation: service,
  map,
  live: tail,
  system,
  compare,
  trace,
};

const app = /** @type {HTMLElement} */ (document.getElementById('app'));
const main = h('main', { id: 'main', tabindex: '-1' });
const navigation = h('nav.pages');
const dropped = h('div.strip.info.dropped', { role: 'status', hidden: true });
/** More of a wrong value says nothing more. Characters. */
const droppedShown = 60;
let page = new AbortController();
/** @type {import('./pages.js').Page | null} */
let shown = null;
/** How the page of the moment is read again. @type {(() => any) | null} */
let refresh = null;
let refreshedAt = 0;

const live = () => parameters().get('live') !== '0' && readRange(parameters()).range.last !== null;

const time = timeControl({
  choose: (range) => go(`${location.pathname}?${withRange(parameters(), range)}`),
  refresh: () => again(),
  live: () => toggleLive(),
});

/** Draws the page of the current address. */
function render() {
  if (location.pathname === '/' && isOldSearch(parameters())) {
    history.replaceState(null, '', `/search${location.search}`);
  }
  page.abort();
  page = new AbortController();
  const { signal } = page;
  const found = pageOf(location.pathname);
  const before = shown;
  shown = found?.entry ?? null;
  refresh = null;
  dropped.hidden = true;
  if (found) checkAddress(found.entry);
  document.body.className = parameters().has('embed') ? 'embed' : '';
  showFrame();
  if (!found) return missingPage();
  try {
    modules[found.entry.name].page(main, {
      signal,
      go,
      drop,
      values: found.values,
      onRefresh: (how) => {
        refresh = how;
        refreshedAt = performance.now();
        showFrame();
      },
    });
    // Who reads or moves by keys begins at the new page, unless something else was taken up already.
    if (before && before !== shown && document.activeElement === document.body) {
      main.focus({ preventScroll: true });
    }
  } catch (error) {
    fill(main, errorNotice(error, () => location.reload()));
  }
}

/** Opens the nearest that an address can mean. @param {import('./pages.js').Page} entry */
function checkAddress({ name, ranged }) {
  const { params, dropped: wrong } = understood(parameters(), modules[name].takes);
  const times = ranged ? readRange(params).dropped : [];
  if (wrong.length || times.length) drop([...wrong, ...times], without(params, times));
}

/** Takes out of the address what it cannot mean, and says so.
 * @param {string[]} wrong as name=value @param {URLSearchParams} [params] what is left */
function drop(wrong, params = without(parameters(), wrong)) {
  history.replaceState(null, '', pathWith(location.pathname, params));
  const short = (/** @type {string} */ one) =>
    one.length > droppedShown ? `${one.slice(0, droppedShown)}…` : one;
  dropped.hidden = false;
  const close = t('app.close');
  fill(
    dropped,
    h('span', t('app.dropped', { what: wrong.map(short).join(' ') })),
    h('button.quiet.round', {
      type: 'button',
      title: close,
      'aria-label': close,
      onclick: () => {
        dropped.hidden = true;
        main.focus();
      },
    }, icon('close')),
  );
}

function missingPage() {
  document.title = 'Skein';
  fill(
    main,
    notice({
      title: t('error.missing.page'),
      text: t(location.pathname.startsWith('/l/') ? 'error.missing.link' : 'error.missing.page.do'),
      action: h('a.button.primary', { href: '/' }, t('error.home')),
    }),
  );
}

/**
 * @param {string} href an address of this page
 * @param {boolean} [replace] keep the back button where it was
 */
export function go(href, replace = false) {
  // What is embedded stays so, whichever link leads on.
  const next = new URL(href, location.href);
  if (parameters().get('embed') === '1' && !next.searchParams.has('embed')) {
    next.searchParams.set('embed', '1');
    href = next.pathname + next.search;
  }
  if (replace) history.replaceState(null, '', href);
  else history.pushState(null, '', href);
  if (!replace) scrollTo(0, 0);
  render();
}

/** Navigation and time range as the address has them. */
function showFrame() {
  const current = shown?.under ?? shown?.name;
  fill(
    navigation,
    pages.filter((entry) => entry.href).map((entry) =>
      h('a', {
        href: link(/** @type {string} */ (entry.href)),
        'aria-current': entry.name === current ? 'page' : null,
        title: `${t(`page.${entry.name}`)} (g ${entry.key})`,
      }, t(`page.${entry.name}`))
    ),
  );
  navigation.setAttribute('aria-label', t('app.pages'));
  time.element.hidden = !shown?.ranged;
  time.show(readRange(parameters()).range, { live: live(), refreshes: refresh !== null });
}

/** Reads the page again; what is read by itself waits as long again after the answer. */
async function again() {
  const how = refresh;
  refreshedAt = Infinity;
  await how?.();
  if (how === refresh) refreshedAt = performance.now();
}

function toggleLive() {
  const next = parameters();
  if (live()) next.set('live', '0');
  else next.delete('live');
  if (readRange(next).range.last === null) return;
  history.replaceState(null, '', pathWith(location.pathname, next));
  showFrame();
  if (live()) again();
}

/** While live, the page of the moment is read again by itself. */
setInterval(() => {
  if (!refresh || document.hidden || !live()) return;
  if (performance.now() - refreshedAt >= freshness(readRange(parameters()).range)) again();
}, 1000);

/** Longer ones do not survive every mail, chat and proxy. */
const longestLink = 2000;

/** A link to what is seen now, also for who opens it later. */
async function copyLink() {
  const { range } = readRange(parameters());
  const fixed = range.last === 'all' || !shown?.ranged ? range : { ...range, last: null };
  const params = shown?.ranged ? withRange(parameters(), fixed) : parameters();
  let address = pathWith(location.pathname, params);
  // Where there is no short one to be had, the long one is better than none.
  if (location.origin.length + address.length > longestLink) {
    address = await shortLink(address).catch(() => address);
  }
  toast(t(await copyText(location.origin + address) ? 'app.copied' : 'app.copied.not'));
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
    onclick: async () => {
      await setLanguage(language() === 'zh' ? 'en' : 'zh');
      save('skein.language', language());
      shown = null;
      frame();
      render();
    },
  }, t('app.language'));
}

/** @param {string} name @param {'question' | 'link'} drawing @param {string} key @param {() => any} onclick */
const tool = (name, drawing, key, onclick) =>
  h('button.quiet.round', {
    type: 'button',
    title: `${t(name)} (${key})`,
    'aria-label': t(name),
    onclick,
  }, icon(drawing));

function frame() {
  fill(
    app,
    h('a.skip', { href: '#main' }, t('app.skip')),
    h(
      'header.top',
      h('a.brand', { href: '/', 'aria-label': 'Skein' }, mark(), h('span', 'Skein')),
      omnibox(go),
      h(
        'div.tools',
        statusPill(),
        tool('app.link', 'link', 'c', copyLink),
        languageButton(),
        themeButton(),
        tool('app.help', 'question', '?', showHelp),
      ),
    ),
    h('div.second', navigation, time.element),
    dropped,
    main,
  );
  time.relabel();
}

/** The first letter of two was pressed so long ago, and no other since. */
let pressedG = -Infinity;
const pairWithin = 1500;

/** @param {-1 | 1} by */
const move = (by) => {
  const { range } = readRange(parameters());
  if (range.last !== 'all') time.choose(shift(range, by));
};

/** Keys that work on every page, and those that work where there is a time range. */
const commands = {
  '?': showHelp,
  '/': () => document.getElementById('omnibox')?.focus(),
  d: () => document.getElementById('theme')?.click(),
  c: copyLink,
  g: () => {
    pressedG = performance.now();
  },
};
const rangeCommands = {
  t: () => time.open(),
  '[': () => move(-1),
  ']': () => move(1),
};
const refreshCommands = { r: again, '.': toggleLive };

addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === 'Escape' && event.target instanceof HTMLInputElement) event.target.blur();
  if (typing(event) || event.defaultPrevented) return;
  const paired = performance.now() - pressedG < pairWithin;
  pressedG = -Infinity;
  const chosen = paired ? pages.find((entry) => entry.key === event.key) : null;
  const known = {
    ...commands,
    ...(shown?.ranged ? rangeCommands : {}),
    ...(refresh ? refreshCommands : {}),
  };
  if (chosen) go(link(/** @type {string} */ (chosen.href)));
  else if (Object.hasOwn(known, event.key)) known[/** @type {'g'} */ (event.key)]();
  else return;
  event.preventDefault();
});

addEventListener('click', (event) => {
  if (
    event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey ||
    event.altKey
  ) return;
  const target = /** @type {Element} */ (event.target).closest?.('a[href]');
  if (
    !(target instanceof HTMLAnchorElement) || target.target || target.origin !== location.origin
  ) return;
  if (!pageOf(target.pathname) || target.getAttribute('href')?.startsWith('#')) return;
  event.preventDefault();
  go(target.pathname + target.search);
});

addEventListener('popstate', render);
matchMedia('(prefers-color-scheme: dark)').addEventListener(
  'change',
  () => dispatchEvent(new Event('themechange')),
);

frame();
render();
