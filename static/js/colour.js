// Values to colours: two maps, each a table of 256 colours and one more for what is no number.

/** @import {Numbers, Quantity} from './types.js' */

/** @typedef {[number, number, number]} Rgb */

export const LEVELS = 256;

/**
 * A table of packed pixels (as ImageData keeps them on little-endian machines, which is all that
 * browsers run on) through the given stops; the last entry is for NaN and the infinities.
 * @param {Rgb[]} stops
 * @param {Rgb} notFinite
 */
export function colourTable(stops, notFinite) {
  const table = new Uint32Array(LEVELS + 1);
  for (let level = 0; level < LEVELS; level++) {
    const at = (level / (LEVELS - 1)) * (stops.length - 1);
    const n = Math.min(stops.length - 2, Math.floor(at));
    const [a, b] = [stops[n], stops[n + 1]];
    table[level] = pack(
      /** @type {Rgb} */ (a.map((v, k) => Math.round(v + (b[k] - v) * (at - n)))),
    );
  }
  table[LEVELS] = pack(notFinite);
  return table;
}

/** @param {Rgb} rgb */
const pack = ([r, g, b]) => ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;

/**
 * @param {string} hex  "#rrggbb"
 * @returns {Rgb}
 */
export function parseColour(hex) {
  const match = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(hex.trim());
  if (!match) throw new Error(`${hex} is not a colour like #0b6e75`);
  return [parseInt(match[1], 16), parseInt(match[2], 16), parseInt(match[3], 16)];
}

/**
 * @param {number} value
 * @param {number} low
 * @param {number} high
 */
export function level(value, low, high) {
  if (!Number.isFinite(value)) return LEVELS;
  const part = (value - low) / (high - low);
  return part <= 0 ? 0 : part >= 1 ? LEVELS - 1 : Math.round(part * (LEVELS - 1));
}

/**
 * The ends of a colour scale that just holds values from `low` to `high`, zero-centred where the map
 * is; null where there is no finite value.
 * @param {number | null} low
 * @param {number | null} high
 * @param {Quantity["scale"]} scale
 * @returns {[number, number]}
 */
export function fitted(low, high, scale) {
  if (low === null || high === null) return scale === "diverging" ? [-1, 1] : [0, 1];
  if (scale === "diverging") {
    const most = Math.max(Math.abs(low), Math.abs(high)) || 1;
    return [-most, most];
  }
  return low === high ? [low - 0.5, high + 0.5] : [low, high];
}

/**
 * Paint one vector as a strip, a pixel for every `unitsPerPixel` units: the one of them furthest from
 * zero where zero is the middle, else their mean. A value that is no number wins.
 * @param {Uint32Array} pixels
 * @param {Numbers} values
 * @param {number} unitsPerPixel
 * @param {{low: number, high: number, scale: Quantity["scale"], table: Uint32Array}} colours
 */
export function paintStrip(pixels, values, unitsPerPixel, { low, high, scale, table }) {
  for (let n = 0; n < pixels.length; n++) {
    const from = n * unitsPerPixel;
    const to = Math.min(values.length, from + unitsPerPixel);
    const value = unitsPerPixel === 1 ? values[from] : pool(values, from, to, scale);
    pixels[n] = table[level(value, low, high)];
  }
}

/**
 * Paint each timestep's vector as a small picture of its own, side by side: units fill a grid row
 * by row.
 * @param {Uint32Array} pixels  grid.rows × (last - first) · grid.columns
 * @param {(t: number) => Numbers | undefined} rowAt  a timestep's vector; left blank while it is not here
 * @param {{units: number, first: number, last: number, grid: {columns: number, rows: number}}} part
 * @param {{low: number, high: number, table: Uint32Array}} colours
 */
export function paintVectors(pixels, rowAt, { units, first, last, grid }, { low, high, table }) {
  const width = (last - first) * grid.columns;
  for (let t = first; t < last; t++) {
    const values = rowAt(t);
    if (!values) continue;
    const left = (t - first) * grid.columns;
    for (let row = 0, unit = 0; row < grid.rows; row++) {
      for (let column = 0; column < grid.columns && unit < units; column++, unit++) {
        pixels[row * width + left + column] = table[level(values[unit], low, high)];
      }
    }
  }
}

/**
 * @param {Numbers} data
 * @param {number} from
 * @param {number} to
 * @param {Quantity["scale"]} scale
 */
export function pool(data, from, to, scale) {
  let [strongest, sum] = [0, 0];
  for (let n = from; n < to; n++) {
    const value = data[n];
    if (!Number.isFinite(value)) return value;
    if (Math.abs(value) > Math.abs(strongest)) strongest = value;
    sum += value;
  }
  return scale === "diverging" ? strongest : sum / (to - from);
}
