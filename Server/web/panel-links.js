// SPDX-License-Identifier: Apache-2.0
// Links of a span to other tools, from templates that this browser keeps: a name and an address
// with {traceId}, {spanId}, {service}, {operation}, {start}, {end} or {key} of an attribute in it.
import { fill, h, icon } from './dom.js';
import { t } from './texts.js';

const storage = 'skein.links';
const linksMost = 20;
const textMost = 1000;

/** @typedef {{ name: string, url: string }} Template */

/** @returns {Template[]} what is no template is left out */
export function readTemplates() {
  try {
    const read = JSON.parse(localStorage.getItem(storage) ?? '[]');
    return read.filter((/** @type {any} */ one) =>
      typeof one?.name === 'string' && typeof one?.url === 'string' && isSafe(one.url)
    ).slice(0, linksMost);
  } catch {
    return [];
  }
}

/** @param {Template[]} templates */
function save(templates) {
  try {
    localStorage.setItem(storage, JSON.stringify(templates));
  } catch {
    // Storage may be forbidden; the templates then last as long as this panel.
  }
}

/** Only addresses of the web: a template may have come from somebody else. @param {string} url */
export function isSafe(url) {
  if (url.length > textMost || !/^https?:\/\/[^/{}]+/i.test(url)) return false;
  try {
    return ['http:', 'https:'].includes(new URL(url.replace(/[{}]/g, '')).protocol);
  } catch {
    return false;
  }
}

/**
 * @param {string} url @param {any} span
 * @returns {string | null} null where the span lacks something that the address asks for
 */
export function resolveTemplate(url, span) {
  const known = /** @type {Record<string, string>} */ ({
    traceId: span.traceId,
    spanId: span.spanId,
    service: span.service,
    operation: span.name,
    start: String(BigInt(span.startTimeUnixNano) / 1_000_000n),
    end: String(BigInt(span.endTimeUnixNano) / 1_000_000n),
  });
  let whole = true;
  const text = url.replace(/\{([^{}]+)\}/g, (_, key) => {
    const attribute = [...span.attributes, ...span.resource].find((one) => one.key === key);
    const value = Object.hasOwn(known, key) ? known[key] : attribute?.value;
    if (value === undefined || value === null || typeof value === 'object') whole = false;
    return encodeURIComponent(String(value));
  });
  return whole && isSafe(text) ? text : null;
}

/** @param {any} span @returns {HTMLElement} */
export function elsewhere(span) {
  const host = h('div.elsewhere');
  const draw = (editing = false) => {
    const templates = readTemplates();
    const links = templates.map((template) => ({
      name: template.name,
      href: resolveTemplate(template.url, span),
    })).filter(({ href }) => href !== null);
    fill(
      host,
      h(
        'div.links-out',
        links.map(({ name, href }) =>
          h('a.button', { href, target: '_blank', rel: 'noopener noreferrer' }, icon('link'), name)
        ),
        h('button.quiet', {
          type: 'button',
          'aria-expanded': String(editing),
          onclick: () => {
            draw(!editing);
            host.querySelector(editing ? 'button' : 'input')?.focus();
          },
        }, t('links.edit')),
      ),
      editing ? form(templates, draw) : null,
    );
  };
  draw();
  return host;
}

/** @param {Template[]} templates @param {(editing: boolean) => void} draw */
function form(templates, draw) {
  const field = (/** @type {string} */ label, /** @type {string} */ hint) =>
    h('input', { type: 'text', 'aria-label': label, placeholder: hint, maxlength: textMost });
  const name = field(t('links.name'), t('links.name'));
  const url = field(t('links.url'), 'https://…/{traceId}?at={start}');
  const wrong = h('p.complaint', { role: 'alert', hidden: true }, t('links.wrong'));
  return h(
    'form.link-form',
    {
      onsubmit: (/** @type {Event} */ event) => {
        event.preventDefault();
        wrong.hidden = name.value.trim() !== '' && isSafe(url.value.trim());
        if (!wrong.hidden) return;
        save([...templates, { name: name.value.trim(), url: url.value.trim() }].slice(-linksMost));
        draw(true);
      },
    },
    templates.map((template, at) =>
      h(
        'div.link-line',
        h('b', template.name),
        h('span', template.url),
        h('button.quiet.round', {
          type: 'button',
          'aria-label': t('links.remove', { name: template.name }),
          onclick: () => {
            save(templates.filter((_, other) => other !== at));
            draw(true);
          },
        }, icon('close')),
      )
    ),
    h('p.quiet-note', t('links.hint')),
    name,
    url,
    wrong,
    h('button.primary', { type: 'submit' }, t('links.add')),
  );
}
