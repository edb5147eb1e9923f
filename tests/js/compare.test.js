import assert from "node:assert/strict";
import { test } from "node:test";

import { alignmentOf, alongAxis, meanOver, partingOf } from "../../static/js/compare/alignment.js";
import { createAnswer } from "../../static/js/compare/answer.js";
import { familyOf, otherModels } from "../../static/js/compare/checkpoints.js";
import { readWords } from "../../static/js/compare/directions.js";
import { bandsFor, measureEnds } from "../../static/js/compare/measures.js";
import { DEFAULTS, readCompare, writeCompare } from "../../static/js/compare/options.js";
import {
  differenceEnd,
  pictureLayout,
  withoutPartner,
} from "../../static/js/compare/picture-layout.js";
import { createSentences } from "../../static/js/compare/sentences.js";
import { areDirections, neighbourOf, pairOf } from "../../static/js/compare/sides.js";
import { withWord, wordAt } from "../../static/js/compare/words.js";
import { networkRows } from "../../static/js/geometry.js";
import { createState } from "../../static/js/state.js";
import { forAll } from "./random.js";

/** @import {Direction, Layer, Model} from '../../static/js/types.js' */
/** @import {Page} from '../../static/js/page.js' */
/** @import {Recording} from '../../static/js/recording.js' */
/** @import {Side} from '../../static/js/compare/sides.js' */

/**
 * A recording of layers of some widths.
 * @param {number[]} widths
 * @param {Direction[]} directions
 * @returns {Side["recording"]}
 */
function run(widths, directions = ["forward"], id = "run") {
  const layers = /** @type {Layer[]} */ (
    widths.map((width) => ({
      directions,
      module: 0,
      input_size: 3,
      hidden_size: width,
      output_size: width,
    }))
  );
  const about = /** @type {Side["recording"]["about"]} */ (
    /** @type {unknown} */ ({ id, text: "", model: "" })
  );
  return { about, layers, rows: networkRows(layers), timesteps: 4 };
}

/** @param {number} layer @param {Direction} direction */
const cell = (layer, direction) => ({ layer, direction });

test("the other direction suggests itself, else the layer below, else the one above, else another quantity", () => {
  const both = run([4, 4], ["forward", "backward"]);
  assert.deepEqual(neighbourOf(both, cell(1, "backward")), cell(1, "forward"));
  const one = run([4, 4, 4]);
  assert.deepEqual(neighbourOf(one, cell(2, "forward")), cell(1, "forward"));
  assert.deepEqual(neighbourOf(one, cell(0, "forward")), cell(1, "forward"));
  assert.equal(neighbourOf(run([4]), cell(0, "forward")), null);
  const names = (/** @type {string} */ of) => {
    const { one, other } = pairOf(run([4]), null, cell(0, "forward"), { ...DEFAULTS, of });
    return [one.name, other.name];
  };
  assert.deepEqual(names("h"), ["0.forward.h", "0.forward.c"]);
  assert.deepEqual(names("c"), ["0.forward.c", "0.forward.h"]);
});

test("with a pinned run the same cell there is compared, or the nearest one it has", () => {
  const [mine, pinned] = [run([4, 5, 6]), run([4, 7], ["backward"], "pinned")];
  const pair = pairOf(mine, pinned, cell(2, "forward"), DEFAULTS);
  assert.equal(pair?.crosses, true);
  assert.equal(pair?.other.name, "1.backward.h");
  assert.deepEqual([pair?.one.width, pair?.other.width], [6, 7]);
  // Unless this run is asked for.
  const inside = pairOf(mine, pinned, cell(2, "forward"), { ...DEFAULTS, run: "this" });
  assert.equal(inside?.crosses, false);
  assert.equal(inside?.other.name, "1.forward.h");
});

