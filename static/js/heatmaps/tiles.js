// Pooled pictures of arrays, in tiles: what the heatmaps are painted from. Tiles of a recording that
// is here whole are made here; of a longer one they are fetched. Either way the page never waits:
// a picture is painted of what has come, coarser tiles first, and again when more arrives.

/** @import {Api} from '../api.js' */
/** @import {Recording} from '../recording.js' */
/** @import {Cell, NDArray, Sort, Statistic} from '../types.js' */

import { poolTile, TILE } from "./pooling.js";

const AT_ONCE = 3;
/** Pooling here may take this long at a time, in milliseconds; the rest waits for the next turn. */
const SLICE = 3;
/** Numbers of one answer of the server: with two bytes each about half a megabyte. */
const NUMBERS = 250_000;
/** Milliseconds after a failure until what is still wanted is asked for again. */
const AGAIN = 1000;

/**
 * How an array is pooled: everything but which array and which part of it.
 * @typedef {object} Pooling
 * @property {number} unitsPerRow
 * @property {Statistic} statistic
 * @property {Sort} sort
 * @property {string} sortOf
 * @property {number} unit  the one others are compared with, where the order is by similarity
 */

/**
 * @typedef {object} Tile
 * @property {[number, number]} shape  columns, rows
 * @property {Float32Array} data  column by column
 * @property {Uint32Array | null} pixels  row by row, as they were coloured last
 * @property {string} coloured  with what
 * @property {number} end  the first timestep after it, where a sequence is long enough
 * @property {"" | "short" | "old"} stale  shown until it is made again: it lacks timesteps, or is of the recording before
 * @property {number} made  counts what is made: who has waited longest comes first
 */

/**
 * @typedef {object} Wanted
 * @property {string} name
 * @property {Pooling} pooling
 * @property {number} level
 * @property {number} tile
 */

/**
 * @param {object} options
 * @param {Recording} options.recording
 * @param {Api} options.api
 * @param {number} options.limit  bytes
 * @param {() => void} options.onArrival
 * @param {(run: () => void, milliseconds: number) => unknown} [options.later]
 * @param {() => number} [options.clock]
 */
