// SPDX-License-Identifier: Apache-2.0
// One box for what people have in hand: a trace id, a traceparent, key=value, a service, an
// operation, a query in TraceQL. What it offers was seen in the time range of the page.
import { parameters } from './address.js';
import * as api from './api.js';
import { fill, h, icon } from './dom.js';
import { compact } from './format.js';
import { pageOf, servicePath } from './pages.js';
import { asked, bounded, link, readRange } from './range.js';
import { t } from './texts.js';

const historyName = 'skein.asked';
const historyLimit = 8;
const offersOfAKind = 5;
/** Names are asked for again after so long. */
const namesAge = 20_000;

/**
 * @typedef {{ kind: string, label: string, href?: string, fill?: string, count?: number,
 *   of?: string }} Offer `fill` goes on typing instead of going there
 * @typedef {{ operations: { service: string, operation: string, callCount: number }[],
 *   keys: string[] }} Names
 */

/**
 * Where a text leads by its shape alone, or null.
 * @param {string} text @returns {Offer | null}
 */
export function shapeOf(text) {
  const value = text.trim();
  const parent = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$/i.exec(value);
  if (parent) {
    const href = `/trace/${parent[1].toLowerCase()}?sel=${parent[2].toLowerCase()}`;
    return { kind: 'trace', label: parent[1], href };
  }
  if (/^([0-9a-f]{16}|[0-9a-f]{32})$/i.test(value)) {
    return { kind: 'trace', label: value, href: `/trace/${value.toLowerCase()}` };
  }
  if (value.startsWith('{')) {
    return { kind: 'query', label: value, href: link('/search', { q: value }) };
  }
  if (/^[^=\s]+=.+$/.test(value)) {
    return { kind: 'tag', label: value, href: link('/search', { tag: value }) };
  }
  return null;
}

/**
 * What fits a text, the best first of each kind.
 * @param {string} text @param {Names} names @returns {Offer[]}
 */
export function offersFor(text, names) {
  const value = text.trim().toLowerCase();
  const shape = shapeOf(text);
  if (shape) return [shape];
  /** @type {Map<string, number>} */
  const services = new Map();
  for (const { service, callCount } of names.operations) {
    services.set(service, (services.get(service) ?? 0) + callCount);
  }
  /** Begins with it, then has it, then not at all. @param {string} name */
  const fit = (name) => {
    const at = name.toLowerCase().indexOf(value);
    return at < 0 ? 0 : at === 0 ? 2 : 1;
  };
  const best = (/** @type {Offer[]} */ offers) =>
    offers.filter((offer) => fit(offer.label))
      .sort((a, b) => fit(b.label) - fit(a.label) || (b.count ?? 0) - (a.count ?? 0))
      .slice(0, offersOfAKind);
  return [
    ...best([...services].map(([label, count]) => ({
      kind: 'service',
      label,
      count,
      href: link(servicePath(label)),
    }))),
    ...best(names.operations.map(({ service, operation, callCount }) => ({
      kind: 'operation',
      label: operation,
      of: service,
      count: callCount,
      href: link(servicePath(service, operation)),
    }))),
    ...best(names.keys.map((key) => ({ kind: 'key', label: key, fill: `${key}=` }))),
  ];
}

/** @returns {string[]} what was asked before, the latest first */
function past() {
  try {
    const list = JSON.parse(localStorage.getItem(historyName) ?? '[]');
    return Array.isArray(list) ? list.filter((entry) => typeof entry === 'string') : [];
  } catch {
    return [];
  }
}

/** @param {string} text */
function keep(text) {
  const list = [text, ...past().filter((entry) => entry !== text)].slice(0, historyLimit);
  try {
    localStorage.setItem(historyName, JSON.stringify(list));
  } catch {
    // Storage may be forbidden; the box then forgets.
  }
}

