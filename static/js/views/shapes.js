// The shapes of nn.LSTM on this very sentence: what output, h_n and c_n hold, and why there is a 4.

/** @import {Readable} from '../types.js' */
/** @import {State} from '../state.js' */
/** @import {Recording} from '../recording.js' */

import { byId, element } from "../dom.js";

/** @param {State} state */
export function createShapesView(state) {
  const panel = byId("shapes");
  return {
    name: "shapes",
    reads: /** @type {Readable<any>[]} */ ([state.tab, state.recording]),
    paint() {
      const recording = state.recording.get();
      panel.hidden = state.tab.get() !== "shapes";
      if (panel.hidden || !recording) return;
      const head = ["name", "shape", "what it is"].map((text) =>
        element("th", { scope: "col" }, text),
      );
      const rows = shapeRows(recording).map(([name, shape, what]) =>
        element(
          "tr",
          {},
          element("td", {}, element("code", {}, name)),
          element("td", {}, element("code", {}, shape)),
          element("td", {}, what),
        ),
      );
      panel.replaceChildren(
        element(
          "p",
          { class: "note" },
          "What ",
          element("code", {}, "output, (h_n, c_n) = lstm(x)"),
          " returns for this sentence, and the weights that made it.",
        ),
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

/**
 * Name, shape and meaning of everything nn.LSTM takes, returns and holds.
 * @param {Recording} recording
 * @returns {[string, string, string][]}
 */
export function shapeRows(recording) {
  const { lstm, timesteps } = recording.about;
  const H = lstm.hidden_size;
  const P = recording.outputWidth;
  const D = recording.directions.length;
  const L = lstm.num_layers;
  const top = L - 1;
  const shape = (/** @type {number[]} */ ...axes) => `(${axes.join(", ")})`;
  /** @type {[string, string, string][]} */
  const rows = [
    [
      "x",
      shape(timesteps, lstm.input_size),
      "one row for each token: its embedding, input_size numbers",
    ],
    [
      "output",
      shape(timesteps, D * P),
      D === 2
        ? `h of layer ${top} at every timestep, forward (first ${P}) beside backward (last ${P}); no other layer is in it`
        : `h of layer ${top} at every timestep; no other layer is in it`,
    ],
    [
      "h_n",
      shape(L * D, P),
      D === 2
        ? `the last h of every layer and direction: forward rows are from timestep ${timesteps - 1}, backward rows from timestep 0, where that direction ends`
        : `the last h of every layer, from timestep ${timesteps - 1}; row ${top} equals output[-1]`,
    ],
    ["c_n", shape(L * D, H), "the last c of the same cells; output never holds c"],
  ];
  for (let layer = 0; layer < L; layer++) {
    const reads = layer === 0 ? lstm.input_size : D * P;
    const from =
      layer === 0
        ? "x"
        : D === 2
          ? `both directions of layer ${layer - 1}, ${D} · ${P}`
          : `layer ${layer - 1}`;
    rows.push([
      `weight_ih_l${layer}`,
      shape(4 * H, reads),
      `W: reads ${from}; 4 · ${H} rows, for i, f, g and o`,
    ]);
    rows.push([
      `weight_hh_l${layer}`,
      shape(4 * H, P),
      "U: reads the cell's own h of the timestep before",
    ]);
    if (lstm.bias)
      rows.push([
        `bias_ih_l${layer}, bias_hh_l${layer}`,
        shape(4 * H),
        "two biases that are simply added (cuDNN wants both)",
      ]);
    if (lstm.proj_size)
      rows.push([`weight_hr_l${layer}`, shape(P, H), `the projection of h, from ${H} to ${P}`]);
  }
  if (D === 2)
    rows.push([
      "…_reverse",
      "the same",
      "the backward direction has a set of its own in every layer",
    ]);
  return rows;
}
