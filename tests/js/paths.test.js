import assert from "node:assert/strict";
import { test } from "node:test";

import { alsoOf, cellsOf, readChoices, readTurn, sentenceOf, turned, whyNotShared, withCell, writeChoices, writeTurn } from "../../static/js/paths/choices.js"; // prettier-ignore
import { pathsHere, principalPaths } from "../../static/js/paths/components.js";
import { nearest } from "../../static/js/paths/hits.js";
import { overlap, placeAll, placeLabels, spread } from "../../static/js/paths/labels.js";
import { gridOf } from "../../static/js/paths/layout.js";
import { axisName, passedOf, spacesOf, turnedAround } from "../../static/js/paths/paths.js";
import { SIZE, boundsOf, project, rotation, roundLength, viewOf } from "../../static/js/paths/projection.js"; // prettier-ignore
import { styleOf } from "../../static/js/paths/styles.js";
import { createTrace } from "../../static/js/paths/trace.js";
import { explanation, oddities } from "../../static/js/paths/words.js";
import { Recording } from "../../static/js/recording.js";
import { waves } from "../../static/js/time/transport.js";
import { forAll } from "./random.js";
import { describe } from "./worlds.js";

/** @import {Api} from '../../static/js/api.js' */
/** @import {Cell} from '../../static/js/types.js' */
/** @import {Random} from './random.js' */

const FORWARD = /** @type {Cell} */ ({ layer: 0, direction: "forward" });
const BACKWARD = /** @type {Cell} */ ({ layer: 0, direction: "backward" });
const PANEL = { x: 10, y: 20, width: 300, height: 200 };

/** Points [count, SIZE]. @param {Random} random @param {number} count */
const anyPoints = (random, count) => Float32Array.from(random.numbers(count * SIZE, -3, 3));

/** @param {Random} random */
const anyTurn = (random) => ({ yaw: random.number(-180, 180), pitch: random.number(-90, 90) });

/** @param {number[]} x @param {number[]} y */
const placesOf = (x, y) => ({ x: Float32Array.from(x), y: Float32Array.from(y), near: null });

/** @param {number[][]} a @param {number[][]} b */
const product = (a, b) =>
  a.map((row) => row.map((_, n) => row.reduce((sum, value, k) => sum + value * b[k][n], 0)));

test("a turned space keeps its lengths and its handedness", () => {
  forAll(100, (random) => {
    const rows = rotation(anyTurn(random));
    const transposed = rows.map((_, n) => rows.map((row) => row[n]));
    product(rows, transposed).forEach((row, n) =>
      row.forEach((value, k) => assert.ok(Math.abs(value - Number(n === k)) < 1e-12)),
    );
    const [[a, b, c], [d, e, f], [g, h, i]] = rows;
    const determinant = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g);
    assert.ok(Math.abs(determinant - 1) < 1e-12);
  });
  assert.deepEqual(rotation({ yaw: 0, pitch: 0 }).flat(), [1, 0, 0, 0, 1, -0, -0, 0, 1]);
});

test("in the plane all points are on the panel, and distances are those of the first two components", () => {
  forAll(100, (random) => {
    const points = anyPoints(random, random.integer(2, 40));
    const bounds = boundsOf([points]);
    assert.ok(bounds);
    const view = viewOf(bounds, PANEL, 2, anyTurn(random));
    const { x, y, near } = project(points, view);
    assert.equal(near, null);
    for (let n = 0; n < x.length; n++) {
      assert.ok(x[n] > PANEL.x - 0.01 && x[n] < PANEL.x + PANEL.width + 0.01);
      assert.ok(y[n] > PANEL.y - 0.01 && y[n] < PANEL.y + PANEL.height + 0.01);
      const [dx, dy] = [points[SIZE * n] - points[0], points[SIZE * n + 1] - points[1]];
      assert.ok(Math.abs(x[n] - x[0] - dx * view.scale) < 1e-3);
      assert.ok(Math.abs(y[0] - y[n] - dy * view.scale) < 1e-3);
    }
    // As large as can be: it touches two edges.
    const touches = (
      /** @type {Float32Array} */ all,
      /** @type {number} */ low,
      /** @type {number} */ size,
    ) => Math.abs(Math.min(...all) - low) < 0.01 && Math.abs(Math.max(...all) - low - size) < 0.01;
    assert.ok(touches(x, PANEL.x, PANEL.width) || touches(y, PANEL.y, PANEL.height));
  });
});

