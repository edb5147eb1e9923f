// What the camera sees of the network, where on the screen, and how much of each level of detail. Pure.

/** @import {Camera, Lens} from './camera.js' */
/** @import {Row, Scene, visible} from './scene.js' */
/** @import {Recording} from '../recording.js' */
/** @import {Theme} from '../theme.js' */

import { scaleDown } from "./camera.js";
import { tileOf } from "./scene.js";

/** @typedef {ReturnType<typeof visible>} Seen */

/**
 * What is seen, from where, in which colours.
 * @typedef {object} Shot
 * @property {Recording} recording
 * @property {Scene} scene
 * @property {Lens} lens
 * @property {Camera} camera
 * @property {Theme} theme
 * @property {string} family  of the font
 */

/** From 0 to 1 between two values. @param {number} value @param {number} from @param {number} to */
export const ramp = (value, from, to) => Math.max(0, Math.min(1, (value - from) / (to - from)));

/**
 * How much of each level is seen, from 0 to 1, by the pixels of a column.
 * @param {number} scale
 */
export function levelsAt(scale) {
  return {
    bands: 1 - ramp(scale, 9, 15),
    cells: ramp(scale, 9, 15),
    /** Frames round cells, and short wires between them. */
    frames: ramp(scale, 16, 26),
    /** Every wire on its own way. */
    wires: ramp(scale, 30, 42),
    heads: ramp(scale, 30, 40),
    inside: ramp(scale, 200, 270),
  };
}

/** Places of the plane on the screen. @param {Shot} shot */
export function placing({ lens, camera }) {
  const [sx, sy] = [camera.scale, scaleDown(lens, camera)];
  const [left, top] = [lens.width / 2 - camera.x * sx, lens.height / 2 - camera.y * sy];
  return {
    sx,
    sy,
    x: (/** @type {number} */ x) => left + x * sx,
    y: (/** @type {number} */ y) => top + y * sy,
  };
}

/**
 * The tile of a cell on the screen.
 * @param {Shot} shot
 * @param {Row} row
 * @param {number} timestep
 */
export function boxOf(shot, row, timestep) {
  const at = placing(shot);
  const { left, top, right, bottom } = tileOf(row, timestep);
  return {
    x: at.x(left),
    y: at.y(top),
    width: (right - left) * at.sx,
    height: (bottom - top) * at.sy,
  };
}
