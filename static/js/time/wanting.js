// What the current step needs of a long recording, asked for before it is painted, and what the next
// steps will need after it.

/** @import {State} from '../state.js' */

import { axis } from "./axis.js";
import { WINDOW } from "../row-cache.js";
import { selectedCell, selectedTimestep } from "../state.js";

/** Tokens shown at a time, beyond which their predictions are not fetched for all of them. */
const MOST_TOKENS = 4 * WINDOW;

/** A view that paints nothing. @param {State} state */
export function createWantingView(state) {
  let before = 0;
  return {
    name: "wanting",
    reads: [
      state.recording,
      state.arrived,
      state.quantities,
      state.step,
      state.order,
      state.layer,
      state.direction,
      state.from,
      state.span,
      state.trackWidth,
    ],
    paint() {
      const recording = state.recording.get();
      if (!recording || recording.whole) return;
      const cell = selectedCell(state);
      const timestep = selectedTimestep(state, recording);
      const names = recording.cellNames(
        cell,
        state.quantities.get().map(({ name }) => name),
      );
      const { first, last } = axis(state, recording).window;
      if (recording.about.predictions && last - first <= MOST_TOKENS)
        recording.want(["scores"], first, last);
      const ahead = timestep < before ? timestep - WINDOW : timestep + WINDOW;
      if (ahead >= 0 && ahead < recording.timesteps) recording.want(names, ahead, ahead + 1);
      // What is asked for last comes first.
      recording.want(names, timestep - 1, timestep + 2);
      before = timestep;
    },
  };
}