test("in space all points are on the panel however it is turned, and turning around changes no scale", () => {
  forAll(100, (random) => {
    const points = anyPoints(random, random.integer(2, 40));
    const bounds = boundsOf([points]);
    assert.ok(bounds);
    const turn = anyTurn(random);
    const view = viewOf(bounds, PANEL, 3, turn);
    const { x, y, near } = project(points, view);
    for (let n = 0; n < x.length; n++) {
      assert.ok(x[n] > PANEL.x - 0.01 && x[n] < PANEL.x + PANEL.width + 0.01);
      assert.ok(y[n] > PANEL.y - 0.01 && y[n] < PANEL.y + PANEL.height + 0.01);
      assert.ok(near && near[n] > -1e-6 && near[n] < 1 + 1e-6);
    }
    assert.equal(viewOf(bounds, PANEL, 3, { ...turn, yaw: 17 }).scale, view.scale);
  });
});

test("a single point, points that are none, and no point at all have a place or none", () => {
  const one = Float32Array.from([2, -1, 0.5]);
  const bounds = boundsOf([one]);
  assert.ok(bounds);
  for (const dims of [2, 3]) {
    const { x, y } = project(one, viewOf(bounds, PANEL, dims, { yaw: 30, pitch: 20 }));
    assert.deepEqual([x[0], y[0]], [160, 120]);
  }
  const gap = Float32Array.from([0, 0, 0, NaN, NaN, NaN, 1, 1, 1]);
  const found = boundsOf([gap]);
  assert.deepEqual([found?.low, found?.high], [[0, 0, 0], [1, 1, 1]]); // prettier-ignore
  assert.ok(found);
  assert.ok(Number.isNaN(project(gap, viewOf(found, PANEL, 2, { yaw: 0, pitch: 0 })).x[1]));
  assert.equal(boundsOf([gap.subarray(3, 6)]), null);
  assert.equal(boundsOf([]), null);
});

test("a length to measure with is round and fits", () => {
  forAll(100, (random) => {
    const [scale, most] = [10 ** random.number(-4, 4), random.number(20, 100)];
    const length = roundLength(scale, most);
    assert.ok(length * scale <= most * (1 + 1e-9) && length * scale > most / 2.51);
    assert.match(String(Number(length.toExponential(3))).replace(/[0.]|e.*/g, ""), /^[125]$/);
  });
});

test("the point under a pointer is the nearest one, by brute force", () => {
  forAll(100, (random) => {
    const paths = Array.from({ length: random.integer(1, 4) }, () => {
      const count = random.integer(0, 30);
      return placesOf(random.numbers(count, 0, 200), random.numbers(count, 0, 200));
    });
    const [x, y, reach] = [random.number(0, 200), random.number(0, 200), random.number(1, 60)];
    const all = paths.flatMap((places, path) =>
      [...places.x].map((px, at) => ({ path, at, far: Math.hypot(px - x, places.y[at] - y) })),
    );
    const best = all.filter(({ far }) => far < reach).sort((a, b) => a.far - b.far)[0];
    assert.deepEqual(nearest(paths, x, y, reach), best ? { path: best.path, at: best.at } : null);
  });
  assert.equal(nearest([placesOf([NaN], [NaN])], 0, 0, 50), null);
  // Where two lie upon each other, the run on the screen.
  const same = placesOf([5], [5]);
  assert.deepEqual(nearest([same, same], 4, 5, 9), { path: 0, at: 0 });
});

