import assert from "node:assert/strict";
import { test } from "node:test";

import { TILE, furthest, poolTile } from "../../static/js/heatmaps/pooling.js";
import { forAll } from "./random.js";

/** @import {Random} from './random.js' */
/** @import {NDArray, Statistic} from '../../static/js/types.js' */

const STATISTICS = /** @type {const} */ (["extreme", "mean"]);

/** Numbers are so many eighths: sums of them are exact, and there are ties of every kind. */
const EIGHTHS = 8;

/**
 * Timesteps × units, few of them not finite.
 * @param {Random} random
 * @param {number} timesteps
 * @param {number} units
 * @returns {NDArray}
 */
function anyArray(random, timesteps, units) {
  const few = random.pick([2, 20, 500]);
  const broken = random.pick([0, 0, 0.02]);
  const data = Array.from({ length: timesteps * units }, () =>
    random.next() < broken
      ? random.pick([NaN, Infinity, -Infinity])
      : random.integer(-few, few) / EIGHTHS,
  );
  const Type = random.flip() ? Float32Array : Float64Array;
  return { shape: [timesteps, units], data: Type.from(data) };
}

/** The units in some order, or as they are. @param {Random} random @param {number} units */
function anyOrder(random, units) {
  if (random.flip()) return null;
  const order = Array.from({ length: units }, (_, n) => n);
  for (let n = units - 1; n > 0; n--) {
    const other = random.integer(0, n);
    [order[n], order[other]] = [order[other], order[n]];
  }
  return order;
}

/**
 * What a bucket shows, from the definition and in whole eighths.
 * @param {number[]} bucket
 * @param {Statistic} statistic
 */
function byHand(bucket, statistic) {
  if (!bucket.every(Number.isFinite)) return NaN;
  const eighths = bucket.map((value) => value * EIGHTHS);
  const sum = eighths.reduce((a, b) => a + b);
  if (statistic === "mean") return Math.fround(sum / eighths.length / EIGHTHS);
  // Distances from the mean, times the number of values.
  const from = (/** @type {number} */ value) => Math.abs(value * eighths.length - sum);
  const best = eighths.reduce((a, b) => {
    if (from(a) !== from(b)) return from(a) > from(b) ? a : b;
    if (Math.abs(a) !== Math.abs(b)) return Math.abs(a) > Math.abs(b) ? a : b;
    return Math.max(a, b);
  });
  return best / EIGHTHS;
}

test("every number of a tile is what its bucket of timesteps and units says by hand", () => {
  forAll(600, (random) => {
    const level = random.integer(0, 4);
    const timesteps = random.integer(1, 60);
    const units = random.integer(1, 14);
    const unitsPerRow = random.integer(1, units + 1);
    const statistic = random.pick(STATISTICS);
    const array = anyArray(random, timesteps, units);
    const order = anyOrder(random, units);
    const { shape, data } = poolTile(array, { level, tile: 0, unitsPerRow, statistic, order });
    const rows = Math.ceil(units / unitsPerRow);
    assert.deepEqual(shape, [Math.ceil(timesteps / 2 ** level), rows]);
    assert.equal(data.length, shape[0] * shape[1]);
    for (let column = 0; column < shape[0]; column++) {
      for (let row = 0; row < rows; row++) {
        const bucket = [];
        for (let t = 0; t < timesteps; t++) {
          for (let place = 0; place < units; place++) {
            if (t >> level !== column || Math.floor(place / unitsPerRow) !== row) continue;
            bucket.push(array.data[t * units + (order ? order[place] : place)]);
          }
        }
        // Equal, and NaN where that is NaN; zero has no sign on a screen.
        assert.equal(data[column * rows + row] + 0, byHand(bucket, statistic) + 0);
      }
    }
  });
});

