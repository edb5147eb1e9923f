// How fast what is written is shown: as a person reads, however fast it comes. Pure.

/** Shows in a second, and where motion is unwelcome. */
const RATE = 15;
const CALM_RATE = 2;
/** Tokens in a second: so many, or as many as it takes to be done after so many seconds. */
const READING = 15;
const LONGEST = 12;
/** One that is late by more shows does not make the next ones hurry. */
const LATE = 3;

/**
 * @param {number} tokens  how many there will be
 * @param {boolean} calm  whether motion is unwelcome
 */
export function createPace(tokens, calm) {
  const interval = 1000 / (calm ? CALM_RATE : RATE);
  const perSecond = Math.max(READING, tokens / LONGEST);
  let last = -Infinity;
  return {
    /**
     * How many of those that wait are shown at this frame.
     * @param {number} now  milliseconds
     * @param {number} waiting
     */
    due(now, waiting) {
      const passed = now - last;
      // Frames come at their own times: half of one early is better than half of one late.
      if (!waiting || passed < interval - 8) return 0;
      last = now;
      const time = Math.min(passed, LATE * interval);
      const count = Number.isFinite(passed) ? Math.round((time / 1000) * perSecond) : 1;
      return Math.min(waiting, Math.max(1, count));
    },
  };
}
