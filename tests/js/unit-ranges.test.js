import assert from "node:assert/strict";
import { test } from "node:test";

import { Recording } from "../../static/js/recording.js";
import { createUnitRanges, rowRanges, unitRanges } from "../../static/js/heatmaps/unit-ranges.js";
import { forAll } from "./random.js";
import { asApi, deferred, describe, fill, settle } from "./worlds.js";

/** @import {Random} from './random.js' */
/** @import {NDArray} from '../../static/js/types.js' */

/** Timesteps × units, some of them not finite. @param {Random} random @returns {NDArray} */
function anyArray(random) {
  const shape = [random.integer(1, 30), random.integer(1, 12)];
  const broken = random.pick([0, 0.1, 0.6]);
  const data = Array.from({ length: shape[0] * shape[1] }, () =>
    random.next() < broken ? random.pick([NaN, Infinity, -Infinity]) : random.number(-3, 3),
  );
  return { shape, data: (random.flip() ? Float32Array : Float64Array).from(data) };
}

/** The finite values of some units. @param {NDArray} array @param {number[]} units */
const finiteOf = ({ shape, data }, units) =>
  [...data].filter((value, n) => units.includes(n % shape[1]) && Number.isFinite(value));

test("a unit's range is its lowest and highest finite value, NaN where there is none", () => {
  forAll(300, (random) => {
    const array = anyArray(random);
    const { low, high } = unitRanges(array);
    assert.deepEqual([low.length, high.length], [array.shape[1], array.shape[1]]);
    for (let unit = 0; unit < array.shape[1]; unit++) {
      const values = finiteOf(array, [unit]);
      assert.equal(low[unit], values.length ? Math.min(...values) : NaN);
      assert.equal(high[unit], values.length ? Math.max(...values) : NaN);
    }
  });
});

test("a row's scale just holds all of its units, zero-centred where the colours are, and is never empty", () => {
  forAll(500, (random) => {
    const array = anyArray(random);
    if (random.next() < 0.2) array.data.fill(random.pick([0, 1.5, -2, NaN]));
    const units = array.shape[1];
    const unitsPerRow = random.integer(1, units + 2);
    const all = Array.from({ length: units }, (_, n) => n);
    const order = random.flip() ? null : [...all].sort(() => random.next() - 0.5);
    const diverging = random.flip();
    const { lows, highs } = rowRanges(unitRanges(array), unitsPerRow, order, diverging);
    assert.equal(lows.length, Math.ceil(units / unitsPerRow));
    for (let row = 0; row < lows.length; row++) {
      const places = all.slice(row * unitsPerRow, (row + 1) * unitsPerRow);
      const values = finiteOf(
        array,
        places.map((place) => (order ? order[place] : place)),
      );
      assert.ok(lows[row] < highs[row]);
      if (diverging) assert.equal(lows[row], -highs[row]);
      if (!values.length) continue;
      const [low, high] = [Math.min(...values), Math.max(...values)];
      assert.ok(lows[row] <= low && high <= highs[row]);
      if (diverging && (low || high)) assert.equal(highs[row], Math.max(-low, high));
      if (!diverging && low < high) assert.deepEqual([lows[row], highs[row]], [low, high]);
    }
  });
});

/** @param {number} nbytes */
function createWorld(nbytes) {
  const about = describe({ nbytes });
  const arrays = fill(about);
  /** @type {{names: string[], answer: () => Promise<unknown>, fail: () => Promise<unknown>}[]} */
  const requests = [];
  /** @type {{run: () => void, milliseconds: number}[]} */
  const waiting = [];
  let arrivals = 0;
  const api = asApi({
    arrays: async (_, names) =>
      new Map(names.map((name) => [name, /** @type {NDArray} */ (arrays.get(name))])),
    unitSummaries(_, names) {
      const reply = /** @type {ReturnType<typeof deferred<Map<string, NDArray>>>} */ (deferred());
      requests.push({
        names,
        answer() {
          const summaries = names.flatMap((name) => {
            const { low, high } = unitRanges(/** @type {NDArray} */ (arrays.get(name)));
            const shape = [low.length];
            return /** @type {[string, NDArray][]} */ ([
              [`${name}.low`, { shape, data: low }],
              [`${name}.high`, { shape, data: high }],
            ]);
          });
          reply.resolve(new Map(summaries));
          return settle();
        },
        fail() {
          reply.reject(new Error("no answer"));
          return settle();
        },
      });
      return reply.promise;
    },
  });
  const recording = new Recording(about, api, () => {});
  const ranges = createUnitRanges(
    recording,
    api,
    () => arrivals++,
    (run, milliseconds) => waiting.push({ run, milliseconds }),
  );
  return {
    ranges,
    recording,
    arrays,
    requests,
    arrivals: () => arrivals,
    /** Run what waits; returns how long it had to. */
    turn: () => waiting.splice(0).map(({ run, milliseconds }) => (run(), milliseconds)),
  };
}

test("of a recording that is here ranges are made here, those of others are fetched together, once", async () => {
  const whole = createWorld(0);
  assert.equal(whole.ranges.get("0.forward.c"), undefined, "its array has not come");
  await whole.recording.load(["0.forward.c"]);
  const made = whole.ranges.get("0.forward.c");
  assert.deepEqual(made, unitRanges(/** @type {NDArray} */ (whole.arrays.get("0.forward.c"))));
  assert.equal(whole.ranges.get("0.forward.c"), made, "once");
  assert.equal(whole.requests.length, 0);

  const long = createWorld(1e9);
  const names = ["0.forward.c", "0.forward.h", "1.backward.i"];
  for (const name of [...names, ...names]) assert.equal(long.ranges.get(name), undefined);
  long.turn();
  for (const name of names) assert.equal(long.ranges.get(name), undefined);
  long.turn();
  assert.deepEqual(
    long.requests.map((request) => request.names),
    [names],
  );
  await long.requests[0].answer();
  assert.equal(long.arrivals(), 1);
  for (const name of names)
    assert.deepEqual(
      long.ranges.get(name),
      unitRanges(/** @type {NDArray} */ (long.arrays.get(name))),
    );
});

test("ranges that could not be had are asked for again by who still shows them, after a while", async () => {
  const { ranges, requests, turn, arrivals } = createWorld(1e9);
  ranges.get("0.forward.c");
  turn();
  await requests[0].fail();
  assert.equal(arrivals(), 0);
  assert.ok(Math.max(...turn()) >= 500, "not at once");
  assert.equal(arrivals(), 1, "who shows it is told to look again");
  ranges.get("0.forward.c");
  turn();
  await requests[1].answer();
  assert.ok(ranges.get("0.forward.c"));
});
