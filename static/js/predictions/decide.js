// What probabilities decide, where no server is there to say it: the same measures, under the same names.
// Pure.

/** @import {NDArray, Numbers} from '../types.js' */

/**
 * The ids of the k highest numbers, highest first, of equal ones the lower id.
 * @param {Numbers} row
 * @param {number} k
 */
function highest(row, k) {
  /** @type {number[]} */
  const ids = [];
  row.forEach((p, id) => {
    if (ids.length === k && !(p > row[ids[k - 1]])) return;
    let place = ids.length;
    while (place && p > row[ids[place - 1]]) place--;
    ids.splice(place, 0, id);
    ids.length = Math.min(ids.length, k);
  });
  return ids;
}

/** @param {Numbers} row */
function entropyOf(row) {
  let sum = 0;
  for (const p of row) if (p > 0) sum -= p * Math.log(p);
  return Math.max(0, sum);
}

/** @param {Numbers} row @param {number} target */
function rankOf(row, target) {
  let rank = 1;
  row.forEach((p, id) => {
    if (p > row[target] || (p === row[target] && id < target)) rank++;
  });
  return rank;
}

/**
 * As the server's predictions.
 * @param {NDArray} scores  [timesteps, labels]
 * @param {readonly (number | null)[] | null} targets
 * @param {number} most  labels of each timestep
 * @returns {Map<string, NDArray>}
 */
export function decide({ shape: [T, labels], data }, targets, most) {
  const k = Math.min(most, labels);
  const array = (/** @type {number[]} */ ...shape) => ({
    shape,
    data: new Float32Array(shape.reduce((a, b) => a * b)).fill(NaN),
  });
  const [top, probability] = [array(T, k), array(T, k)];
  const [entropy, rank, surprise, margin, changed] = [0, 1, 2, 3, 4].map(() => array(T));
  for (let t = 0; t < T; t++) {
    changed.data[t] = 0;
    const row = data.subarray(t * labels, (t + 1) * labels);
    if (!row.every(Number.isFinite)) continue;
    const ids = highest(row, Math.max(2, k));
    ids.slice(0, k).forEach((id, n) => {
      top.data[t * k + n] = id;
      probability.data[t * k + n] = row[id];
    });
    entropy.data[t] = entropyOf(row);
    margin.data[t] = row[ids[0]] - (row[ids[1]] ?? 0);
    const before = t ? top.data[(t - 1) * k] : NaN;
    changed.data[t] = Number(!Number.isNaN(before) && before !== ids[0]);
    const target = targets?.[t] ?? null;
    if (target === null) continue;
    rank.data[t] = rankOf(row, target);
    surprise.data[t] = Math.max(0, -Math.log(row[target]));
  }
  return new Map(Object.entries({ top, probability, entropy, rank, surprise, margin, changed }));
}
