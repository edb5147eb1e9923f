import assert from "node:assert/strict";
import { test } from "node:test";

import {
  layersAt,
  progress,
  stepCount,
  stepFor,
  stepsPassed,
  timestepAt,
  timestepBefore,
  waves,
} from "../../static/js/time/transport.js";
import { forAll } from "./random.js";

/** @import {Course} from '../../static/js/time/transport.js' */
/** @import {Cell, Direction} from '../../static/js/types.js' */

/** @typedef {Course & {layers: {directions: Direction[]}[]}} Run */

/** @type {Direction[][]} */
const DIRECTIONS = [["forward"], ["backward"], ["forward", "backward"]];

/** @param {Run} run @returns {Cell[]} */
const cellsOf = ({ layers }) =>
  layers.flatMap(({ directions }, layer) => directions.map((direction) => ({ layer, direction })));

/** @param {Run} run */
const readsBackward = (run) => cellsOf(run).some(({ direction }) => direction === "backward");

/** Every stack of up to four layers, each reading as it likes. @returns {{directions: Direction[]}[][]} */
function everyStack() {
  /** @type {{directions: Direction[]}[][]} */
  let stacks = [[]];
  const all = [];
  for (let layers = 1; layers <= 4; layers++) {
    stacks = stacks.flatMap((below) => DIRECTIONS.map((directions) => [...below, { directions }]));
    all.push(...stacks);
  }
  return all;
}

/** Every course of time there can be, up to a size. @returns {Run[]} */
const everyCourse = () =>
  everyStack().flatMap((layers) =>
    /** @type {const} */ (["sentence", "processing"]).flatMap((order) =>
      [1, 2, 5].map((timesteps) => ({ order, timesteps, waves: waves(layers), layers })),
    ),
  );

/**
 * What h of a cell at a timestep is computed from, by the definition of the LSTM: the cell's own
 * state of the timestep it computed before, and h of every direction of the layer below.
 * @param {Run} course
 * @param {Cell} cell
 * @param {number} timestep
 */
function dependencies(course, { layer, direction }, timestep) {
  const before = direction === "forward" ? timestep - 1 : timestep + 1;
  const own =
    before < 0 || before >= course.timesteps ? [] : [{ layer, direction, timestep: before }];
  const below =
    layer === 0
      ? []
      : course.layers[layer - 1].directions.map((d) => ({
          layer: layer - 1,
          direction: d,
          timestep,
        }));
  return [...own, ...below];
}

/** @param {Cell & {timestep: number}} place */
const key = ({ layer, direction, timestep }) => `${layer} ${direction} ${timestep}`;

test("over all steps every cell computes every timestep exactly once", () => {
  for (const course of everyCourse()) {
    for (const cell of cellsOf(course)) {
      const computed = [];
      for (let step = 0; step < stepCount(course); step++) {
        const { now } = progress(course, step, cell);
        if (now !== null) computed.push(now);
      }
      assert.deepEqual(
        computed.sort((a, b) => a - b),
        Array.from({ length: course.timesteps }, (_, t) => t),
      );
    }
  }
});

test("in the order of computation nothing is computed before what it is computed from", () => {
  for (const course of everyCourse()) {
    // Sentence order shows both directions at one timestep; that is a way to look, not to compute.
    if (course.order === "sentence" && readsBackward(course)) continue;
    /** @type {Set<string>} */
    const done = new Set();
    for (let step = 0; step < stepCount(course); step++) {
      // Within a step the layers are computed from the bottom up.
      for (const cell of cellsOf(course)) {
        const { now } = progress(course, step, cell);
        if (now === null) continue;
        for (const needed of dependencies(course, cell, now)) {
          assert.ok(
            done.has(key(needed)),
            `${JSON.stringify(course)} step ${step}: ${key(needed)}`,
          );
        }
        done.add(key({ ...cell, timestep: now }));
      }
    }
    assert.equal(done.size, cellsOf(course).length * course.timesteps);
  }
});

test("what counts as computed is everything computed up to this step, and nothing else", () => {
  for (const course of everyCourse()) {
    if (course.order === "sentence" && readsBackward(course)) continue;
    for (const cell of cellsOf(course)) {
      const done = new Set();
      for (let step = 0; step < stepCount(course); step++) {
        const { now, from, to } = progress(course, step, cell);
        if (now !== null) done.add(now);
        for (let t = 0; t < course.timesteps; t++) assert.equal(t >= from && t <= to, done.has(t));
      }
    }
  }
});

