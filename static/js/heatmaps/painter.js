// Tiles to pixels. A tile is coloured once; moving along the axis copies rows of what is coloured.

/** @import {Tile} from './tiles.js' */

import { level as levelOf } from "../colour.js";
import { TILE } from "./pooling.js";

/**
 * @typedef {object} Colours
 * @property {ArrayLike<number>} lows  of every row of pixels, or one for all of them
 * @property {ArrayLike<number>} highs
 * @property {Uint32Array} table
 * @property {string} key  what decides them
 */

/**
 * The pixels of a tile, row by row; kept with it until the colours change.
 * @param {Tile} tile
 * @param {Colours} colours
 */
export function tilePixels(tile, { lows, highs, table, key }) {
  if (tile.pixels && tile.coloured === key) return tile.pixels;
  const [columns, rows] = tile.shape;
  const pixels = tile.pixels ?? new Uint32Array(columns * rows);
  for (let row = 0; row < rows; row++) {
    const own = lows.length > 1 ? row : 0;
    const [low, high] = [lows[own], highs[own]];
    for (let column = 0; column < columns; column++) {
      pixels[row * columns + column] = table[levelOf(tile.data[column * rows + row], low, high)];
    }
  }
  tile.pixels = pixels;
  tile.coloured = key;
  return pixels;
}

/**
 * Columns `first` to `last` of one picture, from the best tiles there are: those of the level, else
 * the coarser ones.
 * @param {Uint32Array} target  row-major, `stride` wide
 * @param {{stride: number, top: number, each: number, rows: number}} place  first row of pixels; rows of pixels for one row of the tile
 * @param {{level: number, top: number, first: number, last: number}} part  `top` is the coarsest level
 * @param {(level: number, tile: number) => Tile | undefined} tileAt
 * @param {Colours} colours
 * @returns {boolean}  whether all of it was there at this very level
 */
export function paintPicture(target, place, part, tileAt, colours) {
  const { level, first, last } = part;
  let complete = true;
  for (let n = Math.floor(first / TILE); n * TILE < last; n++) {
    const from = Math.max(first, n * TILE);
    const to = Math.min(last, (n + 1) * TILE);
    const tile = tileAt(level, n);
    if (tile) copy(target, place, tilePixels(tile, colours), tile, n * TILE, from, to, first);
    else {
      complete = false;
      coarser(target, place, part, from, to, tileAt, colours);
    }
  }
  return complete;
}

/**
 * @param {Uint32Array} target
 * @param {{stride: number, top: number, each: number, rows: number}} place
 * @param {Uint32Array} pixels
 * @param {Tile} tile
 * @param {number} start  the first column of the tile
 * @param {number} from
 * @param {number} to
 * @param {number} first
 */
function copy(target, { stride, top, each, rows }, pixels, tile, start, from, to, first) {
  const [columns] = tile.shape;
  const end = Math.min(to, start + columns);
  if (end <= from) return;
  for (let row = 0; row < rows; row++) {
    const part = pixels.subarray(row * columns + from - start, row * columns + end - start);
    for (let n = 0; n < each; n++) target.set(part, (top + row * each + n) * stride + from - first);
  }
}

/**
 * @param {Uint32Array} target
 * @param {{stride: number, top: number, each: number, rows: number}} place
 * @param {{level: number, top: number, first: number}} part
 * @param {number} from
 * @param {number} to
 * @param {(level: number, tile: number) => Tile | undefined} tileAt
 * @param {Colours} colours
 */
function coarser(target, { stride, top, each, rows }, part, from, to, tileAt, colours) {
  for (let up = 1; part.level + up <= part.top; up++) {
    const tile = tileAt(part.level + up, Math.floor((from >> up) / TILE));
    if (!tile) continue;
    const [columns] = tile.shape;
    const pixels = tilePixels(tile, colours);
    const start = Math.floor((from >> up) / TILE) * TILE;
    for (let row = 0; row < rows; row++) {
      for (let n = 0; n < each; n++) {
        const line = (top + row * each + n) * stride - part.first;
        for (let x = from; x < to; x++) {
          const column = (x >> up) - start;
          if (column < columns) target[line + x] = pixels[row * columns + column];
        }
      }
    }
    return;
  }
}

/** The level at which a whole sequence is one tile. @param {number} timesteps */
export const topLevel = (timesteps) => Math.max(0, Math.ceil(Math.log2(timesteps / TILE)));

/**
 * The columns of a level that cover timesteps `first` to `last`.
 * @param {{first: number, last: number}} window
 * @param {number} level
 */
export const columnsOf = ({ first, last }, level) => ({
  first: Math.floor(first / 2 ** level),
  last: Math.ceil(last / 2 ** level),
});
