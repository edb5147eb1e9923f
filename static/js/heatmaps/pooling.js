// Many values in one: columns of several timesteps, rows of several units. The server pools long
// recordings with the same definitions (lstm_core/analysis/pooling.py).

/** @import {Numbers, Statistic} from '../types.js' */

/** Columns of one tile. */
export const TILE = 512;
/** The largest number a tile can hold. */
const LARGEST = (2 - 2 ** -23) * 2 ** 127;

/**
 * One tile of an array, column by column.
 *
 * Both statistics are of a bucket, 2^level timesteps × `unitsPerRow` units: its mean, or the value
 * furthest from its mean. Of two that are as far the one with the larger magnitude is taken, then the
 * positive one. A bucket that holds anything not finite is NaN; a number beyond single precision
 * becomes the largest there is.
 * @param {{shape: number[], data: Numbers}} array  timesteps × units
 * @param {{level: number, tile: number, unitsPerRow: number, statistic: Statistic, order: ArrayLike<number> | null}} part
 * @returns {{shape: [number, number], data: Float32Array}}  columns × rows
 */
export function poolTile({ shape: [timesteps, units], data }, part) {
  const { level, tile, unitsPerRow, statistic, order } = part;
  const each = 2 ** level;
  const first = tile * TILE;
  const columns = Math.max(0, Math.min(TILE, Math.ceil(timesteps / each) - first));
  const rows = Math.ceil(units / unitsPerRow);
  const pooled = new Float32Array(columns * rows);
  for (let column = 0; column < columns; column++) {
    const from = (first + column) * each;
    const to = Math.min(timesteps, from + each);
    for (let row = 0; row < rows; row++) {
      const unit = row * unitsPerRow;
      const end = Math.min(units, unit + unitsPerRow);
      pooled[column * rows + row] = single(
        each === 1 && unitsPerRow === 1
          ? data[from * units + (order ? order[unit] : unit)]
          : bucket(data, units, from, to, unit, end, order, statistic),
      );
    }
  }
  return { shape: [columns, rows], data: pooled };
}

/** @param {number} value */
const single = (value) =>
  Number.isFinite(value) ? Math.max(-LARGEST, Math.min(LARGEST, value)) : NaN;

/**
 * @param {Numbers} data
 * @param {number} units
 * @param {number} from
 * @param {number} to
 * @param {number} unit
 * @param {number} end
 * @param {ArrayLike<number> | null} order
 * @param {Statistic} statistic
 */
function bucket(data, units, from, to, unit, end, order, statistic) {
  let [low, high, sum] = [Infinity, -Infinity, 0];
  for (let t = from; t < to; t++) {
    const start = t * units;
    for (let n = unit; n < end; n++) {
      const value = data[start + (order ? order[n] : n)];
      sum += value;
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  const count = (to - from) * (end - unit);
  let mean = sum / count;
  // Any infinity or NaN is in the sum. That of large numbers may be beyond all, their shares are not.
  if (!Number.isFinite(mean)) {
    mean = 0;
    for (let t = from; t < to; t++)
      for (let n = unit; n < end; n++) mean += data[t * units + (order ? order[n] : n)] / count;
  }
  return statistic === "mean" || !Number.isFinite(mean) ? mean : furthest(low, high, mean);
}

/** @param {number} low @param {number} high @param {number} mean */
export function furthest(low, high, mean) {
  // Halved first, so that a tie is one also after rounding.
  const middle = low / 2 + high / 2;
  if (middle !== mean) return middle > mean ? high : low;
  return Math.abs(low) > Math.abs(high) ? low : high;
}
