// Which units are on here and off around it? As `lstm_core/analysis/matching.py`, for recordings
// that are in the browser.

/** @import {NDArray} from '../types.js' */

/**
 * @typedef {object} Question
 * @property {string} quantity
 * @property {number} above
 * @property {number} start
 * @property {number} stop  not included
 * @property {boolean} offBefore
 * @property {boolean} offAfter
 */

/**
 * The units whose value is above `above` at every timestep from `start` to `stop`; at most it at the
 * timestep before or after, if that is asked for. A timestep that does not exist counts as off, and
 * NaN is neither.
 * @param {NDArray} values  (T, units)
 * @param {Omit<Question, "quantity">} question
 */
export function matchingUnits({ shape: [T, units], data }, question) {
  const { start, stop, above, offBefore, offAfter } = question;
  const off = (/** @type {number} */ t, /** @type {number} */ unit) =>
    t < 0 || t >= T || data[t * units + unit] <= above;
  /** @type {number[]} */
  const found = [];
  for (let unit = 0; unit < units; unit++) {
    let on = start < stop;
    for (let t = start; on && t < stop; t++) on = data[t * units + unit] > above;
    if (on && offBefore) on = off(start - 1, unit);
    if (on && offAfter) on = off(stop, unit);
    if (on) found.push(unit);
  }
  return found;
}

/**
 * The unit that stays highest from `start` to `stop`, and the lowest value it has there: what one
 * may ask for at most. Null where no unit is a number throughout.
 * @param {NDArray} values
 * @param {{start: number, stop: number}} part
 */
export function highestThroughout({ shape: [, units], data }, { start, stop }) {
  /** @type {{unit: number, lowest: number} | null} */
  let best = null;
  for (let unit = 0; unit < units; unit++) {
    let lowest = Infinity;
    for (let t = start; t < stop; t++) {
      const value = data[t * units + unit];
      if (!(value >= lowest)) lowest = value; // NaN stays
      if (Number.isNaN(lowest)) break;
    }
    if (!Number.isNaN(lowest) && (!best || lowest > best.lowest)) best = { unit, lowest };
  }
  return best;
}
