// The canvases of the map: what does not depend on the step, painted when the camera moves or numbers
// come; over it what a step lights; and the names of rows, which neither covers.

/** @import {Page} from '../page.js' */
/** @import {Cell} from '../types.js' */
/** @import {NetworkContent} from './content.js' */
/** @import {Lit} from './flow.js' */
/** @import {Course} from '../time/transport.js' */
/** @import {Shot} from './shot.js' */

import { element } from "../dom.js";
import { drawFlow } from "./flow-picture.js";
import { drawRowNames } from "./labels.js";
import { drawNetwork } from "./picture.js";
import { levelsAt } from "./shot.js";

/** Width of the names of rows, in pixels. */
const NAMES = 112;

/**
 * @param {Page} page
 * @param {NetworkContent} content
 */
export function createNetworkCanvases({ state }, content) {
  const base = element("canvas", { id: "map-base" });
  const flow = element("canvas", { id: "map-flow" });
  const names = element("canvas", { id: "map-names" });
  const painted = { base: "", arrived: 0, flow: "", names: "" };
  /** Whether the picture is still to be completed. */
  let missing = false;

  /** Whether what a canvas shows is another than it was. @param {"base" | "flow" | "names"} canvas @param {unknown[]} parts */
  function differs(canvas, parts) {
    const key = parts.join(" ");
    if (painted[canvas] === key) return false;
    painted[canvas] = key;
    return true;
  }

  /** What decides where everything stands. @param {Shot} shot */
  const viewOf = ({ recording, lens, camera, theme }) =>
    [
      ...[recording.about.id, theme.background, theme.accent, devicePixelRatio],
      ...[lens.width, lens.height, camera.x, camera.y, camera.scale],
    ].join(" ");

  return {
    /** From the lowest to the highest. */
    nodes: [base, flow, names],

    /** @param {Shot} shot */
    paintBase(shot) {
      const { lens, camera, theme } = shot;
      const inside = levelsAt(camera.scale).inside > 0;
      const arrived = state.arrived.get();
      // What arrives is of interest only while something is missing.
      const completes = missing && arrived !== painted.arrived;
      const shown = [state.scale.get(), state.statistic.get(), inside && state.unit.get()];
      if (!differs("base", [viewOf(shot), ...shown]) && !completes) return;
      painted.arrived = arrived;
      const surface = sized(base, lens.width, lens.height, false);
      surface.fillStyle = theme.background;
      surface.fillRect(0, 0, lens.width, lens.height);
      drawNetwork(surface, shot, content);
      missing = content.missing;
    },

    /**
     * Whether it was painted anew.
     * @param {Shot} shot
     * @param {Lit} lit
     * @param {Course} course
     * @param {number} step
     */
    paintFlow(shot, lit, course, step) {
      if (!differs("flow", [viewOf(shot), course.order, step, shot.scene.head?.reads]))
        return false;
      const { width, height } = shot.lens;
      const surface = sized(flow, width, height, true);
      surface.clearRect(0, 0, width, height);
      drawFlow(surface, shot, lit, course, step);
      return true;
    },

    /** Apart from the veil also because setting a font costs more than a step may. @param {Shot} shot @param {Cell} selected */
    paintNames(shot, selected) {
      if (!differs("names", [viewOf(shot), selected.layer, selected.direction])) return;
      const { height } = shot.lens;
      const surface = sized(names, NAMES, height, true);
      surface.clearRect(0, 0, NAMES, height);
      drawRowNames(surface, shot, selected);
    },
  };
}

/**
 * A canvas of a size, in CSS pixels, ready to be painted on.
 * @param {HTMLCanvasElement} canvas
 * @param {number} width
 * @param {number} height
 * @param {boolean} alpha  whether what is below it is seen: if not, it is quicker to show
 */
function sized(canvas, width, height, alpha) {
  const ratio = devicePixelRatio || 1;
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { alpha }));
  if (canvas.width !== w || canvas.height !== h) {
    [canvas.width, canvas.height] = [w, h];
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
  }
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  return context;
}
