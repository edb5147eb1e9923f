// The predictions as a picture to keep: labels under the tokens, the measures below; and as a table.

/** @import {Figure, Surface} from '../types.js' */
/** @import {Columns} from './cells.js' */
/** @import {Room, Shown} from './room.js' */
/** @import {Answers} from './measures.js' */

import { axis } from "../time/axis.js";
import { context2d, element } from "../dom.js";
import { label } from "../label.js";
import { scaleY } from "../unit/lines.js";
import { tickText } from "../unit/picture.js";
import { selectedTimestep } from "../state.js";
import { ABOVE, ENTRY, bandsOf, drawBands, placesOf } from "./bands.js";
import { ROW, drawCells, rowsOf } from "./cells.js";
import { idAt, measuresOf, probabilityAt } from "./measures.js";

const FAMILY = "ui-sans-serif, system-ui, 'Segoe UI', Roboto, 'Noto Sans', sans-serif";
const SMALL = `11px ${FAMILY}`;
const LABELS = 134;
const HEAD = 22;
const GAP = 14;

/** @param {Room} room @returns {Figure} */
export function createPredictionsFigure(room) {
  const { state, theme } = room;
  const measure = context2d(element("canvas"));

  /** @returns {{shown: Shown, answers: Answers}} */
  function now() {
    const shown = room.current();
    if (!shown) throw new Error("This model has no head: there are no predictions to keep.");
    if (!shown.answers)
      throw new Error(shown.problem || "The predictions have not come yet. Try again in a moment.");
    return { shown, answers: shown.answers };
  }

  /** The timesteps on the screen. @param {Shown} shown */
  const stretch = ({ recording }) => axis(state, recording).window;

  /** @param {Shown} shown @param {Answers} answers */
  const rows = (shown, answers) => (answers.k ? rowsOf(shown, answers) : []);

  /** The tokens above their columns. @param {Surface} surface @param {Shown} shown @param {number} columnWidth */
  function drawTokens(surface, shown, columnWidth) {
    const { first, last } = stretch(shown);
    surface.font = measure.font = SMALL;
    surface.textAlign = "center";
    surface.textBaseline = "middle";
    surface.fillStyle = theme.get().ink;
    const every = Math.max(1, Math.ceil(9 / columnWidth));
    for (let t = first; t < last; t += every) {
      let text = label(shown.recording.about.tokens[t].text);
      while (measure.measureText(text).width > columnWidth * every - 2 && text.length > 1)
        text = `${[...text].slice(0, -2).join("")}…`;
      surface.fillText(text, LABELS + (t - first + 0.5) * columnWidth, HEAD / 2);
    }
  }

  /** The current timestep, as the caption names it. @param {Surface} surface @param {Shown} shown @param {Columns} columns @param {number} height */
  function frameNow(surface, { recording }, { first, last, offset, columnWidth }, height) {
    const t = selectedTimestep(state, recording);
    if (t < first || t >= last) return;
    surface.strokeStyle = theme.get().accent;
    surface.lineWidth = 1.5;
    surface.strokeRect(offset + (t - first) * columnWidth, 1, Math.max(2, columnWidth), height - 2);
  }

  /** @param {Surface} surface @param {string} text @param {number} x @param {number} y @param {CanvasTextAlign} align */
  function write(surface, text, x, y, align = "left") {
    surface.font = SMALL;
    surface.textAlign = align;
    surface.textBaseline = "middle";
    surface.fillStyle = theme.get().soft;
    surface.fillText(text, x, y);
  }

  return {
    title() {
      const { shown } = now();
      return shown.lens ? `predictions, read at layer ${shown.layer} (lens)` : "predictions";
    },
    height() {
      const { shown, answers } = now();
      return (
        HEAD +
        rows(shown, answers).length * ROW +
        GAP +
        placesOf(bandsOf(shown, answers)).height +
        GAP
      );
    },
    draw(surface, width) {
      const { shown, answers } = now();
      const { first, last } = stretch(shown);
      const columnWidth = (width - LABELS) / (last - first);
      const columns = { first, last, offset: LABELS, columnWidth };
      drawTokens(surface, shown, columnWidth);
      const own = rows(shown, answers);
      own.forEach((row, n) => {
        const y = HEAD + n * ROW;
        write(surface, row.name, 0, y + ROW / 2);
        drawCells(surface, row, columns, { y, table: room.table(), theme: theme.get() });
      });
      surface.save();
      surface.translate(0, HEAD + own.length * ROW + GAP);
      const bands = bandsOf(shown, answers);
      placesOf(bands).bands.forEach((place, n) => {
        const { ends, lines, unit } = bands[n];
        const y = scaleY(place, ends);
        surface.fillStyle = theme.get().line;
        for (const value of ends) surface.fillRect(LABELS, y(value), width - LABELS, 1);
        write(
          surface,
          `${tickText(ends[1])} ${unit === "nats" ? unit : ""}`.trim(),
          LABELS - 6,
          place.top + 5,
          "right",
        );
        write(surface, tickText(ends[0]), LABELS - 6, place.top + place.height - 4, "right");
        lines.forEach(({ name, colour, dash }, at) => {
          const middle = place.top + ABOVE + 9 + at * ENTRY;
          surface.strokeStyle = String(theme.get()[colour]);
          surface.lineWidth = 2;
          surface.setLineDash(dash);
          surface.beginPath();
          surface.moveTo(0, middle);
          surface.lineTo(16, middle);
          surface.stroke();
          surface.setLineDash([]);
          write(surface, name.slice(0, 12), 22, middle);
        });
      });
      drawBands(surface, bands, columns, { theme: theme.get(), pixel: 0.5 });
      surface.restore();
      frameNow(surface, shown, columns, this.height(width) - GAP / 2);
    },
    table() {
      const { shown, answers } = now();
      const { about, recording } = shown;
      const { first, last } = stretch(shown);
      const { labels, targets } = about;
      const count = Math.min(shown.options.labels, answers.k);
      const measures = measuresOf(about.task);
      const columns = ["timestep", "token"];
      if (targets) columns.push("came next");
      columns.push(...measures.map((name) => (name === "rank" ? "rank" : name)));
      for (let n = 0; n < count; n++) columns.push(`label ${n + 1}`, `p ${n + 1}`);
      columns.push(...answers.numbers.map((_, n) => label(labels[n])));
      const table = [];
      for (let t = first; t < last; t++) {
        /** @type {(string | number)[]} */
        const row = [t, label(recording.about.tokens[t].text)];
        const target = targets?.[t] ?? null;
        if (targets) row.push(target === null ? "" : label(labels[target]));
        row.push(...measures.map((name) => answers.of[name][t]));
        for (let n = 0; n < count; n++) {
          const id = idAt(answers, t, n);
          row.push(id === null ? "" : label(labels[id]), probabilityAt(answers, t, n));
        }
        row.push(...answers.numbers.map((values) => values[t]));
        table.push(row);
      }
      return { caption: this.title(), columns, rows: table };
    },
    slice() {
      const { shown } = now();
      const { first, last } = stretch(shown);
      return { names: ["scores"], start: first, stop: last, units: null };
    },
  };
}
