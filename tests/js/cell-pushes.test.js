import assert from "node:assert/strict";
import { test } from "node:test";

import { cellArrays, createCellContents } from "../../static/js/cell/content.js";
import {
  decimalsFor,
  explainTerm,
  gatePushes,
  GATES,
  roundTerms,
  sumLines,
  termLeadsTo,
  termName,
} from "../../static/js/cell/cell-pushes.js";
import { equationLines } from "../../static/js/cell/equation-lines.js";
import { fixed, sum } from "../../static/js/format.js";
import { Recording, UnitWeights } from "../../static/js/recording.js";
import { createState, selectedTimestep } from "../../static/js/state.js";
import { forAll } from "./random.js";
import { anyStack, asApi, describe, fill, model, quantities } from "./worlds.js";

/** @import {Random} from './random.js' */
/** @import {NDArray, Numbers} from '../../static/js/types.js' */

/**
 * A recording that has wholly come, one of its cells and units, and that unit's weights.
 * @param {Random} random
 */
async function anySelection(random) {
  const timesteps = random.integer(1, 6);
  const about = { ...describe({ timesteps, ...anyStack(random) }), model: "m" };
  const arrays = fill(about, random.integer(1, 1000));
  const api = asApi({
    arrays: async (_, names) =>
      new Map(names.map((name) => [name, /** @type {NDArray} */ (arrays.get(name))])),
  });
  const recording = new Recording(about, api, () => {});
  await recording.load([...arrays.keys()]);
  const state = createState();
  const cell = random.pick(recording.rows);
  const { input_size, hidden_size, output_size } = recording.layers[cell.layer];
  const array = (/** @type {number} */ width) => ({
    shape: [4, width],
    data: Float32Array.from(random.numbers(4 * width)),
  });
  state.quantities.set(quantities());
  state.models.set([model("m", [])]);
  state.recording.set(recording);
  state.layer.set(cell.layer);
  state.direction.set(cell.direction);
  state.unit.set(random.integer(0, hidden_size - 1));
  state.step.set(random.integer(0, timesteps - 1));
  state.gate.set(random.pick(GATES));
  const weights = [
    ["W", array(input_size)],
    ["U", array(output_size)],
    ["b", array(2)],
  ];
  state.unitWeights.set(new UnitWeights(new Map(/** @type {[string, NDArray][]} */ (weights))));
  const projected = output_size < hidden_size;
  return {
    state,
    recording,
    arrays,
    cell,
    timestep: selectedTimestep(state, recording),
    projected,
  };
}

/** @param {(selection: Awaited<ReturnType<typeof anySelection>>, random: Random) => void} check */
async function forAnySelection(check) {
  /** @type {Random[]} */
  const randoms = [];
  forAll(80, (random) => randoms.push(random));
  for (const random of randoms) check(await anySelection(random), random);
}

/** @param {NDArray | undefined} array @param {number} t @returns {number[]} */
function rowOf(array, t) {
  assert.ok(array);
  return [...array.data.slice(t * array.shape[1], (t + 1) * array.shape[1])];
}

/** @param {Numbers | undefined} shown @param {number[]} expected */
function near(shown, expected) {
  assert.equal(shown?.length, expected.length);
  expected.forEach((value, n) => assert.ok(Math.abs((shown?.[n] ?? NaN) - value) < 1e-6));
}

