import assert from "node:assert/strict";
import { test } from "node:test";

import { createAnswers } from "../../static/js/predictions/answers.js";
import { bandsOf } from "../../static/js/predictions/bands.js";
import { drawCells, labelRow, percent, rowsOf } from "../../static/js/predictions/cells.js";
import { decide } from "../../static/js/predictions/decide.js";
import {
  agreement,
  answersOf,
  coloured,
  endsOf,
  extremes,
  flips,
  idAt,
  mainIds,
  measuresOf,
  onTokens,
  probabilityOf,
  summary,
} from "../../static/js/predictions/measures.js";
import { DEFAULTS, SOUND, fits, layerOf, widthOf } from "../../static/js/predictions/options.js";
import { readOptions, writeOptions } from "../../static/js/options.js";
import { forAll } from "./random.js";

/** @import {Layer, NDArray} from '../../static/js/types.js' */

/** @param {number[][]} rows @returns {NDArray} */
const matrix = (rows) => ({
  shape: [rows.length, rows[0]?.length ?? 0],
  data: Float32Array.from(rows.flat()),
});
/** @param {number[]} values @returns {NDArray} */
const vector = (values) => ({ shape: [values.length], data: Float32Array.from(values) });

/** Three timesteps of three labels. */
const answers = () =>
  answersOf(
    new Map(
      Object.entries({
        top: matrix([
          [0, 2],
          [2, 1],
          [NaN, NaN],
        ]),
        probability: matrix([
          [0.5, 0.25],
          [0.75, 0.125],
          [NaN, NaN],
        ]),
        entropy: vector([1.04, 0.74, NaN]),
        rank: vector([1, 3, NaN]),
        surprise: vector([Math.LN2, 3 * Math.LN2, NaN]),
        margin: vector([0.25, 0.625, NaN]),
        changed: vector([0, 1, 0]),
      }),
    ),
  );

/** @param {Partial<Layer>} layer @returns {Layer} */
const layer = (layer) => ({
  module: 0,
  directions: ["forward"],
  input_size: 3,
  hidden_size: 4,
  output_size: 4,
  ...layer,
});

test("what is not decided has no label", () => {
  const found = answers();
  assert.deepEqual(
    [0, 1, 2].map((t) => idAt(found, t, 0)),
    [0, 2, null],
  );
  assert.equal(idAt(found, 0, 2), null, "no more labels than came");
});

test("the summary is over the tokens whose next one is known", () => {
  const found = summary(answers());
  assert.equal(found?.count, 2);
  assert.ok(Math.abs((found?.mean ?? 0) - 2 * Math.LN2) < 1e-6);
  assert.ok(Math.abs((found?.perplexity ?? 0) - 4) < 1e-5);
  assert.equal(found?.first, 0.5);
  const none = answers();
  none.of.surprise.fill(NaN);
  assert.equal(summary(none), null);
});

test("what cannot be is infinitely surprising, and so is the mean", () => {
  const found = answers();
  found.of.surprise[0] = Infinity;
  assert.equal(summary(found)?.perplexity, Infinity);
});

test("the most extreme values are those of a sort", () => {
  forAll(100, (random) => {
    const values = Float32Array.from(
      { length: random.integer(0, 30) },
      () => random.integer(0, 6) / 4,
    );
    if (values.length && random.flip()) values[0] = random.pick([NaN, Infinity]);
    for (const sign of /** @type {(1 | -1)[]} */ ([1, -1])) {
      const sorted = [...values.keys()]
        .filter((t) => !Number.isNaN(values[t]))
        .sort((a, b) =>
          values[a] === values[b] ? a - b : sign * (values[b] > values[a] ? 1 : -1),
        );
      assert.deepEqual(extremes(values, sign, 5), sorted.slice(0, 5));
    }
  });
});

test("what is measured of the next token colours that token", () => {
  const values = Float32Array.of(1, 2, NaN);
  assert.deepEqual([...onTokens("surprise", values)], [NaN, 1, 2]);
  assert.deepEqual([...onTokens("rank", values)], [NaN, 1, 2]);
  assert.equal(onTokens("entropy", values), values);
  assert.deepEqual([...onTokens("surprise", Float32Array.of(NaN))], [NaN], "one token");
});

