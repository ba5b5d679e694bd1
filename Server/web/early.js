// SPDX-License-Identifier: Apache-2.0
// Runs before the first paint, so that a saved theme never flashes. What the page is drawn from is
// on its way while the script is: the words of the language and, of a trace, its columns.
{
  const saved = (/** @type {string} */ name) => {
    try {
      return localStorage.getItem(`skein.${name}`);
    } catch {
      // Storage may be forbidden; the system's theme and the browser's language then apply.
      return null;
    }
  };
  const askFor = (/** @type {string} */ href) =>
    document.head.append(Object.assign(document.createElement('link'), {
      rel: 'preload',
      as: 'fetch',
      crossOrigin: 'anonymous',
      href,
    }));
  const root = document.documentElement;
  const theme = saved('theme');
  if (theme === 'light' || theme === 'dark') root.dataset.theme = theme;
  const language = (saved('language') ?? navigator.language).toLowerCase();
  root.lang = language.startsWith('zh') ? 'zh-CN' : 'en';
  const script = /** @type {HTMLScriptElement} */ (document.currentScript).src;
  const trace = /^\/trace\/([0-9a-f]{1,32})$/.exec(location.pathname);
  if (trace) {
    // Letter for letter what api.js asks for: else it is not taken for the same.
    const raw = new URLSearchParams(location.search).get('raw') === '1' ? '&raw=true' : '';
    askFor(`/api/skein/v1/traces/${trace[1]}?format=columns${raw}`);
  }
  askFor(new URL(`texts-${root.lang.slice(0, 2)}.json`, script).href);
}
