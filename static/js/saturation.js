// What a unit did over a whole sentence, in a few numbers: its distribution, and where it is stuck.

/** @import {Numbers} from './types.js' */

/**
 * The ends, the mean and the count of the finite values; NaN for each where there is none.
 * @param {Numbers} values
 */
export function describe(values) {
  let [low, high, sum, count] = [Infinity, -Infinity, 0, 0];
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    if (value < low) low = value;
    if (value > high) high = value;
    sum += value;
    count++;
  }
  return count
    ? { low, high, mean: sum / count, count }
    : { low: NaN, high: NaN, mean: NaN, count };
}

/**
 * How many values lie in each of some bins of equal width; the last one holds its upper end, too.
 * Values beyond the ends and values that are no numbers are in none.
 * @param {Numbers} values
 * @param {number} low
 * @param {number} high
 * @param {number} bins
 */
export function histogram(values, low, high, bins) {
  const counts = new Uint32Array(bins);
  const scale = bins / (high - low);
  for (const value of values) {
    if (value >= low && value <= high)
      counts[Math.min(bins - 1, Math.floor((value - low) * scale))]++;
  }
  return counts;
}

/**
 * @typedef {object} Run  timesteps in a row, `stop` not included
 * @property {number} start
 * @property {number} stop
 */

/**
 * The share of timesteps at which a condition holds, and the longest run of them, the first of equals.
 * @param {Numbers} values
 * @param {(value: number) => boolean} holds
 * @returns {{share: number, longest: Run | null}}
 */
export function share(values, holds) {
  let [count, start] = [0, 0];
  /** @type {Run | null} */
  let longest = null;
  for (let t = 0; t < values.length; t++) {
    if (!holds(values[t])) {
      start = t + 1;
      continue;
    }
    count++;
    const length = longest ? longest.stop - longest.start : 0;
    if (t + 1 - start > length) longest = { start, stop: t + 1 };
  }
  return { share: values.length ? count / values.length : 0, longest };
}

/** Beyond these an activation hardly lets anything change it: a gate, and the candidate. */
const ENDS = /** @type {Record<string, [number, number]>} */ ({
  i: [0.1, 0.9],
  f: [0.1, 0.9],
  o: [0.1, 0.9],
  g: [-0.9, 0.9],
});

/**
 * Where a quantity is saturated: below its low end and above its high one. Null for the states, which
 * are no activations.
 * @param {string} quantity
 * @param {Numbers} values
 */
export function saturation(quantity, values) {
  if (!Object.hasOwn(ENDS, quantity)) return null;
  const [low, high] = ENDS[quantity];
  return {
    below: { end: low, ...share(values, (value) => value < low) },
    above: { end: high, ...share(values, (value) => value > high) },
  };
}
