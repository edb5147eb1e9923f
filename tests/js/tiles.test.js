import assert from "node:assert/strict";
import { test } from "node:test";

import { ApiError } from "../../static/js/api.js";
import { TILE, poolTile } from "../../static/js/heatmaps/pooling.js";
import { Recording } from "../../static/js/recording.js";
import { createTiles } from "../../static/js/heatmaps/tiles.js";
import { createRandom } from "./random.js";
import { QUANTITIES, asApi, deferred, describe, fill, settle } from "./worlds.js";

/** @import {Sizes} from './worlds.js' */
/** @import {NDArray} from '../../static/js/types.js' */
/** @import {Pooling, Wanted} from '../../static/js/heatmaps/tiles.js' */

/** More than the page fetches whole. */
const LARGE = 1e9;

/**
 * The tiles of a recording, and a server that answers when the test says so.
 * @param {{sizes?: Sizes, limit?: number}} [options]
 */
function createWorld({ sizes = {}, limit = 1e9 } = {}) {
  const about = describe(sizes);
  const arrays = fill(about);
  /** @type {{names: string[], of: Record<string, any>, signal: AbortSignal, answer: () => Promise<unknown>, fail: () => Promise<unknown>}[]} */
  const requests = [];
  /** @type {{of: Record<string, any>, answer: (order: number[]) => Promise<unknown>, fail: () => Promise<unknown>}[]} */
  const orders = [];
  /** @type {{run: () => void, milliseconds: number}[]} */
  let waiting = [];
  let clock = 0;
  let tick = 0;
  let arrivals = 0;
  const api = asApi({
    arrays: async (_, names) =>
      new Map(names.map((name) => [name, /** @type {NDArray} */ (arrays.get(name))])),
    tiles(_, names, of, signal) {
      const reply = /** @type {ReturnType<typeof deferred<Map<string, NDArray>>>} */ (deferred());
      signal?.addEventListener("abort", () =>
        reply.reject(new DOMException("aborted", "AbortError")),
      );
      const how = { ...of, unitsPerRow: of.units_per_row, order: null };
      requests.push({
        names,
        of,
        signal: /** @type {AbortSignal} */ (signal),
        answer() {
          reply.resolve(
            new Map(
              names.map((name) => [name, poolTile(/** @type {NDArray} */ (arrays.get(name)), how)]),
            ),
          );
          return settle();
        },
        fail() {
          reply.reject(new ApiError({ title: "Busy", status: 503, detail: "Busy." }));
          return settle();
        },
      });
      return reply.promise;
    },
    order(_, of) {
      const reply = /** @type {ReturnType<typeof deferred<{order: number[]}>>} */ (deferred());
      orders.push({
        of,
        answer(order) {
          reply.resolve({ order });
          return settle();
        },
        fail() {
          reply.reject(new ApiError({ title: "Busy", status: 503, detail: "Busy." }));
          return settle();
        },
      });
      return reply.promise;
    },
  });
  const recording = new Recording(about, api, () => {});
  const tiles = createTiles({
    recording,
    api,
    limit,
    onArrival: () => arrivals++,
    later: (run, milliseconds) => waiting.push({ run, milliseconds }),
    clock: () => (clock += tick),
  });
  return {
    tiles,
    recording,
    arrays,
    requests,
    orders,
    arrivals: () => arrivals,
    /** Every look at the clock takes so long. @param {number} milliseconds */
    slow: (milliseconds) => (tick = milliseconds),
    /** Run what waits for another turn; returns how long it had to. */
    async turn() {
      const now = waiting;
      waiting = [];
      for (const { run } of now) run();
      await settle();
      return now.map(({ milliseconds }) => milliseconds);
    },
    waiting: () => waiting.length,
    load: () => recording.load([...arrays.keys()]),
  };
}

/** @param {Partial<Pooling>} [other] @returns {Pooling} */
const pooling = (other) => ({
  unitsPerRow: 1,
  statistic: "extreme",
  sort: "index",
  sortOf: "h",
  unit: 0,
  ...other,
});

/** @param {string} name @param {Partial<Wanted>} [other] @returns {Wanted} */
const wanted = (name, other) => ({ name, pooling: pooling(), level: 0, tile: 0, ...other });

/** Everything a request asked for. @param {{names: string[], of: Record<string, any>}} request */
const askedFor = ({ names, of }) =>
  names.map((name) => [name, of.level, of.tile, of.units_per_row, of.statistic].join(" "));

