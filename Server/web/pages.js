// SPDX-License-Identifier: Apache-2.0
// The addresses there are, in the order of the navigation. What draws each of them, app.js knows.

/**
 * @typedef {{
 *   signal: AbortSignal,
 *   go: (href: string, replace?: boolean) => void,
 *   values: string[],
 *   drop: (wrong: string[]) => void,
 *   onRefresh: (refresh: () => any) => void,
 * }} Context `signal` ends with the page, `values` are the groups of its path, decoded; a page that
 * hands over how it is read again gets `r`, the button for it, and live updates; `drop` takes what
 * turned out to be wrong, as name=value, out of the address, and says so
 *
 * @typedef {{
 *   page: (main: HTMLElement, context: Context) => any,
 *   takes?: Record<string, import('./address.js').Check>,
 * }} Module `takes` is all that its address can hold beside the time range
 *
 * @typedef {{
 *   name: string,
 *   path: RegExp,
 *   href?: string,
 *   key?: string,
 *   ranged?: boolean,
 *   under?: string,
 * }} Page `href` puts it in the navigation, `key` is what opens it after g, `ranged` shows the time
 * range, `under` is the entry of the navigation it belongs to
 */

/** @type {Page[]} */
export const pages = [
  {
    name: 'overview',
    path: /^\/$/,
    href: '/',
    key: 'o',
    ranged: true,
  },
  {
    name: 'search',
    path: /^\/search\/?$/,
    href: '/search',
    key: 's',
    ranged: true,
  },
  {
    name: 'services',
    path: /^\/services\/?$/,
    href: '/services',
    key: 'v',
    ranged: true,
  },
  {
    name: 'service',
    path: /^\/services\/([^/]+)\/?$/,
    ranged: true,
    under: 'services',
  },
  {
    name: 'operation',
    path: /^\/services\/([^/]+)\/([^/]+)\/?$/,
    ranged: true,
    under: 'services',
  },
  {
    name: 'map',
    path: /^\/map\/?$/,
    href: '/map',
    key: 'm',
    ranged: true,
  },
  {
    name: 'live',
    path: /^\/live\/?$/,
    href: '/live',
    key: 'l',
  },
  {
    name: 'system',
    path: /^\/system\/?$/,
    href: '/system',
    key: 'y',
  },
  {
    name: 'compare',
    path: /^\/compare\/?$/,
    ranged: true,
    under: 'search',
  },
  {
    name: 'trace',
    path: /^\/trace\/([^/]+)\/?$/,
    under: 'search',
  },
];

/**
 * @param {string} path
 * @returns {{ entry: Page, values: string[] } | null} null when no page has this address
 */
export function pageOf(path) {
  for (const entry of pages) {
    const match = entry.path.exec(path);
    if (!match) continue;
    try {
      return { entry, values: match.slice(1).map(decodeURIComponent) };
    } catch {
      return null;
    }
  }
  return null;
}

/** The address of a service's page, or of one of its operations.
 * @param {string} service @param {string} [operation] */
export const servicePath = (service, operation) =>
  `/services/${encodeURIComponent(service)}` +
  (operation === undefined ? '' : `/${encodeURIComponent(operation)}`);

/** Searches had the address / once. @param {URLSearchParams} params */
export const isOldSearch = (params) =>
  ['service', 'operation', 'tag', 'q', 'status', 'kind', 'start', 'order', 'cursor']
    .some((name) => params.has(name));