test("labels cover neither each other nor points, and stay on the panel", () => {
  forAll(60, (random) => {
    const count = random.integer(1, 60);
    const places = placesOf(random.numbers(count, 10, 310), random.numbers(count, 20, 220));
    const wanted = [...places.x].map((x, n) => ({
      x,
      y: places.y[n],
      width: random.number(8, 60),
      size: 3,
    }));
    const of = { box: PANEL, height: 14, gap: 6, points: [places], size: 3 };
    const found = placeLabels(wanted, of).filter((label) => label !== null);
    found.forEach((label, n) => {
      assert.ok(found.every((other, k) => k === n || !overlap(label, other)));
      assert.ok(label.x >= PANEL.x && label.x + label.width <= PANEL.x + PANEL.width);
      for (let k = 0; k < count; k++) {
        const dot = { x: places.x[k] - 3, y: places.y[k] - 3, width: 6, height: 6 };
        assert.ok(!overlap(label, dot));
      }
    });
    // A point alone always has its label.
    if (count === 1) assert.equal(found.length, 1);
    // The label of now is always there.
    assert.ok(placeAll(wanted, of)[0]);
  });
});

test("labels are tried so that the first few are spread over the whole path", () => {
  for (const count of [0, 1, 2, 3, 7, 100]) {
    const order = spread(count);
    assert.deepEqual([...order].sort((a, b) => a - b), Array.from({ length: count }, (_, n) => n)); // prettier-ignore
  }
  assert.deepEqual(spread(101).slice(0, 5), [0, 100, 50, 25, 75]);
});

test("panels lie on the screen, side by side where there is room, and never over each other", () => {
  forAll(100, (random) => {
    const count = random.integer(1, 20);
    const width = random.number(320, 2000);
    const { boxes, height } = gridOf(count, { width, height: random.number(200, 1200) });
    assert.equal(boxes.length, count);
    boxes.forEach((box, n) => {
      assert.ok(box.x >= 0 && box.x + box.width <= width + 1 && box.y + box.height <= height + 1);
      assert.ok(box.height >= 207);
      assert.ok(boxes.every((other, k) => k === n || !overlap(box, other)));
    });
  });
  const columns = (/** @type {number} */ together) =>
    new Set(gridOf(16, { width: 800, height: 600 }, together).boxes.map(({ x }) => x)).size;
  assert.deepEqual([columns(1), columns(2)], [3, 2]);
  assert.equal(new Set(gridOf(4, { width: 360, height: 400 }).boxes.map(({ x }) => x)).size, 1);
  assert.equal(new Set(gridOf(4, { width: 1000, height: 520 }).boxes.map(({ x }) => x)).size, 2);
});

test("the pixels of long paths are, step by step in any order, those of a path drawn as far at once", () => {
  forAll(30, (random) => {
    const lines = Array.from({ length: random.integer(1, 3) }, (_, n) => {
      const count = random.integer(1, 30);
      const places = placesOf(random.numbers(count, -4, 44), random.numbers(count, -4, 34));
      if (random.flip()) places.x[random.integer(0, count - 1)] = NaN;
      const colour = (/** @type {number} */ at) => 1000 * n + at;
      const dash = random.pick([[], [3, 2]]);
      const looks = { join: random.flip(), dense: random.flip(), dash };
      return { places, colour, size: random.pick([0, 1, 2.5]), ...looks };
    });
    const counts = lines.map(({ places }) => places.x.length);
    const moving = createTrace(40, 30, lines);
    for (let step = 0; step < 6; step++) {
      const now = counts.map((count) => random.integer(0, count));
      const before = moving.pixels.slice();
      const box = moving.pass(now);
      const once = createTrace(40, 30, lines);
      once.pass(now);
      assert.deepEqual(moving.pixels, once.pixels);
      moving.pixels.forEach((pixel, at) => {
        if (pixel === before[at]) return;
        const [x, y] = [at % 40, Math.floor(at / 40)];
        assert.ok(
          box && x >= box.x && y >= box.y && x < box.x + box.width && y < box.y + box.height,
        );
      });
    }
  });
});

test("what has been passed is stronger than what has not, and only the way there is", () => {
  const line = {
    places: placesOf([2.5, 30.5, 30.5], [5.5, 5.5, 20]),
    colour: () => 7,
    size: 1,
    join: true,
    dash: [],
    dense: false,
  };
  const trace = createTrace(40, 30, [line]);
  const alpha = (/** @type {number} */ x, /** @type {number} */ y) =>
    trace.pixels[y * 40 + x] >>> 24;
  const faint = alpha(15, 5);
  assert.ok(faint > 0 && alpha(15, 25) === 0);
  assert.equal(trace.pixels[5 * 40 + 15] & 0xffffff, 7);
  trace.pass([2]);
  assert.ok(alpha(15, 5) > 2 * faint);
  assert.equal(alpha(30, 13), faint);
  trace.pass([0]);
  assert.equal(alpha(15, 5), faint);
});

