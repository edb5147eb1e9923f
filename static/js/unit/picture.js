// The lines of a unit over time, drawn the same way on the screen and into a file.

/** @import {Numbers, Surface} from '../types.js' */
/** @import {Band} from './lines.js' */
/** @import {Theme} from '../theme.js' */
/** @import {Shown} from './tab.js' */

import { endsOf, scaleY, stackBands, vertices } from "./lines.js";

/** Between two bands, and the least and most of each in CSS pixels: a line of the legend per quantity. */
const GAP = 20;
const LEAST = 76;
export const LEGEND = 34;
/** Columns this wide have a dot for each timestep. */
const DOTS = 14;

/** @param {readonly Band[]} bands */
export const placeBands = (bands) =>
  stackBands(
    bands.map(({ quantities }) => ({ height: Math.max(LEAST, quantities.length * LEGEND) })),
    GAP,
  );

/** The colour of a quantity's line: those of one band can be told apart, however one sees colours. */
const COLOURS = /** @type {Record<string, keyof Theme>} */ ({
  i: "accent",
  f: "high",
  o: "positive",
  g: "negative",
  h: "positive",
  c: "ink",
});

/** @param {string} quantity @param {Theme} theme */
export const lineColour = (quantity, theme) => String(theme[COLOURS[quantity] ?? "soft"]);

/**
 * The ends of each band's axis.
 * @param {readonly Band[]} bands
 * @param {Shown} shown
 */
export const bandEnds = (bands, { facts }) =>
  bands.map((band) =>
    endsOf(
      band,
      band.quantities.map(({ name }) => facts[name] ?? { low: NaN, high: NaN }),
    ),
  );

/**
 * All lines of a unit, in the bands they belong to.
 * @param {Surface} surface
 * @param {readonly Band[]} bands
 * @param {Shown} shown
 * @param {{first: number, last: number, offset: number, columnWidth: number}} window
 * @param {{theme: Theme, lines: string, pixel: number}} options  `pixel`: as fine as it can be seen
 */
export function drawLines(surface, bands, shown, window, { theme, lines, pixel }) {
  const ends = bandEnds(bands, shown);
  const places = placeBands(bands).bands;
  // A pointed corner would reach beyond the value it stands for.
  if ("lineJoin" in surface) surface.lineJoin = "bevel";
  // Dense lines are areas: what lies below shows through.
  surface.globalAlpha = window.columnWidth < 2 ? 0.7 : 1;
  bands.forEach(({ quantities }, n) => {
    const y = scaleY(places[n], ends[n]);
    for (const { name } of quantities) {
      const values = shown.series?.[name];
      if (!values || !lines.includes(name)) continue;
      drawLine(surface, values, window, y, { colour: lineColour(name, theme), pixel });
    }
  });
  surface.globalAlpha = 1;
}

/**
 * One line, with a dot at each timestep where there is room.
 * @param {Surface} surface
 * @param {Numbers} values
 * @param {Parameters<typeof vertices>[1]} window
 * @param {(value: number) => number} y
 * @param {{colour: string, pixel: number}} options
 */
export function drawLine(surface, values, window, y, { colour, pixel }) {
  const path = vertices(values, window, y, pixel);
  surface.strokeStyle = surface.fillStyle = colour;
  surface.lineWidth = widthOf(window.columnWidth);
  stroke(surface, path);
  if (window.columnWidth >= DOTS) dots(surface, path, 2.5);
  else alone(surface, path);
}

/** The closer the timesteps, the finer the line. @param {number} columnWidth */
const widthOf = (columnWidth) => (columnWidth < 1 ? 1 : columnWidth < DOTS ? 1.25 : 1.75);

/** A line through points, x and y in turn, with a gap where one is NaN. @param {Surface} surface @param {number[]} path */
export function stroke(surface, path) {
  surface.beginPath();
  let open = false;
  for (let n = 0; n < path.length; n += 2) {
    if (Number.isNaN(path[n])) open = false;
    else if (open) surface.lineTo(path[n], path[n + 1]);
    else {
      surface.moveTo(path[n], path[n + 1]);
      open = true;
    }
  }
  surface.stroke();
}

/** @param {Surface} surface @param {number[]} path @param {number} radius */
function dots(surface, path, radius) {
  surface.beginPath();
  for (let n = 0; n < path.length; n += 2) {
    if (Number.isNaN(path[n])) continue;
    surface.moveTo(path[n] + radius, path[n + 1]);
    surface.arc(path[n], path[n + 1], radius, 0, 2 * Math.PI);
  }
  surface.fill();
}

/** A number between two gaps is no line: it gets a dot. @param {Surface} surface @param {number[]} path */
function alone(surface, path) {
  const ends = (/** @type {number} */ n) => n < 0 || n >= path.length || Number.isNaN(path[n]);
  const found = [];
  for (let n = 0; n < path.length; n += 2)
    if (!ends(n) && ends(n - 2) && ends(n + 2)) found.push(path[n], path[n + 1]);
  if (found.length) dots(surface, found, 1.5);
}

/** A value at an axis. @param {number} value */
export const tickText = (value) =>
  Math.abs(value) >= 1e5 || (value && Math.abs(value) < 0.01)
    ? value.toExponential(0).replace("-", "−").replace("+", "")
    : String(Number(value.toPrecision(3))).replace("-", "−");
