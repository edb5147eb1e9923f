// One cell: where it is, its drawing with live numbers, its vectors at this timestep.

/** @import {Quantity, Readable, Token} from '../types.js' */
/** @import {State} from '../state.js' */
/** @import {Actions} from '../actions.js' */
/** @import {Theme} from '../theme.js' */
/** @import {Recording} from '../recording.js' */

import { paintStrip } from "../colour.js";
import { byId, context2d, element, write } from "../dom.js";
import { fixed, subscript } from "../format.js";
import { at } from "../names.js";
import { heatmapRows } from "../geometry.js";
import { label } from "../label.js";
import { selectedCell, selectedTimestep } from "../state.js";
import { shownRange } from "../theme.js";
import { timestepBefore } from "../transport.js";

/**
 * @param {State} state
 * @param {Actions} actions
 */
export function createCellView(state, actions) {
  const panel = byId("cell");
  const title = byId("cell-title");
  const order = byId("cell-order");
  const facts = element("dl");
  byId("reads").append(element("h2", {}, "What the model reads"), facts);
  const input = /** @type {HTMLInputElement} */ (byId("unit"));
  input.addEventListener("change", () => {
    actions.selectUnit(input.valueAsNumber);
    input.value = String(state.unit.get());
  });
  byId("unit-less").addEventListener("click", () => actions.selectUnit(state.unit.get() - 1));
  byId("unit-more").addEventListener("click", () => actions.selectUnit(state.unit.get() + 1));

  return {
    name: "cell",
    reads: [
      state.recording,
      state.arrived,
      state.step,
      state.order,
      state.layer,
      state.direction,
      state.unit,
    ],
    paint() {
      const recording = state.recording.get();
      panel.hidden = !recording;
      if (!recording) return;
      const cell = selectedCell(state);
      const timestep = selectedTimestep(state, recording);
      const token = element(
        "b",
        {},
        element("bdi", {}, label(recording.about.tokens[timestep].text)),
      );
      title.replaceChildren(
        "layer ",
        element("b", {}, String(cell.layer)),
        " · ",
        element("b", {}, cell.direction),
        " · timestep ",
        element("b", {}, String(timestep)),
        " “",
        token,
        "”",
      );
      write(
        order,
        cell.direction === "forward"
          ? "Reads left to right."
          : "Reads right to left; drawn in sentence order.",
      );
      const units = recording.layers[cell.layer].hidden_size;
      input.max = String(units - 1);
      // What is being typed stays, though steps go by.
      if (document.activeElement !== input) input.value = String(state.unit.get());
      write(byId("unit-count"), `of ${units}`);
      drawNumbers(recording, timestep);
      facts.replaceChildren(...features(recording.about.tokens[timestep]));
    },
  };

  /** @param {Recording} recording @param {number} timestep */
  function drawNumbers(recording, timestep) {
    const cell = selectedCell(state);
    const unit = state.unit.get();
    const before = timestepBefore(timestep, cell.direction, recording.timesteps);
    const number = (/** @type {number | undefined} */ value) =>
      value === undefined ? "" : fixed(value);
    for (const q of ["i", "f", "g", "o", "c", "h"]) {
      write(byId(`at-${q}`), number(recording.value(q, cell, timestep, unit)));
    }
    write(
      byId("at-c-before"),
      number(
        before === null
          ? recording.initial("c_0", cell, unit)
          : recording.value("c", cell, before, unit),
      ),
    );
    write(byId("name-c-before"), at("c", before));
    write(
      byId("name-h-before"),
      `${at("h", before)}, ${cell.layer ? `h${subscript(timestep)} below` : at("x", timestep)}`,
    );
    write(byId("name-c"), at("c", timestep));
    write(byId("name-h"), at("h", timestep));
  }
}

/** A table may have hundreds of columns. */
const MOST_FEATURES = 60;

/**
 * What the model reads of a token: its features, and `<unk>` for what no vocabulary has.
 * @param {Token} token
 */
