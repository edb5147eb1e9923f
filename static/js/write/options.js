// How a model is to write, as a link holds it: "method:greedy;tokens:50".

/** @import {ContinuationCreate} from '../types.js' */

import { readOptions, writeOptions } from "../options.js";

/** 0 stands for no top-k, 1 for no top-p. */
export const DEFAULTS = {
  method: "sample",
  t: 0.8,
  k: 0,
  p: 1,
  seed: 0,
  tokens: 100,
  by: "probability",
};

/** @typedef {typeof DEFAULTS} Options */

/** What a number may be: [lowest, highest, whole]. @type {Record<string, [number, number, boolean]>} */
export const LIMITS = {
  t: [0.05, 10, false],
  k: [0, 100_000, true],
  p: [0.01, 1, false],
  seed: [0, 2 ** 53 - 1, true],
  tokens: [1, 1000, true],
};

/** Whether a number can be an option. @param {string} name @param {number} value */
export function isSound(name, value) {
  const [low, high, whole] = LIMITS[name];
  return value >= low && value <= high && (!whole || Number.isInteger(value));
}

const SOUND = {
  method: (/** @type {string} */ value) => value === "greedy" || value === "sample",
  by: (/** @type {string} */ value) => value === "probability" || value === "rank",
  ...Object.fromEntries(
    Object.keys(LIMITS).map((name) => [name, (/** @type {any} */ value) => isSound(name, value)]),
  ),
};

/** @param {string} text */
export const read = (text) => readOptions(text, DEFAULTS, SOUND);

/** @param {Options} options */
export const write = (options) => writeOptions(options, DEFAULTS);

/**
 * As the server is asked.
 * @param {Options} options
 * @returns {Pick<ContinuationCreate, "tokens" | "method" | "temperature" | "top_k" | "top_p" | "seed">}
 */
export const asked = ({ method, t, k, p, seed, tokens }) => ({
  tokens,
  method: method === "greedy" ? "greedy" : "sample",
  temperature: t,
  top_k: k || null,
  top_p: p < 1 ? p : null,
  seed,
});

/** In a line: "sample, temperature 0.8, top-k 40, seed 3". @param {Options} options */
export function inWords({ method, t, k, p, seed }) {
  if (method === "greedy") return "greedy";
  const filters = [k && `top-k ${k}`, p < 1 && `top-p ${p}`].filter(Boolean);
  return [`temperature ${t}`, ...filters, `seed ${seed}`].join(", ");
}
