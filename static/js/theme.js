// The theme's colours as tables the canvases can use; made again when the scheme changes.

/** @import {ColourScale, Quantity} from './types.js' */
/** @import {Recording} from './recording.js' */

import { colourTable, fittedRange, parseColour } from "./colour.js";
import { atom } from "./store.js";
import { cssValue } from "./dom.js";

function readTheme() {
  const colour = (/** @type {string} */ name) => parseColour(cssValue(name));
  const bad = colour("--not-finite");
  return {
    tables: {
      sequential: colourTable([colour("--low"), colour("--high")], bad),
      diverging: colourTable([colour("--negative"), colour("--zero"), colour("--positive")], bad),
    },
    line: cssValue("--line"),
    faint: cssValue("--faint"),
    ink: cssValue("--ink"),
    soft: cssValue("--soft"),
    accent: cssValue("--accent"),
    background: cssValue("--bg"),
    positive: cssValue("--positive"),
    negative: cssValue("--negative"),
    high: cssValue("--high"),
  };
}

/** @typedef {ReturnType<typeof readTheme>} Theme */

/** The theme, as an atom that follows the system's light and dark. */
export function followTheme() {
  const theme = atom(readTheme());
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () =>
    theme.set(readTheme()),
  );
  return theme;
}

/**
 * The ends of a quantity's colour scale for a cell: fixed, or just holding what was recorded.
 * @param {Quantity} quantity
 * @param {ColourScale} scale
 * @param {Recording} recording
 * @param {import('./types.js').Cell} cell
 * @returns {[number, number]}
 */
export function shownRange(quantity, scale, recording, cell) {
  const array = scale === "fit" && recording.quantity(quantity.name, cell);
  return array
    ? fittedRange(array.data, quantity.scale)
    : [quantity.shown_low, quantity.shown_high];
}
