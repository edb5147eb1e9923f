// Labels under their timesteps: rows of cells, each on the colour of its number, drawn the same way on the
// screen and into a file.

/** @import {Surface} from '../types.js' */
/** @import {Theme} from '../theme.js' */
/** @import {Answers} from './measures.js' */
/** @import {Shown} from './room.js' */

import { LEVELS, level } from "../colour.js";
import { label } from "../label.js";
import { css } from "../unit/readable.js";
import { coloured, idAt, probabilityAt } from "./measures.js";

/** Height of a row, and what is left between two. */
export const ROW = 20;
const GAP = 1;
/** Columns as wide as this have a bar and a number beside the label; narrower ones are filled. */
const BARS = 64;
/** Columns narrower than this have no room for a letter. */
const LETTERS = 8;
const FONT = "12px ui-sans-serif, system-ui, 'Segoe UI', Roboto, 'Noto Sans', sans-serif";

/**
 * One cell: how strong its colour is, what stands in it, and whether it is what really came.
 * @typedef {{part: number, text: string, number: string, real: boolean}} CellText
 */

/**
 * @typedef {object} CellRow
 * @property {string} name
 * @property {string} title
 * @property {(t: number) => CellText | null} at
 */

/** @typedef {{first: number, last: number, offset: number, columnWidth: number}} Columns */

/** The name of a place in the list. @param {number} n */
const ordinal = (n) => `${n + 1}${["st", "nd", "rd"][n] ?? "th"}`;

/** A probability in few characters. @param {number} p */
export const percent = (p) =>
  Number.isNaN(p)
    ? ""
    : p >= 0.995 || p === 0
      ? `${Math.round(100 * p)} %`
      : `${(100 * p).toFixed(p < 0.1 ? 1 : 0)} %`;

/**
 * The rows of a timestep's most probable labels, and of what really came.
 * @param {Shown} shown
 * @param {Answers} answers
 * @returns {CellRow[]}
 */
export function rowsOf({ about, options }, answers) {
  const { labels, targets } = about;
  const rows = Array.from({ length: Math.min(options.labels, answers.k) }, (_, n) =>
    labelRow(labels, targets, answers, n),
  );
  if (!targets) return rows;
  const { surprise, rank } = answers.of;
  const ranks = coloured("rank", rank, labels.length);
  rows.push({
    name: "came next",
    title: "What really came next, on the probability the head gave it",
    at(t) {
      const id = targets[t];
      if (id === null || Number.isNaN(surprise[t])) return null;
      const p = Math.exp(-surprise[t]);
      return { part: p, text: label(labels[id]), number: percent(p), real: true };
    },
  });
  rows.push({
    name: "its rank",
    title: "The place of what really came next among all labels; the darker, the worse",
    at: (t) =>
      Number.isNaN(rank[t])
        ? null
        : {
            part: (ranks.values[t] - ranks.low) / (ranks.high - ranks.low),
            text: String(rank[t]),
            number: "",
            real: false,
          },
  });
  return rows;
}

/**
 * @param {readonly string[]} labels
 * @param {readonly (number | null)[] | null} targets
 * @param {Answers} answers
 * @param {number} n  0 is the most probable
 * @returns {CellRow}
 */
export const labelRow = (labels, targets, answers, n) => ({
  name: n ? ordinal(n) : "most likely",
  title: n ? `The ${ordinal(n)} most probable label` : "The most probable label",
  at(t) {
    const id = idAt(answers, t, n);
    if (id === null) return null;
    const p = probabilityAt(answers, t, n);
    return { part: p, text: label(labels[id]), number: percent(p), real: targets?.[t] === id };
  },
});

/** Widths of texts that were measured. @type {Map<string, number>} */
const widths = new Map();

/** @param {Surface} surface @param {string} text */
function widthOf(surface, text) {
  const found = widths.get(text) ?? surface.measureText(text).width;
  if (widths.size > 5000) widths.clear();
  widths.set(text, found);
  return found;
}

/** As much of a text as there is room for. @param {Surface} surface @param {string} text @param {number} room */
function cut(surface, text, room) {
  if (widthOf(surface, text) <= room) return text;
  const characters = [...text];
  while (characters.length > 1) {
    characters.pop();
    const shorter = `${characters.join("")}…`;
    if (widthOf(surface, shorter) <= room) return shorter;
  }
  return "";
}

/**
 * A row of cells.
 * @param {Surface} surface
 * @param {CellRow} row
 * @param {Columns} columns
 * @param {{y: number, table: Uint32Array, theme: Theme}} options
 */
export function drawCells(surface, row, columns, { y, table, theme }) {
  const { first, last, offset, columnWidth } = columns;
  surface.font = FONT;
  surface.textBaseline = "middle";
  if (columnWidth < 1) return drawDense(surface, row, columns, { y, table });
  const apart = columnWidth >= LETTERS ? GAP : 0;
  const height = ROW - GAP;
  for (let t = first; t < last; t++) {
    const cell = row.at(t);
    if (!cell) continue;
    const x = offset + (t - first) * columnWidth;
    const width = columnWidth - apart;
    const bar = columnWidth >= BARS;
    surface.fillStyle = css(table[bar ? Math.round(0.72 * (LEVELS - 1)) : level(cell.part, 0, 1)]);
    surface.fillRect(x, y, bar ? Math.max(1, cell.part * width) : width, height);
    if (cell.real && columnWidth >= 4) frame(surface, x, y, width, height, theme);
    if (columnWidth >= LETTERS) write(surface, cell, { x, y: y + height / 2, width, bar, theme });
  }
}

/** @param {Surface} surface @param {number} x @param {number} y @param {number} width @param {number} height @param {Theme} theme */
function frame(surface, x, y, width, height, theme) {
  surface.strokeStyle = theme.accent;
  surface.lineWidth = 1.5;
  surface.strokeRect(x + 0.75, y + 0.75, width - 1.5, height - 1.5);
}

/**
 * @param {Surface} surface
 * @param {CellText} cell
 * @param {{x: number, y: number, width: number, bar: boolean, theme: Theme}} place
 */
function write(surface, { text, number, real }, { x, y, width, bar, theme }) {
  surface.fillStyle = theme.ink;
  if (!bar) {
    const shown = cut(surface, text, width - 1);
    surface.textAlign = "center";
    surface.fillText(shown, x + width / 2, y);
    return;
  }
  const marked = real && number ? `✓ ${number}` : number;
  const room = widthOf(surface, marked);
  surface.textAlign = "right";
  surface.fillText(marked, x + width - 5, y);
  surface.textAlign = "left";
  surface.fillText(cut(surface, text, width - room - 16), x + 5, y);
}

/**
 * Several timesteps share a pixel: it has their mean.
 * @param {Surface} surface
 * @param {CellRow} row
 * @param {Columns} columns
 * @param {{y: number, table: Uint32Array}} options
 */
function drawDense(surface, row, { first, last, offset, columnWidth }, { y, table }) {
  const count = Math.ceil(1 / columnWidth);
  for (let t = first; t < last; t += count) {
    let [sum, known] = [0, 0];
    for (let n = t; n < Math.min(last, t + count); n++) {
      const cell = row.at(n);
      if (!cell) continue;
      sum += cell.part;
      known++;
    }
    if (!known) continue;
    surface.fillStyle = css(table[level(sum / known, 0, 1)]);
    surface.fillRect(offset + (t - first) * columnWidth, y, count * columnWidth + 0.3, ROW - GAP);
  }
}
