// SPDX-License-Identifier: Apache-2.0
// A query in TraceQL: what can come next is offered, and a mistake is underlined where it is.
import * as api from './api.js';
import { fill, h, icon } from './dom.js';
import { tokens, words as known } from './query-text.js';
import { quote } from './traceql.js';
import { t } from './texts.js';

const pause = 120;
const offered = 12;
const intrinsics = [
  'duration',
  'name',
  'status',
  'kind',
  'statusMessage',
  'trace:duration',
  'trace:rootName',
  'trace:rootService',
  'trace:spanCount',
  'trace:errorCount',
  'trace:id',
  'span:id',
  'span:childCount',
  'event:name',
  'instrumentation:name',
  'parent',
];
const scopes = ['span.', 'resource.', 'event.', 'link.', 'instrumentation.', 'parent.'];
const operators = ['=', '!=', '>', '>=', '<', '<=', '=~', '!~'];
const between = ['&&', '||', '>', '>>', '<', '<<', '~', '!>>', 'without', '| '];
const stages = [
  'count() > ',
  'avg(duration) > ',
  'max(duration) > ',
  'by(',
  'select(',
  'coalesce()',
];

/**
 * What stands before the caret: what kind of word comes next, what there is of it, and, for a
 * value, the operand it is compared with.
 * @param {string} before
 * @returns {{ kind: string, part: string, operand: string }}
 */
