// The screen as a link. It lives in the fragment: a browser never sends that to a server, so a
// sentence is in nobody's log and may be as long as it likes.

/** @import {ColourScale, Direction, Order, Precision, Tab} from './types.js' */
/** @import {State} from './state.js' */

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
};

/** @type {Partial<Record<keyof Link, readonly (string | number)[]>>} */
const CHOICES = {
  precision: ["float32", "float64"],
  order: ["sentence", "processing"],
  direction: ["forward", "backward"],
  tab: ["states", "unit", "shapes"],
  scale: ["fixed", "fit"],
  speed: SPEEDS,
};

const KEYS = /** @type {(keyof Link)[]} */ (Object.keys(DEFAULTS));

/**
 * The fragment for a screen, without what is as it is by default.
 * @param {Link} link
 */
export function toFragment(link) {
  const parameters = new URLSearchParams();
  for (const key of KEYS) {
    // A link without a layer opens at the highest one.
    if (link[key] !== DEFAULTS[key] || (key === "layer" && link.model))
      parameters.set(key, String(link[key]));
  }
  return parameters.size ? `#${parameters}` : "";
}

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
    if (given === null) continue;
    const value = typeof DEFAULTS[key] === "number" ? Number(given) : given;
    const choices = CHOICES[key];
    if (choices ? choices.includes(value) : typeof value === "string" || isIndex(value)) {
      link[key] = value;
    }
  }
  return link;
}

/** @param {number} value */
const isIndex = (value) => Number.isInteger(value) && value >= 0;

/**
 * The link to what the page shows now.
 * @param {State} state
 * @returns {Link}
 */
export function linkOf(state) {
  const entries = KEYS.map((key) => [key, state[key].get()]);
  return /** @type {Link} */ (Object.fromEntries(entries));
}

/**
 * Keep the address bar in step with the state: a new entry in the history for a new recording, a
 * replaced one for everything else, at most a few times a second (browsers throttle more).
 * @param {State} state
 * @param {{history: History, location: Location, setTimeout: (run: () => void, ms: number) => unknown}} window
 */
export function keepUrl(state, { history, location, setTimeout }) {
  let waiting = false;
  const write = () => {
    waiting = false;
    if (!state.recording.get()) return;
    const fragment = toFragment(linkOf(state));
    if (fragment === location.hash) return;
    const before = fromFragment(location.hash);
    // As a fragment can hold them: in it a lone surrogate is another character.
    const now = fromFragment(fragment);
    // A link that names no model or text asks for the first one: no other recording, either.
    const same =
      (before.model ?? now.model) === now.model && (before.text ?? now.text) === now.text;
    const url = location.pathname + location.search + fragment;
    if (same) history.replaceState(null, "", url);
    else history.pushState(null, "", url);
  };
  const later = () => {
    if (!waiting) setTimeout(write, 250);
    waiting = true;
  };
  const atoms = [state.recording, ...KEYS.map((key) => state[key])];
  const unsubscribes = atoms.map((atom) => atom.subscribe(later));
  return () => unsubscribes.forEach((unsubscribe) => unsubscribe());
}
