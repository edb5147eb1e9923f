// Wheel, pinch and drag on the time axis.

/** @import {State} from '../state.js' */

import { axis, panTo, zoomBy } from "./axis.js";
import { byId } from "../dom.js";

/** How much one notch of a wheel zooms. */
const NOTCH = 1.2;
/** Pixels of a notch; browsers also speak of lines and pages. */
const PIXELS = [1, 16, 400];
/** A pointer that moved less was held still. */
const CLICK = 5;

/**
 * Ctrl and wheel, or a pinch, zooms everywhere on the tracks; the wheel alone does on the tokens and on
 * the map of the sequence, where there is nothing to scroll. Sideways, or with Shift, the axis moves.
 * @param {State} state
 */
export function listenToZoom(state) {
  const flow = byId("flow");
  const track = byId("track");
  /** Fingers on the tracks. @type {Map<number, PointerEvent>} */
  const fingers = new Map();
  /** Pixels moved since they came down: what was dragged is not clicked. */
  let moved = 0;
  flow.addEventListener(
    "click",
    (event) => {
      // One of the keyboard counts no clicks.
      if (moved > CLICK && event.detail) event.stopPropagation();
      moved = 0;
    },
    { capture: true },
  );

  flow.addEventListener(
    "wheel",
    (event) => {
      const target = /** @type {HTMLElement} */ (event.target);
      const recording = state.recording.get();
      if (!recording || !target.closest(".track")) return;
      const pixels = PIXELS[event.deltaMode];
      const sideways = event.shiftKey && !event.deltaX ? event.deltaY : event.deltaX;
      const zooms = event.ctrlKey || event.metaKey || target.closest(".tokens, #minimap-row");
      if (zooms && Math.abs(event.deltaY) > Math.abs(event.deltaX) && !event.shiftKey) {
        event.preventDefault();
        const x = event.clientX - track.getBoundingClientRect().left;
        // A trackpad's pinch comes as many small notches.
        zoomBy(state, NOTCH ** (-(event.deltaY * pixels) / (event.ctrlKey ? 30 : 100)), x);
      } else if (sideways) {
        const { columnWidth, scrollLeft, timesteps, trackWidth } = axis(state, recording);
        if (timesteps * columnWidth <= trackWidth + 0.5) return;
        event.preventDefault();
        panTo(state, limited((scrollLeft + sideways * pixels) / columnWidth, recording.timesteps));
      }
    },
    { passive: false },
  );

  const limited = (/** @type {number} */ from, /** @type {number} */ timesteps) =>
    Math.min(Math.max(0, from), timesteps - 1);

  // The tokens are dragged like a strip of paper, with a mouse as well as with a finger; on the
  // pictures a mouse scrubs, and a finger moves the axis.
  flow.addEventListener("pointerdown", (event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    // No click follows a drag that ended elsewhere, nor one of a finger.
    if (!fingers.size) moved = 0;
    if (!target.closest(".track") || target.closest("#minimap")) return;
    if (event.pointerType === "mouse" && (event.button || !target.closest(".tokens"))) return;
    fingers.set(event.pointerId, event);
  });
  window.addEventListener("pointermove", (event) => {
    const before = fingers.get(event.pointerId);
    const recording = state.recording.get();
    if (!before || !recording) return;
    const view = axis(state, recording);
    moved += Math.abs(event.clientX - before.clientX);
    if (fingers.size === 2) {
      const [other] = [...fingers.values()].filter(
        ({ pointerId }) => pointerId !== event.pointerId,
      );
      const distance = (/** @type {PointerEvent} */ a) =>
        Math.hypot(a.clientX - other.clientX, a.clientY - other.clientY);
      const middle = (event.clientX + other.clientX) / 2 - track.getBoundingClientRect().left;
      if (distance(before) > 10) zoomBy(state, distance(event) / distance(before), middle);
    } else if (fingers.size === 1 && view.timesteps * view.columnWidth > view.trackWidth + 0.5) {
      panTo(
        state,
        limited(
          (view.scrollLeft - event.clientX + before.clientX) / view.columnWidth,
          view.timesteps,
        ),
      );
    }
    fingers.set(event.pointerId, event);
  });
  for (const end of /** @type {const} */ (["pointerup", "pointercancel"]))
    window.addEventListener(end, (event) => fingers.delete(event.pointerId));
}
