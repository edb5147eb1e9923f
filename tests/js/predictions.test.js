import assert from "node:assert/strict";
import { test } from "node:test";

import { best, predictionTitle, top } from "../../static/js/predictions.js";
import { Recording } from "../../static/js/recording.js";
import { createRandom } from "./random.js";
import { asApi, describe } from "./worlds.js";

/** @import {RecordingPublic} from '../../static/js/types.js' */

/**
 * @param {number[][]} probabilities  a row for every timestep
 * @param {Partial<NonNullable<RecordingPublic["predictions"]>>} [about]
 */
async function record(probabilities, about = {}) {
  const width = probabilities[0].length;
  const labels = Array.from({ length: width }, (_, n) => `label ${n}`);
  const array = {
    shape: [probabilities.length, width],
    data: Float64Array.from(probabilities.flat()),
  };
  const predictions = { task: /** @type {const} */ ("tag"), labels, targets: null, ...about };
  const recording = new Recording(
    describe({ timesteps: probabilities.length, predictions }),
    asApi({ arrays: async () => new Map([["probabilities", array]]) }),
    () => {},
  );
  await recording.load(["probabilities"]);
  return recording;
}

test("the most probable labels come first, each with its own probability", async () => {
  for (let seed = 1; seed < 100; seed++) {
    const random = createRandom(seed);
    const rows = Array.from({ length: random.integer(1, 5) }, () => random.numbers(12, 0, 1));
    const recording = await record(rows);
    rows.forEach((row, t) => {
      const count = random.integer(1, 15);
      const predicted = top(recording, t, count);
      assert.equal(predicted.length, Math.min(count, row.length));
      const least = predicted[predicted.length - 1].probability;
      assert.equal(row.filter((p) => p > least).length, predicted.length - 1);
      predicted.forEach(({ label, probability }, n) => {
        assert.equal(label, `label ${row.indexOf(probability)}`);
        assert.ok(n === 0 || probability <= predicted[n - 1].probability);
      });
      assert.deepEqual(best(recording, t), predicted[0]);
      assert.equal(best(recording, t)?.probability, Math.max(...row));
    });
  }
});

test("a hit is the label that came next, and unknown where none is known", async () => {
  const rows = [
    [0.1, 0.9],
    [0.8, 0.2],
    [0.5, 0.5],
  ];
  const recording = await record(rows, { task: "next_token", targets: [1, 1, null] });
  assert.deepEqual(
    top(recording, 0).map(({ hit }) => hit),
    [true, false],
  );
  assert.deepEqual(
    top(recording, 1).map(({ hit }) => hit),
    [false, true],
  );
  assert.deepEqual(
    top(recording, 2).map(({ hit }) => hit),
    [null, null],
  );
  const untold = await record(rows);
  assert.ok([0, 1, 2].every((t) => top(untold, t).every(({ hit }) => hit === null)));
});

test("where the head said nothing that is a number, nothing is predicted", async () => {
  const recording = await record([
    [0.5, NaN],
    [NaN, NaN],
    [0.25, 0.75],
  ]);
  assert.deepEqual(top(recording, 0), []);
  assert.equal(best(recording, 1), undefined);
  assert.equal(best(recording, 2)?.label, "label 1");
});

test("before the probabilities have come, and without a head, nothing is predicted", () => {
  const waiting = new Recording(
    describe({ predictions: { task: "tag", labels: ["a"], targets: null } }),
    asApi({}),
    () => {},
  );
  assert.deepEqual(top(waiting, 0), []);
  const headless = new Recording(describe(), asApi({}), () => {});
  assert.deepEqual(top(headless, 0), []);
  assert.equal(predictionTitle(headless), "");
});

test("each task says what its predictions are", async () => {
  const titles = await Promise.all(
    /** @type {const} */ (["tag", "next_token"]).map(async (task) =>
      predictionTitle(await record([[1]], { task })),
    ),
  );
  assert.ok(titles.every((title) => title.length > 0) && titles[0] !== titles[1]);
});
