// SPDX-License-Identifier: Apache-2.0
// The overview of keys.
import { h, icon } from './dom.js';
import { pages } from './pages.js';
import { t } from './texts.js';

/** Keys by place; a text with a dot names an entry of the catalogue. */
const places = {
  'help.everywhere': [
    [['/'], 'help.omnibox'],
    ...pages.filter((entry) => entry.key).map((entry) => [['g', entry.key], `page.${entry.name}`]),
    [['c'], 'help.link'],
    [['d'], 'help.theme'],
    [['?'], 'help.help'],
    [['esc'], 'help.escape'],
  ],
  'help.ranged': [
    [['t'], 'help.time'],
    [['[', ']'], 'help.windows'],
    [['r'], 'help.refresh'],
    [['.'], 'help.live'],
  ],
  'help.lists': [
    [['j', 'k'], 'help.move'],
    [['enter'], 'help.open'],
  ],
  'help.search': [
    [['1', '2', '3', '4'], 'help.tabs'],
    [['x'], 'help.mark'],
    [['v'], 'help.compare'],
    [['ctrl', 'space'], 'help.complete'],
  ],
  'help.overview': [[['1', '2', '3', '4'], 'help.panels']],
  'help.charts': [
    [['←', '→'], 'help.cursor'],
    [['shift', '←', '→'], 'help.stretch'],
    [['enter'], 'help.choose'],
  ],
  'help.map': [
    [['←', '→', '↑', '↓'], 'help.boxes'],
    [['e', 'E'], 'help.lines'],
    [['enter'], 'help.tell'],
    [['o'], 'help.around'],
    [['+', '−', '0'], 'help.mapZoom'],
    [['ctrl', 'help.wheelKey'], 'help.wheel'],
    [['shift', '←', '→'], 'help.mapPan'],
    [['f'], 'help.findService'],
    [['a'], 'help.tables'],
  ],
  'help.tail': [[['help.spaceKey'], 'help.pause'], [['f'], 'help.filter']],
  'help.trace': [
    [['j', 'k', '↓', '↑'], 'help.move'],
    [['h', 'l', '←', '→'], 'help.fold'],
    [['C', 'X'], 'help.foldAll'],
    [['u'], 'help.parent'],
    [['w', 's'], 'help.page'],
    [['enter', 'i'], 'help.panel'],
    [['+', '−', '0'], 'help.zoom'],
    [['ctrl', 'help.wheelKey'], 'help.wheel'],
    [['[', ']'], 'help.pan'],
    [['z'], 'help.zoomSpan'],
    [['f'], 'help.find'],
    [['n', 'N'], 'help.hits'],
    [['e', 'E'], 'help.errors'],
    [['p', 'P', '] c'], 'help.path'],
    [['o'], 'help.roll'],
    [['v', 'V'], 'help.view'],
    [['y'], 'help.copy'],
  ],
};

export function showHelp() {
  if (document.querySelector('dialog[open]')) return;
  const close = h(
    'button.quiet.round',
    { type: 'button', 'aria-label': t('app.close') },
    icon('close'),
  );
  const dialog = h(
    'dialog.help',
    { 'aria-labelledby': 'help-title' },
    h('header', h('h2', { id: 'help-title' }, t('help.title')), close),
    h(
      'div.help-places',
      Object.entries(places).map(([place, entries]) =>
        h(
          `section.keys-${place.slice(5)}`,
          h('h3', t(place)),
          h(
            'dl',
            entries.map(([keys, text]) =>
              h(
                'div',
                h(
                  'dt',
                  /** @type {string[]} */ (keys).map((key) =>
                    h('kbd', key.includes('.') && key.length > 1 ? t(key) : key)
                  ),
                ),
                h('dd', t(/** @type {string} */ (text))),
              )
            ),
          ),
        )
      ),
    ),
  );
  close.addEventListener('click', () => dialog.close());
  dialog.addEventListener(
    'click',
    (/** @type {Event} */ event) => event.target === dialog && dialog.close(),
  );
  dialog.addEventListener('close', () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}
