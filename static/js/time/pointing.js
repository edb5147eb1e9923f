// The pointer on a track of the shared axis: the timestep it is at, and a hair that follows it.

/** @import {Page} from '../page.js' */
/** @import {Recording} from '../recording.js' */
/** @import {State} from '../state.js' */

import { axis } from "./axis.js";
import { isDrag } from "../dom.js";
import { timestepAtX } from "../geometry.js";
import { label } from "../label.js";

/**
 * Where a pointer is; `x` is the middle of its column, in pixels of the track.
 * @typedef {{recording: Recording, t: number, x: number}} Pointed
 */

/**
 * @param {State} state
 * @param {HTMLElement} track
 * @param {MouseEvent} event
 * @returns {Pointed | null}
 */
export function timestepUnder(state, track, event) {
  const recording = state.recording.get();
  if (!recording) return null;
  const view = axis(state, recording);
  const t = timestepAtX(event.clientX - track.getBoundingClientRect().left, view);
  return { recording, t, x: (t + 0.5) * view.columnWidth - view.scrollLeft };
}

/**
 * A click on a track of lines, or a drag, goes to its timestep; a hair and a tooltip say what is there.
 * @param {Pick<Page, "state" | "actions" | "tooltip">} page
 * @param {HTMLElement} track
 * @param {HTMLElement} hair
 * @param {(at: Pointed) => string[] | null} tell  below the token; null: nothing is there yet
 */
export function followPointer({ state, actions, tooltip }, track, hair, tell) {
  track.addEventListener("click", (event) => {
    const at = timestepUnder(state, track, event);
    if (at) actions.selectTimestep(at.t);
  });
  track.addEventListener("pointermove", (event) => {
    const at = timestepUnder(state, track, event);
    const told = at && tell(at);
    if (!at || !told) return;
    if (isDrag(event)) actions.selectTimestep(at.t);
    showHair(hair, at.x);
    const token = label(at.recording.about.tokens[at.t].text);
    tooltip.show(event, [`“${token}” · timestep ${at.t}`, ...told]);
  });
  hideOnLeaving(track, hair, tooltip);
}

/** @param {HTMLElement} hair @param {number} x */
export function showHair(hair, x) {
  hair.style.transform = `translateX(${x}px)`;
  hair.style.visibility = "visible";
}

/** @param {HTMLElement} track @param {HTMLElement} hair @param {Page["tooltip"]} tooltip */
export const hideOnLeaving = (track, hair, tooltip) =>
  track.addEventListener("pointerleave", () => {
    hair.style.visibility = "hidden";
    tooltip.hide();
  });
