// The shared time axis: how wide a column is, which columns are on the screen, and the band.

/** @import {State} from '../state.js' */
/** @import {Recording} from '../recording.js' */

import { byId } from "../dom.js";
import { scrollToShow, timeView, timeWindow, zoomed } from "../geometry.js";
import { modelOf, selectedTimestep } from "../state.js";

/** Columns narrower than this can no longer be read: a character, a byte, a date; else words. */
const NARROWEST = /** @type {Record<string, number>} */ ({ characters: 20, bytes: 34, table: 98 });
const WORD = 54;

/**
 * @param {State} state
 * @param {Recording} recording
 */
export function axis(state, recording) {
  const trackWidth = state.trackWidth.get();
  const { timesteps } = recording;
  const narrowest = narrowestColumn(state, recording);
  const asked = { from: state.from.get(), span: state.span.get() };
  const view = {
    ...timeView({ trackWidth, timesteps, narrowest, ...asked }),
    timesteps,
    trackWidth,
  };
  return { ...view, narrowest, window: timeWindow(view) };
}

/** @param {State} state @param {Recording} recording */
const narrowestColumn = (state, recording) =>
  NARROWEST[modelOf(state, recording.about.model)?.split ?? ""] ?? WORD;

/**
 * Show another part of the axis.
 * @param {State} state
 * @param {number} from
 */
export function panTo(state, from) {
  state.from.set(Math.max(0, from));
}

/**
 * @param {State} state
 * @param {number} factor  above 1 shows fewer timesteps
 * @param {number} [x]  what stays where it is, in pixels of the track; the cursor or the middle
 */
export function zoomBy(state, factor, x) {
  const recording = state.recording.get();
  if (!recording) return;
  const view = axis(state, recording);
  const cursor = (selectedTimestep(state, recording) + 0.5) * view.columnWidth - view.scrollLeft;
  const seen = cursor >= 0 && cursor <= view.trackWidth;
  const to = zoomed(view, factor, x ?? (seen ? cursor : view.trackWidth / 2));
  state.span.set(to.span);
  state.from.set(to.from);
}

/** The next or the previous part of the axis. @param {State} state @param {number} by  screens */
export function pageBy(state, by) {
  const recording = state.recording.get();
  if (!recording) return;
  const { columnWidth, scrollLeft, trackWidth, timesteps } = axis(state, recording);
  const last = timesteps - trackWidth / columnWidth;
  panTo(state, Math.min(last, (scrollLeft + by * 0.9 * trackWidth) / columnWidth));
}

/** The whole sequence, or back to columns that can be read. @param {State} state */
export function toggleWhole(state) {
  const recording = state.recording.get();
  if (!recording) return;
  const { columnWidth, trackWidth, timesteps } = axis(state, recording);
  const isWhole = timesteps * columnWidth <= trackWidth + 0.5;
  state.span.set(isWhole ? 0 : timesteps);
  state.from.set(0);
}

/**
 * Measures the track, and keeps the cursor in sight.
 * @param {State} state
 */
export function createAxisView(state) {
  const flow = byId("flow");
  const board = byId("board");
  const track = byId("track");
  const network = byId("network");
  const band = byId("band");
  let shown = "";
  /** The cursor, where the axis was then, and whether the cursor was in sight. */
  let last = { cursor: "", from: 0, inSight: true };
  // Measured when sizes change and kept: reading a size while painting makes the browser lay out
  // the page once more.
  let left = 0;
  let networkEnd = 0;

  const measure = () => {
    left = track.offsetLeft;
    networkEnd = network.offsetTop + network.offsetHeight;
    state.trackWidth.set(track.clientWidth);
    state.measured.set(state.measured.get() + 1);
  };
  const observer = new ResizeObserver(measure);
  for (const node of [flow, network, track, byId("tokens"), byId("states-tools")])
    observer.observe(node);

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
      state.from,
      state.span,
      state.tab,
    ],
    paint() {
      const recording = state.recording.get();
      if (board.hidden !== !recording) {
        board.hidden = !recording;
        measure();
      }
      if (!recording) return;
      const timestep = selectedTimestep(state, recording);
      // Follow the cursor when it moves, not when the person moves away from it, nor where a link
      // says what is shown.
      const cursor = `${recording.about.id} ${timestep}`;
      const position = `${cursor} ${state.trackWidth.get()}`;
      const isAsked = state.from.get() > 0 && state.from.get() !== last.from;
      const follows = cursor === last.cursor ? last.inSight : !isAsked;
      if (position !== shown && follows) {
        const view = axis(state, recording);
        const to = scrollToShow(timestep, view);
        if (Math.abs(to - view.scrollLeft) > 0.5) state.from.set(to / view.columnWidth);
      }
      const { columnWidth, scrollLeft, trackWidth } = axis(state, recording);
      const x = timestep * columnWidth - scrollLeft;
      const width = Math.max(MIN_BAND, columnWidth);
      const visible = x > -width && x < trackWidth;
      shown = position;
      if (trackWidth > 0) last = { cursor, from: state.from.get(), inSight: visible };
      // The map of the network and the shapes have no time axis: there the band ends above them.
      band.style.height = TIMELESS.includes(state.tab.get()) ? `${networkEnd - TOP}px` : "";
      band.style.width = `${width}px`;
      band.style.transform = `translateX(${left + x - (width - columnWidth) / 2}px)`;
      band.style.visibility = visible ? "visible" : "hidden";
      band.style.clipPath = clip(x, width, trackWidth);
    },
  };
}

const TIMELESS = ["shapes", "network", "cell", "paths", "write"];

/** A band narrower than its two edges could not be seen. */
const MIN_BAND = 3;

/** Where the band begins in css/flow.css, less what it reaches below the network. */
const TOP = 2;

/** Keep the band inside the track when its column is half scrolled out. */
const clip = (
  /** @type {number} */ x,
  /** @type {number} */ width,
  /** @type {number} */ trackWidth,
) => `inset(0 ${Math.max(0, x + width - trackWidth)}px 0 ${Math.max(0, -x)}px)`;
