// Time. A *timestep* is a place in the sentence; a *step* is a place on the transport bar.
//
// In sentence order step s stands at timestep s in every row: a forward cell has read everything
// up to it, a backward cell everything from it to the end. In processing order the bar follows the
// computation, wave by wave: within a wave forward runs left to right while backward runs right to
// left. Without a backward direction there is one wave, and both orders are the same.

/** @import {Cell, Direction, Layer, Order, Progress} from '../types.js' */

/**
 * What decides the course of time in a recording.
 * @typedef {object} Course
 * @property {Order} order
 * @property {number} timesteps
 * @property {number[]} waves  of every layer, see {@link waves}
 */

/**
 * Which wave of the processing order computes each layer. Layers that read in the same single
 * direction run in one: what a layer reads is there at the same step. Wherever the direction changes,
 * or there are two, a layer needs the one below it whole.
 * @param {readonly Pick<Layer, "directions">[]} layers
 */
export function waves(layers) {
  let wave = 0;
  return layers.map(({ directions }, n) => {
    const both = `${layers[n - 1]?.directions}${directions}`;
    if (n && both !== "forwardforward" && both !== "backwardbackward") wave++;
    return wave;
  });
}

/**
 * How many steps the transport has.
 * @param {Course} course
 */
export const stepCount = ({ order, timesteps, waves }) =>
  order === "processing" ? timesteps * (waves[waves.length - 1] + 1) : timesteps;

/**
 * The first and the last of the layers being computed at a step.
 * @param {Course} course
 * @param {number} step
 */
export function layersAt({ order, timesteps, waves }, step) {
  const wave = Math.floor(step / timesteps);
  return order === "processing"
    ? [waves.indexOf(wave), waves.lastIndexOf(wave)]
    : [0, waves.length - 1];
}

/** The step at which a layer begins. @param {Course} course @param {number} layer */
const start = ({ order, timesteps, waves }, layer) =>
  order === "processing" ? waves[layer] * timesteps : 0;

/** The same way back: steps since the start to a timestep. @param {Course} course @param {Direction} direction @param {number} n */
const turned = ({ order, timesteps }, direction, n) =>
  order === "processing" && direction === "backward" ? timesteps - 1 - n : n;

/**
 * Where a cell stands at a step.
 * @param {Course} course
 * @param {number} step
 * @param {Cell} cell
 * @returns {Progress}
 */
export function progress(course, step, { layer, direction }) {
  const last = course.timesteps - 1;
  const since = step - start(course, layer);
  if (since < 0) return { now: null, from: 0, to: -1 };
  if (since > last) return { now: null, from: 0, to: last };
  const now = turned(course, direction, since);
  return direction === "forward" ? { now, from: 0, to: now } : { now, from: now, to: last };
}

/**
 * The timestep a cell shows at a step: the one it computes, else the last one it computed, else
 * the first it will.
 * @param {Course} course
 * @param {number} step
 * @param {Cell} cell
 */
export function timestepAt(course, step, cell) {
  const { now, from, to } = progress(course, step, cell);
  if (now !== null) return now;
  const last = course.timesteps - 1;
  const done = to >= from;
  return (cell.direction === "forward") === done ? last : 0;
}

/**
 * The step at which a cell computes a timestep.
 * @param {Course} course
 * @param {number} timestep
 * @param {Cell} cell
 */
export const stepFor = (course, timestep, { layer, direction }) =>
  start(course, layer) + turned(course, direction, timestep);

/**
 * The timestep a cell computed before this one, null at its start.
 * @param {number} timestep
 * @param {Direction} direction
 * @param {number} timesteps
 */
export function timestepBefore(timestep, direction, timesteps) {
  const before = direction === "forward" ? timestep - 1 : timestep + 1;
  return before >= 0 && before < timesteps ? before : null;
}

/**
 * Playback: how many whole steps have passed, and what is left over.
 * @param {number} elapsed  milliseconds since the last call, with what was left over then
 * @param {number} speed  steps per second
 */
export function stepsPassed(elapsed, speed) {
  const duration = 1000 / speed;
  const steps = Math.floor(elapsed / duration);
  return { steps, rest: elapsed - steps * duration };
}
