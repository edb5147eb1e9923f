// How a value is called on the screen.

import { subscript } from "./format.js";

/**
 * A letter with its timestep: c₄, and the state before it, c₃ (c₅ for the backward direction).
 * @param {string} letter
 * @param {number | null} timestep  null: before the cell's first timestep
 */
export const at = (letter, timestep) =>
  timestep === null ? `${letter} initial` : letter + subscript(timestep);
