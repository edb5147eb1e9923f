// What temperature, top-k and top-p leave of a row of probabilities, as lstm_core.analysis.sampling
// has it; and the labels a person can choose from.

/** @import {Numbers} from '../types.js' */
/** @import {Options} from './options.js' */

/**
 * The probabilities that are drawn from: 0 for what is left out. All zeros where nothing is left.
 * @param {ArrayLike<number>} probabilities
 * @param {Pick<Options, "t" | "k" | "p">} options
 * @param {(id: number) => boolean} [allowed]
 */
export function remaining(probabilities, { t, k, p }, allowed = () => true) {
  const out = new Float64Array(probabilities.length);
  for (let n = 0; n < out.length; n++) out[n] = allowed(n) ? probabilities[n] : 0;
  const most = out.reduce((a, b) => Math.max(a, b), 0);
  if (!(most > 0)) return out.fill(0);
  for (let n = 0; n < out.length; n++) out[n] = Math.pow(out[n] / most, 1 / t);
  const order = ranking(out);
  if (k) for (const id of order.slice(k)) out[id] = 0;
  scale(out);
  if (p < 1) {
    let sum = 0;
    for (const id of order) {
      const before = sum;
      sum += out[id];
      if (before >= p) out[id] = 0;
    }
    scale(out);
  }
  return out;
}

/** @param {Float64Array} values */
function scale(values) {
  const sum = values.reduce((a, b) => a + b, 0);
  for (let n = 0; n < values.length; n++) values[n] /= sum;
}

/** Every id, the most probable first, of equals the lowest. @param {ArrayLike<number>} probabilities */
export function ranking(probabilities) {
  const ids = Array.from({ length: probabilities.length }, (_, n) => n);
  return ids.sort((a, b) => probabilities[b] - probabilities[a] || a - b);
}

/** What vocabularies call the entry for everything they do not have, as in lstm_core.text. */
const UNKNOWN = new Set([
  ...["<unk>", "<UNK>", "[UNK]", "UNK", "unk", "<Unk>", "<unknown>", "<UNKNOWN>", "__unk__"],
  ...["__UNK__", "_UNK", "<oov>", "<OOV>", "[OOV]", "OOV", "oov", "@@UNKNOWN@@", "\u2047"],
]);

/**
 * Whether a label looks like one that can be written; the server, which has the vocabulary, decides.
 * @param {string} label
 * @param {string} split
 */
export function isWritable(label, split) {
  if (!label || UNKNOWN.has(label) || /[\0\ud800-\udfff]/.test(label.replace(PAIRS, "")))
    return false;
  if (split === "characters") return [...label].length === 1;
  // A byte in the middle of a character needs those beside it.
  if (split === "bytes") return [...label].length === 1;
  return !/\s/.test(label);
}

const PAIRS = /[\ud800-\udbff][\udc00-\udfff]/g;

/**
 * What is known of a token that came: how probable it was, and what else might have come.
 * @typedef {object} Facts
 * @property {number} probability
 * @property {number} rank  1 for the most probable; of equals the lower id comes first
 * @property {number} entropy  nats
 */

/**
 * @param {Numbers} row  of probabilities
 * @param {number} id  of the label that came
 * @returns {Facts | null}  null where they are not numbers
 */
export function factsOf(row, id) {
  const probability = row[id];
  let [rank, entropy] = [1, 0];
  for (let n = 0; n < row.length; n++) {
    const p = row[n];
    if (Number.isNaN(p)) return null;
    if (p > probability || (p === probability && n < id)) rank++;
    if (p > 0) entropy -= p * Math.log(p);
  }
  return { probability, rank, entropy };
}
