// What can be saved of a recording as numbers, how much that is, and what it is in words.

/** @import {Figure, Direction} from '../types.js' */
/** @import {Recording} from '../recording.js' */

import { formatRanges, rangesOf } from "../brush/brush.js";
import { plural } from "../format.js";

export const FORMATS = /** @type {const} */ (["csv", "npz", "safetensors", "parquet"]);
/** @typedef {typeof FORMATS[number]} Format */
/** @typedef {"view" | "cell" | "all"} Extent */
/** @typedef {ReturnType<Figure["slice"]>} Slice */

/** Characters of a number in a CSV, with its comma: the shortest text that comes back exactly. */
const CHARACTERS = { float32: 11.5, float64: 19.5 };

/**
 * The part of a recording that is meant; arrays without timesteps are not part of a table.
 * @param {Recording} recording
 * @param {{layer: number, direction: Direction}} cell
 * @param {Figure | undefined} figure  of the view
 * @param {Extent} extent
 * @returns {Slice}
 */
export function sliceOf({ about, timesteps }, { layer, direction }, figure, extent) {
  const names = about.arrays.filter(({ shape }) => shape.length === 2).map(({ name }) => name);
  const whole = { start: 0, stop: timesteps, units: null };
  if (extent === "view" && figure) {
    const slice = figure.slice();
    return { ...slice, names: slice.names.filter((name) => names.includes(name)) };
  }
  const own = `${layer}.${direction}.`;
  return extent === "all"
    ? { names, ...whole }
    : { names: names.filter((name) => name.startsWith(own)), ...whole };
}

/**
 * Arrays × timesteps × units, and how many numbers that is.
 * @param {Recording} recording
 * @param {Slice} slice
 */
export function measure({ about }, { names, start, stop, units }) {
  const widths = about.arrays
    .filter(({ name }) => names.includes(name))
    .map(({ shape }) => shape[1]);
  const shown = widths.map((width) => units?.filter((unit) => unit < width).length ?? width);
  const columns = shown.reduce((sum, width) => sum + width, 0);
  const [least, most] = [Math.min(...shown), Math.max(...shown)];
  const each = least === most ? plural(most, "unit") : `${least} to ${plural(most, "unit")}`;
  return {
    numbers: columns * (stop - start),
    arrays: names.length,
    columns,
    rows: stop - start,
    words: `${plural(names.length, "array")} × ${plural(stop - start, "timestep")} × ${each}`,
  };
}

/** What a file says of itself, and of each array and column. @type {Record<Format, [number, number, number]>} */
const AROUND = {
  csv: [20, 0, 20],
  npz: [2500, 800, 8],
  safetensors: [700, 160, 8],
  parquet: [1500, 0, 180],
};

/**
 * About how many bytes a file has.
 * @param {Recording} recording
 * @param {ReturnType<typeof measure>} of
 * @param {Format} format
 */
export function fileBytes({ about }, { numbers, arrays, columns, rows }, format) {
  const each = about.precision === "float64" ? 8 : 4;
  const [file, array, column] = AROUND[format];
  const inside =
    format === "csv"
      ? numbers * CHARACTERS[about.precision] + rows * 12
      : numbers * each + rows * 12;
  return inside + file + arrays * array + columns * column;
}

/**
 * A slice as the server is asked for it.
 * @param {Slice} slice
 * @param {Format} format
 */
export const exportOf = ({ names, start, stop, units }, format) => ({
  format,
  name: names,
  start,
  stop,
  ...(units ? { units: formatRanges(rangesOf(units)) } : {}),
});

/** A cell that a spreadsheet would run. */
const FORMULA = /^\s*[=+\-@＝＋－＠]|^[\t\r\n']/;

/**
 * A table as a CSV file, RFC 4180. Text that a spreadsheet would take for a formula gets an
 * apostrophe before it; numbers do not, and are not shortened.
 * @param {string[]} columns
 * @param {(string | number)[][]} rows
 */
export function toCsv(columns, rows) {
  const cell = (/** @type {string | number} */ value) => {
    const text =
      typeof value === "number" ? String(value) : FORMULA.test(value) ? `'${value}` : value;
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return [columns, ...rows].map((row) => row.map(cell).join(",")).join("\r\n") + "\r\n";
}
