// The map of the network to keep: what the camera sees, as a picture, as a table and as numbers.

/** @import {Figure} from '../types.js' */
/** @import {Page} from '../page.js' */
/** @import {NetworkContent} from './content.js' */
/** @import {Shot} from './shot.js' */

import { clamped, viewOf } from "./camera.js";
import { label } from "../label.js";
import { arrayOf, norm } from "./content.js";
import { litAt } from "./flow.js";
import { lensOn, visible } from "./scene.js";
import { course, selectedCell } from "../state.js";
import { drawFlow } from "./flow-picture.js";
import { drawRowNames } from "./labels.js";
import { drawNetwork } from "./picture.js";

/** Rows of a table that somebody may want to read. */
const MOST_ROWS = 2000;

/**
 * @param {Page} page
 * @param {NetworkContent} content
 * @param {() => Shot | null} shown  what is on the screen
 * @returns {Figure}
 */
export function createNetworkFigure(page, content, shown) {
  const { state } = page;

  function now() {
    const shot = shown();
    if (!shot) throw new Error("there is no picture of the network: open its tab first");
    const seen = visible(shot.scene, viewOf(shot.lens, shot.camera));
    return { ...shot, seen };
  }

  return {
    title() {
      const { recording, seen } = now();
      const { first, last } = seen;
      if (last - first === recording.timesteps) return "the network unrolled over time";
      return `the network unrolled, timesteps ${first} to ${last - 1}`;
    },

    height(width) {
      const { lens } = now();
      return Math.round((width * lens.height) / lens.width);
    },

    draw(surface, width) {
      const { seen, ...shot } = now();
      void seen;
      const height = this.height(width);
      const lens = lensOn(shot.scene, { width, height });
      const scale = (shot.camera.scale * width) / shot.lens.width;
      const camera = clamped(lens, { ...shot.camera, scale });
      const { recording, scene } = shot;
      const picture = { ...shot, lens, camera };
      surface.save();
      surface.beginPath();
      surface.rect(0, 0, width, height);
      surface.clip();
      drawNetwork(surface, picture, content);
      const time = course(state, recording);
      const step = state.step.get();
      drawFlow(surface, picture, litAt(scene, time, step), time, step);
      drawRowNames(surface, picture, selectedCell(state));
      surface.restore();
    },

    table() {
      const { recording, seen } = now();
      const { first, last, rows } = seen;
      const unit = state.unit.get();
      const columns = ["timestep", "token", "layer", "direction", "norm of h", `h of unit ${unit}`];
      /** @type {(string | number)[][]} */
      const cells = [];
      for (let t = first; t < last && cells.length < MOST_ROWS; t++) {
        for (const { cell } of rows) {
          const h = recording.row(arrayOf(cell), t);
          const token = label(recording.about.tokens[t].text);
          const values = h ? [norm(h), unit < h.length ? h[unit] : ""] : ["", ""];
          cells.push([t, token, cell.layer, cell.direction, ...values]);
        }
      }
      const cut = (last - first) * rows.length > cells.length ? ", the first rows" : "";
      return { caption: `The cells of the network on the screen${cut}`, columns, rows: cells };
    },

    slice() {
      const { scene, seen } = now();
      const names = scene.rows.map(({ cell }) => arrayOf(cell));
      return { names, start: seen.first, stop: seen.last, units: null };
    },
  };
}
