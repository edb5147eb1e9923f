// The vectors of many timesteps as one small picture: a column for each, a pixel per unit, as wide apart
// as the bodies of cells are. Far away a whole strip is drawn at once, nearer each cell by itself.

/** @import {Numbers, Surface} from '../types.js' */

import { level } from "../colour.js";
import { context2d } from "../dom.js";
import { cellGrid } from "../geometry.js";

/** Timesteps of one strip. */
export const STRIP = 32;

/** Pixels that are kept: four bytes each. */
const KEPT = 6_000_000;

/**
 * @typedef {object} Strip
 * @property {HTMLCanvasElement} canvas
 * @property {number} each  pixels from one column to the next
 * @property {number} inset  pixels from the left edge of a column to its vector
 * @property {{columns: number, rows: number}} grid
 * @property {boolean} complete  whether all of it was here
 */

/**
 * How the units of a vector fill its picture, and where that stands in its column.
 * @param {number} units
 * @param {{left: number, right: number, top: number, bottom: number}} body  of the cell, in columns
 */
function columnOf(units, { left, right, top, bottom }) {
  const grid = cellGrid(right - left, bottom - top, units);
  const each = Math.round(grid.columns / (right - left));
  const inset = Math.round(left * each);
  return { grid, each: Math.max(each, inset + grid.columns), inset };
}

/** @param {number} [limit]  pixels */
export function createCellStrips(limit = KEPT) {
  /** In the order of their last use. @type {Map<string, Strip & {arrived: number}>} */
  const kept = new Map();
  let pixels = 0;

  /** @param {string} key */
  function forget(key) {
    const strip = kept.get(key);
    if (!strip) return;
    pixels -= strip.canvas.width * strip.canvas.height;
    kept.delete(key);
  }

  return {
    get pixels() {
      return pixels;
    },

    clear() {
      kept.clear();
      pixels = 0;
    },

    /**
     * The strip that holds a timestep. What has not come yet is left free, and looked for again when
     * something has arrived.
     * @param {string} name  of the array
     * @param {number} block  timesteps block · STRIP to (block + 1) · STRIP
     * @param {object} of
     * @param {number} of.units
     * @param {number} of.timesteps
     * @param {{left: number, right: number, top: number, bottom: number}} of.body
     * @param {(timestep: number) => Numbers | undefined} of.rowAt
     * @param {{low: number, high: number, table: Uint32Array, key: string}} of.colours
     * @param {number} of.arrived  another number when something has
     * @returns {Strip}
     */
    get(name, block, { units, timesteps, body, rowAt, colours, arrived }) {
      const key = `${name} ${block} ${colours.key}`;
      const found = kept.get(key);
      if (found && (found.complete || found.arrived === arrived)) {
        kept.delete(key);
        kept.set(key, found);
        return found;
      }
      forget(key);
      const shape = columnOf(units, body);
      const first = block * STRIP;
      const count = Math.min(STRIP, timesteps - first);
      const image = new ImageData(count * shape.each, shape.grid.rows);
      const target = new Uint32Array(image.data.buffer);
      let complete = true;
      for (let n = 0; n < count; n++) {
        const row = rowAt(first + n);
        if (row) paint(target, row, n * shape.each + shape.inset, image.width, shape.grid, colours);
        else complete = false;
      }
      const canvas = document.createElement("canvas");
      [canvas.width, canvas.height] = [image.width, image.height];
      context2d(canvas).putImageData(image, 0, 0);
      const strip = { canvas, ...shape, complete, arrived };
      kept.set(key, strip);
      pixels += image.width * image.height;
      for (const oldest of kept.keys()) {
        if (pixels <= limit || oldest === key) break;
        forget(oldest);
      }
      return strip;
    },
  };
}

/**
 * @param {Uint32Array} target
 * @param {Numbers} row
 * @param {number} left
 * @param {number} width  of the whole picture
 * @param {{columns: number, rows: number}} grid
 * @param {{low: number, high: number, table: Uint32Array}} colours
 */
function paint(target, row, left, width, grid, { low, high, table }) {
  for (let y = 0, unit = 0; y < grid.rows; y++) {
    for (let x = 0; x < grid.columns && unit < row.length; x++, unit++)
      target[y * width + left + x] = table[level(row[unit], low, high)];
  }
}

/**
 * Part of a strip's columns onto a surface: a canvas takes them out of it; what writes pictures down
 * gets a picture of its own.
 * @param {Surface} surface
 * @param {Strip} strip
 * @param {number} from  pixels of the strip
 * @param {number} width
 * @param {{x: number, y: number, width: number, height: number}} box
 */
export function drawPart(surface, { canvas }, from, width, box) {
  if (surface instanceof CanvasRenderingContext2D) {
    const { height } = canvas;
    surface.drawImage(canvas, from, 0, width, height, box.x, box.y, box.width, box.height);
    return;
  }
  const part = document.createElement("canvas");
  [part.width, part.height] = [width, canvas.height];
  context2d(part).drawImage(canvas, -from, 0);
  surface.drawImage(part, box.x, box.y, box.width, box.height);
}
