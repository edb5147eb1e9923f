// Vectors as small pictures, a pixel per square, kept while they are looked at. A canvas costs more to
// make than to paint, so the one not used for longest is painted anew.

/** @import {Numbers} from '../types.js' */
/** @import {StripGrid} from './layout.js' */

import { level } from "../colour.js";
import { context2d } from "../dom.js";

/** @typedef {{low: number, high: number, table: Uint32Array}} Colours */

/**
 * The unit that a square of several shows: the one furthest from their mean, so that a spike is seen.
 * Of two that are as far the one of larger magnitude, then the positive one; what is no number first.
 * @param {Numbers} values
 * @param {number} from
 * @param {number} to
 */
export function speaker(values, from, to) {
  if (to - from === 1) return from;
  let sum = 0;
  for (let n = from; n < to; n++) {
    if (!Number.isFinite(values[n])) return n;
    sum += values[n];
  }
  const mean = sum / (to - from);
  let best = from;
  for (let n = from + 1; n < to; n++) {
    const by = Math.abs(values[n] - mean) - Math.abs(values[best] - mean);
    const larger = Math.abs(values[n]) - Math.abs(values[best]);
    if (by > 0 || (by === 0 && (larger > 0 || (larger === 0 && values[n] > values[best]))))
      best = n;
  }
  return best;
}

/**
 * @param {Uint32Array} pixels  columns · rows of the grid
 * @param {Numbers} values
 * @param {StripGrid} grid
 * @param {Colours} colours
 */
export function paintVector(pixels, values, { unitsPerSquare: each }, { low, high, table }) {
  for (let square = 0, unit = 0; unit < values.length; square++, unit += each) {
    const shown = each === 1 ? unit : speaker(values, unit, Math.min(values.length, unit + each));
    pixels[square] = table[level(values[shown], low, high)];
  }
}

/** @param {number} [limit]  pictures that are kept */
export function createVectorImages(limit = 800) {
  /** In the order of their last use. @type {Map<string, HTMLCanvasElement>} */
  const kept = new Map();
  /** @type {WeakMap<object, number>} */
  const ids = new WeakMap();
  let last = 0;
  /** @param {object} thing */
  const id = (thing) => {
    let found = ids.get(thing);
    if (!found) ids.set(thing, (found = ++last));
    return found;
  };

  function oldest() {
    const [[key, canvas]] = kept;
    kept.delete(key);
    return canvas;
  }

  /**
   * The picture of a vector. The same numbers are known by being the same object.
   * @param {Numbers} values
   * @param {StripGrid} grid
   * @param {Colours} colours
   */
  return function image(values, grid, colours) {
    const key = `${id(values)} ${grid.columns} ${grid.rows} ${colours.low} ${colours.high} ${id(colours.table)}`;
    const found = kept.get(key);
    if (found) {
      kept.delete(key);
      kept.set(key, found);
      return found;
    }
    const canvas = kept.size < limit ? document.createElement("canvas") : oldest();
    kept.set(key, canvas);
    const { columns, rows } = grid;
    if (canvas.width !== columns || canvas.height !== rows)
      [canvas.width, canvas.height] = [columns, rows];
    const pixels = new ImageData(columns, rows);
    paintVector(new Uint32Array(pixels.data.buffer), values, grid, colours);
    context2d(canvas).putImageData(pixels, 0, 0);
    return canvas;
  };
}
