// What is measured of a head at every timestep: its words and units, and what is found in them. Pure.

/** @import {NDArray, Numbers, Task} from '../types.js' */

/**
 * What was decided at every timestep; of a head of numbers only `numbers`.
 * @typedef {object} Answers
 * @property {number} timesteps
 * @property {number} k  labels of each timestep
 * @property {Numbers} top  [timesteps, k] ids; NaN where nothing was decided
 * @property {Numbers} probability  [timesteps, k]
 * @property {Record<MeasureName, Numbers>} of
 * @property {Numbers} changed
 * @property {Numbers[]} numbers  each over time
 */

/** @typedef {"surprise" | "rank" | "entropy" | "margin"} MeasureName */

/**
 * @typedef {object} Measure
 * @property {MeasureName} name
 * @property {string} unit
 * @property {string} formula
 * @property {string} sentence
 * @property {number} decimals
 * @property {boolean} ahead  whether it is about the token that came next
 */

/** @type {Record<MeasureName, Measure>} */
export const MEASURES = {
  surprise: {
    name: "surprise",
    unit: "nats",
    formula: "−ln p(what came next)",
    sentence: "How improbable the head held what really came next: 0 where it was certain of it.",
    decimals: 3,
    ahead: true,
  },
  rank: {
    name: "rank",
    unit: "",
    formula: "1 + how many labels are more probable",
    sentence: "The place of what really came next among all labels: 1 is the most probable.",
    decimals: 0,
    ahead: true,
  },
  entropy: {
    name: "entropy",
    unit: "nats",
    formula: "−Σ p ln p",
    sentence: "How undecided the head is between all labels: 0 where one has all probability.",
    decimals: 3,
    ahead: false,
  },
  margin: {
    name: "margin",
    unit: "",
    formula: "first − second probability",
    sentence: "How far the first label is ahead of the second: 0 where both are as probable.",
    decimals: 3,
    ahead: false,
  },
};

/** The measures a head has, the one it is coloured by at first in front. @param {Task} task @returns {MeasureName[]} */
export const measuresOf = (task) =>
  task === "next_token"
    ? ["surprise", "rank", "entropy", "margin"]
    : task === "value"
      ? []
      : ["margin", "entropy"];

/** @param {Map<string, NDArray>} arrays  as the server sends them @returns {Answers} */
export function answersOf(arrays) {
  const data = (/** @type {string} */ name) => arrays.get(name)?.data ?? new Float32Array();
  const scores = arrays.get("scores");
  const { shape } = scores ?? arrays.get("top") ?? { shape: [0, 0] };
  return {
    timesteps: shape[0],
    k: scores ? 0 : shape[1],
    top: data("top"),
    probability: data("probability"),
    of: {
      surprise: data("surprise"),
      rank: data("rank"),
      entropy: data("entropy"),
      margin: data("margin"),
    },
    changed: data("changed"),
    numbers: scores ? columnsOf(scores) : [],
  };
}

/** @param {NDArray} array */
const columnsOf = ({ shape: [T, width], data }) =>
  Array.from({ length: width }, (_, n) =>
    Float64Array.from({ length: T }, (_, t) => data[t * width + n]),
  );

/**
 * Between which values a measure is coloured, the same in every sentence; the second end is where the
 * head is least certain. A head that guesses blindly has the entropy and the surprise ln(labels).
 * @param {MeasureName} name
 * @param {number} labels  how many there are
 * @returns {[number, number]}
 */
export function endsOf(name, labels) {
  switch (name) {
    case "margin":
      return [1, 0];
    case "rank":
      return [1, Math.max(2, labels)];
    case "entropy":
    case "surprise":
      return [0, labels > 1 ? Math.log(labels) : 1];
  }
}

/**
 * Values as they are coloured, and the ends for them: ranks by their logarithm, and what is infinitely
 * surprising as the most surprising there is.
 * @param {MeasureName} name
 * @param {Numbers} values
 * @param {number} labels
 */
