// What surrounds the chosen view: its title and the tabs.

/** @import {Tab} from '../types.js' */
/** @import {State} from '../state.js' */

import { byId, write } from "../dom.js";
import { modelOf, selectedCell } from "../state.js";
import { obstacle } from "../write/able.js";

/** @param {State} state */
export function createTabsView(state) {
  const tabs = /** @type {HTMLElement[]} */ ([...document.querySelectorAll("[role=tab]")]);
  for (const tab of tabs) {
    tab.addEventListener("click", () => state.tab.set(/** @type {Tab} */ (tab.dataset.tab)));
    tab.addEventListener("keydown", (event) => {
      const by = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
      if (!by) return;
      event.preventDefault();
      event.stopPropagation();
      const seen = tabs.filter(({ hidden }) => !hidden);
      const next = seen[(seen.indexOf(tab) + by + seen.length) % seen.length];
      next.focus();
      next.click();
    });
  }
  const strip = /** @type {HTMLElement} */ (tabs[0].parentElement);
  const title = byId("view-title");
  const writing = byId("tab-write");
  let shown = "";
  let sought = "";
  return {
    name: "tabs",
    reads: [
      state.tab,
      state.rows,
      state.layer,
      state.direction,
      state.unit,
      state.recording,
      state.models,
    ],
    paint() {
      // Few models can write on; a link may ask for it all the same, and is told why not.
      const model = modelOf(state, state.recording.get()?.about.model ?? "");
      writing.hidden = state.tab.get() !== "write" && obstacle(model) !== "";
      if (shown !== state.tab.get()) {
        shown = state.tab.get();
        for (const tab of tabs) {
          const selected = tab.dataset.tab === shown;
          tab.setAttribute("aria-selected", String(selected));
          tab.tabIndex = selected ? 0 : -1;
        }
      }
      // On a phone not all of them are in sight; nor is any before there is a recording.
      if (sought !== shown && state.recording.get()) {
        sought = shown;
        const tab = tabs.find(({ dataset }) => dataset.tab === shown);
        if (tab) strip.scrollLeft = tab.offsetLeft - strip.offsetLeft - strip.clientWidth / 3;
      }
      const { layer, direction } = selectedCell(state);
      const cell = `layer ${layer} ${direction}`;
      const titles = {
        states: state.rows.get() === "all" ? "all states" : cell,
        unit: `${cell} · unit ${state.unit.get()}`,
        network: "the network",
        cell,
        compare: "compare",
        paths: "paths",
        predictions: "predictions",
        write: "write on",
        shapes: "shapes",
      };
      write(title, titles[state.tab.get()]);
    },
  };
}
