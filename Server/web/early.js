// SPDX-License-Identifier: Apache-2.0
// Runs before the first paint, so that a saved theme never flashes and the words of the language
// are on their way while the script is.
{
  const saved = (/** @type {string} */ name) => {
    try {
      return localStorage.getItem(`skein.${name}`);
    } catch {
      // Storage may be forbidden; the system's theme and the browser's language then apply.
      return null;
    }
  };
  const root = document.documentElement;
  const theme = saved('theme');
  if (theme === 'light' || theme === 'dark') root.dataset.theme = theme;
  const language = (saved('language') ?? navigator.language).toLowerCase();
  root.lang = language.startsWith('zh') ? 'zh-CN' : 'en';
  document.head.append(Object.assign(document.createElement('link'), {
    rel: 'preload',
    as: 'fetch',
    crossOrigin: 'anonymous',
    href: new URL(
      `texts-${root.lang.slice(0, 2)}.json`,
      /** @type {HTMLScriptElement} */ (document.currentScript).src,
    ).href,
  }));
}
