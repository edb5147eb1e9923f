// What a person can do with the selected units. Nothing here draws.

/** @import {Api} from '../api.js' */
/** @import {Cell} from '../types.js' */
/** @import {State} from '../state.js' */
/** @import {Question} from './matching.js' */

import {
  MOST_SETS,
  brushOf,
  brushedUnits,
  cleanName,
  difference,
  formatSets,
  freeName,
  inverted,
  parseSets,
  toggled,
  union,
  withUnits,
} from "./brush.js";
import { highestThroughout, matchingUnits } from "./matching.js";

/**
 * What a question found; of an empty answer, what would have been found: the unit that stays
 * highest, or just the highest value there is anywhere.
 * @typedef {{units: number[], best?: {unit: number, lowest: number} | null, high?: number | null}} Answer
 */

/**
 * @param {State} state
 * @param {Api} api
 */
export function createBrushActions(state, api) {
  /** @param {Cell} cell */
  const widthOf = (cell) => state.recording.get()?.layers[cell.layer]?.hidden_size ?? 0;

  /** @param {Cell} cell @param {Iterable<number>} units */
  function select(cell, units) {
    const width = widthOf(cell);
    const there = [...units].filter((unit) => unit >= 0 && unit < width);
    state.brush.set(withUnits(state.brush.get(), cell, there));
  }

  /** @param {Cell} cell @param {Iterable<number>} units */
  const add = (cell, units) => select(cell, union(brushedUnits(state, cell), units));

  /** Take units in, or out if all of them are in. @param {Cell} cell @param {number[]} units */
  const toggle = (cell, units) => select(cell, toggled(brushedUnits(state, cell), units));

  /** @param {Cell} cell */
  const invert = (cell) => select(cell, inverted(brushedUnits(state, cell), widthOf(cell)));

  /** The units of one row of the network, or all. @param {Cell} [cell] */
  const clear = (cell) => state.brush.set(cell ? withUnits(state.brush.get(), cell, []) : "");

  /**
   * @param {Cell} cell
   * @param {Question} question
   * @param {AbortSignal} [signal]
   * @returns {Promise<Answer>}
   */
  async function find({ layer, direction }, { quantity, ...question }, signal) {
    const recording = state.recording.get();
    if (!recording) return { units: [] };
    const name = `${layer}.${direction}.${quantity}`;
    if (recording.whole) {
      await recording.load([name]);
      const array = recording.array(name);
      if (!array) return { units: [] };
      const units = matchingUnits(array, question);
      return { units, best: units.length ? null : highestThroughout(array, question) };
    }
    const { start, stop, above, offBefore, offAfter } = question;
    const of = { start, stop, above, off_before: offBefore, off_after: offAfter };
    const asked = { layer, direction, quantity, ...of };
    const { units } = await api.matchingUnits(recording.about.id, asked, signal);
    return { units, high: recording.described(name)?.high };
  }

  const sets = () => parseSets(state.sets.get());

  /**
   * Keep the selection under a name, the next free one if none is given; a set of that name is
   * replaced. Returns the name, or null where there is nothing to keep or no more room.
   * @param {string} [given]
   */
  function keep(given = "") {
    const name = cleanName(given) || freeName(sets());
    const others = sets().filter((set) => set.name !== name);
    if (!brushOf(state).length || others.length >= MOST_SETS) return null;
    state.sets.set(formatSets([...others, { name, text: state.brush.get() }]));
    return name;
  }

  /**
   * Select the units of a set, beside what is selected if it is added.
   * @param {string} name
   * @param {"replace" | "add" | "subtract"} how
   */
  function use(name, how = "replace") {
    const set = sets().find((one) => one.name === name);
    if (!set) return;
    if (how === "replace") state.brush.set(set.text);
    else {
      for (const cell of set.cells) {
        const units = brushedUnits(state, cell);
        select(cell, how === "add" ? union(units, cell.units) : difference(units, cell.units));
      }
    }
  }

  /** False where the name is taken or none. @param {string} name @param {string} given */
  function rename(name, given) {
    const to = cleanName(given);
    if (!to || (to !== name && sets().some((set) => set.name === to))) return false;
    state.sets.set(
      formatSets(sets().map((set) => ({ ...set, name: set.name === name ? to : set.name }))),
    );
    return true;
  }

  /** @param {string} name */
  const remove = (name) => state.sets.set(formatSets(sets().filter((set) => set.name !== name)));

  /** Another model has other units. */
  function forget() {
    state.brush.set("");
    state.sets.set("");
    state.only.set(0);
  }

  return { select, add, toggle, invert, clear, find, keep, use, rename, remove, forget };
}

/** @typedef {ReturnType<typeof createBrushActions>} BrushActions */
