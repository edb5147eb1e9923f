// The six quantities of the selected layer and direction: units down, timesteps across.

/** @import {Quantity, Readable} from '../types.js' */
/** @import {State} from '../state.js' */
/** @import {Actions} from '../actions.js' */
/** @import {Theme} from '../theme.js' */
/** @import {Recording} from '../recording.js' */

import { axis } from "../axis.js";
import { paintHeatmap } from "../colour.js";
import { byId, context2d, element, isDrag } from "../dom.js";
import { fixed } from "../format.js";
import { heatmapRows, timestepAtX } from "../geometry.js";
import { label } from "../label.js";
import { selectedCell } from "../state.js";
import { shownRange } from "../theme.js";

const LOWEST = 48;
const HIGHEST = 120;
/** What stands around the six pictures on a screen: section head, gaps. */
const AROUND = 92;

/**
 * @param {State} state
 * @param {Actions} actions
 * @param {Readable<Theme>} theme
 * @param {import('./tooltip.js').Tooltip} tooltip
 */
export function createHeatmapsView(state, actions, theme, tooltip) {
  const panel = byId("states");
  const flow = byId("flow");
  const network = byId("network");
  /** @type {Map<string, {canvas: HTMLCanvasElement, track: HTMLElement, mark: HTMLElement}>} */
  const parts = new Map();
  let painted = "";
  let target = LOWEST;
  let measured = -1;
  /** @type {Theme | null} */
  let paintedTheme = null;

  /** @param {Quantity} quantity */
  function build(quantity) {
    const canvas = element("canvas", { role: "img" });
    const mark = element("div", { class: "unit-mark" });
    const track = element("div", { class: "track" }, canvas, mark);
    const name = element(
      "div",
      { class: "row-label", title: `${quantity.sentence}\n${quantity.name} = ${quantity.formula}` },
      element("b", {}, quantity.name),
      element("span", {}, quantity.label),
    );
    panel.append(element("div", { class: "row heatmap" }, name, track));
    parts.set(quantity.name, { canvas, track, mark });

    /** @param {PointerEvent | MouseEvent} event */
    const under = (event) => {
      const recording = state.recording.get();
      const array = recording?.quantity(quantity.name, selectedCell(state));
      if (!recording || !array) return null;
      const box = track.getBoundingClientRect();
      const timestep = timestepAtX(event.clientX - box.left, axis(state, recording));
      const { rows, unitsPerRow } = rowsOf(array.shape[1]);
      const row = Math.floor(((event.clientY - box.top) / box.height) * rows);
      const unit = Math.min(array.shape[1] - 1, Math.max(0, row) * unitsPerRow);
      return { recording, array, timestep, unit, unitsPerRow };
    };
    track.addEventListener("click", (event) => {
      const hit = under(event);
      if (!hit) return;
      actions.selectTimestep(hit.timestep);
      actions.selectUnit(hit.unit);
    });
    track.addEventListener("pointermove", (event) => {
      const hit = under(event);
      if (!hit) return;
      const { array, unit, unitsPerRow, timestep } = hit;
      if (isDrag(event)) actions.selectTimestep(timestep);
      const last = Math.min(array.shape[1], unit + unitsPerRow) - 1;
      const values = [];
      for (let u = unit; u <= last; u++)
        values.push(fixed(array.data[timestep * array.shape[1] + u], 4));
      const token = label(hit.recording.about.tokens[timestep].text);
      tooltip.show(event, [
        `${quantity.label} ${quantity.name} · “${token}” · timestep ${timestep}`,
        last === unit
          ? `unit ${unit}: ${values[0]}`
          : `units ${unit} to ${last}: ${values.join("  ")}`,
      ]);
    });
    track.addEventListener("pointerleave", () => tooltip.hide());
  }

  /** @param {Recording} recording @param {string} quantity */
  function unitsOf({ layers }, quantity) {
    const { hidden_size, output_size } = layers[state.layer.get()];
    return quantity === "h" ? output_size : hidden_size;
  }

  /** Six pictures fill what the network leaves of the screen. @param {number} units */
  function rowsOf(units) {
    return heatmapRows(units, target, window.devicePixelRatio || 1);
  }

  function measure() {
    const room = (flow.clientHeight - network.offsetTop - network.offsetHeight - AROUND) / 6 - 6;
    target = Math.min(HIGHEST, Math.max(LOWEST, room));
  }

  /** @param {Quantity} quantity @param {Recording} recording */
  function paintOne(quantity, recording) {
    const part = parts.get(quantity.name);
    const cell = selectedCell(state);
    const array = recording.quantity(quantity.name, cell);
    if (!part) return;
    const units = unitsOf(recording, quantity.name);
    const { rows, unitsPerRow, height } = rowsOf(units);
    part.track.style.height = `${height}px`;
    part.canvas.hidden = !array;
    if (!array) return;
    const view = axis(state, recording);
    const { first, last, offset, columnWidth } = view.window;
    part.track.style.width = `${Math.min(view.trackWidth, recording.timesteps * columnWidth)}px`;
    const [low, high] = shownRange(quantity, state.scale.get(), recording, cell);
    const image = new ImageData(last - first, rows);
    const table = theme.get().tables[quantity.scale];
    paintHeatmap(
      new Uint32Array(image.data.buffer),
      array.data,
      { units, first, last, rows, unitsPerRow },
      { low, high, scale: quantity.scale, table },
    );
    const { canvas } = part;
    if (canvas.width !== image.width || canvas.height !== rows) {
      [canvas.width, canvas.height] = [image.width, rows];
    }
    canvas.style.width = `${(last - first) * columnWidth}px`;
    canvas.style.transform = `translateX(${offset}px)`;
    context2d(canvas).putImageData(image, 0, 0);
    canvas.setAttribute(
      "aria-label",
      `${quantity.label} of layer ${cell.layer} ${cell.direction}: ${units} units over ${recording.timesteps} timesteps`,
    );
  }

  /** @param {Recording} recording */
  function markUnit(recording) {
    const unit = state.unit.get();
    for (const [name, { mark }] of parts) {
      const units = unitsOf(recording, name);
      const { rows, unitsPerRow, height } = rowsOf(units);
      mark.hidden = unit >= units;
      mark.style.top = `${((Math.floor(unit / unitsPerRow) + 0.5) / rows) * height}px`;
    }
  }

  return {
    name: "heatmaps",
    reads: [
      state.recording,
      state.arrived,
      state.quantities,
      state.layer,
      state.direction,
      state.unit,
      state.tab,
      state.scale,
      state.trackWidth,
      state.measured,
      state.scrollLeft,
      theme,
    ],
    paint() {
      const recording = state.recording.get();
      panel.hidden = state.tab.get() !== "states";
      if (!recording || panel.hidden) return;
      for (const quantity of state.quantities.get()) if (!parts.has(quantity.name)) build(quantity);
      if (measured !== state.measured.get()) measure();
      measured = state.measured.get();
      // A new unit only moves the mark.
      const key = [
        recording.about.id,
        state.arrived.get(),
        state.layer.get(),
        state.direction.get(),
        state.scale.get(),
        state.trackWidth.get(),
        state.scrollLeft.get(),
        target,
      ].join(" ");
      if (key !== painted || paintedTheme !== theme.get()) {
        for (const quantity of state.quantities.get()) paintOne(quantity, recording);
      }
      painted = key;
      paintedTheme = theme.get();
      markUnit(recording);
    },
  };
}
