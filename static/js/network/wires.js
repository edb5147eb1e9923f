// The wires of the network: short ones between narrow columns, then every one on its own way.

/** @import {Surface} from '../types.js' */
/** @import {Wire} from './scene.js' */
/** @import {Seen, Shot} from './shot.js' */

import { lastOf } from "./scene.js";
import { placing } from "./shot.js";

/**
 * While columns are narrow: h to the next cell, and up.
 * @param {Surface} surface
 * @param {Shot} shot
 * @param {Seen} seen
 */
export function drawShortWires(surface, shot, { first, last, rows }) {
  const { scene, theme } = shot;
  const at = placing(shot);
  surface.strokeStyle = theme.faint;
  surface.lineWidth = 1;
  surface.beginPath();
  for (const { carried, body, reads } of rows) {
    const [, { points }] = carried; // h
    const y = at.y(points[1]);
    for (let t = Math.max(1, first); t <= Math.min(last, scene.timesteps - 1); t++) {
      surface.moveTo(at.x(t - 1 + body.right), y);
      surface.lineTo(at.x(t + body.left), y);
    }
    const joined = reads.from.kind === "join";
    const below = joined && scene.rows.find(({ cell }) => cell.layer === reads.from.layer);
    const from = at.y(below ? below.top : reads.points[1]);
    const to = at.y(reads.points[reads.points.length - 1]);
    for (let t = first; t < last; t++) {
      surface.moveTo(at.x(t + 0.5), from);
      surface.lineTo(at.x(t + 0.5), to);
    }
  }
  surface.stroke();
}

/**
 * @param {Surface} surface
 * @param {Shot} shot
 * @param {Seen} seen
 * @param {number} inside
 */
export function drawWires(surface, shot, seen, inside) {
  const { theme } = shot;
  const groups = wiresSeen(shot, seen);
  const alpha = surface.globalAlpha;
  const colours = { c: theme.positive, h: theme.accent, x: theme.faint };
  for (const kind of /** @type {const} */ (["x", "h", "c"])) {
    // Near cells a state's wire has the colour it has inside them.
    for (const [colour, part] of [
      [theme.faint, kind === "x" ? 1 : 1 - inside],
      [colours[kind], kind === "x" ? 0 : inside],
    ]) {
      if (!part) continue;
      surface.globalAlpha = alpha * Number(part);
      surface.strokeStyle = surface.fillStyle = String(colour);
      surface.lineWidth = wireWidth(shot.camera.scale, kind !== "x");
      surface.beginPath();
      for (const { wire, t } of groups[kind]) trace(surface, shot, wire, t, inside);
      surface.stroke();
      surface.beginPath();
      for (const { wire, t } of groups[kind]) arrow(surface, shot, wire, t, inside);
      surface.fill();
    }
  }
  surface.globalAlpha = alpha * inside;
  if (inside) drawForks(surface, shot, seen);
  surface.globalAlpha = alpha;
}

/** As in the drawing of a cell. @param {number} scale @param {boolean} state */
export const wireWidth = (scale, state) =>
  Math.max(1, Math.min(3, ((state ? 2.6 : 1.5) * 0.86 * scale) / 640));

/**
 * The wires that touch the view, by the way they are drawn, with the timesteps they are moved to.
 * @param {Shot} shot
 * @param {Seen} seen
 */
