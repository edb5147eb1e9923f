// A set of sentences to compare over: those of the uploaded file, or the model's examples, each
// recorded when the set is asked for.

/** @import {Page} from '../page.js' */
/** @import {Recording} from '../recording.js' */

import { modelOf } from "../state.js";

/** As many as the server takes. */
const MOST = 200;

/** @param {Page} page @param {() => void} onArrival */
export function createSentences({ state, api }, onArrival) {
  let asked = "";
  /** @type {AbortController | null} */
  let request = null;
  /** @type {{also: string[], other_also: string[]} | null} */
  let ids = null;
  /** @type {unknown} */
  let problem = null;
  let [done, of] = [0, 0];
  let cancelled = false;

  /** @param {Recording} recording */
  function texts(recording) {
    const { model, text } = recording.about;
    const all = state.sentences.get()?.sentences ?? modelOf(state, model)?.examples ?? [];
    return [...new Set(all)].filter((other) => other !== text).slice(0, MOST);
  }

  /** @param {Recording} recording @param {string[]} wanted @param {string | null} pinned */
  async function recordAll({ about: { model, precision } }, wanted, pinned) {
    request?.abort();
    const mine = new AbortController();
    request = mine;
    [ids, problem, cancelled] = [null, null, false];
    [done, of] = [0, wanted.length];
    const made = { also: /** @type {string[]} */ ([]), other_also: /** @type {string[]} */ ([]) };
    try {
      for (const text of wanted) {
        const { id } = await api.record({ model, text, precision }, mine.signal);
        made.also.push(id);
        if (pinned) {
          const other = await api.record({ model: pinned, text, precision }, mine.signal);
          made.other_also.push(other.id);
        }
        if (mine.signal.aborted) return;
        done = made.also.length;
        onArrival();
      }
      ids = made;
    } catch (error) {
      if (mine.signal.aborted) return;
      problem = error;
    }
    onArrival();
  }

  return {
    texts,

    /**
     * The ids of their recordings; null while they are not all here.
     * @param {Recording} recording
     * @param {string | null} pinned  the model that reads them, too
     */
    ids(recording, pinned) {
      const { model, precision } = recording.about;
      const wanted = texts(recording);
      const key = JSON.stringify([model, precision, wanted, pinned]);
      if (key !== asked) {
        asked = key;
        recordAll(recording, wanted, pinned);
      }
      return ids;
    },

    /** How far they are; null when nothing is being recorded. */
    progress: () => (ids || problem || cancelled || !asked ? null : { done, of }),

    problem: () => problem,

    /** Stop recording; asked for again, they are recorded again. */
    cancel() {
      request?.abort();
      cancelled = true;
      asked = "";
      onArrival();
    },
  };
}
