import assert from "node:assert/strict";
import { test } from "node:test";

import { niceStep } from "../../static/js/network/labels.js";
import { levelsAt } from "../../static/js/network/shot.js";
import { norm, stateNames } from "../../static/js/network/content.js";
import { Recording } from "../../static/js/recording.js";
import { keyframes } from "../../static/js/network/dots.js";
import { forAll } from "./random.js";
import { anyStack, asApi, describe } from "./worlds.js";

/** @import {Sizes} from './worlds.js' */

test("levels fade into each other: none jumps, and something is always seen", () => {
  let before = levelsAt(0.001);
  assert.deepEqual([before.bands, before.cells, before.inside], [1, 0, 0]);
  for (let scale = 0.001; scale < 3000; scale *= 1.002) {
    const levels = levelsAt(scale);
    for (const [name, part] of Object.entries(levels)) {
      const change = Math.abs(part - before[/** @type {keyof typeof before} */ (name)]);
      assert.ok(part >= 0 && part <= 1 && change < 0.02, `${name} at ${scale}`);
    }
    assert.ok(levels.bands + levels.cells + levels.inside >= 1 - 1e-9);
    before = levels;
  }
  assert.deepEqual([before.bands, before.cells, before.inside], [0, 1, 1]);
});

/** @param {Sizes} sizes */
const recordingOf = (sizes) => new Recording(describe(sizes), asApi({}), () => {});

test("states are named as PyTorch numbers them: layer by layer, forward before backward", () => {
  const recording = recordingOf({ layers: 3, bidirectional: true });
  const places = [0, 1, 2].flatMap((layer) =>
    /** @type {const} */ (["forward", "backward"]).map(
      (direction) => stateNames(recording, { layer, direction }).h_n,
    ),
  );
  // h_n has shape (D * num_layers, H): "l0, l0_reverse, l1, …" in the order of the weights.
  assert.deepEqual(
    places,
    [0, 1, 2, 3, 4, 5].map((n) => `h_n[${n}]`),
  );
  const cell = recordingOf({
    modules: [{ kind: "LSTMCell", num_layers: 1, bidirectional: false }],
  });
  assert.equal(stateNames(cell, { layer: 0, direction: "forward" }).c_0, "c_0");
});

test("in any stack every cell's states have their own name, or their module's", () => {
  forAll(300, (random) => {
    const recording = recordingOf(anyStack(random));
    const single = recording.about.lstm.modules.length === 1;
    const names = recording.rows.map((cell) => stateNames(recording, cell).c_n);
    if (single && recording.rows.length > 1) assert.equal(new Set(names).size, names.length);
    if (!single) assert.ok(names.every((name) => name === "c_n"));
  });
});

test("numbers under the columns stand at 1, 2 or 5 times a power of ten", () => {
  forAll(500, (random) => {
    const least = 10 ** random.number(-1, 5);
    const step = niceStep(least);
    assert.ok(step >= least && step >= 1 && step < Math.max(1, 2.5 * least) + 1e-9);
    assert.match(String(step), /^[125]0*$/);
  });
});

test("the norm is the square root of the sum of squares, of however many units", () => {
  const values = Float32Array.from({ length: 300_000 }, () => 0.5);
  assert.ok(Math.abs(norm(values) - Math.sqrt(75_000)) < 1e-6);
  assert.equal(norm([3, -4]), 5);
  assert.ok(Number.isNaN(norm([1, NaN])));
});

test("a dot goes along its wire at an even pace, from the beginning to the end", () => {
  forAll(500, (random) => {
    /** @type {number[]} */
    const points = [];
    for (let n = 0; n < random.integer(2, 7); n++)
      points.push(random.number(-500, 500), random.number(-500, 500));
    const frames = keyframes(points);
    const at = frames.map(({ transform }) =>
      [...String(transform).matchAll(/-?[\d.]+/g)].map(([number]) => Number(number)),
    );
    const near = (/** @type {number[]} */ a, /** @type {number[]} */ b) =>
      Math.hypot(a[0] - b[0], a[1] - b[1]) < 0.2;
    assert.ok(near(at[0], points.slice(0, 2)));
    assert.ok(near(at[at.length - 1], points.slice(-2)));
    // Every corner is passed.
    for (let n = 0; n < points.length; n += 2)
      assert.ok(at.some((place) => near(place, points.slice(n, n + 2))));
    const offsets = frames.map(({ offset }) => Number(offset));
    const paces = offsets.slice(1).map((offset, n) => {
      const way = Math.hypot(at[n + 1][0] - at[n][0], at[n + 1][1] - at[n][1]);
      return { way, time: offset - offsets[n] };
    });
    const whole = paces.reduce((sum, { way }) => sum + way, 0);
    for (const { way, time } of paces) {
      assert.ok(time > 0, "time goes on");
      assert.ok(Math.abs(way / whole - time) < 0.01, "as far as long");
    }
    assert.deepEqual([frames[0].opacity, frames[frames.length - 1].opacity], [0, 0]);
  });
});