function wiresSeen(shot, { first, last }) {
  /** @type {Record<"c" | "h" | "x", {wire: Wire, t: number}[]>} */
  const groups = { c: [], h: [], x: [] };
  const { rows, timesteps, head, output } = shot.scene;
  const at = placing(shot);
  /** @param {Wire} wire */
  const isSeen = ({ points, start }) => {
    // Wires begin below and end above, or run level.
    const [low, high] = [start[1] ?? points[1], points[points.length - 1]];
    return at.y(Math.max(low, points[1])) > 0 && at.y(Math.min(high, points[1])) < shot.lens.height;
  };
  /** @param {"c" | "h" | "x"} kind @param {Wire | null | undefined} wire @param {number} from @param {number} to */
  const add = (kind, wire, from, to) => {
    if (wire && isSeen(wire)) for (let t = from; t < to; t++) groups[kind].push({ wire, t });
  };
  const [from, to] = [Math.max(0, first - 1), Math.min(timesteps, last + 1)];
  for (const row of rows) {
    const end = lastOf(shot.scene, row);
    const start = timesteps - 1 - end;
    // Nothing is carried into the first timestep of either direction.
    const [after, before] = end ? [Math.max(1, from), to] : [from, Math.min(timesteps - 1, to)];
    for (const [n, kind] of /** @type {const} */ (["c", "h"]).entries()) {
      add(kind, row.carried[n], after, before);
      if (start >= from && start < to) add(kind, row.initial[n], start, start + 1);
      if (end >= from && end < to) add(kind, row.final[n], end, end + 1);
    }
    add("x", row.reads, from, to);
    add("x", row.gives, from, to);
  }
  add("x", head?.wire ?? output, first, last);
  return groups;
}

/**
 * A wire as a path, its corners rounded; the ends inside tiles are left to the insides of cells.
 * @param {Surface} surface
 * @param {Shot} shot
 * @param {Wire} wire
 * @param {number} t
 * @param {number} inside
 */
export function trace(surface, shot, { start, points, end }, t, inside) {
  const at = placing(shot);
  const list = inside >= 1 ? points : [...start.slice(0, -2), ...points, ...end.slice(2)];
  const n = list.length;
  const radius = Math.min(7, 0.05 * at.sx);
  surface.moveTo(at.x(list[0] + t), at.y(list[1]));
  for (let k = 2; k < n - 2; k += 2) {
    const [x, y] = [at.x(list[k] + t), at.y(list[k + 1])];
    const before = [at.x(list[k - 2] + t), at.y(list[k - 1])];
    const after = [at.x(list[k + 2] + t), at.y(list[k + 3])];
    const toward = (/** @type {number[]} */ [ox, oy]) => {
      const length = Math.abs(ox - x) + Math.abs(oy - y) || 1;
      const part = Math.min(radius, length / 2) / length;
      return /** @type {const} */ ([x + (ox - x) * part, y + (oy - y) * part]);
    };
    surface.lineTo(...toward(before));
    surface.quadraticCurveTo(x, y, ...toward(after));
  }
  surface.lineTo(at.x(list[n - 2] + t), at.y(list[n - 1]));
}

/**
 * The head of a wire's arrow, where it ends.
 * @param {Surface} surface
 * @param {Shot} shot
 * @param {Wire} wire
 * @param {number} t
 * @param {number} inside
 * @param {number} [size]  pixels
 */
export function arrow(surface, shot, { points, end }, t, inside, size) {
  const at = placing(shot);
  const list = inside >= 1 || !end.length ? points : end;
  const n = list.length;
  const [x, y] = [at.x(list[n - 2] + t), at.y(list[n - 1])];
  const [dx, dy] = [x - at.x(list[n - 4] + t), y - at.y(list[n - 3])];
  const length = Math.hypot(dx, dy) || 1;
  const s = size ?? Math.max(2.5, Math.min(6, 0.03 * at.sx));
  const [ux, uy] = [(dx / length) * s, (dy / length) * s];
  surface.moveTo(x, y);
  surface.lineTo(x - 1.6 * ux - 0.8 * uy, y - 1.6 * uy + 0.8 * ux);
  surface.lineTo(x - 1.6 * ux + 0.8 * uy, y - 1.6 * uy - 0.8 * ux);
  surface.closePath();
}

/** Where what a cell reads parts into the two directions it came from. @param {Surface} surface @param {Shot} shot @param {Seen} seen */
function drawForks(surface, shot, { first, last, rows }) {
  const at = placing(shot);
  surface.strokeStyle = shot.theme.faint;
  surface.lineWidth = wireWidth(shot.camera.scale, false);
  surface.beginPath();
  for (const { fork } of rows) {
    if (!fork.length) continue;
    for (let t = first; t < last; t++) {
      surface.moveTo(at.x(fork[0] + t), at.y(fork[1]));
      surface.lineTo(at.x(fork[2] + t), at.y(fork[3]));
    }
  }
  surface.stroke();
}
