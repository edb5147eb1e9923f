// What pushes the opened gate of the selected unit at the current step, with names for every term.

/** @import {Cell, Model, Numbers} from '../types.js' */
/** @import {Push, Pushes} from './pushes.js' */
/** @import {Recording} from '../recording.js' */
/** @import {State} from '../state.js' */

import { fixed, joinTerms, sum } from "../format.js";
import { label } from "../label.js";
import { at } from "../names.js";
import { pushes } from "./pushes.js";
import { hiddenBefore } from "../recording.js";
import { modelOf, selectedCell, selectedTimestep } from "../state.js";
import { timestepBefore } from "../time/transport.js";

export const GATES = ["i", "f", "g", "o"];

/** Which activation makes a gate of its pre-activation. @param {string} gate */
export const activation = (gate) => (gate === "g" ? "tanh" : "σ");

const ARROW = { forward: "→", backward: "←" };

/**
 * Everything that is said about one gate; `found` is null while the numbers have not come.
 * @typedef {object} GatePushes
 * @property {Recording} recording
 * @property {Model | undefined} model
 * @property {Cell} cell
 * @property {number} timestep
 * @property {number | null} before
 * @property {string} gate
 * @property {number} unit
 * @property {string} token  as it is shown
 * @property {Pushes | null} found
 * @property {number | undefined} value  of the gate, as it was recorded
 */

/**
 * @param {State} state
 * @param {Recording} recording
 * @param {number} [count]  how many terms to show
 * @returns {GatePushes}
 */
export function gatePushes(state, recording, count = Infinity) {
  const cell = selectedCell(state);
  const timestep = selectedTimestep(state, recording);
  const before = timestepBefore(timestep, cell.direction, recording.timesteps);
  const [gate, unit] = [state.gate.get(), state.unit.get()];
  const weights = state.unitWeights.get();
  const x = recording.input(cell.layer, timestep);
  const h = hiddenBefore(recording, cell, before);
  return {
    recording,
    model: modelOf(state, recording.about.model),
    cell,
    timestep,
    before,
    gate,
    unit,
    token: label(recording.about.tokens[timestep].text),
    found:
      weights && x && h && fits(weights, x, h)
        ? pushes(weights, GATES.indexOf(gate), x, h, count)
        : null,
    value: recording.value(gate, cell, timestep, unit),
  };
}

/**
 * Another cell has been chosen, and its weights are on their way.
 * @param {import('./pushes.js').Weights} weights
 * @param {Numbers[]} x
 * @param {Numbers} h
 */
const fits = ({ W, U }, x, h) =>
  x.reduce((sum, { length }) => sum + length, 0) === W.shape[1] && h.length === U.shape[1];

/**
 * What a term comes from: "embedding 17", a column's name, "unit 5, layer 0 →"; of the cell's own h
 * "unit 5".
 * @param {Push} push
 * @param {GatePushes} of
 */
export function termName({ from, part, index }, { recording, model, cell, timestep }) {
  if (from === "hidden") return `${projects(recording, cell) ? "number" : "unit"} ${index}`;
  const below = cellBelow(recording, cell, part);
  if (below) {
    const what = projects(recording, below) ? "number" : "unit";
    return `${what} ${index}, layer ${below.layer} ${ARROW[below.direction]}`;
  }
  if (model?.split === "table") return columnName(model, recording, timestep, index);
  const embeddings = Object.entries(model?.embedding ?? {});
  let own = index;
  for (const [name, width] of embeddings) {
    if (own < width) return `${embeddings.length > 1 ? `${label(name)} ` : ""}embedding ${own}`;
    own -= width;
  }
  return `input ${index}`;
}

/** @param {Model} model @param {Recording} recording @param {number} timestep @param {number} index */
function columnName({ columns }, recording, timestep, index) {
  const name = columns[index] ?? recording.about.tokens[timestep].features[index]?.name;
  return name ? label(name) : `column ${index}`;
}

/** With a projection the numbers of h are not the units'. @param {Recording} recording @param {Cell} cell */
function projects({ layers }, { layer }) {
  const { hidden_size, output_size } = layers[layer];
  return output_size < hidden_size;
}

