// What is computed at a step, and what flows there for it: as cells and wires, and in words. Pure.

/** @import {Layer, Model} from '../types.js' */
/** @import {Row, Scene, Wire} from './scene.js' */
/** @import {Course} from '../time/transport.js' */

import { lastOf, movedTo, straightened, wiresInto } from "./scene.js";
import { progress, stepFor, timestepBefore } from "../time/transport.js";

/**
 * @typedef {object} Lit
 * @property {{row: Row, timestep: number, before: number | null, ends: boolean}[]} cells  `before`: the timestep it computed before this one; `ends`: whether this is its last one
 * @property {number[]} heads  the timesteps whose prediction is made
 * @property {Wire[]} wires
 */

/**
 * @param {Scene} scene
 * @param {Course} course
 * @param {number} step
 * @returns {Lit}
 */
export function litAt(scene, course, step) {
  const { rows, timesteps } = scene;
  /** @type {Lit["cells"]} */
  const cells = [];
  /** @type {Wire[]} */
  const wires = [];
  for (const row of rows) {
    const { now } = progress(course, step, row.cell);
    if (now === null) continue;
    const ends = now === lastOf(scene, row);
    cells.push({
      row,
      timestep: now,
      before: timestepBefore(now, row.cell.direction, timesteps),
      ends,
    });
    wires.push(...wiresInto(scene, row, now));
    // What it reads was joined from both directions below: that flows, too.
    wires.push(...joinedAt(rows, row.cell.layer - 1, now));
    if (ends) wires.push(...row.final.map((wire) => movedTo(wire, now)));
  }
  const heads = headsAt(scene, course, step);
  for (const timestep of heads) wires.push(...headWires(scene, timestep));
  if (scene.output) {
    const [{ cell }] = rows;
    for (const { row, timestep } of cells) {
      if (row.cell.layer === cell.layer && isComplete(rows, course, step, timestep))
        wires.push(...joinedAt(rows, cell.layer, timestep), movedTo(scene.output, timestep));
    }
  }
  return { cells, heads, wires: unique(wires) };
}

/** @param {Row[]} rows @param {number} layer @param {number} timestep */
const joinedAt = (rows, layer, timestep) =>
  rows.flatMap(({ cell, gives }) =>
    gives && cell.layer === layer ? [movedTo(gives, timestep)] : [],
  );

/** The cells of the highest layer. @param {Row[]} rows */
const topRows = (rows) => rows.filter(({ cell }) => cell.layer === rows[0].cell.layer);

/**
 * Whether every direction of the highest layer has computed a timestep.
 * @param {Row[]} rows
 * @param {Course} course
 * @param {number} step
 * @param {number} timestep
 */
const isComplete = (rows, course, step, timestep) =>
  topRows(rows).every(({ cell }) => {
    const { from, to } = progress(course, step, cell);
    return timestep >= from && timestep <= to;
  });

/**
 * The timesteps whose prediction is made at a step: in sentence order the step's own; in processing
 * order those for which the last h they read is computed now. Where that is h of the first timestep,
 * read backward, only the whole sequence's answer is lit.
 * @param {Scene} scene
 * @param {Course} course
 * @param {number} step
 */
function headsAt({ head, rows, timesteps }, course, step) {
  if (!head) return [];
  if (course.order === "sentence") return [step];
  const top = topRows(rows).map(({ cell }) => cell);
  const backward = top.find(({ direction }) => direction === "backward");
  if (backward && head.reads !== "each")
    return stepFor(course, 0, backward) === step ? [timesteps - 1] : [];
  const now = new Set(top.map((cell) => progress(course, step, cell).now));
  return [...now]
    .filter((timestep) => timestep !== null)
    .filter((timestep) => isComplete(rows, course, step, timestep))
    .sort((a, b) => a - b);
}

/**
 * The wires to the head of a timestep. What it reads of other timesteps comes along the rail.
 * @param {Scene} scene
 * @param {number} timestep
 * @returns {Wire[]}
 */
export function headWires({ head, rows }, timestep) {
  if (!head) return [];
  const top = topRows(rows);
  const { layer } = top[0].cell;
  const joined = (/** @type {number} */ t) => joinedAt(rows, layer, t);
  const here = [...joined(timestep), movedTo(head.wire, timestep)];
  const backward = top.some(({ cell }) => cell.direction === "backward");
  if (head.reads === "each" || !timestep || (head.reads === "last" && !backward)) return here;
  const first = [...joined(0), alongRail(head, timestep)];
  if (head.reads !== "last") return [...first, ...here];
  if (top.length === 1) return first;
  // Of this timestep only forward is read, of the first one only backward.
  const unread = (/** @type {Wire} */ { from, to }) =>
    to.kind === "join" && (from.direction === "forward") === (from.timestep === 0);
  return [...first, ...here].filter((wire) => !unread(wire));
}

