import assert from "node:assert/strict";
import { test } from "node:test";

import { headWires, inWords, litAt } from "../../static/js/network/flow.js";
import { sceneOf } from "../../static/js/network/scene.js";
import { progress, stepCount, stepFor, waves } from "../../static/js/time/transport.js";
import { forAll } from "./random.js";
import { anyStack, describe } from "./worlds.js";

/** @import {Place, Wire} from '../../static/js/network/scene.js' */
/** @import {Cell, Layer, Model, Order} from '../../static/js/types.js' */
/** @import {Random} from './random.js' */

/** Any network that can be recorded, and how its time runs. @param {Random} random @param {Order} [order] */
function anyRun(random, order = random.pick(/** @type {const} */ (["sentence", "processing"]))) {
  const { layers } = describe(anyStack(random)).lstm;
  const timesteps = random.pick([1, 2, random.integer(3, 7)]);
  const reads = random.pick(/** @type {const} */ ([null, "each", "last", "mean", "max"]));
  const course = { order, timesteps, waves: waves(layers) };
  return { layers, timesteps, reads, course, scene: sceneOf(layers, timesteps, reads) };
}

/** @param {readonly Layer[]} layers @returns {Cell[]} */
const cellsOf = (layers) =>
  layers.flatMap(({ directions }, layer) => directions.map((direction) => ({ layer, direction })));

/**
 * What h of a cell at a timestep is computed from, by the definition of the LSTM, each as a text.
 * @param {readonly Layer[]} layers
 * @param {number} timesteps
 * @param {Cell} cell
 * @param {number} t
 */
function needs(layers, timesteps, { layer, direction }, t) {
  const before = direction === "forward" ? t - 1 : t + 1;
  const own =
    before < 0 || before >= timesteps
      ? [`initial c ${layer} ${direction}`, `initial h ${layer} ${direction}`]
      : [`c ${layer} ${direction} ${before}`, `h ${layer} ${direction} ${before}`];
  const below = layer
    ? layers[layer - 1].directions.map((d) => `h ${layer - 1} ${d} ${t}`)
    : [`x ${t}`];
  return [...own, ...below].sort();
}

/**
 * What the wires bring to a place, followed back through joins.
 * @param {Wire[]} wires
 * @param {(to: Place) => boolean} isHere
 * @returns {string[]}
 */
function brought(wires, isHere) {
  /** @type {string[]} */
  const found = [];
  for (const { what, from, to } of wires) {
    if (!isHere(to)) continue;
    if (from.kind === "input") found.push(`x ${from.timestep}`);
    else if (from.kind === "initial") found.push(`initial ${what} ${from.layer} ${from.direction}`);
    else if (from.kind === "cell")
      found.push(`${what} ${from.layer} ${from.direction} ${from.timestep}`);
    else
      found.push(
        ...brought(
          wires,
          (at) => at.kind === "join" && at.layer === from.layer && at.timestep === from.timestep,
        ),
      );
  }
  return found.sort();
}

/** @param {Cell} cell @param {number} t */
const isAt =
  ({ layer, direction }, t) =>
  (/** @type {Place} */ at) =>
    at.kind === "cell" && at.layer === layer && at.direction === direction && at.timestep === t;

test("at every step the lit wires bring each lit cell exactly what its equations need", () => {
  forAll(400, (random) => {
    const { layers, timesteps, course, scene } = anyRun(random);
    for (let step = 0; step < stepCount(course); step++) {
      const { cells, wires } = litAt(scene, course, step);
      for (const { row, timestep } of cells) {
        const { cell } = row;
        assert.equal(stepFor(course, timestep, cell), step);
        assert.deepEqual(
          brought(wires, isAt(cell, timestep)),
          needs(layers, timesteps, cell, timestep),
        );
      }
      for (const { to } of wires) {
        if (to.kind === "cell")
          assert.ok(cells.some(({ row, timestep }) => isAt(row.cell, timestep)(to)));
      }
    }
  });
});

test("every cell is lit once at every timestep, and what it needs is computed by then", () => {
  forAll(300, (random) => {
    const { layers, timesteps, course, scene } = anyRun(random);
    const seen = new Set();
    for (let step = 0; step < stepCount(course); step++) {
      for (const { row, timestep } of litAt(scene, course, step).cells) {
        const key = `${row.cell.layer} ${row.cell.direction} ${timestep}`;
        assert.ok(!seen.has(key));
        seen.add(key);
        for (const need of needs(layers, timesteps, row.cell, timestep)) {
          const [quantity, layer, direction, t] = need.split(" ");
          if (quantity !== "h" && quantity !== "c") continue;
          const from = {
            layer: Number(layer),
            direction: /** @type {Cell["direction"]} */ (direction),
          };
          const { from: first, to } = progress(course, step, from);
          assert.ok(Number(t) >= first && Number(t) <= to, `${key} needs ${need}`);
        }
      }
    }
    assert.equal(seen.size, cellsOf(layers).length * timesteps);
  });
});

