// What surrounds the chosen view: its title, the legend, the tabs.

/** @import {ColourScale, Readable, Tab} from '../types.js' */
/** @import {State} from '../state.js' */
/** @import {Theme} from '../theme.js' */

import { byId, element, write } from "../dom.js";
import { fixed } from "../format.js";
import { selectedCell } from "../state.js";
import { shownRange } from "../theme.js";

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
      const next = tabs[(tabs.indexOf(tab) + by + tabs.length) % tabs.length];
      next.focus();
      next.click();
    });
  }
  const title = byId("view-title");
  return {
    name: "tabs",
    reads: [state.tab, state.layer, state.direction, state.unit, state.recording],
    paint() {
      for (const tab of tabs) {
        const selected = tab.dataset.tab === state.tab.get();
        tab.setAttribute("aria-selected", String(selected));
        tab.tabIndex = selected ? 0 : -1;
      }
      const { layer, direction } = selectedCell(state);
      const cell = `layer ${layer} ${direction}`;
      const titles = { states: cell, unit: `${cell} · unit ${state.unit.get()}`, shapes: "shapes" };
      write(title, titles[state.tab.get()]);
    },
  };
}

/**
 * The colour scales: what a colour means, and whether the ends are fixed or fitted.
 * @param {State} state
 * @param {Readable<Theme>} theme
 */
export function createLegendView(state, theme) {
  const legend = byId("legend");
  const select = element(
    "select",
    {
      "aria-label": "Colour scale",
      title:
        "Fixed: colours mean the same in every sentence. Fitted: the ends are what was recorded here.",
    },
    element("option", { value: "fixed" }, "fixed"),
    element("option", { value: "fit" }, "fitted"),
  );
  select.addEventListener("change", () =>
    state.scale.set(/** @type {ColourScale} */ (select.value)),
  );
  const ramps = element("span");
  legend.append(ramps, element("label", {}, "scale ", select));

  return {
    name: "legend",
    reads: [
      state.recording,
      state.arrived,
      state.quantities,
      state.layer,
      state.direction,
      state.scale,
      state.tab,
      theme,
    ],
    paint() {
      const recording = state.recording.get();
      legend.hidden = state.tab.get() !== "states";
      if (!recording || legend.hidden) return;
      select.value = state.scale.get();
      // Quantities with the same scale and ends share one ramp.
      /** @type {Map<string, {names: string[], low: number, high: number, scale: "sequential" | "diverging"}>} */
      const groups = new Map();
      let notFinite = false;
      for (const quantity of state.quantities.get()) {
        const [low, high] = shownRange(quantity, state.scale.get(), recording, selectedCell(state));
        const key = `${quantity.scale} ${low} ${high}`;
        const group = groups.get(key) ?? { names: [], low, high, scale: quantity.scale };
        group.names.push(quantity.name);
        groups.set(key, group);
        notFinite ||= Boolean(
          recording
            .quantity(quantity.name, selectedCell(state))
            ?.data.some((v) => !Number.isFinite(v)),
        );
      }
      const end = (/** @type {number} */ value) => fixed(value, Number.isInteger(value) ? 0 : 2);
      const parts = [...groups.values()].map(({ names, low, high, scale }) => {
        const ramp = element("i", { class: "ramp" });
        ramp.style.background =
          scale === "sequential"
            ? "linear-gradient(90deg, var(--low), var(--high))"
            : "linear-gradient(90deg, var(--negative), var(--zero), var(--positive))";
        return element(
          "span",
          {},
          element("i", { class: "symbol" }, names.join(" ")),
          end(low),
          ramp,
          end(high),
          " ",
        );
      });
      if (notFinite) {
        const ramp = element("i", { class: "ramp" });
        ramp.style.background = "var(--not-finite)";
        parts.push(element("span", {}, ramp, "not a number"));
      }
      ramps.replaceChildren(...parts);
    },
  };
}
