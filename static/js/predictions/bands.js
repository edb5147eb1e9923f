// Measures over time as lines in bands, drawn the same way on the screen and into a file.

/** @import {Numbers, Surface} from '../types.js' */
/** @import {Theme} from '../theme.js' */
/** @import {Columns} from './cells.js' */
/** @import {Answers} from './measures.js' */
/** @import {Shown} from './room.js' */

import { label } from "../label.js";
import { niceEnds, scaleY, stackBands, vertices } from "../unit/lines.js";
import { stroke } from "../unit/picture.js";
import { MEASURES, flips, mainIds, probabilityOf } from "./measures.js";

/** Lines of one band that can be told apart. */
const MOST = 8;
/** A line of the legend, what is above the first one, and the least height of a band. */
export const ENTRY = 19;
export const ABOVE = 7;
const LEAST = 62;
const GAP = 16;
/** Columns this wide have a dot for each timestep. */
const DOTS = 14;

/** Colours and dashes: no two lines of a band have both in common, and none needs its colour alone. */
const COLOURS = /** @type {(keyof Theme)[]} */ (["accent", "positive", "high", "negative"]);
const DASHES = [[], [6, 3], [2, 3], [9, 3, 2, 3]];

/**
 * @typedef {object} Line
 * @property {string} name
 * @property {string} title
 * @property {Numbers} values
 * @property {number} decimals
 * @property {keyof Theme} colour
 * @property {number[]} dash
 */

/**
 * @typedef {object} Band
 * @property {string} unit
 * @property {[number, number]} ends
 * @property {Line[]} lines
 * @property {number} height
 * @property {number[]} flips  timesteps that are marked
 */

/**
 * @param {Shown} shown
 * @param {Answers} answers
 * @returns {Band[]}
 */
export function bandsOf({ about }, answers) {
  const { labels, task } = about;
  if (task === "value") return [numbersBand(labels, answers)];
  const measures = [
    band(
      "nats",
      [0, Math.log(labels.length) || 1],
      [
        ...(about.targets ? [measure("surprise", answers, 0)] : []),
        measure("entropy", answers, about.targets ? 1 : 0),
      ],
    ),
    band("", [0, 1], [measure("margin", answers, 2)]),
  ];
  if (task !== "classify") return measures;
  const classes = mainIds(answers, MOST).map((id, n) => ({
    name: label(labels[id]),
    title: `Probability of ${label(labels[id])}`,
    values: probabilityOf(answers, id),
    decimals: 3,
    ...look(n),
  }));
  return [band("probability", [0, 1], classes, flips(answers), 110), ...measures];
}

/** @param {number} n */
const look = (n) => ({ colour: COLOURS[n % COLOURS.length], dash: DASHES[Math.floor(n / 2) % 4] });

/** @param {keyof typeof MEASURES} name @param {Answers} answers @param {number} n @returns {Line} */
function measure(name, { of }, n) {
  const { formula, sentence, decimals, unit } = MEASURES[name];
  const title = `${sentence}\n${name} = ${formula}${unit && `, in ${unit}`}`;
  return { name, title, values: of[name], decimals, ...look(n), dash: n === 1 ? [6, 3] : [] };
}

/**
 * @param {string} unit
 * @param {[number, number]} least  ends that hold at least these
 * @param {Line[]} lines
 * @param {number[]} [marked]
 * @param {number} [height]
 * @returns {Band}
 */
function band(unit, least, lines, marked = [], height = LEAST) {
  let [low, high] = least;
  for (const { values } of lines)
    for (const value of values) if (value > high && value < Infinity) high = value;
  if (high > least[1]) [low, high] = niceEnds(0, high);
  return {
    unit,
    ends: [low, high],
    lines,
    height: Math.max(height, lines.length * ENTRY + 2 * ABOVE),
    flips: marked,
  };
}

/** @param {readonly string[]} labels @param {Answers} answers @returns {Band} */
function numbersBand(labels, { numbers }) {
  const lines = numbers.slice(0, MOST).map((values, n) => ({
    name: label(labels[n]),
    title: `The head's own number ${label(labels[n])}: it has no probability`,
    values,
    decimals: 3,
    ...look(n),
  }));
  let [low, high] = [0, 0];
  for (const { values } of lines)
    for (const value of values) {
      if (!Number.isFinite(value)) continue;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  const height = Math.max(140, lines.length * ENTRY + 2 * ABOVE);
  return { unit: "", ends: niceEnds(low, high), lines, height, flips: [] };
}

/** @param {readonly Band[]} bands */
export const placesOf = (bands) =>
  stackBands(
    bands.map(({ height }) => ({ height })),
    GAP,
  );

/**
 * @param {Surface} surface
 * @param {readonly Band[]} bands
 * @param {Columns} columns
 * @param {{theme: Theme, pixel: number}} options  `pixel`: as fine as it can be seen
 */
export function drawBands(surface, bands, columns, { theme, pixel }) {
  const places = placesOf(bands).bands;
  bands.forEach((own, n) => {
    drawFlips(surface, own, places[n], columns, theme);
    const y = scaleY(places[n], own.ends);
    for (const { values, colour, dash } of own.lines) {
      const path = vertices(values, columns, y, pixel);
      surface.strokeStyle = surface.fillStyle = String(theme[colour]);
      surface.lineWidth = columns.columnWidth < 2 ? 1 : 1.6;
      surface.setLineDash(columns.columnWidth < 2 ? [] : dash);
      stroke(surface, path);
      surface.setLineDash([]);
      dots(surface, path, columns.columnWidth >= DOTS ? 2.3 : 0);
    }
  });
}

/** @param {Surface} surface @param {Band} own @param {{top: number, height: number}} place @param {Columns} columns @param {Theme} theme */
function drawFlips(surface, own, { top, height }, { first, last, offset, columnWidth }, theme) {
  surface.strokeStyle = surface.fillStyle = theme.ink;
  surface.lineWidth = 1;
  for (const t of own.flips) {
    if (t < first || t >= last) continue;
    // Between the timestep before and this one.
    const x = Math.round(offset + (t - first) * columnWidth) + 0.5;
    surface.setLineDash([2, 2]);
    surface.beginPath();
    surface.moveTo(x, top);
    surface.lineTo(x, top + height);
    surface.stroke();
    surface.setLineDash([]);
    surface.beginPath();
    surface.moveTo(x - 4, top);
    surface.lineTo(x + 4, top);
    surface.lineTo(x, top + 6);
    surface.closePath();
    surface.fill();
  }
}

/** Dots on all timesteps, or with no radius on those that stand alone. @param {Surface} surface @param {number[]} path @param {number} radius */
function dots(surface, path, radius) {
  const gap = (/** @type {number} */ n) => n < 0 || n >= path.length || Number.isNaN(path[n]);
  surface.beginPath();
  for (let n = 0; n < path.length; n += 2) {
    if (gap(n) || (!radius && !(gap(n - 2) && gap(n + 2)))) continue;
    surface.moveTo(path[n] + (radius || 1.5), path[n + 1]);
    surface.arc(path[n], path[n + 1], radius || 1.5, 0, 2 * Math.PI);
  }
  surface.fill();
}
