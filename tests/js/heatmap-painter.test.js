import assert from "node:assert/strict";
import { test } from "node:test";

import { LEVELS, level as levelOf } from "../../static/js/colour.js";
import { columnsOf, paintPicture, tilePixels, topLevel } from "../../static/js/heatmaps/painter.js";
import { TILE, poolTile } from "../../static/js/heatmaps/pooling.js";
import { forAll } from "./random.js";

/** @import {Random} from './random.js' */
/** @import {Colours} from '../../static/js/heatmaps/painter.js' */
/** @import {Tile} from '../../static/js/heatmaps/tiles.js' */

/** Colours that say which level they are of. */
const TABLE = Uint32Array.from({ length: LEVELS + 1 }, (_, n) => 1000 + n);
const BLANK = 0;

/** @param {Random} random @param {number} rows @returns {Colours} */
function anyColours(random, rows) {
  const own = random.flip() ? rows : 1;
  const lows = random.numbers(own, -2, 0);
  const highs = lows.map((low) => low + random.number(0.1, 3));
  return { lows, highs, table: TABLE, key: String(random.next()) };
}

/**
 * An array and all its tiles at every level.
 * @param {Random} random
 * @param {number} timesteps
 * @param {number} units
 */
function anyTiles(random, timesteps, units) {
  const data = Float32Array.from(random.numbers(timesteps * units, -2, 2));
  if (random.flip()) data[random.integer(0, data.length - 1)] = NaN;
  const unitsPerRow = random.integer(1, 3);
  const statistic = random.pick(/** @type {const} */ (["extreme", "mean"]));
  /** @type {Map<string, Tile>} */
  const made = new Map();
  const at = (/** @type {number} */ level, /** @type {number} */ tile) => {
    const key = `${level} ${tile}`;
    let found = made.get(key);
    if (!found) {
      const how = { level, tile, unitsPerRow, statistic, order: null };
      const pooled = poolTile({ shape: [timesteps, units], data }, how);
      found = { ...pooled, pixels: null, coloured: "", end: 0, stale: "", made: 0 };
      made.set(key, found);
    }
    return found;
  };
  return { at, rows: Math.ceil(units / unitsPerRow) };
}

/** @param {Tile} tile @param {number} column @param {number} row @param {Colours} colours */
function colourOf({ shape, data }, column, row, { lows, highs, table }) {
  const own = lows.length > 1 ? row : 0;
  return table[levelOf(data[column * shape[1] + row], lows[own], highs[own])];
}

test("every pixel has the colour of its column and row of units, and nothing else is touched", () => {
  forAll(150, (random) => {
    const timesteps = random.pick([random.integer(1, 90), random.integer(500, 2500)]);
    const { at, rows } = anyTiles(random, timesteps, random.integer(1, 5));
    const level = random.integer(0, 3);
    const count = Math.ceil(timesteps / 2 ** level);
    const first = random.integer(0, count - 1);
    const last = random.integer(first + 1, count);
    const colours = anyColours(random, rows);
    const each = random.integer(1, 3);
    const top = random.integer(0, 4);
    const stride = last - first;
    const target = new Uint32Array(stride * (top + rows * each + 2)).fill(7);
    const whole = paintPicture(
      target,
      { stride, top, each, rows },
      { level, top: Math.max(level, topLevel(timesteps)), first, last },
      at,
      colours,
    );
    assert.equal(whole, true);
    for (let y = 0; y < target.length / stride; y++) {
      const row = Math.floor((y - top) / each);
      for (let x = 0; x < stride; x++) {
        const column = first + x;
        const expected =
          y < top || row >= rows
            ? 7
            : colourOf(at(level, Math.floor(column / TILE)), column % TILE, row, colours);
        assert.equal(target[y * stride + x], expected);
      }
    }
  });
});

test("where a tile has not come the finest coarser one that has is seen instead, else nothing", () => {
  forAll(100, (random) => {
    const timesteps = random.integer(1, 5000);
    const { at, rows } = anyTiles(random, timesteps, 2);
    const level = random.integer(0, 2);
    const top = Math.max(level, topLevel(timesteps));
    const count = Math.ceil(timesteps / 2 ** level);
    const first = random.integer(0, count - 1);
    const last = Math.min(count, first + random.integer(1, 1500));
    const here = new Set();
    const missing = random.next();
    for (let n = level; n <= top; n++)
      for (let tile = 0; tile * TILE * 2 ** n < timesteps; tile++)
        if (random.next() > missing) here.add(`${n} ${tile}`);
    const tileAt = (/** @type {number} */ n, /** @type {number} */ tile) =>
      here.has(`${n} ${tile}`) ? at(n, tile) : undefined;
    const colours = anyColours(random, rows);
    const stride = last - first;
    const target = new Uint32Array(stride * rows);
    const whole = paintPicture(
      target,
      { stride, top: 0, each: 1, rows },
      { level, top, first, last },
      tileAt,
      colours,
    );
    let complete = true;
    for (let x = 0; x < stride; x++) {
      let [n, column] = [level, first + x];
      while (n <= top && !here.has(`${n} ${Math.floor(column / TILE)}`)) {
        n++;
        column = Math.floor(column / 2);
      }
      if (n > level) complete = false;
      for (let row = 0; row < rows; row++) {
        const expected =
          n > top ? BLANK : colourOf(at(n, Math.floor(column / TILE)), column % TILE, row, colours);
        assert.equal(target[row * stride + x], expected, `column ${first + x} at level ${n}`);
      }
    }
    assert.equal(whole, complete);
  });
});

test("a tile is coloured once, and again when its colours are others", () => {
  forAll(50, (random) => {
    const { at, rows } = anyTiles(random, 60, 4);
    const tile = at(0, 0);
    const colours = anyColours(random, rows);
    const pixels = tilePixels(tile, colours);
    const copy = pixels.slice();
    // The same name is taken for the same colours.
    assert.equal(tilePixels(tile, { ...anyColours(random, rows), key: colours.key }), pixels);
    assert.deepEqual(pixels, copy);
    const others = anyColours(random, rows);
    const again = tilePixels(tile, others);
    for (let row = 0; row < rows; row++)
      for (let column = 0; column < 60; column++)
        assert.equal(again[row * 60 + column], colourOf(tile, column, row, others));
  });
});

test("at the top level the whole sequence is one tile, and one below it is not", () => {
  for (const timesteps of [1, 2, TILE - 1, TILE, TILE + 1, 2 * TILE, 2 * TILE + 1, 10_000, 1e6]) {
    const top = topLevel(timesteps);
    assert.ok(Math.ceil(timesteps / 2 ** top) <= TILE, String(timesteps));
    if (top) assert.ok(Math.ceil(timesteps / 2 ** (top - 1)) > TILE, String(timesteps));
  }
});

test("the columns of a window hold every timestep of it, and no column without one", () => {
  forAll(1000, (random) => {
    const level = random.integer(0, 10);
    const first = random.integer(0, 9999);
    const last = random.integer(first + 1, 10_000);
    const columns = columnsOf({ first, last }, level);
    assert.ok(columns.first * 2 ** level <= first && last <= columns.last * 2 ** level);
    assert.ok((columns.first + 1) * 2 ** level > first && (columns.last - 1) * 2 ** level < last);
  });
});
