// The heatmaps as a picture to keep, with the tokens above and the colours below, and as a table.

/** @import {Page} from '../page.js' */
/** @import {Recording} from '../recording.js' */
/** @import {HeatmapLayout, HeatmapRow} from '../heatmaps/layout.js' */
/** @import {Figure, Surface} from '../types.js' */

import { axis } from "../time/axis.js";
import { context2d, element } from "../dom.js";
import { fixed } from "../format.js";
import { levelOf, timeWindow } from "../geometry.js";
import { columnsOf, paintPicture, topLevel } from "../heatmaps/painter.js";
import { createHeatmapSource } from "../heatmaps/source.js";
import { label } from "../label.js";
import { best } from "../predictions.js";
import { selectedCell, selectedTimestep } from "../state.js";
import { shownRange } from "../theme.js";

const ARROW = { forward: "→", backward: "←" };
const LABELS = 128;
const TOKENS = 40;
const LEGEND = 34;

/** @param {Page} page @returns {Figure} */
export function createStatesFigure(page) {
  const { state, theme } = page;
  const source = createHeatmapSource(page);

  const recorded = () => /** @type {Recording} */ (state.recording.get());

  /** @param {Recording} recording */
  function cellsOf(recording) {
    return state.rows.get() === "all" ? recording.rows : [selectedCell(state)];
  }

  /** As on the screen: the tiles of those heights are the ones that are here. */
  const layoutOf = () => page.shown.heatmaps;

  /** The part of the axis that is on the screen, as wide as the picture. @param {Recording} recording @param {number} width */
  function viewOf(recording, width) {
    const screen = axis(state, recording);
    const span = Math.min(recording.timesteps, screen.trackWidth / screen.columnWidth);
    const columnWidth = (width - LABELS) / span;
    const scrollLeft = (screen.scrollLeft / screen.columnWidth) * columnWidth;
    const view = {
      columnWidth,
      scrollLeft,
      timesteps: recording.timesteps,
      trackWidth: width - LABELS,
    };
    return { ...view, window: timeWindow(view) };
  }

  /**
   * @param {Surface} surface
   * @param {Recording} recording
   * @param {ReturnType<typeof viewOf>} view
   */
  function drawTokens(surface, recording, view) {
    const { ink, soft } = theme.get();
    const now = selectedTimestep(state, recording);
    const { first, last } = view.window;
    const stride = Math.max(1, Math.ceil(44 / view.columnWidth));
    surface.textAlign = "center";
    for (let t = Math.ceil(first / stride) * stride; t < last; t += stride) {
      const x = LABELS + (t + 0.5) * view.columnWidth - view.scrollLeft;
      const room = view.columnWidth * stride - 4;
      surface.fillStyle = ink;
      surface.font = `${t === now ? "700" : "500"} 12px ui-sans-serif, system-ui, sans-serif`;
      surface.fillText(cut(surface, label(recording.about.tokens[t].text), room), x, 13);
      const prediction = stride === 1 ? best(recording, t) : undefined;
      if (!prediction) continue;
      surface.fillStyle = soft;
      surface.font = "11px ui-sans-serif, system-ui, sans-serif";
      surface.fillText(cut(surface, label(prediction.label), room), x, 29);
    }
  }

  /**
   * @param {Surface} surface
   * @param {Recording} recording
   * @param {HeatmapLayout} layout
   */
  function drawLabels(surface, recording, layout) {
    const { ink, soft } = theme.get();
    surface.textAlign = "left";
    surface.textBaseline = "middle";
    for (const { cell, top, height } of layout.groups) {
      surface.fillStyle = ink;
      surface.font = "600 12px ui-sans-serif, system-ui, sans-serif";
      surface.fillText(
        `layer ${cell.layer} ${ARROW[cell.direction]}`,
        0,
        TOKENS + top + height / 2,
      );
    }
    for (const row of layout.rows) {
      if (row.height < 9) continue;
      const y = TOKENS + row.top + row.height / 2;
      surface.fillStyle = ink;
      surface.font = `italic 500 ${Math.min(15, row.height)}px ui-serif, Georgia, serif`;
      surface.fillText(row.quantity, 62, y);
      if (row.height < 14) continue;
      surface.fillStyle = soft;
      surface.font = "10px ui-sans-serif, system-ui, sans-serif";
      const name = source.quantityOf(row.quantity)?.label.replace(/ (gate|state)$/, "") ?? "";
      surface.fillText(name, 76, y);
    }
    surface.textBaseline = "alphabetic";
  }

  /**
   * @param {Surface} surface
   * @param {Recording} recording
   * @param {HeatmapRow} row
   * @param {ReturnType<typeof viewOf>} view
   */
  function drawPicture(surface, recording, row, view) {
    const colours = source.coloursOf(recording, row);
    if (!colours) return;
    const screen = axis(state, recording);
    // The tiles the screen has are the ones that are here.
    const level = levelOf(screen.columnWidth, window.devicePixelRatio || 1);
    const top = Math.max(level, topLevel(recording.timesteps));
    const { first, last } = columnsOf(view.window, level);
    const canvas = element("canvas", { width: last - first, height: row.rows });
    const image = new ImageData(canvas.width, canvas.height);
    const pixels = new Uint32Array(image.data.buffer);
    const place = { stride: canvas.width, top: 0, each: 1, rows: row.rows };
    paintPicture(
      pixels,
      place,
      { level, top, first, last },
      source.tileAt(recording, row),
      colours,
    );
    context2d(canvas).putImageData(image, 0, 0);
    const width = view.columnWidth * 2 ** level;
    const x = LABELS + first * width - view.scrollLeft;
    surface.drawImage(canvas, x, TOKENS + row.top, canvas.width * width, row.height);
  }

  /** @param {Surface} surface @param {Recording} recording @param {number} y */
  function drawLegend(surface, recording, y) {
    const { ink, soft, line, tables } = theme.get();
    const perUnit = state.scale.get() === "row";
    let x = LABELS;
    for (const names of ["ifo", "g", "c", "h"]) {
      const shown = [...names].filter((name) => state.show.get().includes(name));
      const quantity = source.quantityOf(shown[0] ?? "");
      if (!quantity) continue;
      const ends = shownRange(quantity, state.scale.get(), recording, selectedCell(state));
      const [low, high] = perUnit ? ["lowest", "highest"] : ends.map((end) => fixed(end, 1));
      surface.fillStyle = ink;
      surface.font = "italic 500 14px ui-serif, Georgia, serif";
      surface.fillText(shown.join(" "), x, y);
      x += 8 + surface.measureText(shown.join(" ")).width;
      surface.fillStyle = soft;
      surface.font = "11px ui-sans-serif, system-ui, sans-serif";
      surface.fillText(low, x, y);
      x += 5 + surface.measureText(low).width;
      const ramp = element("canvas", { width: 256, height: 1 });
      const image = new ImageData(256, 1);
      new Uint32Array(image.data.buffer).set(tables[quantity.scale].subarray(0, 256));
      context2d(ramp).putImageData(image, 0, 0);
      surface.drawImage(ramp, x, y - 9, 56, 9);
      surface.strokeStyle = line;
      surface.lineWidth = 1;
      surface.strokeRect(x, y - 9, 56, 9);
      x += 61;
      surface.fillText(high, x, y);
      x += 22 + surface.measureText(high).width;
    }
  }

  return {
    title() {
      const { layer, direction } = selectedCell(state);
      const names = [...state.show.get()].join(", ");
      const rows =
        state.rows.get() === "all" ? "every layer and direction" : `layer ${layer} ${direction}`;
      return `${names} of ${rows}`;
    },

    height: () => TOKENS + layoutOf().height + LEGEND,

    draw(surface, width) {
      const recording = recorded();
      const layout = layoutOf();
      const view = viewOf(recording, width);
      surface.save();
      surface.beginPath();
      surface.rect(LABELS, 0, width - LABELS, TOKENS + layout.height);
      surface.clip();
      drawTokens(surface, recording, view);
      surface.imageSmoothingEnabled = false;
      for (const row of layout.rows) drawPicture(surface, recording, row, view);
      const x = LABELS + selectedTimestep(state, recording) * view.columnWidth - view.scrollLeft;
      surface.strokeStyle = theme.get().accent;
      surface.lineWidth = 1.5;
      surface.strokeRect(x, 1, Math.max(2, view.columnWidth), TOKENS + layout.height - 2);
      surface.restore();
      drawLabels(surface, recording, layout);
      drawLegend(surface, recording, TOKENS + layout.height + 24);
    },

    table() {
      const recording = recorded();
      const { first, last } = axis(state, recording).window;
      const unit = state.unit.get();
      const cells = cellsOf(recording).filter(
        ({ layer }) => unit < recording.layers[layer].hidden_size,
      );
      const names = cells.flatMap((cell) => [...state.show.get()].map((name) => ({ cell, name })));
      const rows = [];
      for (let t = first; t < last; t++) {
        const values = names.map(({ cell, name }) => recording.value(name, cell, t, unit) ?? "");
        rows.push([t, label(recording.about.tokens[t].text), ...values]);
      }
      return {
        caption: `Unit ${unit} at the timesteps on the screen`,
        columns: [
          "timestep",
          "token",
          ...names.map(({ cell, name }) => `${cell.layer}.${cell.direction}.${name}`),
        ],
        rows,
      };
    },

    slice() {
      const recording = recorded();
      const { first, last } = axis(state, recording).window;
      const names = cellsOf(recording).flatMap(({ layer, direction }) =>
        [...state.show.get()].map((name) => `${layer}.${direction}.${name}`),
      );
      return { names, start: first, stop: last, units: null };
    },
  };
}

/** @param {Surface} surface @param {string} text @param {number} room */
function cut(surface, text, room) {
  if (surface.measureText(text).width <= room) return text;
  let shorter = [...text];
  while (shorter.length > 1 && surface.measureText(`${shorter.join("")}…`).width > room)
    shorter = shorter.slice(0, -1);
  return `${shorter.join("")}…`;
}
