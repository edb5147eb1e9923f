// Whole time series of single units. Of a long recording they come in blocks of neighbouring units:
// the one that is looked at, then the next one in the direction of flipping. Stale requests are
// dropped, and the blocks that were not looked at longest give way.

/** @import {Api} from '../api.js' */
/** @import {State} from '../state.js' */
/** @import {Recording} from '../recording.js' */
/** @import {Cell, NDArray, Numbers} from '../types.js' */

/** Units of one request: six quantities over 10,000 timesteps are 3.8 MB. */
export const BLOCK = 16;
/** What blocks may take of the tab's memory, and that memory unless a setting says otherwise. */
const SHARE = 1 / 4;
const TAB_BYTES = 256_000_000;
/** Series that are kept as they were handed out: one and its neighbours. */
const READY = 4;

/**
 * One unit over time, by quantity; h is not there where the layer's projection has no such unit.
 * @typedef {Record<string, Numbers>} Series
 */

/**
 * @param {Pick<State, "recording" | "about" | "quantities">} state
 * @param {Pick<Api, "arrays">} api
 * @param {() => void} onArrival
 * @param {(problem: unknown) => void} onProblem
 */
export function createSeries(state, api, onArrival, onProblem) {
  /** In the order of their last use. @type {Map<string, Map<string, NDArray>>} */
  const blocks = new Map();
  /** @type {Map<string, AbortController>} */
  const coming = new Map();
  /** @type {Map<string, Series>} */
  const ready = new Map();
  /** @type {Recording | null} */
  let recording = null;
  /** What was asked for last, and where that is going. */
  let at = { cell: "", unit: -1, towards: 1 };
  let nbytes = 0;

  const limit = () => (state.about.get()?.limits.max_tab_bytes ?? TAB_BYTES) * SHARE;

  function forgetAll() {
    for (const request of coming.values()) request.abort();
    for (const map of [blocks, coming, ready]) map.clear();
    nbytes = 0;
  }

  /** @param {Cell} cell @param {number} unit */
  function steer({ layer, direction }, unit) {
    const cell = `${layer}.${direction}`;
    if (cell !== at.cell) at = { cell, unit, towards: 1 };
    else if (unit !== at.unit) at = { cell, unit, towards: Math.sign(unit - at.unit) };
  }

  /** @param {Recording} of @param {Cell} cell @param {number} n */
  function names({ layers }, { layer, direction }, n) {
    const { hidden_size, output_size } = layers[layer];
    return state.quantities
      .get()
      .map(({ name }) => ({
        name: `${layer}.${direction}.${name}`,
        stop: Math.min((n + 1) * BLOCK, name === "h" ? output_size : hidden_size),
      }))
      .filter(({ stop }) => stop > n * BLOCK);
  }

  /** @param {Recording} of @param {Cell} cell @param {number} n  which block */
  async function fetchBlock(of, cell, n) {
    const key = `${cell.layer}.${cell.direction} ${n}`;
    if (blocks.has(key) || coming.has(key)) return;
    const request = new AbortController();
    coming.set(key, request);
    try {
      const wanted = names(of, cell, n);
      // With a projection h is narrower, and its last block too.
      const parts = [...new Set(wanted.map(({ stop }) => stop))].map((stop) =>
        api.arrays(
          of.about.id,
          wanted.filter((array) => array.stop === stop).map(({ name }) => name),
          { unit_start: n * BLOCK, unit_stop: stop },
          request.signal,
        ),
      );
      const arrays = new Map((await Promise.all(parts)).flatMap((part) => [...part]));
      if (request.signal.aborted) return;
      coming.delete(key);
      keep(key, arrays);
      onArrival();
    } catch (problem) {
      if (request.signal.aborted) return;
      // Whoever asks again asks the server again.
      coming.delete(key);
      onProblem(problem);
    }
  }

  /** @param {string} key @param {Map<string, NDArray>} arrays */
  function keep(key, arrays) {
    blocks.set(key, arrays);
    nbytes += size(arrays);
    for (const [oldest, old] of blocks) {
      if (nbytes <= limit() || oldest === key) break;
      blocks.delete(oldest);
      nbytes -= size(old);
    }
  }

  /** @param {Recording} of @param {Cell} cell @param {number} unit */
  function fromBlock(of, cell, unit) {
    const n = Math.floor(unit / BLOCK);
    const row = `${cell.layer}.${cell.direction}`;
    const last = Math.ceil(of.layers[cell.layer].hidden_size / BLOCK) - 1;
    const next = Math.max(0, Math.min(last, n + at.towards));
    for (const [key, request] of coming) {
      if (key === `${row} ${n}` || key === `${row} ${next}`) continue;
      request.abort();
      coming.delete(key);
    }
    const key = `${row} ${n}`;
    const block = blocks.get(key);
    if (!block) {
      fetchBlock(of, cell, n);
      return undefined;
    }
    blocks.delete(key);
    blocks.set(key, block);
    // Where there is no room for two the next one would drive this one out.
    if (next !== n && 2 * size(block) <= limit()) fetchBlock(of, cell, next);
    return take((name) => block.get(name), cell, unit % BLOCK);
  }

  /**
   * @param {(name: string) => NDArray | undefined} arrayOf
   * @param {Cell} cell
   * @param {number} column
   */
  function take(arrayOf, { layer, direction }, column) {
    /** @type {Series} */
    const series = {};
    for (const { name } of state.quantities.get()) {
      const array = arrayOf(`${layer}.${direction}.${name}`);
      if (array && column < array.shape[1]) series[name] = columnOf(array, column);
    }
    return series;
  }

  return {
    get nbytes() {
      return nbytes;
    },

    /**
     * All quantities of one unit, undefined while they are not here; then they are asked for.
     * @param {Cell} cell
     * @param {number} unit
     * @returns {Series | undefined}
     */
    get(cell, unit) {
      const now = state.recording.get();
      if (now !== recording) forgetAll();
      recording = now;
      if (!now) return undefined;
      steer(cell, unit);
      const key = `${at.cell} ${unit}`;
      let series = ready.get(key);
      if (series) return series;
      if (now.whole) {
        const all = state.quantities.get().every(({ name }) => now.quantity(name, cell));
        series = all ? take((name) => now.array(name), cell, unit) : undefined;
      } else {
        series = fromBlock(now, cell, unit);
      }
      if (!series) return undefined;
      ready.set(key, series);
      for (const old of ready.keys()) {
        if (ready.size <= READY) break;
        ready.delete(old);
      }
      return series;
    },
  };
}

/** @typedef {ReturnType<typeof createSeries>} SeriesStore */

/** @param {Map<string, NDArray>} arrays */
const size = (arrays) => [...arrays.values()].reduce((sum, { data }) => sum + data.byteLength, 0);

/** @param {NDArray} array  timesteps × units @param {number} column */
function columnOf({ shape: [timesteps, units], data }, column) {
  const out =
    data instanceof Float64Array ? new Float64Array(timesteps) : new Float32Array(timesteps);
  for (let t = 0, n = column; t < timesteps; t++, n += units) out[t] = data[n];
  return out;
}
