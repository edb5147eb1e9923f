// How many units of the selected row are selected; the button opens the panel for it.

/** @import {State} from '../state.js' */

import { brushOf, brushedUnits } from "./brush.js";
import { byId, write } from "../dom.js";
import { selectedCell } from "../state.js";

/** @param {State} state */
export function createUnitsButtonView(state) {
  const button = byId("units-button");
  return {
    name: "units button",
    reads: [state.recording, state.layer, state.direction, state.brush],
    paint() {
      const recording = state.recording.get();
      if (!recording) return;
      const cell = selectedCell(state);
      const { size } = brushedUnits(state, cell);
      const any = brushOf(state).length > 0;
      const of = recording.layers[cell.layer].hidden_size;
      write(button, any ? `Units: ${size} of ${of}` : "Select units");
      button.classList.toggle("on", any);
    },
  };
}
