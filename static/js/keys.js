// The keyboard. One table: what the keys do, and what the help sheet says they do.

/** @import {Actions} from './actions.js' */
/** @import {State} from './state.js' */

import { pageBy, toggleWhole, zoomBy } from "./time/axis.js";
import { SPEEDS, selectedCell } from "./state.js";

/**
 * @param {State} state
 * @param {Actions} actions
 * @param {() => void} toggleHelp
 * @returns {{keys: string[], shown: string, does: string, run: (event: KeyboardEvent) => void}[]}
 */
export function keyTable(state, actions, toggleHelp) {
  const speed = (/** @type {number} */ by) => {
    const at = SPEEDS.indexOf(state.speed.get()) + by;
    state.speed.set(SPEEDS[Math.max(0, Math.min(SPEEDS.length - 1, at))]);
  };
  return [
    {
      keys: ["ArrowRight"],
      shown: "→",
      does: "one step on (Shift: ten)",
      run: (e) => actions.move(e.shiftKey ? 10 : 1),
    },
    {
      keys: ["ArrowLeft"],
      shown: "←",
      does: "one step back (Shift: ten)",
      run: (e) => actions.move(e.shiftKey ? -10 : -1),
    },
    { keys: [" "], shown: "Space", does: "play or pause", run: actions.togglePlay },
    { keys: ["Home"], shown: "Home", does: "first step", run: () => actions.move(-Infinity) },
    { keys: ["End"], shown: "End", does: "last step", run: () => actions.move(Infinity) },
    {
      keys: ["ArrowUp"],
      shown: "↑",
      does: "the row above: direction, then layer",
      run: () => actions.moveRow(-1),
    },
    { keys: ["ArrowDown"], shown: "↓", does: "the row below", run: () => actions.moveRow(1) },
    {
      keys: ["]"],
      shown: "]",
      does: "next unit (Shift: ten)",
      run: () => actions.stepUnit(1),
    },
    {
      keys: ["["],
      shown: "[",
      does: "previous unit (Shift: ten)",
      run: () => actions.stepUnit(-1),
    },
    { keys: ["}"], shown: "", does: "", run: () => actions.stepUnit(10) },
    { keys: ["{"], shown: "", does: "", run: () => actions.stepUnit(-10) },
    {
      keys: ["b", "B"],
      shown: "B",
      does: "select the unit, or no longer (Shift and a drag over a heatmap: a range)",
      run: () => actions.brush.toggle(selectedCell(state), [state.unit.get()]),
    },
    { keys: ["+", "="], shown: "+", does: "faster", run: () => speed(1) },
    { keys: ["-"], shown: "−", does: "slower", run: () => speed(-1) },
    { keys: ["z"], shown: "Z", does: "zoom in (Shift: out)", run: () => zoomBy(state, 1.5) },
    { keys: ["Z"], shown: "", does: "", run: () => zoomBy(state, 1 / 1.5) },
    {
      keys: ["w", "W"],
      shown: "W",
      does: "the whole text, or as much as can be read",
      run: () => toggleWhole(state),
    },
    {
      keys: ["PageDown"],
      shown: "Page ↓",
      does: "the next part of a long text (Page ↑: the one before)",
      run: () => pageBy(state, 1),
    },
    { keys: ["PageUp"], shown: "", does: "", run: () => pageBy(state, -1) },
    {
      keys: ["o", "O"],
      shown: "O",
      does: "sentence order or processing order",
      run: () => actions.setOrder(state.order.get() === "sentence" ? "processing" : "sentence"),
    },
    {
      keys: ["/"],
      shown: "/",
      does: "write a sentence (Enter records it, Esc leaves)",
      run: (e) => focusText(e),
    },
    { keys: ["?"], shown: "?", does: "this sheet", run: toggleHelp },
  ];
}

/** @param {KeyboardEvent} event */
function focusText(event) {
  event.preventDefault();
  /** @type {HTMLTextAreaElement | null} */ (document.getElementById("text"))?.select();
}

/**
 * @param {Document} document
 * @param {ReturnType<typeof keyTable>} table
 */
export function listenToKeys(document, table) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const target = /** @type {HTMLElement} */ (event.target);
    if (writes(target) || document.querySelector("dialog[open]")) return;
    // Space and Enter on a focused button press that button.
    if (event.key === " " && target.closest("button, summary, a")) return;
    const row = table.find(({ keys }) => keys.includes(event.key));
    if (!row) return;
    event.preventDefault();
    row.run(event);
  });
}

/** Whether an element uses the keys itself. @param {HTMLElement} element */
const writes = (element) =>
  element.isContentEditable ||
  element.matches("textarea, select, input:not([type=range]):not([type=checkbox])");