export function createTiles({
  recording: first,
  api,
  limit,
  onArrival,
  later = (run, milliseconds) => setTimeout(run, milliseconds),
  clock = () => performance.now(),
}) {
  let recording = first;
  /** In the order of their last use. @type {Map<string, Tile>} */
  const kept = new Map();
  let nbytes = 0;
  let made = 0;
  /** What every picture wants at the moment. @type {Map<string, Wanted[]>} */
  const wishes = new Map();
  /** @type {Map<string, AbortController>} */
  const coming = new Map();
  /** @type {Set<AbortController>} */
  const requests = new Set();
  /** @type {Map<string, ArrayLike<number> | Promise<void>>} */
  const orders = new Map();
  /** Those of the recording before, until the new ones come. @type {typeof orders} */
  const earlier = new Map();
  let scheduled = false;
  let closed = false;

  /**
   * What is on the screen is never let go: it would be made again at once, and again.
   * @param {Wanted} wanted
   * @param {number[]} shape
   * @param {Float32Array} data
   */
  function keep(wanted, [columns, rows], data) {
    const key = keyOf(wanted);
    const old = kept.get(key);
    if (old) nbytes -= cost(old.data);
    const end = (wanted.tile + 1) * TILE * 2 ** wanted.level;
    const fresh = {
      pixels: null,
      coloured: "",
      end,
      stale: /** @type {const} */ (""),
      made: made++,
    };
    kept.set(key, { shape: [columns, rows], data, ...fresh });
    nbytes += cost(data);
    if (nbytes <= limit) return;
    const shown = wishedKeys();
    for (const [oldest, tile] of kept) {
      if (nbytes <= limit) break;
      if (shown.has(oldest)) continue;
      kept.delete(oldest);
      nbytes -= cost(tile.data);
    }
  }

  const wishedKeys = () => new Set([...wishes.values()].flat().map(keyOf));

  /** What is wished for and neither here nor on its way, each once. */
  function* missing() {
    /** Two pictures may want the same. @type {Set<string>} */
    const found = new Set();
    /** @type {(Wanted & {key: string, made: number})[]} */
    const stale = [];
    for (const list of wishes.values()) {
      for (const wanted of list) {
        const key = keyOf(wanted);
        const tile = kept.get(key);
        if ((tile && !tile.stale) || coming.has(key) || found.has(key)) continue;
        found.add(key);
        if (tile) stale.push({ key, ...wanted, made: tile.made });
        else yield { key, ...wanted };
      }
    }
    // Of one that grows there is always something to make again: each in its turn.
    yield* stale.sort((a, b) => a.made - b.made);
  }

  function schedule() {
    if (scheduled || closed) return;
    scheduled = true;
    later(() => {
      scheduled = false;
      if (!closed) work();
    }, 0);
  }

  /** Make or fetch what is wanted, as much as there is time for. */
  function work() {
    const start = clock();
    let came = false;
    /** @type {Map<string, (Wanted & {key: string})[]>} */
    const groups = new Map();
    for (const wanted of missing()) {
      const array = recording.array(wanted.name);
      if (array) {
        if (clock() - start > SLICE) {
          schedule();
          break;
        }
        const order = orderOf(wanted.name, wanted.pooling);
        if (order === undefined) continue;
        const part = { ...wanted.pooling, ...wanted, order };
        const old = kept.get(wanted.key);
        const short = old?.stale === "short" && wanted.level === 0;
        const { shape, data } = short ? lengthened(old, array, part) : poolTile(array, part);
        keep(wanted, shape, data);
        came = true;
      } else if (!recording.whole) {
        const group = [wanted.level, wanted.tile, poolingKey(wanted.pooling)].join();
        groups.set(group, [...(groups.get(group) ?? []), wanted]);
      }
    }
    for (const group of groups.values()) {
      if (requests.size >= AT_ONCE) break;
      fetchGroup(group);
    }
    if (came) onArrival();
  }

  /** @param {(Wanted & {key: string})[]} group  of one tile and one way of pooling */
  async function fetchGroup(group) {
    const { level, tile, pooling } = group[0];
    const request = new AbortController();
    /** @type {typeof group} */
    const now = [];
    let numbers = 0;
    for (const wanted of group) {
      const units = recording.described(wanted.name)?.shape[1] ?? 1;
      numbers += TILE * Math.ceil(units / pooling.unitsPerRow);
      if (now.length && numbers > NUMBERS) break;
      now.push(wanted);
    }
    requests.add(request);
    for (const { key } of now) coming.set(key, request);
    try {
      const of = {
        level,
        tile,
        units_per_row: pooling.unitsPerRow,
        statistic: pooling.statistic,
        sort: pooling.sort,
        sort_of: pooling.sortOf,
        unit: pooling.unit,
      };
      const names = now.map(({ name }) => name);
      const arrays = await api.tiles(recording.about.id, names, of, request.signal);
      for (const wanted of now) {
        const array = arrays.get(wanted.name);
        if (array) keep(wanted, array.shape, /** @type {Float32Array} */ (array.data));
      }
    } catch {
      // Superseded, or no answer: who still wants it asks again.
      if (!request.signal.aborted)
        await new Promise((resolve) => later(() => resolve(null), AGAIN));
    } finally {
      requests.delete(request);
      for (const { key } of now) coming.delete(key);
    }
    if (closed) return;
    if (!request.signal.aborted) onArrival();
    schedule();
  }

  /**
   * The order of the units of an array; null as they are, undefined while it has not come.
   * @param {string} name
   * @param {Pooling} pooling
   * @returns {ArrayLike<number> | null | undefined}
   */
  function orderOf(name, { sort, sortOf, unit }) {
    const cell = cellOf(name);
    if (sort === "index" || !cell) return null;
    const by = `${cell.layer}.${cell.direction}.${sortOf}`;
    if (recording.described(by)?.shape[1] !== recording.described(name)?.shape[1]) return null;
    const key = [by, sort, sort === "similarity" ? unit : ""].join();
    const known = orders.get(key);
    if (known && "length" in known) return known;
    const before = earlier.get(key);
    if (!known) {
      const asked = api
        .order(recording.storedAs, { ...cell, sort, sort_of: sortOf, unit })
        .then(({ order }) => {
          orders.set(key, order);
          if (closed) return;
          if (earlier.delete(key)) spoil("old", Infinity);
          schedule();
          onArrival();
        })
        .catch(() => orders.delete(key));
      orders.set(key, /** @type {Promise<void>} */ (asked));
    }
    return before && "length" in before ? before : undefined;
  }

  /** @param {"short" | "old"} how @param {number} timesteps  which a tile must have to be whole */
  function spoil(how, timesteps) {
    for (const tile of kept.values()) if (how === "old" || tile.end > timesteps) tile.stale ||= how;
  }

  return {
    get recording() {
      return recording;
    },

    /**
     * Go on with a recording that continues this one: what is here is shown until it is made again.
     * @param {Recording} next
     */
    adopt(next) {
      if (next.growing) spoil("short", recording.timesteps);
      else {
        spoil("old", Infinity);
        for (const [key, order] of orders) earlier.set(key, order);
        orders.clear();
      }
      recording = next;
    },

    get nbytes() {
      return nbytes;
    },

    orderOf,

    /**
     * What a picture shows now, best first; what it wanted before and nobody wants now is dropped.
     * @param {string} picture
     * @param {Wanted[]} list
     */
    want(picture, list) {
      wishes.set(picture, list);
      if (coming.size) {
        const wanted = wishedKeys();
        for (const request of requests) {
          const keys = [...coming].filter(([, of]) => of === request).map(([key]) => key);
          if (!keys.some((key) => wanted.has(key))) request.abort();
        }
      }
      // Small pictures are there at once.
      if (!scheduled && !closed && !missing().next().done) work();
    },

    /** @param {Wanted} wanted @returns {Tile | undefined} */
    get(wanted) {
      const key = keyOf(wanted);
      const tile = kept.get(key);
      if (tile) {
        kept.delete(key);
        kept.set(key, tile);
      }
      return tile;
    },

    close() {
      closed = true;
      for (const request of requests) request.abort();
      kept.clear();
    },
  };
}

