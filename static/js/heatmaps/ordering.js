// Orders of units where no server is there to ask. The server's are in lstm_core/analysis/ordering.py;
// clusters, which need a tree, are only made there.

/** @import {NDArray, Sort} from '../types.js' */

/**
 * The units of an array in an order, as the server defines it; equal ones stay as they were. Null for
 * an order that cannot be made here.
 * @param {NDArray} array  timesteps × units
 * @param {Sort} sort
 * @param {number} unit  the one others are compared with, by similarity
 * @returns {number[] | null}
 */
export function orderUnits(array, sort, unit) {
  switch (sort) {
    case "index":
      return ascending(new Array(array.shape[1]).fill(0));
    case "peak":
      return ascending(peaks(array));
    case "mean":
      return ascending(moments(array).mean.map((value) => -value));
    case "variance":
      return ascending(moments(array).variance.map((value) => -value));
    case "similarity":
      return ascending(correlations(array, unit).map((value) => -value));
    default:
      return null;
  }
}

/** The places of some keys, the smallest first and NaN last. @param {ArrayLike<number>} keys */
function ascending(keys) {
  const places = Array.from({ length: keys.length }, (_, n) => n);
  const rank = (/** @type {number} */ n) => (Number.isNaN(keys[n]) ? Infinity : keys[n]);
  const last = (/** @type {number} */ n) => Number(Number.isNaN(keys[n]));
  return places.sort((a, b) => last(a) - last(b) || Math.sign(rank(a) - rank(b)) || a - b);
}

/** The timestep of each unit's largest finite magnitude. @param {NDArray} array */
function peaks({ shape: [timesteps, units], data }) {
  const largest = new Float64Array(units).fill(-1);
  const at = new Float64Array(units).fill(NaN);
  for (let t = 0; t < timesteps; t++) {
    for (let unit = 0; unit < units; unit++) {
      const magnitude = Math.abs(data[t * units + unit]);
      if (!(magnitude > largest[unit]) || magnitude === Infinity) continue;
      largest[unit] = magnitude;
      at[unit] = t;
    }
  }
  return at;
}

/** Mean and variance of each unit's finite values. @param {NDArray} array */
function moments({ shape: [timesteps, units], data }) {
  const mean = new Float64Array(units);
  const variance = new Float64Array(units);
  for (let unit = 0; unit < units; unit++) {
    let [count, sum, squares] = [0, 0, 0];
    for (let t = 0; t < timesteps; t++) {
      const value = data[t * units + unit];
      if (!Number.isFinite(value)) continue;
      sum += value;
      count++;
    }
    mean[unit] = sum / count;
    for (let t = 0; t < timesteps; t++) {
      const value = data[t * units + unit];
      if (Number.isFinite(value)) squares += (value - mean[unit]) ** 2;
    }
    variance[unit] = squares / count;
  }
  return { mean, variance };
}

/**
 * Pearson's correlation of each unit with one, which itself is before all; NaN for a unit that never
 * moves or has a value that is not finite.
 * @param {NDArray} array
 * @param {number} unit
 */
function correlations(array, unit) {
  const units = array.shape[1];
  const reference = standardized(array, unit);
  const found = new Float64Array(units).fill(NaN);
  for (let other = 0; other < units && reference; other++) {
    const column = standardized(array, other);
    if (column) found[other] = column.reduce((sum, value, t) => sum + value * reference[t], 0);
  }
  found[unit] = Infinity;
  return found;
}

/** One unit's values, centred and of length 1. @param {NDArray} array @param {number} unit */
function standardized({ shape: [timesteps, units], data }, unit) {
  const column = Float64Array.from({ length: timesteps }, (_, t) => data[t * units + unit]);
  let [low, high] = [Infinity, -Infinity];
  for (const value of column) [low, high] = [Math.min(low, value), Math.max(high, value)];
  if (!Number.isFinite(low) || !Number.isFinite(high) || low === high) return null;
  // To magnitudes of at most 1 first: the squares of large numbers are beyond any.
  const most = Math.max(Math.abs(low), Math.abs(high));
  const mean = column.reduce((sum, value) => sum + value / most, 0) / timesteps;
  const centred = column.map((value) => value / most - mean);
  const length = Math.sqrt(centred.reduce((sum, value) => sum + value * value, 0));
  return centred.map((value) => value / length);
}
