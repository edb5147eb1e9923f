// A recording in the browser: what the server said about it, and the arrays that have come so far.

/** @import {Api} from './api.js' */
/** @import {Cell, NDArray, Numbers, RecordingPublic} from './types.js' */

import { networkRows } from "./geometry.js";
import { createRowCache } from "./row-cache.js";
import { waves } from "./time/transport.js";

/** Recordings up to this size are fetched whole; of longer ones only what is looked at. */
export const WHOLE_BYTES = 32_000_000;
/** What exact rows of a long recording may take, unless a setting says otherwise. */
const ROW_BYTES = 96_000_000;

export class Recording {
  /**
   * @param {RecordingPublic} about
   * @param {Api} api
   * @param {() => void} onArrival  called whenever arrays have come
   * @param {number} [rowBytes]  most bytes of rows that are kept of a long recording
   */
  constructor(about, api, onArrival, rowBytes = ROW_BYTES) {
    this.about = about;
    this.timesteps = about.timesteps;
    this.layers = about.lstm.layers;
    /** Every cell, in the order of the network's rows. */
    this.rows = networkRows(this.layers);
    this.waves = waves(this.layers);
    this._api = api;
    this._onArrival = onArrival;
    /** @type {Map<string, NDArray>} */
    this._arrays = new Map();
    /** @type {Map<string, Promise<void>>} */
    this._coming = new Map();
    this._rows = createRowCache({
      fetch: (names, start, stop) => api.arrays(about.id, names, { start, stop }),
      timesteps: about.timesteps,
      limit: rowBytes,
      onArrival,
    });
    /** @type {Map<string, {shape: number[], low: number | null, high: number | null, finite: boolean}>} */
    this._described = new Map(about.arrays.map((array) => [array.name, array]));
  }

  /** Whether all of it is, or will be, here. */
  get whole() {
    return this.about.nbytes <= WHOLE_BYTES;
  }

  /** Whether there is more to come: see write/growing.js. */
  get growing() {
    return false;
  }

  /**
   * Whether it is another one with more timesteps, or the same text when that has grown.
   * @param {Recording} before
   */
  continues({ about, growing }) {
    const { model_digest, precision, text, timesteps } = this.about;
    const same =
      about.model_digest === model_digest &&
      about.precision === precision &&
      about.text === text &&
      about.timesteps === timesteps;
    return growing && same && this.whole;
  }

  /** What the server calls it. */
  get storedAs() {
    return this.about.id;
  }

  /** Shape and range of an array, here or not. @param {string} name */
  described(name) {
    return this._described.get(name);
  }

  get readsBackward() {
    return this.rows.some(({ direction }) => direction === "backward");
  }

  /** @param {string} name  as in the safetensors file: "0.forward.i", "x", … */
  array(name) {
    return this._arrays.get(name);
  }

  /**
   * @param {string} quantity
   * @param {Cell} cell
   */
  quantity(quantity, { layer, direction }) {
    return this.array(`${layer}.${direction}.${quantity}`);
  }

  /**
   * One number, undefined while its array has not come.
   * @param {string} quantity
   * @param {Cell} cell
   * @param {number} timestep
   * @param {number} unit
   */
  value(quantity, cell, timestep, unit) {
    return this.row(`${cell.layer}.${cell.direction}.${quantity}`, timestep)?.[unit];
  }

  /**
   * c or h before the first timestep of a cell.
   * @param {"h_0" | "c_0"} name
   * @param {Cell} cell
   * @param {number} unit
   */
  initial(name, { layer, direction }, unit) {
    return this.array(`${layer}.${direction}.${name}`)?.data[unit];
  }

  /**
   * What a layer reads at a timestep: x, or h of every direction of the layer below, side by side.
   * @param {number} layer
   * @param {number} timestep
   * @returns {Numbers[] | undefined}  the parts, in the order of the columns of W
   */
  input(layer, timestep) {
    const below = this.layers[layer - 1];
    const names = below ? below.directions.map((d) => `${layer - 1}.${d}.h`) : ["x"];
    const parts = names.map((name) => this.row(name, timestep));
    return parts.every((part) => part !== undefined) ? /** @type {Numbers[]} */ (parts) : undefined;
  }

