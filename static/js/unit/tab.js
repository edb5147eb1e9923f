// One unit: the sentence coloured by its value, its six quantities over time, its distribution and
// where it is saturated. Everything here is repainted when another unit is flipped to, and only a few
// numbers at a step.

/** @import {Page} from '../page.js' */
/** @import {Recording} from '../recording.js' */
/** @import {Series} from './series.js' */
/** @import {Cell} from '../types.js' */

import { byId, element, loadStyles } from "../dom.js";
import { bandsOf } from "./lines.js";
import { describe } from "./saturation.js";
import { createSeries } from "./series.js";
import { selectedCell } from "../state.js";
import { atom } from "../store.js";
import { createUnitChartView } from "./chart.js";
import { createColouring } from "./colours.js";
import { createUnitFactsView } from "./facts.js";
import { createUnitFigure } from "./figure.js";
import { createUnitLinesView } from "./lines-view.js";
import { createUnitTextView } from "./text-view.js";
import { createUnitToolsView } from "./tools.js";

/**
 * What is looked at: a unit, and its series once they are here.
 * @typedef {object} Shown
 * @property {Recording} recording
 * @property {Cell} cell
 * @property {number} unit
 * @property {string} name  "unit 3 of layer 0 forward"
 * @property {Series | undefined} series
 * @property {Record<string, ReturnType<typeof describe>>} facts  of each of the series
 */

/** @param {Page} page */
function createUnit(page) {
  const { state, actions, api } = page;
  const panel = byId("unit-view");
  /** Counts what came, and what else the whole tab is painted for again. */
  const arrived = atom(0);
  const again = () => arrived.set(arrived.get() + 1);
  const store = createSeries(state, api, again, actions.report);
  let styled = false;
  loadStyles("css/unit.css").then(() => {
    styled = true;
    again();
  });
  /** @type {WeakMap<Series, Shown["facts"]>} */
  const known = new WeakMap();

  /** @param {Series} series */
  function factsOf(series) {
    const facts =
      known.get(series) ??
      Object.fromEntries(Object.entries(series).map(([name, values]) => [name, describe(values)]));
    known.set(series, facts);
    return facts;
  }

  /** @returns {Shown | null} */
  function current() {
    const recording = state.recording.get();
    if (!recording || !state.quantities.get().length) return null;
    const cell = selectedCell(state);
    const unit = state.unit.get();
    const name = `unit ${unit} of layer ${cell.layer} ${cell.direction}`;
    const series = store.get(cell, unit);
    return { recording, cell, unit, name, series, facts: series ? factsOf(series) : {} };
  }

  return {
    ...page,
    panel,
    /** What the sentence is coloured by. */
    colouring: createColouring(page),
    /** What the views of this tab are painted for. */
    reads: [
      state.recording,
      state.arrived,
      state.quantities,
      state.tab,
      state.layer,
      state.direction,
      state.unit,
      page.theme,
      arrived,
    ],
    bands: () => bandsOf(state.quantities.get()),

    current,

    /** What has to be painted; null where nothing has, and then nobody sees it. */
    shown() {
      panel.hidden = state.tab.get() !== "unit";
      return panel.hidden || !styled ? null : current();
    },
  };
}

/** @typedef {ReturnType<typeof createUnit>} Unit */

/** @param {Page} page */
export function createUnitView(page) {
  const unit = createUnit(page);
  const tools = createUnitToolsView(unit);
  const text = createUnitTextView(unit);
  const lines = createUnitLinesView(unit);
  const below = element("div", { id: "unit-below" });
  unit.panel.append(tools.root, text.root, lines.root, below);
  for (const view of [...text.views, ...lines.views, tools.view]) page.frames.add(view);
  page.frames.add(createUnitFactsView(unit, below));
  page.figures.set("unit", createUnitFigure(unit));
  return createUnitChartView(unit, below);
}