test("of arrays that are here tiles are made here, at once, and are what pooling makes", async () => {
  for (let seed = 1; seed < 20; seed++) {
    const random = createRandom(seed);
    const sizes = { timesteps: random.integer(1, 1500), units: random.integer(1, 9) };
    const { tiles, arrays, requests, load, arrivals } = createWorld({ sizes });
    await load();
    const wishes = ["0.forward.i", "1.backward.c", "x"].map((name) => {
      const level = random.integer(0, 3);
      const count = Math.ceil(sizes.timesteps / 2 ** level / TILE);
      const how = pooling({
        unitsPerRow: random.integer(1, 4),
        statistic: random.pick(["extreme", "mean"]),
      });
      return wanted(name, { level, tile: random.integer(0, count - 1), pooling: how });
    });
    tiles.want("states", wishes);
    assert.equal(arrivals(), 1);
    for (const wish of wishes) {
      const made = poolTile(/** @type {NDArray} */ (arrays.get(wish.name)), {
        ...wish,
        ...wish.pooling,
        order: null,
      });
      const { shape, data } = /** @type {NonNullable<ReturnType<typeof tiles.get>>} */ (
        tiles.get(wish)
      );
      assert.deepEqual({ shape, data }, made);
    }
    assert.equal(requests.length, 0, "nothing is asked of the server");
    tiles.want("states", wishes);
    assert.equal(arrivals(), 1, "and nothing is made twice");
  }
});

test("tiles of a whole recording wait for its arrays, and never go to the server", async () => {
  const { tiles, requests, recording, arrivals, turn } = createWorld();
  tiles.want("states", [wanted("0.forward.c")]);
  await turn();
  assert.deepEqual([arrivals(), requests.length], [0, 0]);
  await recording.load(["0.forward.c"]);
  tiles.want("states", [wanted("0.forward.c")]);
  assert.ok(tiles.get(wanted("0.forward.c")));
});

test("making many tiles takes several turns, so that a frame is never held up", async () => {
  const { tiles, load, slow, arrivals, turn, waiting } = createWorld();
  await load();
  slow(2);
  const wishes = QUANTITIES.map((q) => wanted(`0.forward.${q}`));
  tiles.want("states", wishes);
  const made = () => wishes.filter((wish) => tiles.get(wish)).length;
  const counts = [made()];
  while (waiting()) {
    await turn();
    counts.push(made());
  }
  assert.ok(counts[0] < wishes.length && counts.length > 1, String(counts));
  assert.equal(counts.at(-1), wishes.length);
  assert.equal(arrivals(), counts.length, "what has been made is shown after every turn");
});

test("of a longer recording tiles are fetched, those of one part and way of pooling together", async () => {
  const sizes = { nbytes: LARGE, timesteps: 3000 };
  const { tiles, requests, arrivals } = createWorld({ sizes });
  const names = QUANTITIES.map((q) => `1.forward.${q}`);
  const how = pooling({ unitsPerRow: 2, statistic: "mean" });
  const wishes = [
    ...names.map((name) => wanted(name, { level: 1, tile: 2, pooling: how })),
    wanted("x", { level: 1, tile: 2 }),
  ];
  tiles.want("states", wishes);
  assert.equal(requests.length, 2);
  assert.deepEqual(requests[0].names, names);
  assert.deepEqual(requests[0].of, {
    level: 1,
    tile: 2,
    units_per_row: 2,
    statistic: "mean",
    sort: "index",
    sort_of: "h",
    unit: 0,
  });
  assert.deepEqual(requests[1].names, ["x"]);
  assert.equal(tiles.get(wishes[0]), undefined);
  await requests[0].answer();
  assert.equal(arrivals(), 1);
  assert.deepEqual(tiles.get(wishes[0])?.shape, [1500 - 2 * TILE, 2]);
});

test("one answer is not of too many numbers, and not too many are asked for at once", async () => {
  const sizes = { nbytes: LARGE, timesteps: 1600, units: 100, layers: 1 };
  const { tiles, requests, recording, turn } = createWorld({ sizes });
  const names = recording.rows.flatMap((cell) => Recording.names(cell, QUANTITIES));
  tiles.want(
    "states",
    [0, 1, 2, 3].flatMap((tile) => names.map((name) => wanted(name, { tile }))),
  );
  let most = 0;
  for (let n = 0; n < requests.length; n++) {
    const open = requests.length - n;
    most = Math.max(most, open);
    const numbers = requests[n].names.length * TILE * 100;
    assert.ok(numbers <= 250_000 || requests[n].names.length === 1, `${numbers} in one answer`);
    await requests[n].answer();
    await turn();
  }
  assert.ok(most > 1 && most <= 3, `${most} requests at once`);
  const all = requests.flatMap(askedFor);
  assert.equal(all.length, 4 * names.length);
  assert.equal(new Set(all).size, all.length);
  assert.equal(requests[0].of.tile, 0, "what is wished first comes first");
});