test("time runs along a path as its cell reads, and every sentence is as far as the one on the screen", () => {
  const layers = describe({ layers: 1 }).lstm.layers;
  for (const order of /** @type {const} */ (["sentence", "processing"])) {
    const course = { order, timesteps: 5, waves: waves(layers) };
    const path = (/** @type {Cell} */ cell, timesteps = 5) => ({
      ...{ run: 0, cell, name: "", points: new Float32Array(0), timesteps, missing: 0 },
      style: styleOf(0),
    });
    const forward = [0, 1, 2, 3, 4].map((step) => passedOf(course, step, path(FORWARD)));
    const backward = [0, 1, 2, 3, 4].map((step) => passedOf(course, step, path(BACKWARD)));
    assert.deepEqual(forward, [1, 2, 3, 4, 5]);
    assert.deepEqual(backward, order === "sentence" ? [5, 4, 3, 2, 1] : [1, 2, 3, 4, 5]);
    assert.equal(passedOf(course, 3, path(FORWARD, 2)), 2);
    assert.equal(passedOf(course, 3, path(FORWARD, 9)), 4);
  }
  assert.equal(turnedAround({ cell: BACKWARD, timesteps: 5 }, 0), 4);
  assert.equal(turnedAround({ cell: FORWARD, timesteps: 5 }, 0), 0);
});

test("what the server sent is a space for each cell, or one for all", () => {
  const array = (/** @type {number[]} */ ...data) => ({ shape: [data.length / 3, 3], data: Float32Array.from(data) }); // prettier-ignore
  const arrays = new Map([
    ["0.0.forward.h", array(1, 2, 3, 4, 5, 6)],
    ["0.0.backward.h", array(1, 2, 3, NaN, NaN, NaN)],
    ["1.0.forward.h", array(7, 8, 9)],
    ["1.0.backward.h", array(7, 8, 9)],
    ["explained.0.forward.h", { shape: [3], data: Float32Array.from([0.5, 0.25, 0.125]) }],
    ["explained.0.backward.h", { shape: [3], data: new Float32Array(3) }],
    ["explained", { shape: [3], data: Float32Array.from([1, 0, 0]) }],
  ]);
  const runs = [0, 1].map((n) => ({ about: describe({ id: `r${n}` }), title: "" }));
  const cells = [FORWARD, BACKWARD];
  const own = spacesOf(arrays, runs, cells, { of: "h", space: "own" });
  assert.deepEqual(own.map(({ cell }) => cell), cells); // prettier-ignore
  assert.deepEqual([...own[0].paths[0].points], [1, 2, 3, 4, 5, 6]);
  assert.deepEqual([...own[1].paths[0].points], [NaN, NaN, NaN, 1, 2, 3]);
  assert.equal(own[1].paths[0].missing, 1);
  assert.equal(axisName(own[0].explained, 1), "PC 2 · 25\u00a0%");
  assert.equal(axisName(own[1].explained, 0), "PC 1");
  const [all] = spacesOf(arrays, runs, cells, { of: "h", space: "shared" });
  assert.deepEqual(all.paths.map(({ run }) => run), [0, 0, 1, 1]); // prettier-ignore
  // Every path can be told from every other one.
  const looks = all.paths.map(({ style }) => JSON.stringify(style));
  assert.equal(new Set(looks).size, 4);
});

test("twenty-two sentences each have a look of their own, differing in colour and shape, or dashes", () => {
  const looks = Array.from({ length: 22 }, (_, n) => JSON.stringify(styleOf(n)));
  assert.equal(new Set(looks).size, 22);
});

