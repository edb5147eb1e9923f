// From points in a space to places on a panel. Pure. A picture keeps distances: both axes have the
// same scale, and turning the space is a rotation, seen from infinitely far away.

/** @import {Numbers} from '../types.js' */

/** Degrees: around the upright axis, and towards the eye. @typedef {{yaw: number, pitch: number}} Turn */
/** @typedef {{x: number, y: number, width: number, height: number}} Box */

/**
 * Points on a panel, in pixels; `near` runs from 0, furthest away, to 1.
 * @typedef {{x: Float32Array, y: Float32Array, near: Float32Array | null}} Places
 */

/** Numbers of a point. */
export const SIZE = 3;

/** @param {number} degrees */
const radians = (degrees) => (degrees * Math.PI) / 180;

/**
 * The three rows of a rotation: to the right, up, and towards the eye.
 * @param {Turn} turn
 */
export function rotation({ yaw, pitch }) {
  const [a, b] = [radians(yaw), radians(pitch)];
  const [ca, sa, cb, sb] = [Math.cos(a), Math.sin(a), Math.cos(b), Math.sin(b)];
  // First around the upright axis, then the top towards the eye.
  return [
    [ca, 0, sa],
    [sa * sb, cb, -ca * sb],
    [-sa * cb, sb, ca * cb],
  ];
}

/** Between two pitches for which heights are known, in degrees. */
const PITCHES = 5;

/**
 * The least box that holds some points, and how far from its middle the furthest of them are: in all, from
 * the upright axis, and upwards on the screen however the space is turned around, by pitch.
 * @typedef {{low: number[], high: number[], radius: number, around: number, heights: number[]}} Bounds
 */

/**
 * A point that is not finite is nowhere.
 * @param {readonly Numbers[]} paths  each [point, SIZE]
 * @returns {Bounds | null}  null where there is none
 */
export function boundsOf(paths) {
  const low = [Infinity, Infinity, Infinity];
  const high = [-Infinity, -Infinity, -Infinity];
  overPoints(paths, (points, n) => {
    for (let axis = 0; axis < SIZE; axis++) {
      const value = points[n + axis];
      if (value < low[axis]) low[axis] = value;
      if (value > high[axis]) high[axis] = value;
    }
  });
  if (low[0] > high[0]) return null;
  const [x, y, z] = low.map((value, axis) => (value + high[axis]) / 2);
  let [radius, around] = [0, 0];
  const turns = Array.from({ length: 90 / PITCHES + 1 }, (_, n) => radians(n * PITCHES));
  const [cos, sin] = [turns.map(Math.cos), turns.map(Math.sin)];
  const heights = turns.map(() => 0);
  overPoints(paths, (points, n) => {
    const dy = Math.abs(points[n + 1] - y);
    const far = Math.hypot(points[n] - x, points[n + 2] - z);
    around = Math.max(around, far);
    radius = Math.max(radius, Math.hypot(far, dy));
    for (let k = 0; k < heights.length; k++)
      heights[k] = Math.max(heights[k], dy * cos[k] + far * sin[k]);
  });
  return { low, high, radius, around, heights };
}

/** @param {readonly Numbers[]} paths @param {(points: Numbers, at: number) => void} visit */
function overPoints(paths, visit) {
  for (const points of paths)
    for (let n = 0; n < points.length; n += SIZE)
      if (isFinite(points[n] + points[n + 1] + points[n + 2])) visit(points, n);
}

/** @param {number[]} heights @param {number} pitch  0 to 90 degrees */
const heightAt = (heights, pitch) => {
  const at = Math.min(pitch, 90) / PITCHES;
  const [low, high] = [heights[Math.floor(at)], heights[Math.ceil(at)]];
  // Between them it may be a little higher: a cosine's worth of half the way.
  return (low + (high - low) * (at % 1)) / Math.cos(radians(PITCHES / 2));
};

/**
 * How a space is put on a panel.
 * @typedef {object} View
 * @property {number} scale  pixels a unit
 * @property {number[][]} rows  of the rotation
 * @property {number[]} centre  the point in the middle of the panel
 * @property {number} x  the middle of the panel
 * @property {number} y
 * @property {number} depth  from the middle to the nearest point
 * @property {boolean} flat
 */

/**
 * The view that shows all of a space. In three dimensions its scale is the same however far it is
 * turned around, so that nothing swells meanwhile.
 * @param {Bounds} bounds
 * @param {Box} box
 * @param {number} dims
 * @param {Turn} turn
 * @returns {View}
 */
export function viewOf({ low, high, radius, around, heights }, box, dims, turn) {
  const flat = dims < 3;
  const centre = low.map((value, axis) => (flat && axis === 2 ? 0 : (value + high[axis]) / 2));
  const half = low.map((value, axis) => (high[axis] - value) / 2);
  const [w, h] = [Math.max(1, box.width) / 2, Math.max(1, box.height) / 2];
  const height = heightAt(heights, Math.abs(turn.pitch));
  const scale = flat ? Math.min(w / half[0], h / half[1]) : Math.min(w / around, h / height);
  return {
    scale: isFinite(scale) && scale > 0 ? scale : 1,
    rows: rotation(flat ? { yaw: 0, pitch: 0 } : turn),
    centre,
    x: box.x + box.width / 2,
    y: box.y + box.height / 2,
    depth: radius || 1,
    flat,
  };
}

/**
 * Points on the panel. Those that are not finite stay NaN.
 * @param {Numbers} points  [point, SIZE]
 * @param {View} view
 * @returns {Places}
 */
export function project(points, { scale, rows, centre, x: left, y: top, depth, flat }) {
  const count = points.length / SIZE;
  const [x, y] = [new Float32Array(count), new Float32Array(count)];
  const near = flat ? null : new Float32Array(count);
  const [[xx, xy, xz], [yx, yy, yz], [zx, zy, zz]] = rows;
  const [cx, cy, cz] = centre;
  for (let n = 0, at = 0; n < count; n++, at += SIZE) {
    const a = points[at] - cx;
    const b = points[at + 1] - cy;
    const c = flat ? 0 : points[at + 2] - cz;
    x[n] = left + scale * (xx * a + xy * b + xz * c);
    y[n] = top - scale * (yx * a + yy * b + yz * c);
    if (near) near[n] = 0.5 + (zx * a + zy * b + zz * c) / (2 * depth);
  }
  return { x, y, near };
}

/**
 * A round length that takes at most so many pixels: 1, 2 or 5 times a power of ten.
 * @param {number} scale  pixels a unit
 * @param {number} most  pixels
 */
export function roundLength(scale, most) {
  const length = most / scale;
  const power = 10 ** Math.floor(Math.log10(length));
  return (length >= 5 * power ? 5 : length >= 2 * power ? 2 : 1) * power;
}
