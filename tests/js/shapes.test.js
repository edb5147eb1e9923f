import assert from "node:assert/strict";
import { test } from "node:test";

import { Recording } from "../../static/js/recording.js";
import { shapeRows } from "../../static/js/views/shapes.js";
import { forAll } from "./random.js";
import { anyStack, asApi, describe } from "./worlds.js";

/** @import {Sizes} from './worlds.js' */

/**
 * The shapes PyTorch documents, found by running sizes through the modules instead of by formula.
 * @param {Sizes} sizes
 */
function shapesOf(sizes) {
  const { timesteps, lstm } = describe(sizes);
  const names = (/** @type {string} */ letter, /** @type {number} */ count) =>
    Array.from({ length: count }, (_, n) => `${letter}${n}`);
  let reads = names("x", lstm.modules[0].input_size);
  /** @type {Record<string, number[]>} */
  const shapes = { x: [timesteps, reads.length] };
  lstm.modules.forEach((module, n) => {
    const { kind, num_layers, bidirectional, bias, hidden_size, proj_size } = module;
    const gates = ["i", "f", "g", "o"].flatMap((gate) => names(gate, hidden_size));
    const said = names("h", proj_size > 0 ? proj_size : hidden_size);
    const [entry, prefix] = lstm.listed ? [`[${n}]`, `[${n}].`] : ["", ""];
    let cells = 0;
    for (let layer = 0; layer < num_layers; layer++) {
      const end = kind === "LSTMCell" ? "" : `_l${layer}`;
      shapes[`${prefix}weight_ih${end}`] = [gates.length, reads.length];
      shapes[`${prefix}weight_hh${end}`] = [gates.length, said.length];
      if (bias) shapes[`${prefix}bias_ih${end}, ${prefix}bias_hh${end}`] = [gates.length];
      if (proj_size > 0) shapes[`${prefix}weight_hr${end}`] = [said.length, hidden_size];
      reads = bidirectional ? [...said, ...said] : said;
      cells += bidirectional ? 2 : 1;
    }
    const axis = kind === "LSTMCell" ? [] : [cells];
    shapes[`h_n${entry}`] = [...axis, said.length];
    shapes[`c_n${entry}`] = [...axis, hidden_size];
  });
  shapes.output = [timesteps, reads.length];
  return shapes;
}

/** @param {Sizes} sizes */
const rowsOf = (sizes) => shapeRows(new Recording(describe(sizes), asApi({}), () => {}));

/** @param {Sizes} sizes */
function check(sizes) {
  const rows = rowsOf(sizes);
  const shown = new Map(rows.map(([name, shape]) => [name, shape]));
  assert.equal(shown.size, rows.length, "no name twice");
  assert.equal(
    shown.delete("…_reverse"),
    describe(sizes).lstm.modules.some(({ bidirectional }) => bidirectional),
    "the backward direction has weights of its own",
  );
  const expected = Object.entries(shapesOf(sizes)).map(([name, axes]) => [
    name,
    `(${axes.join(", ")})`,
  ]);
  assert.deepEqual(Object.fromEntries(shown), Object.fromEntries(expected));
  assert.ok(
    rows.every(([, , what]) => what.length > 10),
    "every row says what it is",
  );
}

test("the table names everything nn.LSTM takes, returns and holds, with its shape", () => {
  for (const bidirectional of [false, true]) {
    for (const bias of [false, true]) {
      for (const proj of [0, 3]) {
        for (const layers of [1, 2, 4])
          check({ timesteps: 7, input: 5, units: 6, layers, bidirectional, proj, bias });
      }
    }
  }
});

test("the table is right for every list of LSTMs, cells and backward LSTMs", () => {
  forAll(500, (random) => check({ timesteps: random.integer(1, 9), ...anyStack(random) }));
});

test("the meaning of a state names the timestep it is from", () => {
  const chain = { timesteps: 9, input: 4, bidirectional: false, layers: 1 };
  const what = (/** @type {Sizes} */ sizes) =>
    Object.fromEntries(rowsOf({ ...chain, ...sizes }).map(([name, , text]) => [name, text]));
  assert.match(what({}).h_n, /timestep 8.*output\[-1\]/);
  assert.match(what({ modules: [{ kind: "BackwardLSTM" }] }).h_n, /timestep 0.*output\[0\]/);
  assert.match(what({ modules: [{ kind: "LSTMCell" }] }).h_n, /timestep 8.*no axis of layers/);
  const listed = what({ modules: [{ num_layers: 2, bidirectional: true }, { input_size: 8 }] });
  assert.match(listed["h_n[0]"], /every layer and direction/);
  assert.doesNotMatch(listed["h_n[0]"], /output/);
  assert.match(listed["[1].weight_ih_l0"], /both directions of layer 1, 2 · 4/);
});

test("a model that reads a table has rows of it for x", () => {
  const recording = new Recording(describe(), asApi({}), () => {});
  assert.match(shapeRows(recording, true)[0][2], /one row of the table/);
  assert.match(shapeRows(recording)[0][2], /embedding/);
});