export function placeOf(before) {
  const list = tokens(before).map((token) => token.text);
  const open = /\s$/.test(before) || !list.length;
  const last = list[list.length - 1] ?? '';
  const word = !open && !/^[{}()|&=!<>~,]/.test(last);
  const part = word ? last : '';
  const past = word ? list.slice(0, -1) : list;
  const previous = past[past.length - 1] ?? '';
  const operand = past[past.length - 2] ?? '';
  let depth = 0;
  for (const token of past) depth += token === '{' ? 1 : token === '}' ? -1 : 0;
  if (operators.includes(previous) && depth > 0) return { kind: 'value', part, operand };
  if (depth > 0) {
    const begins = /^(\{|\(|!|&&|\|\||[-+*/%^,])$/.test(previous);
    if (begins) return { kind: 'operand', part, operand: '' };
    const compared = operators.includes(operand) || previous === ')';
    return { kind: compared ? 'joint' : 'operator', part, operand: '' };
  }
  if (previous === '|') return { kind: 'stage', part, operand: '' };
  if (previous === 'by' || previous === '(') return { kind: 'operand', part, operand: '' };
  return { kind: previous === '}' || previous === ')' ? 'between' : 'begin', part, operand: '' };
}

/** @param {string} operand @returns {[key: string, scope: string] | null} of a stored attribute */
function keyOf(operand) {
  if (operand === 'name') return null;
  const [, scope, key] = /^(span|resource|event|link|instrumentation|)\.(.+)$/.exec(operand) ?? [];
  return key ? [key.replace(/^"|"$/g, ''), scope] : null;
}

/**
 * What fits there, the best first.
 * @param {ReturnType<typeof placeOf>} place @param {AbortSignal} signal
 * @returns {Promise<string[]>} texts that take the place of the part
 */
async function offersAt({ kind, part, operand }, signal) {
  const fitting = (/** @type {string[]} */ list) => {
    const low = part.toLowerCase();
    const at = (/** @type {string} */ text) => text.toLowerCase().indexOf(low);
    return list.filter((text) => at(text) >= 0 && text !== part)
      .sort((a, b) => Number(at(a) > 1) - Number(at(b) > 1)).slice(0, offered);
  };
  if (kind === 'operator') return fitting(operators);
  if (kind === 'joint') return fitting(['&&', '||', '}']);
  if (kind === 'between') return fitting([...between, 'order by ']);
  if (kind === 'stage') return fitting([...stages, '{ ']);
  if (kind === 'begin') return part ? [] : ['{ '];
  if (kind === 'value') {
    const name = operand.replace('span:', '');
    if (Object.hasOwn(known, name)) return fitting(known[name]);
    const prefix = part.replace(/^"|"$/g, '');
    const key = keyOf(operand);
    const found = key
      ? await api.values(key[0], key[1], prefix, signal)
      : operand === 'name'
      ? (await api.operations('', signal)).map((entry) => entry.name)
      : operand.endsWith('rootService')
      ? await api.services(signal)
      : [];
    return [...new Set(found)].filter((value) => value.startsWith(prefix)).map(quote)
      .slice(0, offered);
  }
  const keys = (await api.keys('', signal)).map(({ scope, key }) =>
    `${scope}.${/[^\w.\-/:]/.test(key) ? quote(key) : key}`
  );
  return fitting([...new Set([...intrinsics, 'resource.service.name', ...scopes, ...keys])]);
}

/**
 * @param {string} text @param {(text: string) => void} run
 * @param {AbortSignal} signal
 * @param {{ label?: string, runs?: string, sample?: string }} [words] what it is for, what its
 * button does, and what an empty one may hold
 */
export function queryEditor(text, run, signal, words = {}) {
  const { label = t('search.query'), runs = t('search.query.run'), sample } = words;
  const input = h('textarea.mono', {
    id: 'query',
    rows: '1',
    spellcheck: 'false',
    autocomplete: 'off',
    autocapitalize: 'off',
    'aria-label': label,
    placeholder: sample,
    'aria-haspopup': 'listbox',
    'aria-controls': 'query-offers',
    'aria-autocomplete': 'list',
    'aria-describedby': 'query-says',
  });
  const marks = h('div.marks.mono', { 'aria-hidden': 'true' });
  const list = h('ul', { id: 'query-offers', role: 'listbox', 'aria-label': t('search.offers') });
  const panel = h('div.offers', { hidden: true }, list);
  const says = h('p.query-says', { id: 'query-says', 'aria-live': 'polite' });
  /** @type {string[]} */
  let offers = [];
  let active = -1;
  let asking = new AbortController();
  signal.addEventListener('abort', () => asking.abort());

  const clear = () => {
    marks.textContent = `${input.value}\n`;
    says.classList.remove('wrong');
    says.textContent = '';
    input.removeAttribute('aria-invalid');
  };
  const close = () => {
    asking.abort();
    offers = [];
    active = -1;
    draw();
  };
  const draw = () => {
    panel.hidden = !offers.length;
    if (active >= 0) input.setAttribute('aria-activedescendant', `query-offer-${active}`);
    else input.removeAttribute('aria-activedescendant');
    fill(
      list,
      offers.map((offer, at) =>
        h('li', {
          role: 'option',
          id: `query-offer-${at}`,
          'aria-selected': String(at === active),
          onpointerdown: (/** @type {Event} */ event) => event.preventDefault(),
          onclick: () => take(offer),
        }, h('span.mono', offer))
      ),
    );
    list.children[active]?.scrollIntoView({ block: 'nearest' });
  };
  const look = async () => {
    asking.abort();
    asking = new AbortController();
    const { signal: mine } = asking;
    await new Promise((resolve) => setTimeout(resolve, pause));
    if (mine.aborted) return;
    const place = placeOf(input.value.slice(0, input.selectionStart));
    const found = await offersAt(place, mine).catch(() => []);
    if (mine.aborted || document.activeElement !== input) return;
    offers = found;
    active = -1;
    draw();
  };
  const take = (/** @type {string} */ offer) => {
    const { part } = placeOf(input.value.slice(0, input.selectionStart));
    const end = input.selectionStart;
    // A scope, or what has a place to fill in, goes on; anything else is done.
    const text = /[.( ]$/.test(offer) ? offer : `${offer} `;
    input.setRangeText(text, end - part.length, end, 'end');
    clear();
    close();
    look();
  };

  input.addEventListener('input', () => {
    clear();
    look();
  });
  input.addEventListener('blur', close);
  input.addEventListener('keydown', (/** @type {KeyboardEvent} */ event) => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by && offers.length) active = (active + by + offers.length) % offers.length;
    else if ((event.key === 'Tab' || event.key === 'Enter') && active >= 0) take(offers[active]);
    else if (event.key === 'Escape' && offers.length) close();
    else if (event.key === ' ' && event.ctrlKey) look();
    else if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
      close();
      run(input.value);
    } else return;
    event.preventDefault();
    event.stopPropagation();
    if (offers.length) draw();
  });

  const set = (/** @type {string} */ value) => {
    input.value = value;
    clear();
  };
  set(text);
  const element = h(
    'form.query',
    {
      'aria-label': 'TraceQL',
      onsubmit: (/** @type {Event} */ event) => {
        event.preventDefault();
        run(input.value);
      },
    },
    h('label', { for: 'query' }, 'TraceQL'),
    h('div.editor', marks, input, panel),
    h('button.quiet.round', {
      title: runs,
      'aria-label': runs,
    }, icon('search')),
    says,
  );
  return {
    element,
    input,
    set,
    /** @param {unknown} error @returns {boolean} whether the query is what is wrong */
    refuse: (error) => {
      const { parameter, problem, hint, position } = /** @type {any} */ (error)?.detail ?? {};
      // Characters, as people count them, from nought.
      const all = [...new Intl.Segmenter().segment(input.value)].map((each) => each.segment);
      // What was asked may go on behind what was written; only its beginning tells of a missing end.
      if (!problem || parameter !== 'q' || position > all.length + 1) return false;
      const at = Math.min(position ?? all.length, Math.max(0, all.length - 1));
      if (position !== undefined && all.length) {
        fill(
          marks,
          all.slice(0, at).join(''),
          h('u', all[at].trim() || '\u00a0'),
          all.slice(at + 1).join(''),
        );
      }
      says.classList.add('wrong');
      fill(
        says,
        h(
          'b',
          position === undefined ? '' : t('search.query.at', { at: position + 1 }),
          problem,
        ),
        hint ? h('span', ` · ${hint}`) : null,
      );
      input.setAttribute('aria-invalid', 'true');
      return true;
    },
  };
}
