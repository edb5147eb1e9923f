// Writing on: what grows, what is left to draw, where branches part, how fast it is shown.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Recording } from "../../static/js/recording.js";
import { obstacle } from "../../static/js/write/able.js";
import { branchOf, factsOn, parting, tree, withBranch } from "../../static/js/write/branches.js";
import { factLines, percent, strength } from "../../static/js/write/facts.js";
import { createGrowth } from "../../static/js/write/growing.js";
import { DEFAULTS, asked, inWords, read, write } from "../../static/js/write/options.js";
import { createPace } from "../../static/js/write/pace.js";
import { factsOf, isWritable, ranking, remaining } from "../../static/js/write/sampling.js";
import { forAll } from "./random.js";
import { asApi, describe, fill, stackOf } from "./worlds.js";

/** @import {Random} from './random.js' */
/** @import {NDArray, Numbers, WrittenToken} from '../../static/js/types.js' */

// --- a recording that grows ----------------------------------------------------------------------

const LABELS = ["a", "b", "c"];

/** A language model's recording of `timesteps` tokens "abc…", with all its arrays. @param {number} timesteps @param {"float32" | "float64"} [precision] */
async function recorded(timesteps, precision = "float32") {
  const text = "abcabcabcabcabc".slice(0, timesteps);
  const targets = [...[...text].slice(1).map((label) => LABELS.indexOf(label)), null];
  const about = {
    ...describe({
      timesteps,
      text,
      bidirectional: false,
      proj: 2,
      predictions: { task: "next_token", labels: LABELS, targets },
    }),
    precision,
  };
  const tokens = [...text].map((ch, n) => ({
    ...about.tokens[n],
    text: ch,
    start: n,
    end: n + 1,
  }));
  const arrays = fill(about);
  for (const array of about.arrays) {
    const { data } = /** @type {NDArray} */ (arrays.get(array.name));
    [array.low, array.high] = [Math.min(...data), Math.max(...data)];
  }
  const api = asApi({
    arrays: async (_, names) =>
      new Map(names.map((name) => [name, /** @type {NDArray} */ (arrays.get(name))])),
  });
  const recording = new Recording({ ...about, tokens }, api, () => {});
  await recording.load(about.arrays.map(({ name }) => name));
  return { recording, arrays, api };
}

/** A token as the server sends it, its states a row of each array. @param {number} t @param {Map<string, NDArray>} arrays  of all timesteps @param {(name: string) => boolean} [sent] */
function writtenToken(t, arrays, sent = () => true) {
  const rows = [...arrays].filter(([name, { shape }]) => shape.length === 2 && sent(name));
  const numbers = rows.flatMap(([, { shape, data }]) => [
    ...data.subarray(t * shape[1], (t + 1) * shape[1]),
  ]);
  const states = Buffer.from(Float32Array.from(numbers).buffer).toString("base64");
  const text = "abcabcabcabcabc"[t];
  return /** @type {WrittenToken} */ ({
    ...{ id: LABELS.indexOf(text), timestep: t, text, start: t, end: t + 1, known: true },
    ...{ features: [], appended: text, probability: 0.5, rank: 1, entropy: 1, chosen_from: 3 },
    ...{ top: [], arrays: rows.map(([name, { shape }]) => [name, shape[1]]), states },
  });
}

test("a recording that has grown is the recording of the whole text", async () => {
  const whole = await recorded(12);
  for (const begins of [1, 5, 11]) {
    const short = await recorded(begins);
    // The same numbers, as far as it goes.
    for (const [name, { shape, data }] of whole.arrays) {
      const own = /** @type {NDArray} */ (short.recording.array(name));
      own.data.set(data.subarray(0, shape.length === 2 ? begins * shape[1] : shape[0]));
    }
    for (const array of short.recording.about.arrays) {
      const { data } = /** @type {NDArray} */ (short.recording.array(array.name));
      [array.low, array.high] = [Math.min(...data), Math.max(...data)];
    }
    const growth = createGrowth(short.recording, short.api);
    const before = growth.recording();
    for (let t = begins; t < 12; t++) growth.append(writtenToken(t, whole.arrays));
    const now = growth.recording();
    assert.equal(before.timesteps, begins, "what was shown does not change");
    assert.deepEqual(before.about.tokens.length, begins);
    const { id, nbytes, ...about } = now.about;
    const { id: _, nbytes: __, ...expected } = whole.recording.about;
    assert.deepEqual(about, expected);
    for (const [name, { shape, data }] of whole.arrays) {
      assert.deepEqual(now.array(name)?.shape, shape, name);
      assert.deepEqual([...(now.array(name)?.data ?? [])], [...data], name);
    }
    assert.deepEqual([now.whole, now.growing, now.storedAs], [true, true, "r1"]);
    assert.notEqual(now.about.id, before.about.id);
  }
});

