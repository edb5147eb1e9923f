// Time. A *timestep* is a place in the sentence; a *step* is a place on the transport bar.
//
// In sentence order step s stands at timestep s in every row: a forward cell has read everything
// up to it, a backward cell everything from it to the end. In processing order the bar follows the
// computation of a bidirectional stack: layer by layer, since a layer needs both directions of the
// one below it whole; within a layer forward runs left to right while backward runs right to left.
// Without a backward direction both orders are the same.

/** @import {Cell, Direction, Order, Progress} from './types.js' */

/**
 * What decides the course of time in a recording.
 * @typedef {object} Course
 * @property {Order} order
 * @property {number} timesteps
 * @property {number} layers
 * @property {boolean} bidirectional
 */

/** @param {Course} course */
const byLayer = ({ order, bidirectional }) => order === "processing" && bidirectional;

/**
 * How many steps the transport has.
 * @param {Course} course
 */
export function stepCount(course) {
  return byLayer(course) ? course.layers * course.timesteps : course.timesteps;
}

/**
 * The layer being computed at a step, or null when every layer is.
 * @param {Course} course
 * @param {number} step
 */
export function layerAt(course, step) {
  return byLayer(course) ? Math.floor(step / course.timesteps) : null;
}

/**
 * Where a cell stands at a step.
 * @param {Course} course
 * @param {number} step
 * @param {Cell} cell
 * @returns {Progress}
 */
export function progress(course, step, { layer, direction }) {
  const last = course.timesteps - 1;
  const active = layerAt(course, step);
  if (active !== null && layer < active) return { now: null, from: 0, to: last };
  if (active !== null && layer > active) return { now: null, from: 0, to: -1 };
  if (direction === "forward") {
    const now = active === null ? step : step % course.timesteps;
    return { now, from: 0, to: now };
  }
  const now = active === null ? step : last - (step % course.timesteps);
  return { now, from: now, to: last };
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
export function stepFor(course, timestep, { layer, direction }) {
  if (!byLayer(course)) return timestep;
  const within = direction === "forward" ? timestep : course.timesteps - 1 - timestep;
  return layer * course.timesteps + within;
}

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