export function coloured(name, values, labels) {
  const ends = endsOf(name, labels);
  const scale = name === "rank" ? Math.log : (/** @type {number} */ v) => v;
  const [low, high] = ends.map(scale);
  const clamped = (/** @type {number} */ v) => (v === Infinity ? high : scale(v));
  return { values: Float32Array.from(values, clamped), low, high };
}

/**
 * What a text is coloured by: a measure of what came next belongs to the token that came.
 * @param {MeasureName} name
 * @param {Numbers} values
 */
export function onTokens(name, values) {
  if (!MEASURES[name].ahead) return values;
  const moved = new Float32Array(values.length).fill(NaN);
  moved.set(values.subarray(0, values.length - 1), 1);
  return moved;
}

/**
 * Of all timesteps whose next token is known: how many, their mean surprise in nats, e to that, and the
 * share of them that was the head's first guess. Null where there is none.
 * @param {Answers} answers
 */
export function summary({ of: { surprise, rank } }) {
  let [count, sum, first] = [0, 0, 0];
  surprise.forEach((value, t) => {
    if (Number.isNaN(value)) return;
    count++;
    sum += value;
    if (rank[t] === 1) first++;
  });
  if (!count) return null;
  const mean = sum / count;
  return { count, mean, perplexity: Math.exp(mean), first: first / count };
}

/**
 * The timesteps with the most extreme values, of equal ones the earlier first.
 * @param {Numbers} values
 * @param {1 | -1} sign  1: the largest
 * @param {number} count
 */
export function extremes(values, sign, count) {
  /** @type {number[]} */
  const found = [];
  values.forEach((value, t) => {
    if (Number.isNaN(value)) return;
    let place = found.length;
    while (place && sign * value > sign * values[found[place - 1]]) place--;
    if (place >= count) return;
    found.splice(place, 0, t);
    found.length = Math.min(found.length, count);
  });
  return found;
}

/** Where the top label is another one than before. @param {Answers} answers */
export function flips({ changed }) {
  /** @type {number[]} */
  const found = [];
  changed.forEach((value, t) => value > 0 && found.push(t));
  return found;
}

/**
 * At which share of timesteps two layers have the same top label; NaN where nothing was decided.
 * @param {Answers} a
 * @param {Answers} b  of the same recording
 */
export function agreement(a, b) {
  let [same, count] = [0, 0];
  for (let t = 0; t < a.timesteps; t++) {
    const [one, other] = [idAt(a, t, 0), idAt(b, t, 0)];
    if (one === null || other === null) continue;
    count++;
    if (one === other) same++;
  }
  return count ? same / count : NaN;
}

/** The id of the n-th label at a timestep; null where nothing was decided. @param {Answers} answers @param {number} t @param {number} n */
export function idAt({ top, k }, t, n) {
  const id = n < k ? top[t * k + n] : NaN;
  return Number.isNaN(id) ? null : id;
}

/** The probability of the n-th label. @param {Answers} answers @param {number} t @param {number} n */
export const probabilityAt = ({ probability, k }, t, n) => (n < k ? probability[t * k + n] : NaN);

/**
 * The probability of one label over time; NaN where it is not among the first k.
 * @param {Answers} answers
 * @param {number} id
 */
export function probabilityOf({ top, probability, k, timesteps }, id) {
  const values = new Float32Array(timesteps).fill(NaN);
  top.forEach((found, at) => {
    if (found === id) values[Math.floor(at / k)] = probability[at];
  });
  return values;
}

/**
 * The ids that are ever among the first ones, those with the highest probability first, then in the
 * order of their ids.
 * @param {Answers} answers
 * @param {number} most
 */
export function mainIds({ top, probability }, most) {
  /** @type {Map<number, number>} */
  const best = new Map();
  top.forEach((id, at) => {
    if (!Number.isNaN(id)) best.set(id, Math.max(best.get(id) ?? 0, probability[at]));
  });
  const ids = [...best].sort(([a, p], [b, q]) => q - p || a - b).map(([id]) => id);
  return ids.slice(0, most).sort((a, b) => a - b);
}
