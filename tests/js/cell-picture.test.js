import assert from "node:assert/strict";
import { test } from "node:test";

import {
  cellLayout,
  detail,
  holds,
  squareOf,
  stripGrid,
  unitsAt,
} from "../../static/js/cell/layout.js";
import { cellPartAt, cellPictureParts } from "../../static/js/cell/picture.js";
import { paintVector, speaker } from "../../static/js/cell/vector-images.js";
import { forAll } from "./random.js";

/** @import {Random} from './random.js' */
/** @import {Box} from '../../static/js/cell/layout.js' */

/** @param {Random} random */
const anyCell = (random) => ({
  direction: random.pick(/** @type {const} */ (["forward", "backward"])),
  inputs: random.integer(1, 2),
  projected: random.flip(),
});

/** A box of about the drawing's own shape. @param {Random} random @returns {Box} */
function anyBox(random) {
  const width = random.number(120, 1400);
  const [x, y] = random.numbers(2, -500, 500);
  return { x, y, width, height: width * random.number(0.6, 1.2) };
}

/** @param {Random} random @param {number} units */
function anyContent(random, units) {
  const cell = anyCell(random);
  const names = ["hBefore", "cBefore", "i", "f", "g", "o", "ig", "fc", "c", "tanhC", "m", "h"];
  const all = [...names, "x0", "x1"];
  return {
    ...cell,
    names: Object.fromEntries(all.map((name) => [name, name])),
    vectors: Object.fromEntries(all.map((n) => [n, Float32Array.from(random.numbers(units))])),
    ranges: Object.fromEntries(
      all.map((n) => [n, { low: -1, high: 1, scale: /** @type {const} */ ("diverging") }]),
    ),
    unit: 0,
    gate: "f",
  };
}

/** @param {Box} a @param {Box} b */
const overlap = (a, b) =>
  a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;

test("everything is inside its box, and no two parts lie on each other", () => {
  forAll(200, (random) => {
    const box = anyBox(random);
    const { strips, gates, operators, wires } = cellLayout(box, anyCell(random));
    const parts = [...strips, ...gates, ...operators];
    for (const [n, part] of parts.entries()) {
      assert.ok(
        holds(box, part.x, part.y) && holds(box, part.x + part.width, part.y + part.height),
        part.name,
      );
      for (const other of parts.slice(n + 1))
        assert.ok(!overlap(part, other), `${part.name} and ${other.name}`);
    }
    for (const { points } of wires) for (const point of points) assert.ok(holds(box, ...point, 1));
  });
});

test("a backward cell is the mirror image of a forward one", () => {
  forAll(50, (random) => {
    const box = anyBox(random);
    const cell = anyCell(random);
    const [there, back] = /** @type {const} */ (["forward", "backward"]).map((direction) =>
      cellLayout(box, { ...cell, direction, inputs: 1 }),
    );
    const mirror = (/** @type {Box} */ part) => 2 * box.x + box.width - part.x - part.width;
    for (const kind of /** @type {const} */ (["strips", "gates", "operators"])) {
      there[kind].forEach((part, n) => {
        assert.ok(Math.abs(back[kind][n].x - mirror(part)) < 1e-9);
        assert.equal(back[kind][n].y, part.y);
      });
    }
  });
});

test("the directions of the layer below stand in their own order in every cell", () => {
  for (const direction of /** @type {const} */ (["forward", "backward"])) {
    const box = { x: 0, y: 0, width: 640, height: 440 };
    const { strips } = cellLayout(box, { direction, inputs: 2, projected: false });
    const [first, second] = ["x0", "x1"].map((name) => strips.find((strip) => strip.name === name));
    assert.ok(first && second && first.x < second.x);
  }
});

test("coming nearer only ever adds to what is drawn", () => {
  let last = detail({ x: 0, y: 0, width: 1, height: 1 });
  for (let width = 2; width < 1000; width++) {
    const now = detail({ x: 0, y: 0, width, height: width * 0.7 });
    for (const key of /** @type {const} */ (["wires", "strips", "numbers", "captions"])) {
      assert.ok(now[key] >= last[key] && now[key] - last[key] < 0.05, `${key} at ${width}`);
    }
    last = now;
  }
  assert.deepEqual(last, { wires: 1, strips: 1, numbers: 1, captions: 1 });
});