test("in sentence order every cell stands at the same timestep and has read all on its side of it", () => {
  for (const course of everyCourse().filter(({ order }) => order === "sentence")) {
    for (const cell of cellsOf(course)) {
      for (let step = 0; step < stepCount(course); step++) {
        const { now, from, to } = progress(course, step, cell);
        assert.equal(now, step);
        const read = cell.direction === "forward" ? [0, step] : [step, course.timesteps - 1];
        assert.deepEqual([from, to], read);
      }
    }
  }
});

test("both orders are the same where there is no backward direction", () => {
  for (const course of everyCourse().filter((run) => !readsBackward(run))) {
    /** @type {Run} */
    const other = { ...course, order: course.order === "sentence" ? "processing" : "sentence" };
    assert.equal(stepCount(course), stepCount(other));
    for (const cell of cellsOf(course)) {
      for (let step = 0; step < stepCount(course); step++) {
        assert.deepEqual(progress(course, step, cell), progress(other, step, cell));
      }
    }
  }
});

test("the layers at a step are those whose cells are computed there", () => {
  for (const course of everyCourse()) {
    for (let step = 0; step < stepCount(course); step++) {
      const busy = cellsOf(course)
        .filter((cell) => progress(course, step, cell).now !== null)
        .map(({ layer }) => layer);
      assert.deepEqual(layersAt(course, step), [Math.min(...busy), Math.max(...busy)]);
      const [first, last] = layersAt(course, step);
      assert.equal(new Set(busy).size, last - first + 1, "none between them rests");
    }
  }
});

test("layers run together where they can, and wait for one another only where they must", () => {
  for (const layers of everyStack()) {
    const found = waves(layers);
    const one = layers.map(({ directions }) => (directions.length === 1 ? directions[0] : null));
    found.forEach((wave, n) => {
      const together = n > 0 && one[n] !== null && one[n] === one[n - 1];
      assert.equal(wave, n === 0 ? 0 : found[n - 1] + (together ? 0 : 1));
    });
  }
  // As wide as deep: a stack of one kind is one wave, or a wave for each layer.
  const three = (/** @type {Direction[]} */ directions) => waves(Array(3).fill({ directions }));
  assert.deepEqual(DIRECTIONS.map(three), [
    [0, 0, 0],
    [0, 0, 0],
    [0, 1, 2],
  ]);
});

test("a cell shows what it computes, and going to a timestep of a cell shows that timestep", () => {
  for (const course of everyCourse()) {
    for (const cell of cellsOf(course)) {
      for (let timestep = 0; timestep < course.timesteps; timestep++) {
        const step = stepFor(course, timestep, cell);
        assert.ok(step >= 0 && step < stepCount(course));
        assert.equal(progress(course, step, cell).now, timestep);
        assert.equal(timestepAt(course, step, cell), timestep);
      }
    }
  }
});

test("a cell that is not being computed shows its last timestep, or the first it will compute", () => {
  for (const course of everyCourse()) {
    for (const cell of cellsOf(course)) {
      const steps = Array.from({ length: stepCount(course) }, (_, step) => step);
      const active = steps.filter((step) => progress(course, step, cell).now !== null);
      const [first, last] = [active[0], active[active.length - 1]];
      for (const step of steps) {
        const nearest = Math.min(last, Math.max(first, step));
        assert.equal(timestepAt(course, step, cell), progress(course, nearest, cell).now);
      }
    }
  }
});

test("the timestep before is the one a cell computed a step earlier, and there is none at its start", () => {
  for (const course of everyCourse().filter(({ order }) => order === "processing")) {
    for (const cell of cellsOf(course)) {
      for (let timestep = 0; timestep < course.timesteps; timestep++) {
        const step = stepFor(course, timestep, cell);
        const earlier = step === 0 ? null : progress(course, step - 1, cell).now;
        assert.equal(timestepBefore(timestep, cell.direction, course.timesteps), earlier);
      }
    }
  }
});

test("playback takes as many steps as time has passed, however the frames fall", () => {
  forAll(500, (random) => {
    const speed = random.pick([0.5, 1, 2, 4, 8, 16, 30]);
    let [rest, total, time] = [0, 0, 0];
    for (let frame = 0; frame < 200; frame++) {
      const elapsed = random.pick([random.number(0, 40), 16.7, 0, random.number(0, 3000)]);
      time += elapsed;
      const passed = stepsPassed(rest + elapsed, speed);
      assert.ok(Number.isInteger(passed.steps) && passed.steps >= 0);
      assert.ok(passed.rest >= -1e-9 && passed.rest < 1000 / speed + 1e-9);
      rest = passed.rest;
      total += passed.steps;
    }
    assert.ok(Math.abs(total - (time * speed) / 1000) <= 1 + 1e-6);
  });
});
