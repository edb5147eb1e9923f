// What the head says at every timestep: the most probable labels under the tokens, how sure it is of them,
// and what it would say if it read a lower layer. A step changes a few numbers and nothing else.

/** @import {Page} from '../page.js' */

import { button, element, write } from "../dom.js";
import { createColumnsView } from "./columns-view.js";
import { createPredictionsFigure } from "./figure.js";
import { createFindingsView } from "./findings.js";
import { createGridHead, createGridView } from "./grid-view.js";
import { createLinesView } from "./lines-view.js";
import { createReadoutView } from "./readout.js";
import { createRoom } from "./room.js";
import { createColouredText } from "./text.js";
import { createToolsView } from "./tools.js";

/** @param {Page} page */
export function createPredictionsTab(page) {
  const room = createRoom(page);
  const said = element("span");
  const again = button("Try again", room.retry);
  const note = element("p", { id: "predict-note", class: "note" }, said, " ", again);
  const tools = createToolsView(room);
  const readout = createReadoutView(room);
  const columns = createColumnsView(room);
  const lines = createLinesView(room);
  const text = createColouredText(room);
  text.root.classList.add("predict-sentence");
  const head = createGridHead(room);
  const grid = createGridView(room);
  const findings = createFindingsView(room);
  room.panel.append(
    ...[tools.root, note, readout.root, columns.root, lines.root],
    ...[text.root, findings.root, head.root, grid.root],
  );
  for (const view of [
    ...[tools.view, columns.view, ...lines.views, ...text.views, grid.view],
    ...[head.view, readout.view, findings.view],
  ])
    page.frames.add(view);
  const figure = createPredictionsFigure(room);
  return {
    name: "predictions room",
    reads: room.reads,
    paint() {
      if (!room.isOpen()) return;
      const recording = room.state.recording.get();
      const shown = room.current();
      // Without a head there is nothing to keep.
      if (shown) page.figures.set("predictions", figure);
      else page.figures.delete("predictions");
      text.root.hidden = !shown?.by || !shown.answers?.k;
      const words = shown
        ? shown.problem || (shown.answers ? lens(shown) : "What the head says is coming …")
        : recording
          ? "This model has no head: it has states, but says nothing. Choose a model that predicts something, or open this one together with the layer that reads its output."
          : "";
      write(said, words);
      again.hidden = !shown?.again;
      note.hidden = !words;
    },
  };
}

/** What is looked at where it is not what the model says. @param {import('./room.js').Shown} shown */
const lens = ({ lens: on, layer }) =>
  on
    ? `Lens: the head reads layer ${layer}, which it was never trained to. This is not what the model says.`
    : "";
