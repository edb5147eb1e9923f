// The theme's colours as tables the canvases can use; made again when the scheme changes.

/** @import {ColourScale, Quantity} from './types.js' */
/** @import {Recording} from './recording.js' */

import { colourTable, fitted, parseColour } from "./colour.js";
import { atom } from "./store.js";
import { cssValue } from "./dom.js";

/** @param {(name: string) => string} [value]  of a custom property */
export function readTheme(value = cssValue) {
  const colour = (/** @type {string} */ name) => parseColour(value(name));
  const bad = colour("--not-finite");
  return {
    tables: {
      sequential: colourTable([colour("--low"), colour("--high")], bad),
      diverging: colourTable([colour("--negative"), colour("--zero"), colour("--positive")], bad),
    },
    line: value("--line"),
    faint: value("--faint"),
    ink: value("--ink"),
    soft: value("--soft"),
    accent: value("--accent"),
    background: value("--bg"),
    positive: value("--positive"),
    negative: value("--negative"),
    high: value("--high"),
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
export function shownRange(
  { name, scale: colours, shown_low, shown_high },
  scale,
  recording,
  cell,
) {
  const array = scale !== "fixed" && recording.described(`${cell.layer}.${cell.direction}.${name}`);
  return array ? fitted(array.low, array.high, colours) : [shown_low, shown_high];
}
