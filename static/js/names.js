// How a value is called on the screen.

/** @import {Stack} from './types.js' */

import { subscript } from "./format.js";

/**
 * A letter with its timestep: c₄, and the state before it, c₃ (c₅ for the backward direction).
 * @param {string} letter
 * @param {number | null} timestep  null: before the cell's first timestep
 */
export const at = (letter, timestep) =>
  timestep === null ? `${letter} initial` : letter + subscript(timestep);

/** Layers × units, or the units of each layer, and the directions. @param {Stack} lstm */
export function stackName({ layers }) {
  const widths = layers.map(({ hidden_size }) => hidden_size);
  const same = widths.every((width) => width === widths[0]);
  const arrow = ["←", "→", "⇄"].find((_, n) =>
    layers.every(({ directions }) => n === 2 || String(directions) === ["backward", "forward"][n]),
  );
  const sizes = same ? `${widths.length} × ${widths[0]}` : widths.join(" · ");
  return `${same || widths.length < 5 ? sizes : `${widths.length} layers`} ${arrow}`;
}
