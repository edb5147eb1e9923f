// The tab "compare": two arrays beside each other, their difference, how alike they are at each
// timestep and in all, and every cell with every cell.

/** @import {Page} from '../page.js' */

import { element } from "../dom.js";
import { createDirectionsView } from "./directions.js";
import { createCompareFigure } from "./figure.js";
import { createLinesView } from "./lines.js";
import { createMatrixView } from "./matrix.js";
import { createNumbersView } from "./numbers.js";
import { createPicturesView } from "./pictures.js";
import { createPinsView } from "./pins.js";
import { createRoom } from "./room.js";
import { createTokenPairsView } from "./token-pairs.js";
import { createToolsView } from "./tools.js";

/** @param {Page} page */
export function createCompareView(page) {
  const room = createRoom(page);
  const tools = createToolsView(room);
  const pins = createPinsView(room);
  const directions = createDirectionsView(room);
  const tokens = createTokenPairsView(room);
  const pictures = createPicturesView(room);
  const lines = createLinesView(room);
  const numbers = createNumbersView(room);
  const matrix = createMatrixView(room);
  const pictured = element("div", {}, tokens.root, pictures.root, lines.root);
  const below = element("div", { id: "compare-below" }, numbers.root, matrix.root);
  const head = element("div", { id: "compare-head" }, tools.root, pins.root, directions.root);
  room.panel.append(head, pictured, below);
  for (const { views } of [pins, directions, tokens, pictures, lines, numbers, matrix])
    for (const view of views) page.frames.add(view);
  page.figures.set("compare", createCompareFigure(room, pictures));
  return {
    ...tools.view,
    paint() {
      const shown = room.isShown();
      if (!shown) return;
      tools.view.paint();
      pins.root.hidden = tokens.root.hidden = room.isOffline;
      const sound = room.isSound(room.pair());
      below.hidden = pictures.root.hidden = lines.root.hidden = !sound;
    },
  };
}
