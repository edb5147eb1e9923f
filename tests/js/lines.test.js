import assert from "node:assert/strict";
import { test } from "node:test";

import {
  bandsOf,
  endsOf,
  niceEnds,
  scaleY,
  stackBands,
  vertices,
} from "../../static/js/unit/lines.js";
import { forAll } from "./random.js";

/** @import {Random} from './random.js' */
/** @import {Quantity} from '../../static/js/types.js' */

const y = (/** @type {number} */ value) => -value;

/** @param {number[]} path  x and y in turn @returns {[number, number][][]} */
function linesOf(path) {
  /** @type {[number, number][][]} */
  const lines = path.length ? [[]] : [];
  for (let n = 0; n < path.length; n += 2) {
    if (Number.isNaN(path[n])) lines.push([]);
    else lines[lines.length - 1].push([path[n], path[n + 1]]);
  }
  return lines;
}

/** @param {Random} random */
function anyLine(random) {
  const timesteps = random.integer(1, 400);
  const values = Float32Array.from(random.numbers(timesteps));
  if (random.flip())
    for (let n = 0; n < timesteps / 20; n++)
      values[random.integer(0, timesteps - 1)] = random.pick([NaN, Infinity, -Infinity]);
  const first = random.integer(0, timesteps - 1);
  const last = random.integer(first + 1, timesteps);
  const columnWidth = random.flip() ? random.number(0.01, 1) : random.number(1, 150);
  return { values, window: { first, last, offset: -random.next() * columnWidth, columnWidth } };
}

/** The finite points, line by line: the slow way. @param {ReturnType<typeof anyLine>} line */
function allPoints({ values, window: { first, last, offset, columnWidth } }) {
  /** @type {[number, number][][]} */
  const lines = [];
  let open = false;
  for (let t = first; t < last; t++) {
    const finite = Number.isFinite(values[t]);
    if (finite && !open) lines.push([]);
    if (finite)
      lines[lines.length - 1].push([offset + (t - first + 0.5) * columnWidth, y(values[t])]);
    open = finite;
  }
  return lines;
}

/** Lowest and highest in each pixel column, first and last. @param {[number, number][]} points */
function columnsOf(points) {
  /** @type {Map<number, number[]>} */
  const columns = new Map();
  for (const [x, value] of points)
    columns.set(Math.floor(x), [...(columns.get(Math.floor(x)) ?? []), value]);
  return [...columns].map(([x, values]) => [
    x,
    Math.min(...values),
    Math.max(...values),
    values[0],
    values[values.length - 1],
  ]);
}

test("a line that is thinned out covers the same pixels as the line through all points", () => {
  forAll(300, (random) => {
    const line = anyLine(random);
    const drawn = linesOf(vertices(line.values, line.window, y));
    const all = allPoints(line);
    assert.deepEqual(drawn.map(columnsOf), all.map(columnsOf));
    drawn.forEach((points, n) => {
      const known = new Set(all[n].map(String));
      assert.ok(
        points.every((point) => known.has(String(point))),
        "every vertex is a timestep",
      );
      const xs = points.map(([x]) => x);
      assert.deepEqual(
        xs,
        [...xs].sort((a, b) => a - b),
      );
    });
  });
});

test("no pixel column has more than four vertices, whatever the length", () => {
  const values = Float32Array.from({ length: 10_000 }, (_, t) => Math.sin(t * t));
  const window = { first: 0, last: 10_000, offset: 0, columnWidth: 0.09 };
  const path = vertices(values, window, y);
  assert.ok(path.length / 2 <= 4 * 900, `${path.length / 2} vertices`);
  const fine = vertices(values, window, y, 0.5);
  assert.ok(fine.length > path.length, "a screen with more pixels shows more");
});

test("a single spike stays", () => {
  forAll(30, (random) => {
    const values = new Float32Array(5000);
    const at = random.integer(0, 4999);
    values[at] = 0.7;
    const path = vertices(values, { first: 0, last: 5000, offset: 0, columnWidth: 0.1 }, y);
    assert.ok(path.includes(y(values[at])));
  });
});

test("the ends of an axis hold the values, and are numbers one writes on an axis", () => {
  forAll(300, (random) => {
    const size = 10 ** random.integer(-6, 6);
    const [a, b] = random.numbers(2).map((value) => value * size);
    const [low, high] = niceEnds(Math.min(a, b), Math.max(a, b));
    assert.ok(low <= Math.min(a, b) && high >= Math.max(a, b), `${low} ${high} for ${a} ${b}`);
    const most = Math.max(Math.abs(a), Math.abs(b));
    assert.ok(Math.max(-low, high) <= 2.5 * most * (1 + 1e-9), "more than half of it is used");
    for (const end of [low, high])
      assert.match(String(Math.abs(end)), /^0$|^[0.]*[125](0*|e[-+]\d+)$/);
    if (a < 0 && b < 0) assert.equal(high, 0);
    if (a > 0 && b > 0) assert.equal(low, 0);
  });
  for (const none of [NaN, 0, Infinity]) assert.deepEqual(niceEnds(none, none), [-1, 1]);
});

test("bands lie below each other and a value lies between the ends of its band", () => {
  const { bands, height } = stackBands([{ height: 100 }, { height: 50 }], 10);
  assert.deepEqual(bands, [
    { top: 0, height: 100 },
    { top: 110, height: 50 },
  ]);
  assert.equal(height, 160);
  const place = scaleY(bands[1], [-2, 2]);
  assert.ok(place(2) > 110 && place(2) < place(0) && place(0) === 135);
  assert.ok(place(-2) < 160);
});

/** @type {(name: string, low: number | null, high: number | null, shown: [number, number]) => Quantity} */
const quantity = (name, low, high, [shown_low, shown_high]) => ({
  ...{ name, low, high, shown_low, shown_high },
  ...{ label: name, formula: "", sentence: "", scale: "diverging" },
});

const SIX = [
  quantity("i", 0, 1, [0, 1]),
  quantity("f", 0, 1, [0, 1]),
  quantity("g", -1, 1, [-1, 1]),
  quantity("o", 0, 1, [0, 1]),
  quantity("c", null, null, [-3, 3]),
  quantity("h", null, null, [-1, 1]),
];

test("gates share an axis, g and h another, c has its own at the bottom", () => {
  const bands = bandsOf(SIX).map(({ quantities, fitted }) => [
    quantities.map(({ name }) => name).join(""),
    fitted,
  ]);
  assert.deepEqual(bands, [
    ["ifo", false],
    ["gh", false],
    ["c", true],
  ]);
});

test("an axis ends where its quantities do; what nothing bounds is fitted", () => {
  const [gates, tanh, c] = bandsOf(SIX);
  const none = { low: NaN, high: NaN };
  assert.deepEqual(endsOf(gates, [{ low: 0.4, high: 0.5 }, none, none]), [0, 1]);
  const small = { low: -0.2, high: 0.1 };
  assert.deepEqual(endsOf(tanh, [small, small]), [-1, 1]);
  assert.deepEqual(endsOf(tanh, [small, { low: -4, high: 0.5 }]), [-5, 5], "h of a projection");
  assert.deepEqual(endsOf(c, [{ low: 0.1, high: 17 }]), [0, 20]);
  assert.deepEqual(endsOf(c, [none]), [-3, 3]);
});
