// From anywhere on the page to what pushes a gate.

/** @import {State} from '../state.js' */

import { byId } from "../dom.js";

/**
 * Open a gate in the drawing of the cell, and go there.
 * @param {State} state
 * @param {string} gate
 */
export function openGate(state, gate) {
  state.gate.set(gate);
  state.tab.set("cell");
  const tab = byId("tab-cell");
  tab.scrollIntoView({ block: "nearest" });
  tab.focus({ preventScroll: true });
}
