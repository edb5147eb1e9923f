import assert from "node:assert/strict";
import { test } from "node:test";

import { WINDOW, createRowCache } from "../../static/js/row-cache.js";
import { createRandom, forAll } from "./random.js";
import { deferred, settle } from "./worlds.js";

/** @import {NDArray} from '../../static/js/types.js' */

/** The width of every array. */
const WIDTH = 3;
const WINDOW_BYTES = WINDOW * WIDTH * 4;

/** What stands at a timestep of an array. @param {string} name @param {number} t */
const rowOf = (name, t) => Array.from({ length: WIDTH }, (_, n) => name.charCodeAt(0) + t * 8 + n);

/**
 * A cache and its server, which answers when the test says so.
 * @param {{timesteps?: number, limit?: number}} [options]
 */
function createWorld({ timesteps = 20 * WINDOW, limit = 1e9 } = {}) {
  /** @type {{names: string[], start: number, stop: number, answer: () => Promise<unknown>, fail: () => Promise<unknown>}[]} */
  const requests = [];
  /** @type {(() => void)[]} */
  const waiting = [];
  let arrivals = 0;
  let [now, hurried] = [0, false];
  const cache = createRowCache({
    fetch(names, start, stop) {
      const reply = /** @type {ReturnType<typeof deferred<Map<string, NDArray>>>} */ (deferred());
      requests.push({
        names,
        start,
        stop,
        answer() {
          const shape = [stop - start, WIDTH];
          const times = Array.from({ length: stop - start }, (_, n) => start + n);
          // Views on one answer, as decoding it gives them.
          const all = Float32Array.from(
            names.flatMap((name) => times.flatMap((t) => rowOf(name, t))),
          );
          const length = times.length * WIDTH;
          reply.resolve(
            new Map(
              names.map((name, n) => [
                name,
                { shape, data: all.subarray(n * length, (n + 1) * length) },
              ]),
            ),
          );
          return settle();
        },
        fail() {
          reply.reject(new Error("no answer"));
          return settle();
        },
      });
      return reply.promise;
    },
    timesteps,
    limit,
    onArrival: () => arrivals++,
    later: (run) => waiting.push(run),
    // Nobody hurries, unless a test says so.
    clock: () => (hurried ? now : (now += 1000)),
  });
  return {
    cache,
    requests,
    arrivals: () => arrivals,
    /** Let the time pass after which a failure may be over. */
    wait: () => waiting.splice(0).forEach((run) => run()),
    /** From now on time passes only when it is told to. @param {number} milliseconds */
    pass: (milliseconds) => {
      hurried = true;
      now += milliseconds;
    },
    /** The windows asked for so far. */
    windows: () => requests.map(({ start }) => start / WINDOW),
    /** Answer everything, also what is asked for meanwhile. */
    async answerAll() {
      for (let n = 0; n < requests.length; n++) await requests[n].answer();
    },
  };
}

test("a row is the numbers of its timestep, undefined until they have come", async () => {
  for (let seed = 1; seed < 40; seed++) {
    const random = createRandom(seed);
    const timesteps = random.integer(1, 5 * WINDOW);
    const { cache, answerAll, arrivals } = createWorld({ timesteps });
    const asked = Array.from({ length: random.integer(1, 3) }, () => {
      const from = random.integer(0, timesteps - 1);
      return { name: random.pick(["a", "b"]), from, to: random.integer(from + 1, timesteps) };
    });
    for (const { name, from } of asked) assert.equal(cache.row(name, from), undefined);
    for (const { name, from, to } of asked) cache.want([name], from, to);
    await answerAll();
    assert.ok(arrivals() > 0);
    for (const { name, from, to } of asked)
      for (let t = from; t < to; t++)
        assert.deepEqual([...(cache.row(name, t) ?? [])], rowOf(name, t));
    assert.equal(cache.row("c", 0), undefined);
  }
});

test("what is asked for lies inside the recording, and is what holds the wish", () => {
  forAll(200, (random) => {
    const timesteps = random.integer(1, 6 * WINDOW);
    const { cache, requests } = createWorld({ timesteps });
    const from = random.integer(-100, timesteps - 1);
    const to = from + random.integer(1, 2 * WINDOW);
    cache.want(["a"], from, to);
    for (const { start, stop } of requests) {
      assert.ok(start >= 0 && start < stop && stop <= timesteps);
      assert.ok(start < to && stop > from, "a part of the wish");
    }
    assert.equal(requests.length > 0, to > 0);
  });
});

test("what is wished last is fetched first; of many wishes the oldest are dropped", async () => {
  const { cache, requests, windows, answerAll } = createWorld({ timesteps: 40 * WINDOW });
  // Scrubbing: every step wants its own window.
  for (let window = 0; window < 30; window++)
    cache.want(["a"], window * WINDOW, window * WINDOW + 1);
  assert.deepEqual(windows(), [0, 1], "two at once");
  await requests[0].answer();
  assert.deepEqual(windows(), [0, 1, 29], "then the newest");
  await answerAll();
  const [, , ...rest] = windows();
  assert.deepEqual(
    rest,
    Array.from(rest, (_, n) => 29 - n),
    "and on from there",
  );
  assert.ok(rest.length < 12, "those that were passed long ago are not fetched");
  assert.ok(cache.row("a", 29 * WINDOW));
  assert.equal(cache.row("a", 10 * WINDOW), undefined);
});

