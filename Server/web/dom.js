// SPDX-License-Identifier: Apache-2.0
// Building DOM. Text reaches the document only as text nodes and attributes, never as markup.

/**
 * Makes an element: `h('a.button.quiet', { href, onclick }, 'text', child)`.
 * Properties starting with "on" become listeners, `text` sets the text, null and false are left
 * out.
 * @param {string} spec tag name followed by class names
 * @param {Record<string, any> | null} [props]
 * @param {...any} children nodes, strings, numbers, arrays of these; null and false are skipped
 * @returns {any}
 */
export function h(spec, props, ...children) {
  const [tag, ...classes] = spec.split('.');
  const element = document.createElement(tag || 'div');
  if (classes.length) element.className = classes.join(' ');
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (name === 'text') element.textContent = value;
    else element.setAttribute(name, value === true ? '' : String(value));
  }
  append(element, children);
  return element;
}

/** @param {Element} parent @param {any[]} children */
function append(parent, children) {
  for (const child of children) {
    if (child === null || child === undefined || child === false) continue;
    if (Array.isArray(child)) append(parent, child);
    else parent.append(child instanceof Node ? child : String(child));
  }
}

/** Replaces everything inside an element. @param {Element} parent @param {...any} children */
export function fill(parent, ...children) {
  parent.replaceChildren();
  append(parent, children);
}

/** Line drawings on a 16 x 16 grid. */
const icons = {
  search: 'M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10Zm3.6-1.4L14 14',
  close: 'm4 4 8 8m0-8-8 8',
  copy: 'M5.5 5.5v-3h8v8h-3m-8-5h8v8h-8z',
  check: 'm3 8.5 3.2 3.2L13 4.5',
  sun:
    'M8 5.2a2.8 2.8 0 1 0 0 5.6 2.8 2.8 0 0 0 0-5.6ZM8 1v1.6M8 13.4V15M1 8h1.6M13.4 8H15M3 3l1.2 1.2m7.6 7.6L13 13m0-10-1.2 1.2M4.2 11.8 3 13',
  moon: 'M13.5 9.6A5.9 5.9 0 0 1 6.4 2.5a5.9 5.9 0 1 0 7.1 7.1Z',
  auto: 'M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM8 2v12M8 5h4.8M8 8h6M8 11h4.8',
  back: 'M9.5 3.5 5 8l4.5 4.5',
  right: 'M6.5 3.5 11 8l-4.5 4.5',
  up: 'M3.5 9.5 8 5l4.5 4.5',
  down: 'M3.5 6.5 8 11l4.5-4.5',
  error: 'M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12Zm0-9v3.6m0 2.2v.1',
  warning: 'M8 2.2 14.4 13.5H1.6zM8 6.4v3.4m0 1.8v.1',
  question:
    'M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM6.2 6.4c.1-1 .8-1.6 1.8-1.6s1.8.7 1.8 1.6c0 1.3-1.8 1.4-1.8 2.7m0 1.9v.1',
  clock: 'M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM8 4.8V8l2.2 1.4',
  refresh: 'M13 8a5 5 0 1 1-1.5-3.6L13 5.9M13 2.8v3.1H9.9',
  table: 'M2.5 3.5h11v9h-11zm0 3h11m-11 3h11M6.5 6.5v6',
  chart: 'M2.5 13.5h11M4 11V8m3.9 3V3.5M12 11V6',
  code: 'm5.2 4.5-3.4 3.5 3.4 3.5m5.6-7L14.2 8l-3.4 3.5',
  reset: 'M3 3v3.5h3.5M3.4 6.4A5 5 0 1 1 3 9',
  link:
    'M6.8 9.2 9.2 6.8M7.4 4.6 9 3a2.8 2.8 0 0 1 4 4l-1.6 1.6M8.6 11.4 7 13a2.8 2.8 0 0 1-4-4l1.6-1.6',
  fold: 'M3 8h10M8 2v3.4M6 3.8 8 5.6l2-1.8M8 14v-3.4m-2 1.6 2-1.8 2 1.8',
  unfold: 'M3 8h10M8 5.8V2M6 3.8 8 2l2 1.8M8 10.2V14m-2-1.8L8 14l2-1.8',
};

/**
 * Makes an element of a drawing.
 * @param {string} name @param {Record<string, any>} [attributes] @param {...SVGElement} children
 * @returns {SVGElement}
 */
export function svg(name, attributes = {}, ...children) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  element.append(...children);
  return element;
}

/** @param {keyof typeof icons} name */
export const icon = (name) =>
  svg(
    'svg',
    { viewBox: '0 0 16 16', class: 'icon', 'aria-hidden': 'true' },
    svg('path', { d: icons[name] }),
  );

/** The product's mark: three threads of one skein. @param {string} [extra] */
export const mark = (extra = '') =>
  svg(
    'svg',
    { viewBox: '0 0 32 32', class: `mark ${extra}`.trim(), 'aria-hidden': 'true' },
    ...[
      ['c', 'M4 25c6 0 8-3 12-9s6-9 12-9'],
      ['b', 'M4 16c6 0 7-9 12-9s6 18 12 18'],
      ['a', 'M4 7c6 0 7 18 12 18s6-9 12-9'],
    ].map(([thread, d]) => svg('path', { class: `thread-${thread}`, d, pathLength: '1' })),
  );

/**
 * Follows a pointer until it is let go, or taken away: then `end` is told which.
 * @param {(event: PointerEvent) => void} move @param {(event: PointerEvent) => void} [end]
 */
export function follow(move, end) {
  const ended = new AbortController();
  const { signal } = ended;
  addEventListener('pointermove', move, { signal });
  for (const name of /** @type {const} */ (['pointerup', 'pointercancel'])) {
    addEventListener(name, (event) => {
      ended.abort();
      end?.(event);
    }, { signal });
  }
}

/**
 * A button that copies and shows that it did.
 * @param {() => string} value @param {string} label @param {string} [text] words beside the icon
 */
export function copyButton(value, label, text) {
  const button = h(
    'button.copy',
    { type: 'button', title: label, 'aria-label': label },
    icon('copy'),
    text,
  );
  button.addEventListener('click', async (/** @type {Event} */ event) => {
    event.preventDefault();
    event.stopPropagation();
    if (!(await copyText(value()))) return;
    button.classList.add('done');
    button.firstChild?.replaceWith(icon('check'));
    setTimeout(() => {
      button.classList.remove('done');
      button.firstChild?.replaceWith(icon('copy'));
    }, 1400);
  });
  return button;
}

/**
 * The clipboard API exists on secure origins only; over plain http a selection does the same.
 * @param {string} text
 */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = h('textarea.offscreen', { readonly: true });
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand('copy');
    area.remove();
    return done;
  }
}
