// What a step adds to the picture of the network: a veil over what has not been computed, light on what
// is being computed and on the wires it reads from, and dots that run along these.

/** @import {Surface} from '../types.js' */
/** @import {Course} from '../time/transport.js' */
/** @import {Lit} from './flow.js' */
/** @import {Wire} from './scene.js' */
/** @import {Shot} from './shot.js' */

import { computedAt } from "./flow.js";
import { levelsAt, placing } from "./shot.js";
import { arrow, trace, wireWidth } from "./wires.js";

/** How much of what is not computed yet is covered: less of what is near enough to be read. */
const VEIL = { far: 0.74, near: 0.5 };
/** What is lit is never narrower than this, in pixels. */
const LEAST = 5;

/**
 * @param {Surface} surface
 * @param {Shot} shot
 * @param {Lit} lit
 * @param {Course} course
 * @param {number} step
 */
export function drawFlow(surface, shot, lit, course, step) {
  const alpha = surface.globalAlpha;
  surface.setLineDash([]);
  drawVeils(surface, shot, course, step);
  surface.globalAlpha = alpha;
  drawLitWires(surface, shot, lit.wires);
  surface.globalAlpha = alpha;
  drawLitCells(surface, shot, lit);
  surface.globalAlpha = alpha;
}

/** @param {Surface} surface @param {Shot} shot @param {Course} course @param {number} step */
function drawVeils(surface, shot, course, step) {
  const { scene, theme, lens } = shot;
  const at = placing(shot);
  surface.fillStyle = theme.background;
  surface.globalAlpha = VEIL.far + (VEIL.near - VEIL.far) * levelsAt(shot.camera.scale).inside;
  const inside = (/** @type {number} */ x) => Math.max(0, Math.min(lens.width, x));
  for (const { top, bottom, from, to } of computedAt(scene, course, step)) {
    const [y0, y1] = [Math.max(0, at.y(top)), Math.min(lens.height, at.y(bottom))];
    if (y1 <= y0) continue;
    // Everything but from … to; what is computed at an end takes the states beside it along.
    const left = from > to ? lens.width : from > 0 ? inside(at.x(from)) : 0;
    const right = from > to || to >= scene.timesteps - 1 ? lens.width : inside(at.x(to + 1));
    if (left > 0) surface.fillRect(0, y0, left, y1 - y0);
    if (right < lens.width) surface.fillRect(right, y0, lens.width - right, y1 - y0);
  }
}

/** @param {Surface} surface @param {Shot} shot @param {Wire[]} wires */
function drawLitWires(surface, shot, wires) {
  const { camera } = shot;
  const levels = levelsAt(camera.scale);
  const seen = wires.filter((wire) => touches(shot, wire));
  const isState = (/** @type {Wire} */ { what, from, to }) =>
    what === "c" || (from.layer === to.layer && from.kind !== "join" && to.kind !== "join");
  // Between narrow columns there is no room for two wires: see drawSides.
  drawLit(surface, shot, seen.filter(isState), levels.wires);
  drawLit(
    surface,
    shot,
    seen.filter((wire) => !isState(wire)),
    levels.frames,
  );
}

/** @param {Surface} surface @param {Shot} shot @param {Wire[]} wires @param {number} part */
function drawLit(surface, shot, wires, part) {
  if (!part) return;
  const { theme, camera } = shot;
  const { inside } = levelsAt(camera.scale);
  surface.globalAlpha = part;
  for (const [colour, extra] of [
    [theme.background, 2.5],
    [theme.accent, 0],
  ]) {
    surface.strokeStyle = String(colour);
    surface.lineWidth = Math.max(2, wireWidth(camera.scale, true) + 0.8) + Number(extra);
    surface.beginPath();
    for (const wire of wires) trace(surface, shot, wire, 0, inside);
    surface.stroke();
  }
  surface.fillStyle = theme.accent;
  surface.beginPath();
  const size = Math.max(3, Math.min(8, 0.04 * camera.scale));
  for (const wire of wires) arrow(surface, shot, wire, 0, inside, size);
  surface.fill();
}

