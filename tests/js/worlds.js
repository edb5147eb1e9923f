// Small worlds for the tests: a recording and its arrays, a server that has them.

/** @import {Api} from '../../static/js/api.js' */
/** @import {Layer, Model, Module, NDArray, Quantity, RecordingPublic, Stack} from '../../static/js/types.js' */

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
 * @property {Partial<Module>[]} [modules]  instead of one nn.LSTM: what is not said is as above
 * @property {boolean} [listed]
 * @property {number} [nbytes]
 * @property {RecordingPublic["predictions"]} [predictions]
 */

/**
 * The layers of some modules, each reading the one below.
 * @param {Module[]} modules
 * @param {boolean} listed
 * @returns {Stack}
 */
export function stackOf(modules, listed) {
  /** @type {Layer[]} */
  const layers = [];
  let reads = modules[0].input_size;
  modules.forEach((module, n) => {
    for (let layer = 0; layer < module.num_layers; layer++) {
      /** @type {Layer["directions"]} */
      const directions = module.bidirectional
        ? ["forward", "backward"]
        : [module.kind === "BackwardLSTM" ? "backward" : "forward"];
      const { hidden_size } = module;
      const output_size = module.proj_size || hidden_size;
      layers.push({ module: n, directions, input_size: reads, hidden_size, output_size });
      reads = output_size * directions.length;
    }
  });
  return { modules, listed, layers };
}

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
  modules = [{}],
  listed = modules.length > 1,
  nbytes = 1000,
  predictions = null,
} = {}) {
  /** @type {Module} */
  const module = {
    kind: "LSTM",
    input_size: input,
    hidden_size: units,
    num_layers: layers,
    bias,
    bidirectional,
    proj_size: proj,
  };
  const lstm = stackOf(
    modules.map((own) => ({ ...module, ...own })),
    listed,
  );
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
    lstm,
    parity: { difference: 0, tolerance: 1e-5, where: null, ok: true },
    not_finite: null,
    predictions,
    arrays: shapesOf({ timesteps, lstm, predictions }).map(([name, ...shape]) => ({
      name,
      shape,
      dtype: "F32",
      low: -1,
      high: 1,
      finite: true,
    })),
    nbytes,
  };
}

/**
 * The name and shape of every array.
 * @param {Pick<RecordingPublic, "timesteps" | "lstm" | "predictions">} about
 */
function shapesOf({ timesteps: T, lstm, predictions }) {
  /** @type {[string, ...number[]][]} */
  const shapes = [["x", T, lstm.layers[0].input_size]];
  if (predictions) shapes.push(["scores", T, predictions.labels.length]);
  lstm.layers.forEach(({ directions, hidden_size, output_size }, layer) => {
    for (const direction of directions) {
      shapes.push([`${layer}.${direction}.h_0`, output_size]);
      shapes.push([`${layer}.${direction}.c_0`, hidden_size]);
      for (const q of QUANTITIES) {
        shapes.push([`${layer}.${direction}.${q}`, T, q === "h" ? output_size : hidden_size]);
      }
    }
  });
  return shapes;
}

/**
 * Every array of a recording, filled with random numbers from -1 to 1.
 * @param {RecordingPublic} about
 * @param {number} [seed]
 * @returns {Map<string, NDArray>}
 */
export function fill(about, seed = 1) {
  const random = createRandom(seed);
  return new Map(
    shapesOf(about).map(([name, ...shape]) => [
      name,
      { shape, data: Float32Array.from(random.numbers(shape.reduce((a, b) => a * b))) },
    ]),
  );
}

/**
 * The sizes of a stack of any modules that can stand on each other.
 * @param {import('./random.js').Random} random
 * @returns {Pick<Sizes, "input" | "modules" | "listed">}
 */
export function anyStack(random) {
  const input = random.integer(1, 5);
  let reads = input;
  const modules = Array.from({ length: random.integer(1, 4) }, () => {
    const kind = random.pick(/** @type {const} */ (["LSTM", "LSTM", "BackwardLSTM", "LSTMCell"]));
    const bidirectional = kind === "LSTM" && random.flip();
    const hidden_size = random.integer(2, 6);
    const proj_size = kind !== "LSTMCell" && random.next() < 0.3 ? 1 : 0;
    const num_layers = kind === "LSTM" ? random.integer(1, 3) : 1;
    const input_size = reads;
    reads = (proj_size || hidden_size) * (bidirectional ? 2 : 1);
    const bias = random.flip();
    return { kind, input_size, hidden_size, num_layers, bias, bidirectional, proj_size };
  });
  return { input, modules, listed: modules.length > 1 || random.flip() };
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
  source: "box",
  task: "tag",
  reads: "each",
  split: "words",
  columns: [],
  lstm: describe().lstm,
  embedding: {},
  vocabulary: {},
  parameters: 0,
  checkpoints: [],
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
