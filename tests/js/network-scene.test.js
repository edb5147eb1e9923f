import assert from "node:assert/strict";
import { test } from "node:test";

import { cellLayout } from "../../static/js/cell/layout.js";
import {
  lastOf,
  movedTo,
  placeAt,
  rowOfCell,
  sceneOf,
  tileOf,
  visible,
  wiresInto,
} from "../../static/js/network/scene.js";
import { forAll } from "./random.js";
import { anyStack, describe } from "./worlds.js";

/** @import {Box} from '../../static/js/network/camera.js' */
/** @import {Row, Scene, Wire} from '../../static/js/network/scene.js' */
/** @import {Layer, Model} from '../../static/js/types.js' */
/** @import {Random} from './random.js' */

/** Any network that can be recorded. @param {Random} random */
function anyScene(random) {
  const { layers } = describe(anyStack(random)).lstm;
  const timesteps = random.pick([1, 2, random.integer(3, 12)]);
  const reads = random.pick(/** @type {const} */ ([null, "each", "last", "mean", "max"]));
  return { layers, timesteps, scene: sceneOf(layers, timesteps, reads) };
}

/** Every wire of a column. @param {Scene} scene @param {number} t @returns {Wire[]} */
function wiresAt(scene, t) {
  const own = scene.rows.flatMap((row) => [
    ...wiresInto(scene, row, t),
    ...(row.gives ? [movedTo(row.gives, t)] : []),
    ...(t === lastOf(scene, row) ? row.final.map((wire) => movedTo(wire, t)) : []),
  ]);
  const top = scene.head?.wire ?? scene.output;
  return top ? [...own, movedTo(top, t)] : own;
}

/** The straight pieces of a polyline. @param {number[]} points @returns {Box[]} */
function pieces(points) {
  const found = [];
  for (let n = 2; n < points.length; n += 2) {
    const [x0, y0, x1, y1] = points.slice(n - 2, n + 2);
    found.push({
      left: Math.min(x0, x1),
      top: Math.min(y0, y1),
      right: Math.max(x0, x1),
      bottom: Math.max(y0, y1),
    });
  }
  return found;
}

/** @param {Wire} wire */
const whole = ({ start, points, end }) => [...start, ...points, ...end];

/** @param {Row} row @param {number} t @returns {Box} */
const bodyOf = ({ body }, t) => ({ ...body, left: body.left + t, right: body.right + t });

/** Whether the insides meet. @param {Box} a @param {Box} b */
const meet = (a, b, slack = 1e-9) =>
  a.left < b.right - slack &&
  b.left < a.right - slack &&
  a.top < b.bottom - slack &&
  b.top < a.bottom - slack;

test("layers stand on each other, the input lowest, every tile in its own place", () => {
  forAll(500, (random) => {
    const { layers, scene } = anyScene(random);
    const { rows, joins, head, input, token, bounds } = scene;
    const bands = [...rows, ...joins, input, token, ...(head ? [head] : [])];
    const sorted = [...bands].sort((a, b) => a.top - b.top);
    for (let n = 1; n < sorted.length; n++) assert.ok(sorted[n].top > sorted[n - 1].bottom);
    assert.equal(sorted[sorted.length - 1], token);
    assert.equal(sorted[sorted.length - 2], input);
    if (head) assert.equal(sorted[0], head);
    assert.equal(bounds.bottom, token.bottom);
    for (const row of rows) {
      for (const other of rows) {
        if (row.cell.layer > other.cell.layer) assert.ok(row.bottom < other.top);
      }
    }
    assert.equal(rows.length, layers.flatMap(({ directions }) => directions).length);
    assert.deepEqual(
      joins.map(({ layer }) => layer).sort(),
      layers.flatMap(({ directions }, layer) => (directions.length > 1 ? [layer] : [])),
    );
  });
});

test("the drawing of a cell meets the wires of the network at the edges of its tile", () => {
  forAll(300, (random) => {
    const { layers, timesteps, scene } = anyScene(random);
    const t = random.integer(0, timesteps - 1);
    for (const row of scene.rows) {
      const { layer, direction } = row.cell;
      const { left, top, right, bottom } = tileOf(row, t);
      const box = { x: left, y: top, width: right - left, height: bottom - top };
      const inputs = layers[layer - 1]?.directions.length ?? 1;
      const drawing = cellLayout(box, { direction, inputs, projected: false });
      /** @param {string} kind @param {number} end  0 or -1 */
      const ends = (kind, end) =>
        drawing.wires.filter((wire) => wire.kind === kind).map(({ points }) => points.at(end));
      const touches = (
        /** @type {number[]} */ at,
        /** @type {([number, number] | undefined)[]} */ list,
      ) => list.some((other) => other && Math.hypot(at[0] - other[0], at[1] - other[1]) < 0.006);
      const wires = wiresInto(scene, row, t);
      for (const what of /** @type {const} */ (["c", "h"])) {
        const into = /** @type {Wire} */ (
          wires.find((wire) => wire.what === what && wire.from.kind !== "cell") ??
            wires.find((wire) => wire.what === what && wire.from.layer === layer)
        );
        assert.ok(touches(into.points.slice(-2), ends(what, 0)), `${what} comes in`);
        const out = movedTo(row.final[what === "c" ? 0 : 1], t);
        assert.ok(touches(out.points.slice(0, 2), ends(what, -1)), `${what} goes out`);
      }
      const doors = row.fork.length
        ? [row.fork.slice(0, 2), row.fork.slice(2)].map(([x, y]) => [x + t, y])
        : [movedTo(row.reads, t).points.slice(-2)];
      assert.equal(doors.length, inputs);
      for (const door of doors) assert.ok(touches(door, ends("plain", 0)), "what it reads");
      const { body } = drawing;
      const own = bodyOf(row, t);
      assert.ok(Math.abs(body.y - own.top) < 1e-9 && Math.abs(body.x - own.left) < 1e-9);
      assert.ok(Math.abs(body.width - (own.right - own.left)) < 1e-9);
      assert.ok(Math.abs(body.height - (own.bottom - own.top)) < 1e-9);
    }
  });
});

