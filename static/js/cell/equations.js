// The equations of one unit with its real numbers. Terms are rounded so that what is shown adds up.
//
// The elements are made once; a step only writes the texts that changed.

/** @import {State} from '../state.js' */
/** @import {Recording} from '../recording.js' */

import { button, byId, element, write } from "../dom.js";
import { fixed, joinTerms, sum } from "../format.js";
import { at } from "../names.js";
import { openGate } from "./open-gate.js";
import { hiddenBefore } from "../recording.js";
import { selectedCell, selectedTimestep } from "../state.js";
import { timestepBefore } from "../time/transport.js";

const GATES = ["i", "f", "g", "o"];

/** @param {State} state */
export function createEquationsView(state) {
  const box = byId("equations");
  const parts = [createGateTable(state), createStateEquation(), createOutputEquation()];
  box.append(...parts.map((part) => part.node));
  const numbers = () => {
    const recording = state.recording.get();
    return recording && unitNumbers(state, recording);
  };
  box.addEventListener("pointerover", () => {
    const shown = numbers();
    if (shown) for (const part of parts) part.explain(shown);
  });

  return {
    name: "equations",
    calm: true,
    reads: [
      state.recording,
      state.arrived,
      state.unitWeights,
      state.step,
      state.order,
      state.layer,
      state.direction,
      state.unit,
    ],
    paint() {
      const shown = numbers();
      box.hidden = !shown;
      if (shown) for (const part of parts) part.update(shown);
    },
  };
}

/**
 * Everything the equations of the selected unit need; null while it has not come.
 * @param {State} state
 * @param {Recording} recording
 */
function unitNumbers(state, recording) {
  const cell = selectedCell(state);
  const timestep = selectedTimestep(state, recording);
  const unit = state.unit.get();
  const before = timestepBefore(timestep, cell.direction, recording.timesteps);
  const cBefore =
    before === null
      ? recording.initial("c_0", cell, unit)
      : recording.value("c", cell, before, unit);
  const [i, f, g, o, c] = ["i", "f", "g", "o", "c"].map((q) =>
    recording.value(q, cell, timestep, unit),
  );
  if ([i, f, g, o, c, cBefore].some((value) => value === undefined)) return null;
  const values = /** @type {Record<string, number>} */ ({ i, f, g, o, c, cBefore });
  const h = recording.value("h", cell, timestep, unit);
  const parts = gateParts(state, recording, timestep, before);
  return { recording, cell, timestep, before, unit, values, h, parts };
}

/** @typedef {NonNullable<ReturnType<typeof unitNumbers>>} UnitNumbers */

/**
 * W x, U h and b of the four gates; null while the weights have not come.
 * @param {State} state
 * @param {Recording} recording
 * @param {number} timestep
 * @param {number | null} before
 */
function gateParts(state, recording, timestep, before) {
  const weights = state.unitWeights.get();
  const cell = selectedCell(state);
  const x = recording.input(cell.layer, timestep);
  const h = hiddenBefore(recording, cell, before);
  return weights && x && h ? GATES.map((_, gate) => weights.parts(gate, x, h)) : null;
}

/** The four gates: W x + U h + b = z, squashed; a gate's name leads to what pushes it. @param {State} state */
function createGateTable(state) {
  const unseen = (/** @type {string} */ text) => element("span", { class: "hidden" }, text);
  const texts = [unseen("gate"), "W x", "+ U h", "+ b", "= z", unseen("value")];
  const head = texts.map((text) => element("th", {}, text));
  head[3].title = "both biases, b_ih + b_hh";
  const rows = GATES.map((gate) => {
    const cells = [1, 2, 3, 4].map(() => element("td"));
    const result = element("td", { class: "result from-gate" });
    const open = button(`${gate} = ${gate === "g" ? "tanh" : "σ"} z`, () => openGate(state, gate), {
      class: "open-gate",
      title: `What pushes ${gate}?`,
    });
    const name = element("th", { scope: "row" }, open);
    return {
      gate,
      cells,
      result,
      node: element("tr", { id: `gate-${gate}` }, name, ...cells, result),
    };
  });
  const node = element(
    "table",
    {},
    element("thead", {}, element("tr", {}, ...head)),
    element("tbody", {}, ...rows.map((row) => row.node)),
  );

  return {
    node,
    /** @param {UnitNumbers} numbers */
    update({ cell, timestep, before, values, parts }) {
      const read = cell.layer ? `${at("h", timestep)} below` : at("x", timestep);
      head[1].title = `the weights of this unit times ${read}: what this layer reads`;
      head[2].title = `the recurrent weights of this unit times ${at("h", before)}: what it said before`;
      rows.forEach(({ gate, cells, result }, n) => {
        const shown = parts && sum([parts[n].Wx, parts[n].Uh, parts[n].b]);
        const texts = shown ? [...shown.terms, shown.total] : ["…", "…", "…", "…"];
        cells.forEach((td, k) => {
          write(td, texts[k]);
        });
        write(result, fixed(values[gate]));
      });
    },
    /** All digits, for whoever points at a number. @param {UnitNumbers} numbers */
    explain({ values, parts }) {
      rows.forEach(({ gate, cells, result }, n) => {
        const exact = parts ? [parts[n].Wx, parts[n].Uh, parts[n].b] : [];
        exact.forEach((value, k) => (cells[k].title = String(value)));
        result.title = String(values[gate]);
      });
    },
  };
}

