// What the drawing of a cell shows, read from a recording: the vectors at one timestep, their names
// and the ends of their colours.

/** @import {Cell, Numbers, Quantity} from '../types.js' */
/** @import {State} from '../state.js' */
/** @import {Recording} from '../recording.js' */
/** @import {CellContent} from './picture.js' */

import { brushedUnits } from "../brush/brush.js";
import { label } from "../label.js";
import { at } from "../names.js";
import { hiddenBefore } from "../recording.js";
import { selectedCell } from "../state.js";
import { shownRange } from "../theme.js";
import { timestepBefore } from "../time/transport.js";

/** Cells whose vectors are kept: those on the screen, and a little of where one has been. */
const KEPT = 120;

const ARROW = { forward: "→", backward: "←" };

/**
 * A function from a cell and a timestep to what is drawn of it. The vectors of a cell that has wholly
 * come are the same objects every time, so that their pictures can be kept.
 * @param {State} state
 */
export function createCellContents(state) {
  /** In the order of their last use. @type {Map<string, Record<string, Numbers | undefined>>} */
  const kept = new Map();
  /** @type {Recording | null} */
  let of = null;

  /** @param {Recording} recording @param {Cell} cell @param {number} timestep */
  function vectors(recording, cell, timestep) {
    if (of !== recording) kept.clear();
    of = recording;
    const key = `${cell.layer} ${cell.direction} ${timestep}`;
    const found = kept.get(key);
    if (found) {
      kept.delete(key);
      kept.set(key, found);
      return found;
    }
    const read = readVectors(recording, cell, timestep);
    if (Object.values(read).every((values) => values !== undefined)) {
      kept.set(key, read);
      if (kept.size > KEPT) kept.delete(/** @type {string} */ (kept.keys().next().value));
    }
    return read;
  }

  /**
   * @param {Recording} recording
   * @param {Cell} cell
   * @param {number} timestep
   * @returns {CellContent}
   */
  return function content(recording, cell, timestep) {
    const { hidden_size, output_size } = recording.layers[cell.layer];
    const selected = selectedCell(state);
    const own = selected.layer === cell.layer && selected.direction === cell.direction;
    const unit = state.unit.get();
    return {
      direction: cell.direction,
      inputs: recording.layers[cell.layer - 1]?.directions.length ?? 1,
      projected: output_size < hidden_size,
      names: vectorNames(recording, cell, timestep),
      vectors: vectors(recording, cell, timestep),
      ranges: vectorRanges(state, recording, cell),
      unit: unit < hidden_size ? unit : null,
      gate: own && state.tab.get() === "cell" ? state.gate.get() : null,
      brushed: state.brush.get() ? brushedVectors(state, recording, cell) : undefined,
    };
  };
}

/**
 * The arrays a cell's drawing reads, for `recording.want` at the timestep and the one before it.
 * @param {Recording} recording
 * @param {Cell} cell
 */
export const cellArrays = (recording, cell) =>
  recording.cellNames(cell, ["i", "f", "g", "o", "c", "h"]);

/**
 * @param {Recording} recording
 * @param {Cell} cell
 * @param {number} timestep
 */
function readVectors(recording, cell, timestep) {
  const own = `${cell.layer}.${cell.direction}`;
  const before = timestepBefore(timestep, cell.direction, recording.timesteps);
  // A row of a long recording is a part of a window that would be kept with it.
  const keep = (/** @type {Numbers | undefined} */ row) => (recording.whole ? row : row?.slice());
  const [i, f, g, o, c, h] = ["i", "f", "g", "o", "c", "h"].map((q) =>
    keep(recording.row(`${own}.${q}`, timestep)),
  );
  const cBefore =
    before === null ? recording.array(`${own}.c_0`)?.data : keep(recording.row(`${own}.c`, before));
  const tanhC = c?.map(Math.tanh);
  const { hidden_size, output_size } = recording.layers[cell.layer];
  /** @type {Record<string, Numbers | undefined>} */
  const vectors = {
    hBefore: keep(hiddenBefore(recording, cell, before)),
    cBefore,
    i,
    f,
    g,
    o,
    ig: product(i, g),
    fc: product(f, cBefore),
    c,
    tanhC,
    h,
  };
  if (output_size < hidden_size) vectors.m = product(o, tanhC);
  const parts = recording.input(cell.layer, timestep);
  const inputs = recording.layers[cell.layer - 1]?.directions.length ?? 1;
  for (let n = 0; n < inputs; n++) vectors[`x${n}`] = keep(parts?.[n]);
  return vectors;
}

