// The paths as a picture to keep, and as a table.

/** @import {Figure} from '../types.js' */
/** @import {Paths} from './room.js' */

import { label } from "../label.js";
import { tracePicture } from "./canvases.js";
import { legendOf } from "./legend.js";
import { turnedAround } from "./paths.js";
import { drawBase, drawLabels, drawStep, drawSwatch, labelsShown, nowLabels } from "./picture.js";
import { SIZE } from "./projection.js";
import { titleOf } from "./words.js";

const ROOM = 560;
const LINE = 20;

/** @param {Paths} paths @returns {Figure} */
export function createPathsFigure(paths) {
  /** @param {number} width */
  function now(width) {
    const shot = paths.shot({ width, height: ROOM });
    if (!shot) throw new Error("The paths have not come yet. Try again in a moment.");
    return shot;
  }

  /** The entries of the legend in lines. @param {ReturnType<typeof now>} shot @param {number} width */
  function legendLines(shot, width) {
    let [x, line] = [0, 0];
    const entries = legendOf(shot, paths).map((entry) => {
      const room = 58 + paths.widthOf(entry.text);
      if (x && x + room > width) [x, line] = [0, line + 1];
      const place = { ...entry, x, line };
      x += room;
      return place;
    });
    return { entries, height: entries.length ? (line + 1) * LINE + 8 : 0 };
  }

  return {
    title() {
      const { choices, panels } = now(1000);
      const what = panels.length === 1 ? titleOf(panels[0].space, choices.of) : choices.of;
      return `paths of ${what}`;
    },
    height(width) {
      const shot = now(width);
      return shot.height + legendLines(shot, width).height;
    },
    draw(surface, width) {
      const shot = now(width);
      const { entries, height } = legendLines(shot, width);
      surface.save();
      for (const { text, colour, style, x, line } of entries) {
        surface.save();
        surface.translate(x, line * LINE);
        if (style) drawSwatch(surface, colour, style, { join: shot.choices.join === 1 });
        else {
          surface.fillStyle = colour;
          surface.fillRect(20, 2, 10, 10);
        }
        surface.font = `11px ${shot.family}`;
        surface.textAlign = "left";
        surface.textBaseline = "middle";
        surface.fillStyle = shot.theme.soft;
        surface.fillText(label(text), 40, 7.5);
        surface.restore();
      }
      surface.translate(0, height);
      const passed = paths.passed(shot);
      drawBase(surface, shot, { titles: ({ space }) => titleOf(space, shot.choices.of) });
      if (shot.long) surface.drawImage(tracePicture(shot, passed), 0, 0, shot.width, shot.height);
      shot.panels.forEach((panel, n) => {
        const labels = nowLabels(shot, panel, passed[n]);
        drawStep(surface, shot, panel, passed[n], labels);
        const shown = labelsShown(panel, passed[n], labels);
        drawLabels(surface, shot, panel.labels.filter((_, k) => shown[k])); // prettier-ignore
      });
      surface.restore();
    },
    table() {
      const { panels, runs, choices } = now(1000);
      const several = runs.length > 1;
      const axes = Array.from({ length: choices.dims }, (_, n) => `PC ${n + 1}`);
      const rows = panels.flatMap(({ space }) =>
        space.paths.flatMap((path) =>
          Array.from({ length: path.timesteps }, (_, t) => {
            const at = turnedAround(path, t);
            const { about, title } = runs[path.run];
            const point = axes.map((_, axis) => path.points[at * SIZE + axis]);
            const place = [t, label(about.tokens[t]?.text ?? ""), path.cell.layer, path.cell.direction]; // prettier-ignore
            return [...place, ...(several ? [title] : []), ...point];
          }),
        ),
      );
      const columns = ["timestep", "token", "layer", "direction", ...(several ? ["sentence"] : [])];
      return { caption: `Paths of ${choices.of}`, columns: [...columns, ...axes], rows };
    },
    slice() {
      const { panels } = now(1000);
      const names = panels.flatMap(({ space }) =>
        space.paths.filter(({ run }) => run === 0).map(({ name }) => name),
      );
      const stop = paths.recording?.timesteps ?? 0;
      return { names, start: 0, stop, units: null };
    },
  };
}