test("no wire runs through a cell, and wires of different things never run along each other", () => {
  forAll(300, (random) => {
    const { timesteps, scene } = anyScene(random);
    const t = random.integer(0, timesteps - 1);
    const around = [t - 1, t, t + 1].filter((n) => n >= 0 && n < timesteps);
    const wires = around.flatMap((n) => wiresAt(scene, n));
    for (const wire of wires) {
      for (const piece of pieces(whole(wire))) {
        for (const row of scene.rows) {
          for (const n of around) assert.ok(!meet(piece, bodyOf(row, n)), JSON.stringify(wire));
        }
      }
    }
    const source = (/** @type {Wire} */ { what, from }) => JSON.stringify([what, from]);
    for (const a of wires) {
      for (const b of wires) {
        if (source(a) === source(b)) continue;
        for (const p of pieces(a.points)) {
          for (const q of pieces(b.points)) {
            const along =
              (p.top === p.bottom && q.top === q.bottom && Math.abs(p.top - q.top) < 0.01) ||
              (p.left === p.right && q.left === q.right && Math.abs(p.left - q.left) < 0.01);
            const overlap =
              Math.min(p.right, q.right) - Math.max(p.left, q.left) > 1e-6 ||
              Math.min(p.bottom, q.bottom) - Math.max(p.top, q.top) > 1e-6;
            const apart =
              p.left > q.right + 1e-6 ||
              q.left > p.right + 1e-6 ||
              p.top > q.bottom + 1e-6 ||
              q.top > p.bottom + 1e-6;
            assert.ok(!along || !overlap || apart, `${JSON.stringify(a)} ${JSON.stringify(b)}`);
          }
        }
      }
    }
  });
});

test("wires are whole: each piece begins where the one before ended, level or upright", () => {
  forAll(300, (random) => {
    const { timesteps, scene } = anyScene(random);
    for (const { start, points, end } of wiresAt(scene, random.integer(0, timesteps - 1))) {
      assert.ok(points.length >= 4);
      if (start.length) assert.deepEqual(start.slice(-2), points.slice(0, 2));
      if (end.length) assert.deepEqual(end.slice(0, 2), points.slice(-2));
      for (const { left, top, right, bottom } of pieces([...start, ...points, ...end]))
        assert.ok(left === right || top === bottom);
    }
  });
});

test("time runs to the right forward and to the left backward, from the initial state to the final one", () => {
  const { layers } = describe({ layers: 1, bidirectional: true }).lstm;
  const scene = sceneOf(layers, 5, null);
  const forward = rowOfCell(scene, { layer: 0, direction: "forward" });
  const backward = rowOfCell(scene, { layer: 0, direction: "backward" });
  const from = (/** @type {Row} */ row, /** @type {number} */ t) =>
    wiresInto(scene, row, t)[1].from;
  assert.deepEqual(from(forward, 2), { kind: "cell", layer: 0, direction: "forward", timestep: 1 });
  assert.deepEqual(from(backward, 2), {
    kind: "cell",
    layer: 0,
    direction: "backward",
    timestep: 3,
  });
  assert.equal(from(forward, 0).kind, "initial");
  assert.equal(from(backward, 4).kind, "initial");
  assert.deepEqual([lastOf(scene, forward), lastOf(scene, backward)], [4, 0]);
  const ends = (/** @type {Row} */ row) => movedTo(row.final[1], lastOf(scene, row)).points;
  assert.ok(ends(forward)[2] > 5, "forward leaves after the last token");
  assert.ok(ends(backward)[2] < 0, "backward leaves before the first one");
  assert.ok(ends(forward)[2] < scene.bounds.right && ends(backward)[2] > scene.bounds.left);
});

test("what is under a point is the cell whose tile is there", () => {
  forAll(500, (random) => {
    const { timesteps, scene } = anyScene(random);
    const t = random.integer(0, timesteps - 1);
    const row = random.pick(scene.rows);
    const { left, top, right, bottom } = tileOf(row, t);
    const x = random.number(left, right);
    assert.deepEqual(placeAt(scene, x, random.number(top, bottom)), {
      kind: "cell",
      cell: row.cell,
      timestep: t,
    });
    assert.equal(placeAt(scene, x, scene.token.top)?.kind, "input");
    assert.equal(placeAt(scene, -0.1, top), null);
    assert.equal(placeAt(scene, timesteps + 0.1, top), null);
  });
});

test("what is visible is what a view touches, and at least one timestep", () => {
  forAll(1000, (random) => {
    const { timesteps, scene } = anyScene(random);
    const [x, y] = [random.number(-3, timesteps + 3), random.number(-2, scene.bounds.bottom + 2)];
    const view = { left: x, top: y, right: x + random.number(0.01, 6), bottom: y + 1 };
    const { first, last, rows } = visible(scene, view);
    assert.ok(first >= 0 && first < last && last <= timesteps);
    for (let t = 0; t < timesteps; t++) {
      if (t + 1 > view.left && t < view.right) assert.ok(t >= first && t < last);
    }
    for (const row of scene.rows)
      assert.equal(rows.includes(row), row.bottom > view.top && row.top < view.bottom);
  });
});
