// The table of shapes, kept as a picture and as a table.

/** @import {Page} from '../page.js' */
/** @import {Figure} from '../types.js' */

import { byId } from "../dom.js";

const ROW = 24;
const COLUMNS = [0, 0.22, 0.46];

/** @param {Page} page @returns {Figure} */
export function createShapesFigure({ state, theme }) {
  /** What stands on the screen. */
  const read = () =>
    [...byId("shapes").querySelectorAll("tr")].map((row) =>
      [...row.children].map((cell) => (cell.textContent ?? "").trim()),
    );

  return {
    title: () => "shapes of this sentence in PyTorch",
    height: () => read().length * ROW + 8,
    draw(surface, width) {
      const { ink, soft, line } = theme.get();
      read().forEach((cells, row) => {
        const y = row * ROW + 16;
        cells.forEach((text, n) => {
          surface.fillStyle = row ? ink : soft;
          const mono =
            row && n < 2
              ? "ui-monospace, Menlo, monospace"
              : "ui-sans-serif, system-ui, sans-serif";
          surface.font = `${row ? "" : "600 "}12px ${mono}`;
          surface.fillText(text, COLUMNS[n] * width, y);
        });
        surface.fillStyle = line;
        surface.fillRect(0, y + 7, width, 1);
      });
    },
    table() {
      const [columns, ...rows] = read();
      return { caption: "Shapes of this sentence in PyTorch", columns, rows };
    },
    slice() {
      const recording = state.recording.get();
      const names = recording?.rows.map(({ layer, direction }) => `${layer}.${direction}.h`) ?? [];
      return { names, start: 0, stop: recording?.timesteps ?? 0, units: null };
    },
  };
}
