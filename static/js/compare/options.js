// What the tab "compare" shows, as a link says it.

import { readOptions, writeOptions } from "../options.js";

export const DEFAULTS = {
  /** The quantity of the selected cell. */
  of: "h",
  /** The array it is compared with, "0.forward.h"; "" is what suggests itself. */
  with: "",
  /** In which run that is: "this" or "pinned"; "" is the pinned one where there is one. */
  run: "",
  /** Relative distance beyond which two states have parted. */
  threshold: 0.5,
  /** What CKA is computed over: "sentence", "window" or "set". */
  over: "sentence",
};

/** @typedef {typeof DEFAULTS} Options */

const NAME = /^\d+\.(forward|backward)\.[ifgoch]$/;

/** The largest a relative distance can be: of opposite vectors. */
export const FARTHEST = 2;

const SOUND = {
  of: (/** @type {string} */ value) => /^[ifgoch]$/.test(value),
  with: (/** @type {string} */ value) => NAME.test(value),
  run: (/** @type {string} */ value) => ["this", "pinned"].includes(value),
  threshold: (/** @type {number} */ value) => value >= 0 && value <= FARTHEST,
  over: (/** @type {string} */ value) => ["sentence", "window", "set"].includes(value),
};

/** @param {string} text */
export const readCompare = (text) => readOptions(text, DEFAULTS, SOUND);

/** @param {Options} options */
export const writeCompare = (options) => writeOptions(options, DEFAULTS);
