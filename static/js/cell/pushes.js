// What pushes a gate: the terms of one unit's pre-activation, z = Σ W x + Σ U h + b, the largest first.

/** @import {NDArray, Numbers} from '../types.js' */

/**
 * The rows of the weights that drive one unit; gates in the order i f g o.
 * @typedef {{W: NDArray, U: NDArray, b: NDArray}} Weights
 */

/**
 * One term: a weight times a number the cell reads.
 * @typedef {object} Push
 * @property {"input" | "hidden"} from
 * @property {number} part  which vector of the input: one for each direction of the layer below
 * @property {number} index  in that vector, or in h of the timestep before
 * @property {number} weight
 * @property {number} value
 * @property {number} term  their product
 */

/**
 * The terms with the largest magnitude, and what the others add up to: shown + rest + b = z.
 * @typedef {object} Pushes
 * @property {Push[]} shown  the largest first
 * @property {number} rest  sum of the terms that are not shown
 * @property {number} others  how many these are
 * @property {number} Wx  what all of the input adds
 * @property {number} Uh  what all of h adds
 * @property {number} b  both biases
 * @property {number} z
 */

/**
 * Take the pre-activation of a gate apart.
 *
 * Sums are in double precision whatever the recording is in. A term that is no number comes first.
 * @param {Weights} weights
 * @param {number} gate  0 to 3
 * @param {Numbers[]} x  what the cell reads at this timestep, in parts
 * @param {Numbers} h  its own h of the timestep before
 * @param {number} [count]  how many to show
 * @returns {Pushes}
 */
export function pushes({ W, U, b }, gate, x, h, count = Infinity) {
  const vectors = [...x, h];
  const inputs = W.shape[1];
  const terms = products(W, U, gate, vectors);
  const order = largest(terms, count);
  const isShown = new Uint8Array(terms.length);
  for (const n of order) isShown[n] = 1;
  let rest = 0;
  for (let n = 0; n < terms.length; n++) if (!isShown[n]) rest += terms[n];
  const bias = b.data[2 * gate] + b.data[2 * gate + 1];
  let [Wx, Uh, z] = [0, 0, 0];
  for (let n = 0; n < inputs; n++) Wx += terms[n];
  for (let n = inputs; n < terms.length; n++) Uh += terms[n];
  for (const n of order) z += terms[n];
  return {
    shown: Array.from(order, describe),
    rest,
    others: terms.length - order.length,
    Wx,
    Uh,
    b: bias,
    z: z + rest + bias,
  };

  /** @param {number} n @returns {Push} */
  function describe(n) {
    const hidden = n >= inputs;
    let [part, index] = [0, n];
    while (index >= vectors[part].length) index -= vectors[part++].length;
    return {
      from: hidden ? "hidden" : "input",
      part: hidden ? 0 : part,
      index,
      weight: hidden ? U.data[gate * U.shape[1] + n - inputs] : W.data[gate * inputs + n],
      value: vectors[part][index],
      term: terms[n],
    };
  }
}

/**
 * Every W_ij x_j, then every U_ij h_j.
 * @param {NDArray} W
 * @param {NDArray} U
 * @param {number} gate
 * @param {Numbers[]} vectors  the parts of x, then h
 */
function products(W, U, gate, vectors) {
  const [inputs, hidden] = [W.shape[1], U.shape[1]];
  const read = vectors.reduce((sum, { length }) => sum + length, 0);
  if (read !== inputs + hidden)
    throw new Error(`the weights read ${inputs} + ${hidden} numbers, but there are ${read}`);
  const terms = new Float64Array(read);
  let n = 0;
  for (const vector of vectors) {
    const isHidden = n >= inputs;
    const { data } = isHidden ? U : W;
    const from = isHidden ? gate * hidden : gate * inputs + n;
    for (let k = 0; k < vector.length; k++) terms[n++] = data[from + k] * vector[k];
  }
  return terms;
}

/** Above this many a sort is faster than keeping the best so far. */
const FEW = 40;

/**
 * The places of the terms with the largest magnitude, the largest first; of equal ones the first.
 * @param {Float64Array} terms
 * @param {number} count
 */
export function largest(terms, count) {
  const sizes = new Float64Array(terms.length);
  for (let n = 0; n < terms.length; n++) {
    sizes[n] = Number.isNaN(terms[n]) ? Infinity : Math.abs(terms[n]);
  }
  const wanted = Math.min(count, terms.length);
  if (wanted > FEW) {
    const order = Uint32Array.from(terms, (_, n) => n);
    order.sort((a, b) => (sizes[a] === sizes[b] ? a - b : sizes[b] - sizes[a]));
    return order.subarray(0, wanted);
  }
  const best = new Uint32Array(wanted);
  let held = 0;
  for (let n = 0; wanted && n < sizes.length; n++) {
    const own = sizes[n];
    if (held === wanted && own <= sizes[best[held - 1]]) continue;
    let at = held < wanted ? held++ : held - 1;
    for (; at > 0 && sizes[best[at - 1]] < own; at--) best[at] = best[at - 1];
    best[at] = n;
  }
  return best;
}
