// Where the pictures of a pair stand: this side, the other, and what is left when one is taken from the
// other; and the ends of their scales. Pure.

/** @import {HeatmapRow} from '../heatmaps/layout.js' */
/** @import {Pair} from './sides.js' */

import { heatmapRows } from "../geometry.js";

/** Between two pictures, in CSS pixels. */
const GAP = 6;

/** @typedef {"one" | "other" | "difference"} PictureName */
/** @typedef {HeatmapRow & {name: PictureName}} PictureRow */

/**
 * Of every picture the same number of units share a row of pixels, so that rows can be compared.
 * @param {Pair} pair
 * @param {number} target  wished height of each in CSS pixels
 * @param {number} pixelRatio
 */
export function pictureLayout({ one, other }, target, pixelRatio) {
  const equal = one.width === other.width;
  const { unitsPerRow, rows, height } = heatmapRows(
    Math.max(one.width, other.width),
    target,
    pixelRatio,
  );
  const each = height / rows;
  let top = 0;
  /** @param {PictureName} name @param {Pair["one"]} side @returns {PictureRow} */
  const row = (name, { cell, quantity, width: units }) => {
    const own = Math.ceil(units / unitsPerRow);
    const made = {
      cell,
      quantity,
      name,
      focus: true,
      units,
      unitsPerRow,
      rows: own,
      top,
      height: own * each,
    };
    top += made.height + GAP;
    return made;
  };
  const found = [row("one", one), row("other", other)];
  if (equal) found.push(row("difference", one));
  return { rows: found, height: top - GAP };
}

/**
 * The end of a scale for differences: a number of two digits that holds all of them; 1 where all are
 * zero.
 * @param {ArrayLike<number>} values
 */
export function differenceEnd(values) {
  let most = 0;
  for (let n = 0; n < values.length; n++) {
    const magnitude = Math.abs(values[n]);
    if (magnitude > most && magnitude < Infinity) most = magnitude;
  }
  if (!most) return 1;
  const unit = 10 ** (Math.floor(Math.log10(most)) - 1);
  return Number((Math.ceil(most / unit - 1e-6) * unit).toPrecision(2));
}

/**
 * The columns of a level in which some timestep has no partner, as stretches [first, last).
 * @param {Int32Array} partner
 * @param {{first: number, last: number}} columns
 * @param {number} level
 * @returns {[number, number][]}
 */
export function withoutPartner(partner, { first, last }, level) {
  /** @type {[number, number][]} */
  const found = [];
  const each = 2 ** level;
  for (let column = first; column < last; column++) {
    const end = Math.min(partner.length, (column + 1) * each);
    let lacks = false;
    for (let t = column * each; t < end && !lacks; t++) lacks = partner[t] < 0;
    if (!lacks) continue;
    const open = found.at(-1);
    if (open && open[1] === column) open[1]++;
    else found.push([column, column + 1]);
  }
  return found;
}
