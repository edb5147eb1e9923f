// What this room shows, as a link says it; and which layers the head can read. Pure.

/** @import {Layer} from '../types.js' */

/** `layer` -1 is the top one, which the head was trained on; `by` "" is the first measure there is. */
export const DEFAULTS = { layer: -1, by: "", labels: 5, grid: "" };

export const LABELS = [1, 3, 5, 10];

/** @type {{[name in keyof typeof DEFAULTS]: (value: any) => boolean}} */
export const SOUND = {
  layer: (layer) => Number.isInteger(layer) && layer >= -1,
  by: (by) => ["", "surprise", "rank", "entropy", "margin"].includes(by),
  labels: (labels) => LABELS.includes(labels),
  grid: (grid) => ["", "on", "off"].includes(grid),
};

/** What a layer hands up, in words. @param {Layer} layer */
export const widthOf = ({ directions, output_size }) =>
  directions.map((direction) => `${output_size} units ${direction}`).join(" and ");

/** Whether the head can read a layer: it is made for what the top one hands up. @param {readonly Layer[]} layers @param {number} n */
export const fits = (layers, n) => {
  const layer = layers[n];
  return layer !== undefined && widthOf(layer) === widthOf(layers[layers.length - 1]);
};

/** The layer that is really shown: the top one where the one asked for cannot be. @param {readonly Layer[]} layers @param {number} asked */
export const layerOf = (layers, asked) => (fits(layers, asked) ? asked : layers.length - 1);
