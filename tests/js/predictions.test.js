import assert from "node:assert/strict";
import { test } from "node:test";

import {
  best,
  classBefore,
  predictionTitles,
  shownScore,
  top,
  whatHeadReads,
} from "../../static/js/predictions.js";
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
    asApi({ arrays: async () => new Map([["scores", array]]) }),
    () => {},
  );
  await recording.load(["scores"]);
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
      const least = predicted[predicted.length - 1].score;
      assert.equal(row.filter((p) => p > least).length, predicted.length - 1);
      predicted.forEach(({ label, score }, n) => {
        assert.equal(label, `label ${row.indexOf(score)}`);
        assert.ok(n === 0 || score <= predicted[n - 1].score);
      });
      assert.deepEqual(best(recording, t), predicted[0]);
      assert.equal(best(recording, t)?.score, Math.max(...row));
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
  assert.deepEqual(predictionTitles(headless), ["", ""]);
});

test("each task says what its predictions are", async () => {
  const titles = await Promise.all(
    /** @type {const} */ (["tag", "next_token", "classify", "value"]).map(async (task) =>
      predictionTitles(await record([[1]], { task })),
    ),
  );
  assert.ok(titles.flat().every((title) => title.length > 0));
  assert.equal(new Set(titles.map(([short]) => short)).size, 4);
  const [tagger] = predictionTitles(await record([[1, 0]], { labels: ["NOUN", "VERB"] }));
  assert.equal(tagger, "part of speech");
});

test("numbers come in the order of the head, and are shown as numbers", async () => {
  const recording = await record([[-2, 150.25, 0.5]], { task: "value" });
  assert.deepEqual(
    top(recording, 0).map(({ score }) => score),
    [-2, 150.25, 0.5],
  );
  assert.equal(best(recording, 0)?.label, "label 0");
  assert.equal(shownScore(recording, -2), "−2.000");
  assert.equal(shownScore(recording, 150.25), "150.3");
  assert.equal(shownScore(await record([[1]]), 0.256), "25.6 %");
});

test("the class changes where another one is the most probable than a timestep before", async () => {
  for (let seed = 1; seed < 60; seed++) {
    const random = createRandom(seed);
    const rows = Array.from({ length: random.integer(1, 8) }, () => random.numbers(3, 0, 1));
    const recording = await record(rows, { task: "classify" });
    const classes = rows.map((row) => `label ${row.indexOf(Math.max(...row))}`);
    classes.forEach((own, t) => {
      const before = t && classes[t - 1] !== own ? classes[t - 1] : undefined;
      assert.equal(classBefore(recording, t), before);
    });
    // A tag is one of each token: there is nothing to change.
    const tags = await record(rows);
    assert.ok(rows.every((_, t) => classBefore(tags, t) === undefined));
  }
});

test("what the head reads is said where it is not h of this timestep, and what backward knows", () => {
  const [forward, both, backward] = [
    { bidirectional: false },
    { bidirectional: true },
    { modules: [{ kind: /** @type {const} */ ("BackwardLSTM"), bidirectional: false }] },
  ].map((sizes) => new Recording(describe(sizes), asApi({}), () => {}));
  assert.equal(whatHeadReads(both, "each"), "");
  assert.match(whatHeadReads(both, "mean"), /mean/);
  assert.match(whatHeadReads(both, "max"), /maximum/);
  assert.doesNotMatch(whatHeadReads(forward, "last"), /backward/);
  assert.match(whatHeadReads(both, "last"), /each direction.*backward.*everything.*timestep 4/);
  assert.match(whatHeadReads(backward, "last"), /backward.*everything/);
});