test("tiles side by side are the whole, whichever way the sequence ends", () => {
  forAll(20, (random) => {
    const level = random.integer(0, 2);
    const columns = random.pick([TILE, TILE + 1, 2 * TILE - 1, random.integer(1, 3 * TILE)]);
    const timesteps = columns * 2 ** level - random.integer(0, 2 ** level - 1);
    const array = anyArray(random, timesteps, 2);
    const how = { level, unitsPerRow: 1, statistic: random.pick(STATISTICS), order: null };
    /** @type {number[]} */
    const together = [];
    for (let tile = 0; tile * TILE < columns; tile++) {
      const { shape, data } = poolTile(array, { ...how, tile });
      assert.equal(shape[0], Math.min(TILE, columns - tile * TILE));
      together.push(...data);
    }
    assert.equal(together.length, columns * 2);
    for (const n of [0, TILE - 1, TILE, columns - 1].filter((column) => column < columns)) {
      const each = 2 ** level;
      const rows = Array.from({ length: each }, (_, k) => n * each + k).filter(
        (t) => t < timesteps,
      );
      for (const unit of [0, 1]) {
        const bucket = rows.map((t) => array.data[2 * t + unit]);
        assert.equal(together[2 * n + unit] + 0, byHand(bucket, how.statistic) + 0);
      }
    }
    // Beyond the end there is nothing.
    const after = poolTile(array, { ...how, tile: Math.ceil(columns / TILE) });
    assert.deepEqual([after.shape[0], after.data.length], [0, 0]);
  });
});

test("one spike among thousands is seen at every level by extremes, and not in the mean", () => {
  const timesteps = 10_000;
  const data = new Float32Array(timesteps).fill(0.01);
  data[7_777] = -1;
  const array = { shape: [timesteps, 1], data };
  for (let level = 0; 2 ** level < 2 * timesteps; level++) {
    const tile = Math.floor((7_777 >> level) / TILE);
    const column = (7_777 >> level) % TILE;
    const how = { level, tile, unitsPerRow: 1, order: null };
    assert.equal(poolTile(array, { ...how, statistic: "extreme" }).data[column], -1);
    const mean = poolTile(array, { ...how, statistic: "mean" }).data[column];
    if (level > 6) assert.ok(Math.abs(mean) < 0.02, `level ${level}: ${mean}`);
  }
});

test("of two values as far from the mean the larger magnitude is taken, then the positive one", () => {
  assert.equal(furthest(-1, 1, 0), 1);
  assert.equal(furthest(-1, 3, 1), 3);
  assert.equal(furthest(-3, 1, -1), -3);
  assert.equal(furthest(2, 4, 3), 4);
  assert.equal(furthest(-4, -2, -3), -4);
  assert.equal(furthest(0, 1, 0.4), 1);
  assert.equal(furthest(0, 1, 0.6), 0);
});

test("large finite numbers stay finite, also where their sum is beyond all", () => {
  const largest = Math.fround(3.4028234663852886e38);
  const array = (/** @type {number[]} */ values) => ({
    shape: [values.length, 1],
    data: Float64Array.from(values),
  });
  const pool = (
    /** @type {number[]} */ values,
    /** @type {number} */ level,
    /** @type {Statistic} */ statistic,
  ) => [
    ...poolTile(array(values), { level, tile: 0, unitsPerRow: 1, statistic, order: null }).data,
  ];
  assert.deepEqual(pool([1e300, -1e300, NaN, Infinity], 0, "mean"), [largest, -largest, NaN, NaN]);
  const four = [1.5e308, 1.5e308, 1.5e308, 1e308];
  assert.deepEqual(pool(four, 2, "mean"), [largest]);
  assert.deepEqual(pool(four, 2, "extreme"), [largest]);
  assert.deepEqual(pool([-1.5e308, -1.5e308, 3, -1.5e308], 2, "extreme"), [3]);
  assert.deepEqual(pool([1.5e308, 1.5e308, Infinity, 1], 2, "mean"), [NaN]);
  assert.deepEqual(pool([1.5e308, 1.5e308, NaN, 1], 2, "extreme"), [NaN]);
  assert.deepEqual(pool([1.5e308, 1.5e308, -1.5e308, -1.5e308], 2, "mean"), [0]);
});