test("a wish for a window that waits already brings it to the front, with all its names", async () => {
  const { cache, requests, windows } = createWorld();
  for (let window = 0; window < 5; window++)
    cache.want(["a"], window * WINDOW, window * WINDOW + 1);
  cache.want(["b"], 2 * WINDOW, 2 * WINDOW + 1);
  await requests[0].answer();
  assert.deepEqual(windows(), [0, 1, 2]);
  assert.deepEqual([...requests[2].names].sort(), ["a", "b"]);
});

test("a wish over several windows is served from its beginning", () => {
  const { cache, windows } = createWorld();
  cache.want(["a"], 3 * WINDOW, 9 * WINDOW);
  assert.deepEqual(windows(), [3, 4]);
});

test("nothing is fetched twice, neither what is here nor what is on its way", async () => {
  for (let seed = 1; seed < 60; seed++) {
    const random = createRandom(seed);
    const { cache, requests, answerAll } = createWorld({ timesteps: 4 * WINDOW });
    for (let n = 0; n < 30; n++) {
      const names = ["a", "b", "c"].filter(() => random.flip());
      const from = random.integer(0, 4 * WINDOW - 1);
      cache.want(names, from, from + random.integer(1, WINDOW));
      const open = random.pick([null, ...requests]);
      if (open && random.flip()) await open.answer();
    }
    await answerAll();
    const fetched = requests.flatMap(({ names, start }) => names.map((name) => `${start} ${name}`));
    assert.equal(new Set(fetched).size, fetched.length);
    assert.ok(requests.every(({ names }) => names.length));
  }
});

test("no more is kept than the limit; what was not looked at longest gives way", async () => {
  const { cache, requests } = createWorld({ limit: 4 * WINDOW_BYTES });
  const fetch = async (/** @type {number} */ window) => {
    cache.want(["a"], window * WINDOW, window * WINDOW + 1);
    await requests.at(-1)?.answer();
  };
  /** Whether it need not be fetched: looking would make it the latest. @param {number} window */
  function has(window) {
    const before = requests.length;
    cache.want(["a"], window * WINDOW, window * WINDOW + 1);
    return requests.length === before;
  }
  for (const window of [0, 1, 2, 3]) await fetch(window);
  assert.equal(cache.nbytes, 4 * WINDOW_BYTES);
  cache.row("a", 0);
  cache.row("a", 2 * WINDOW + 5);
  await fetch(4);
  await fetch(5);
  assert.equal(cache.nbytes, 4 * WINDOW_BYTES);
  assert.ok([0, 2, 4, 5].every(has));
  assert.equal(cache.row("a", WINDOW), undefined);
  assert.equal(cache.row("a", 3 * WINDOW), undefined);
});

test("a row holds on to its own array, not to all that came with it", async () => {
  const { cache, answerAll } = createWorld();
  cache.want(["a", "b"], 0, 1);
  await answerAll();
  assert.equal(cache.row("a", 0)?.buffer.byteLength, WINDOW_BYTES);
  assert.equal(cache.row("b", 3)?.buffer.byteLength, WINDOW_BYTES);
});

test("what came last is kept even where it is larger than the limit", async () => {
  const { cache, answerAll } = createWorld({ limit: 10 });
  for (const t of [0, 7 * WINDOW]) {
    cache.want(["a"], t, t + 1);
    await answerAll();
    assert.deepEqual([...(cache.row("a", t) ?? [])], rowOf("a", t));
    assert.equal(cache.nbytes, WINDOW_BYTES);
  }
});

test("what failed is asked for again by whoever still wants it, after a while", async () => {
  const { cache, requests, wait, arrivals } = createWorld();
  cache.want(["a"], 0, 1);
  await requests[0].fail();
  assert.equal(cache.row("a", 0), undefined);
  assert.equal(requests.length, 1, "not at once");
  const before = arrivals();
  wait();
  assert.equal(arrivals(), before + 1, "who shows it is told to look again");
  cache.want(["a"], 0, 1);
  await requests[1].answer();
  assert.deepEqual([...(cache.row("a", 0) ?? [])], rowOf("a", 0));
});

test("a failure does not hold up what else is wished", async () => {
  const { cache, requests, windows } = createWorld();
  for (let window = 0; window < 4; window++)
    cache.want(["a"], window * WINDOW, window * WINDOW + 1);
  await requests[0].fail();
  await requests[1].fail();
  assert.deepEqual(windows(), [0, 1, 3, 2]);
  await requests[2].answer();
  assert.ok(cache.row("a", 3 * WINDOW));
});

test("a cursor that is dragged along fetches where it rests, and now and then on the way", async () => {
  const { cache, windows, wait, pass } = createWorld({ timesteps: 100 * WINDOW });
  pass(0);
  cache.want(["a"], 0, 1);
  assert.deepEqual(windows(), [0], "the first wish does not wait");
  for (let window = 1; window < 9; window++) {
    pass(10);
    cache.want(["a"], window * WINDOW, window * WINDOW + 1);
  }
  assert.deepEqual(windows(), [0], "what is passed is not fetched");
  pass(60);
  wait();
  assert.deepEqual(windows().slice(0, 2), [0, 8], "where it rests comes first");
});
