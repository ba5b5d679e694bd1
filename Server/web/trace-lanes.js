// SPDX-License-Identifier: Apache-2.0
// The lines of a flame. Calls of one parent that ran at the same time get lanes below each other, and
// each lane has room for all that its calls called, so no span hides another. No DOM here.
//
//     parent ████████████████      lane of a and c: two lines, for c called d
//       a ████   c ███████         lane of b: one
//                  d ███
//          b ██████

/** Lanes of one parent; further calls share the last one. */
const lanesMost = 200;

/**
 * @param {Pick<import('./trv1.js').Trace, 'n' | 'start' | 'duration' | 'parent' | 'end'>} trace
 * @param {number} most levels; what is deeper shares the last one
 * @returns {{ levels: number, levelOf: Uint32Array }}
 */
export function levelling({ n, start, duration, parent, end }, most) {
  /** Stretch and height of a row with all below it. */
  const [first, last] = [new Float64Array(n), new Float64Array(n)];
  const height = new Uint32Array(n);
  /** A call's lane among those of its parent, then the first line of that lane. */
  const lane = new Uint32Array(n);

  /** Gives lanes to the calls among some rows. @param {number} from @param {number} to */
  const place = (from, to) => {
    const ends = [];
    const heights = [];
    for (let row = from; row < to; row = end[row]) {
      let k = ends.findIndex((at) => at <= first[row]);
      if (k < 0) k = Math.min(ends.length, lanesMost - 1);
      ends[k] = Math.max(ends[k] ?? 0, last[row]);
      heights[k] = Math.max(heights[k] ?? 0, height[row]);
      lane[row] = k;
    }
    let top = 0;
    const tops = heights.map((tall) => (top += tall) - tall);
    for (let row = from; row < to; row = end[row]) lane[row] = tops[lane[row]];
    return top;
  };

  // What a row called stands after it, so each is placed before its caller.
  for (let row = n - 1; row >= 0; row--) {
    first[row] = start[row];
    last[row] = start[row] + Math.max(1, duration[row]);
    for (let call = row + 1; call < end[row]; call = end[call]) {
      first[row] = Math.min(first[row], first[call]);
      last[row] = Math.max(last[row], last[call]);
    }
    height[row] = 1 + place(row + 1, end[row]);
  }
  const levels = Math.min(most, place(0, n));
  const levelOf = new Uint32Array(n);
  for (let row = 0; row < n; row++) {
    const above = parent[row] < 0 ? 0 : levelOf[parent[row]] + 1;
    levelOf[row] = Math.min(most - 1, above + lane[row]);
  }
  return { levels, levelOf };
}
