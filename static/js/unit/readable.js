// Colours behind text: the scales of the pictures, softened just so far that the text can be read.

/** @import {Rgb} from '../colour.js' */

import { parseColour } from "../colour.js";

/** What WCAG asks for between a text and what it stands on. */
export const CONTRAST = 4.5;

/**
 * How light a colour is, 0 to 1, as WCAG defines it (relative luminance of sRGB).
 * @param {Rgb} rgb
 */
export function luminance(rgb) {
  const [r, g, b] = rgb.map((v) => {
    const part = v / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** From 1, the same, to 21, black on white. @param {Rgb} a @param {Rgb} b */
export function contrast(a, b) {
  const [darker, lighter] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (lighter + 0.05) / (darker + 0.05);
}

/**
 * A table of packed colours, all mixed with the paper in the same measure, so that the ink can be read on
 * each of them and equal distances stay equal.
 * @param {Uint32Array} table
 * @param {string} ink  "#rrggbb"
 * @param {string} paper
 */
export function softened(table, ink, paper) {
  const [text, ground] = [parseColour(ink), parseColour(paper)];
  const colours = [...table].map(unpack);
  const readable = (/** @type {number} */ strength) =>
    colours.every((colour) => contrast(mix(ground, colour, strength), text) >= CONTRAST);
  let [low, high] = [0, 1];
  if (readable(1)) low = 1;
  while (high - low > 0.005) {
    const middle = (low + high) / 2;
    if (readable(middle)) low = middle;
    else high = middle;
  }
  return Uint32Array.from(colours, (colour) => pack(mix(ground, colour, low)));
}

/** @param {Rgb} a @param {Rgb} b @param {number} part  of b @returns {Rgb} */
const mix = (a, b, part) =>
  /** @type {Rgb} */ (a.map((value, n) => Math.round(value + (b[n] - value) * part)));

/** As colour.js packs them. @param {number} packed @returns {Rgb} */
export const unpack = (packed) => [packed & 255, (packed >> 8) & 255, (packed >> 16) & 255];

/** @param {Rgb} rgb */
const pack = ([r, g, b]) => ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;

/** @param {number} packed */
export const css = (packed) => `rgb(${unpack(packed).join(" ")})`;