function features({ features }) {
  const rows = features.slice(0, MOST_FEATURES).flatMap(({ name, value, known }) => {
    const shown = element("bdi", {}, label(value));
    return [
      element("dt", {}, label(name)),
      known
        ? element("dd", {}, shown)
        : element("dd", { class: "unknown" }, "<unk>: “", shown, "” is not in the vocabulary"),
    ];
  });
  const more = features.length - MOST_FEATURES;
  return more > 0 ? [...rows, element("dt", {}, `and ${more} more`)] : rows;
}

/**
 * The six vectors of the cell at this timestep, a strip each; a click picks the unit.
 * @param {State} state
 * @param {Actions} actions
 * @param {Readable<Theme>} theme
 * @param {import('./tooltip.js').Tooltip} tooltip
 */
export function createStripsView(state, actions, theme, tooltip) {
  const box = byId("strips");
  /** @type {Map<string, {canvas: HTMLCanvasElement, value: HTMLOutputElement}>} */
  const strips = new Map();

  /** @param {Quantity} quantity */
  function build(quantity) {
    const canvas = element("canvas", {
      role: "img",
      "aria-label": `${quantity.label} of every unit`,
    });
    const value = element("output", {
      id: `value-${quantity.name}`,
      "aria-label": `${quantity.label} of the selected unit`,
    });
    const name = element(
      "span",
      { title: quantity.sentence },
      element("b", { class: "symbol" }, quantity.name),
      element("em", {}, quantity.label),
    );
    box.append(element("div", { class: "strip" }, name, canvas, value));
    strips.set(quantity.name, { canvas, value });
    const under = (/** @type {MouseEvent} */ event) => {
      const recording = state.recording.get();
      const { layer, direction } = selectedCell(state);
      const units = recording?.described(`${layer}.${direction}.${quantity.name}`)?.shape[1];
      if (!recording || !units) return null;
      const unit = Math.min(
        units - 1,
        Math.max(0, Math.floor((event.offsetX / canvas.clientWidth) * units)),
      );
      const value = recording.value(
        quantity.name,
        selectedCell(state),
        selectedTimestep(state, recording),
        unit,
      );
      return { unit, value };
    };
    canvas.addEventListener("click", (event) => {
      const hit = under(event);
      if (hit) actions.selectUnit(hit.unit);
    });
    canvas.addEventListener("pointermove", (event) => {
      const hit = under(event);
      if (hit?.value !== undefined)
        tooltip.show(event, [`${quantity.name} of unit ${hit.unit}: ${fixed(hit.value, 4)}`]);
    });
    canvas.addEventListener("pointerleave", () => tooltip.hide());
  }

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
      theme,
    ],
    paint() {
      const recording = state.recording.get();
      if (!recording) return;
      const cell = selectedCell(state);
      const timestep = selectedTimestep(state, recording);
      for (const quantity of state.quantities.get()) {
        if (!strips.has(quantity.name)) build(quantity);
        const { canvas, value } =
          /** @type {{canvas: HTMLCanvasElement, value: HTMLOutputElement}} */ (
            strips.get(quantity.name)
          );
        const values = recording.row(`${cell.layer}.${cell.direction}.${quantity.name}`, timestep);
        const hidden = values ? "" : "hidden";
        if (canvas.style.visibility !== hidden) canvas.style.visibility = hidden;
        const number = values?.[state.unit.get()];
        write(value, number === undefined ? "–" : fixed(number));
        if (!values) continue;
        const [low, high] = shownRange(quantity, state.scale.get(), recording, cell);
        const ratio = window.devicePixelRatio || 1;
        const { rows, unitsPerRow } = heatmapRows(values.length, 220, ratio);
        const image = new ImageData(rows, 1);
        paintStrip(new Uint32Array(image.data.buffer), values, unitsPerRow, {
          low,
          high,
          scale: quantity.scale,
          table: theme.get().tables[quantity.scale],
        });
        if (canvas.width !== rows || canvas.height !== 1) [canvas.width, canvas.height] = [rows, 1];
        context2d(canvas).putImageData(image, 0, 0);
      }
    },
  };
}
