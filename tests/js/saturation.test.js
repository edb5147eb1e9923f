import assert from "node:assert/strict";
import { test } from "node:test";

import { beyond, describe, histogram, saturation } from "../../static/js/unit/saturation.js";
import { forAll } from "./random.js";

/** @import {Random} from './random.js' */

/** @param {Random} random */
function anyValues(random) {
  const values = Float32Array.from(random.numbers(random.integer(1, 60), -1.2, 1.2));
  if (random.flip()) values[random.integer(0, values.length - 1)] = random.pick([NaN, Infinity]);
  return values;
}

test("lowest, highest and mean are those of the values that are numbers", () => {
  forAll(100, (random) => {
    const values = anyValues(random);
    const finite = [...values].filter(Number.isFinite);
    const { low, high, mean, count } = describe(values);
    assert.equal(count, finite.length);
    if (!count) return;
    assert.equal(low, Math.min(...finite));
    assert.equal(high, Math.max(...finite));
    assert.ok(Math.abs(mean - finite.reduce((a, b) => a + b) / count) < 1e-12);
  });
  assert.deepEqual(describe(Float32Array.of(NaN)), { low: NaN, high: NaN, mean: NaN, count: 0 });
});

test("every value between the ends is in the one bin that holds it", () => {
  forAll(100, (random) => {
    const values = anyValues(random);
    const bins = random.integer(1, 50);
    const counts = histogram(values, -1, 1, bins);
    const edge = (/** @type {number} */ n) => -1 + (2 * n) / bins;
    const within = [...values].filter((value) => value >= -1 && value <= 1);
    assert.equal(
      counts.reduce((a, b) => a + b),
      within.length,
    );
    // Cumulative counts, which an edge between two bins cannot upset by more than itself.
    for (let n = 0; n <= bins; n++) {
      const sum = counts.slice(0, n).reduce((a, b) => a + b, 0);
      const below = within.filter((value) => value < edge(n) - 1e-9).length;
      const upTo = within.filter((value) => value <= edge(n) + 1e-9).length;
      assert.ok(sum >= below && sum <= upTo, `bin ${n}: ${below} ≤ ${sum} ≤ ${upTo}`);
    }
  });
  assert.deepEqual([...histogram(Float32Array.of(1, 0, -1), -1, 1, 2)], [1, 2], "both ends count");
});

test("shares and longest runs are what counting finds", () => {
  forAll(200, (random) => {
    const values = anyValues(random);
    const limit = random.number(-1, 1);
    const sign = random.flip() ? 1 : -1;
    const found = beyond(values, limit, sign);
    const marks = [...values].map((value) => (sign === 1 ? value > limit : value < limit));
    assert.equal(found.share, marks.filter(Boolean).length / values.length);
    let best = { start: 0, stop: 0 };
    for (let start = 0; start < marks.length; start++)
      for (let stop = start + 1; stop <= marks.length && marks[stop - 1]; stop++)
        if (stop - start > best.stop - best.start) best = { start, stop };
    assert.deepEqual(found.longest, best.stop ? best : null);
  });
});

test("gates are saturated near 0 and 1, the candidate near −1 and 1, states are not", () => {
  const values = Float32Array.of(0.05, 0.5, 0.95, 0.95, -0.95, NaN);
  for (const gate of ["i", "f", "o"]) {
    const found = saturation(gate, values);
    assert.deepEqual(found?.above, { share: 2 / 6, longest: { start: 2, stop: 4 } });
    assert.deepEqual(found?.below, { share: 2 / 6, longest: { start: 0, stop: 1 } });
  }
  assert.deepEqual(saturation("g", values)?.below, {
    share: 1 / 6,
    longest: { start: 4, stop: 5 },
  });
  for (const other of ["c", "h", "constructor"]) assert.equal(saturation(other, values), null);
});