test("the final states leave each cell once: forward after the last token, backward at the first", () => {
  forAll(300, (random) => {
    const { layers, timesteps, course, scene } = anyRun(random);
    const left = [];
    for (let step = 0; step < stepCount(course); step++) {
      for (const { what, from, to } of litAt(scene, course, step).wires) {
        if (to.kind === "final")
          left.push([what, from.layer, from.direction, from.timestep].join(" "));
      }
    }
    const expected = cellsOf(layers).flatMap(({ layer, direction }) =>
      ["c", "h"].map((what) =>
        [what, layer, direction, direction === "forward" ? timesteps - 1 : 0].join(" "),
      ),
    );
    assert.deepEqual(left.sort(), expected.sort());
  });
});

/**
 * Which h a head is given for its prediction at a timestep, by what `reads` means.
 * @param {readonly Layer[]} layers
 * @param {Model["reads"]} reads
 * @param {number} t
 * @returns {string[]}
 */
function headNeeds(layers, reads, t) {
  const top = layers.length - 1;
  const { directions } = layers[top];
  if (reads === "each") return directions.map((d) => `h ${top} ${d} ${t}`);
  if (reads === "last") return directions.map((d) => `h ${top} ${d} ${d === "forward" ? t : 0}`);
  return directions.flatMap((d) => Array.from({ length: t + 1 }, (_, n) => `h ${top} ${d} ${n}`));
}

test("a prediction is lit when the last h it reads is computed, its wires come from what it reads", () => {
  forAll(400, (random) => {
    const { layers, timesteps, reads, course, scene } = anyRun(random);
    const lit = new Map();
    for (let step = 0; step < stepCount(course); step++) {
      for (const t of litAt(scene, course, step).heads) {
        assert.ok(!lit.has(t));
        lit.set(t, step);
      }
    }
    if (!reads) return assert.equal(lit.size, 0);
    const { directions } = layers[layers.length - 1];
    const waits =
      course.order === "processing" && reads !== "each" && directions.includes("backward");
    for (let t = 0; t < timesteps; t++) {
      /** @type {number[]} */
      const made = headNeeds(layers, reads, t).map((need) => {
        const [, layer, direction, n] = need.split(" ");
        const cell = {
          layer: Number(layer),
          direction: /** @type {Cell["direction"]} */ (direction),
        };
        return stepFor(course, Number(n), cell);
      });
      // In sentence order the last one reads the first timestep, which stands at another step.
      if (waits && t < timesteps - 1) assert.ok(!lit.has(t));
      else assert.equal(lit.get(t), course.order === "sentence" ? t : Math.max(...made));
      const read = brought(headWires(scene, t), (to) => to.kind === "head" && to.timestep === t);
      /** @type {string[]} */
      const ends = headNeeds(layers, reads, t).filter((need) => {
        const n = Number(need.split(" ")[3]);
        return n === 0 || n === t; // what is between comes along the same rail
      });
      assert.deepEqual(read, [...new Set(ends)].sort());
    }
  });
});

test("without a head the output leaves at the top, once at every timestep it is complete", () => {
  const { layers } = describe({ layers: 2, bidirectional: true }).lstm;
  const course = { order: /** @type {const} */ ("processing"), timesteps: 4, waves: waves(layers) };
  const scene = sceneOf(layers, 4, null);
  const left = [];
  for (let step = 0; step < stepCount(course); step++) {
    for (const { to } of litAt(scene, course, step).wires) {
      if (to.kind === "output") left.push([step, to.timestep]);
    }
  }
  // Forward comes from the left and backward from the right: they meet in the middle.
  assert.deepEqual(left, [[6, 2], [6, 1], [7, 3], [7, 0]]); // prettier-ignore
});

test("in words it says what the wires show", () => {
  forAll(400, (random) => {
    const { layers, course, reads, scene } = anyRun(random);
    const lit = litAt(scene, course, random.integer(0, stepCount(course) - 1));
    const words = inWords(lit, layers, reads);
    assert.equal(words.length, lit.cells.length + lit.heads.length);
    lit.cells.forEach(({ row: { cell }, timestep }, n) => {
      const said =
        /^Layer (\d+) (\w+) at timestep (\d+) reads (.+), and (.+?)( of timestep \d+)?(;.*)?\.$/.exec(
          words[n],
        );
      assert.ok(said, words[n]);
      assert.deepEqual(said.slice(1, 4), [`${cell.layer}`, cell.direction, `${timestep}`]);
      const before = /h and c of timestep (\d+)/.exec(said[4])?.[1];
      const own = before
        ? ["c", "h"].map((q) => `${q} ${cell.layer} ${cell.direction} ${before}`)
        : ["c", "h"].map((q) => `initial ${q} ${cell.layer} ${cell.direction}`);
      const below = /h of layer (\d+) (.*)/.exec(said[5]);
      const read = below
        ? below[2].split(" and ").map((d) => `h ${below[1]} ${d} ${timestep}`)
        : [`x ${timestep}`];
      assert.equal(said[6], ` of timestep ${timestep}`);
      assert.deepEqual([...own, ...read].sort(), brought(lit.wires, isAt(cell, timestep)));
      assert.equal(
        Boolean(said[7]),
        lit.wires.some(({ from, to }) => to.kind === "final" && isAt(cell, timestep)(from)),
      );
    });
  });
});