/** c = f · c before + i · g, with its products. */
function createStateEquation() {
  const [now, old] = [italic(""), italic("")];
  const [f, i] = [factor("from-gate"), factor("from-gate")];
  const [c, g] = [factor(), factor()];
  const products = factor();
  const total = factor("result");
  const node = element(
    "div",
    { class: "line", id: "equation-c" },
    now,
    " = ",
    italic("f"),
    " · ",
    old,
    " + ",
    italic("i"),
    " · ",
    italic("g"),
    element("br"),
    "\u2003= ",
    f,
    " · ",
    c,
    " + ",
    i,
    " · ",
    g,
    element("br"),
    "\u2003= ",
    products,
    " = ",
    total,
  );
  return {
    node,
    /** @param {UnitNumbers} numbers */
    update({ timestep, before, values }) {
      write(now, at("c", timestep));
      write(old, at("c", before));
      write(f, fixed(values.f));
      write(c, bracket(values.cBefore));
      write(i, fixed(values.i));
      write(g, bracket(values.g));
      const shown = sum([values.f * values.cBefore, values.i * values.g]);
      write(products, joinTerms(shown.terms));
      write(total, shown.total);
    },
    /** @param {UnitNumbers} numbers */
    explain({ values }) {
      node.title = `${values.f} · ${values.cBefore} + ${values.i} · ${values.g} = ${values.c}`;
    },
  };
}

/** h = o · tanh c; with a projection that is m, and h = W_hr m. */
function createOutputEquation() {
  const [left, c] = [italic(""), italic("")];
  const [o, squashed, result] = [factor("from-gate"), factor(), factor("result")];
  const line = element(
    "div",
    { class: "line", id: "equation-h" },
    left,
    " = ",
    italic("o"),
    " · tanh ",
    c,
    " = ",
    o,
    " · ",
    squashed,
    " = ",
    result,
  );
  const note = element("p", { class: "note" });
  return {
    node: element("div", {}, line, note),
    /** @param {UnitNumbers} numbers */
    update({ recording, cell, timestep, unit, values, h }) {
      const { hidden_size: units, output_size: width } = recording.layers[cell.layer];
      const projected = width < units;
      const product = values.o * Math.tanh(values.c);
      write(left, projected ? "m" : at("h", timestep));
      write(c, at("c", timestep));
      write(o, fixed(values.o));
      write(squashed, bracket(Math.tanh(values.c)));
      write(result, fixed(projected || h === undefined ? product : h));
      note.hidden = !projected;
      if (!projected) return;
      const own =
        h === undefined
          ? `Unit ${unit} has no h of its own.`
          : `Number ${unit} of h is ${fixed(h)}.`;
      write(note, `This layer projects: h = W_hr m, from ${units} units to ${width}. ${own}`);
    },
    /** @param {UnitNumbers} numbers */
    explain({ values }) {
      line.title = `${values.o} · tanh(${values.c}) = ${values.o * Math.tanh(values.c)}`;
    },
  };
}

/** @param {string} text */
const italic = (text) => element("i", {}, text);

/** A number that changes. @param {string} [kind] */
const factor = (kind) => element("span", { class: kind });

/** A negative factor in brackets. @param {number} value */
const bracket = (value) => (fixed(value).startsWith("−") ? `(${fixed(value)})` : fixed(value));
