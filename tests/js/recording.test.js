import assert from "node:assert/strict";
import { test } from "node:test";

import { Recording, UnitWeights, WHOLE_BYTES, hiddenBefore } from "../../static/js/recording.js";
import { timestepBefore } from "../../static/js/time/transport.js";
import { createRandom, forAll } from "./random.js";
import { QUANTITIES, anyStack, asApi, deferred, describe, fill, settle } from "./worlds.js";

/** @import {Random} from './random.js' */
/** @import {Sizes} from './worlds.js' */
/** @import {Cell, NDArray, Numbers} from '../../static/js/types.js' */

/** @param {Random} random @returns {Sizes} */
const anySizes = (random) => ({
  timesteps: random.integer(1, 6),
  ...anyStack(random),
  predictions: random.flip() ? { task: "tag", labels: ["a", "b"], targets: null } : null,
});

/**
 * A recording whose server has the given arrays; `calls` are the names of each request.
 * @param {Sizes} sizes
 * @param {Map<string, NDArray>} [arrays]
 */
function createWorld(sizes, arrays = fill(describe(sizes))) {
  /** @type {string[][]} */
  const calls = [];
  let arrivals = 0;
  const api = asApi({
    arrays: async (id, names) => {
      assert.equal(id, describe(sizes).id);
      calls.push(names);
      return new Map(names.map((name) => [name, /** @type {NDArray} */ (arrays.get(name))]));
    },
  });
  const recording = new Recording(describe(sizes), api, () => arrivals++);
  return { recording, arrays, calls, arrivals: () => arrivals };
}

/** @param {Recording} recording @returns {Cell[]} */
const cellsOf = ({ layers }) =>
  layers.flatMap(({ directions }, layer) => directions.map((direction) => ({ layer, direction })));

/** @param {NDArray | undefined} array @param {number} row */
function rowOf(array, row) {
  assert.ok(array);
  return Array.from({ length: array.shape[1] }, (_, n) => array.data[row * array.shape[1] + n]);
}

test("what is needed to show the network and a cell is all there is, named as the server names it", () => {
  forAll(100, (random) => {
    const { recording, arrays } = createWorld(anySizes(random));
    const named = new Set([
      ...recording.overviewNames(),
      ...cellsOf(recording).flatMap((cell) => Recording.names(cell, QUANTITIES)),
    ]);
    assert.deepEqual([...named].sort(), [...arrays.keys()].sort());
  });
});

test("a value is the number at its timestep and unit, and undefined where there is none", async () => {
  for (let seed = 1; seed < 30; seed++) {
    const { recording, arrays } = createWorld(anySizes(createRandom(seed)));
    assert.equal(recording.value("h", cellsOf(recording)[0], 0, 0), undefined);
    await recording.load([...arrays.keys()]);
    for (const cell of cellsOf(recording)) {
      for (const q of QUANTITIES) {
        const array = arrays.get(`${cell.layer}.${cell.direction}.${q}`);
        for (let t = 0; t < recording.timesteps; t++) {
          const row = rowOf(array, t);
          for (let unit = 0; unit < recording.layers[cell.layer].hidden_size; unit++)
            assert.equal(recording.value(q, cell, t, unit), row[unit]);
        }
      }
    }
  }
});

test("the initial state of a cell is its own h_0 and c_0, as wide as its h and c", async () => {
  for (let seed = 1; seed < 30; seed++) {
    const { recording, arrays } = createWorld(anySizes(createRandom(seed)));
    const first = cellsOf(recording)[0];
    assert.equal(recording.initial("c_0", first, 0), undefined);
    await recording.load([...arrays.keys()]);
    for (const cell of cellsOf(recording)) {
      for (const [name, width] of /** @type {const} */ ([
        ["h_0", recording.layers[cell.layer].output_size],
        ["c_0", recording.layers[cell.layer].hidden_size],
      ])) {
        const own = arrays.get(`${cell.layer}.${cell.direction}.${name}`);
        const found = Array.from({ length: width }, (_, n) => recording.initial(name, cell, n));
        assert.deepEqual(found, [...(own?.data ?? [])]);
        assert.equal(recording.initial(name, cell, width), undefined);
      }
    }
  }
});

/** The parts a layer reads, side by side. @param {Numbers[] | undefined} parts */
const together = (parts) => parts?.flatMap((part) => [...part]);