test("a recording can be cut before it grows", async () => {
  const { recording, arrays, api } = await recorded(9);
  const growth = createGrowth(recording, api, 4);
  assert.deepEqual([growth.text, growth.timesteps], ["abca", 4]);
  assert.equal(growth.recording().about.predictions?.targets?.at(-1), null);
  growth.append(writtenToken(7, arrays));
  const now = growth.recording();
  assert.equal(now.about.text, "abcab");
  assert.deepEqual(now.row("0.forward.i", 4), recording.row("0.forward.i", 7));
  assert.deepEqual(now.row("0.forward.i", 3), recording.row("0.forward.i", 3));
  assert.deepEqual(now.about.predictions?.targets, [1, 2, 0, 1, null]);
  assert.deepEqual(now.array("0.forward.h_0"), recording.array("0.forward.h_0"));
});

test("scores that are not sent are not there, and NaN is told", async () => {
  const { recording, arrays, api } = await recorded(3);
  const growth = createGrowth(recording, api);
  /** @type {NDArray} */ (arrays.get("0.forward.c")).data[2] = NaN;
  growth.append(writtenToken(0, arrays, (name) => name !== "scores"));
  const now = growth.recording();
  assert.equal(now.row("scores", 3), undefined);
  assert.ok(now.row("scores", 2));
  assert.ok(now.row("0.forward.c", 3));
  assert.equal(now.described("0.forward.c")?.finite, false);
});

// --- what is left to draw ------------------------------------------------------------------------

/** @param {Random} random */
function anyRow(random) {
  const row = random.numbers(random.integer(1, 8), 0, 1).map((p) => (p < 0.2 ? 0 : p));
  if (!row.some(Boolean)) row[0] = 1;
  const sum = row.reduce((a, b) => a + b);
  return row.map((p) => p / sum);
}

test("temperature, top-k and top-p leave what their definitions say", () => {
  forAll(300, (random) => {
    const p = anyRow(random);
    const options = {
      t: random.pick([0.3, 1, 1, 2]),
      k: random.pick([0, 1, 2, 5]),
      p: random.pick([1, 0.9, 0.5]),
    };
    const out = random.integer(-1, p.length - 1);
    const found = remaining(p, options, (id) => id !== out);
    // Each label by looking at all the others.
    const powers = p.map((x, id) => (id === out ? 0 : Math.pow(x, 1 / options.t)));
    const more = (/** @type {number} */ id) =>
      powers.flatMap((x, other) =>
        x > powers[id] || (x === powers[id] && other < id) ? [other] : [],
      );
    const kept = powers.map((x, id) => (x && (!options.k || more(id).length < options.k) ? x : 0));
    const sum = kept.reduce((a, b) => a + b);
    const nucleus = kept.map((x, id) => {
      const before = more(id).reduce((a, other) => a + kept[other] / sum, 0);
      return options.p === 1 || before < options.p - 1e-12 ? x : 0;
    });
    const whole = nucleus.reduce((a, b) => a + b);
    nucleus.forEach((x, id) => {
      const expected = whole ? x / whole : 0;
      assert.ok(Math.abs(found[id] - expected) < 1e-9, `${found} ${nucleus}`);
    });
  });
});

test("where nothing is allowed nothing is left", () => {
  assert.deepEqual([...remaining([0.5, 0.5], { t: 1, k: 0, p: 1 }, () => false)], [0, 0]);
  assert.deepEqual(ranking([0.2, 0.4, 0.2, 0.4]), [1, 3, 0, 2]);
});

test("a token's probability, rank and entropy are those of its row", () => {
  const row = Float64Array.from([0.5, 0.125, 0.25, 0.125, 0]);
  const facts = factsOf(row, 3);
  assert.deepEqual([facts?.probability, facts?.rank], [0.125, 4]);
  assert.equal(factsOf(row, 1)?.rank, 3);
  assert.ok(Math.abs((facts?.entropy ?? 0) - 1.75 * Math.LN2) < 1e-12);
  assert.equal(factsOf(Float32Array.from([NaN, 1]), 1), null);
});

