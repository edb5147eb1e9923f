// The shapes of PyTorch on this very sentence: what output, h_n and c_n hold, and why there is a 4.

/** @import {State} from '../state.js' */
/** @import {Recording} from '../recording.js' */

import { byId, element } from "../dom.js";
import { modelOf, readsTable } from "../state.js";

/** @param {State} state */
export function createShapesView(state) {
  const panel = byId("shapes");
  return {
    name: "shapes",
    reads: [state.tab, state.recording],
    paint() {
      const recording = state.recording.get();
      panel.hidden = state.tab.get() !== "shapes";
      if (panel.hidden || !recording) return;
      const head = ["name", "shape", "what it is"].map((text) =>
        element("th", { scope: "col" }, text),
      );
      const table = readsTable(modelOf(state, recording.about.model));
      const rows = shapeRows(recording, table).map(([name, shape, what]) =>
        element(
          "tr",
          {},
          element("td", {}, element("code", {}, name)),
          element("td", {}, element("code", {}, shape)),
          element("td", {}, what),
        ),
      );
      panel.replaceChildren(
        element("p", { class: "note" }, ...introduction(recording)),
        element(
          "table",
          {},
          element("thead", {}, element("tr", {}, ...head)),
          element("tbody", {}, ...rows),
        ),
      );
    },
  };
}

/** @param {Recording} recording */
function introduction({ about: { lstm } }) {
  const code = (/** @type {string} */ text) => element("code", {}, text);
  const weights = " for this sentence, and the weights that made it.";
  if (lstm.listed)
    return [
      `${lstm.modules.length} modules, each reading the output of the one before: what they return together`,
      `${weights} States are tuples with an entry for each module.`,
    ];
  if (lstm.modules[0].kind === "LSTMCell")
    return ["What ", code("h, c = cell(x[t], (h, c))"), ` leaves, timestep by timestep,${weights}`];
  return ["What ", code("output, (h_n, c_n) = lstm(x)"), ` returns${weights}`];
}

/**
 * Name, shape and meaning of everything PyTorch takes, returns and holds.
 * @param {Recording} recording
 * @param {boolean} [table]  whether the model reads rows of numbers
 * @returns {[string, string, string][]}
 */
export function shapeRows({ about, layers, timesteps }, table = false) {
  const { modules, listed } = about.lstm;
  const shape = (/** @type {number[]} */ ...axes) => `(${axes.join(", ")})`;
  const last = timesteps - 1;
  const top = layers.length - 1;
  const { output_size: P, directions } = layers[top];
  const input = layers[0].input_size;
  /** @type {[string, string, string][]} */
  const rows = [
    [
      "x",
      shape(timesteps, input),
      table
        ? "one row for each timestep: one row of the table, input_size numbers"
        : "one row for each token: its embedding, input_size numbers",
    ],
    [
      "output",
      shape(timesteps, directions.length * P),
      `h of layer ${top} at every timestep` +
        (directions.length > 1
          ? `, forward (first ${P}) beside backward (last ${P}); no other layer is in it`
          : directions[0] === "backward"
            ? ", in the order of the sentence; row 0 is the last one computed"
            : top
              ? "; no other layer is in it"
              : ""),
    ],
  ];
  const below = (/** @type {number} */ n) => {
    if (!n) return "x";
    const { directions, output_size } = layers[n - 1];
    return directions.length > 1
      ? `both directions of layer ${n - 1}, 2 · ${output_size}`
      : `layer ${n - 1}`;
  };
  const parts = modules.map((module, m) => {
    const own = layers.flatMap((layer, n) => (layer.module === m ? [{ ...layer, n }] : []));
    return { module, m, own, cell: module.kind === "LSTMCell" };
  });
  for (const { module, m, own, cell } of parts) {
    const { hidden_size: H, output_size: P, directions, n: first } = own[0];
    const [end, row] = module.kind === "BackwardLSTM" ? [0, 0] : [last, -1];
    const count = cell ? [] : [own.length * directions.length];
    const entry = listed ? `[${m}]` : "";
    const equal = m < modules.length - 1 ? "" : `; row ${own.length - 1} equals output[${row}]`;
    rows.push(
      [
        `h_n${entry}`,
        shape(...count, P),
        cell
          ? `the last h of layer ${first}, from timestep ${last}; a cell's state has no axis of layers`
          : directions.length > 1
            ? `the last h of every layer and direction: forward rows are from timestep ${last}, backward rows from timestep 0, where that direction ends`
            : `the last h of ${own.length > 1 ? "every layer" : `layer ${first}`}, from timestep ${end}${equal}`,
      ],
      [
        `c_n${entry}`,
        shape(...count, H),
        `the last c of the same ${cell ? "cell" : "cells"}; output never holds c`,
      ],
    );
  }
  for (const { module, m, own, cell } of parts) {
    own.forEach(({ n, input_size, hidden_size: H, output_size: P }, l) => {
      const name = (/** @type {string} */ weight) =>
        (listed ? `[${m}].` : "") + weight + (cell ? "" : `_l${l}`);
      rows.push(
        [
          name("weight_ih"),
          shape(4 * H, input_size),
          `W: reads ${below(n)}; 4 · ${H} rows, for i, f, g and o`,
        ],
        [name("weight_hh"), shape(4 * H, P), "U: reads the cell's own h of the timestep before"],
      );
      if (module.bias)
        rows.push([
          `${name("bias_ih")}, ${name("bias_hh")}`,
          shape(4 * H),
          "two biases that are simply added (cuDNN wants both)",
        ]);
      if (module.proj_size)
        rows.push([name("weight_hr"), shape(P, H), `the projection of h, from ${H} to ${P}`]);
    });
  }
  if (modules.some(({ bidirectional }) => bidirectional))
    rows.push([
      "…_reverse",
      "the same",
      "the backward direction has a set of its own in every layer that reads both ways",
    ]);
  return rows;
}
