// How fast what is written is shown: as a person reads, however fast it comes. Pure.

/** Shows in a second, and where motion is unwelcome. */
const RATE = 15;
const CALM_RATE = 2;
/** Tokens in a second: so many, or as many as it takes to be done after so many seconds. */
const READING = 15;
const LONGEST = 12;
/** One that is late by more shows does not make the next ones hurry. */
const LATE = 3;
/** Milliseconds: what takes longer is a page nobody looks at. */
const DEAREST = 500;

/**
 * @param {number} tokens  how many there will be
 * @param {boolean} calm  whether motion is unwelcome
 */
export function createPace(tokens, calm) {
  const shortest = 1000 / (calm ? CALM_RATE : RATE);
  const perSecond = Math.max(READING, tokens / LONGEST);
  let last = -Infinity;
  let before = NaN;
  /** The longest frame since the last show: what showing costs on this page, on this machine. */
  let cost = 0;
  return {
    /**
     * How many of those that wait are shown at this frame.
     * @param {number} now  milliseconds
     * @param {number} waiting
     */
    due(now, waiting) {
      if (now > last && before >= last) cost = Math.max(cost, Math.min(DEAREST, now - before));
      before = now;
      const passed = now - last;
      // Half of the time is for everything else.
      const interval = Math.max(shortest, 2 * cost);
      // Frames come at their own times: half of one early is better than half of one late.
      if (!waiting || passed < interval - 8) return 0;
      last = now;
      cost = 0;
      const time = Math.min(passed, Math.max(interval, LATE * shortest));
      const count = Number.isFinite(passed) ? Math.round((time / 1000) * perSecond) : 1;
      return Math.min(waiting, Math.max(1, count));
    },
  };
}
