// Random inputs, the same ones in every run.

/** @param {number} seed */
export function createRandom(seed) {
  let state = seed >>> 0;

  /** A number from 0 to below 1 (mulberry32). */
  function next() {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** @param {number} low @param {number} high */
  const number = (low, high) => low + next() * (high - low);

  /** Both ends included. @param {number} low @param {number} high */
  const integer = (low, high) => low + Math.floor(next() * (high - low + 1));

  /** @template T @param {readonly T[]} list @returns {T} */
  const pick = (list) => list[integer(0, list.length - 1)];

  /** @param {number} length @param {number} [low] @param {number} [high] */
  const numbers = (length, low = -1, high = 1) => Array.from({ length }, () => number(low, high));

  return { next, number, integer, pick, numbers, flip: () => next() < 0.5 };
}

/** @typedef {ReturnType<typeof createRandom>} Random */

/**
 * Run a check on many random cases; a failure says which one it was.
 * @param {number} count
 * @param {(random: Random, n: number) => void} check
 */
export function forAll(count, check) {
  for (let n = 0; n < count; n++) {
    try {
      check(createRandom(n + 1), n);
    } catch (error) {
      if (error instanceof Error) error.message = `seed ${n + 1}: ${error.message}`;
      throw error;
    }
  }
}