test("layer 0 reads x, a higher layer reads every direction of the layer below side by side", async () => {
  for (let seed = 1; seed < 60; seed++) {
    const { recording, arrays } = createWorld(anySizes(createRandom(seed)));
    assert.equal(recording.input(0, 0), undefined);
    const [first, ...others] = recording.layers[0].directions;
    await recording.load(["x", `0.${first}.h`]);
    if (recording.layers.length > 1)
      assert.equal(recording.input(1, 0) === undefined, others.length > 0, "all are needed");
    await recording.load([...arrays.keys()]);
    for (let t = 0; t < recording.timesteps; t++) {
      assert.deepEqual(together(recording.input(0, t)), rowOf(arrays.get("x"), t));
      recording.layers.slice(1).forEach((layer, below) => {
        const expected = recording.layers[below].directions.flatMap((direction) =>
          rowOf(arrays.get(`${below}.${direction}.h`), t),
        );
        assert.deepEqual(together(recording.input(below + 1, t)), expected);
        assert.equal(expected.length, layer.input_size);
      });
    }
  }
});

/** @param {number} z */
const sigmoid = (z) => 1 / (1 + Math.exp(-z));

/** @param {number[]} a @param {number[]} b */
const inner = (a, b) => a.reduce((sum, value, n) => sum + value * b[n], 0);

/**
 * An LSTM run in plain loops: every array of its recording, and the weights of each cell.
 * @param {Sizes} sizes
 * @param {Random} random
 */
function runLstm(sizes, random) {
  const about = describe(sizes);
  const { layers } = about.lstm;
  const T = about.timesteps;
  const matrix = (/** @type {number} */ rows, /** @type {number} */ columns) =>
    Array.from({ length: rows }, () => random.numbers(columns));
  const array = (/** @type {number[][]} */ rows) => ({
    shape: [rows.length, rows[0].length],
    data: Float64Array.from(rows.flat()),
  });
  const x = matrix(T, layers[0].input_size);
  /** @type {Map<string, NDArray>} */
  const arrays = new Map([["x", array(x)]]);
  /** @type {Map<string, {W: number[][], U: number[][], b: number[][]}>} */
  const weights = new Map();
  let reads = x;
  for (const [layer, { directions, hidden_size: H, output_size: P }] of layers.entries()) {
    /** @type {number[][]} */
    const output = Array.from({ length: T }, () => []);
    for (const direction of directions) {
      const W = matrix(4 * H, reads[0].length);
      const U = matrix(4 * H, P);
      const b = matrix(4 * H, 2);
      const project = P < H ? matrix(P, H) : null;
      weights.set(`${layer}.${direction}`, { W, U, b });
      let [h, c] = [random.numbers(P), random.numbers(H)];
      for (const [name, state] of Object.entries({ h_0: h, c_0: c })) {
        const own = { shape: [state.length], data: Float64Array.from(state) };
        arrays.set(`${layer}.${direction}.${name}`, own);
      }
      /** @type {Record<string, number[][]>} */
      const kept = Object.fromEntries(QUANTITIES.map((q) => [q, []]));
      const times = Array.from({ length: T }, (_, t) => t);
      for (const t of direction === "forward" ? times : times.reverse()) {
        const z = W.map((row, n) => inner(row, reads[t]) + inner(U[n], h) + b[n][0] + b[n][1]);
        const gates = [0, 1, 2, 3].map((n) =>
          z.slice(n * H, (n + 1) * H).map(n === 2 ? Math.tanh : sigmoid),
        );
        const [i, f, g, o] = gates;
        c = c.map((value, n) => f[n] * value + i[n] * g[n]);
        const m = c.map((value, n) => o[n] * Math.tanh(value));
        h = project ? project.map((row) => inner(row, m)) : m;
        for (const [q, value] of Object.entries({ i, f, g, o, c, h })) kept[q][t] = value;
      }
      for (const q of QUANTITIES) arrays.set(`${layer}.${direction}.${q}`, array(kept[q]));
      kept.h.forEach((row, t) => output[t].push(...row));
    }
    reads = output;
  }
  return { arrays, weights };
}

