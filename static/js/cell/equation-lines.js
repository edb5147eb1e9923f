// The equations of one unit with its numbers, as lines of text: for pictures and files.

/** @import {Recording} from '../recording.js' */
/** @import {State} from '../state.js' */

import { activation, GATES } from "./cell-pushes.js";
import { fixed, joinTerms, sum } from "../format.js";
import { at } from "../names.js";
import { hiddenBefore } from "../recording.js";
import { selectedCell, selectedTimestep } from "../state.js";
import { timestepBefore } from "../time/transport.js";

/**
 * Six lines, one for each quantity; fewer while numbers have not come.
 * @param {State} state
 * @param {Recording} recording
 */
export function equationLines(state, recording) {
  const cell = selectedCell(state);
  const unit = state.unit.get();
  const timestep = selectedTimestep(state, recording);
  const before = timestepBefore(timestep, cell.direction, recording.timesteps);
  const value = (/** @type {string} */ q) => recording.value(q, cell, timestep, unit);
  const cBefore =
    before === null
      ? recording.initial("c_0", cell, unit)
      : recording.value("c", cell, before, unit);
  const x = recording.input(cell.layer, timestep);
  const h = hiddenBefore(recording, cell, before);
  const weights = state.unitWeights.get();
  const reads = cell.layer ? `${at("h", timestep)} below` : at("x", timestep);
  /** @type {string[]} */
  const lines = [];
  if (weights && x && h) {
    GATES.forEach((gate, n) => {
      const own = value(gate);
      if (own === undefined) return;
      const { Wx, Uh, b } = weights.parts(n, x, h);
      const { terms, total } = sum([Wx, Uh, b]);
      lines.push(
        `${gate} = ${activation(gate)}(W ${reads} + U ${at("h", before)} + b)` +
          ` = ${activation(gate)}(${joinTerms(terms)}) = ${activation(gate)}(${total}) = ${fixed(own)}`,
      );
    });
  }
  const [i, f, g, o, c] = ["i", "f", "g", "o", "c"].map(value);
  if (i === undefined || f === undefined || g === undefined || o === undefined) return lines;
  if (c === undefined || cBefore === undefined) return lines;
  const products = sum([f * cBefore, i * g]);
  lines.push(
    `${at("c", timestep)} = f · ${at("c", before)} + i · g = ${joinTerms(products.terms)} = ${products.total}`,
  );
  const { hidden_size, output_size } = recording.layers[cell.layer];
  const left = at(output_size < hidden_size ? "m" : "h", timestep);
  const squashed = fixed(Math.tanh(c));
  lines.push(
    `${left} = o · tanh ${at("c", timestep)} = ${fixed(o)} · ${squashed.startsWith("−") ? `(${squashed})` : squashed} = ${fixed(o * Math.tanh(c))}`,
  );
  return lines;
}