test("a scale ends where the head is least certain, and infinity has its end's colour", () => {
  assert.deepEqual(endsOf("margin", 17), [1, 0]);
  assert.deepEqual(endsOf("rank", 65), [1, 65]);
  assert.deepEqual(endsOf("entropy", 65), [0, Math.log(65)]);
  assert.deepEqual(endsOf("surprise", 1), [0, 1], "of one label nothing is surprising");
  const ranks = coloured("rank", Float32Array.of(1, 10, 100), 100);
  assert.ok(Math.abs(ranks.values[1] - ranks.high / 2) < 1e-6, "by the logarithm");
  const { values, high } = coloured("surprise", Float32Array.of(Infinity, NaN), 8);
  assert.equal(values[0], Math.fround(high));
  assert.ok(Number.isNaN(values[1]));
});

test("flips are where the label changes", () => {
  assert.deepEqual(flips(answers()), [1]);
});

test("the probability of a label over time is put together from the lists", () => {
  const found = answers();
  assert.deepEqual([...probabilityOf(found, 2)], [0.25, 0.75, NaN]);
  assert.deepEqual([...probabilityOf(found, 0)], [0.5, NaN, NaN]);
  assert.deepEqual(mainIds(found, 9), [0, 1, 2]);
  assert.deepEqual(mainIds(found, 2), [0, 2], "the most probable ones, in their order");
});

test("layers agree where they have the same label", () => {
  const [a, b] = [answers(), answers()];
  assert.equal(agreement(a, b), 1, "what is not decided does not count");
  b.top[2] = 0;
  assert.equal(agreement(a, b), 0.5);
  b.top.fill(NaN);
  assert.ok(Number.isNaN(agreement(a, b)));
});

test("each kind of head has its measures", () => {
  assert.deepEqual(measuresOf("next_token"), ["surprise", "rank", "entropy", "margin"]);
  assert.deepEqual(measuresOf("tag"), ["margin", "entropy"]);
  assert.deepEqual(measuresOf("value"), []);
});

const shown = (/** @type {any} */ about) =>
  /** @type {any} */ ({
    about: { labels: ["a", "b", " "], targets: null, ...about },
    options: DEFAULTS,
  });

test("a language model has a row for what came next and one for its rank", () => {
  const rows = rowsOf(shown({ task: "next_token", targets: [0, 1, null] }), answers());
  assert.deepEqual(
    rows.map(({ name }) => name),
    ["most likely", "2nd", "came next", "its rank"],
  );
  assert.equal(rows[0].text(0).real, true);
  assert.equal(rows[0].text(1).real, false);
  assert.equal(rows[1].text(0).text, "␣", "what cannot be seen gets a picture");
  assert.equal(rows[2].text(0).text, "a");
  assert.ok(Math.abs(rows[2].part(1) - 1 / 8) < 1e-6);
  assert.equal(rows[3].text(1).text, "3");
  assert.equal(rows[3].part(0), 0);
  assert.ok(
    rows.every((row) => Number.isNaN(row.part(2))),
    "nothing at the end",
  );
  assert.equal(rowsOf(shown({ task: "tag" }), answers()).length, 2);
});

test("a classifier has a line for each class and marks where it flips", () => {
  const [classes, ...rest] = bandsOf(shown({ task: "classify" }), answers());
  assert.deepEqual(
    classes.lines.map(({ name }) => name),
    ["a", "b", "␣"],
  );
  assert.deepEqual(classes.flips, [1]);
  assert.deepEqual(classes.ends, [0, 1]);
  assert.equal(rest.length, 2);
  const looks = classes.lines.map(({ colour, dash }) => `${colour} ${dash}`);
  assert.equal(new Set(looks).size, 3, "no two lines look alike");
});

test("all lines of a band can be told apart", () => {
  const many = answersOf(
    new Map([
      ["top", matrix([[0, 1, 2, 3, 4, 5, 6, 7, 8]])],
      ["probability", matrix([[0.2, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1]])],
    ]),
  );
  const labels = [..."abcdefghi"];
  const [{ lines }] = bandsOf(shown({ task: "classify", labels }), many);
  assert.equal(lines.length, 8);
  assert.equal(new Set(lines.map(({ colour, dash }) => `${colour} ${dash}`)).size, 8);
});

