// A recording that grows: the rows of every token are appended as they are made. What the page shows
// is a recording of all that is there at that moment, whose arrays are views of one growing store.

/** @import {Api} from '../api.js' */
/** @import {NDArray, Numbers, RecordingPublic, Token, WrittenToken} from '../types.js' */

import { Recording } from "../recording.js";

/** As it was at one moment of its growth. */
export class GrowingRecording extends Recording {
  /**
   * @param {RecordingPublic} about
   * @param {Api} api
   * @param {Map<string, NDArray>} arrays
   * @param {Recording} base  what it grows from
   * @param {object} growth  all moments of one growth have the same
   * @param {boolean} cut  whether it begins with fewer timesteps than the base has
   */
  constructor(about, api, arrays, base, growth, cut) {
    super(about, api, () => {});
    this._arrays = arrays;
    this._base = base;
    this._growth = growth;
    this._cut = cut;
  }

  /**
   * @param {Recording} before
   * @override
   */
  continues(before) {
    return before instanceof GrowingRecording
      ? before._growth === this._growth
      : before === this._base && !this._cut;
  }

  /** @override */
  get whole() {
    return true;
  }

  /** @override */
  get growing() {
    return true;
  }

  /** The server knows what it grew from. @override */
  get storedAs() {
    return this._base.storedAs;
  }

  /**
   * The probabilities of a hundred thousand labels are not sent with every token.
   * @override
   * @param {string} name
   * @param {number} row
   */
  row(name, row) {
    const found = super.row(name, row);
    return found?.length ? found : undefined;
  }

  /** Everything is here or will never be. @override */
  async load() {}
}

/**
 * One array with room for more rows.
 * @typedef {object} Store
 * @property {number} width
 * @property {number} rows
 * @property {Numbers} data
 * @property {number} low  of the finite values
 * @property {number} high
 * @property {boolean} finite
 */

/**
 * @param {Recording} base  whole, with all its arrays here
 * @param {Api} api
 * @param {number} [timesteps]  how many of its timesteps it begins with
 */
export function createGrowth(base, api, timesteps = base.timesteps) {
  const { about } = base;
  const tokens = about.tokens.slice(0, timesteps);
  const whole = timesteps === base.timesteps;
  let text = whole ? about.text : textUpTo(about.text, tokens);
  const targets = about.predictions?.targets?.slice(0, timesteps) ?? [];
  if (targets.length) targets[timesteps - 1] = null;
  /** Those that have timesteps. @type {Map<string, Store>} */
  const stores = new Map();
  /** Those that have none: h_0 and c_0. @type {Map<string, NDArray>} */
  const fixed = new Map();
  for (const { name, shape, low, high, finite } of about.arrays) {
    const array = base.array(name);
    if (!array) continue;
    if (shape.length < 2 || shape[0] !== base.timesteps || /\.[hc]_0$/.test(name)) {
      fixed.set(name, array);
      continue;
    }
    const data = /** @type {Numbers} */ (array.data.slice(0, timesteps * shape[1]));
    const range = { low: low ?? Infinity, high: high ?? -Infinity, finite };
    stores.set(name, { width: shape[1], rows: timesteps, data, ...range });
  }

  return {
    base,
    get timesteps() {
      return tokens.length;
    },
    get text() {
      return text;
    },

    /** @param {WrittenToken} written */
    append(written) {
      const { id, appended, arrays, states, features, known, start, end } = written;
      const numbers = fromBase64(states);
      let at = 0;
      for (const [name, width] of arrays) {
        const store = stores.get(name);
        if (store) appendRow(store, numbers.subarray(at, at + width));
        at += width;
      }
      text += appended;
      tokens.push(/** @type {Token} */ ({ text: written.text, start, end, known, features }));
      if (targets.length) {
        targets[targets.length - 1] = id;
        targets.push(null);
      }
    },

    /** All that is there now. */
    recording() {
      /** @type {Map<string, NDArray>} */
      const arrays = new Map(fixed);
      for (const [name, { width, rows, data }] of stores)
        arrays.set(name, { shape: [rows, width], data: data.subarray(0, rows * width) });
      const { predictions } = about;
      const now = {
        ...about,
        id: `${about.id}+${tokens.length}`,
        text,
        timesteps: tokens.length,
        tokens: [...tokens],
        predictions: predictions && {
          ...predictions,
          targets: predictions.targets && [...targets],
        },
        arrays: about.arrays.map((array) => described(array, stores.get(array.name))),
      };
      return new GrowingRecording(now, api, arrays, base, stores, !whole);
    },
  };
}

/** @typedef {ReturnType<typeof createGrowth>} Growth */

/** @param {Store} store @param {Float32Array} row */
function appendRow(store, row) {
  const needed = (store.rows + 1) * store.width;
  if (needed > store.data.length) {
    // Twice as much each time, so that growing costs no more than what it holds.
    const larger = new (store.data instanceof Float64Array ? Float64Array : Float32Array)(
      Math.max(needed, 2 * store.data.length),
    );
    larger.set(store.data);
    store.data = larger;
  }
  store.data.set(row, store.rows * store.width);
  store.rows++;
  for (const value of row) {
    if (!Number.isFinite(value)) {
      store.finite = false;
      continue;
    }
    if (value < store.low) store.low = value;
    if (value > store.high) store.high = value;
  }
}

/** @param {RecordingPublic["arrays"][number]} array @param {Store | undefined} store */
function described(array, store) {
  if (!store) return array;
  const any = store.low <= store.high;
  return {
    ...array,
    shape: [store.rows, store.width],
    low: any ? store.low : null,
    high: any ? store.high : null,
    finite: store.finite,
  };
}

/** A text that ends with the last of some tokens, whose places count code points. @param {string} text @param {readonly Token[]} tokens */
export const textUpTo = (text, tokens) => [...text].slice(0, tokens.at(-1)?.end ?? 0).join("");

/** @param {string} text */
function fromBase64(text) {
  const characters = atob(text);
  const bytes = new Uint8Array(characters.length);
  for (let n = 0; n < bytes.length; n++) bytes[n] = characters.charCodeAt(n);
  return new Float32Array(bytes.buffer);
}
