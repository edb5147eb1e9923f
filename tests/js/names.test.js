import assert from "node:assert/strict";
import { test } from "node:test";

import { at, stackName } from "../../static/js/names.js";
import { subscript } from "../../static/js/format.js";
import { describe } from "./worlds.js";

test("a value is named by its letter and its timestep, or as the initial one", () => {
  for (const timestep of [0, 1, 9, 10, 123]) {
    const name = at("c", timestep);
    assert.ok(name.startsWith("c") && name.slice(1) === subscript(timestep));
  }
  assert.equal(at("h", null), "h initial");
});

test("a stack is named by its layers, their units and its directions", () => {
  const name = (/** @type {import('./worlds.js').Sizes} */ sizes) =>
    stackName(describe(sizes).lstm);
  const one = { bidirectional: false, num_layers: 1 };
  assert.equal(name({ layers: 2, units: 64 }), "2 × 64 ⇄");
  assert.equal(name({ layers: 1, units: 5, bidirectional: false }), "1 × 5 →");
  assert.equal(name({ units: 5, modules: [{ ...one, kind: "BackwardLSTM" }] }), "1 × 5 ←");
  const chain = [1152, 1152, 400].map((hidden_size) => ({ ...one, hidden_size }));
  assert.equal(name({ modules: chain }), "1152 · 1152 · 400 →");
  assert.equal(name({ modules: [...chain, ...chain] }), "6 layers →");
  assert.equal(name({ modules: [{ bidirectional: true, num_layers: 1 }, one] }), "2 × 4 ⇄");
});
