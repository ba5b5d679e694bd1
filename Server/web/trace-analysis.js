// SPDX-License-Identifier: Apache-2.0
// What the server found in a trace, laid over its columns: which rows are alike and on the critical
// path. No DOM here.

/**
 * @typedef {{ kind: string, row: number | null, relatedRow: number | null, service: string | null,
 *   operation: string | null, count: number, nanos: string, share: number,
 *   startTimeUnixNano: string | null, endTimeUnixNano: string | null, waiting: boolean }} Finding
 * @typedef {{ parentRow: number | null, firstRow: number, service: string, operation: string,
 *   count: number, errorCount: number, sumNanos: string, p50Nanos: string, p99Nanos: string,
 *   sequential: boolean }} Run
 * @typedef {{ service: string, operation?: string, count: number, errorCount: number,
 *   totalNanos: string, selfNanos: string, pathNanos: string, averageNanos: string,
 *   p50Nanos: string, p95Nanos: string, p99Nanos: string, longestNanos: string }} Figures
 * @typedef {import('./trv1.js').Trace} Trace
 */

/** Runs of equal siblings by row: which run a row is a member of, and the members of each. */
export class Runs {
  /** @param {Trace} trace @param {Run[]} runs */
  constructor(trace, runs) {
    this.runs = runs;
    /** The run a row belongs to, or -1. */
    this.of = new Int32Array(trace.n).fill(-1);
    /** Rows of a run, in the order of their starts. @type {number[][]} */
    this.members = runs.map(() => []);
    /** @type {Map<number, Map<string, number>>} */
    const byParent = new Map();
    const kindOf = (/** @type {number} */ row) => `${trace.service[row]} ${trace.name[row]}`;
    runs.forEach((run, at) => {
      const parent = run.parentRow ?? -1;
      if (!(run.firstRow >= 0 && run.firstRow < trace.n && parent < run.firstRow)) return;
      if (!byParent.has(parent)) byParent.set(parent, new Map());
      byParent.get(parent)?.set(kindOf(run.firstRow), at);
    });
    for (const [parent, wanted] of byParent) {
      const last = parent < 0 ? trace.n : trace.end[parent];
      for (let child = parent + 1; child < last; child = trace.end[child]) {
        const run = wanted.get(kindOf(child));
        if (run === undefined) continue;
        this.of[child] = run;
        this.members[run].push(child);
      }
    }
  }

  /** @param {number} row @returns {boolean} whether it stands for its run when that is folded */
  isFirst(row) {
    return this.of[row] >= 0 && this.members[this.of[row]][0] === row;
  }
}

/** The stretches of the critical path, by row. */
export class PathByRow {
  /** @param {Trace} trace @param {any} path as the server tells it */
  constructor(trace, path) {
    const { n, unit } = trace;
    const { rows, starts } = path;
    const length = Number(path.durationNanos);
    const base = Number(BigInt(path.startTimeUnixNano) - BigInt(trace.t0));
    /** Stretches of row i are numbers first[i] ..< first[i + 1]; of its subtree, ..< first[end]. */
    this.first = new Int32Array(n + 1);
    for (const row of rows) if (row < n) this.first[row + 1]++;
    for (let i = 0; i < n; i++) this.first[i + 1] += this.first[i];
    const next = this.first.slice();
    /** In units of the columns. */
    this.from = new Float64Array(rows.length);
    this.to = new Float64Array(rows.length);
    rows.forEach((/** @type {number} */ row, /** @type {number} */ k) => {
      if (row >= n) return;
      const at = next[row]++;
      this.from[at] = (base + starts[k]) / unit;
      this.to[at] = (base + (starts[k + 1] ?? length)) / unit;
    });
  }

  /** @param {number} row */
  has(row) {
    return this.first[row + 1] > this.first[row];
  }
}

/**
 * Which rows are wanted, and the ancestors of these: 2 and 1; the rest is 0. Children come after
 * their parent, so one pass from the end is enough.
 * @param {Trace} trace @param {(row: number) => boolean} wanted
 * @returns {{ keep: Uint8Array, count: number }}
 */
export function keepWith(trace, wanted) {
  const keep = new Uint8Array(trace.n);
  let count = 0;
  for (let i = trace.n - 1; i >= 0; i--) {
    if (wanted(i)) {
      keep[i] = 2;
      count++;
    }
    const parent = trace.parent[i];
    if (keep[i] && parent >= 0 && !keep[parent]) keep[parent] = 1;
  }
  return { keep, count };
}
