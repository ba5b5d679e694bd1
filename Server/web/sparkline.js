// SPDX-License-Identifier: Apache-2.0
// A line of numbers as small as a word. It says nothing that the numbers beside it do not.

const space = 'http://www.w3.org/2000/svg';
const [width, height] = [92, 22];

/**
 * @param {number[]} values drawn as an area from zero
 * @param {number[]} [errors] bars in red on the same scale
 * @returns {SVGElement}
 */
export function sparkline(values, errors = []) {
  const svg = document.createElementNS(space, 'svg');
  svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
  svg.setAttribute('class', 'spark');
  svg.setAttribute('aria-hidden', 'true');
  const most = Math.max(1e-9, ...values);
  const points = (/** @type {number[]} */ list) =>
    list.map((value, i) => {
      const x = list.length > 1 ? (i / (list.length - 1)) * width : width / 2;
      return `${x.toFixed(1)} ${(height - 2 - (value / most) * (height - 4)).toFixed(1)}`;
    });
  const draw = (/** @type {string} */ name, /** @type {string} */ d) => {
    const path = document.createElementNS(space, 'path');
    path.setAttribute('class', name);
    path.setAttribute('d', d);
    svg.append(path);
  };
  const line = points(values);
  if (line.length) {
    draw('spark-area', `M0 ${height}L${line.join('L')}L${width} ${height}Z`);
    draw('spark-line', `M${line.join('L')}`);
  }
  const bars = points(errors).filter((_, i) => errors[i] > 0)
    .map((point) => `M${point.split(' ')[0]} ${height}L${point}`);
  if (bars.length) draw('spark-errors', bars.join(''));
  return svg;
}
