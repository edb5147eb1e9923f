// What is under the pointer on the map of the network, and what is said about it.

/** @import {Cell} from '../types.js' */
/** @import {State} from '../state.js' */
/** @import {NetworkContent} from './content.js' */
/** @import {Spot} from './scene.js' */
/** @import {Shot} from './shot.js' */

import { toWorld } from "./camera.js";
import { cellPartAt } from "../cell/picture.js";
import { boxOf, levelsAt } from "./shot.js";
import { fixed } from "../format.js";
import { arrayOf, norm } from "./content.js";
import { lastOf, placeAt, rowOfCell } from "./scene.js";

/**
 * @typedef {object} Hit
 * @property {Shot} shot
 * @property {Spot} spot
 * @property {ReturnType<typeof partAt>} part  inside a cell that is open
 */

/**
 * @param {Shot | null} shot
 * @param {NetworkContent} content
 * @param {number} x  pixels of the map
 * @param {number} y
 * @returns {Hit | null}
 */
export function hitAt(shot, content, x, y) {
  if (!shot) return null;
  const at = toWorld(shot.lens, shot.camera, x, y);
  const spot = placeAt(shot.scene, at.x, at.y);
  if (!spot) return null;
  const open = spot.kind === "cell" && levelsAt(shot.camera.scale).inside >= 1;
  return { shot, spot, part: open ? partAt(shot, content, spot.cell, spot.timestep, x, y) : null };
}

/**
 * @param {Shot} shot
 * @param {NetworkContent} content
 * @param {Cell} cell
 * @param {number} timestep
 * @param {number} x
 * @param {number} y
 */
function partAt(shot, content, cell, timestep, x, y) {
  const inside = content.cell(shot.recording, cell, timestep);
  const found = cellPartAt(boxOf(shot, rowOfCell(shot.scene, cell), timestep), inside, x, y);
  if (!found || found.part.kind !== "vector" || found.unit === null) return null;
  const { name } = found.part;
  const value = inside.vectors[name]?.[found.unit];
  // A vector of the cell's own units; what it reads has others.
  const own = !name.startsWith("x") && name !== "hBefore" && !(inside.projected && name === "h");
  return { name: inside.names[name], unit: found.unit, value, own };
}

/**
 * @param {Hit} hit
 * @param {NetworkContent} content
 * @param {State} state
 * @returns {string[]}
 */
export function readout({ shot, spot, part }, content, state) {
  const { recording, scene } = shot;
  const { timestep } = spot;
  const token = `timestep ${timestep} “${content.token(recording, timestep)}”`;
  if (spot.kind === "input") return [`input x · ${token}`];
  if (spot.kind === "join")
    return [`output of layer ${spot.layer} · ${token}`, "h forward and h backward, side by side"];
  if (spot.kind === "head") {
    const said = content.prediction(recording, timestep);
    return [`prediction · ${token}`, ...(said ? [`${said.text}  ${said.score}`] : [])];
  }
  const { layer, direction } = spot.cell;
  const lines = [`layer ${layer} ${direction} · ${token}`];
  const h = recording.row(arrayOf(spot.cell), timestep);
  if (!h) return [...lines, "the numbers are coming …"];
  const unit = state.unit.get();
  const own = unit < h.length ? ` · h of unit ${unit}: ${fixed(h[unit], 4)}` : "";
  lines.push(`norm of h: ${fixed(norm(h), 4)}${own}`);
  if (part?.value !== undefined) lines.push(`${part.name}, ${part.unit}: ${fixed(part.value, 4)}`);
  if (timestep === lastOf(scene, rowOfCell(scene, spot.cell)))
    lines.push("the last one it computes: its h and c are h_n and c_n");
  return lines;
}
