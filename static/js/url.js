// The screen as a link. It lives in the fragment: a browser never sends that to a server, so a
// sentence is in nobody's log and may be as long as it likes.

/** @import {ColourScale, Direction, Order, Precision, Rows, Sort, Statistic, Tab} from './types.js' */
/** @import {State} from './state.js' */

import { cleanBrush, cleanSets } from "./brush/brush.js";
import { cleanOptions } from "./options.js";
import { cleanEmbed, cleanHide } from "./share/parts.js";
import { SPEEDS } from "./state.js";

/**
 * @typedef {object} Link
 * @property {string} model
 * @property {string} text
 * @property {Precision} precision
 * @property {number} step
 * @property {Order} order
 * @property {number} layer
 * @property {Direction} direction
 * @property {number} unit
 * @property {Tab} tab
 * @property {ColourScale} scale
 * @property {number} speed
 * @property {number} from
 * @property {number} span
 * @property {Rows} rows
 * @property {string} show
 * @property {Sort} sort
 * @property {string} sortOf
 * @property {Statistic} statistic
 * @property {string} colouredBy
 * @property {string} lines
 * @property {string} gate
 * @property {string} camera
 * @property {string} pinModel
 * @property {string} pinText
 * @property {string} compare
 * @property {string} paths
 * @property {string} predict
 * @property {string} write
 * @property {string} brush
 * @property {string} sets
 * @property {number} only
 * @property {string} hide
 * @property {string} embed
 */

/** @type {Readonly<Link>} */
export const DEFAULTS = {
  model: "",
  text: "",
  precision: "float32",
  step: 0,
  order: "sentence",
  layer: 0,
  direction: "forward",
  unit: 0,
  tab: "states",
  scale: "fixed",
  speed: 2,
  from: 0,
  span: 0,
  rows: "all",
  show: "ifgoch",
  sort: "index",
  sortOf: "h",
  statistic: "extreme",
  colouredBy: "h",
  lines: "ifgoch",
  gate: "i",
  camera: "",
  pinModel: "",
  pinText: "",
  compare: "",
  paths: "",
  predict: "",
  write: "",
  brush: "",
  sets: "",
  only: 0,
  hide: "",
  embed: "",
};

/** @type {Partial<Record<keyof Link, readonly (string | number)[]>>} */
const CHOICES = {
  precision: ["float32", "float64"],
  order: ["sentence", "processing"],
  direction: ["forward", "backward"],
  tab: ["states", "unit", "network", "cell", "compare", "paths", "predictions", "write", "shapes"],
  scale: ["fixed", "layer", "row"],
  speed: SPEEDS,
  rows: ["all", "one"],
  sort: ["index", "peak", "mean", "variance", "similarity", "cluster"],
  sortOf: ["i", "f", "g", "o", "c", "h"],
  statistic: ["extreme", "mean"],
  colouredBy: ["i", "f", "g", "o", "c", "h"],
  gate: ["i", "f", "g", "o"],
  only: [0, 1],
};

/** What these say is read with care; what is left of it when nothing can be is "". */
const CLEAN = {
  show: someQuantities,
  lines: someQuantities,
  compare: cleanOptions,
  paths: cleanOptions,
  predict: cleanOptions,
  write: cleanOptions,
  brush: cleanBrush,
  sets: cleanSets,
  hide: cleanHide,
  embed: cleanEmbed,
};

/** Each once, in their own order. @param {string} given */
function someQuantities(given) {
  return [..."ifgoch"].filter((q) => given.includes(q)).join("");
}

/** A text may be as long as the server takes it; nothing else has a reason to be long. */
const LONGEST = 20_000;

export const KEYS = /** @type {(keyof Link)[]} */ (Object.keys(DEFAULTS));

/**
 * The fragment for a screen, without what is as it is by default.
 * @param {Link} link
 */
export function toFragment(link) {
  const parameters = new URLSearchParams();
  for (const key of KEYS) {
    // A link without a layer opens at the highest one.
    if (link[key] !== DEFAULTS[key] || (key === "layer" && link.model))
      parameters.set(key, written(key, link[key]));
  }
  // These may stand in a fragment as they are, where people can read them.
  const readable = String(parameters).replace(/%(3A|3B|2C|7E|2F)/g, decodeURIComponent);
  return readable && `#${readable}`;
}

/** Part of a timestep is of no use beyond a hundredth. @param {keyof Link} key @param {string | number} value */
const written = (key, value) =>
  String(isPlace(key) ? Math.round(100 * Number(value)) / 100 : value);

/** Where the window on the time axis is: between timesteps, too. @param {string} key */
const isPlace = (key) => key === "from" || key === "span";

/**
 * What a fragment asks for. Anything it says that cannot be is left out, so that an old or broken
 * link still opens.
 * @param {string} fragment
 * @returns {Partial<Link>}
 */
export function fromFragment(fragment) {
  const parameters = new URLSearchParams(fragment.replace(/^#/, ""));
  /** @type {Record<string, string | number>} */
  const link = {};
  for (const key of KEYS) {
    const given = parameters.get(key);
    if (given === null || (given.length > LONGEST && key !== "text" && key !== "pinText")) continue;
    const value = read(key, given);
    if (value !== null) link[key] = value;
  }
  return link;
}

/**
 * What a parameter says, null if it says nothing that can be.
 * @param {keyof Link} key
 * @param {string} given
 */
function read(key, given) {
  if (key in CLEAN) return CLEAN[/** @type {keyof typeof CLEAN} */ (key)](given) || null;
  const value = typeof DEFAULTS[key] === "number" ? Number(given) : given;
  const choices = CHOICES[key];
  if (choices) return choices.includes(value) ? value : null;
  if (typeof value === "string") return value;
  const sound = isPlace(key) ? Number.isFinite(value) : Number.isInteger(value);
  return sound && value >= 0 ? value : null;
}

/**
 * The link to what the page shows now.
 * @param {State} state
 * @returns {Link}
 */
export function linkOf(state) {
  const entries = KEYS.map((key) => [key, state[key].get()]);
  return /** @type {Link} */ (Object.fromEntries(entries));
}
