// The canvases of the room: what stands, the pixels of long paths, and what a step moves.

/** @import {Path} from './paths.js' */
/** @import {Panel, Shot} from './shot.js' */
/** @import {Trace} from './trace.js' */

import { parseColour } from "../colour.js";
import { context2d, element, fitCanvas } from "../dom.js";
import { drawBase, drawLabels, drawStep, labelsShown, nowLabels } from "./picture.js";
import { createTrace, lengthOf } from "./trace.js";

/** Points that are painted while a space is being turned. */
const MOVING = 6000;
/** Pixels of line per pixel of a panel from which on lines are areas. */
const DENSE = 0.3;

/** "#rrggbb" as a canvas keeps it. @param {string} hex */
function packed(hex) {
  const [r, g, b] = parseColour(hex);
  return (b << 16) | (g << 8) | r;
}

/**
 * The pixels of all paths of a picture.
 * @param {Shot} shot
 * @param {number} ratio  pixels of the canvas per pixel of the picture
 * @param {number} [every]  of so many points one is painted
 */
export function traceOf(shot, ratio, every = 1) {
  const hues = shot.swatches.map(packed);
  const own = shot.palette.map(packed);
  const lines = shot.panels.flatMap(({ space, places, hues: list, inner }) => {
    const length = places.reduce((sum, path) => sum + lengthOf(path), 0);
    const dense = length > DENSE * inner.width * inner.height;
    return places.map(({ x, y }, n) => {
      const thin = (/** @type {Float32Array} */ from) =>
        Float32Array.from({ length: Math.ceil(from.length / every) }, (_, k) => from[k * every] * ratio); // prettier-ignore
      const { style } = space.paths[n];
      const hue = list[n];
      return {
        places: { x: thin(x), y: thin(y), near: null },
        colour: (/** @type {number} */ at) => (hue ? hues[hue[at * every]] : own[style.colour]),
        size: shot.size * ratio,
        join: shot.choices.join === 1,
        dash: style.dash.map((part) => part * ratio),
        dense,
      };
    });
  });
  return createTrace(Math.round(shot.width * ratio), Math.round(shot.height * ratio), lines);
}

/** As a canvas, every path as far as it is. @param {Shot} shot @param {readonly (readonly number[])[]} passed  by panel */
export function tracePicture(shot, passed) {
  const trace = traceOf(shot, 2);
  trace.pass(passed.flatMap((list, panel) => (shot.panels[panel].view ? list : [])));
  const canvas = element("canvas");
  [canvas.width, canvas.height] = [trace.width, trace.height];
  context2d(canvas).putImageData(imageOf(trace), 0, 0);
  return canvas;
}

/** @param {Trace} trace */
const imageOf = ({ pixels, width, height }) =>
  new ImageData(
    new Uint8ClampedArray(/** @type {ArrayBuffer} */ (pixels.buffer)),
    Math.max(1, width),
    Math.max(1, height),
  );

export function createPathsCanvases() {
  const base = element("canvas", { "aria-hidden": "true" });
  const traced = element("canvas", { "aria-hidden": "true" });
  const moving = element("canvas", { "aria-hidden": "true" });
  const labels = element("canvas", { "aria-hidden": "true" });
  /** Which labels are on their canvas, by panel. @type {boolean[][]} */
  let labelled = [];
  /** @type {{trace: Trace, image: ImageData, every: number} | null} */
  let pixels = null;

  return {
    /** From the lowest to the highest. */
    nodes: [base, traced, moving, labels],

    /** @param {Shot} shot @param {boolean} turning */
    paintBase(shot, turning) {
      const ratio = devicePixelRatio || 1;
      drawBase(fitCanvas(base, shot.width, shot.height), shot);
      fitCanvas(labels, shot.width, shot.height);
      labelled = shot.panels.map((panel) => panel.labels.map(() => false));
      traced.hidden = !shot.long;
      pixels = null;
      if (!shot.long) return;
      const count = shot.panels.reduce(
        (sum, { space }) => sum + space.paths.reduce((all, path) => all + path.timesteps, 0),
        0,
      );
      const every = turning ? Math.ceil(count / MOVING) : 1;
      const trace = traceOf(shot, ratio, every);
      pixels = { trace, image: imageOf(trace), every };
      fitCanvas(traced, shot.width, shot.height);
      context2d(traced).putImageData(pixels.image, 0, 0);
    },

    /**
     * @param {Shot} shot
     * @param {readonly (readonly number[])[]} passed  points of every path, by panel
     */
    paintStep(shot, passed) {
      if (pixels) {
        const { trace, image, every } = pixels;
        const now = passed.flatMap((list, n) =>
          shot.panels[n].view ? list.map((count) => Math.ceil(count / every)) : [],
        );
        const changed = trace.pass(now);
        if (changed) {
          const { x, y, width, height } = changed;
          context2d(traced).putImageData(image, 0, 0, x, y, width, height);
        }
      }
      const context = fitCanvas(moving, shot.width, shot.height);
      shot.panels.forEach((panel, n) => {
        const now = nowLabels(shot, panel, passed[n]);
        drawStep(context, shot, panel, passed[n], now);
        paintLabels(shot, n, labelsShown(panel, passed[n], now));
      });
    },
  };

  /** No two labels overlap: one that comes or goes changes no other. @param {Shot} shot @param {number} n @param {boolean[]} shown */
  function paintLabels(shot, n, shown) {
    const context = context2d(labels);
    const all = shot.panels[n].labels;
    all.forEach(({ box }, k) => {
      // What is at the edge of a pixel is cleared with it.
      if (labelled[n][k] && !shown[k])
        context.clearRect(box.x - 0.5, box.y - 0.5, box.width + 1, box.height + 1);
    });
    drawLabels(context, shot, all.filter((_, k) => shown[k] && !labelled[n][k])); // prettier-ignore
    labelled[n] = shown;
  }
}