test("an array is never compared with itself in the same run, nor with one that is not there", () => {
  const mine = run([4, 4], ["forward", "backward"]);
  const of = (/** @type {string} */ name) =>
    pairOf(mine, null, cell(1, "forward"), { ...DEFAULTS, with: name });
  assert.equal(of("1.forward.h")?.other.name, "1.backward.h");
  assert.equal(of("7.forward.h")?.other.name, "1.backward.h");
  assert.equal(of("1.forward.c")?.other.name, "1.forward.c");
  assert.equal(of("0.backward.i")?.other.name, "0.backward.i");
  const pair = of("1.backward.h");
  assert.ok(pair && areDirections(pair));
  assert.ok(!areDirections(/** @type {NonNullable<typeof pair>} */ (of("1.forward.c"))));
});

test("what a link says wrongly is as it is by default, and what is by default is not said", () => {
  assert.deepEqual(readCompare("of:z;with:../etc;threshold:9;over:all;run:that"), DEFAULTS);
  const options = { of: "c", with: "1.backward.c", run: "this", threshold: 0.25, over: "window" };
  assert.deepEqual(readCompare(writeCompare(options)), options);
  assert.equal(writeCompare(DEFAULTS), "");
});

test("pairs of timesteps tell what became of every token", () => {
  // This run: a b x d;  the pinned one: a c c d e.
  const comparison = {
    pairs: /** @type {[number | null, number | null][]} */ ([
      [0, 0],
      [1, 1],
      [null, 2],
      [2, null],
      [3, 3],
      [null, 4],
    ]),
    same: [true, false, false, false, true, false],
    parts_at: 2,
  };
  const found = alignmentOf(comparison, 4);
  assert.deepEqual([...found.partner], [0, 1, -1, 3]);
  assert.deepEqual(found.kinds, ["same", "replaced", "only", "same"]);
  assert.deepEqual(
    [...found.lost],
    [
      [2, [2]],
      [4, [4]],
    ],
  );
  assert.equal(found.changed, 4);
  const along = alongAxis([1, 2, null, null, 5, null], found.pair);
  assert.deepEqual([...along], [1, 2, NaN, 5]);
  assert.equal(meanOver(along, 0, 4), 8 / 3);
  assert.equal(meanOver(along, 2, 3), null);
  // A token that is missing here stands before the next one that is.
  assert.deepEqual(partingOf(comparison), { timestep: 2, missing: "this" });
  assert.deepEqual(partingOf({ ...comparison, parts_at: 3 }), { timestep: 2, missing: "pinned" });
  assert.deepEqual(partingOf({ ...comparison, parts_at: 5 }), { timestep: 3, missing: "this" });
  assert.deepEqual(partingOf({ ...comparison, parts_at: 1 }), { timestep: 1, missing: null });
  assert.equal(partingOf({ ...comparison, parts_at: null }), null);
});

test("columns without a partner are those that hold any such timestep", () => {
  forAll(200, ({ integer, flip }) => {
    const timesteps = integer(1, 60);
    const partner = Int32Array.from({ length: timesteps }, (_, t) => (flip() ? t : -1));
    const level = integer(0, 3);
    const last = Math.ceil(timesteps / 2 ** level);
    const first = integer(0, last - 1);
    const columns = new Set();
    for (const [from, to] of withoutPartner(partner, { first, last }, level))
      for (let column = from; column < to; column++) columns.add(column);
    for (let column = first; column < last; column++) {
      const own = partner.slice(column * 2 ** level, (column + 1) * 2 ** level);
      assert.equal(columns.has(column), own.includes(-1));
    }
  });
});

test("the scale of a difference ends at a number of two digits that just holds it", () => {
  forAll(200, ({ numbers, integer, number }) => {
    const scale = 10 ** number(-8, 8);
    const values = numbers(integer(1, 20)).map((value) => value * scale);
    const most = Math.max(...values.map(Math.abs));
    const end = differenceEnd([...values, NaN, Infinity]);
    assert.ok(end >= most * (1 - 1e-6) && end <= most * 1.11, `${end} for ${most}`);
    assert.equal(end, Number(end.toPrecision(2)));
  });
  assert.equal(differenceEnd([0, 0]), 1);
  assert.equal(differenceEnd([]), 1);
});