test("nothing is fetched twice, whichever pictures want it and however often", async () => {
  for (let seed = 1; seed < 40; seed++) {
    const random = createRandom(seed);
    const sizes = { nbytes: LARGE, timesteps: 2000, units: 2, layers: 1 };
    const { tiles, requests, turn } = createWorld({ sizes });
    for (let n = 0; n < 12; n++) {
      // All of them go on wanting what they wanted: nothing is dropped.
      for (const picture of ["states", "network", "minimap"])
        tiles.want(
          picture,
          [0, 1, 2, 3].slice(0, 1 + (n >> 2)).map((tile) => wanted("0.forward.h", { tile })),
        );
      if (random.flip()) await random.pick(requests).answer();
      if (random.flip()) await turn();
    }
    await turn();
    const all = requests.flatMap(askedFor);
    assert.equal(new Set(all).size, all.length, String(all));
  }
});

test("a request nobody waits for any more is broken off, one that somebody wants is not", async () => {
  const { tiles, requests, turn, arrivals } = createWorld({
    sizes: { nbytes: LARGE, timesteps: 9000 },
  });
  const [near, far] = [0, 9].map((tile) => wanted("0.forward.h", { tile }));
  tiles.want("states", [near]);
  tiles.want("network", [near]);
  tiles.want("states", [far]);
  assert.equal(requests[0].signal.aborted, false, "the network still shows it");
  tiles.want("network", [far]);
  assert.equal(requests[0].signal.aborted, true);
  await settle();
  await turn();
  assert.equal(arrivals(), 0);
  assert.equal(requests.length, 2, "and it is not asked for again");
  assert.deepEqual(requests[1].of.tile, 9);
  await requests[1].answer();
  assert.ok(tiles.get(far) && !tiles.get(near));
  // Back again, it is.
  tiles.want("states", [near]);
  await turn();
  assert.equal(requests.at(-1)?.of.tile, 0);
  await requests.at(-1)?.answer();
  assert.ok(tiles.get(near));
});

test("what failed is asked for again after a while, if it is still wanted", async () => {
  for (const still of [true, false]) {
    const { tiles, requests, turn } = createWorld({ sizes: { nbytes: LARGE } });
    tiles.want("states", [wanted("0.forward.h")]);
    await requests[0].fail();
    assert.equal(requests.length, 1);
    if (!still) tiles.want("states", []);
    const waited = await turn();
    assert.ok(Math.max(...waited) >= 500, "not at once");
    await turn();
    assert.equal(requests.length, still ? 2 : 1);
  }
});

/** What one tile takes: numbers, and the pixels they become. @param {number} columns @param {number} rows */
const bytesOf = (columns, rows) => columns * rows * 8;

test("no more is kept than the limit; what was not looked at longest gives way", async () => {
  const each = bytesOf(TILE, 4);
  const { tiles, load, arrays } = createWorld({
    sizes: { timesteps: 40 * TILE, layers: 1, bidirectional: false },
    limit: 5 * each,
  });
  await load();
  assert.ok(arrays.get("0.forward.h"));
  const at = (/** @type {number} */ tile) => wanted("0.forward.h", { tile });
  for (let tile = 0; tile < 5; tile++) tiles.want("states", [at(tile)]);
  assert.equal(tiles.nbytes, 5 * each);
  assert.ok(tiles.get(at(0)));
  tiles.want("states", [at(5)]);
  assert.equal(tiles.nbytes, 5 * each);
  assert.ok(tiles.get(at(0)), "it was looked at since");
  assert.equal(tiles.get(at(1)), undefined);
  for (let tile = 6; tile < 40; tile++) {
    tiles.want("states", [at(tile)]);
    assert.equal(tiles.nbytes, 5 * each);
  }
});

test("what is on the screen stays, even where all of it is more than the limit", async () => {
  const each = bytesOf(TILE, 4);
  const { tiles, load } = createWorld({
    sizes: { timesteps: 40 * TILE, layers: 1, bidirectional: false },
    limit: 2 * each,
  });
  await load();
  const at = (/** @type {number} */ tile) => wanted("0.forward.h", { tile });
  const shown = [0, 1, 2, 3].map(at);
  tiles.want("states", shown);
  assert.ok(shown.every((wish) => tiles.get(wish)));
  tiles.want("states", [at(9)]);
  assert.ok(tiles.nbytes <= 2 * each);
  assert.ok(tiles.get(at(9)));
});

