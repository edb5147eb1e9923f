// Labels under their timesteps: rows of cells, each on the colour of its number, drawn the same way on the
// screen and into a file.

/** @import {Surface} from '../types.js' */
/** @import {Theme} from '../theme.js' */
/** @import {Answers} from './measures.js' */
/** @import {Shown} from './room.js' */

import { LEVELS, level } from "../colour.js";
import { label } from "../label.js";
import { css } from "../unit/readable.js";
import { idAt, probabilityAt } from "./measures.js";

/** Height of a row, and what is left between two. */
export const ROW = 20;
const GAP = 1;
/** Columns as wide as this have a bar behind the label, and a number beside it; narrower ones are filled. */
const BARS = 64;
const NUMBERS = 108;
/** How strong the colour of a bar is, and of what it lies on. */
const BAR = Math.round(0.72 * (LEVELS - 1));
const BED = Math.round(0.06 * (LEVELS - 1));
/** Columns narrower than this have no room for a letter. */
const LETTERS = 8;
/** In narrower ones a frame would be all there is. */
const MARKS = 5;
const FONT = "12px ui-sans-serif, system-ui, 'Segoe UI', Roboto, 'Noto Sans', sans-serif";

/**
 * What stands in one cell: a label, the number beside it, and whether it is what really came.
 * @typedef {{text: string, number: string, real: boolean}} CellText
 */

/**
 * @typedef {object} CellRow
 * @property {string} name
 * @property {string} title
 * @property {(t: number) => number} part  how strong the colour is, 0 to 1; NaN where there is no cell
 * @property {(t: number) => CellText} text
 */

/** @typedef {{first: number, last: number, offset: number, columnWidth: number}} Columns */

/** The name of a place in the list. @param {number} n */
const ordinal = (n) => `${n + 1}${["st", "nd", "rd"][n] ?? "th"}`;

/** A probability in few characters. @param {number} p */
export function percent(p) {
  if (Number.isNaN(p)) return "";
  if (p > 0 && p < 0.0005) return "<0.1\u00a0%";
  const decimals = p < 0.0995 && p > 0 ? 1 : 0;
  return `${(100 * p).toFixed(decimals)}\u00a0%`;
}

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
  // Between 1 and 2 lies as much as between 50 and 100.
  const worst = Math.log(Math.max(2, labels.length));
  rows.push({
    name: "came next",
    title: "What really came next, on the probability the head gave it",
    part: (t) => Math.exp(-surprise[t]),
    text(t) {
      const number = percent(Math.exp(-surprise[t]));
      return { text: label(labels[targets[t] ?? 0]), number, real: true };
    },
  });
  rows.push({
    name: "its rank",
    title: "The place of what really came next among all labels; the darker, the worse",
    part: (t) => Math.log(rank[t]) / worst,
    text: (t) => ({ text: String(rank[t]), number: "", real: false }),
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
  part: (t) => probabilityAt(answers, t, n),
  text(t) {
    const id = idAt(answers, t, n);
    return {
      text: id === null ? "" : label(labels[id]),
      number: percent(probabilityAt(answers, t, n)),
      real: id !== null && targets?.[t] === id,
    };
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
    const part = row.part(t);
    if (Number.isNaN(part)) continue;
    const x = offset + (t - first) * columnWidth;
    const width = columnWidth - apart;
    const bar = columnWidth >= BARS;
    surface.fillStyle = css(table[bar ? BED : level(part, 0, 1)]);
    surface.fillRect(x, y, width, height);
    if (bar) {
      surface.fillStyle = css(table[BAR]);
      surface.fillRect(x, y, Math.max(1, part * width), height);
    }
    if (columnWidth < MARKS) continue;
    const cell = row.text(t);
    if (cell.real) frame(surface, x, y, width, height, theme);
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
  const marked = width < NUMBERS ? "" : real && number ? `✓ ${number}` : number;
  surface.textAlign = "right";
  surface.fillText(marked, x + width - 5, y);
  surface.textAlign = "left";
  surface.fillText(cut(surface, text, width - widthOf(surface, marked) - 12), x + 5, y);
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
      const part = row.part(n);
      if (Number.isNaN(part)) continue;
      sum += part;
      known++;
    }
    if (!known) continue;
    surface.fillStyle = css(table[level(sum / known, 0, 1)]);
    surface.fillRect(offset + (t - first) * columnWidth, y, count * columnWidth + 0.3, ROW - GAP);
  }
}