/** Whether a wire is on the screen. @param {Shot} shot @param {Wire} wire */
function touches(shot, { start, points, end }) {
  const at = placing(shot);
  const list = [...start, ...points, ...end];
  let [left, right, top, bottom] = [Infinity, -Infinity, Infinity, -Infinity];
  for (let n = 0; n < list.length; n += 2) {
    left = Math.min(left, list[n]);
    right = Math.max(right, list[n]);
    top = Math.min(top, list[n + 1]);
    bottom = Math.max(bottom, list[n + 1]);
  }
  const { width, height } = shot.lens;
  return at.x(right) > 0 && at.x(left) < width && at.y(bottom) > 0 && at.y(top) < height;
}

/** @param {Surface} surface @param {Shot} shot @param {Lit} lit */
function drawLitCells(surface, shot, { cells, heads }) {
  const { scene, theme, camera } = shot;
  const at = placing(shot);
  const { wires, heads: labelled } = levelsAt(camera.scale);
  surface.strokeStyle = surface.fillStyle = theme.accent;
  surface.lineWidth = Math.max(2, Math.min(3, 0.02 * camera.scale));
  surface.beginPath();
  for (const { row, timestep } of cells) {
    const { left, right, top, bottom } = row.body;
    const x = at.x(left + timestep) - 1;
    const width = (right - left) * at.sx + 2;
    const wide = Math.max(LEAST, width);
    const y = at.y(top) - 1;
    const height = (bottom - top) * at.sy + 2;
    const radius = Math.min(16, 0.11 * Math.min(wide, height)) + 1;
    surface.roundRect(x - (wide - width) / 2, y, wide, height, radius);
  }
  if (scene.head && labelled) {
    const { top, bottom } = scene.head;
    for (const t of heads) {
      const height = (bottom - top) * at.sy;
      surface.roundRect(at.x(t + 0.06), at.y(top), 0.88 * at.sx, height, Math.min(8, height * 0.3));
    }
  }
  surface.stroke();
  drawSides(surface, shot, cells, 1 - wires);
}

/**
 * Where there is no room for wires: from which side a cell reads.
 * @param {Surface} surface
 * @param {Shot} shot
 * @param {Lit["cells"]} cells
 * @param {number} part
 */
function drawSides(surface, shot, cells, part) {
  if (!part) return;
  const at = placing(shot);
  surface.globalAlpha = part;
  surface.beginPath();
  for (const { row, timestep } of cells) {
    const sign = row.cell.direction === "forward" ? 1 : -1;
    const half = Math.max(LEAST, (row.body.right - row.body.left) * at.sx + 2) / 2;
    const x = at.x(timestep + (row.body.left + row.body.right) / 2) - sign * (half + 1);
    const y = at.y((row.body.top + row.body.bottom) / 2);
    surface.moveTo(x, y);
    surface.lineTo(x - sign * 6, y - 4.5);
    surface.lineTo(x - sign * 6, y + 4.5);
    surface.closePath();
  }
  surface.fill();
}

/**
 * The way of a wire in pixels, null where it is not on the screen or too short to be followed.
 * @param {Shot} shot
 * @param {Wire} wire
 */
export function wayOf(shot, wire) {
  if (!touches(shot, wire)) return null;
  const at = placing(shot);
  const { start, points, end } = wire;
  const near = levelsAt(shot.camera.scale).inside >= 1;
  const list = near ? points : [...start.slice(0, -2), ...points, ...end.slice(2)];
  const way = list.map((value, n) => (n % 2 ? at.y(value) : at.x(value)));
  const size = Math.max(...way.map((value, n) => (n > 1 ? Math.abs(value - way[n - 2]) : 0)));
  return size < SHORTEST ? null : way;
}

/** A way that is shorter is not followed, in pixels. */
const SHORTEST = 6;