/** @param {(href: string) => void} go @returns {HTMLElement} */
export function omnibox(go) {
  /** @type {Names} */
  let names = { operations: [], keys: [] };
  let namesAt = -Infinity;
  /** @type {Offer[]} */
  let offers = [];
  let active = -1;
  let asking = new AbortController();
  const list = h('ul', { id: 'offers', role: 'listbox', 'aria-label': t('omnibox.offers') });
  const hint = h('p', { role: 'alert', hidden: true });
  const panel = h('div.offers', { hidden: true }, list, hint);
  const input = h('input', {
    id: 'omnibox',
    type: 'search',
    placeholder: t('app.omnibox'),
    'aria-label': t('app.omnibox.label'),
    role: 'combobox',
    'aria-expanded': 'false',
    'aria-controls': 'offers',
    'aria-autocomplete': 'list',
    autocomplete: 'off',
    spellcheck: 'false',
    autocapitalize: 'off',
  });

  /** Names that are on their way, or came. */
  let coming = Promise.resolve();
  const load = () => {
    if (performance.now() - namesAt < namesAge) return coming;
    namesAt = performance.now();
    coming = read();
    return coming;
  };
  const read = async () => {
    const { range } = readRange(parameters());
    const [totals, keys] = await Promise.all([
      api.operationTotals({ ...asked(bounded(range)), quantiles: '0.5' }).catch(() => null),
      api.keys('').catch(() => null),
    ]);
    names = {
      operations: totals?.operations.map(({ service, operation, callCount }) => ({
        service,
        operation: operation ?? '',
        callCount,
      })) ?? names.operations,
      keys: keys ? [...new Set(keys.map((entry) => entry.key))] : names.keys,
    };
    if (document.activeElement === input) look();
  };

  const draw = () => {
    const items = offers.map((offer, at) =>
      h(
        'li',
        {
          role: 'option',
          id: `offer-${at}`,
          'aria-selected': String(at === active),
          onpointerdown: (/** @type {Event} */ event) => event.preventDefault(),
          onclick: () => choose(offer),
        },
        h('small', t(`omnibox.${offer.kind}`)),
        h('span', offer.of ? h('i', `${offer.of} `) : null, h('b', offer.label)),
        offer.count === undefined ? null : h(
          'small',
          t('omnibox.calls', {
            calls: compact(offer.count),
          }),
        ),
      )
    );
    fill(list, items);
    list.hidden = !offers.length;
    const open = document.activeElement === input && (offers.length > 0 || !hint.hidden);
    panel.hidden = !open;
    input.setAttribute('aria-expanded', String(open && offers.length > 0));
    if (active >= 0) input.setAttribute('aria-activedescendant', `offer-${active}`);
    else input.removeAttribute('aria-activedescendant');
    items[active]?.scrollIntoView({ block: 'nearest' });
  };

  /** Shows these; what is chosen of them stays chosen. @param {Offer[]} next */
  const offer = (next) => {
    const chosen = offers[active];
    offers = next;
    active = chosen
      ? next.findIndex(({ kind, label, of }) =>
        kind === chosen.kind && label === chosen.label && of === chosen.of
      )
      : -1;
    draw();
  };

  /** Offers for what is typed; values of a key come a moment later. */
  const look = async () => {
    asking.abort();
    asking = new AbortController();
    const { signal } = asking;
    hint.hidden = true;
    const text = input.value;
    if (!text.trim()) return offer(past().map((label) => ({ kind: 'past', label, fill: label })));
    offer(offersFor(text, names));
    const pair = /^([^={\s]+)=(.*)$/.exec(text.trim());
    if (!pair) return;
    await new Promise((resolve) => setTimeout(resolve, 120));
    const values = signal.aborted
      ? []
      : await api.values(pair[1], '', pair[2], signal).catch(() => []);
    if (signal.aborted || !values.length) return;
    const tag = (/** @type {string} */ value) => `${pair[1]}=${value}`;
    const stored = values.slice(0, offersOfAKind + 3).map((value) => ({
      kind: 'tag',
      label: tag(value),
      href: link('/search', { tag: tag(value) }),
    }));
    const typed = shapeOf(text);
    const told = !typed || stored.some(({ label }) => label === typed.label);
    offer(told ? stored : [typed, ...stored]);
  };

  const choose = (/** @type {Offer} */ offer) => {
    if (offer.kind === 'past' && !shapeOf(offer.label)) offer = exact(offer.label) ?? offer;
    else if (offer.kind === 'past') offer = /** @type {Offer} */ (shapeOf(offer.label));
    if (!offer.href) {
      input.value = offer.fill ?? '';
      active = -1;
      return look();
    }
    keep(offer.label);
    input.value = '';
    offers = [];
    active = -1;
    input.blur();
    // What this page does not know is for the server, such as a page of an older address.
    if (pageOf(offer.href.split('?')[0])) go(offer.href);
  };

  /** What a text means without a look at the list. @param {string} text @returns {Offer | null} */
  const exact = (text) => {
    const fitting = offersFor(text, names);
    const value = text.trim().toLowerCase();
    return fitting.find((offer) => offer.label.toLowerCase() === value) ??
      fitting.find((offer) => offer.href) ?? null;
  };

  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    const text = input.value;
    if (!text.trim()) return;
    if (active >= 0) return choose(offers[active]);
    const shape = shapeOf(text);
    if (!shape && !names.operations.length) await load();
    // Meanwhile the box may have been left, or hold another text.
    if (input.value !== text || document.activeElement !== input) return;
    const meant = shape ?? exact(text);
    if (meant) return choose(meant);
    hint.textContent = t('app.omnibox.hint');
    hint.hidden = false;
    offer([]);
  };

  input.addEventListener('focus', () => {
    load();
    look();
  });
  input.addEventListener('input', () => {
    active = -1;
    look();
  });
  input.addEventListener('blur', () => {
    asking.abort();
    panel.hidden = true;
    input.setAttribute('aria-expanded', 'false');
  });
  input.addEventListener('keydown', (/** @type {KeyboardEvent} */ event) => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by && offers.length) {
      active = active < 0 && by < 0
        ? offers.length - 1
        : ((active + by + offers.length + 1) % (offers.length + 1));
      if (active === offers.length) active = -1;
    } else if (event.key === 'Tab' && active >= 0 && offers[active].fill) {
      choose(offers[active]);
    } else return;
    event.preventDefault();
    draw();
  });
  return h(
    'form.omnibox',
    { role: 'search', onsubmit: submit },
    icon('search'),
    input,
    h('kbd', { 'aria-hidden': 'true' }, '/'),
    panel,
  );
}