test("numbers are lines between ends that hold them, and nothing is probable", () => {
  const found = answersOf(
    new Map([
      [
        "scores",
        matrix([
          [1, -3],
          [2, NaN],
        ]),
      ],
    ]),
  );
  assert.equal(found.k, 0);
  const bands = bandsOf(shown({ task: "value" }), found);
  assert.equal(bands.length, 1);
  assert.deepEqual(bands[0].ends, [-5, 5]);
  assert.deepEqual([...bands[0].lines[0].values], [1, 2]);
});

test("probabilities are short and never say that nothing is left", () => {
  const plain = (/** @type {number} */ p) => percent(p).replace("\u00a0", " ");
  assert.deepEqual([0, 1e-9, 0.01, 0.0996, 0.5, 1].map(plain), [
    "0 %",
    "<0.1 %",
    "1.0 %",
    "10 %",
    "50 %",
    "100 %",
  ]);
  assert.equal(percent(NaN), "");
});

test("cells are drawn for the columns on the screen, and pixels shared by many hold their mean", () => {
  /** @type {[string, number, number, number][]} */
  const rectangles = [];
  /** @type {string[]} */
  const texts = [];
  const surface = /** @type {any} */ ({
    fillStyle: "",
    fillRect(/** @type {number} */ x, /** @type {number} */ y, /** @type {number} */ width) {
      rectangles.push([this.fillStyle, x, y, width]);
    },
    strokeRect() {},
    measureText: (/** @type {string} */ text) => ({ width: 6 * text.length }),
    fillText: (/** @type {string} */ text) => texts.push(text),
  });
  const table = Uint32Array.from({ length: 257 }, (_, n) => n);
  const options = { y: 0, table, theme: /** @type {any} */ ({ ink: "#000", accent: "#00f" }) };
  const row = labelRow(["a", "b", "c"], null, answers(), 0);

  drawCells(surface, row, { first: 0, last: 3, offset: 5, columnWidth: 20 }, options);
  assert.deepEqual(
    rectangles.map(([, x]) => x),
    [5, 25],
    "nothing where nothing was decided",
  );
  assert.deepEqual(texts, ["a", "c"]);

  rectangles.length = 0;
  drawCells(surface, row, { first: 0, last: 2, offset: 0, columnWidth: 0.5 }, options);
  assert.equal(rectangles.length, 1);
  assert.equal(rectangles[0][0], `rgb(${Math.round(0.625 * 255)} 0 0)`);
});

test("the head reads the layers that hand up what the top one does", () => {
  const both = layer({ directions: ["forward", "backward"] });
  const layers = [layer({}), layer({ output_size: 3 }), both, layer({ output_size: 8 }), layer({})];
  assert.deepEqual(
    layers.map((_, n) => fits(layers, n)),
    [true, false, false, false, true],
  );
  assert.equal(fits(layers, 5), false);
  assert.equal(widthOf(both), "4 units forward and 4 units backward");
  assert.equal(layerOf(layers, 0), 0);
  for (const asked of [-1, 1, 99]) assert.equal(layerOf(layers, asked), 4);
});

test("what a link says wrongly is as it is by default", () => {
  const text = "layer:0;by:rank;labels:10;grid:on";
  const options = { layer: 0, by: "rank", labels: 10, grid: "on" };
  assert.deepEqual(readOptions(text, DEFAULTS, SOUND), options);
  assert.equal(writeOptions(options, DEFAULTS), text);
  const wrong = readOptions("layer:0.5;by:beauty;labels:7;grid:maybe", DEFAULTS, SOUND);
  assert.deepEqual(wrong, DEFAULTS);
});

const settle = () => new Promise((resolve) => setTimeout(resolve));

/** @param {string} id @param {string} [task] */
const recordingOf = (id, task = "tag") =>
  /** @type {any} */ ({
    about: { id, predictions: { task, labels: [..."abc"] } },
    layers: [layer({}), layer({})],
  });