test("labels that no text brings back cannot be chosen", () => {
  for (const split of ["characters", "words", "whitespace", "bytes"]) {
    for (const label of ["", "<unk>", "\0", "\ud800"]) assert.ok(!isWritable(label, split), label);
  }
  assert.ok(isWritable(" ", "characters"));
  assert.ok(isWritable("🙂", "characters"));
  assert.ok(!isWritable("ab", "characters"));
  assert.ok(!isWritable("two words", "words"));
  assert.ok(isWritable("word", "words"));
  assert.ok(!isWritable("<0xC3>", "bytes"));
});

// --- branches ------------------------------------------------------------------------------------

const FACT = { probability: 0.5, rank: 1, entropy: 1 };

/** @param {string} before @param {string} text @param {string} [model] */
const made = (before, text, model = "m") => ({
  ...{ model, text, before, start: before.length, first: "", options: DEFAULTS },
  facts: Array.from({ length: text.length - before.length }, (_, n) => ({
    ...FACT,
    rank: before.length + n,
  })),
});

test("a branch stands below the one it parts from, and knows what a person typed", () => {
  /** @type {readonly import('../../static/js/write/branches.js').Branch[]} */
  let branches = [];
  branches = withBranch(branches, made("I", "I am here"));
  branches = withBranch(branches, made("I am", "I am not"));
  branches = withBranch(branches, made("I a", "I ask"));
  branches = withBranch(branches, made("I am not", "I am not so"));
  branches = withBranch(branches, made("You", "You are"));
  branches = withBranch(branches, made("I", "I go", "other"));
  const lines = tree(branches, "m").map(({ branch, depth }) => `${depth} ${branch.text}`);
  assert.deepEqual(lines, ["0 I am here", "1 I am not", "2 I am not so", "1 I ask", "0 You are"]);
  assert.deepEqual([...new Set(branches.map(({ root }) => root))], [1, 3]);
  assert.equal(branchOf(branches, "m", "I am no")?.text, "I am not");
  assert.equal(branchOf(branches, "m", "I"), undefined);
  assert.equal(branchOf(branches, "other", "I am here"), undefined);
  const known = factsOn(branches, branchOf(branches, "m", "I am not so"));
  assert.equal(known(0), undefined);
  assert.deepEqual(
    [1, 3, 4, 7, 8, 10].map((t) => known(t)?.rank),
    [1, 3, 4, 7, 8, 10],
  );
});

test("what came out before is no branch of its own", () => {
  const once = withBranch([], made("a", "abc"));
  assert.equal(withBranch(once, made("ab", "abc")), once);
  assert.equal(withBranch(once, made("a", "abc", "other")).length, 2);
});

test("where a branch parts is shown by a few characters of each side", () => {
  const branch = withBranch([], made("the sun is 🙂🙂", "the sun is 🙂🙂 shiny"))[0];
  assert.deepEqual(parting(branch, { before: 2, after: 3 }), { before: "…🙂🙂", after: " sh…" });
  assert.deepEqual(parting(branch, { before: 99, after: 99 }), {
    before: "the sun is 🙂🙂",
    after: " shiny",
  });
});

// --- options, words, pace ------------------------------------------------------------------------

test("options survive a link, and what cannot be is as by default", () => {
  const options = { method: "greedy", t: 0.5, k: 40, p: 0.9, seed: 7, tokens: 12, by: "rank" };
  assert.deepEqual(read(write(options)), options);
  assert.equal(write(DEFAULTS), "");
  for (const wrong of ["t:0", "t:x", "k:-1", "k:1.5", "p:0", "p:1.01", "seed:-1", "tokens:1001"])
    assert.deepEqual(read(wrong), DEFAULTS, wrong);
  for (const wrong of ["method:beam", "by:x", "tokens:0", "seed:0.5", "other:1"])
    assert.deepEqual(read(wrong), DEFAULTS, wrong);
});

