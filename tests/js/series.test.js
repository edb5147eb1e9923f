import assert from "node:assert/strict";
import { test } from "node:test";

import { Recording } from "../../static/js/recording.js";
import { BLOCK, createSeries } from "../../static/js/unit/series.js";
import { createState } from "../../static/js/state.js";
import { createRandom, forAll } from "./random.js";
import { QUANTITIES, asApi, describe, fill, quantities } from "./worlds.js";

/** @import {Sizes} from './worlds.js' */
/** @import {Cell, NDArray} from '../../static/js/types.js' */

const LONG = 1e9;

/**
 * A page with a recording, and a server that answers when it is told to.
 * @param {Sizes} sizes
 * @param {{limit?: number, fails?: () => boolean}} [options]
 */
function createWorld(sizes, { limit, fails = () => false } = {}) {
  const about = describe(sizes);
  const arrays = fill(about);
  /** @type {{names: string[], from: number, to: number, signal: AbortSignal, answer: () => void}[]} */
  const requests = [];
  const api = asApi({
    arrays: (id, names, part, signal) =>
      new Promise((resolve, reject) => {
        assert.equal(id, about.id);
        const [from, to] = [part?.unit_start ?? 0, part?.unit_stop ?? 0];
        const answer = () => {
          if (fails()) return reject(new Error("no answer"));
          resolve(new Map(names.map((name) => [name, cut(arrays.get(name), from, to)])));
        };
        signal?.addEventListener("abort", () => reject(signal.reason));
        requests.push({ names, from, to, signal: /** @type {AbortSignal} */ (signal), answer });
      }),
  });
  const state = createState();
  state.quantities.set(quantities());
  if (limit) {
    state.about.set({
      version: "",
      plotly: null,
      plotly_url: null,
      limits: /** @type {any} */ ({ max_tab_bytes: limit }),
    });
  }
  const recording = new Recording(about, api, () => {});
  state.recording.set(recording);
  let arrivals = 0;
  /** @type {unknown[]} */
  const problems = [];
  const series = createSeries(
    state,
    api,
    () => arrivals++,
    (problem) => problems.push(problem),
  );
  /** Answers every request that still waits, and the ones that follow. */
  async function answerAll() {
    for (let n = 0; n < requests.length; n++) {
      if (!requests[n].signal.aborted) requests[n].answer();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  return {
    state,
    arrays,
    recording,
    requests,
    series,
    answerAll,
    problems,
    arrivals: () => arrivals,
  };
}

/** @param {NDArray | undefined} array @param {number} from @param {number} to @returns {NDArray} */
function cut(array, from, to) {
  assert.ok(array);
  const [timesteps, width] = array.shape;
  assert.ok(from >= 0 && to > from && to <= width, `units ${from} to ${to} of ${width}`);
  const data = new Float32Array(timesteps * (to - from));
  for (let t = 0; t < timesteps; t++)
    for (let u = from; u < to; u++) data[t * (to - from) + u - from] = array.data[t * width + u];
  return { shape: [timesteps, to - from], data };
}

/** What a unit did, read number by number. @param {Map<string, NDArray>} arrays @param {Cell} cell @param {number} unit */
function expected(arrays, { layer, direction }, unit) {
  /** @type {Record<string, number[]>} */
  const found = {};
  for (const q of QUANTITIES) {
    const array = arrays.get(`${layer}.${direction}.${q}`);
    assert.ok(array);
    const [timesteps, width] = array.shape;
    if (unit >= width) continue;
    found[q] = Array.from({ length: timesteps }, (_, t) => array.data[t * width + unit]);
  }
  return found;
}

/** @param {Record<string, ArrayLike<number>> | undefined} series */
const plain = (series) =>
  series && Object.fromEntries(Object.entries(series).map(([q, data]) => [q, Array.from(data)]));

/** @type {Cell} */
const FIRST = { layer: 0, direction: "forward" };

test("a unit of a long recording is what its arrays say, wherever one flips and jumps", async () => {
  const random = createRandom(5);
  const sizes = { timesteps: 7, units: 53, proj: 21, layers: 2, nbytes: LONG };
  const { series, arrays, recording, answerAll, problems } = createWorld(sizes);
  for (let n = 0; n < 60; n++) {
    const cell = random.pick(recording.rows);
    const unit = random.integer(0, 52);
    series.get(cell, unit);
    await answerAll();
    assert.deepEqual(plain(series.get(cell, unit)), expected(arrays, cell, unit));
  }
  assert.deepEqual(problems, []);
});

test("of a recording that is here as a whole nothing is asked for", async () => {
  const { series, arrays, recording, requests, state } = createWorld({ units: 6, proj: 4 });
  assert.equal(series.get(FIRST, 2), undefined, "it has not come yet");
  recording._arrays = arrays;
  for (let unit = 0; unit < 6; unit++)
    assert.deepEqual(plain(series.get(FIRST, unit)), expected(arrays, FIRST, unit));
  assert.equal(requests.length, 0);
  const other = new Recording(describe({ id: "r2", units: 6 }), asApi({}), () => {});
  other._arrays = fill(other.about, 9);
  state.recording.set(other);
  assert.deepEqual(plain(series.get(FIRST, 5)), expected(other._arrays, FIRST, 5));
});

test("holding the key down asks for every block once, one ahead, up and down", async () => {
  const units = 5 * BLOCK;
  const { series, requests, answerAll } = createWorld({ units, layers: 1, nbytes: LONG });
  const asked = () => requests.map(({ from }) => from / BLOCK);
  series.get(FIRST, 0);
  assert.deepEqual(asked(), [0], "the one that is looked at comes first");
  await answerAll();
  series.get(FIRST, 0);
  assert.deepEqual(asked(), [0, 1]);
  for (let unit = 1; unit < units; unit++) {
    series.get(FIRST, unit);
    await answerAll();
    assert.ok(series.get(FIRST, unit), `unit ${unit} is here when it is flipped to`);
  }
  assert.deepEqual(asked(), [0, 1, 2, 3, 4]);
  for (let unit = units - 1; unit >= 0; unit--) assert.ok(series.get(FIRST, unit));
  assert.equal(requests.length, 5);
});

test("who jumps away from a block that is still coming drops the request", async () => {
  const { series, requests, answerAll, problems } = createWorld({
    units: 10 * BLOCK,
    nbytes: LONG,
  });
  series.get(FIRST, 0);
  series.get(FIRST, 5 * BLOCK);
  assert.equal(requests[0].signal.aborted, true);
  assert.equal(requests[1].signal.aborted, false);
  series.get({ layer: 1, direction: "backward" }, 5 * BLOCK);
  assert.equal(requests[1].signal.aborted, true);
  await answerAll();
  assert.deepEqual(problems, [], "what is dropped is no problem");
  series.get(FIRST, 3);
  await answerAll();
  assert.ok(series.get(FIRST, 3), "a dropped block can be asked for again");
});

test("what is kept stays within its share of the tab, and the block that is looked at is kept", async () => {
  const sizes = { units: 8 * BLOCK, timesteps: 10, layers: 1, nbytes: LONG };
  const block = 6 * 10 * BLOCK * 4;
  const { series, answerAll, requests } = createWorld(sizes, { limit: 4 * 3 * block });
  for (let unit = 0; unit < 8 * BLOCK; unit += 5) {
    series.get(FIRST, unit);
    await answerAll();
    assert.ok(series.get(FIRST, unit));
    assert.ok(series.nbytes <= 3 * block, `${series.nbytes} bytes`);
  }
  const before = requests.length;
  series.get(FIRST, 0);
  assert.equal(requests.length, before + 1, "the first block gave way");
  const small = createWorld(sizes, { limit: 4 });
  small.series.get(FIRST, 0);
  await small.answerAll();
  assert.ok(small.series.get(FIRST, 0), "however little there may be");
  assert.equal(small.requests.length, 1, "and no other is fetched that would drive it out");
});

test("what cannot be had is said, and asked for again by who still wants it", async () => {
  let broken = true;
  const sizes = { units: 4, nbytes: LONG };
  const { series, answerAll, problems, requests } = createWorld(sizes, { fails: () => broken });
  series.get(FIRST, 0);
  await answerAll();
  assert.equal(problems.length, 1);
  broken = false;
  series.get(FIRST, 0);
  await answerAll();
  assert.ok(series.get(FIRST, 0));
  assert.equal(requests.length, 2);
});

test("the same unit is handed out as the same arrays", () => {
  forAll(20, (random) => {
    const { series, arrays, recording } = createWorld({ units: 9, timesteps: 3 });
    recording._arrays = arrays;
    const unit = random.integer(0, 8);
    assert.equal(series.get(FIRST, unit), series.get(FIRST, unit));
  });
});
