// The six quantities of a unit as lines, column under column with the tokens. The page's band is the
// cursor: a step changes the numbers of the legend and nothing else.

/** @import {Quantity} from '../types.js' */
/** @import {Shown, Unit} from './tab.js' */

import { axis } from "../time/axis.js";
import { followPointer } from "../time/pointing.js";
import { button, element, fitCanvas, write } from "../dom.js";
import { fixed } from "../format.js";
import { scaleY } from "./lines.js";
import { selectedCell, selectedTimestep } from "../state.js";
import { LEGEND, bandEnds, drawLines, lineColour, placeBands, tickText } from "./picture.js";

/** @param {Unit} unit */
export function createUnitLinesView(unit) {
  const { state, actions, theme, tooltip } = unit;
  const legend = element("div", { class: "row-label unit-legend" });
  const grid = element("div", { class: "unit-grid", "aria-hidden": "true" });
  const canvas = element("canvas", { role: "img" });
  const hair = element("div", { class: "hair", "aria-hidden": "true" });
  const track = element("div", { id: "unit-track", class: "track" }, grid, canvas, hair);
  const note = element("p", { class: "note unit-note" });
  const lines = element(
    "div",
    { id: "unit-lines", class: "row", role: "group", tabindex: 0 },
    legend,
    track,
  );
  const root = element("div", {}, lines, note);
  /** @type {Map<string, {node: HTMLElement, value: HTMLElement}>} */
  const entries = new Map();
  /** The words at the ends of each axis. @type {[HTMLElement, HTMLElement, HTMLElement][]} */
  let ticks = [];
  let bands = unit.bands();
  let built = "";
  let painted = "";

  /** Bands, their axes and the legend: once for all units. */
  function build() {
    bands = unit.bands();
    const key = bands.map(({ quantities }) => quantities.map(({ name }) => name)).join(";");
    if (key === built) return;
    built = key;
    const { bands: places, height } = placeBands(bands);
    for (const node of [legend, track]) node.style.height = `${height}px`;
    legend.replaceChildren();
    grid.replaceChildren();
    entries.clear();
    ticks = bands.map(({ quantities, fitted }, n) => {
      const { top, height: room } = places[n];
      const y = scaleY(places[n], [-1, 1]);
      quantities.forEach((quantity, at) => legend.append(entry(quantity, top + at * LEGEND)));
      for (const value of [1, 0, -1]) grid.append(gridLine(y(value), value === 0));
      if (!fitted && quantities[0].scale === "sequential")
        for (const value of [0.1, 0.9])
          grid.append(gridLine(scaleY(places[n], [0, 1])(value), true));
      const found = /** @type {[HTMLElement, HTMLElement, HTMLElement]} */ (
        [top, top + room / 2, top + room].map((at) => {
          const tick = element("span", { class: "tick" });
          tick.style.top = `${at}px`;
          return tick;
        })
      );
      legend.append(...found);
      return found;
    });
  }

  /** @param {number} y @param {boolean} faint */
  function gridLine(y, faint) {
    const line = element("i", { class: faint ? "faint" : "" });
    line.style.top = `${y}px`;
    return line;
  }

  /** @param {Quantity} quantity @param {number} top */
  function entry({ name, label: words, sentence, formula }, top) {
    const value = element("span", { id: `unit-${name}`, class: "value" });
    const node = button(
      [element("b", {}, name), " ", value, " ", element("span", { class: "words" }, words)],
      () => toggle(name),
      {
        class: "entry",
        title: `${sentence}\n${name} = ${formula}`,
        "data-quantity": name,
      },
    );
    node.style.top = `${top}px`;
    entries.set(name, { node, value });
    return node;
  }

  /** One line is always left. @param {string} name */
  function toggle(name) {
    const drawn = new Set(state.lines.get());
    if (!drawn.delete(name)) drawn.add(name);
    const all = state.quantities.get().map((quantity) => quantity.name);
    state.lines.set(all.filter((other) => drawn.has(other)).join("") || name);
  }

  /** @param {Shown} shown */
  function paintLines(shown) {
    const view = axis(state, shown.recording);
    const width = Math.min(view.trackWidth, shown.recording.timesteps * view.columnWidth);
    const { height } = placeBands(bands);
    track.style.width = `${width}px`;
    const pixel = 1 / (window.devicePixelRatio || 1);
    const context = fitCanvas(canvas, width, height);
    const options = { theme: theme.get(), lines: state.lines.get(), pixel };
    drawLines(context, bands, shown, view.window, options);
    bandEnds(bands, shown).forEach(([low, high], n) => {
      const [top, middle, bottom] = ticks[n];
      write(top, tickText(high));
      write(middle, tickText((low + high) / 2));
      write(bottom, tickText(low));
    });
  }

  /** @param {Shown} shown */
  function paintLegend(shown) {
    for (const [name, { node }] of entries) {
      const there = !shown.series || name in shown.series;
      node.setAttribute("aria-pressed", String(there && state.lines.get().includes(name)));
      /** @type {HTMLButtonElement} */ (node).disabled = !there;
      node.style.setProperty("--colour", lineColour(name, theme.get()));
    }
  }

  /** What the pictures do not say. @param {Shown} shown */
  function noteOf({ recording, cell, unit: n, series, facts, name }) {
    if (!series) return `${capital(name)} is coming …`;
    const width = recording.layers[cell.layer].output_size;
    const gaps = Object.keys(facts).filter((q) => facts[q].count < recording.timesteps);
    return [
      gaps.length ? `Where ${gaps.join(", ")} is not a finite number, nothing is drawn.` : "",
      n >= width ? `After the projection h has ${width} units: unit ${n} has no h.` : "",
    ].join(" ");
  }

  followPointer(unit, track, hair, ({ t }) => {
    const series = unit.shown()?.series;
    return series ? Object.entries(series).map(([q, of]) => `${q} = ${fixed(of[t], 6)}`) : null;
  });
  lines.addEventListener("keydown", (event) => {
    const by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!by || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    actions.selectUnit(state.unit.get() + by * (event.shiftKey ? 10 : 1));
  });

  const picture = {
    name: "unit lines",
    reads: [...unit.reads, state.trackWidth, state.from, state.span, state.lines],
    paint() {
      const shown = unit.shown();
      if (!shown) return;
      build();
      const key = [
        `${shown.name} ${shown.recording.about.id} ${Boolean(shown.series)}`,
        `${state.from.get()} ${state.span.get()} ${state.trackWidth.get()} ${window.devicePixelRatio}`,
        `${state.lines.get()} ${theme.get().ink} ${theme.get().background}`,
      ].join();
      if (key === painted) return;
      painted = key;
      paintLines(shown);
      paintLegend(shown);
      write(note, noteOf(shown));
      canvas.setAttribute(
        "aria-label",
        `${Object.keys(shown.series ?? {}).join(", ")} of ${shown.name} over ${shown.recording.timesteps} timesteps`,
      );
      lines.setAttribute("aria-label", `Lines of ${shown.name}. Up and down flip to other units.`);
    },
  };
  const numbers = {
    name: "unit numbers",
    reads: [...unit.reads, state.step, state.order],
    paint() {
      const shown = unit.shown();
      if (!shown) return;
      const t = selectedTimestep(state, shown.recording);
      for (const [name, { value }] of entries) {
        const number = shown.series?.[name]?.[t];
        write(value, number === undefined ? "–" : fixed(number));
      }
    },
  };
  return { root, views: [picture, numbers] };
}

/** @param {string} text */
const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);
