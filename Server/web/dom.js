// SPDX-License-Identifier: Apache-2.0
// Building DOM. Text reaches the document only as text nodes and attributes, never as markup.

/**
 * Makes an element: `h('a.button.quiet', { href, onclick }, 'text', child)`, `h('p', 'text')`.
 * Properties starting with "on" become listeners, `text` sets the text, null and false are left
 * out.
 * @param {string} spec tag name followed by class names
 * @param {...any} children properties, where they are wanted, then nodes, strings, numbers, arrays
 * of these; null and false are skipped
 * @returns {any}
 */
export function h(spec, ...children) {
  const [tag, ...classes] = spec.split('.');
  const element = document.createElement(tag || 'div');
  if (classes.length) element.className = classes.join(' ');
  const props = children[0]?.constructor === Object ? children.shift() : {};
  for (const [name, value] of Object.entries(props)) {
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

const icons = new URL('icons.svg', import.meta.url).pathname;

/** A line drawing of icons.svg. @param {string} name */
export const icon = (name) =>
  svg('svg', { class: 'icon', 'aria-hidden': 'true' }, svg('use', { href: `${icons}#${name}` }));

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
