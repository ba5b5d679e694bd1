// SPDX-License-Identifier: Apache-2.0
// Which of the twelve dyes a service wears, and what a dye is in the theme of the moment.

const dyeCount = 12;
/** @type {Map<string, number>} */
let worn = new Map();

/** @param {string} name */
function hash(name) {
  let value = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) value = Math.imul(value ^ name.charCodeAt(i), 0x01000193);
  return (value ^ (value >>> 15)) >>> 0;
}

/** Gives each of some services its own dye as long as there are free ones.
 * @param {Map<string, number>} dyes @param {string[]} names */
function keepApart(dyes, names) {
  const taken = new Set();
  for (const name of [...new Set(names)].sort()) {
    let dye = dyes.get(name) ?? hash(name) % dyeCount;
    for (let tries = 0; taken.has(dye) && tries < dyeCount; tries++) dye = (dye + 5) % dyeCount;
    taken.add(dye);
    if (taken.size === dyeCount) taken.clear();
    dyes.set(name, dye);
  }
}

/**
 * Gives every service a dye by its hash, or the next free one, so that no two of the first twelve
 * look alike. The same list of names always gives the same dyes.
 * @param {string[]} names @param {string[]} [together] those seen side by side: where there are more
 *   than twelve names, these are told apart before all others
 */
export function dress(names, together = []) {
  const next = new Map();
  keepApart(next, [...worn.keys(), ...names, ...together]);
  keepApart(next, together);
  worn = next;
}

/** @param {string} service @returns {number} 0 to 11 */
export const dye = (service) => worn.get(service) ?? hash(service) % dyeCount;

/** The class that sets --dye for an element. @param {string} service */
export const dyeClass = (service) => `dye-${dye(service)}`;

/**
 * Colours as a canvas takes them. Custom properties hold light-dark(), which only a computed colour
 * resolves.
 * @param {Element} host an element inside the themed document
 * @param {string[]} names custom property names
 */
export function resolve(host, names) {
  const probe = document.createElement('i');
  host.append(probe);
  /** @type {Record<string, string>} */
  const colors = {};
  for (const name of names) {
    probe.style.color = `var(${name})`;
    colors[name] = getComputedStyle(probe).color;
  }
  probe.remove();
  return colors;
}

/** "rgb(1, 2, 3)" as the pixel of an ImageData on a little-endian machine. @param {string} color */
export function pixel(color) {
  const [r, g, b] = (color.match(/[\d.]+/g) ?? ['0', '0', '0']).map(Number);
  return ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;
}

export const dyeNames = Array.from({ length: dyeCount }, (_, i) => `--dye-${i}`);