test("the parts of a gate add up to what makes the recorded gate, in every cell at every timestep", async () => {
  for (let seed = 1; seed < 25; seed++) {
    const random = createRandom(seed);
    const sizes = anySizes(random);
    const { arrays, weights } = runLstm(sizes, random);
    const { recording } = createWorld(sizes, arrays);
    await recording.load([...arrays.keys()].filter((name) => name !== "scores"));
    for (const cell of cellsOf(recording)) {
      const H = recording.layers[cell.layer].hidden_size;
      const all = weights.get(`${cell.layer}.${cell.direction}`);
      assert.ok(all);
      const unit = random.integer(0, H - 1);
      // The rows of this unit: one of each gate's block.
      const rows = (/** @type {number[][]} */ matrix) => {
        const four = [0, 1, 2, 3].map((gate) => matrix[gate * H + unit]);
        return { shape: [4, four[0].length], data: Float64Array.from(four.flat()) };
      };
      const own = new UnitWeights(
        new Map([
          ["W", rows(all.W)],
          ["U", rows(all.U)],
          ["b", rows(all.b)],
        ]),
      );
      for (let t = 0; t < recording.timesteps; t++) {
        const x = recording.input(cell.layer, t);
        const h = hiddenBefore(
          recording,
          cell,
          timestepBefore(t, cell.direction, recording.timesteps),
        );
        const read = together(x);
        assert.ok(x && h && read);
        ["i", "f", "g", "o"].forEach((q, gate) => {
          const { Wx, Uh, b } = own.parts(gate, x, h);
          assert.ok(Math.abs(Wx - inner(all.W[gate * H + unit], read)) < 1e-12);
          const made = (q === "g" ? Math.tanh : sigmoid)(Wx + Uh + b);
          assert.ok(Math.abs(made - Number(recording.value(q, cell, t, unit))) < 1e-12);
        });
      }
    }
  }
});

test("the state before is unknown until it has come", async () => {
  const { recording } = createWorld({});
  const cell = /** @type {const} */ ({ layer: 0, direction: "forward" });
  assert.equal(hiddenBefore(recording, cell, null), undefined);
  assert.equal(hiddenBefore(recording, cell, 0), undefined);
  await recording.load(["0.forward.h_0", "0.forward.h"]);
  assert.equal(hiddenBefore(recording, cell, null)?.length, recording.layers[0].output_size);
  assert.equal(hiddenBefore(recording, cell, 0)?.length, recording.layers[0].output_size);
});

test("every array is fetched once, whoever asks for it and when", async () => {
  for (let seed = 1; seed < 100; seed++) {
    const random = createRandom(seed);
    const { recording, arrays, calls, arrivals } = createWorld({ layers: 2 });
    const names = [...arrays.keys()];
    const asked = new Set();
    const loads = Array.from({ length: 12 }, async () => {
      for (let wait = random.integer(0, 4); wait > 0; wait--) await null;
      const some = names.filter(() => random.next() < 0.3);
      for (const name of some) asked.add(name);
      await recording.load(some);
      for (const name of some) assert.equal(recording.array(name), arrays.get(name));
    });
    await Promise.all(loads);
    assert.deepEqual(calls.flat().sort(), [...asked].sort());
    assert.equal(arrivals(), calls.length, "the page hears of every arrival");
    assert.ok(
      calls.every((call) => call.length),
      "no request asks for nothing",
    );
  }
});

test("whoever asks for an array that is on its way waits for it", async () => {
  const answer = /** @type {ReturnType<typeof deferred<Map<string, NDArray>>>} */ (deferred());
  let requests = 0;
  const api = asApi({ arrays: () => (requests++, answer.promise) });
  const recording = new Recording(describe(), api, () => {});
  let done = 0;
  const loads = [recording.load(["x"]), recording.load(["x"])].map((load) =>
    load.then(() => done++),
  );
  await null;
  assert.equal(done, 0);
  answer.resolve(new Map([["x", { shape: [1, 1], data: new Float32Array(1) }]]));
  await Promise.all(loads);
  assert.equal(done, 2);
  assert.equal(requests, 1);
});

test("after a failure everyone who waited is told, and asking again fetches again", async () => {
  const arrays = fill(describe());
  let failing = true;
  const api = asApi({
    arrays: async (_, names) => {
      if (failing) throw new Error("no answer");
      return new Map(names.map((name) => [name, /** @type {NDArray} */ (arrays.get(name))]));
    },
  });
  let arrivals = 0;
  const recording = new Recording(describe(), api, () => arrivals++);
  const both = await Promise.allSettled([
    recording.load(["x", "0.forward.h_0"]),
    recording.load(["0.forward.h_0"]),
  ]);
  assert.deepEqual(
    both.map(({ status }) => status),
    ["rejected", "rejected"],
  );
  assert.equal(arrivals, 0);
  failing = false;
  await recording.load(["x", "0.forward.h_0"]);
  assert.equal(recording.array("x"), arrays.get("x"));
});

