// Windows of the timesteps of long arrays: what a step needs, not what there is. The latest wish is
// served first, old ones are dropped, and what was not looked at longest gives way.

/** @import {NDArray, Numbers} from './types.js' */

/** Timesteps of one window: six quantities of 512 units are 800 kB. */
export const WINDOW = 64;

const AT_ONCE = 2;
/** Milliseconds after which a cursor rests, and after which something is fetched though it does not. */
const RESTING = 50;
const LONGEST_WAIT = 250;
/** Wishes that may wait; beyond it the oldest is dropped, and made again by who still has it. */
const WAITING = 8;
/** Milliseconds after a failure until who still looks at it asks again. */
const AGAIN = 1000;

/**
 * @typedef {object} Wish
 * @property {number} window
 * @property {Set<string>} names
 */

/**
 * @param {object} options
 * @param {(names: string[], start: number, stop: number) => Promise<Map<string, NDArray>>} options.fetch
 * @param {number} options.timesteps
 * @param {number} options.limit  bytes
 * @param {() => void} options.onArrival
 * @param {(run: () => void, milliseconds: number) => unknown} [options.later]
 * @param {() => number} [options.clock]
 */
export function createRowCache({
  fetch,
  timesteps,
  limit,
  onArrival,
  later = (run, milliseconds) => setTimeout(run, milliseconds),
  clock = () => performance.now(),
}) {
  /** In the order of their last use. @type {Map<string, NDArray>} */
  const kept = new Map();
  /** @type {Set<string>} */
  const coming = new Set();
  /** The newest last. @type {Wish[]} */
  let wishes = [];
  let running = 0;
  let nbytes = 0;
  /** When something that is not here was asked for last, and when it was fetched. */
  let [asked, fetched] = [-Infinity, -Infinity];
  let waits = false;

  const keyOf = (/** @type {string} */ name, /** @type {number} */ window) => `${window} ${name}`;

  /** @param {string} key @param {NDArray} array */
  function keep(key, { shape, data: view }) {
    // A copy: one array of an answer that is kept would keep all of them.
    const own = view.slice();
    kept.set(key, { shape, data: own });
    nbytes += own.byteLength;
    for (const [oldest, { data }] of kept) {
      if (nbytes <= limit || oldest === key) break;
      kept.delete(oldest);
      nbytes -= data.byteLength;
    }
  }

  async function pump() {
    const wish = running < AT_ONCE ? wishes.pop() : undefined;
    if (!wish) return;
    const names = [...wish.names].filter((name) => missing(name, wish.window));
    if (!names.length) return pump();
    const keys = names.map((name) => keyOf(name, wish.window));
    for (const key of keys) coming.add(key);
    running++;
    const start = wish.window * WINDOW;
    const request = fetch(names, start, Math.min(timesteps, start + WINDOW));
    const arrays = await request.catch(() => null);
    running--;
    for (const key of keys) coming.delete(key);
    for (const [name, array] of arrays ?? []) keep(keyOf(name, wish.window), array);
    if (arrays) onArrival();
    else later(onArrival, AGAIN);
    return pump();
  }

  /** @param {string} name @param {number} window */
  function missing(name, window) {
    const key = keyOf(name, window);
    return !kept.has(key) && !coming.has(key);
  }

  function fetchNow() {
    fetched = clock();
    for (let n = running; n < AT_ONCE; n++) pump().catch(() => {});
  }

  /** Fetch once nothing new has been asked for, for a moment. */
  function rest() {
    const still = clock() - asked;
    waits = still < RESTING && clock() - fetched < LONGEST_WAIT;
    if (waits) later(rest, RESTING - still);
    else fetchNow();
  }

  return {
    get nbytes() {
      return nbytes;
    },

    /**
     * One row, not copied; undefined while it is not here.
     * @param {string} name
     * @param {number} t
     * @returns {Numbers | undefined}
     */
    row(name, t) {
      const window = Math.floor(t / WINDOW);
      const key = keyOf(name, window);
      const array = kept.get(key);
      if (!array) return undefined;
      kept.delete(key);
      kept.set(key, array);
      const width = array.shape[1];
      const at = (t - window * WINDOW) * width;
      return array.data.subarray(at, at + width);
    },

    /**
     * Ask for timesteps `from` to `to` (not included) of some arrays.
     * @param {string[]} names
     * @param {number} from
     * @param {number} to
     */
    want(names, from, to) {
      const first = Math.max(0, Math.floor(from / WINDOW));
      const last = Math.min(Math.ceil(timesteps / WINDOW), Math.ceil(to / WINDOW));
      let asks = false;
      for (let window = last - 1; window >= first; window--) {
        const wanted = names.filter((name) => missing(name, window));
        if (!wanted.length) continue;
        asks = true;
        const all = new Set([
          ...wanted,
          ...(wishes.find((wish) => wish.window === window)?.names ?? []),
        ]);
        wishes = [...wishes.filter((wish) => wish.window !== window), { window, names: all }];
      }
      wishes = wishes.slice(-WAITING);
      if (!asks) return;
      // A cursor that is dragged along a long text needs nothing of what it passes.
      const now = clock();
      const hurries = now - asked < RESTING && now - fetched < LONGEST_WAIT;
      asked = now;
      if (!hurries) fetchNow();
      else if (!waits) {
        waits = true;
        later(rest, RESTING);
      }
    },
  };
}

/** @typedef {ReturnType<typeof createRowCache>} RowCache */