test("every unit has its square, and pointing at the square finds the unit", () => {
  forAll(300, (random) => {
    const box = { ...anyBox(random), width: random.number(4, 200), height: random.number(4, 60) };
    const units = random.integer(1, 1500);
    const grid = stripGrid(box.width, box.height, units);
    assert.ok(grid.columns * grid.rows * grid.unitsPerSquare >= units);
    const unit = random.integer(0, units - 1);
    const square = squareOf(box, grid, unit);
    const found = unitsAt(
      box,
      grid,
      units,
      square.x + square.width / 2,
      square.y + square.height / 2,
    );
    assert.ok(found && found[0] <= unit && unit < found[1] && found[1] <= units);
    assert.equal(unitsAt(box, grid, units, box.x - 1, box.y), null);
  });
});

test("squares are large enough to be seen, however many units there are", () => {
  forAll(200, (random) => {
    const [width, height] = [random.number(30, 200), random.number(10, 60)];
    const { columns, rows } = stripGrid(width, height, random.integer(1, 4000));
    assert.ok(columns * rows <= Math.ceil((width * height) / 2.5 ** 2) + columns);
    assert.ok(Math.min(width / columns, height / rows) > 1.5);
  });
});

test("a square of several units shows the one furthest from their mean, as pooled heatmaps do", () => {
  forAll(300, (random) => {
    const few = [-1, 0, 0.5, 1];
    const values = Float32Array.from({ length: random.integer(1, 12) }, () =>
      random.flip() ? random.pick(few) : random.number(-1, 1),
    );
    const mean = values.reduce((a, b) => a + b) / values.length;
    const by = (/** @type {number} */ v) => [Math.abs(v - mean), Math.abs(v), v];
    const [best] = [...values].map(by).sort((a, b) => b[0] - a[0] || b[1] - a[1] || b[2] - a[2]);
    assert.equal(values[speaker(values, 0, values.length)], best[2]);
  });
  assert.equal(speaker(Float32Array.of(5, NaN, 9), 0, 3), 1);
});

test("each square is painted in the colour of its unit", () => {
  forAll(100, (random) => {
    const units = random.integer(1, 300);
    const values = Float32Array.from(random.numbers(units));
    const grid = stripGrid(80, 24, units);
    const table = Uint32Array.from({ length: 257 }, (_, n) => n);
    const pixels = new Uint32Array(grid.columns * grid.rows).fill(999);
    paintVector(pixels, values, grid, { low: -1, high: 1, table });
    const squares = Math.ceil(units / grid.unitsPerSquare);
    for (let n = 0; n < pixels.length; n++) {
      if (n >= squares) assert.equal(pixels[n], 999);
      else {
        const from = n * grid.unitsPerSquare;
        const own = values[speaker(values, from, Math.min(units, from + grid.unitsPerSquare))];
        assert.ok(Math.abs(pixels[n] / 255 - (own + 1) / 2) < 0.003);
      }
    }
  });
});

test("from far away a cell is h alone; near, every gate, operator and vector can be pointed at", () => {
  forAll(50, (random) => {
    const content = anyContent(random, random.integer(1, 600));
    const far = { x: 3, y: 4, width: 50, height: 34 };
    assert.deepEqual(cellPictureParts(far, content), [{ ...far, kind: "vector", name: "h" }]);
    const box = { x: 3, y: 4, width: 640, height: 440 };
    const parts = cellPictureParts(box, content);
    assert.equal(parts.filter(({ kind }) => kind === "gate").length, 4);
    for (const { kind, name, x, y, width, height } of parts) {
      const found = cellPartAt(box, content, x + 0.1, y + height / 2);
      assert.deepEqual([found?.part.kind, found?.part.name], [kind, name]);
      const inside = found?.unit;
      if (kind === "vector") assert.ok(inside !== null && inside !== undefined && width > 0);
      else assert.equal(inside, null);
    }
    assert.equal(cellPartAt(box, content, box.x + 118, box.y + 120), null);
  });
});