test("the server is asked for no filter where there is none", () => {
  assert.deepEqual(asked(DEFAULTS), {
    ...{ tokens: 100, method: "sample", temperature: 0.8, top_k: null, top_p: null, seed: 0 },
  });
  assert.deepEqual(asked({ ...DEFAULTS, method: "greedy", k: 5, p: 0.5 }).top_k, 5);
  assert.equal(
    inWords({ ...DEFAULTS, k: 5, p: 0.5, seed: 2 }),
    "temperature 0.8, top-k 5, top-p 0.5, seed 2",
  );
  assert.equal(inWords({ ...DEFAULTS, method: "greedy" }), "greedy");
});

test("a model that cannot write says why", () => {
  const lstm = describe({ bidirectional: false }).lstm;
  const able = { task: /** @type {const} */ ("next_token"), split: "characters", lstm };
  assert.equal(obstacle(able), "");
  assert.match(obstacle({ ...able, task: "tag" }), /a tag for each token/);
  assert.match(obstacle({ ...able, task: null }), /no head/);
  assert.match(obstacle({ ...able, split: "table" }), /rows of numbers/);
  assert.match(obstacle({ ...able, lstm: describe().lstm }), /Layer 0 reads backward/);
  const module = { ...lstm.modules[0], kind: /** @type {const} */ ("BackwardLSTM") };
  const turned = stackOf([lstm.modules[0], { ...module, num_layers: 1 }], true);
  assert.match(obstacle({ ...able, lstm: turned }), /Layer 2 reads backward/);
});

test("small probabilities keep their digits, and an impossible token is no error", () => {
  assert.deepEqual([1, 0.1234, 0.001, 0.000876, 0.0000012, 1e-9, 0].map(percent), [
    "100.0 %",
    "12.3 %",
    "0.1 %",
    "0.088 %",
    "0.00012 %",
    "< 0.0001 %",
    "0.0 %",
  ]);
  assert.match(factLines({ probability: 0, rank: 9, entropy: 1 }, 3).join(), /surprise ∞/);
  assert.match(factLines(null, 0)[0], /first token/);
  assert.match(factLines(null, 1)[0], /not here/);
});

test("colours are the probability, or even in the logarithm of the rank", () => {
  assert.equal(strength({ ...FACT, probability: 0.3 }, "probability", 65), 0.3);
  assert.equal(strength({ ...FACT, rank: 1 }, "rank", 100), 1);
  assert.ok(Math.abs(strength({ ...FACT, rank: 10 }, "rank", 100) - 0.5) < 1e-12);
  assert.ok(Math.abs(strength({ ...FACT, rank: 100 }, "rank", 100)) < 1e-12);
  assert.equal(strength(FACT, "rank", 1), 1);
});

test("tokens are shown one after another, at most fifteen times a second, and a thousand in 12 s", () => {
  for (const [tokens, seconds] of [
    [30, 2],
    [1000, 12],
  ]) {
    const pace = createPace(tokens, false);
    let [shown, shows, now] = [0, 0, 0];
    for (; shown < tokens; now += 1000 / 60) {
      const due = pace.due(now, tokens - shown);
      shown += due;
      shows += Number(due > 0);
    }
    assert.ok(Math.abs(now / 1000 - seconds) < 0.15 * seconds + 0.1, `${now}`);
    assert.ok(shows / (now / 1000) <= 16, `${shows}`);
  }
});

test("where showing is dear, half of the time is for everything else", () => {
  const pace = createPace(100, false);
  let [shown, shows, now] = [0, 0, 0];
  // A frame in which something is shown takes 200 ms.
  while (now < 6000) {
    const due = pace.due(now, 100 - shown);
    shown += due;
    shows += Number(due > 0);
    now += due ? 200 : 1000 / 60;
  }
  assert.ok(shows >= 12 && shows <= 16, `${shows}`);
  assert.ok(shown >= 75 && shown <= 100, `${shown}`);
});

test("no more is shown than has come, a long wait is not made up for, and calm is rare", () => {
  const pace = createPace(100, false);
  assert.equal(pace.due(0, 0), 0);
  assert.equal(pace.due(5, 3), 1);
  assert.equal(pace.due(10, 3), 0);
  assert.equal(pace.due(10_000, 500), 15, "a second's, though nobody looked for ten");
  const calm = createPace(100, true);
  assert.equal(calm.due(0, 100), 1);
  let now = 16;
  while (!calm.due(now, 99)) now += 16;
  assert.ok(now >= 490 && now <= 516, `${now}`);
});
