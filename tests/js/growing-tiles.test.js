// Pictures of a recording that grows: what is there is shown until it is made again, and then it is
// what would have been made at once.

import assert from "node:assert/strict";
import { test } from "node:test";

import { TILE, poolTile } from "../../static/js/heatmaps/pooling.js";
import { createTiles } from "../../static/js/heatmaps/tiles.js";
import { createRandom, forAll } from "./random.js";
import { asApi, deferred, settle } from "./worlds.js";

/** @import {Recording} from '../../static/js/recording.js' */
/** @import {Pooling} from '../../static/js/heatmaps/tiles.js' */
/** @import {NDArray} from '../../static/js/types.js' */

const UNITS = 3;
const NAME = "0.forward.h";
const DATA = Float32Array.from(createRandom(3).numbers(2000 * UNITS));

/** A recording of so many timesteps. @param {number} timesteps @param {boolean} growing @param {string} [id] */
function moment(timesteps, growing, id = "r") {
  /** @type {NDArray} */
  const array = { shape: [timesteps, UNITS], data: DATA.subarray(0, timesteps * UNITS) };
  return /** @type {Recording} */ (
    /** @type {unknown} */ ({
      ...{ timesteps, growing, whole: true, storedAs: id, about: { id } },
      array: () => array,
      described: () => array,
    })
  );
}

/** @type {Pooling} */
const POOLING = { unitsPerRow: 1, statistic: "extreme", sort: "index", sortOf: "h", unit: 0 };

/** @param {Partial<Pooling>} [pooling] */
const wanted = (tile = 0, level = 0, pooling = {}) => ({
  ...{ name: NAME, level, tile, pooling: { ...POOLING, ...pooling } },
});

/** Tiles whose clock stands still, and what runs later. @param {Recording} recording @param {any} [api] */
function world(recording, api = {}) {
  /** @type {(() => void)[]} */
  const queue = [];
  const tiles = createTiles({
    ...{ recording, api: asApi(api), limit: Infinity, onArrival: () => {} },
    later: (run) => queue.push(run),
    clock: () => 0,
  });
  return { tiles, run: () => queue.splice(0).forEach((one) => one()) };
}

/** @param {number} timesteps @param {number} tile @param {number} level */
const atOnce = (timesteps, tile, level) =>
  poolTile(
    { shape: [timesteps, UNITS], data: DATA.subarray(0, timesteps * UNITS) },
    { ...POOLING, level, tile, order: null },
  );

test("tiles that grew are the tiles of the whole", () => {
  forAll(60, (random) => {
    const from = random.integer(1, TILE + 40);
    const { tiles } = world(moment(from, false));
    const list = [wanted(0, 0), wanted(1, 0), wanted(0, 1), wanted(0, 2)];
    tiles.want("picture", list);
    let now = from;
    for (let n = 0; n < 4; n++) {
      now += random.integer(0, 300);
      tiles.adopt(moment(now, true));
      tiles.want("picture", list);
    }
    for (const one of list) {
      const { shape, data } = atOnce(now, one.tile, one.level);
      assert.deepEqual(tiles.get(one)?.shape, shape);
      assert.deepEqual(tiles.get(one)?.data, data);
    }
  });
});

test("what is there is shown until it is made again, and what is whole is not made again", () => {
  const { tiles } = world(moment(TILE + 10, false));
  const list = [wanted(0), wanted(1)];
  tiles.want("picture", list);
  const [whole, short] = list.map((one) => tiles.get(one));
  tiles.adopt(moment(TILE + 12, true));
  assert.equal(tiles.get(list[1]), short);
  tiles.want("picture", list);
  assert.equal(tiles.get(list[0]), whole);
  assert.deepEqual(tiles.get(list[1])?.shape, [12, UNITS]);
  // At last comes the ordinary recording: everything is made again, of its numbers.
  tiles.adopt(moment(TILE + 12, false, "s"));
  assert.equal(tiles.get(list[0]), whole);
  assert.equal(tiles.recording.about.id, "s");
  tiles.want("picture", list);
  assert.notEqual(tiles.get(list[0]), whole);
});

test("bytes are counted once for a tile that is made again", () => {
  const { tiles } = world(moment(10, false));
  for (const timesteps of [10, 20, 30]) {
    tiles.adopt(moment(timesteps, true));
    tiles.want("picture", [wanted()]);
  }
  assert.equal(tiles.nbytes, 2 * 4 * 30 * UNITS);
});

test("an order of units stays until the new recording's has come", async () => {
  const answers = [deferred(), deferred()];
  /** @type {string[]} */
  const asked = [];
  const api = {
    order: (/** @type {string} */ id) => answers[asked.push(id) - 1].promise,
  };
  const { tiles, run } = world(moment(10, false, "base"), api);
  const one = wanted(0, 0, { sort: /** @type {any} */ ("peak") });
  tiles.want("picture", [one]);
  answers[0].resolve({ order: [2, 1, 0] });
  await settle();
  run();
  tiles.adopt(moment(12, true, "base"));
  tiles.want("picture", [one]);
  assert.deepEqual(tiles.get(one)?.shape, [12, UNITS]);
  assert.deepEqual(asked, ["base"], "the order is that of what it grew from");
  tiles.adopt(moment(12, false, "new"));
  assert.deepEqual(tiles.orderOf(NAME, one.pooling), [2, 1, 0]);
  answers[1].resolve({ order: [0, 2, 1] });
  await settle();
  run();
  assert.deepEqual(asked, ["base", "new"]);
  assert.deepEqual(tiles.orderOf(NAME, one.pooling), [0, 2, 1]);
  const first = [...(tiles.get(one)?.data.subarray(0, UNITS) ?? [])];
  assert.deepEqual(first, [DATA[0], DATA[2], DATA[1]]);
});
