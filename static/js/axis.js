// The shared time axis: how wide a column is, which columns are on the screen, and the band.

/** @import {Readable} from './types.js' */
/** @import {State} from './state.js' */
/** @import {Recording} from './recording.js' */

import { byId } from "./dom.js";
import { columnWidth, scrollToShow, timeWindow } from "./geometry.js";
import { modelOf, selectedTimestep } from "./state.js";

/** Columns narrower than this can no longer be read: a character, a byte, a date; else words. */
const NARROWEST = /** @type {Record<string, number>} */ ({ characters: 20, bytes: 34, table: 98 });
const WORD = 54;

/**
 * @param {State} state
 * @param {Recording} recording
 */
export function axis(state, recording) {
  const split = modelOf(state, recording.about.model)?.split ?? "";
  const trackWidth = state.trackWidth.get();
  const view = {
    columnWidth: columnWidth(trackWidth, recording.timesteps, NARROWEST[split] ?? WORD),
    timesteps: recording.timesteps,
    scrollLeft: state.scrollLeft.get(),
    trackWidth,
  };
  return { ...view, window: timeWindow(view) };
}

/**
 * Measures the track, lets the flow scroll over the whole axis, and keeps the cursor in sight.
 * @param {State} state
 */
export function createAxisView(state) {
  const flow = byId("flow");
  const stage = byId("stage");
  const board = byId("board");
  const track = byId("track");
  const network = byId("network");
  const band = byId("band");
  let shown = "";
  // Measured when sizes change and kept: reading a size while painting makes the browser lay out
  // the page once more.
  let width = 0;
  let left = 0;
  let networkEnd = 0;

  const measure = () => {
    width = flow.clientWidth;
    board.style.width = `${width}px`;
    left = track.offsetLeft;
    networkEnd = network.offsetTop + network.offsetHeight;
    state.trackWidth.set(track.clientWidth);
    state.measured.set(state.measured.get() + 1);
  };
  const observer = new ResizeObserver(measure);
  for (const node of [flow, network, track, byId("tokens")]) observer.observe(node);
  flow.addEventListener("scroll", () => state.scrollLeft.set(flow.scrollLeft), { passive: true });

  return {
    name: "axis",
    reads: [
      state.recording,
      state.step,
      state.order,
      state.layer,
      state.direction,
      state.measured,
      state.trackWidth,
      state.scrollLeft,
      state.tab,
    ],
    paint() {
      const recording = state.recording.get();
      if (board.hidden !== !recording) {
        board.hidden = !recording;
        measure();
      }
      if (!recording) return;
      const { columnWidth, timesteps, scrollLeft, trackWidth } = axis(state, recording);
      const timestep = selectedTimestep(state, recording);
      // Follow the cursor when it moves, not when the person scrolls away from it.
      const position = `${recording.about.id} ${timestep} ${columnWidth}`;
      if (position !== shown) {
        shown = position;
        const overflow = Math.max(0, timesteps * columnWidth - trackWidth);
        stage.style.width = overflow > 0.5 ? `${width + overflow}px` : "";
        const to = scrollToShow(timestep, { columnWidth, timesteps, scrollLeft, trackWidth });
        if (Math.abs(to - scrollLeft) > 0.5) {
          // Whole pixels, so that what the browser makes of it need not be read back.
          const whole = Math.min(Math.round(to), Math.floor(overflow));
          flow.scrollLeft = whole;
          state.scrollLeft.set(whole);
        }
      }
      const x = timestep * columnWidth - state.scrollLeft.get();
      const visible = x > -columnWidth && x < trackWidth;
      // Shapes are no time axis: there the band ends with the network.
      band.style.height = state.tab.get() === "shapes" ? `${networkEnd - TOP}px` : "";
      band.style.width = `${columnWidth}px`;
      band.style.transform = `translateX(${left + x}px)`;
      band.style.visibility = visible ? "visible" : "hidden";
      band.style.clipPath = clip(x, columnWidth, trackWidth);
    },
  };
}

/** Where the band begins in css/flow.css, less what it reaches below the network. */
const TOP = 2;

/** Keep the band inside the track when its column is half scrolled out. */
const clip = (
  /** @type {number} */ x,
  /** @type {number} */ width,
  /** @type {number} */ trackWidth,
) => `inset(0 ${Math.max(0, x + width - trackWidth)}px 0 ${Math.max(0, -x)}px)`;