test("a link says all that was chosen, and nothing that cannot be", () => {
  const text = "of:c;cells:0.forward,1.backward;space:shared;dims:3;turn:-30,45;also:e1,f3";
  const choices = readChoices(text);
  assert.equal(writeChoices(choices), text);
  assert.deepEqual(alsoOf(choices), ["e1", "f3"]);
  assert.deepEqual(readTurn(choices.turn), { yaw: -30, pitch: 45 });
  const wrong = "dims:4;space:no;cells:x;turn:a,b;also:g1;colour:red;join:2";
  assert.deepEqual(readChoices(wrong), readChoices(""));
  assert.equal(sentenceOf("e1", ["a", "b"], undefined), "b");
  assert.equal(sentenceOf("f0", ["a"], undefined), undefined);
  const many = Array.from({ length: 30 }, (_, n) => `e${n}`).join();
  assert.equal(alsoOf({ ...choices, also: many }).length, 20);
});

test("turning goes round and round, but never upside down", () => {
  forAll(50, (random) => {
    const turn = turned(anyTurn(random), random.number(-900, 900), random.number(-900, 900));
    assert.ok(turn.yaw >= -180 && turn.yaw <= 180 && Math.abs(turn.pitch) <= 90);
    assert.match(writeTurn(turn), /^-?\d{1,3},-?\d{1,2}$/);
  });
  assert.equal(writeTurn(turned({ yaw: 170, pitch: 0 }, 20, 0)), "-170,0");
});

test("cells are taken in and out, one is always left, and all of them are none to name", () => {
  const rows = [FORWARD, BACKWARD];
  const choices = readChoices("");
  assert.deepEqual(cellsOf(choices, rows), rows);
  const one = { ...choices, cells: withCell(choices, rows, BACKWARD) };
  assert.equal(one.cells, "0.forward");
  assert.equal(withCell(one, rows, FORWARD), "0.forward");
  assert.equal(withCell(one, rows, BACKWARD), "");
  assert.deepEqual(cellsOf({ ...choices, cells: "7.forward" }, rows), rows);
});

test("one space for all is not offered where widths differ, and why is said", () => {
  const about = describe({ modules: [{ hidden_size: 4 }, { hidden_size: 6 }] });
  const arrays = [4, 6].map((width, layer) => ({
    ...{ name: `${layer}.forward.h`, shape: [5, width], dtype: "F32" },
    ...{ low: 0, high: 1, finite: true },
  }));
  const recording = new Recording({ ...about, arrays }, /** @type {Api} */ ({}), () => {});
  const cells = [0, 1].map((layer) => /** @type {Cell} */ ({ layer, direction: "forward" }));
  assert.match(whyNotShared(recording, cells, "h"), /as many units: these have 4 and 6/);
  assert.match(whyNotShared(recording, cells.slice(1), "h"), /One cell/);
  assert.equal(whyNotShared(recording, [cells[0], cells[0]], "h"), "");
});

test("what would puzzle is said: a single point, constant states, numbers that are none, narrow layers", () => {
  const choices = readChoices("dims:3");
  const run = (/** @type {number} */ timesteps) => [{ about: describe({ timesteps }), title: "" }];
  const path = (/** @type {number} */ missing) => ({
    ...{ run: 0, cell: FORWARD, name: "0.forward.h", points: new Float32Array(9), timesteps: 3 },
    ...{ missing, style: styleOf(0) },
  });
  const bounds = boundsOf([new Float32Array(9)]);
  const space = (/** @type {number[]} */ explained, missing = 0) => [{ cell: FORWARD, paths: [path(missing)], explained, bounds }]; // prettier-ignore
  const wide = () => 8;
  assert.deepEqual(oddities(space([1, 0, 0]), run(3), choices, wide), []);
  assert.match(oddities(space([0, 0, 0]), run(1), choices, wide)[0], /single point/);
  assert.match(oddities(space([0, 0, 0]), run(3), choices, wide)[0], /never changes/);
  assert.match(
    oddities(space([1, 0, 0], 2), run(3), choices, wide)[0],
    /2 points of 3 are left out/,
  );
  assert.match(
    oddities(space([1, 0, 0]), run(3), choices, () => 2)[0],
    /2 units: there is no PC 3/,
  );
  const said = explanation(space([0.5, 0.25, 0.1]), choices);
  assert.match(
    said,
    /the space holds 85\u00a0% of the variance, and distances off it are not seen/,
  );
});