/** The cell whose h is a part of the input. @param {Recording} recording @param {Cell} cell @param {number} part @returns {Cell | null} */
function cellBelow({ layers }, { layer }, part) {
  const direction = layers[layer - 1]?.directions[part];
  return direction ? { layer: layer - 1, direction } : null;
}

/**
 * Where a term leads: a cell, and a unit of it unless its h is projected; null for what no cell made.
 * @param {Pick<Push, "from" | "part" | "index">} push
 * @param {Recording} recording
 * @param {Cell} cell
 * @returns {{cell: Cell, unit: number | null} | null}
 */
export function termLeadsTo({ from, part, index }, recording, cell) {
  const source = from === "hidden" ? cell : cellBelow(recording, cell, part);
  if (!source || (from === "hidden" && projects(recording, cell))) return null;
  return { cell: source, unit: projects(recording, source) ? null : index };
}

/**
 * A term in full, for whoever points at it.
 * @param {Push} push
 * @param {GatePushes} of
 */
export function explainTerm(push, of) {
  const { from, index, weight, value, term } = push;
  const hidden = from === "hidden";
  const read = hidden
    ? at("h", of.before)
    : of.cell.layer
      ? `${at("h", of.timestep)} below`
      : at("x", of.timestep);
  const letter = hidden ? "U" : "W";
  return [
    `${termName(push, of)} of ${read}`,
    `${letter} · ${read}[${index}] = ${weight} · ${value} = ${term}`,
  ];
}

/** A term before it is multiplied: "0.46 × 0.75". @param {Push} push */
export const productOf = ({ weight, value }) => `${fixed(weight, 2)} × ${fixed(value, 2)}`;

/** Without the token. @param {GatePushes} of */
export const pushesQuestion = ({ gate, unit }) => `What pushes gate ${gate} of unit ${unit} at `;

/** The token is isolated: it may be written from right to left. @param {GatePushes} of */
export const pushesTitle = (of) => `${pushesQuestion(of)}“\u2068${of.token}\u2069”`;

/**
 * "z = Σ + rest + b = …" and "f = σ(z) = …", every number as it is rounded in the list.
 * @param {GatePushes} of
 * @param {number} others
 * @param {{terms: string[], total: string}} rounded  the terms, rest and b
 * @param {number} decimals
 */
export function sumLines({ gate, value }, others, { terms, total }, decimals) {
  const [rest, b] = terms.slice(-2);
  const shown = sumOf(terms.slice(0, -2), decimals);
  const [words, parts] = others ? ["Σ + rest + b", [shown, rest, b]] : ["Σ + b", [shown, b]];
  const result = value === undefined ? "…" : fixed(value);
  return [
    `z = ${words} = ${joinTerms(parts)} = ${total}`,
    `${gate} = ${activation(gate)}(z) = ${result}`,
  ];
}

/** Terms of small weights would all be 0.001. @param {number} largest */
export const decimalsFor = (largest) => (largest < 0.02 ? 5 : 3);

/** @param {string} text  as {@link fixed} writes it */
const parse = (text) => Number(text.replace("−", "-").replace("∞", "Infinity"));

/**
 * The terms, the rest and b, rounded so that what is shown adds up, to the same b and z as in the
 * equations.
 * @param {Pushes} found
 * @param {number} decimals
 */
export function roundTerms({ shown, rest, others, Wx, Uh, b }, decimals) {
  const terms = shown.map(({ term }) => term).concat(others ? rest : []);
  const whole = sum([Wx, Uh, b], decimals);
  const [, , bias] = whole.terms;
  const all = terms.reduce((total, term) => total + term, 0);
  // The roundings of b and z, a part of the last place, are shared out.
  const nudge = (parse(whole.total) - parse(bias) - all) / terms.length;
  const isPlain = [...terms, Wx, Uh, b].every((term) => Math.abs(term) < 1e6);
  const rounded = sum(isPlain ? terms.map((term) => term + nudge) : terms, decimals);
  if (!others) rounded.terms.push(fixed(0, decimals));
  return { terms: [...rounded.terms, bias], total: whole.total };
}

/** The sum of rounded terms, exactly as they are shown. @param {string[]} terms @param {number} decimals */
function sumOf(terms, decimals) {
  const scale = 10 ** decimals;
  const whole = terms.map((term) => Math.round(parse(term) * scale));
  return fixed(whole.reduce((a, b) => a + b, 0) / scale, decimals);
}
