// What is said of the paths. Pure.

/** @import {Choices} from './choices.js' */
/** @import {Run, Space, Path} from './paths.js' */

import { fixed, plural } from "../format.js";
import { label } from "../label.js";
import { percent, turnedAround } from "./paths.js";
import { SIZE } from "./projection.js";

const ARROWS = { forward: "→", backward: "←" };

/** @param {Space} space @param {string} quantity */
export const titleOf = ({ cell }, quantity) =>
  cell
    ? `layer ${cell.layer} ${cell.direction} ${ARROWS[cell.direction]} ${quantity}`
    : `${quantity} of all cells`;

/**
 * One sentence on how to read the picture, and what it does not show.
 * @param {readonly Space[]} spaces
 * @param {Choices} choices
 */
export function explanation(spaces, { of, dims, space }) {
  const shares = spaces.map(({ explained }) => explained.slice(0, dims).reduce((a, b) => a + b, 0));
  const known = shares.filter((share) => share > 0);
  const [least, most] = [Math.min(...known), Math.max(...known)].map(percent);
  const what = dims > 2 ? "space" : "plane";
  const held = !known.length
    ? ""
    : `; the ${what} holds ${least === most ? least : `${least.replace("\u00a0%", "")} to ${most}`} of the variance, and distances off it are not seen`;
  const alone = space === "own" && spaces.length > 1 ? " Each cell has directions of its own." : "";
  return `Each point is ${of} after one timestep, a ring is where a path begins. PCA turns the space so that PC 1 is the direction in which these states differ most, PC 2 the next${dims > 2 ? ", PC 3 the third" : ""}${held}.${alone}`;
}

/**
 * What is unusual, and would puzzle who looks.
 * @param {readonly Space[]} spaces
 * @param {readonly Run[]} runs
 * @param {Choices} choices
 * @param {(name: string) => number | undefined} widthOf  units of an array
 */
export function oddities(spaces, runs, { of, dims }, widthOf) {
  const notes = [];
  const points = spaces.flatMap(({ paths }) => paths);
  const missing = points.reduce((sum, path) => sum + path.missing, 0);
  const all = points.reduce((sum, path) => sum + path.timesteps, 0);
  if (missing)
    notes.push(
      `${plural(missing, "point")} of ${all.toLocaleString("en")} ${missing === 1 ? "is" : "are"} left out: ${of} is not a finite number there.`,
    );
  if (runs.length === 1 && runs[0].about.timesteps === 1)
    notes.push("There is one timestep, hence a single point in each panel, and no direction.");
  else
    for (const space of spaces)
      if (space.bounds && !space.explained.some((share) => share > 0))
        notes.push(`${where(space)} ${of} never changes: all of its points are one.`);
  for (const { cell, paths } of spaces) {
    const width = cell && paths[0] && widthOf(paths[0].name);
    if (width && width < dims)
      notes.push(
        `${of} of layer ${cell.layer} ${cell.direction} has ${plural(width, "unit")}: there is no PC ${width + 1}.`,
      );
  }
  return notes;
}

/** @param {Space} space */
const where = ({ cell }) => (cell ? `In layer ${cell.layer} ${cell.direction}` : "In these cells");

/**
 * A point in words.
 * @param {Path} path
 * @param {number} at
 * @param {readonly Run[]} runs
 * @param {number} dims
 */
export function pointWords(path, at, runs, dims) {
  const t = turnedAround(path, at);
  const token = label(runs[path.run].about.tokens[t]?.text ?? "");
  const numbers = Array.from(
    { length: dims },
    (_, axis) => `PC ${axis + 1} = ${fixed(path.points[at * SIZE + axis], 4)}`,
  );
  return { t, token, numbers };
}