test("units stand in the order the server gives, asked for once; until then nothing is made", async () => {
  const sizes = { units: 4 };
  const { tiles, load, arrays, orders, arrivals, turn } = createWorld({ sizes });
  await load();
  const wishes = QUANTITIES.map((q) =>
    wanted(`1.backward.${q}`, { pooling: pooling({ sort: "peak", sortOf: "c" }) }),
  );
  tiles.want("states", wishes);
  await turn();
  assert.deepEqual(
    orders.map(({ of }) => of),
    [{ layer: 1, direction: "backward", sort: "peak", sort_of: "c", unit: 0 }],
  );
  assert.equal(tiles.orderOf(wishes[0].name, wishes[0].pooling), undefined);
  assert.equal(arrivals(), 0);
  const order = [2, 0, 3, 1];
  await orders[0].answer(order);
  assert.equal(tiles.orderOf(wishes[0].name, wishes[0].pooling), order);
  await turn();
  assert.ok(arrivals() > 0);
  for (const wish of wishes) {
    const array = /** @type {NDArray} */ (arrays.get(wish.name));
    const made = poolTile(array, { ...wish, ...wish.pooling, order });
    assert.deepEqual(tiles.get(wish)?.data, made.data);
  }
  assert.equal(orders.length, 1);
});

test("an order is of the units it was computed for: not of x, nor of an h of another width", () => {
  const { tiles, orders } = createWorld({ sizes: { units: 6, proj: 2 } });
  const sorted = pooling({ sort: "mean", sortOf: "h" });
  assert.equal(tiles.orderOf("0.forward.h", pooling()), null, "as they are");
  assert.equal(tiles.orderOf("x", sorted), null);
  assert.equal(tiles.orderOf("scores", sorted), null);
  assert.equal(tiles.orderOf("0.forward.c", sorted), null, "h is narrower than c");
  assert.equal(orders.length, 0);
  assert.equal(tiles.orderOf("0.forward.h", sorted), undefined);
  assert.equal(orders.length, 1);
});

test("likeness is to one unit: another one is another order and another picture", async () => {
  const { tiles, load, orders, turn } = createWorld({ sizes: { units: 3 } });
  await load();
  const like = (/** @type {number} */ unit) =>
    wanted("0.forward.h", { pooling: pooling({ sort: "similarity", unit }) });
  const peaks = (/** @type {number} */ unit) =>
    wanted("0.forward.h", { pooling: pooling({ sort: "peak", unit }) });
  tiles.want("states", [like(0)]);
  tiles.want("states", [like(2)]);
  assert.deepEqual(
    orders.map(({ of }) => of.unit),
    [0, 2],
  );
  await orders[0].answer([0, 1, 2]);
  await orders[1].answer([2, 1, 0]);
  await turn();
  assert.equal(tiles.get(like(0)), undefined, "nobody wants it any more");
  assert.ok(tiles.get(like(2)));
  tiles.want("states", [peaks(0)]);
  await orders[2].answer([1, 0, 2]);
  await turn();
  assert.ok(tiles.get(peaks(0)));
  assert.equal(tiles.get(peaks(0)), tiles.get(peaks(1)), "where it says nothing it is the same");
  assert.equal(orders.length, 3);
});

test("an order that could not be had is asked for again", async () => {
  const { tiles, orders } = createWorld();
  const sorted = pooling({ sort: "cluster" });
  tiles.orderOf("0.forward.h", sorted);
  await orders[0].fail();
  assert.equal(tiles.orderOf("0.forward.h", sorted), undefined);
  assert.equal(orders.length, 2);
  await orders[1].answer([3, 2, 1, 0]);
  assert.deepEqual(tiles.orderOf("0.forward.h", sorted), [3, 2, 1, 0]);
});

test("of a recording that has gone nothing is asked, kept or told any more", async () => {
  const { tiles, requests, orders, arrivals, turn } = createWorld({
    sizes: { nbytes: LARGE, timesteps: 4000 },
  });
  tiles.want("states", [wanted("0.forward.h"), wanted("0.forward.h", { tile: 1 })]);
  tiles.orderOf("0.forward.h", pooling({ sort: "peak" }));
  tiles.close();
  assert.ok(requests.every(({ signal }) => signal.aborted));
  await orders[0].answer([0, 1, 2, 3]);
  for (let n = 0; n < 3; n++) await turn();
  assert.equal(arrivals(), 0);
  const asked = requests.length;
  tiles.want("states", [wanted("0.forward.h", { tile: 2 })]);
  await turn();
  assert.equal(requests.length, asked);
});
