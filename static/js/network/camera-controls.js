// Moves the camera over the network: at once, in a flight, or after the current step. Every movement
// gives way to the next one.

/** @import {Box, Camera, Lens} from './camera.js' */

import { approached, clamped, flight, following } from "./camera.js";
import { atom } from "../store.js";

/** Milliseconds a flight takes for each screen it seems to be long, and its limits. */
const PACE = 260;
const SHORTEST = 220;
const LONGEST = 950;

const reduced = matchMedia("(prefers-reduced-motion: reduce)");

/** Whether nothing should move that need not. */
export const isStill = () => reduced.matches;

/**
 * @param {{tick: (ticker: (now: number) => boolean) => void}} frames
 * @param {() => void} onSettled  called when a movement has come to its end
 */
export function createMovingCamera(frames, onSettled) {
  /** Null is the whole. */
  const camera = atom(/** @type {Camera | null} */ (null));
  /** Counts movements: the ticker of an older one ends. */
  let movement = 0;
  /** Where a chase goes. @type {Camera | null} */
  let target = null;
  let flying = false;

  /** @param {Lens} lens */
  const now = (lens) => clamped(lens, camera.get() ?? lens.whole);

  /** @param {Camera | null} to */
  function jump(to) {
    movement++;
    flying = false;
    target = null;
    camera.set(to);
  }

  return {
    camera,
    now,
    jump,

    get flying() {
      return flying;
    },

    /** @param {Lens} lens @param {Camera} to */
    fly(lens, to) {
      const from = now(lens);
      jump(camera.get());
      if (isStill()) {
        camera.set(to);
        onSettled();
        return;
      }
      const mine = movement;
      const way = flight(lens, from, to);
      const duration = Math.min(LONGEST, Math.max(SHORTEST, way.length * PACE));
      let start = 0;
      flying = true;
      frames.tick((time) => {
        if (mine !== movement) return false;
        start ||= time;
        const part = Math.min(1, (time - start) / duration);
        camera.set(way.at(part * part * (3 - 2 * part)));
        if (part < 1) return true;
        flying = false;
        onSettled();
        return false;
      });
    },

    /**
     * Bring a box into the view and keep up with it, smoothly.
     * @param {Lens} lens
     * @param {Box} box
     * @param {number} heading
     */
    follow(lens, box, heading) {
      if (flying) return;
      const from = target ?? now(lens);
      const to = following(lens, from, box, heading);
      if (Math.abs(to.x - from.x) + Math.abs(to.y - from.y) < 1e-9 * (1 + Math.abs(to.x))) return;
      if (isStill()) {
        jump(to);
        onSettled();
        return;
      }
      const chasing = target !== null;
      target = to;
      if (chasing) return;
      const mine = ++movement;
      let last = 0;
      frames.tick((time) => {
        if (mine !== movement || !target) return false;
        const elapsed = last ? time - last : 16;
        last = time;
        const next = approached(lens, now(lens), target, elapsed);
        camera.set(next);
        if (next !== target) return true;
        target = null;
        onSettled();
        return false;
      });
    },
  };
}
