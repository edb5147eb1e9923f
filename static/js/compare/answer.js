// What the server says of what is looked at now: one answer, asked for when the question changes.

/**
 * @template T
 * @typedef {object} Answer
 * @property {T | null} value  null while it has not come
 * @property {T | null} last  what came last, perhaps to another question
 * @property {unknown} problem
 * @property {{done: number, of: number, what: string} | null} progress
 * @property {boolean} stopped  by whoever asked
 */

const EMPTY = { value: null, last: null, problem: null, progress: null, stopped: false };

/** Aborted by whoever asked. @param {unknown} error */
const isAbort = (error) => error instanceof DOMException && error.name === "AbortError";

/**
 * @template T
 * @param {() => void} onArrival
 */
export function createAnswer(onArrival) {
  let asked = "";
  /** @type {AbortController | null} */
  let request = null;
  /** @type {Answer<T>} */
  let answer = EMPTY;

  /**
   * @param {string} question
   * @param {(signal: AbortSignal, onProgress: (progress: NonNullable<Answer<T>["progress"]>) => void) => Promise<T>} find
   */
  async function start(question, find) {
    request?.abort();
    const mine = new AbortController();
    request = mine;
    asked = question;
    answer = { ...EMPTY, last: answer.last };
    try {
      const value = await find(mine.signal, (progress) => {
        if (mine.signal.aborted) return;
        answer = { ...answer, progress };
        onArrival();
      });
      if (mine.signal.aborted) return;
      answer = { ...EMPTY, value, last: value };
    } catch (problem) {
      if (mine.signal.aborted || isAbort(problem)) return;
      answer = { ...EMPTY, problem };
    }
    onArrival();
  }

  return {
    /**
     * @param {string} question  another one is asked anew
     * @param {Parameters<typeof start>[1]} find
     * @returns {Answer<T>}
     */
    to(question, find) {
      if (question !== asked) start(question, find);
      return answer;
    },
    /** What is on its way is not waited for, until another question is asked. */
    stop() {
      request?.abort();
      answer = { ...EMPTY, last: answer.last, stopped: true };
      onArrival();
    },
    /** The same question is asked again. */
    again() {
      asked = "";
      onArrival();
    },
  };
}
