// Which path is which, and what the colours of points mean.

/** @import {Shot} from './shot.js' */
/** @import {Paths} from './room.js' */

import { element, fitCanvas } from "../dom.js";
import { label } from "../label.js";
import { drawSwatch } from "./picture.js";
import { longName } from "./tools.js";
import { styleOf } from "./styles.js";

/** @typedef {{text: string, colour: string, style: import('./styles.js').Style | null, gone?: boolean}} Entry */

/**
 * @param {Shot} shot
 * @param {Paths} paths
 * @returns {Entry[]}
 */
export function legendOf({ panels, palette, swatches, runs, choices, theme }, paths) {
  /** @type {Entry[]} */
  const entries = [];
  const shared = panels.some(({ space }) => !space.cell);
  const own = choices.colour === "path";
  if (shared) {
    const cells = panels[0].space.paths.filter(({ run }) => run === 0);
    for (const { cell, style } of cells)
      entries.push({ text: longName(cell), colour: own ? palette[style.colour] : theme.soft, style: { ...style, dash: [] } }); // prettier-ignore
  }
  if (runs.length > 1)
    runs.forEach(({ title }, n) => {
      const style = shared ? { ...styleOf(0), dash: styleOf(n).dash } : styleOf(n);
      const colour = shared || !own ? theme.soft : palette[style.colour];
      entries.push({ text: n ? title : `${title} (on the screen)`, colour, style });
    });
  if (choices.colour === "label")
    for (const { text, hue } of paths.labelNames())
      entries.push({ text, colour: swatches[hue], style: null });
  return entries;
}

/** @param {Paths} paths */
export function createLegend(paths) {
  const root = element("div", { id: "paths-legend" });
  let built = "";

  /** @param {Entry} entry @param {boolean} join */
  function entryNode({ text, colour, style }, join) {
    const canvas = element("canvas", { "aria-hidden": "true" });
    const context = fitCanvas(canvas, style ? 34 : 12, 14);
    if (style) drawSwatch(context, colour, style, { join });
    else {
      context.fillStyle = colour;
      context.fillRect(1, 2, 10, 10);
    }
    return element("span", { class: "entry-of-path" }, canvas, element("bdi", {}, label(text)));
  }

  /** From the first timestep to the last. @param {Shot} shot */
  function ramp({ swatches }) {
    const node = element("i", { class: "ramp" });
    node.style.background = `linear-gradient(90deg, ${swatches.join(", ")})`;
    return element("span", { class: "entry-of-path" }, "first timestep ", node, " last");
  }

  return {
    root,
    /** @param {Shot} shot */
    paint(shot) {
      const entries = legendOf(shot, paths);
      const time = shot.choices.colour === "time";
      const key = JSON.stringify([
        entries,
        time,
        shot.choices.join,
        shot.swatches,
        devicePixelRatio,
      ]);
      if (key === built) return;
      built = key;
      root.replaceChildren(
        ...entries.map((entry) => entryNode(entry, shot.choices.join === 1)),
        ...(time ? [ramp(shot)] : []),
      );
      root.hidden = !root.childElementCount;
    },
  };
}
