import assert from "node:assert/strict";
import { test } from "node:test";

import { captionOf, fileName } from "../../static/js/keep/caption.js";
import { Recording } from "../../static/js/recording.js";
import { createState } from "../../static/js/state.js";
import { asApi, describe, model } from "./worlds.js";

/** @param {Parameters<typeof describe>[0]} sizes @param {Partial<import('../../static/js/types.js').Model>} [own] */
function world(sizes, own = {}) {
  const about = describe(sizes);
  const state = createState();
  const recording = new Recording(about, asApi({}), () => {});
  state.models.set([{ ...model(about.model, []), lstm: about.lstm, ...own }]);
  state.recording.set(recording);
  return { state, recording };
}

/** Words with their places, as a tokenizer gives them. @param {string} text */
function tokensOf(text) {
  return [...text.matchAll(/\S+/g)].map((match) => {
    const start = [...text.slice(0, match.index)].length;
    const end = start + [...match[0]].length;
    return { text: match[0], start, end, known: true, features: [] };
  });
}

/** @param {string} text @param {number} step */
function captionAt(text, step) {
  const { state, recording } = world({ text, timesteps: tokensOf(text).length });
  recording.about.tokens = tokensOf(text);
  state.step.set(step);
  return captionOf(state, recording);
}

test("a caption says which model, sentence, step, timestep, cell and colours", () => {
  const { state, recording } = world({ timesteps: 5 }, { title: "A tagger" });
  state.step.set(2);
  state.layer.set(1);
  state.direction.set("backward");
  assert.deepEqual(captionOf(state, recording), {
    model: "A tagger · 2 × 4 ⇄",
    sentence: "“a b c d e”",
    place: "step 2 of 4 · timestep 2 “t2” · layer 1 backward · fixed colours · float32",
  });
});

test("the unit is named where the picture is of one", () => {
  const { state, recording } = world({});
  state.unit.set(3);
  for (const tab of /** @type {const} */ (["unit", "cell"])) {
    state.tab.set(tab);
    assert.match(captionOf(state, recording).place, /· unit 3 ·/);
  }
  state.tab.set("states");
  assert.doesNotMatch(captionOf(state, recording).place, /unit/);
});

test("of heatmaps the order of units is told, where it is not their own", () => {
  const { state, recording } = world({});
  state.sort.set("similarity");
  state.sortOf.set("c");
  state.unit.set(2);
  state.scale.set("layer");
  const { place } = captionOf(state, recording);
  assert.match(place, /· units by similarity of c to unit 2 · colours fitted to each layer ·/);
  state.tab.set("shapes");
  assert.match(captionOf(state, recording).place, /layer 0 forward · float32$/);
});

test("in processing order the step says so, and the timestep is the cell's", () => {
  const { state, recording } = world({ timesteps: 5, layers: 1 });
  state.order.set("processing");
  state.direction.set("backward");
  state.step.set(1);
  const { place } = captionOf(state, recording);
  assert.match(place, /^step 1 of 4 in processing order · timestep 3 “t3”/);
});

test("of a long sentence there is what stands around the token, in whole characters", () => {
  const words = Array.from({ length: 400 }, (_, n) => `wörd🙂${n}`);
  const text = words.join(" ");
  for (const step of [0, 200, 399]) {
    const { sentence } = captionAt(text, step);
    assert.ok([...sentence].length < 260, sentence);
    assert.match(sentence, new RegExp(`\\b${step}\\b`));
    assert.match(sentence, /\(400 tokens\)$/);
    assert.equal(sentence.startsWith("“… "), step > 0);
    assert.equal(sentence.includes(" …”"), step < 399);
    assert.ok(sentence.isWellFormed());
  }
});

test("a sentence's invisible characters are seen, and its lines are one", () => {
  const { sentence } = captionAt("one\ntwo \u202eeerht\u0000", 0);
  assert.equal(sentence, "“one two ‹202E›eerht‹0000›”");
});

test("a table is said by its size, not by its numbers", () => {
  const { state, recording } = world(
    { text: "1 2\n3 4", timesteps: 2 },
    { split: "table", columns: ["open", "close"] },
  );
  assert.equal(captionOf(state, recording).sentence, "a table of 2 rows: open, close");
});

test("a file's name can stand in any folder", () => {
  const { state, recording } = world({}, { title: "../Né un <b>/\\ : 日本" });
  state.step.set(3);
  assert.equal(fileName(state, recording), "ne-un-b-states-step-3");
});
