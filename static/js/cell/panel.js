// One cell: where it is, its drawing with live numbers, what it reads.

/** @import {Token} from '../types.js' */
/** @import {State} from '../state.js' */
/** @import {Actions} from '../actions.js' */
/** @import {Recording} from '../recording.js' */

import { byId, element, write } from "../dom.js";
import { fixed, subscript } from "../format.js";
import { at } from "../names.js";
import { label } from "../label.js";
import { openGate } from "./open-gate.js";
import { selectedCell, selectedTimestep } from "../state.js";
import { timestepBefore } from "../time/transport.js";

/**
 * @param {State} state
 * @param {Actions} actions
 */
export function createCellView(state, actions) {
  const panel = byId("cell");
  const places = {
    layer: element("b"),
    direction: element("b"),
    timestep: element("b"),
    token: element("bdi"),
  };
  byId("cell-title").append(
    "layer ",
    places.layer,
    " · ",
    places.direction,
    " · timestep ",
    places.timestep,
    " “",
    element("b", {}, places.token),
    "”",
  );
  const order = byId("cell-order");
  const facts = element("dl");
  /** @type {Token | null} */
  let shown = null;
  byId("reads").append(element("h2", {}, "What the model reads"), facts);
  const input = /** @type {HTMLInputElement} */ (byId("unit"));
  input.addEventListener("change", () => {
    actions.selectUnit(input.valueAsNumber);
    input.value = String(state.unit.get());
  });
  byId("unit-less").addEventListener("click", () => actions.stepUnit(-1));
  byId("unit-more").addEventListener("click", () => actions.stepUnit(1));

  // The boxes of the drawing, in their order there, lead to what pushes their gates.
  const [boxes, letters] = ["box rect", "gate text"].map((part) =>
    byId("diagram").querySelectorAll(`.${part}`),
  );
  ["f", "i", "g", "o"].forEach((gate, n) => {
    for (const node of [boxes[n], letters[n]]) {
      node.addEventListener("click", () => openGate(state, gate));
    }
  });

  return {
    name: "cell",
    calm: true,
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
      write(places.layer, String(cell.layer));
      write(places.direction, cell.direction);
      write(places.timestep, String(timestep));
      write(places.token, label(recording.about.tokens[timestep].text));
      write(
        order,
        cell.direction === "forward"
          ? "Reads left to right."
          : "Reads right to left; drawn in sentence order.",
      );
      const units = recording.layers[cell.layer].hidden_size;
      if (input.max !== String(units - 1)) input.max = String(units - 1);
      // What is being typed stays, though steps go by.
      const unit = String(state.unit.get());
      if (document.activeElement !== input && input.value !== unit) input.value = unit;
      write(byId("unit-count"), `of ${units}`);
      drawNumbers(recording, timestep);
      const read = recording.about.tokens[timestep];
      if (read !== shown) facts.replaceChildren(...features(read));
      shown = read;
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
