// SPDX-License-Identifier: Apache-2.0
// The pages there are, in the order of the navigation. A page is a module that exports
// `page(main, context)`; it is loaded when it is first opened.

/**
 * @typedef {{
 *   signal: AbortSignal,
 *   go: (href: string, replace?: boolean) => void,
 *   values: string[],
 *   onRefresh: (refresh: () => any) => void,
 * }} Context `signal` ends with the page, `values` are the groups of its path, decoded; a page that
 * hands over how it is read again gets `r`, the button for it, and live updates
 *
 * @typedef {{
 *   name: string,
 *   path: RegExp,
 *   load: () => Promise<{ page: (main: HTMLElement, context: Context) => any }>,
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
    load: () => import('./overview.js'),
    href: '/',
    key: 'o',
    ranged: true,
  },
  {
    name: 'search',
    path: /^\/search\/?$/,
    load: () => import('./search.js'),
    href: '/search',
    key: 's',
    ranged: true,
  },
  {
    name: 'services',
    path: /^\/services\/?$/,
    load: () => import('./services.js'),
    href: '/services',
    key: 'v',
    ranged: true,
  },
  {
    name: 'service',
    path: /^\/services\/([^/]+)\/?$/,
    load: () => import('./service.js'),
    ranged: true,
    under: 'services',
  },
  {
    name: 'operation',
    path: /^\/services\/([^/]+)\/([^/]+)\/?$/,
    load: () => import('./service.js'),
    ranged: true,
    under: 'services',
  },
  {
    name: 'map',
    path: /^\/map\/?$/,
    load: () => import('./map.js'),
    href: '/map',
    key: 'm',
    ranged: true,
  },
  {
    name: 'live',
    path: /^\/live\/?$/,
    load: () => import('./live.js'),
    href: '/live',
    key: 'l',
  },
  {
    name: 'system',
    path: /^\/system\/?$/,
    load: () => import('./system.js'),
    href: '/system',
    key: 'y',
  },
  {
    name: 'compare',
    path: /^\/compare\/?$/,
    load: () => import('./compare.js'),
    ranged: true,
    under: 'search',
  },
  {
    name: 'trace',
    path: /^\/trace\/([^/]+)\/?$/,
    load: () => import('./trace.js'),
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
