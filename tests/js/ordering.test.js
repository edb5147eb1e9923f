import assert from "node:assert/strict";
import { test } from "node:test";

import { orderUnits } from "../../static/js/heatmaps/ordering.js";
import { createRandom } from "./random.js";

/** Columns of numbers as an array [timestep, unit]. @param {number[][]} columns */
const arrayOf = (columns) => ({
  shape: [columns[0].length, columns.length],
  data: Float64Array.from(columns[0].flatMap((_, t) => columns.map((column) => column[t]))),
});

/** @param {number[]} numbers */
const mean = (numbers) => numbers.reduce((sum, value) => sum + value, 0) / numbers.length;

/** Pearson's r from its textbook formula. @param {number[]} a @param {number[]} b */
function pearson(a, b) {
  const [ma, mb] = [mean(a), mean(b)];
  const together = mean(a.map((value, t) => (value - ma) * (b[t] - mb)));
  const spread = (/** @type {number[]} */ c, /** @type {number} */ m) =>
    Math.sqrt(mean(c.map((value) => (value - m) ** 2)));
  return together / (spread(a, ma) * spread(b, mb));
}

/** Whether keys fall along an order. @param {number[]} order @param {number[]} keys */
const falls = (order, keys) =>
  order.every((unit, n) => n === 0 || keys[order[n - 1]] >= keys[unit] - 1e-12);

test("units are in the order of what they are sorted by", () => {
  for (let seed = 1; seed <= 40; seed++) {
    const random = createRandom(seed);
    const units = random.integer(1, 9);
    const timesteps = random.integer(2, 30);
    const columns = Array.from({ length: units }, () => [...random.numbers(timesteps)]);
    const array = arrayOf(columns);
    const chosen = random.integer(0, units - 1);
    const by = (/** @type {import('../../static/js/types.js').Sort} */ sort) => {
      const order = orderUnits(array, sort, chosen) ?? [];
      const sorted = [...order].sort((a, b) => a - b);
      assert.deepEqual(sorted, [...columns.keys()], `${sort} is no permutation`);
      return order;
    };
    assert.deepEqual(by("index"), [...columns.keys()]);
    assert.ok(falls(by("mean"), columns.map(mean)));
    const variances = columns.map((c) => mean(c.map((value) => (value - mean(c)) ** 2)));
    assert.ok(falls(by("variance"), variances));
    const peaks = columns.map((c) => {
      const sizes = c.map(Math.abs);
      return -sizes.indexOf(Math.max(...sizes));
    });
    assert.ok(falls(by("peak"), peaks));
    const similar = by("similarity");
    assert.equal(similar[0], chosen);
    const likeness = columns.map((c) => pearson(c, columns[chosen]));
    assert.ok(falls(similar, likeness));
  }
});

test("equal units stay as they were, and those without a number stand at the end", () => {
  const array = arrayOf([
    [1, 1],
    [NaN, NaN],
    [2, 2],
    [1, 1],
    [NaN, 3],
  ]);
  assert.deepEqual(orderUnits(array, "mean", 0), [4, 2, 0, 3, 1]);
  assert.deepEqual(orderUnits(array, "peak", 0), [0, 2, 3, 4, 1]);
});

test("a unit that never moves is like none, but itself", () => {
  const array = arrayOf([
    [5, 5, 5],
    [1, 2, 3],
    [3, 2, 1],
    [1, NaN, 3],
    [1e308, 2e307, -1e308],
  ]);
  assert.deepEqual(orderUnits(array, "similarity", 1), [1, 4, 2, 0, 3]);
  assert.deepEqual(orderUnits(array, "similarity", 0), [0, 1, 2, 3, 4]);
});

test("clusters are not made here", () => {
  assert.equal(orderUnits(arrayOf([[1, 2]]), "cluster", 0), null);
});
