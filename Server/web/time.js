// SPDX-License-Identifier: Apache-2.0
// The time range in the header: what it is, a choice of others, the window before and after, the
// button that reads the page again, and live.
import { fill, h, icon } from './dom.js';
import { lastRange, presets, shift } from './range.js';
import { language, t } from './texts.js';

/** @typedef {import('./range.js').Range} Range */

/** Milliseconds as datetime-local writes them. @param {number} at */
function localTime(at) {
  const date = new Date(at);
  return new Date(at - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}

/** A time as short as today allows. @param {number} at @param {boolean} withDay */
function moment(at, withDay) {
  const date = new Date(at);
  const seconds = date.getSeconds() !== 0;
  return date.toLocaleString(language() === 'zh' ? 'zh-CN' : 'en-GB', {
    ...(withDay ? { month: 'short', day: 'numeric' } : {}),
    hour: '2-digit',
    minute: '2-digit',
    ...(seconds ? { second: '2-digit' } : {}),
  });
}

/** The range in words. @param {Range} range */
export function rangeText(range) {
  if (range.last === 'all') return t('time.all');
  if (range.last) {
    return presets.includes(range.last) || range.last === '5m'
      ? t(`time.${range.last}`)
      : t('time.last', { what: range.last });
  }
  const today = new Date().toDateString();
  const from = new Date(range.from);
  const to = new Date(range.to);
  const sameDay = from.toDateString() === to.toDateString();
  return `${moment(range.from, from.toDateString() !== today)} – ${
    moment(range.to, !sameDay && true)
  }`;
}

/** @param {{ choose: (range: Range) => void, refresh: () => void, live: () => void }} on */
export function timeControl(on) {
  /** @type {Range} */
  let now = lastRange('1h');
  const label = h('span', '');
  const button = h(
    'button.quiet.range',
    { type: 'button', id: 'range', 'aria-haspopup': 'dialog', 'aria-expanded': 'false' },
    icon('clock'),
    label,
    icon('down'),
  );
  const panel = h('div.range-panel', { role: 'dialog', hidden: true });
  const step = (/** @type {-1 | 1} */ by) =>
    h(
      'button.quiet.round',
      { type: 'button', onclick: () => choose(shift(now, by)) },
      icon(by < 0 ? 'back' : 'right'),
    );
  const [before, after] = [step(-1), step(1)];
  const again = h('button.quiet.round', { type: 'button', onclick: on.refresh }, icon('refresh'));
  const liveText = h('span', '');
  const live = h(
    'button.quiet.live-all',
    { type: 'button', onclick: on.live },
    h('i.dot'),
    liveText,
  );

  const close = (/** @type {boolean} */ focus) => {
    if (panel.hidden) return;
    panel.hidden = true;
    button.setAttribute('aria-expanded', 'false');
    if (focus) button.focus();
  };
  const choose = (/** @type {Range} */ range) => {
    close(true);
    on.choose(range);
  };
  const open = () => {
    fill(panel, content());
    panel.hidden = false;
    panel.setAttribute('aria-label', t('time.title'));
    button.setAttribute('aria-expanded', 'true');
    (panel.querySelector('[aria-pressed=true]') ?? panel.querySelector('button')).focus();
  };
  const content = () => {
    const input = (/** @type {'from' | 'to'} */ name) =>
      h('input', {
        type: 'datetime-local',
        step: '1',
        id: `range-${name}`,
        value: localTime(now.from === 0 && name === 'from' ? now.to - 3_600_000 : now[name]),
      });
    const [from, to] = [input('from'), input('to')];
    const complaint = h('p.complaint', { role: 'alert', hidden: true }, t('time.bad'));
    return [
      h(
        'div.presets',
        { role: 'group', 'aria-label': t('time.title') },
        presets.map((name) =>
          h('button', {
            type: 'button',
            'aria-pressed': String(now.last === name),
            onclick: () => choose(lastRange(name)),
          }, t(`time.${name}`))
        ),
      ),
      h(
        'form',
        {
          onsubmit: (/** @type {Event} */ event) => {
            event.preventDefault();
            const range = {
              last: null,
              from: new Date(from.value).getTime(),
              to: new Date(to.value).getTime(),
            };
            if (range.from >= 0 && range.from < range.to) choose(range);
            else {
              complaint.hidden = false;
              from.setAttribute('aria-invalid', 'true');
              from.focus();
            }
          },
        },
        h('label', { for: 'range-from' }, t('time.from')),
        from,
        h('label', { for: 'range-to' }, t('time.to')),
        to,
        complaint,
        h('button.primary', { type: 'submit' }, t('time.apply')),
        h(
          'small',
          t('time.zone', {
            zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
          }),
        ),
      ),
    ];
  };
  button.addEventListener('click', () => panel.hidden ? open() : close(true));
  const element = h('div.time', before, button, after, panel, again, live);
  element.addEventListener('keydown', (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== 'Escape' || panel.hidden) return;
    event.preventDefault();
    close(true);
  });
  addEventListener('pointerdown', (event) => {
    if (!element.contains(/** @type {Node} */ (event.target))) close(false);
  });
  element.addEventListener('focusout', (/** @type {FocusEvent} */ event) => {
    if (event.relatedTarget && !element.contains(/** @type {Node} */ (event.relatedTarget))) {
      close(false);
    }
  });
  const relabel = () => {
    for (
      const [which, text, key] of [
        [before, 'time.before', '['],
        [after, 'time.after', ']'],
        [again, 'time.refresh', 'r'],
      ]
    ) {
      which.title = `${t(text)} (${key})`;
      which.setAttribute('aria-label', t(text));
    }
    button.title = `${t('time.title')} (t)`;
    liveText.textContent = t('time.live');
  };
  return {
    element,
    choose,
    open,
    relabel,
    /** @param {Range} range @param {{ live: boolean, refreshes: boolean }} state */
    show(range, state) {
      now = range;
      label.textContent = rangeText(range);
      before.hidden = after.hidden = range.last === 'all';
      after.disabled = range.last !== null;
      again.hidden = !state.refreshes;
      live.hidden = !state.refreshes || range.last === null;
      live.setAttribute('aria-pressed', String(state.live));
      live.title = `${t(state.live ? 'time.live.on' : 'time.live.off')} (.)`;
    },
  };
}
