// SPDX-License-Identifier: Apache-2.0
// The form and TraceQL as two views of one query. No DOM.
//
// A tag of the form is a text: it finds a number that is written so, too, and in TraceQL the two
// have different types. So a tag that reads like a number or a truth stands for both.
import { quote } from './traceql.js';

/** Strings, words with a quoted rest, and operators: all that a query is made of. */
const parts =
  /\s+|"(?:[^"\\]|\\.)*"?|`[^`]*`?|[^\s{}()|&=!<>~,"`]+(?:"(?:[^"\\]|\\.)*"?)?|&&|\|\||[=!<>]=|[=!]~|[!&]?>>?|[!&]?<<?|[!&]~|./gs;

/** @param {string} text @returns {{ text: string, at: number }[]} without what is blank */
export const tokens = (text) =>
  [...text.matchAll(parts)].map((part) => ({ text: part[0], at: part.index }))
    .filter((part) => part.text.trim());

/** What the form has fields for. */
export const fields = [
  'service',
  'operation',
  'tag',
  'minDuration',
  'maxDuration',
  'minTraceDuration',
  'maxTraceDuration',
  'status',
  'kind',
];

const compared = /** @type {Record<string, string>} */ ({
  'resource.service.name=': 'service',
  'name=': 'operation',
  'span:name=': 'operation',
  'status=': 'status',
  'span:status=': 'status',
  'kind=': 'kind',
  'span:kind=': 'kind',
  'duration>=': 'minDuration',
  'duration<=': 'maxDuration',
  'span:duration>=': 'minDuration',
  'span:duration<=': 'maxDuration',
  'trace:duration>=': 'minTraceDuration',
  'trace:duration<=': 'maxTraceDuration',
  'traceDuration>=': 'minTraceDuration',
  'traceDuration<=': 'maxTraceDuration',
});

/** How the form's parameters are written. */
const written = /** @type {Record<string, string>} */ ({});
for (const [text, name] of Object.entries(compared)) written[name] ??= text;

const statuses = ['unset', 'ok', 'error'];
const kinds = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'];
export const words = /** @type {Record<string, string[]>} */ ({ status: statuses, kind: kinds });

/** Texts that TraceQL would read as something other than a text. @param {string} value */
const isPlain = (value) => /^(-?\d+(\.\d+)?|true|false)$/.test(value);

/** @param {string} key as TraceQL names it after its scope */
const keyText = (key) => /^[A-Za-z0-9_.\-/:]+$/.test(key) ? key : quote(key);

/** @param {string} tag key=value, or scope:key=value @returns {string} a condition */
export function tagText(tag) {
  const [, scope = '', key = tag, value = ''] =
    /^(?:(span|resource|event):)?([^=]*)=(.*)$/s.exec(tag) ?? [];
  const name = `${scope}.${keyText(key)}`;
  const text = `${name} = ${quote(value)}`;
  return isPlain(value) ? `(${text} || ${name} = ${value})` : text;
}

/** @param {URLSearchParams} params of the address @returns {string} the query it holds, in TraceQL */
export function textOf(params) {
  const q = params.get('q');
  if (q) return q;
  const all = [];
  for (const name of fields) {
    for (const value of params.getAll(name)) {
      if (!value) continue;
      if (name === 'tag') all.push(tagText(value));
      else {
        const [, operand, operator] = /^(.*?)([<>]?=)$/.exec(written[name]) ?? [];
        const bare = name.endsWith('uration') || name in words;
        all.push(`${operand} ${operator} ${bare ? value : quote(value)}`);
      }
    }
  }
  return all.length ? `{ ${all.join(' && ')} }` : '{ }';
}

/** @param {string} text a token @returns {string | null} what a quoted text means */
function unquote(text) {
  if (/^`.*`$/s.test(text)) return text.slice(1, -1);
  if (!/^".*"$/s.test(text)) return null;
  const plain = text.slice(1, -1).replace(
    /\\(?:x([0-9a-f]{2})|(.))/gi,
    (_, code, letter) =>
      code
        ? String.fromCharCode(parseInt(code, 16))
        : { n: '\n', t: '\t', r: '\r' }[letter] ?? letter,
  );
  // Other escapes are the server's to read.
  return /\\[0-7abfvuU]/.test(text) ? null : plain;
}

/**
 * @param {string} text TraceQL
 * @returns {URLSearchParams | null} the same for the form, null where it has no fields for it
 */
export function paramsOf(text) {
  const list = tokens(text).map((token) => token.text);
  const params = new URLSearchParams();
  if (list.shift() !== '{' || list.pop() !== '}') return null;
  const tag = (/** @type {string} */ operand, /** @type {string} */ value) => {
    const [, scope, key] = /^(span|resource|event|)\.(.+)$/s.exec(operand) ?? [];
    if (!key) return null;
    const name = key.startsWith('"') ? unquote(key) : key;
    return name && !/[=\s]/.test(name) ? `${scope ? `${scope}:` : ''}${name}=${value}` : null;
  };
  for (let first = true; list.length; first = false) {
    if (!first && list.shift() !== '&&') return null;
    if (list[0] === '(') {
      // (.key = "17" || .key = 17) and nothing else in parentheses.
      const [, a, is, value, or, b, is2, bare, close] = list.splice(0, 9);
      const meant = unquote(value ?? '');
      if (`${is}${or}${is2}${close}` !== '=||=)' || a !== b || meant !== bare) return null;
      const found = isPlain(bare) ? tag(a, bare) : null;
      if (!found) return null;
      params.append('tag', found);
      continue;
    }
    const [operand, operator, value] = list.splice(0, 3);
    if (value === undefined) return null;
    const name = compared[operand + operator];
    const meant = unquote(value);
    if (name) {
      if (params.has(name)) return null;
      if (name.endsWith('uration')) {
        if (!/^\d+(\.\d+)?(ns|us|µs|ms|s|m|h)$/.test(value)) return null;
        params.set(name, value);
      } else if (words[name]) {
        if (!words[name].includes(value)) return null;
        params.set(name, value);
      } else if (!meant) return null;
      else params.set(name, meant);
      continue;
    }
    const found = operator === '=' && meant && !isPlain(meant) ? tag(operand, meant) : null;
    if (!found) return null;
    params.append('tag', found);
  }
  return params;
}

/** Without the order, which other questions about the same spans refuse. @param {string} text */
export function unordered(text) {
  const list = tokens(text);
  const at = list.findIndex((token, i) => token.text === 'order' && list[i + 1]?.text === 'by');
  return (at < 0 ? text : text.slice(0, list[at].at)).trim();
}

/** @param {string} text */
export const isOrdered = (text) => unordered(text) !== text.trim();

/** The same query with one condition more. @param {string} text @param {string} condition */
export function narrowed(text, condition) {
  if (!paramsOf(text)) return `${unordered(text)} | { ${condition} }`;
  const inner = text.trim().slice(1, -1).trim();
  return `{ ${inner ? `${inner} && ` : ''}${condition} }`;
}

/**
 * An address's parameters with this query in place of theirs: as the form has it, where it can.
 * @param {URLSearchParams} params @param {string} text @returns {URLSearchParams} new ones
 */
export function withQuery(params, text) {
  const next = new URLSearchParams();
  for (const [name, value] of paramsOf(text) ?? [['q', text.trim()]]) next.append(name, value);
  for (const [name, value] of params) {
    if (name !== 'q' && !fields.includes(name)) next.append(name, value);
  }
  return next;
}

/**
 * The same query with one condition less each time.
 * @param {string} text @returns {{ condition: string, text: string }[]} none where it cannot be told
 */
export function relaxed(text) {
  const query = unordered(text);
  const list = tokens(query);
  const stage = list.findLast((token) => token.text === '|');
  if (stage) {
    const [condition, rest] = [query.slice(stage.at), query.slice(0, stage.at)];
    return [{ condition, text: rest.trim() }];
  }
  let depth = 0;
  const cuts = [1];
  for (const token of list.slice(1, -1)) {
    if (/^[{}]$/.test(token.text)) return [];
    depth += token.text === '(' ? 1 : token.text === ')' ? -1 : 0;
    if (depth === 0 && token.text === '||') return [];
    if (depth === 0 && token.text === '&&') cuts.push(token.at, token.at + 2);
  }
  cuts.push(query.length - 1);
  const conditions = [];
  for (let i = 0; i < cuts.length; i += 2) {
    conditions.push(query.slice(cuts[i], cuts[i + 1]).trim());
  }
  return conditions.filter(Boolean).map((condition, at) => ({
    condition,
    text: `{ ${conditions.filter((_, i) => i !== at).join(' && ')} }`,
  }));
}