test("the vectors of a cell are the recording's, and their products", async () => {
  await forAnySelection(({ state, recording, arrays, cell, timestep, projected }) => {
    const own = `${cell.layer}.${cell.direction}`;
    const row = (/** @type {string} */ q, t = timestep) => rowOf(arrays.get(`${own}.${q}`), t);
    const before = cell.direction === "forward" ? timestep - 1 : timestep + 1;
    const first = before < 0 || before >= recording.timesteps;
    const initial = (/** @type {string} */ q) => [...(arrays.get(`${own}.${q}_0`)?.data ?? [])];
    const [i, f, g, o, c, h] = ["i", "f", "g", "o", "c", "h"].map((q) => row(q));
    const cBefore = first ? initial("c") : row("c", before);
    const contents = createCellContents(state);
    const content = contents(recording, cell, timestep);
    const { vectors } = content;
    /** @type {Record<string, number[]>} */
    const expected = { i, f, g, o, c, h, cBefore };
    expected.hBefore = first ? initial("h") : row("h", before);
    expected.ig = i.map((value, n) => value * g[n]);
    expected.fc = f.map((value, n) => value * cBefore[n]);
    expected.tanhC = c.map(Math.tanh);
    if (projected) expected.m = o.map((value, n) => value * Math.tanh(c[n]));
    const below = recording.layers[cell.layer - 1]?.directions ?? [null];
    below.forEach((direction, n) => {
      const name = direction ? `${cell.layer - 1}.${direction}.h` : "x";
      expected[`x${n}`] = rowOf(arrays.get(name), timestep);
    });
    assert.deepEqual(Object.keys(vectors).sort(), Object.keys(expected).sort());
    for (const [name, values] of Object.entries(expected)) {
      near(vectors[name], values);
      const { low, high } = content.ranges[name];
      assert.ok(low < high, name);
      assert.ok(content.names[name], name);
    }
    assert.equal(content.inputs, below.length);
    assert.equal(content.projected, projected);
    // The pictures of vectors are kept by what they are.
    assert.equal(contents(recording, cell, timestep).vectors, vectors);
    for (const name of cellArrays(recording, cell)) assert.ok(arrays.has(name), name);
  });
});

test("terms add up to W x + U h + b of the equations", async () => {
  await forAnySelection(({ state, recording }) => {
    const of = gatePushes(state, recording, 3);
    const { W, U, b } = /** @type {UnitWeights} */ (state.unitWeights.get());
    const gate = GATES.indexOf(of.gate);
    const read = [...(recording.input(of.cell.layer, of.timestep) ?? [])].flatMap((p) => [...p]);
    const own = `${of.cell.layer}.${of.cell.direction}`;
    const h =
      of.before === null
        ? [...(recording.array(`${own}.h_0`)?.data ?? [])]
        : rowOf(recording.array(`${own}.h`), of.before);
    const dot = (/** @type {NDArray} */ { shape, data }, /** @type {number[]} */ v) =>
      v.reduce((sum, value, n) => sum + data[gate * shape[1] + n] * value, 0);
    const z = dot(W, read) + dot(U, h) + b.data[2 * gate] + b.data[2 * gate + 1];
    assert.ok(of.found && Math.abs(of.found.z - z) < 1e-12);
    assert.equal(of.found.shown.length + of.found.others, read.length + h.length);
    assert.equal(of.value, recording.value(of.gate, of.cell, of.timestep, of.unit));
  });
});

test("every term has a name of its own, and leads to the unit that made it", async () => {
  await forAnySelection(({ state, recording, cell }) => {
    const of = gatePushes(state, recording);
    const shown = of.found?.shown ?? [];
    const names = new Set(shown.map((push) => termName(push, of)));
    assert.equal(names.size, shown.length);
    const projects = (/** @type {number} */ layer) =>
      recording.layers[layer].output_size < recording.layers[layer].hidden_size;
    for (const push of shown) {
      const to = termLeadsTo(push, recording, cell);
      const hidden = push.from === "hidden";
      if ((hidden && projects(cell.layer)) || (!hidden && cell.layer === 0)) {
        assert.equal(to, null);
        continue;
      }
      const layer = hidden ? cell.layer : cell.layer - 1;
      const direction = hidden ? cell.direction : recording.layers[layer].directions[push.part];
      const unit = projects(layer) ? null : push.index;
      assert.deepEqual(to, { cell: { layer, direction }, unit });
      assert.ok(explainTerm(push, of).join().includes(String(push.term)));
    }
  });
});

