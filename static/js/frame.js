// The only place that draws. State changes mark views dirty; one animation frame paints the dirty
// ones, in the order they were added, however many changes came before it. When a frame is full, the
// views at the end of the order wait for the next one, and never longer.
//
// Numbers that change with every frame cannot be read. A *calm* view holds such numbers: while frame
// follows frame it is painted ten times a second, one calm view a frame, and at once when things rest.

/** @import {Readable} from './types.js' */

/**
 * @typedef {object} View
 * @property {string} name
 * @property {Readable<any>[]} reads  the atoms whose change makes it dirty
 * @property {() => void} paint
 * @property {boolean} [calm]
 */

/**
 * Whatever breaks must not stop the others, nor the frames to come.
 * @template T
 * @param {string} name
 * @param {() => T} run
 * @returns {T | undefined}
 */
function attempt(name, run) {
  try {
    return run();
  } catch (error) {
    console.error(`${name}:`, error);
  }
}

/**
 * Milliseconds of painting after which a frame is full. A 120 Hz frame has 8.3; style, layout and
 * compositing of what was painted take more than the painting itself.
 */
const FULL = 2;
/** Milliseconds between frames up to which things are moving, and between two paintings of a calm view. */
const MOVING = 60;
const CALM = 100;

/**
 * @param {(callback: (now: number) => void) => unknown} requestFrame
 * @param {() => number} clock  milliseconds
 */
export function createFrameLoop(
  requestFrame = (callback) => requestAnimationFrame(callback),
  clock = () => performance.now(),
) {
  /** @type {View[]} */
  const views = [];
  /** @type {Set<View>} */
  const dirty = new Set();
  /** Those that were left over by the last frame. @type {Set<View>} */
  let waited = new Set();
  /** @type {Set<(now: number) => boolean>} */
  const tickers = new Set();
  let scheduled = false;
  let lastFrame = -Infinity;
  /** When calm views were painted last. @type {Map<View, number>} */
  const calmed = new Map();

  /** The calm view that has waited longest, if it has waited long enough. @param {number} now */
  function longestCalm(now) {
    let [found, since] = [/** @type {View | null} */ (null), now - CALM];
    for (const view of dirty) {
      const last = calmed.get(view) ?? -Infinity;
      if (view.calm && last <= since) [found, since] = [view, last];
    }
    return found;
  }

  function schedule() {
    if (scheduled) return;
    scheduled = true;
    requestFrame(run);
  }

  /** @param {number} now  milliseconds */
  function run(now) {
    // Tickers (playback) change state first, so that this very frame shows it.
    for (const ticker of [...tickers]) {
      if (!attempt("ticker", () => ticker(now))) tickers.delete(ticker);
    }
    scheduled = false;
    if (tickers.size) schedule();
    const start = clock();
    const resting = [...dirty].every(({ calm }) => calm) || start - lastFrame > MOVING;
    lastFrame = start;
    const one = resting ? null : longestCalm(start);
    for (const view of views) {
      if (!dirty.has(view) || (view.calm && !resting && view !== one)) continue;
      if (clock() - start >= FULL && !waited.has(view)) continue;
      dirty.delete(view);
      if (view.calm) calmed.set(view, start);
      attempt(view.name, view.paint);
    }
    waited = new Set(dirty);
    if (dirty.size) schedule();
  }

  return {
    /**
     * Add a view; returns the function that takes it away again.
     * @param {View} view
     */
    add(view) {
      const mark = () => {
        dirty.add(view);
        schedule();
      };
      const unsubscribes = view.reads.map((atom) => atom.subscribe(mark));
      views.push(view);
      mark();
      return () => {
        for (const unsubscribe of unsubscribes) unsubscribe();
        if (views.includes(view)) views.splice(views.indexOf(view), 1);
        dirty.delete(view);
      };
    },
    /**
     * Call `ticker` at every frame until it returns false.
     * @param {(now: number) => boolean} ticker
     */
    tick(ticker) {
      tickers.add(ticker);
      schedule();
    },
  };
}
