// What is under the pointer: the token of both runs, and the value of both sides.

/** @import {Recording} from '../recording.js' */
/** @import {PictureRow} from './picture-layout.js' */
/** @import {Known} from './room.js' */
/** @import {Pair} from './sides.js' */

import { fixed } from "../format.js";
import { label } from "../label.js";
import { cellShort } from "./sides.js";

/**
 * `more`: how many further units share the row of pixels.
 * @typedef {{pair: Pair, recording: Recording, t: number, row: PictureRow | undefined, unit: number | null, more: number}} Hit
 */

/**
 * The lines of the tooltip. Numbers that are not here are asked for.
 * @param {Hit} hit
 * @param {Known | null} known
 */
export function readout({ pair, recording, t, row, unit, more }, known) {
  const { one, other, crosses } = pair;
  const partner = known?.alignment.partner[t] ?? -1;
  const otherRun = /** @type {Recording} */ (other.recording);
  const token = label(recording.about.tokens[t].text);
  const paired = !crosses
    ? ""
    : partner < 0
      ? " · no partner in A"
      : ` · A: “${label(otherRun.about.tokens[partner].text)}” at ${partner}`;
  const lines = [`“${token}” · timestep ${t}${paired}`];
  if (unit === null) return lines;
  lines.push(more ? `unit ${unit} and ${more} more in this row` : `unit ${unit}`);
  const a = recording.row(one.name, t);
  const b = partner < 0 ? undefined : otherRun.row(other.name, partner);
  if (!a) recording.want([one.name], t, t + 1);
  if (!b && partner >= 0) otherRun.want([other.name], partner, partner + 1);
  const [own, theirs] = [a?.[unit], b?.[unit]];
  const [first, second] = crosses ? ["B ", "A "] : ["", ""];
  if (own !== undefined && row?.name !== "other")
    lines.push(`${first}${one.quantity} of layer ${cellShort(one.cell)} = ${fixed(own, 6)}`);
  if (theirs !== undefined && (row?.name !== "one" || one.width === other.width))
    lines.push(
      `${second}${other.quantity} of layer ${cellShort(other.cell)} = ${fixed(theirs, 6)}`,
    );
  if (own !== undefined && theirs !== undefined && one.width === other.width)
    lines.push(`difference = ${fixed(own - theirs, 6)}`);
  if (lines.length === 2) lines.push("the numbers are coming …");
  return lines;
}
