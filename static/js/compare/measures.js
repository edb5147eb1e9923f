// What is drawn of two states at each timestep, in bands from the top. Pure.

import { niceEnds, stackBands } from "../unit/lines.js";

/**
 * @typedef {object} Measure
 * @property {"cosine" | "relative" | "norm" | "other_norm"} name
 * @property {string} label
 * @property {string} formula
 * @property {"accent" | "positive" | "negative" | "ink" | "high"} colour  of the theme
 */

/** @type {{measures: Measure[], ends: readonly [number, number] | null, needsEqual: boolean}[]} */
export const BANDS = [
  {
    measures: [
      {
        name: "cosine",
        label: "cosine",
        formula: "a·b / (‖a‖ ‖b‖): 1 is the same direction, 0 none in common, −1 the opposite",
        colour: "accent",
      },
    ],
    ends: [-1, 1],
    needsEqual: true,
  },
  {
    measures: [
      {
        name: "relative",
        label: "distance",
        formula: "relative distance ‖a − b‖ / ½(‖a‖ + ‖b‖): 0 is equal, 2 as far as it can be",
        colour: "high",
      },
    ],
    ends: [0, 2],
    needsEqual: true,
  },
  {
    measures: [
      {
        name: "norm",
        label: "norm",
        formula: "‖a‖, the length of this side's state",
        colour: "positive",
      },
      {
        name: "other_norm",
        label: "norm",
        formula: "‖b‖, the length of the other side's state",
        colour: "negative",
      },
    ],
    ends: null,
    needsEqual: false,
  },
];

/** In CSS pixels: of a band with one line, and with two. */
const HEIGHTS = [50, 68];
const GAP = 14;

/** @param {boolean} equal  whether both sides have the same width */
export const bandsFor = (equal) => BANDS.filter(({ needsEqual }) => equal || !needsEqual);

/** @param {typeof BANDS} bands */
export const placeMeasures = (bands) =>
  stackBands(
    bands.map(({ measures }) => ({ height: HEIGHTS[measures.length - 1] })),
    GAP,
  );

/**
 * The ends of a band's axis.
 * @param {typeof BANDS[number]} band
 * @param {Record<string, ArrayLike<number>>} series
 * @returns {readonly [number, number]}
 */
export function measureEnds({ measures, ends }, series) {
  if (ends) return ends;
  let most = 0;
  for (const { name } of measures)
    for (const value of Array.from(series[name]))
      if (value > most && value < Infinity) most = value;
  return most ? niceEnds(0, most) : [0, 1];
}
