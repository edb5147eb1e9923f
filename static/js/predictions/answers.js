// What the head decided, from the server: of the layer that is looked at first, then of the others.

/** @import {Api} from '../api.js' */
/** @import {Recording} from '../recording.js' */
/** @import {Answers} from './measures.js' */

import { ApiError } from "../api.js";
import { answersOf } from "./measures.js";

/** Labels of each timestep: of a class all, as far as they can be told apart. */
const LABELS = 10;
const CLASSES = 20;
/** What a saved session says of everything that needs a server. */
const NOT_HERE = 501;
/** Numbers of a head of numbers. */
const VALUES = 12;

/** @typedef {{answers: Answers} | {problem: string, again: boolean}} Came */

/**
 * @param {Pick<Api, "predictions" | "lens" | "arrays">} api
 * @param {() => void} onArrival
 */
export function createAnswers(api, onArrival) {
  /** @type {Recording | null} */
  let recording = null;
  /** @type {Map<number, Came>} */
  const came = new Map();
  /** The latest wish last. @type {number[]} */
  let wanted = [];
  let running = new AbortController();
  let busy = false;

  /** @param {Recording} of @param {number} layer @param {AbortSignal} signal */
  async function ask({ about, layers }, layer, signal) {
    const { task, labels } = /** @type {NonNullable<typeof about.predictions>} */ (
      about.predictions
    );
    const values = task === "value";
    const most = values ? VALUES : task === "classify" ? CLASSES : LABELS;
    const k = Math.min(labels.length, most);
    if (layer < layers.length - 1) return api.lens(about.id, { layer, k }, signal);
    if (!values) return api.predictions(about.id, { k }, signal);
    return api.arrays(about.id, ["scores"], { unit_start: 0, unit_stop: k }, signal);
  }

  async function pump() {
    const layer = wanted.at(-1);
    if (busy || layer === undefined || !recording) return;
    const [of, { signal }] = [recording, running];
    busy = true;
    /** @type {Came} */
    let result;
    try {
      result = { answers: answersOf(await ask(of, layer, signal)) };
    } catch (error) {
      const again = !(error instanceof ApiError) || error.problem.status !== NOT_HERE;
      result = { problem: error instanceof Error ? error.message : String(error), again };
    }
    if (signal.aborted) return;
    busy = false;
    came.set(layer, result);
    wanted = wanted.filter((other) => other !== layer);
    onArrival();
    pump();
  }

  return {
    /** Ask again for what failed. */
    retry() {
      for (const [layer, found] of came) if ("problem" in found) came.delete(layer);
      onArrival();
    },

    /**
     * What came of a layer; what has not is asked for.
     * @param {Recording} of
     * @param {number} layer
     * @param {boolean} [first]  whether it is looked at before the others
     * @returns {Came | undefined}
     */
    get(of, layer, first = false) {
      if (of !== recording) {
        running.abort();
        running = new AbortController();
        busy = false;
        recording = of;
        came.clear();
        wanted = [];
      }
      const found = came.get(layer);
      if (found) return found;
      if (!wanted.includes(layer)) wanted = first ? [...wanted, layer] : [layer, ...wanted];
      pump();
      return undefined;
    },
  };
}
