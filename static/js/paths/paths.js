// Paths: what the server sent, in the order in which the cells computed it. Pure.
//
// Along a path time runs as the cell read: the backward direction begins at the last token. How far
// a path is at a step is how many of its points have been passed.

/** @import {Cell, NDArray, RecordingPublic} from '../types.js' */
/** @import {Course} from '../time/transport.js' */
/** @import {Style} from './styles.js' */

import { cellName } from "./choices.js";
import { SIZE, boundsOf } from "./projection.js";
import { styleOf } from "./styles.js";
import { progress } from "../time/transport.js";

/**
 * A sentence that has been recorded.
 * @typedef {object} Run
 * @property {RecordingPublic} about
 * @property {string} title  as it is called in the legend
 */

/**
 * @typedef {object} Path
 * @property {number} run
 * @property {Cell} cell
 * @property {string} name  of the array: "0.forward.h"
 * @property {Float32Array} points  [timesteps, SIZE] in the order of computing
 * @property {number} timesteps
 * @property {number} missing  points that are not finite
 * @property {Style} style
 */

/**
 * One picture: a space and the paths in it.
 * @typedef {object} Space
 * @property {Cell | null} cell  null: all of them share it
 * @property {Path[]} paths  those of the run on the screen first
 * @property {number[]} explained  shares of the variance, NaN where there is none
 * @property {import('./projection.js').Bounds | null} bounds
 */

/**
 * The point of a timestep on its path, and the other way round.
 * @param {{cell: Cell, timesteps: number}} path
 * @param {number} at
 */
export const turnedAround = ({ cell, timesteps }, at) =>
  cell.direction === "forward" ? at : timesteps - 1 - at;

/**
 * How many points of a path have been passed: every sentence is as far as the one on the screen.
 * @param {Course} course
 * @param {number} step
 * @param {Path} path
 */
export function passedOf(course, step, { cell, timesteps }) {
  const { from, to } = progress(course, step, cell);
  return Math.min(timesteps, Math.max(0, to - from + 1));
}

/**
 * @param {NDArray} array  [timesteps, components]
 * @param {boolean} backward
 */
function inOrder({ shape: [timesteps, components], data }, backward) {
  const points = new Float32Array(timesteps * SIZE);
  for (let at = 0; at < timesteps; at++) {
    const t = backward ? timesteps - 1 - at : at;
    for (let axis = 0; axis < Math.min(SIZE, components); axis++)
      points[at * SIZE + axis] = data[t * components + axis];
  }
  return points;
}

/** @param {Float32Array} points */
function countMissing(points) {
  let missing = 0;
  for (let n = 0; n < points.length; n += SIZE)
    if (!isFinite(points[n] + points[n + 1] + points[n + 2])) missing++;
  return missing;
}

/**
 * The spaces of an answer.
 * @param {Map<string, NDArray>} arrays
 * @param {readonly Run[]} runs
 * @param {readonly Cell[]} cells
 * @param {{of: string, space: "own" | "shared"}} asked
 * @returns {Space[]}
 */
export function spacesOf(arrays, runs, cells, { of, space }) {
  const shared = space === "shared";
  const styleFor = (/** @type {number} */ run, /** @type {number} */ n) =>
    // In one space a cell has its colour and its shape, and a sentence its dashes.
    shared ? { ...styleOf(n), dash: styleOf(run).dash } : styleOf(run);
  const pathsOf = (/** @type {Cell} */ cell, /** @type {number} */ n) =>
    runs.flatMap((_, run) => {
      const name = `${cellName(cell)}.${of}`;
      const array = arrays.get(`${run}.${name}`);
      if (!array) return [];
      const points = inOrder(array, cell.direction === "backward");
      const missing = countMissing(points);
      const timesteps = array.shape[0];
      return [{ run, cell, name, points, timesteps, missing, style: styleFor(run, n) }];
    });
  const explained = (/** @type {string} */ name) => [...(arrays.get(name)?.data ?? [])];
  if (!shared)
    return cells.map((cell, n) =>
      spaceOf(cell, pathsOf(cell, n), explained(`explained.${cellName(cell)}.${of}`)),
    );
  const all = cells.flatMap(pathsOf).sort((a, b) => a.run - b.run);
  return [spaceOf(null, all, explained("explained"))];
}

/** @param {Cell | null} cell @param {Path[]} paths @param {number[]} explained @returns {Space} */
const spaceOf = (cell, paths, explained) => ({
  cell,
  paths,
  explained,
  bounds: boundsOf(paths.map(({ points }) => points)),
});

/** "PC 1 · 43 %"; no share where nothing varies. @param {readonly number[]} explained @param {number} axis */
export function axisName(explained, axis) {
  const share = explained[axis];
  const known = explained.some((part) => part > 0);
  return known && share >= 0 ? `PC ${axis + 1} · ${percent(share)}` : `PC ${axis + 1}`;
}

/** @param {number} share */
export const percent = (share) =>
  `${(100 * share).toFixed(share > 0 && share < 0.0995 ? 1 : 0)}\u00a0%`;
