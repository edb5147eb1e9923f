// What the sentence is coloured by: the quantity, the ends of its scale, and colours on which the text
// can be read.

/** @import {Quantity} from '../types.js' */
/** @import {Page} from '../page.js' */
/** @import {Shown} from './tab.js' */

import { softened } from "./readable.js";
import { shownRange } from "../theme.js";

/**
 * @typedef {object} Colours
 * @property {Quantity} quantity
 * @property {Uint32Array} table
 * @property {number} low
 * @property {number} high
 */

/** @param {Pick<Page, "state" | "theme">} page */
export function createColouring({ state, theme }) {
  const by = state.colouredBy;
  let key = "";
  let table = new Uint32Array();

  /** @param {Quantity} quantity */
  function tableOf({ scale }) {
    const { tables, ink, background } = theme.get();
    const now = `${scale} ${ink} ${background}`;
    if (now !== key) table = softened(tables[scale], ink, background);
    key = now;
    return table;
  }

  /** @param {Quantity} quantity @param {Shown} shown */
  function endsOf(quantity, { recording, cell, facts }) {
    const own = facts[quantity.name];
    if (state.scale.get() !== "row" || !own?.count)
      return shownRange(quantity, state.scale.get(), recording, cell);
    // This unit's own.
    if (quantity.scale === "sequential") return [own.low, own.high];
    const most = Math.max(Math.abs(own.low), Math.abs(own.high)) || 1;
    return [-most, most];
  }

  return {
    /** The name of a quantity. */
    by,
    /** @param {Shown} shown @returns {Colours} */
    of(shown) {
      const all = state.quantities.get();
      const quantity = all.find(({ name }) => name === by.get()) ?? all[0];
      const [low, high] = endsOf(quantity, shown);
      return { quantity, table: tableOf(quantity), low, high };
    },
    /** What the colours depend on, beside the unit. */
    reads: [by, state.scale, theme],
    /** Another one, other colours. */
    key() {
      const { ink, background } = theme.get();
      return `${by.get()} ${state.scale.get()} ${ink} ${background}`;
    },
  };
}