/** @param {Numbers | undefined} a @param {Numbers | undefined} b */
const product = (a, b) => a && b && a.map((/** @type {number} */ value, n) => value * b[n]);

/** @param {Recording} recording @param {Cell} cell @param {number} timestep */
function vectorNames(recording, cell, timestep) {
  const before = timestepBefore(timestep, cell.direction, recording.timesteps);
  const below = recording.layers[cell.layer - 1];
  const token = label(recording.about.tokens[timestep].text);
  /** @type {Record<string, string>} */
  const names = {
    hBefore: at("h", before),
    cBefore: at("c", before),
    i: "i",
    f: "f",
    g: "g",
    o: "o",
    ig: "i·g",
    fc: `f·${at("c", before)}`,
    c: at("c", timestep),
    tanhC: `tanh ${at("c", timestep)}`,
    m: at("m", timestep),
    h: at("h", timestep),
    // Isolated: it may be written from right to left.
    x0: `${at("x", timestep)} “\u2068${token.length > 12 ? `${token.slice(0, 11)}…` : token}\u2069”`,
  };
  below?.directions.forEach((direction, n) => {
    names[`x${n}`] = `${at("h", timestep)} below ${ARROW[direction]}`;
  });
  return names;
}

/** The quantity whose colours a vector has. @type {Record<string, string>} */
const COLOURED_AS = {
  hBefore: "h",
  cBefore: "c",
  i: "i",
  f: "f",
  g: "g",
  o: "o",
  ig: "g",
  fc: "c",
  c: "c",
  tanhC: "g",
  m: "h",
  h: "h",
};

/**
 * The brushed units of every vector whose numbers are units.
 * @param {State} state
 * @param {Recording} recording
 * @param {Cell} cell
 */
function brushedVectors(state, recording, cell) {
  const isOfUnits = ({ hidden_size, output_size } = recording.layers[cell.layer]) =>
    output_size === hidden_size;
  /** @type {Record<string, ReadonlySet<number>>} */
  const brushed = {};
  const own = brushedUnits(state, cell);
  for (const name of Object.keys(COLOURED_AS)) {
    if (own.size && (name[0] !== "h" || isOfUnits())) brushed[name] = own;
  }
  const below = recording.layers[cell.layer - 1];
  if (!below || !isOfUnits(below)) return brushed;
  below.directions.forEach((direction, n) => {
    const units = brushedUnits(state, { layer: cell.layer - 1, direction });
    if (units.size) brushed[`x${n}`] = units;
  });
  return brushed;
}

/** @param {State} state @param {Recording} recording @param {Cell} cell */
function vectorRanges(state, recording, cell) {
  /** @type {CellContent["ranges"]} */
  const ranges = {};
  const scale = state.scale.get();
  /** @type {Map<string, Quantity>} */
  const quantities = new Map(state.quantities.get().map((q) => [q.name, q]));
  const range = (/** @type {string} */ name, /** @type {Cell} */ of) => {
    const quantity = quantities.get(name);
    if (!quantity) return { low: -1, high: 1, scale: /** @type {const} */ ("diverging") };
    const [low, high] = shownRange(quantity, scale, recording, of);
    return { low, high, scale: quantity.scale };
  };
  for (const [name, quantity] of Object.entries(COLOURED_AS)) ranges[name] = range(quantity, cell);
  const below = recording.layers[cell.layer - 1];
  if (below) {
    below.directions.forEach((direction, n) => {
      ranges[`x${n}`] = range("h", { layer: cell.layer - 1, direction });
    });
    return ranges;
  }
  const { low, high } = recording.described("x") ?? {};
  const most = Math.max(Math.abs(low ?? 1), Math.abs(high ?? 1)) || 1;
  ranges.x0 = { low: -most, high: most, scale: "diverging" };
  return ranges;
}
