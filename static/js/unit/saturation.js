// What a unit did over a whole sentence, in a few numbers: its distribution, and where it is stuck.
// Each goes through all timesteps at every flip to another unit, so the loops are plain.

/** @import {Numbers} from '../types.js' */

/**
 * The ends, the mean and the count of the finite values; NaN for each where there is none.
 * @param {Numbers} values
 */
export function describe(values) {
  let low = Infinity;
  let high = -Infinity;
  let sum = 0;
  let count = 0;
  for (let t = 0; t < values.length; t++) {
    const value = values[t];
    // Neither NaN nor an infinity.
    if (value - value !== 0) continue;
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
  for (let t = 0; t < values.length; t++) {
    const value = values[t];
    if (value >= low && value <= high) {
      const bin = ((value - low) * scale) | 0;
      counts[bin < bins ? bin : bins - 1]++;
    }
  }
  return counts;
}

/**
 * Timesteps in a row, `stop` not included.
 * @typedef {{start: number, stop: number}} Run
 *
 * The share of timesteps beyond an end, and the longest run of them, the first of equals.
 * @typedef {{share: number, longest: Run | null}} Stuck
 */

/**
 * How often the values are above a limit, or times −1 below it.
 * @param {Numbers} values
 * @param {number} limit
 * @param {1 | -1} sign  1: above, −1: below
 * @returns {Stuck}
 */
export function beyond(values, limit, sign) {
  const least = limit * sign;
  let [count, start, longest, at] = [0, 0, 0, 0];
  for (let t = 0; t < values.length; t++) {
    // What is no number is beyond nothing.
    if (!(values[t] * sign > least)) {
      start = t + 1;
      continue;
    }
    count++;
    if (t + 1 - start > longest) [longest, at] = [t + 1 - start, start];
  }
  return {
    share: values.length ? count / values.length : 0,
    longest: longest ? { start: at, stop: at + longest } : null,
  };
}

/** Beyond these an activation hardly lets anything change it: a gate, and the candidate. */
const ENDS = /** @type {Record<string, [number, number]>} */ ({
  i: [0.1, 0.9],
  f: [0.1, 0.9],
  o: [0.1, 0.9],
  g: [-0.9, 0.9],
});

/**
 * Below which value and above which one a quantity is saturated; null for the states, which are no
 * activations.
 * @param {string} quantity
 */
export const saturationEnds = (quantity) => (Object.hasOwn(ENDS, quantity) ? ENDS[quantity] : null);

/**
 * Where a quantity is saturated: below its low end and above its high one.
 * @param {string} quantity
 * @param {Numbers} values
 */
export function saturation(quantity, values) {
  const ends = saturationEnds(quantity);
  return ends && { below: beyond(values, ends[0], -1), above: beyond(values, ends[1], 1) };
}
