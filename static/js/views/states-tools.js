// What the heatmaps show and how: rows, quantities, the order of units, the colour scale and its legend.

/** @import {Page} from '../page.js' */
/** @import {Recording} from '../recording.js' */

import { axis } from "../time/axis.js";
import { byId, element, write } from "../dom.js";
import { fixed, plural } from "../format.js";
import { levelOf } from "../geometry.js";
import { selectedCell } from "../state.js";
import { shownRange } from "../theme.js";

export const SORTS = {
  index: "index",
  peak: "time of their peak",
  mean: "mean",
  variance: "variance",
  similarity: "likeness to the selected",
  cluster: "cluster",
};
const SCALES = { fixed: "fixed", layer: "of the layer", row: "of each unit" };
const STATISTICS = { extreme: "extreme", mean: "mean" };

/** @param {Page} page */
export function createStatesToolsView({ state, theme }) {
  const box = byId("states-tools");
  const rows = choice(
    state.rows,
    { all: "all rows", one: "this row" },
    {
      "aria-label": "Rows",
      title: "All rows of the network, or only the selected one",
    },
  );
  const chips = element("span", {
    class: "chips",
    role: "group",
    "aria-label": "Quantities shown",
  });
  const sort = choice(state.sort, SORTS, { "aria-label": "Order of the units" });
  const sortOf = element("select", { "aria-label": "Ordered by which quantity" });
  sortOf.addEventListener("change", () => state.sortOf.set(sortOf.value));
  const of = element("label", {}, "of ", sortOf);
  const scale = choice(state.scale, SCALES, {
    "aria-label": "Colour scale",
    title:
      "Fixed: colours mean the same in every sentence. Of the layer, of each unit: the ends are what was recorded there.",
  });
  const statistic = choice(state.statistic, STATISTICS, { "aria-label": "What a pixel shows" });
  const pooled = element("span");
  const pooling = element("label", { class: "pooling" }, statistic, pooled);
  const ramps = element("span", { class: "ramps" });
  box.append(
    rows,
    chips,
    element("label", {}, "units by ", sort),
    of,
    element("label", {}, "scale ", scale),
    pooling,
  );
  byId("legend").append(ramps);
  let legend = "";

  function buildChips() {
    const quantities = state.quantities.get();
    if (chips.children.length === quantities.length) return;
    chips.replaceChildren(
      ...quantities.map(({ name, label }) => {
        const chip = element("button", { type: "button", title: label, value: name }, name);
        chip.addEventListener("click", () => toggle(name));
        return chip;
      }),
    );
    sortOf.replaceChildren(
      ...quantities.map(({ name }) => element("option", { value: name }, name)),
    );
  }

  /** One quantity is always left. @param {string} name */
  function toggle(name) {
    const shown = new Set(state.show.get());
    if (!shown.delete(name)) shown.add(name);
    const all = state.quantities.get().map((quantity) => quantity.name);
    const next = all.filter((other) => shown.has(other)).join("");
    state.show.set(next || name);
  }

  /** Quantities with the same scale and ends share one ramp. @param {Recording} recording */
  function paintLegend(recording) {
    const cell = selectedCell(state);
    const perUnit = state.scale.get() === "row";
    /** @type {Map<string, {names: string[], low: string, high: string, scale: "sequential" | "diverging"}>} */
    const groups = new Map();
    let finite = true;
    for (const quantity of state.quantities.get()) {
      const { name } = quantity;
      if (!state.show.get().includes(name)) continue;
      finite &&= recording.described(`${cell.layer}.${cell.direction}.${name}`)?.finite ?? true;
      const ends = shownRange(quantity, state.scale.get(), recording, cell);
      const [low, high] = perUnit
        ? ["low", "high"]
        : ends.map((value) => fixed(value, Number.isInteger(value) ? 0 : 2));
      const key = `${quantity.scale} ${low} ${high}`;
      const group = groups.get(key) ?? { names: [], low, high, scale: quantity.scale };
      group.names.push(name);
      groups.set(key, group);
    }
    const key = JSON.stringify([...groups, finite]);
    if (key === legend) return;
    legend = key;
    const parts = [...groups.values()].map(({ names, low, high, scale: colours }) =>
      element(
        "span",
        {},
        element("i", { class: "symbol" }, names.join(" ")),
        low,
        element("i", { class: `ramp ${colours}` }),
        high,
      ),
    );
    if (!finite)
      parts.push(element("span", {}, element("i", { class: "ramp not-finite" }), "not a number"));
    ramps.replaceChildren(...parts);
  }

  /** What a pixel stands for, where it is more than one value. @param {Recording} recording */
  function paintPooling(recording) {
    const { columnWidth } = axis(state, recording);
    const each = 2 ** levelOf(columnWidth, window.devicePixelRatio || 1);
    pooling.hidden = each === 1;
    if (each > 1) write(pooled, ` of ${plural(each, "timestep")} a pixel`);
  }

  return {
    name: "states tools",
    reads: [
      state.recording,
      state.arrived,
      state.quantities,
      state.layer,
      state.direction,
      state.scale,
      state.tab,
      state.rows,
      state.show,
      state.sort,
      state.sortOf,
      state.statistic,
      state.span,
      state.trackWidth,
      theme,
    ],
    paint() {
      const recording = state.recording.get();
      ramps.hidden = box.hidden = state.tab.get() !== "states";
      if (!recording || box.hidden) return;
      buildChips();
      for (const chip of chips.children) {
        const name = /** @type {HTMLButtonElement} */ (chip).value;
        chip.setAttribute("aria-pressed", String(state.show.get().includes(name)));
      }
      for (const [select, atom] of /** @type {const} */ ([
        [rows, state.rows],
        [sort, state.sort],
        [scale, state.scale],
        [statistic, state.statistic],
        [sortOf, state.sortOf],
      ]))
        if (select.value !== atom.get()) select.value = atom.get();
      of.hidden = state.sort.get() === "index";
      rows.hidden = recording.rows.length === 1;
      paintLegend(recording);
      paintPooling(recording);
    },
  };
}

/**
 * A choice of one of the values of an atom.
 * @template {string} T
 * @param {import('../types.js').Atom<T>} atom
 * @param {Record<T, string>} options
 * @param {Record<string, string>} attributes
 */
export function choice(atom, options, attributes) {
  const entries = /** @type {[T, string][]} */ (Object.entries(options));
  const select = element(
    "select",
    attributes,
    ...entries.map(([value, text]) => element("option", { value }, text)),
  );
  select.addEventListener("change", () => atom.set(/** @type {T} */ (select.value)));
  return select;
}
