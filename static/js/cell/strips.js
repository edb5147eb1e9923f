// The six vectors of the cell at this timestep, a strip each; a click picks the unit.
//
// The strips are one canvas, a pixel for each unit: six would cost every frame more than their pixels.

/** @import {Page} from '../page.js' */

import { brushedUnits } from "../brush/brush.js";
import { paintStrip } from "../colour.js";
import { byId, context2d, element, write } from "../dom.js";
import { fixed } from "../format.js";
import { heatmapRows } from "../geometry.js";
import { selectedCell, selectedTimestep } from "../state.js";
import { shownRange } from "../theme.js";

/** Rows of pixels: of a strip, and from one strip to the next. The styles count with them. */
const THICK = 2;
const APART = 3;

/** @param {Page} page */
export function createStripsView({ state, actions, theme, tooltip }) {
  const box = byId("strips");
  const canvas = element("canvas", { role: "img" });
  const marks = element("canvas", { class: "strip-marks", "aria-hidden": "true" });
  const names = element("div", { class: "strip-names" });
  const values = element("div", { class: "strip-values" });
  box.append(names, element("div", { class: "strip-track" }, canvas, marks), values);
  /** @type {Map<string, HTMLOutputElement>} */
  const outputs = new Map();
  let marked = "";

  function build() {
    for (const { name, label, sentence } of state.quantities.get()) {
      const symbol = element("b", { class: "symbol" }, name);
      names.append(element("span", { title: sentence }, symbol, element("em", {}, label)));
      const output = element("output", {
        id: `value-${name}`,
        "aria-label": `${label} of the selected unit`,
      });
      values.append(output);
      outputs.set(name, output);
    }
  }

  /** @param {MouseEvent} event */
  function under(event) {
    const recording = state.recording.get();
    const quantities = state.quantities.get();
    const row = Math.floor((event.offsetY / canvas.clientHeight) * quantities.length);
    const quantity = quantities[Math.max(0, Math.min(row, quantities.length - 1))];
    if (!recording || !quantity) return null;
    const cell = selectedCell(state);
    const name = `${cell.layer}.${cell.direction}.${quantity.name}`;
    const units = recording.described(name)?.shape[1] ?? 1;
    const at = Math.floor((event.offsetX / canvas.clientWidth) * units);
    const unit = Math.min(units - 1, Math.max(0, at));
    const timestep = selectedTimestep(state, recording);
    return { quantity, unit, value: recording.value(quantity.name, cell, timestep, unit) };
  }
  canvas.addEventListener("click", (event) => {
    const hit = under(event);
    if (hit) actions.selectUnit(hit.unit);
  });
  canvas.addEventListener("pointermove", (event) => {
    const hit = under(event);
    if (hit?.value !== undefined)
      tooltip.show(event, [`${hit.quantity.name} of unit ${hit.unit}: ${fixed(hit.value, 4)}`]);
  });
  canvas.addEventListener("pointerleave", () => tooltip.hide());

  return {
    name: "strips",
    reads: [
      state.recording,
      state.arrived,
      state.quantities,
      state.step,
      state.order,
      state.layer,
      state.direction,
      state.unit,
      state.scale,
      state.brush,
      theme,
    ],
    paint() {
      const recording = state.recording.get();
      const quantities = state.quantities.get();
      if (!recording || !quantities.length) return;
      if (!outputs.size) build();
      const cell = selectedCell(state);
      const { layer, direction } = cell;
      const timestep = selectedTimestep(state, recording);
      const { hidden_size } = recording.layers[layer];
      const ratio = window.devicePixelRatio || 1;
      const width = heatmapRows(hidden_size, ROOM, ratio).rows;
      const height = (quantities.length - 1) * APART + THICK;
      const image = new ImageData(width, height);
      const pixels = new Uint32Array(image.data.buffer);
      quantities.forEach((quantity, n) => {
        const vector = recording.row(`${layer}.${direction}.${quantity.name}`, timestep);
        const number = vector?.[state.unit.get()];
        write(
          /** @type {HTMLElement} */ (outputs.get(quantity.name)),
          number === undefined ? "–" : fixed(number),
        );
        if (!vector) return;
        const [low, high] = shownRange(quantity, state.scale.get(), recording, cell);
        const table = theme.get().tables[quantity.scale];
        const strip = pixels.subarray(n * APART * width, n * APART * width + width);
        paintWhole(strip, vector, { low, high, scale: quantity.scale, table });
        for (let more = 1; more < THICK; more++) pixels.set(strip, (n * APART + more) * width);
      });
      if (canvas.width !== width || canvas.height !== height)
        [canvas.width, canvas.height] = [width, height];
      context2d(canvas).putImageData(image, 0, 0);
      paintMarks(cell, hidden_size);
    },
  };

  /** The selected unit, and the brushed ones. @param {import('../types.js').Cell} cell @param {number} units */
  function paintMarks(cell, units) {
    const { accent, ink } = theme.get();
    const unit = state.unit.get();
    const key = [cell.layer, cell.direction, units, unit, state.brush.get(), accent].join();
    if (key === marked) return;
    marked = key;
    canvas.setAttribute(
      "aria-label",
      `The six vectors of layer ${cell.layer} ${cell.direction}, ${units} units each`,
    );
    [marks.width, marks.height] = [ROOM * 2, MARKS];
    const context = context2d(marks);
    const mark = (
      /** @type {number} */ n,
      /** @type {string} */ colour,
      /** @type {number} */ wide,
    ) => {
      context.fillStyle = colour;
      context.fillRect(((n + 0.5) / units) * marks.width - wide / 2, 0, wide, MARKS);
    };
    for (const brushed of brushedUnits(state, cell)) mark(brushed, accent, 3);
    mark(unit, ink, 4);
  }
}

/** Pixels a strip is wide, about. */
const ROOM = 220;
const MARKS = 4;

/**
 * A vector of another width than its strip is pooled or stretched: h of a projection is narrower.
 * @param {Uint32Array} pixels
 * @param {import('../types.js').Numbers} values
 * @param {Parameters<typeof paintStrip>[3]} colours
 */
function paintWhole(pixels, values, colours) {
  const each = Math.ceil(values.length / pixels.length);
  const rows = Math.ceil(values.length / each);
  if (rows === pixels.length) return paintStrip(pixels, values, each, colours);
  const own = new Uint32Array(rows);
  paintStrip(own, values, each, colours);
  for (let x = 0; x < pixels.length; x++) pixels[x] = own[Math.floor((x * rows) / pixels.length)];
}
