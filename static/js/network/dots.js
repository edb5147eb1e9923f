// Dots that run along the wires of a step. The browser moves them by itself, so that they cost nothing
// while they run.

/** @import {Wire} from './scene.js' */
/** @import {Shot} from './shot.js' */

import { wayOf } from "./flow-picture.js";
import { element } from "../dom.js";

/** More at a time would be a swarm. */
const MOST = 60;
/** The parts of the way in which a dot appears and is gone again. */
const FADE = 0.14;

/** @param {HTMLElement} box  what they run in */
export function createDots(box) {
  /** @type {HTMLElement[]} */
  const dots = [];
  /** @type {Animation[]} */
  let running = [];

  function stop() {
    for (const animation of running) animation.cancel();
    running = [];
  }

  return {
    stop,

    /**
     * @param {Shot} shot
     * @param {Wire[]} wires
     * @param {number} duration  milliseconds
     */
    run(shot, wires, duration) {
      stop();
      wires.slice(0, MOST).forEach((wire, n) => {
        const way = wayOf(shot, wire);
        if (!way) return;
        const dot = (dots[n] ??= element("i", { class: "dot" }));
        if (!dot.parentNode) box.append(dot);
        running.push(dot.animate(keyframes(way), { duration, easing: "ease-in-out" }));
      });
    },
  };
}

/**
 * Along a polyline at an even pace.
 * @param {number[]} points  x, y, x, y, … in pixels
 * @returns {Keyframe[]}
 */
export function keyframes(points) {
  const lengths = [0];
  for (let n = 2; n < points.length; n += 2) {
    const piece = Math.hypot(points[n] - points[n - 2], points[n + 1] - points[n - 1]);
    lengths.push(lengths[lengths.length - 1] + piece);
  }
  const whole = lengths[lengths.length - 1] || 1;
  const corners = lengths.map((length) => length / whole);
  const parts = [...new Set([0, FADE, ...corners, 1 - FADE, 1])].sort((a, b) => a - b);
  return parts.map((offset) => {
    const piece = Math.max(
      1,
      corners.findIndex((corner) => corner >= offset - 1e-9),
    );
    const [from, to] = [corners[piece - 1], corners[piece]];
    const share = to > from ? (offset - from) / (to - from) : 0;
    const at = (/** @type {0 | 1} */ axis) =>
      points[2 * piece - 2 + axis] +
      share * (points[2 * piece + axis] - points[2 * piece - 2 + axis]);
    return {
      offset: Math.min(1, offset),
      opacity: Math.min(1, offset / FADE, (1 - offset) / FADE),
      transform: `translate(${at(0).toFixed(1)}px, ${at(1).toFixed(1)}px)`,
    };
  });
}
