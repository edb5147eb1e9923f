// What the model says at this timestep: its most probable labels, or its numbers.

/** @import {State} from '../state.js' */

import { byId, element, write } from "../dom.js";
import { label } from "../label.js";
import { predictionTitles, shownScore, top, whatHeadReads } from "../predictions.js";
import { modelOf, selectedTimestep } from "../state.js";

/** So many labels are shown, so many numbers. */
const MOST = { labels: 5, values: 12 };

/** @param {State} state */
export function createPredictionsView(state) {
  const box = byId("predictions");
  const title = element("h2");
  const note = element("p", { class: "note" });
  const rows = Array.from({ length: MOST.values }, () => {
    const name = element("bdi");
    const bar = element("i");
    const score = element("span");
    const track = element("span", { class: "bar", "aria-hidden": "true" }, bar);
    return { name, bar, track, score, node: element("li", {}, name, track, score) };
  });
  const list = element("ol", {}, ...rows.map((row) => row.node));
  box.append(title, list, note);

  return {
    name: "predictions",
    calm: true,
    reads: [state.recording, state.arrived, state.step, state.order, state.layer, state.direction],
    paint() {
      const recording = state.recording.get();
      const about = recording?.about.predictions;
      box.hidden = !about;
      if (!recording || !about) return;
      const values = about.task === "value";
      box.classList.toggle("values", values);
      write(title, predictionTitles(recording)[1]);
      const most = values ? MOST.values : MOST.labels;
      const predictions = top(recording, selectedTimestep(state, recording), most);
      rows.forEach(({ name, bar, score, node }, n) => {
        node.hidden = n >= predictions.length;
        if (node.hidden) return;
        const prediction = predictions[n];
        write(name, label(prediction.label));
        write(score, shownScore(recording, prediction.score));
        bar.style.transform = `scaleX(${values ? 0 : prediction.score})`;
        node.classList.toggle("hit", prediction.hit === true);
        node.title = prediction.hit ? "this is what really came next" : prediction.label;
      });
      const more = values && about.labels.length > most;
      const reads = modelOf(state, recording.about.model)?.reads ?? "each";
      write(
        note,
        !recording.row("scores", selectedTimestep(state, recording))
          ? "…"
          : !predictions.length
            ? `The ${values ? "values" : "probabilities"} are not numbers here.`
            : (more ? `and ${about.labels.length - most} more. ` : "") +
              whatHeadReads(recording, reads),
      );
      note.hidden = !note.textContent;
    },
  };
}