  /**
   * One row of an array, not copied.
   * @param {string} name
   * @param {number} row
   * @returns {Numbers | undefined}
   */
  row(name, row) {
    const array = this.array(name);
    if (!array) return this._rows.row(name, row);
    const width = array.shape[1];
    return array.data.subarray(row * width, (row + 1) * width);
  }

  /**
   * Ask for rows that will be looked at: timesteps `from` to `to` (not included).
   * @param {string[]} names
   * @param {number} [from]
   * @param {number} [to]
   */
  want(names, from = 0, to = this.timesteps) {
    if (this.whole) this.load(names).catch(() => {});
    else this._rows.want(names, Math.max(0, from), Math.min(this.timesteps, to));
  }

  /** The names of some arrays of a cell. @param {Cell} cell @param {string[]} which */
  static names({ layer, direction }, which) {
    return which.map((name) => `${layer}.${direction}.${name}`);
  }

  /** The input, and h and the initial state of every cell: what the network shows. */
  overviewNames() {
    const states = this.rows.flatMap((cell) => Recording.names(cell, ["h_0", "c_0"]));
    return this.whole ? [...this.rowNames(), ...states] : states;
  }

  /** What a row of the network, the input and the predictions show. */
  rowNames() {
    const names = this.about.predictions ? ["x", "scores"] : ["x"];
    return names.concat(this.rows.flatMap((cell) => Recording.names(cell, ["h"])));
  }

  /**
   * What one cell shows at a timestep: its quantities, what it reads, what it said before.
   * @param {Cell} cell
   * @param {string[]} quantities
   */
  cellNames(cell, quantities) {
    const below = this.layers[cell.layer - 1];
    const read = below ? below.directions.map((d) => `${cell.layer - 1}.${d}.h`) : ["x"];
    const scores = this.about.predictions ? ["scores"] : [];
    return [...Recording.names(cell, quantities), ...read, ...scores];
  }

  /**
   * Fetch what is missing of `names`, in one request; resolves when all of them are here.
   * @param {string[]} names
   */
  async load(names) {
    const missing = [...new Set(names)].filter(
      (name) => !this._arrays.has(name) && !this._coming.has(name),
    );
    if (missing.length) {
      const request = this._fetch(missing);
      for (const name of missing) this._coming.set(name, request);
    }
    await Promise.all(names.map((name) => this._coming.get(name)));
  }

  /** @param {string[]} names */
  async _fetch(names) {
    try {
      for (const [name, array] of await this._api.arrays(this.about.id, names)) {
        this._arrays.set(name, array);
      }
    } finally {
      for (const name of names) this._coming.delete(name);
    }
    this._onArrival();
  }
}

/**
 * The rows of W, U, b that drive one unit, and what they make of a timestep.
 */
export class UnitWeights {
  /** @param {Map<string, NDArray>} arrays */
  constructor(arrays) {
    this.W = /** @type {NDArray} */ (arrays.get("W"));
    this.U = /** @type {NDArray} */ (arrays.get("U"));
    this.b = /** @type {NDArray} */ (arrays.get("b"));
  }

  /**
   * The three parts of a gate's pre-activation z = W x + U h + b; gates in order i f g o.
   * @param {number} gate
   * @param {Numbers[]} x  what the layer reads at this timestep, in parts
   * @param {Numbers} h  the cell's own h of the timestep before
   */
  parts(gate, x, h) {
    return {
      Wx: dot(this.W, gate, x),
      Uh: dot(this.U, gate, [h]),
      b: this.b.data[2 * gate] + this.b.data[2 * gate + 1],
    };
  }
}

/** @param {NDArray} matrix @param {number} row @param {Numbers[]} parts  of the vector */
function dot({ shape, data }, row, parts) {
  let sum = 0;
  let at = row * shape[1];
  for (const part of parts) {
    for (let n = 0; n < part.length; n++) sum += data[at++] * part[n];
  }
  return sum;
}

/**
 * The cell's own h before a timestep: the one it computed last, or its initial state.
 * @param {Recording} recording
 * @param {Cell} cell
 * @param {number | null} before
 */
export const hiddenBefore = (recording, { layer, direction }, before) =>
  before === null
    ? recording.array(`${layer}.${direction}.h_0`)?.data
    : recording.row(`${layer}.${direction}.h`, before);