test("pictures of different widths stand row by row in the same scale, without a difference", () => {
  const mine = run([512, 40]);
  const asked = { ...DEFAULTS, with: "0.forward.h" };
  const pair = pairOf(mine, null, cell(1, "forward"), asked);
  assert.ok(pair);
  const { rows, height } = pictureLayout(pair, 64, 1);
  assert.deepEqual(
    rows.map(({ name }) => name),
    ["one", "other"],
  );
  assert.equal(rows[0].unitsPerRow, rows[1].unitsPerRow);
  assert.ok(rows[0].height / rows[0].rows === rows[1].height / rows[1].rows);
  assert.equal(height, rows[1].top + rows[1].height);
});

test("a word is put in the place of another, whatever characters there are", () => {
  const text = "the 🐱 sat";
  const place = wordAt(text, { start: 4, end: 5 }, false);
  assert.equal(place.word, "🐱");
  assert.equal(withWord(text, place, "dog"), "the dog sat");
  // A character stands for its word; without a word the space goes, too.
  const part = wordAt(text, { start: 7, end: 8 }, true);
  assert.deepEqual(part, { start: 6, end: 9, word: "sat" });
  assert.equal(withWord(text, wordAt(text, { start: 4, end: 5 }, true), ""), "the sat");
  assert.equal(wordAt(text, { start: 3, end: 4 }, true).word, " ");
});

test("what a direction has read is named, and its middle left out where it is long", () => {
  const tokens = ["a", "b", "c", "d", "e", "f", "g"];
  assert.equal(readWords(tokens, 0, 0), "a");
  assert.equal(readWords(tokens, 0, 2), "a b c");
  assert.equal(readWords(tokens, 6, 4), "g f e");
  assert.equal(readWords(tokens, 0, 6), "a b … f g");
  assert.equal(readWords(tokens, 6, 0), "g f … b a");
});

/** @param {string} id @param {Partial<Model>} [more] */
const model = (id, more = {}) =>
  /** @type {Model} */ (
    /** @type {unknown} */ ({ id, split: "words", checkpoints: [], checkpoint_of: null, ...more })
  );

test("the weights along a training end with the finished model, from whichever of them one looks", () => {
  const checkpoints = [
    { id: "a@0", digest: "0", step: 0, of: 90, validation: 3 },
    { id: "a@30", digest: "1", step: 30, of: 90, validation: 2 },
  ];
  const models = [
    model("a", { checkpoints }),
    model("a@0", { checkpoint_of: "a" }),
    model("a@30", { checkpoint_of: "a" }),
    model("b"),
    model("t", { split: "table" }),
  ];
  for (const id of ["a", "a@0"]) {
    const family = familyOf(models, id);
    assert.deepEqual(
      family?.map((one) => [one.id, one.step, one.validation, one.finished]),
      [
        ["a@0", 0, 3, false],
        ["a@30", 30, 2, false],
        ["a", 90, null, true],
      ],
    );
  }
  assert.equal(familyOf(models, "b"), null);
  assert.equal(familyOf(models, "gone"), null);
  // Another model must read the same: no table for one that reads text, and no checkpoint.
  assert.deepEqual(
    otherModels(models, "a").map(({ id }) => id),
    ["b"],
  );
});

test("cosine and distance are drawn where widths agree; norms fit what there is", () => {
  assert.deepEqual(
    bandsFor(false).flatMap(({ measures }) => measures.map(({ name }) => name)),
    ["norm", "other_norm"],
  );
  const [cosine, distance, norms] = bandsFor(true);
  assert.deepEqual(measureEnds(cosine, {}), [-1, 1]);
  assert.deepEqual(measureEnds(distance, {}), [0, 2]);
  assert.deepEqual(measureEnds(norms, { norm: [1, NaN], other_norm: [3.2, Infinity] }), [0, 5]);
  assert.deepEqual(measureEnds(norms, { norm: [NaN], other_norm: [0] }), [0, 1]);
});