test("what the first layer reads is called by its column or its place in an embedding", async () => {
  await forAnySelection(({ state, recording }) => {
    state.layer.set(0);
    state.direction.set(recording.layers[0].directions[0]);
    const of = gatePushes(state, recording);
    const width = recording.layers[0].input_size;
    const name = (/** @type {number} */ index) =>
      termName({ from: "input", part: 0, index, weight: 1, value: 1, term: 1 }, of);
    const own = { ...model("m", []), embedding: { word: 1, "word <b>end": width - 1 } };
    of.model = { ...own, embedding: { word: width } };
    assert.equal(name(width - 1), `embedding ${width - 1}`);
    if (width > 1) {
      of.model = own;
      assert.equal(name(0), "word embedding 0");
      assert.equal(name(width - 1), `word <b>end embedding ${width - 2}`);
    }
    of.model = { ...own, split: "table", columns: ["open", "high\n"] };
    assert.equal(name(0), "open");
    assert.equal(name(1), "high⏎");
    assert.equal(name(2), "column 2");
    of.model = undefined;
    assert.equal(name(0), "input 0");
  });
});

test("what is shown adds up, to the b and z that the equations show", async () => {
  await forAnySelection(({ state, recording }, random) => {
    const of = gatePushes(state, recording, random.integer(0, 5));
    const { found } = of;
    assert.ok(found);
    const terms = [...found.shown.map(({ term }) => term), found.rest, found.b];
    const decimals = decimalsFor(random.flip() ? 0.001 : 1);
    const rounded = roundTerms(found, decimals);
    const scale = 10 ** decimals;
    const whole = (/** @type {string} */ text) =>
      Math.round(Number(text.replace("−", "-")) * scale);
    const add = (/** @type {number[]} */ numbers) => numbers.reduce((a, b) => a + b, 0);
    assert.equal(add(rounded.terms.map(whole)), whole(rounded.total));
    rounded.terms.forEach((text, n) => assert.ok(Math.abs(whole(text) - terms[n] * scale) < 2));
    const equation = sum([found.Wx, found.Uh, found.b], decimals);
    assert.deepEqual([rounded.terms.at(-1), rounded.total], [equation.terms[2], equation.total]);

    const [z, gate] = sumLines(of, found.others, rounded, decimals);
    const sides = z.split(" = ").map((side) => side.replace(/([+−]) /g, "$1").replaceAll("+", ""));
    assert.equal(sides.length, 4);
    assert.equal(add(sides[2].split(" ").map(whole)), whole(sides[3]), z);
    assert.ok(gate.startsWith(`${of.gate} = ${of.gate === "g" ? "tanh" : "σ"}(z) = `));
  });
});

test("what is no number, or too large for its places, is shown as it is", async () => {
  await forAnySelection(({ state, recording }, random) => {
    const weights = /** @type {UnitWeights} */ (state.unitWeights.get());
    for (const value of [NaN, Infinity, -Infinity, 1e9]) {
      weights.W.data.fill(value);
      const of = gatePushes(state, recording, random.integer(1, 5));
      assert.ok(of.found);
      const { terms } = roundTerms(of.found, 3);
      of.found.shown.forEach(({ term }, n) => {
        if (!(Math.abs(term) < 1e6)) assert.equal(terms[n], fixed(term));
      });
    }
  });
});

test("equations as text have a line for each quantity, with numbers that are there", async () => {
  await forAnySelection(({ state, recording }) => {
    const lines = equationLines(state, recording);
    assert.equal(lines.length, 6);
    for (const line of lines) assert.doesNotMatch(line, /undefined|NaN|null/);
    state.unitWeights.set(null);
    assert.equal(equationLines(state, recording).length, 2);
    assert.equal(gatePushes(state, recording).found, null);
  });
});