/** @typedef {ReturnType<typeof createTiles>} Tiles */

/**
 * A tile, a column for each timestep, with those that have come since.
 * @param {Tile} tile
 * @param {NDArray} array
 * @param {Parameters<typeof poolTile>[1]} part
 * @returns {{shape: [number, number], data: Float32Array}}
 */
function lengthened(
  { shape: [columns, rows], data },
  { shape: [timesteps, units], data: all },
  part,
) {
  const from = part.tile * TILE + columns;
  const to = Math.min(timesteps, (part.tile + 1) * TILE);
  const came = poolTile(
    { shape: [to - from, units], data: all.subarray(from * units, to * units) },
    { ...part, tile: 0 },
  );
  const longer = new Float32Array(data.length + came.data.length);
  longer.set(data);
  longer.set(came.data, data.length);
  return { shape: [columns + came.shape[0], rows], data: longer };
}

/** Numbers and, once painted, pixels. @param {Float32Array} data */
const cost = (data) => 2 * data.byteLength;

/** @param {Pooling} pooling */
const poolingKey = ({ unitsPerRow, statistic, sort, sortOf, unit }) =>
  sort === "index"
    ? `${unitsPerRow} ${statistic}`
    : `${unitsPerRow} ${statistic} ${sort} ${sortOf} ${sort === "similarity" ? unit : ""}`;

/** @param {Wanted} wanted */
const keyOf = ({ name, pooling, level, tile }) => `${name} ${level} ${tile} ${poolingKey(pooling)}`;

/** @param {string} name @returns {Cell | null} */
function cellOf(name) {
  const [layer, direction, quantity] = name.split(".");
  return quantity === undefined
    ? null
    : { layer: Number(layer), direction: /** @type {Cell["direction"]} */ (direction) };
}