/**
 * A recording too long to fetch, whose server gives the timesteps that are asked for.
 * @param {Sizes} sizes
 * @param {Map<string, NDArray>} [arrays]
 */
function createLongWorld(sizes, arrays = fill(describe(sizes))) {
  /** @type {{names: string[], start?: number, stop?: number}[]} */
  const calls = [];
  const api = asApi({
    arrays: async (_, names, part) => {
      calls.push({ names, ...part });
      return new Map(
        names.map((name) => {
          const { shape, data } = /** @type {NDArray} */ (arrays.get(name));
          if (!part) return [name, { shape, data }];
          const { start = 0, stop = shape[0] } = part;
          const rows = data.slice(start * shape[1], stop * shape[1]);
          return [name, { shape: [stop - start, shape[1]], data: rows }];
        }),
      );
    },
  });
  const recording = new Recording(describe({ ...sizes, nbytes: 1e9 }), api, () => {});
  return { recording, arrays, calls };
}

test("up to a size a recording is here whole, beyond it never", () => {
  for (const [nbytes, whole] of /** @type {const} */ ([
    [0, true],
    [WHOLE_BYTES, true],
    [WHOLE_BYTES + 1, false],
  ])) {
    const { recording } = createWorld({ nbytes });
    assert.equal(recording.whole, whole);
  }
});

test("shape and range of every array are known before anything has come", () => {
  forAll(50, (random) => {
    const { recording, arrays } = createWorld(anySizes(random));
    for (const [name, { shape }] of arrays)
      assert.deepEqual(recording.described(name)?.shape, shape);
    assert.equal(recording.described("9.forward.h"), undefined);
  });
});

test("the rows of a long recording are the same numbers as those of a whole one", async () => {
  for (let seed = 1; seed < 20; seed++) {
    const random = createRandom(seed);
    const sizes = { ...anySizes(random), timesteps: random.integer(1, 400) };
    const whole = createWorld(sizes);
    const { recording, calls } = createLongWorld(sizes, whole.arrays);
    await whole.recording.load([...whole.arrays.keys()]);
    await recording.load(recording.overviewNames());
    const cell = random.pick(recording.rows);
    const t = random.integer(0, recording.timesteps - 1);
    const before = timestepBefore(t, cell.direction, recording.timesteps);
    const names = recording.cellNames(cell, QUANTITIES);
    const own = `${cell.layer}.${cell.direction}`;
    assert.equal(recording.row(`${own}.c`, t), undefined);
    assert.equal(recording.value("c", cell, t, 0), undefined);
    assert.equal(recording.input(cell.layer, t), undefined);
    recording.want(names, t - 1, t + 2);
    await settle();
    for (const name of names)
      assert.deepEqual([...(recording.row(name, t) ?? [])], rowOf(whole.arrays.get(name), t));
    for (const q of QUANTITIES)
      assert.equal(recording.value(q, cell, t, 0), whole.recording.value(q, cell, t, 0));
    assert.deepEqual(
      together(recording.input(cell.layer, t)),
      together(whole.recording.input(cell.layer, t)),
    );
    assert.deepEqual(
      [...(hiddenBefore(recording, cell, before) ?? [])],
      [...(hiddenBefore(whole.recording, cell, before) ?? [])],
      "the timestep before is there as well",
    );
    assert.equal(recording.array(`${own}.c`), undefined, "it is nowhere whole");
    for (const { start, stop, names } of calls.slice(1)) {
      assert.ok(start !== undefined && stop !== undefined && stop <= sizes.timesteps);
      assert.ok(stop - start <= 64, `${names}: a window, not all there is`);
    }
  }
});

test("wishing for rows of a recording that is fetched whole fetches the arrays, each once", async () => {
  const { recording, calls, arrays } = createWorld({});
  recording.want(["x", "0.forward.h"], 0, 1);
  recording.want(["x", "0.forward.h"], 3, 4);
  await settle();
  assert.deepEqual(calls, [["x", "0.forward.h"]]);
  assert.equal(recording.array("x"), arrays.get("x"));
  const failing = new Recording(
    describe(),
    asApi({ arrays: () => Promise.reject(new Error("no answer")) }),
    () => {},
  );
  failing.want(["x"]);
  await settle(); // and nobody hears of it
});