test("an answer to a question that is no longer asked is not taken", async () => {
  let arrivals = 0;
  /** @type {ReturnType<typeof createAnswer<string>>} */
  const answers = createAnswer(() => arrivals++);
  /** @type {((value: string) => void)[]} */
  const resolve = [];
  const find = () =>
    new Promise((/** @type {(value: string) => void} */ done) => resolve.push(done));
  answers.to("first", find);
  assert.equal(answers.to("second", find).value, null);
  resolve[0]("late");
  resolve[1]("right");
  await new Promise((done) => setTimeout(done));
  assert.equal(answers.to("second", find).value, "right");
  assert.deepEqual([arrivals, resolve.length], [1, 2]);
  // While the next one comes, the last is there to be looked at; a failure is told.
  assert.equal(answers.to("third", () => Promise.reject(new Error("no"))).last, "right");
  await new Promise((done) => setTimeout(done));
  const { value, problem } = answers.to("third", find);
  assert.equal(value, null);
  assert.match(String(problem), /no/);
});

test("what is stopped is not asked again until somebody says so", async () => {
  /** @type {ReturnType<typeof createAnswer<string>>} */
  const answers = createAnswer(() => {});
  let asked = 0;
  /** @type {AbortSignal | undefined} */
  let given;
  const find = (/** @type {AbortSignal} */ signal) => {
    asked++;
    given = signal;
    return new Promise((/** @type {(value: string) => void} */ done) =>
      setTimeout(done, 1, "late"),
    );
  };
  answers.to("long", find);
  answers.stop();
  assert.equal(given?.aborted, true);
  await new Promise((done) => setTimeout(done, 5));
  assert.deepEqual([answers.to("long", find).stopped, asked], [true, 1]);
  answers.again();
  assert.deepEqual([answers.to("long", find).stopped, asked], [false, 2]);
});

test("the sentences of a set are recorded one after the other, each once, and can be cancelled", async () => {
  const state = createState();
  const own = /** @type {Recording} */ (
    /** @type {unknown} */ ({ about: { model: "m", text: "b", precision: "float32" } })
  );
  state.sentences.set({ name: "file", sentences: ["a", "b", "c", "a"] });
  /** @type {string[]} */
  const recorded = [];
  const record = async (
    /** @type {{model: string, text: string}} */ { model, text },
    /** @type {AbortSignal} */ signal,
  ) => {
    await new Promise((done) => setTimeout(done, 1));
    signal.throwIfAborted();
    if (text === "bad") throw new Error("This is not a sentence");
    recorded.push(text);
    return { id: model === "early" ? `early id of ${text}` : `id of ${text}` };
  };
  const page = /** @type {Page} */ (/** @type {unknown} */ ({ state, api: { record } }));
  const sentences = createSentences(page, () => {});
  const settled = () => new Promise((done) => setTimeout(done, 20));
  // The one that is on the screen is there already.
  assert.deepEqual(sentences.texts(own), ["a", "c"]);
  assert.equal(sentences.ids(own, null), null);
  assert.deepEqual(sentences.progress(), { done: 0, of: 2 });
  await settled();
  assert.deepEqual(sentences.ids(own, null), { also: ["id of a", "id of c"], other_also: [] });
  assert.equal(sentences.progress(), null);
  assert.deepEqual(recorded, ["a", "c"]);

  // A pinned model reads each of them, too.
  assert.equal(sentences.ids(own, "early"), null);
  await settled();
  assert.deepEqual(sentences.ids(own, "early"), {
    also: ["id of a", "id of c"],
    other_also: ["early id of a", "early id of c"],
  });
  recorded.length = 2;

  state.sentences.set({ name: "other", sentences: ["d", "e"] });
  sentences.ids(own, null);
  sentences.cancel();
  await settled();
  assert.deepEqual([recorded.length, sentences.progress()], [2, null]);

  state.sentences.set({ name: "wrong", sentences: ["bad"] });
  assert.equal(sentences.ids(own, null), null);
  await settled();
  assert.match(String(sentences.problem()), /not a sentence/);
});
