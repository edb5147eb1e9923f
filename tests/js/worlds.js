// Small worlds for the tests: a recording and its arrays, a server that has them.

/** @import {Api} from '../../static/js/api.js' */
/** @import {Model, NDArray, Quantity, RecordingPublic} from '../../static/js/types.js' */

import { createRandom } from "./random.js";

export const QUANTITIES = ["i", "f", "g", "o", "c", "h"];

/**
 * @typedef {object} Sizes
 * @property {string} [id]
 * @property {string} [model]
 * @property {string} [text]
 * @property {number} [timesteps]
 * @property {number} [input]
 * @property {number} [units]
 * @property {number} [layers]
 * @property {boolean} [bidirectional]
 * @property {number} [proj]
 * @property {boolean} [bias]
 * @property {number} [nbytes]
 * @property {RecordingPublic["predictions"]} [predictions]
 */

/**
 * What the server says about a recording.
 * @param {Sizes} [sizes]
 * @returns {RecordingPublic}
 */
export function describe({
  id = "r1",
  model = "tagger",
  text = "a b c d e",
  timesteps = 5,
  input = 3,
  units = 4,
  layers = 2,
  bidirectional = true,
  proj = 0,
  bias = true,
  nbytes = 1000,
  predictions = null,
} = {}) {
  return {
    id,
    model,
    model_digest: `digest of ${model}`,
    text,
    precision: "float32",
    timesteps,
    tokens: Array.from({ length: timesteps }, (_, n) => ({
      text: `t${n}`,
      start: n,
      end: n + 1,
      known: true,
      features: [],
    })),
    lstm: {
      input_size: input,
      hidden_size: units,
      num_layers: layers,
      bias,
      bidirectional,
      proj_size: proj,
    },
    directions: bidirectional ? ["forward", "backward"] : ["forward"],
    parity: { difference: 0, tolerance: 1e-5, where: null, ok: true },
    not_finite: null,
    predictions,
    arrays: [],
    nbytes,
  };
}

/**
 * Every array of a recording, filled with random numbers.
 * @param {RecordingPublic} about
 * @param {number} [seed]
 * @returns {Map<string, NDArray>}
 */
export function fill({ timesteps: T, lstm, directions, predictions }, seed = 1) {
  const random = createRandom(seed);
  const width = lstm.proj_size || lstm.hidden_size;
  /** @type {[string, ...number[]][]} */
  const shapes = [["x", T, lstm.input_size]];
  if (predictions) shapes.push(["probabilities", T, predictions.labels.length]);
  for (let layer = 0; layer < lstm.num_layers; layer++) {
    for (const direction of directions) {
      shapes.push([`${layer}.${direction}.h_0`, width]);
      shapes.push([`${layer}.${direction}.c_0`, lstm.hidden_size]);
      for (const q of QUANTITIES) {
        shapes.push([`${layer}.${direction}.${q}`, T, q === "h" ? width : lstm.hidden_size]);
      }
    }
  }
  return new Map(
    shapes.map(([name, ...shape]) => [
      name,
      { shape, data: Float32Array.from(random.numbers(shape.reduce((a, b) => a * b))) },
    ]),
  );
}

/** @returns {Quantity[]} */
export const quantities = () =>
  QUANTITIES.map((name) => ({
    name,
    label: name,
    formula: "",
    sentence: "",
    scale: "diverging",
    low: null,
    high: null,
    shown_low: -1,
    shown_high: 1,
  }));

/**
 * @param {string} id
 * @param {string[]} examples
 * @returns {Model}
 */
export const model = (id, examples) => ({
  id,
  examples,
  digest: "",
  title: id,
  task: "tag",
  split: "words",
  lstm: describe().lstm,
  directions: [],
  embedding: {},
  vocabulary: {},
  card: {},
});

/** A promise and the two ways to end it. @template T */
export function deferred() {
  /** @type {(value: T) => void} */
  let resolve = () => {};
  /** @type {(reason: unknown) => void} */
  let reject = () => {};
  const promise = /** @type {Promise<T>} */ (new Promise((...ends) => ([resolve, reject] = ends)));
  return { promise, resolve, reject };
}

/** Let everything that is ready to go on go on. */
export const settle = () => new Promise((resolve) => setImmediate(resolve));

/**
 * An api with only what a test gives it: anything else it is asked for fails.
 * @param {Partial<Api>} operations
 */
export const asApi = (operations) => /** @type {Api} */ (operations);
