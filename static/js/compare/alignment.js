// Two sequences of tokens beside each other: what the server's pairs mean for each timestep of this
// run. Pure.

/** @import {Comparison} from '../types.js' */

/**
 * What became of a token: "only" is in this run alone.
 * @typedef {"same" | "replaced" | "only"} Kind
 *
 * @typedef {object} Alignment
 * @property {Int32Array} partner  of every timestep: the other run's, −1 without one
 * @property {Int32Array} pair  of every timestep: its place in the list of pairs
 * @property {Kind[]} kinds  of every timestep
 * @property {Map<number, number[]>} lost  the other run's timesteps without a partner, by the timestep of this run they stand before
 * @property {number} changed  how many tokens differ, of both runs
 */

/** @param {Pick<Comparison, "pairs" | "same">} comparison @param {number} timesteps @returns {Alignment} */
export function alignmentOf({ pairs, same }, timesteps) {
  const partner = new Int32Array(timesteps).fill(-1);
  const pair = new Int32Array(timesteps).fill(-1);
  /** @type {Kind[]} */
  const kinds = new Array(timesteps).fill("only");
  /** @type {Map<number, number[]>} */
  const lost = new Map();
  let changed = 0;
  let waiting = /** @type {number[]} */ ([]);
  pairs.forEach(([t, other], n) => {
    if (!same[n]) changed++;
    if (t === null) {
      if (other !== null) waiting.push(other);
      return;
    }
    if (waiting.length) lost.set(t, waiting);
    waiting = [];
    pair[t] = n;
    if (other === null) return;
    partner[t] = other;
    kinds[t] = same[n] ? "same" : "replaced";
  });
  if (waiting.length) lost.set(timesteps, waiting);
  return { partner, pair, kinds, lost, changed };
}

/**
 * Numbers of pairs as numbers of timesteps; NaN without one.
 * @param {readonly (number | null)[]} values
 * @param {Int32Array} pair
 */
export const alongAxis = (values, pair) =>
  Float64Array.from(pair, (n) => (n < 0 ? NaN : (values[n] ?? NaN)));

/**
 * Where two runs part, on the axis of this run: the timestep, or the one behind the place where a token
 * is missing here; null where they do not.
 * @param {Pick<Comparison, "pairs" | "parts_at">} comparison
 */
export function partingOf({ pairs, parts_at }) {
  if (parts_at === null) return null;
  const [own, other] = pairs[parts_at];
  if (own !== null) return { timestep: own, missing: other === null ? "pinned" : null };
  // A token of the other run alone: it was lost before the next one that is here.
  const next = pairs.slice(parts_at).find(([t]) => t !== null)?.[0];
  const last = pairs.findLast(([t]) => t !== null)?.[0];
  return { timestep: next ?? last ?? 0, missing: "this" };
}

/**
 * The mean over some timesteps of what is a number there; null where nothing is.
 * @param {ArrayLike<number>} values
 * @param {number} first
 * @param {number} last  not included
 */
export function meanOver(values, first, last) {
  let [sum, count] = [0, 0];
  for (let t = first; t < last; t++) {
    if (Number.isNaN(values[t])) continue;
    sum += values[t];
    count++;
  }
  return count ? sum / count : null;
}
