import assert from "node:assert/strict";
import { test } from "node:test";

import { createActions } from "../../static/js/actions.js";
import { brushedUnits, parseSets } from "../../static/js/brush/brush.js";
import { Recording } from "../../static/js/recording.js";
import { createState } from "../../static/js/state.js";
import { forAll } from "./random.js";
import { asApi, describe, fill, model } from "./worlds.js";

/** @import {Sizes} from './worlds.js' */
/** @import {Api} from '../../static/js/api.js' */
/** @import {Cell} from '../../static/js/types.js' */

/** @type {Cell} */
const CELL = { layer: 1, direction: "forward" };
/** @type {Cell} */
const OTHER = { layer: 0, direction: "backward" };

/**
 * A page with a recording of 8 units, and what it asked its server.
 * @param {Sizes} [sizes]
 */
function createWorld(sizes = {}) {
  const state = createState();
  state.models.set([model("tagger", ["a"]), model("other", ["b"])]);
  state.model.set("tagger");
  const about = describe({ units: 8, ...sizes });
  const arrays = fill(about);
  about.arrays = [...arrays].map(([name, { shape }]) => ({
    name,
    shape,
    dtype: "float32",
    low: -1,
    high: 0.25,
    finite: true,
  }));
  /** @type {Parameters<Api["matchingUnits"]>[]} */
  const asked = [];
  const api = asApi({
    arrays: async (_, names) =>
      new Map(names.map((name) => [name, /** @type {any} */ (arrays.get(name))])),
    unitWeights: () => new Promise(() => {}),
    record: () => new Promise(() => {}),
    matchingUnits: async (...given) => {
      asked.push(given);
      return { units: [2, 5] };
    },
  });
  const actions = createActions(state, api, { tick: () => {} });
  state.recording.set(new Recording(about, api, () => {}));
  const selected = (/** @type {Cell} */ cell = CELL) => [...brushedUnits(state, cell)];
  return { state, actions, brush: actions.brush, arrays, asked, selected };
}

test("units are selected row by row, and only those that are there", () => {
  const { brush, selected, state } = createWorld();
  brush.select(CELL, [7, 3, 8, -1, 3]);
  assert.deepEqual(selected(), [3, 7]);
  brush.add(CELL, [4]);
  brush.toggle(OTHER, [0, 1]);
  brush.toggle(CELL, [7]);
  assert.deepEqual(selected(), [3, 4]);
  assert.equal(state.brush.get(), "0.backward:0-1;1.forward:3-4");
  brush.invert(CELL);
  assert.deepEqual(selected(), [0, 1, 2, 5, 6, 7]);
  brush.clear(CELL);
  assert.equal(state.brush.get(), "0.backward:0-1");
  brush.clear();
  assert.equal(state.brush.get(), "");
});

test("a set is kept, selected, added, taken out, renamed and removed", () => {
  const { brush, selected, state } = createWorld();
  assert.equal(brush.keep(), null, "nothing is selected");
  brush.select(CELL, [1, 2]);
  assert.equal(brush.keep(), "set 1");
  brush.select(CELL, [2, 3]);
  brush.select(OTHER, [5]);
  assert.equal(brush.keep(), "set 2");
  brush.use("set 1");
  assert.deepEqual([selected(), selected(OTHER)], [[1, 2], []]);
  brush.use("set 2", "add");
  assert.deepEqual([selected(), selected(OTHER)], [[1, 2, 3], [5]]);
  brush.use("set 1", "subtract");
  assert.deepEqual([selected(), selected(OTHER)], [[3], [5]]);
  assert.equal(brush.rename("set 1", "set 2"), false);
  assert.equal(brush.rename("set 1", "  "), false);
  assert.equal(brush.rename("set 1", "the / ~ first"), true);
  assert.deepEqual(
    parseSets(state.sets.get()).map(({ name, text }) => [name, text]),
    [
      ["the / ~ first", "1.forward:1-2"],
      ["set 2", "0.backward:5;1.forward:2-3"],
    ],
  );
  assert.equal(brush.keep("set 2"), "set 2", "a set of that name is replaced");
  brush.remove("the / ~ first");
  brush.use("nobody");
  assert.equal(state.sets.get(), "set 2~0.backward:5;1.forward:3");
  assert.equal(brush.keep(), "set 1", "the first name that is free");
});

test("a question about a recording that is here is answered here, and an empty answer says what is", async () => {
  const { brush, arrays, asked } = createWorld();
  const { shape, data } = /** @type {import('../../static/js/types.js').NDArray} */ (
    arrays.get("1.forward.c")
  );
  const question = { quantity: "c", start: 1, stop: 3, offBefore: true, offAfter: false };
  const at = (/** @type {number} */ t, /** @type {number} */ unit) => data[t * shape[1] + unit];
  for (const above of [-0.9, -0.5, 0, 0.5]) {
    const { units } = await brush.find(CELL, { ...question, above });
    const expected = Array.from({ length: 8 }, (_, unit) => unit).filter(
      (unit) => at(1, unit) > above && at(2, unit) > above && at(0, unit) <= above,
    );
    assert.deepEqual(units, expected);
  }
  const { units, best } = await brush.find(CELL, { ...question, above: 2 });
  assert.deepEqual(units, []);
  assert.ok(best);
  assert.equal(best.lowest, Math.min(at(1, best.unit), at(2, best.unit)));
  assert.equal(asked.length, 0);
});

test("a question about a recording too long to be here is asked of the server", async () => {
  const { brush, asked } = createWorld({ nbytes: 1e9 });
  const { signal } = new AbortController();
  const question = {
    quantity: "h",
    above: 0.5,
    start: 2,
    stop: 4,
    offBefore: false,
    offAfter: true,
  };
  assert.deepEqual(await brush.find(CELL, question, signal), { units: [2, 5], high: 0.25 });
  assert.deepEqual(asked, [
    [
      "r1",
      {
        ...CELL,
        quantity: "h",
        above: 0.5,
        start: 2,
        stop: 4,
        off_before: false,
        off_after: true,
      },
      signal,
    ],
  ]);
});

test("one steps through all units, or through the selected ones if there are any", () => {
  forAll(100, (random) => {
    const { state, actions, brush } = createWorld();
    state.layer.set(CELL.layer);
    const some = [1, 4, 6].filter(() => random.flip());
    brush.select(CELL, some);
    state.unit.set(random.integer(0, 7));
    const before = state.unit.get();
    actions.stepUnit(1);
    assert.equal(state.unit.get(), Math.min(7, before + 1));
    state.only.set(1);
    const from = state.unit.get();
    actions.stepUnit(-1);
    const expected = some.findLast((unit) => unit < from) ?? some[0] ?? Math.max(0, from - 1);
    assert.equal(state.unit.get(), expected);
  });
});

test("another sentence keeps the selection, another model has other units", () => {
  const { state, actions, brush } = createWorld();
  brush.select(CELL, [1]);
  brush.keep();
  state.only.set(1);
  actions.recordText("another text");
  actions.chooseModel("tagger");
  assert.deepEqual([state.brush.get(), state.only.get()], ["1.forward:1", 1]);
  actions.chooseModel("other");
  assert.deepEqual([state.brush.get(), state.sets.get(), state.only.get()], ["", "", 0]);
});
