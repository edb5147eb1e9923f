// What the two popovers say: what the model is, and how close the recording is to nn.LSTM.

/** @import {Actions} from '../actions.js' */
/** @import {Model} from '../types.js' */
/** @import {State} from '../state.js' */

import { button, element } from "../dom.js";
import { plural } from "../format.js";
import { label } from "../label.js";
import { stackName } from "../names.js";
import { stackLine } from "../pytorch.js";
import { readsTable, selectedModel } from "../state.js";

const SOURCES = {
  box: "in the box",
  folder: "from a folder of this server",
  opened: "opened here from a file",
  fresh: "made here of random numbers",
};

/** @param {[string, string | Node][]} facts */
const definitions = (facts) =>
  element(
    "dl",
    {},
    ...facts.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]),
  );

/** @param {HTMLElement} card @param {State} state */
export function showCard(card, state) {
  const model = selectedModel(state);
  if (!model) return;
  const { summary, ...facts } = model.card;
  const told = Object.entries(facts).filter(([name]) => !/^(chosen: |parameters$)/.test(name));
  const chosen = Object.entries(facts).filter(([name]) => name.startsWith("chosen: "));
  card.replaceChildren(
    element("h3", {}, element("bdi", {}, plain(model.title))),
    ...(summary ? [element("p", {}, plain(summary))] : []),
    definitions([
      ["lstm", stackName(model.lstm)],
      ["in PyTorch", element("code", {}, stackLine(model.lstm))],
      ["reads", whatItReads(model)],
      ["origin", SOURCES[model.source]],
      ["parameters", model.parameters.toLocaleString("en")],
      ...told.map(fact),
    ]),
    ...(chosen.length
      ? [
          element("h3", {}, "What was chosen"),
          definitions(
            chosen.map(([name, value]) =>
              fact([
                name.slice(8),
                String(value)
                  .replace(/^file:/, "brought along ")
                  .trim(),
              ]),
            ),
          ),
        ]
      : []),
  );
}

/** @param {[string, unknown]} entry @returns {[string, string | Node]} */
const fact = ([name, value]) => [
  plain(name.replaceAll("_", " ")),
  element("bdi", {}, Array.isArray(value) ? value.map(plain).join(", ") : plain(value)),
];

/** Numbers with their commas, and text without anything invisible. @param {unknown} value */
function plain(value) {
  if (typeof value === "number" && Number.isFinite(value)) return value.toLocaleString("en");
  const text = typeof value === "object" ? JSON.stringify(value) : String(value);
  const words = text.slice(0, 2000).split(/\s+/).map(label);
  return words.join(" ") + (text.length > 2000 ? "…" : "");
}

/** @param {Model} model */
function whatItReads(model) {
  if (readsTable(model)) {
    const { columns, lstm } = model;
    const named = columns.length ? `: ${columns.map(plain).join(", ")}` : "";
    return `rows of ${plural(lstm.layers[0].input_size, "number")}${named}`;
  }
  return Object.entries(model.embedding)
    .map(
      ([name, width]) =>
        `${name} (${model.vocabulary[name]?.toLocaleString("en")} values, ${plural(width, "number")} each)`,
    )
    .join(", ");
}

/** @param {HTMLElement} details @param {State} state @param {Actions} actions */
export function showParity(details, state, actions) {
  const recording = state.recording.get();
  if (!recording) return;
  const { parity, precision, not_finite: notFinite } = recording.about;
  const other = precision === "float32" ? "float64" : "float32";
  /** @type {[string, string][]} */
  const facts = [
    ["largest difference", parity.difference?.toExponential(2) ?? "one side is not a number"],
    [
      "tolerance",
      `${parity.tolerance.toExponential(0)} for ${precision}, in proportion for values beyond ±1`,
    ],
  ];
  if (notFinite) facts.push(["NaN or infinity", `first in ${notFinite}`]);
  if (parity.where) facts.push(["first left in", parity.where]);
  details.replaceChildren(
    element("h3", {}, parity.ok ? "Equal to PyTorch" : "This differs from PyTorch"),
    element(
      "p",
      {},
      "Every number here was computed cell by cell. The same sentence was then run through PyTorch's own modules, and output, h_n and c_n were compared.",
    ),
    definitions(facts),
    element(
      "p",
      { class: "note" },
      "Very large weights make any two correct float32 implementations drift apart; in float64 rounding is 10⁹ times smaller, so that an error would show.",
    ),
    button(`Record again in ${other}`, () => {
      details.hidePopover();
      state.precision.set(other);
      actions.record({ step: state.step.get() });
    }),
  );
}
