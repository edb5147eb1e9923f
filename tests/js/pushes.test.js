import assert from "node:assert/strict";
import { test } from "node:test";

import { sum } from "../../static/js/format.js";
import { largest, pushes } from "../../static/js/cell/pushes.js";
import { createRandom, forAll } from "./random.js";

/** @import {Random} from './random.js' */

/** A unit's weights and what they meet. @param {Random} random */
function anyGate(random) {
  const widths = Array.from({ length: random.integer(1, 2) }, () => random.integer(1, 40));
  const hidden = random.integer(1, 40);
  const inputs = widths.reduce((a, b) => a + b);
  const spread = 10 ** random.integer(-6, 3);
  const array = (/** @type {number[]} */ ...shape) => ({
    shape,
    data: Float32Array.from(random.numbers(shape[0] * shape[1], -spread, spread)),
  });
  return {
    weights: { W: array(4, inputs), U: array(4, hidden), b: array(4, 2) },
    x: widths.map((width) => Float32Array.from(random.numbers(width))),
    h: Float32Array.from(random.numbers(hidden)),
    gate: random.integer(0, 3),
    inputs,
    hidden,
  };
}

/** Every term by the formula, with no order. @param {ReturnType<typeof anyGate>} given */
function bruteForce({ weights: { W, U, b }, x, h, gate }) {
  const read = x.flatMap((part) => [...part]);
  const rows = [W, U].map(({ shape, data }) =>
    [...data].slice(gate * shape[1], (gate + 1) * shape[1]),
  );
  const terms = [...rows[0].map((w, j) => w * read[j]), ...rows[1].map((u, j) => u * h[j])];
  return { read, rows, terms, b: b.data[2 * gate] + b.data[2 * gate + 1] };
}

/** @param {number[]} numbers */
const total = (numbers) => numbers.reduce((a, b) => a + b, 0);

test("what is shown, the rest and b add up to the pre-activation, however many are shown", () => {
  forAll(300, (random) => {
    const given = anyGate(random);
    const { weights, gate, x, h } = given;
    const { terms, b } = bruteForce(given);
    const z = total(terms) + b;
    const most = total(terms.map(Math.abs)) + Math.abs(b);
    for (const count of [0, 1, random.integer(1, 60), terms.length, Infinity]) {
      const found = pushes(weights, gate, x, h, count);
      assert.equal(found.shown.length, Math.min(count, terms.length));
      assert.equal(found.others, terms.length - found.shown.length);
      assert.equal(found.b, b);
      const adds = total(found.shown.map(({ term }) => term)) + found.rest + found.b;
      assert.ok(Math.abs(adds - z) <= 1e-13 * most, `${adds} is not ${z}`);
      assert.equal(found.z, adds);
    }
  });
});

test("the largest come first, and no term that is left out is larger", () => {
  forAll(200, (random) => {
    const given = anyGate(random);
    const { terms } = bruteForce(given);
    const count = random.integer(1, 90);
    const { shown } = pushes(given.weights, given.gate, given.x, given.h, count);
    const sizes = terms.map(Math.abs).sort((a, b) => b - a);
    assert.deepEqual(
      shown.map(({ term }) => Math.abs(term)),
      sizes.slice(0, count),
    );
  });
});

test("every term says what it is a product of, each once", () => {
  forAll(200, (random) => {
    const given = anyGate(random);
    const { rows } = bruteForce(given);
    const { shown } = pushes(given.weights, given.gate, given.x, given.h);
    const seen = new Set(shown.map(({ from, part, index }) => `${from} ${part} ${index}`));
    assert.equal(seen.size, given.inputs + given.hidden);
    for (const { from, part, index, weight, value, term } of shown) {
      const vector = from === "hidden" ? given.h : given.x[part];
      const before = from === "hidden" ? 0 : total(given.x.slice(0, part).map((v) => v.length));
      assert.equal(value, vector[index]);
      assert.equal(weight, rows[from === "hidden" ? 1 : 0][before + index]);
      assert.equal(term, weight * value);
    }
  });
});

test("the terms as they are shown add up to the pre-activation as it is shown", () => {
  forAll(200, (random) => {
    const given = anyGate(random);
    const { shown, rest, b, z } = pushes(given.weights, given.gate, given.x, given.h, 10);
    const rounded = sum([...shown.map(({ term }) => term), rest, b]);
    const thousandths = (/** @type {string} */ text) =>
      Math.round(Number(text.replace("−", "-")) * 1000);
    assert.equal(total(rounded.terms.map(thousandths)), thousandths(rounded.total));
    assert.ok(Math.abs(thousandths(rounded.total) / 1000 - z) <= 0.0005 + 1e-9);
  });
});

test("keeping the best so far and sorting find the same, in the same order", () => {
  forAll(100, (random) => {
    const few = [-1, -0.5, 0, 0.5, 1, NaN];
    const terms = Float64Array.from({ length: random.integer(41, 200) }, () =>
      random.flip() ? random.pick(few) : random.number(-1, 1),
    );
    const all = [...largest(terms, Infinity)];
    for (const count of [0, 1, 10, 40]) {
      assert.deepEqual([...largest(terms, count)], all.slice(0, count));
    }
  });
});

test("what is no number is not hidden in the rest", () => {
  forAll(50, (random) => {
    const given = anyGate(random);
    const at = random.integer(0, given.hidden - 1);
    given.h[at] = NaN;
    const { shown, rest, z } = pushes(given.weights, given.gate, given.x, given.h, 1);
    assert.deepEqual([shown[0].from, shown[0].index], ["hidden", at]);
    assert.ok(Number.isFinite(rest) && Number.isNaN(z));
  });
});

test("weights that read something else are refused", () => {
  const given = anyGate(createRandom(1));
  assert.throws(
    () => pushes(given.weights, 0, [...given.x, Float32Array.of(1)], given.h),
    /numbers, but there are/,
  );
});