test("the layer that is looked at comes first, then the others, each asked for once", async () => {
  /** @type {string[]} */
  const asked = [];
  const came = new Map([["top", matrix([[0]])]]);
  const api = /** @type {any} */ ({
    predictions: async (/** @type {string} */ id) => (asked.push(`${id} top`), came),
    lens: async (/** @type {string} */ id, /** @type {any} */ of) => (
      asked.push(`${id} ${of.layer} ${of.k}`),
      came
    ),
  });
  let arrivals = 0;
  const store = createAnswers(api, () => arrivals++);
  const recording = recordingOf("x");
  assert.equal(store.get(recording, 1, true), undefined);
  assert.equal(store.get(recording, 0), undefined);
  assert.equal(store.get(recording, 0), undefined);
  await settle();
  assert.deepEqual(asked, ["x top", "x 0 3"]);
  assert.equal(arrivals, 2);
  assert.ok(store.get(recording, 0));
  assert.equal(store.get(recordingOf("y"), 1, true), undefined, "another recording");
  await settle();
  assert.deepEqual(asked.slice(2), ["y top"]);
});

test("what failed says why, and is asked for again only when somebody wants it", async () => {
  let broken = true;
  const api = /** @type {any} */ ({
    async predictions() {
      if (broken) throw new Error("the server is busy");
      return new Map([["top", matrix([[0]])]]);
    },
  });
  const store = createAnswers(api, () => {});
  const recording = recordingOf("x");
  store.get(recording, 1, true);
  await settle();
  assert.deepEqual(store.get(recording, 1, true), { problem: "the server is busy", again: true });
  broken = false;
  await settle();
  assert.ok("problem" in (store.get(recording, 1, true) ?? {}));
  store.retry();
  store.get(recording, 1, true);
  await settle();
  assert.ok("answers" in (store.get(recording, 1, true) ?? {}));
});

test("answers to a recording that is gone are dropped", async () => {
  /** @type {((arrays: Map<string, NDArray>) => void)[]} */
  const finish = [];
  const api = /** @type {any} */ ({ predictions: () => new Promise((done) => finish.push(done)) });
  const store = createAnswers(api, () => {});
  store.get(recordingOf("x"), 1, true);
  const other = recordingOf("y");
  store.get(other, 1, true);
  finish[0](new Map([["top", matrix([[0]])]]));
  await settle();
  assert.equal(store.get(other, 1, true), undefined);
  finish[1](new Map([["top", matrix([[2, 1]])]]));
  await settle();
  const found = store.get(other, 1, true);
  assert.equal(found && "answers" in found && found.answers.k, 2);
});

test("without a server the same is decided, timestep by timestep", () => {
  forAll(100, (random) => {
    const [T, labels, k] = [random.integer(1, 6), random.integer(1, 7), random.integer(1, 5)];
    // Quarters: equal probabilities are the rule.
    const rows = Array.from({ length: T }, () =>
      Array.from({ length: labels }, () => random.integer(0, 4) / 4),
    );
    if (random.flip()) rows[0][0] = NaN;
    const targets = rows.map(() => (random.flip() ? random.integer(0, labels - 1) : null));
    const found = answersOf(decide(matrix(rows), targets, k));
    let before = NaN;
    rows.forEach((row, t) => {
      const order = [...row.keys()].sort((a, b) => row[b] - row[a] || a - b);
      const decided = row.every(Number.isFinite);
      const top = decided ? order[0] : NaN;
      assert.equal(idAt(found, t, 0), decided ? top : null);
      assert.equal(found.changed[t], Number(!Number.isNaN(before + top) && before !== top));
      before = top;
      if (!decided) return assert.ok(Number.isNaN(found.of.entropy[t]));
      assert.deepEqual(
        Array.from({ length: Math.min(k, labels) }, (_, n) => idAt(found, t, n)),
        order.slice(0, k),
      );
      const entropy = row.reduce((sum, p) => sum - (p && p * Math.log(p)), 0);
      assert.ok(Math.abs(found.of.entropy[t] - Math.max(0, entropy)) < 1e-5);
      assert.equal(found.of.margin[t], row[order[0]] - (row[order[1]] ?? 0));
      const target = targets[t];
      if (target === null) return assert.ok(Number.isNaN(found.of.rank[t] + found.of.surprise[t]));
      assert.equal(found.of.rank[t], 1 + order.indexOf(target));
      assert.equal(found.of.surprise[t], Math.fround(Math.max(0, -Math.log(row[target]))));
    });
  });
});
