// The lowest and the highest value of every unit of an array: the ends of a colour scale of its own.

/** @import {Api} from '../api.js' */
/** @import {Recording} from '../recording.js' */
/** @import {NDArray, Numbers} from '../types.js' */

/** @typedef {{low: Numbers, high: Numbers}} UnitRanges */

/** Milliseconds after a failure until who still shows them asks again. */
const AGAIN = 1000;

/**
 * @param {Recording} recording
 * @param {Api} api
 * @param {() => void} onArrival
 * @param {(run: () => void, milliseconds: number) => unknown} [later]
 */
export function createUnitRanges(
  recording,
  api,
  onArrival,
  later = (run, milliseconds) => setTimeout(run, milliseconds),
) {
  /** @type {Map<string, UnitRanges | null>} */
  const known = new Map();
  /** @type {Set<string>} */
  let wanted = new Set();

  async function fetchWanted() {
    const names = [...wanted];
    wanted = new Set();
    for (const name of names) known.set(name, null);
    try {
      const arrays = await api.unitSummaries(recording.about.id, names);
      for (const name of names) {
        const [low, high] = ["low", "high"].map((end) => arrays.get(`${name}.${end}`)?.data);
        if (low && high) known.set(name, { low, high });
      }
      onArrival();
    } catch {
      for (const name of names) known.delete(name);
      later(onArrival, AGAIN);
    }
  }

  const store = {
    /** Undefined while it has not come. @param {string} name */
    get(name) {
      const found = known.get(name);
      if (found !== undefined) return found ?? undefined;
      const array = recording.array(name);
      if (array) {
        const ranges = unitRanges(array);
        known.set(name, ranges);
        return ranges;
      }
      if (!recording.whole) {
        if (!wanted.size) later(fetchWanted, 0);
        wanted.add(name);
      }
      return undefined;
    },

    /**
     * The ends for the rows of a picture; null while they have not come.
     * @param {string} name
     * @param {number} unitsPerRow
     * @param {ArrayLike<number> | null} order
     * @param {boolean} diverging
     */
    rows(name, unitsPerRow, order, diverging) {
      const ranges = store.get(name);
      return ranges ? rowRanges(ranges, unitsPerRow, order, diverging) : null;
    },
  };
  return store;
}

/** @typedef {ReturnType<typeof createUnitRanges>} UnitRangesStore */

/** @param {NDArray} array @returns {UnitRanges}  NaN where a unit has no finite value */
export function unitRanges({ shape: [timesteps, units], data }) {
  const [low, high] = [new Float64Array(units).fill(NaN), new Float64Array(units).fill(NaN)];
  for (let t = 0; t < timesteps; t++) {
    for (let unit = 0; unit < units; unit++) {
      const value = data[t * units + unit];
      if (!Number.isFinite(value)) continue;
      if (!(value >= low[unit])) low[unit] = value;
      if (!(value <= high[unit])) high[unit] = value;
    }
  }
  return { low, high };
}

/**
 * The ends for rows of several units, zero-centred where the colours are.
 * @param {UnitRanges} ranges
 * @param {number} unitsPerRow
 * @param {ArrayLike<number> | null} order
 * @param {boolean} diverging
 */
export function rowRanges({ low, high }, unitsPerRow, order, diverging) {
  const rows = Math.ceil(low.length / unitsPerRow);
  const [lows, highs] = [new Float64Array(rows), new Float64Array(rows)];
  for (let row = 0; row < rows; row++) {
    let [least, most] = [Infinity, -Infinity];
    const end = Math.min(low.length, (row + 1) * unitsPerRow);
    for (let place = row * unitsPerRow; place < end; place++) {
      const unit = order ? order[place] : place;
      if (low[unit] < least) least = low[unit];
      if (high[unit] > most) most = high[unit];
    }
    if (least > most) [least, most] = diverging ? [-1, 1] : [0, 1];
    if (diverging) {
      most = Math.max(Math.abs(least), Math.abs(most)) || 1;
      least = -most;
    } else if (least === most) [least, most] = [least - 0.5, most + 0.5];
    lows[row] = least;
    highs[row] = most;
  }
  return { lows, highs };
}