/**
 * From the highest layer at timestep 0 to the head of another timestep.
 * @param {NonNullable<Scene["head"]>} head
 * @param {number} timestep
 * @returns {Wire}
 */
function alongRail({ wire, rail, bottom }, timestep) {
  const [x, y] = wire.points;
  const [turn, to] = [timestep + 0.5, { ...wire.to, timestep }];
  return { ...wire, to, points: straightened([x, y, x, rail, turn, rail, turn, bottom]) };
}

/**
 * What has been computed at a step, from the top of the picture to the input: bands of it without a gap
 * between them, and of each the timesteps `from` to `to` (none where `to` is less). A band holds what
 * leads into its cells.
 * @param {Scene} scene
 * @param {Course} course
 * @param {number} step
 */
export function computedAt(scene, course, step) {
  const { rows, joins, head, input } = scene;
  const all = { from: 0, to: scene.timesteps - 1 };
  /** @type {{top: number, bottom: number, from: number, to: number}[]} */
  const bands = [];
  const top = head?.top ?? scene.bounds.top;
  const highest = Math.min(rows[0].top, ...joins.map((join) => join.top));
  bands.push({ top, bottom: highest, ...(head ? predictedAt(scene, course, step) : all) });
  rows.forEach((row, n) => {
    const { layer } = row.cell;
    const computed = progress(course, step, row.cell);
    const join = joins.find((own) => own.layer === layer && rows[n - 1]?.cell.layer !== layer);
    const below = rows[n + 1];
    const lower = joins.find(
      (own) => own.layer === below?.cell.layer && below.cell.layer !== layer,
    );
    const bottom = lower?.top ?? below?.top ?? input.top;
    if (join) {
      const other = progress(course, step, rows[n + 1].cell);
      const [from, to] = [Math.max(computed.from, other.from), Math.min(computed.to, other.to)];
      bands.push({ top: join.top, bottom: row.top, from, to });
    }
    bands.push({ top: row.top, bottom, from: computed.from, to: computed.to });
  });
  return bands;
}

/** @param {Scene} scene @param {Course} course @param {number} step @returns {{from: number, to: number}} */
function predictedAt({ head, rows, timesteps }, course, step) {
  if (course.order === "sentence") return { from: 0, to: step };
  const done = topRows(rows).map(({ cell }) => progress(course, step, cell));
  const from = Math.max(...done.map((each) => each.from));
  const to = Math.min(...done.map((each) => each.to));
  const waits =
    head?.reads !== "each" &&
    rows.some(({ cell }) => cell.direction === "backward" && cell.layer === rows[0].cell.layer);
  return waits && (from > 0 || to < timesteps - 1) ? { from: 0, to: -1 } : { from, to };
}

/** @param {Wire[]} wires */
function unique(wires) {
  const seen = new Set();
  return wires.filter(({ what, from, to }) => {
    const key = JSON.stringify([what, from, to]);
    return !seen.has(key) && seen.add(key);
  });
}

/**
 * What happens at a step, in words: the picture for those who do not see it.
 * @param {Lit} lit
 * @param {readonly Pick<Layer, "directions">[]} layers
 * @param {Model["reads"] | null} reads
 * @returns {string[]}  a sentence for every cell, then for every prediction
 */
export function inWords({ cells, heads }, layers, reads) {
  const sentences = cells.map(({ row: { cell }, timestep, before, ends }) => {
    const { layer, direction } = cell;
    const own = before === null ? "its initial h and c" : `h and c of timestep ${before}`;
    const below = layers[layer - 1] && `h of layer ${layer - 1} ${both(layers[layer - 1])}`;
    const end = ends ? "; its h and c leave as h_n and c_n" : "";
    return `Layer ${layer} ${direction} at timestep ${timestep} reads ${own}, and ${below ?? "x"} of timestep ${timestep}${end}.`;
  });
  if (!reads) return sentences;
  return sentences.concat(
    heads.map((t) => `The prediction of timestep ${t} reads ${headReads(layers, reads, t)}.`),
  );
}

/** @param {Pick<Layer, "directions">} layer */
const both = ({ directions }) => directions.join(" and ");

/**
 * @param {readonly Pick<Layer, "directions">[]} layers
 * @param {Model["reads"]} reads
 * @param {number} timestep
 */
function headReads(layers, reads, timestep) {
  const top = layers.length - 1;
  const { directions } = layers[top];
  if (reads === "each") return `h of layer ${top} ${both(layers[top])} of timestep ${timestep}`;
  if (reads !== "last")
    return `the ${reads === "mean" ? "mean" : "maximum"} of h of layer ${top} ${both(layers[top])} of timesteps 0 to ${timestep}`;
  return directions
    .map((d) => `h of layer ${top} ${d} of timestep ${d === "forward" ? timestep : 0}`)
    .join(" and ");
}
