// The panel of the selected units: by number, by a question about what they do, and named sets.

/** @import {Page} from '../page.js' */
/** @import {Recording} from '../recording.js' */

import { brushOf, brushedUnits, formatRanges, rangesOf, readUnits } from "./brush.js";
import { button, byId, element, loadStyles, write } from "../dom.js";
import { label } from "../label.js";
import { selectedCell } from "../state.js";
import { atom } from "../store.js";
import { createQuestion } from "./question.js";
import { createSets } from "./sets.js";

/**
 * A part of the panel; it paints nothing while the panel is closed.
 * @typedef {{node: HTMLElement, reads: import('../types.js').Readable<any>[], paint: (recording: Recording, open: boolean) => void}} Part
 */

/** @param {Page} page @param {HTMLElement} panel */
export function createBrushView(page, panel) {
  const { state } = page;
  void loadStyles("css/brush.css");
  const isOpen = atom(false);
  const parts = [createSelection(page), createQuestion(page, isOpen), createSets(page)];
  const title = element("h3", { id: "units-title" });
  const close = button("×", leave, { class: "close", "aria-label": "Close" });
  panel.append(close, title, ...parts.map(({ node }) => node));

  const look = () => isOpen.set(panel.matches(":popover-open"));
  panel.addEventListener("toggle", look);
  look();
  // From anywhere but where Escape means something else.
  document.addEventListener("keydown", (event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    if (event.key !== "Escape" || event.defaultPrevented || !isOpen.get()) return;
    if (target.closest("dialog, #ask, [popover]:not(#units-panel)")) return;
    event.preventDefault();
    leave();
  });
  // On a phone that would bring up a keyboard before anybody wants to type.
  if (matchMedia("(hover: hover)").matches) panel.querySelector("input")?.focus();

  function leave() {
    panel.hidePopover();
    byId("units-button").focus();
  }

  return {
    name: "brush",
    reads: [
      isOpen,
      state.recording,
      state.quantities,
      state.layer,
      state.direction,
      state.brush,
      state.sets,
      state.only,
      ...parts.flatMap(({ reads }) => reads),
    ],
    paint() {
      const recording = state.recording.get();
      if (!recording) return;
      const { layer, direction } = selectedCell(state);
      write(title, `Units of layer ${layer} ${direction}`);
      for (const part of parts) part.paint(recording, isOpen.get());
    },
  };
}

/** What is selected, as a field to type in. @param {Page} page @returns {Part} */
function createSelection({ state, actions }) {
  const { brush } = actions;
  const field = element("input", {
    id: "brush-text",
    type: "text",
    placeholder: "none; 3-7, 12",
    autocomplete: "off",
    spellcheck: "false",
    "aria-describedby": "brush-count",
  });
  const count = element("output", { id: "brush-count", for: "brush-text" });
  const problem = element("p", { class: "problem", role: "status" });
  const others = element("p", { class: "note" });
  const clear = button("Clear", () => brush.clear(selectedCell(state)));
  const only = element("input", { type: "checkbox" });
  const [less, more] = ["[", "]"].map((key) => element("kbd", {}, key));
  only.addEventListener("change", () => state.only.set(Number(only.checked)));
  const width = () => state.recording.get()?.layers[state.layer.get()].hidden_size ?? 0;
  const written = () => formatRanges(rangesOf(brushedUnits(state, selectedCell(state))), ", ");

  field.addEventListener("input", () => {
    const { units, wrong } = readUnits(field.value, width());
    const none = `“${label(wrong ?? "")}” is no unit here: they go from 0 to ${width() - 1}.`;
    write(problem, wrong === null ? "" : none);
    brush.select(selectedCell(state), units);
  });
  // What was typed, tidy.
  field.addEventListener("change", () => {
    write(problem, "");
    field.value = written();
  });

  const node = element(
    "div",
    {},
    element(
      "div",
      { class: "line" },
      element("label", { for: "brush-text" }, "selected"),
      field,
      count,
    ),
    problem,
    element(
      "div",
      { class: "line" },
      button("Invert", () => brush.invert(selectedCell(state))),
      clear,
      element(
        "label",
        { class: "check" },
        only,
        element("span", {}, less, " ", more, " step through these only"),
      ),
    ),
    others,
  );

  /** Rows of the network that are not looked at. @param {{layer: number, direction: import('../types.js').Direction, units: number[]}[]} cells */
  function paintOthers(cells) {
    others.hidden = !cells.length;
    const names = cells.flatMap((cell, n) => [
      n ? ", " : "",
      button(`layer ${cell.layer} ${cell.direction}`, () => actions.selectCell(cell), {
        class: "link",
      }),
      ` (${cell.units.length})`,
    ]);
    const all = button("clear all", () => brush.clear(), { class: "link" });
    others.replaceChildren("Also selected: ", ...names, " · ", all);
  }

  return {
    node,
    reads: [],
    paint(_, open) {
      if (!open) return;
      const cell = selectedCell(state);
      const units = brushedUnits(state, cell);
      // What is being typed stays as long as it says what is selected.
      const typed = readUnits(field.value, width());
      if (document.activeElement !== field || !isSame(typed.units, units)) {
        write(problem, "");
        field.value = written();
      }
      write(count, `${units.size} of ${width()}`);
      clear.disabled = !units.size;
      only.checked = state.only.get() === 1;
      paintOthers(
        brushOf(state).filter(
          ({ layer, direction }) => layer !== cell.layer || direction !== cell.direction,
        ),
      );
    },
  };
}

/** @param {number[]} typed @param {Set<number>} units */
const isSame = (typed, units) =>
  typed.length === units.size && typed.every((unit) => units.has(unit));
