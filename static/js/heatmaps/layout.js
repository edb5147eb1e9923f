// Where the heatmaps stand: a group for every row of the network, a picture for every quantity, the
// selected group taller than the others. Pure.

/** @import {Cell} from '../types.js' */

import { heatmapRows } from "../geometry.js";

/** Between the pictures of a group, and between groups, in CSS pixels. */
const GAP = 2;
const GROUP_GAP = 9;
/** How much taller a picture of the selected group is. */
const FOCUS = 3;
const LOWEST = { focus: 16, other: 5 };
const HIGHEST = { focus: 120, other: 60 };

/**
 * @typedef {object} HeatmapRow
 * @property {Cell} cell
 * @property {string} quantity
 * @property {string} name  of the array
 * @property {boolean} focus  whether it is of the selected row
 * @property {number} units
 * @property {number} unitsPerRow
 * @property {number} rows  of pixels that differ
 * @property {number} top  CSS pixels
 * @property {number} height
 */

/** @typedef {{rows: HeatmapRow[], groups: {cell: Cell, focus: boolean, top: number, height: number}[], height: number}} HeatmapLayout */

/**
 * @param {object} asked
 * @param {Cell[]} asked.cells  from top to bottom
 * @param {Cell} asked.selected
 * @param {string[]} asked.quantities
 * @param {(cell: Cell, quantity: string) => number} asked.unitsOf
 * @param {number} asked.room  CSS pixels there are for all of them
 * @param {number} asked.pixelRatio
 * @returns {HeatmapLayout}
 */
export function heatmapLayout(asked) {
  const { cells, quantities, room } = asked;
  const focused = cells.filter((cell) => same(cell, asked.selected)).length;
  const gaps = (cells.length - 1) * GROUP_GAP + cells.length * (quantities.length - 1) * GAP;
  const shares = quantities.length * (cells.length - focused + FOCUS * focused);
  let share = Math.max(0, room - gaps) / Math.max(1, shares);
  let layout = withShare(asked, share);
  // Pictures are whole rows of pixels high, which may be more than their share.
  for (let n = 0; n < 20 && layout.height > room; n++) {
    share *= 0.98;
    layout = withShare(asked, share);
  }
  return layout;
}

/** @param {Cell} a @param {Cell} b */
const same = (a, b) => a.layer === b.layer && a.direction === b.direction;

/**
 * @param {Parameters<typeof heatmapLayout>[0]} asked
 * @param {number} share  the height of a picture, were it not one of the selected group
 */
function withShare({ cells, selected, quantities, unitsOf, pixelRatio }, share) {
  const focus = within(FOCUS * share, LOWEST.focus, HIGHEST.focus);
  const other = within(share, LOWEST.other, HIGHEST.other);
  /** @type {HeatmapRow[]} */
  const rows = [];
  const groups = [];
  let y = 0;
  for (const cell of cells) {
    const inFocus = same(cell, selected);
    const top = y;
    for (const quantity of quantities) {
      const units = unitsOf(cell, quantity);
      const part = heatmapRows(units, inFocus ? focus : other, pixelRatio);
      const name = `${cell.layer}.${cell.direction}.${quantity}`;
      rows.push({ cell, quantity, name, focus: inFocus, units, top: y, ...part });
      y += part.height + GAP;
    }
    groups.push({ cell, focus: inFocus, top, height: y - GAP - top });
    y += GROUP_GAP - GAP;
  }
  return { rows, groups, height: Math.max(0, y - GROUP_GAP) };
}

/** @param {number} value @param {number} low @param {number} high */
const within = (value, low, high) => Math.min(high, Math.max(low, Math.floor(value)));

/**
 * The place of a unit inside its picture, in CSS pixels from its top: the middle of its row.
 * @param {HeatmapRow} row
 * @param {number} place  of the unit in the order of units
 */
export const unitTop = ({ height, rows, unitsPerRow }, place) =>
  ((Math.floor(place / unitsPerRow) + 0.5) / rows) * height;

/**
 * What is under a height of the board: the picture, and the first and last place in its order of
 * units; null in a gap.
 * @param {HeatmapRow[]} rows
 * @param {number} y
 */
export function placesAt(rows, y) {
  const row = rows.find(({ top, height }) => y >= top && y < top + height);
  if (!row) return null;
  const first = Math.floor(((y - row.top) / row.height) * row.rows) * row.unitsPerRow;
  return { row, first, last: Math.min(row.units, first + row.unitsPerRow) - 1 };
}
