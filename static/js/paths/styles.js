// How paths are told apart: by colour, by dashes and by the shape of their points. Pure.

/** @import {Theme} from '../theme.js' */
/** @import {Surface} from '../types.js' */

import { parseColour } from "../colour.js";

/** Seven colours that can be told apart, however one sees colours, on light paper and on dark. */
const LIGHT = ["#0b6e75", "#c65a11", "#2f6db3", "#a3356f", "#667700", "#5b3fa0", "#8c5a2b"];
const DARK = ["#4fb8bf", "#ee8a42", "#5b9be0", "#e77fb5", "#b5c642", "#b79cf2", "#c9a27a"];

const SHAPES = /** @type {const} */ ([
  "circle",
  "square",
  "up",
  "diamond",
  "down",
  "cross",
  "plus",
]);
const DASHES = [[], [7, 4], [2, 4], [10, 3, 2, 3], [4, 2]];

/** @typedef {typeof SHAPES[number]} Shape */
/** @typedef {{colour: number, shape: Shape, dash: number[]}} Style  `colour` is a place in the palette */

/** Thirty-five that differ in two things at least. @param {number} n @returns {Style} */
export const styleOf = (n) => ({
  colour: n % LIGHT.length,
  shape: SHAPES[n % SHAPES.length],
  dash: DASHES[n % DASHES.length],
});

/** The palette for a theme. @param {Theme} theme */
export function paletteOf({ background }) {
  const [r, g, b] = parseColour(background);
  return r + g + b < 384 ? DARK : LIGHT;
}

/** How many steps the colours of time have. */
const MOMENTS = 24;

/** From the first timestep to the last. @param {Theme} theme */
export function momentsOf(theme) {
  const stops = [theme.negative, theme.high, theme.positive].map(parseColour);
  return Array.from({ length: MOMENTS }, (_, n) => {
    const at = (2 * n) / (MOMENTS - 1);
    const low = Math.min(1, Math.floor(at));
    const mixed = stops[low].map((v, k) => Math.round(v + (stops[low + 1][k] - v) * (at - low)));
    return `#${mixed.map((value) => value.toString(16).padStart(2, "0")).join("")}`;
  });
}

/** The colour of time of a timestep, as a place among the moments. @param {number} t @param {number} timesteps */
export const momentOf = (t, timesteps) =>
  timesteps < 2 ? 0 : Math.round((t / (timesteps - 1)) * (MOMENTS - 1));

/** The corners of a shape, from its middle, where its size is 1. @type {Record<Exclude<Shape, "circle">, number[]>} */
const CORNERS = {
  square: [-0.9, -0.9, 0.9, -0.9, 0.9, 0.9, -0.9, 0.9],
  up: [0, -1.2, 1.1, 0.8, -1.1, 0.8],
  down: [0, 1.2, 1.1, -0.8, -1.1, -0.8],
  diamond: [0, -1.3, 1.1, 0, 0, 1.3, -1.1, 0],
  plus: plus(0),
  cross: plus(Math.PI / 4),
};

/** @param {number} turned  radians */
function plus(turned) {
  const [a, b] = [0.4, 1.25];
  const arm = [-a, -b, a, -b, a, -a, b, -a, b, a, a, a, a, b, -a, b, -a, a, -b, a, -b, -a, -a, -a];
  const [cos, sin] = [Math.cos(turned), Math.sin(turned)];
  return arm.map((_, n) =>
    n % 2 ? sin * arm[n - 1] + cos * arm[n] : cos * arm[n] - sin * arm[n + 1],
  );
}

/**
 * Add a point to the surface's path.
 * @param {Surface} surface
 * @param {Shape} shape
 * @param {number} x
 * @param {number} y
 * @param {number} size  half of its width, in pixels
 */
export function addPoint(surface, shape, x, y, size) {
  if (shape === "circle") {
    surface.moveTo(x + size, y);
    surface.arc(x, y, size, 0, 2 * Math.PI);
    return;
  }
  const corners = CORNERS[shape];
  surface.moveTo(x + size * corners[0], y + size * corners[1]);
  for (let n = 2; n < corners.length; n += 2)
    surface.lineTo(x + size * corners[n], y + size * corners[n + 1]);
  surface.closePath();
}
