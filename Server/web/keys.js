// SPDX-License-Identifier: Apache-2.0
// Keys of a page. Letters typed into a field, and any key under an open dialog, are nobody's
// command.

/** @param {KeyboardEvent} event @returns {boolean} */
export function typing(event) {
  const target = /** @type {HTMLElement} */ (event.target);
  return target.matches?.('input, textarea, select, [contenteditable]') ||
    document.querySelector('dialog[open]') !== null;
}

/**
 * Binds keys until the signal ends. A command that returns false lets the browser go on with the
 * key.
 * @param {Record<string, (event: KeyboardEvent) => any>} commands by KeyboardEvent.key
 * @param {AbortSignal} signal
 */
export function bindKeys(commands, signal) {
  addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || typing(event)) {
      return;
    }
    const command = Object.hasOwn(commands, event.key) ? commands[event.key] : undefined;
    if (command && command(event) !== false) event.preventDefault();
  }, { signal });
}
