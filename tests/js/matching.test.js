import assert from "node:assert/strict";
import { test } from "node:test";

import { highestThroughout, matchingUnits } from "../../static/js/brush/matching.js";
import { forAll } from "./random.js";

/** @import {Random} from './random.js' */

const ODD = [NaN, Infinity, -Infinity];

/** Values of some units as columns, and as the array they come in. @param {Random} random */
function anyValues(random) {
  const [T, U] = [random.integer(1, 9), random.integer(1, 12)];
  // Few different ones, so that equal to the threshold comes, too.
  const value = () => (random.next() < 0.1 ? random.pick(ODD) : random.integer(0, 8) / 4 - 1);
  const columns = Array.from({ length: U }, () => Array.from({ length: T }, value));
  const data = Float32Array.from({ length: T * U }, (_, n) => columns[n % U][Math.floor(n / U)]);
  const start = random.integer(0, T - 1);
  const stop = random.integer(start + 1, T);
  return { columns, array: { shape: [T, U], data }, start, stop };
}

test("the units found are those that are on throughout and off where that is asked", () => {
  let some = 0;
  forAll(3000, (random) => {
    const { columns, array, start, stop } = anyValues(random);
    const above = random.integer(-5, 4) / 4;
    const [offBefore, offAfter] = [random.flip(), random.flip()];
    const expected = columns.flatMap((values, unit) => {
      const on = values.slice(start, stop).every((value) => value > above);
      const before = !offBefore || start === 0 || values[start - 1] <= above;
      const after = !offAfter || stop === values.length || values[stop] <= above;
      return on && before && after ? [unit] : [];
    });
    assert.deepEqual(matchingUnits(array, { start, stop, above, offBefore, offAfter }), expected);
    some += expected.length;
  });
  assert.ok(some > 1000);
});

test("numbers are compared as they are shown, not rounded to the type of the array", () => {
  const array = { shape: [1, 1], data: new Float32Array([0.3]) };
  const rest = { start: 0, stop: 1, offBefore: false, offAfter: false };
  // The float32 next to 0.3 is above it.
  assert.deepEqual(matchingUnits(array, { above: 0.3, ...rest }), [0]);
  assert.deepEqual(matchingUnits(array, { above: Math.fround(0.3), ...rest }), []);
});

test("the best there is would be found by a threshold just below it, and none by it itself", () => {
  forAll(2000, (random) => {
    const { columns, array, start, stop } = anyValues(random);
    const lowest = columns.map((values) => Math.min(...values.slice(start, stop)));
    const best = highestThroughout(array, { start, stop });
    const numbers = lowest.filter((value) => !Number.isNaN(value));
    if (!numbers.length) return assert.equal(best, null);
    assert.ok(best);
    assert.equal(best.lowest, Math.max(...numbers));
    assert.equal(lowest[best.unit], best.lowest);
    const rest = { start, stop, offBefore: false, offAfter: false };
    assert.deepEqual(matchingUnits(array, { above: best.lowest, ...rest }), []);
    if (Number.isFinite(best.lowest))
      assert.ok(matchingUnits(array, { above: best.lowest - 0.1, ...rest }).includes(best.unit));
  });
});