/** Rows [timesteps, units]. @param {number} timesteps @param {number} units @param {ArrayLike<number>} data */
const rowsOf = (timesteps, units, data) => ({ shape: [timesteps, units], data: Float64Array.from(data) }); // prettier-ignore

/** @param {{shape: number[], data: ArrayLike<number>}} array @param {number} n */
const columnOf = ({ shape: [T, width], data }, n) => Array.from({ length: T }, (_, t) => data[t * width + n]); // prettier-ignore

/** @param {number[]} a @param {number[]} b */
const inner = (a, b) => a.reduce((sum, value, n) => sum + value * b[n], 0);

test("components found on the page are uncorrelated, ordered, centred, and hold the shares they say", () => {
  forAll(40, (random) => {
    const [T, U] = [random.integer(2, 70), random.integer(1, 70)];
    const scale = random.numbers(U, 0.1, 3);
    const data = random.numbers(T * U).map((value, n) => value * scale[n % U]);
    const { points, explained } = principalPaths([rowsOf(T, U, data)], 3);
    const axes = [0, 1, 2].map((n) => columnOf(points[0], n));
    const means = Array.from({ length: U }, (_, u) => columnOf(rowsOf(T, U, data), u).reduce((a, b) => a + b) / T); // prettier-ignore
    const total = data.reduce((sum, value, n) => sum + (value - means[n % U]) ** 2, 0);
    axes.forEach((axis, n) => {
      assert.ok(Math.abs(inner(axis, axis) / total - explained[n]) < 1e-5);
      assert.ok(Math.abs(axis.reduce((a, b) => a + b, 0)) < 1e-4 * Math.sqrt(total * T));
      assert.ok(n === 0 || explained[n] <= explained[n - 1] + 1e-12);
      for (let k = 0; k < n; k++)
        assert.ok(Math.abs(inner(axis, axes[k])) < 1e-5 * total, "they are uncorrelated");
    });
    // Of up to three units nothing is lost: distances are those of the states.
    if (U > 3) return;
    const far = (
      /** @type {ArrayLike<number>} */ rows,
      /** @type {number} */ width,
      /** @type {number} */ t,
    ) => Math.hypot(...Array.from({ length: width }, (_, n) => rows[t * width + n] - rows[n]));
    for (let t = 0; t < T; t++)
      assert.ok(Math.abs(far(points[0].data, 3, t) - far(data, U, t)) < 1e-5);
  });
});

test("on the page, too, what is not finite is left out, and what is constant or alone has no direction", () => {
  const gap = principalPaths([rowsOf(3, 2, [0, 0, NaN, 1, 2, 0])], 3);
  assert.deepEqual([...gap.points[0].data], [-1, 0, 0, NaN, NaN, NaN, 1, 0, 0]);
  assert.deepEqual(gap.explained, [1, 0, 0]);
  for (const data of [
    [0.1, 0.7, 0.1, 0.7, 0.1, 0.7],
    [0.3, 0.4],
  ]) {
    const { points, explained } = principalPaths([rowsOf(data.length / 2, 2, data)], 3);
    assert.ok([...points[0].data].every((value) => value === 0));
    assert.deepEqual(explained, [0, 0, 0]);
  }
  assert.ok([...principalPaths([rowsOf(1, 2, [NaN, 1])], 3).points[0].data].every(Number.isNaN));
  assert.throws(() => principalPaths([rowsOf(2000, 600, new Float64Array(1_200_000).fill(1))], 3), /need Gatescope itself/); // prettier-ignore
  const arrays = new Map([["a", rowsOf(2, 2, [0, 0, 1, 0])], ["b", rowsOf(2, 2, [0, 0, 0, 3])]]); // prettier-ignore
  const array = (/** @type {string} */ name) => arrays.get(name) ?? rowsOf(0, 0, []);
  const own = pathsHere(array, { name: ["a", "b"], components: 2, space: "own" });
  assert.deepEqual([...own.keys()], ["0.a", "explained.a", "0.b", "explained.b"]);
  const shared = pathsHere(array, { name: ["a", "b"], components: 2, space: "shared" });
  assert.deepEqual([...shared.keys()], ["0.a", "0.b", "explained"]);
});
