// What the model says at this timestep: its five most probable labels.

/** @import {Readable} from '../types.js' */
/** @import {State} from '../state.js' */

import { byId, element, write } from "../dom.js";
import { label } from "../label.js";
import { top } from "../predictions.js";
import { selectedTimestep } from "../state.js";

const COUNT = 5;

/** @param {State} state */
export function createPredictionsView(state) {
  const box = byId("predictions");
  const title = element("h2");
  const empty = element("p", { class: "note" }, "The probabilities are not numbers here.");
  const rows = Array.from({ length: COUNT }, () => {
    const name = element("bdi");
    const bar = element("i");
    const percent = element("span");
    const track = element("span", { class: "bar", "aria-hidden": "true" }, bar);
    return { name, bar, percent, node: element("li", {}, name, track, percent) };
  });
  const list = element("ol", {}, ...rows.map((row) => row.node));
  box.append(title, list, empty);

  return {
    name: "predictions",
    reads: /** @type {Readable<any>[]} */ ([
      state.recording,
      state.step,
      state.order,
      state.layer,
      state.direction,
    ]),
    paint() {
      const recording = state.recording.get();
      const about = recording?.about.predictions;
      box.hidden = !about;
      if (!recording || !about) return;
      write(title, about.task === "next_token" ? "What comes next?" : "Part of speech");
      const predictions = top(recording, selectedTimestep(state, recording), COUNT);
      empty.hidden = predictions.length > 0;
      rows.forEach(({ name, bar, percent, node }, n) => {
        node.hidden = n >= predictions.length;
        if (node.hidden) return;
        const { label: text, probability, hit } = predictions[n];
        write(name, label(text));
        write(percent, `${(100 * probability).toFixed(1)} %`);
        bar.style.transform = `scaleX(${probability})`;
        node.classList.toggle("hit", hit === true);
        node.title = hit ? "this is what really came next" : "";
      });
    },
  };
}
