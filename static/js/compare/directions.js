// Forward and backward of one layer: what each has read when it is at a token, how the output joins
// them, and where h_n takes its halves from.

/** @import {Pair} from './sides.js' */
/** @import {Room} from './room.js' */
/** @import {Recording} from '../recording.js' */

import { button, element } from "../dom.js";
import { label } from "../label.js";
import { areDirections } from "./sides.js";

/** Tokens that are named of what a direction has read. */
const NAMED = 4;

/**
 * What a direction has read when it is at a timestep, in words: the first tokens and the last ones.
 * @param {readonly string[]} tokens
 * @param {number} from  the first it read
 * @param {number} to  the last; before `from` where it reads backward
 */
export function readWords(tokens, from, to) {
  const by = from <= to ? 1 : -1;
  const count = Math.abs(to - from) + 1;
  const name = (/** @type {number} */ n) => label(tokens[from + n * by]);
  const names = Array.from({ length: Math.min(count, NAMED + 1) }, (_, n) => n);
  if (count <= NAMED + 1) return names.map(name).join(" ");
  const end = [count - 2, count - 1].map(name);
  return `${[0, 1].map(name).join(" ")} … ${end.join(" ")}`;
}

/** @param {Room} room */
export function createDirectionsView(room) {
  const { state, actions } = room;
  const root = element("section", {
    id: "compare-directions",
    "aria-label": "What the two directions know",
    hidden: true,
  });
  let shown = "";

  /** @param {number} t @param {string} words */
  const go = (t, words) => button(words, () => actions.selectTimestep(t), { class: "place" });

  /** @param {Pair} pair @param {number} t */
  function fill(pair, t) {
    const recording = /** @type {Recording} */ (pair.one.recording);
    const { layer } = pair.one.cell;
    const tokens = recording.about.tokens.map(({ text }) => text);
    const last = recording.timesteps - 1;
    const width = recording.layers[layer].output_size;
    const top = layer === recording.layers.length - 1;
    const read = (/** @type {number} */ from, /** @type {number} */ to) =>
      element("bdi", { class: "read" }, readWords(tokens, from, to));
    root.replaceChildren(
      element(
        "p",
        {},
        `At timestep ${t} `,
        element("b", {}, "forward →"),
        ` has read 0 to ${t}: `,
        read(0, t),
        "; ",
        element("b", {}, "← backward"),
        ` has read ${last} back to ${t}: `,
        read(last, t),
        ".",
      ),
      element(
        "p",
        {},
        element("code", {}, top ? `output[${t}]` : `output of layer ${layer} at ${t}`),
        " joins them: ",
        element("code", {}, `[h forward(${t}) | h backward(${t})]`),
        `, ${width} + ${width} = ${2 * width} numbers.`,
      ),
      element(
        "p",
        {},
        element("code", {}, "h_n"),
        " holds what each had at its end: forward’s at the last token, ",
        go(last, `${last} “${label(tokens[last])}”`),
        "; backward’s at the ",
        element("b", {}, "first"),
        " token, ",
        go(0, `0 “${label(tokens[0])}”`),
        ". So ",
        element("code", {}, "output[-1]"),
        last
          ? " is not h_n: its backward half has read one token only."
          : " is h_n here, as there is but one token.",
      ),
    );
  }

  const view = {
    name: "compare directions",
    calm: true,
    reads: [...room.reads, state.step, state.order],
    paint() {
      const recording = state.recording.get();
      const pair = room.isShown() && room.pair();
      root.hidden = !pair || !areDirections(pair);
      if (!pair || root.hidden || !recording) return;
      const t = room.cursor(recording);
      const key = `${recording.about.id} ${pair.one.cell.layer} ${t}`;
      if (key === shown) return;
      // A button that is pressed with the keyboard keeps the focus.
      const focused = [...root.querySelectorAll("button")].indexOf(
        /** @type {HTMLButtonElement} */ (document.activeElement),
      );
      shown = key;
      fill(pair, t);
      if (focused >= 0) root.querySelectorAll("button")[focused]?.focus();
    },
  };
  return { root, views: [view] };
}
