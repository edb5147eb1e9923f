// The points of the paths, and what was predicted at them, as the server gives them.

/** @import {Page} from '../page.js' */
/** @import {Recording} from '../recording.js' */
/** @import {Cell, NDArray} from '../types.js' */
/** @import {Choices} from './choices.js' */
/** @import {Run, Space} from './paths.js' */

import { ApiError } from "../api.js";
import { cellName } from "./choices.js";
import { pathsHere } from "./components.js";
import { spacesOf } from "./paths.js";
import { SIZE } from "./projection.js";

/** More labels than this no colours tell apart. */
const MOST_LABELS = 40;
/** Labels that have a colour of their own, the most frequent ones. */
const COLOURED = 7;

/**
 * What is asked for, and what came of it.
 * @typedef {object} Asked
 * @property {string} key
 * @property {Recording} recording
 * @property {Run[]} runs
 * @property {Cell[]} cells
 * @property {Space[] | null} spaces  null while they have not come
 * @property {string} problem
 */

/** How many times as long as it takes the page waits before it finds the components of a growing text again. */
const PATIENCE = 6;

/**
 * @param {Page} page
 * @param {() => void} onChange
 * @param {() => void} onForgotten  the server no longer has a recording
 */
export function createSource({ api }, onChange, onForgotten) {
  /** @type {Asked | null} */
  let asked = null;
  /** The last that came, shown while the next is coming. @type {Asked | null} */
  let here = null;
  /** @type {AbortController | null} */
  let request = null;
  let forgotten = 0;
  /** When a growing text is looked at again. */
  let nextLook = 0;

  /** No server has what is still being written. @param {Recording} recording @param {Parameters<typeof pathsHere>[1]} asked @param {AbortSignal} signal */
  async function findHere(recording, asked, signal) {
    await new Promise((done) => setTimeout(done, Math.max(0, nextLook - performance.now())));
    const start = performance.now();
    const arrays = signal.aborted ? new Map() : pathsHere(arrayOf, asked);
    nextLook = performance.now() + PATIENCE * (performance.now() - start);
    return arrays;

    /** @param {string} name */
    function arrayOf(name) {
      const found = recording.array(name);
      if (!found) throw new Error(`${name} has not come yet.`);
      return found;
    }
  }

  /** @param {Recording} recording @param {Asked} mine @param {{of: string, space: "own" | "shared"}} choices */
  async function load(recording, mine, { of, space }) {
    request?.abort();
    request = new AbortController();
    const { signal } = request;
    const [first, ...others] = mine.runs.map(({ about }) => about.id);
    const name = mine.cells.map((cell) => `${cellName(cell)}.${of}`);
    const wanted = { name, components: SIZE, space };
    try {
      const arrays = recording.growing
        ? await findHere(recording, wanted, signal)
        : await api.paths(first, { ...wanted, also: others }, signal);
      if (signal.aborted) return;
      mine.spaces = spacesOf(arrays, mine.runs, mine.cells, { of, space });
      forgotten = 0;
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof ApiError && error.problem.status === 404 && !forgotten++) {
        asked = null;
        onForgotten();
        return;
      }
      mine.problem = error instanceof Error ? error.message : String(error);
    }
    here = mine;
    onChange();
  }

  /** The most probable label of every timestep, by the id of a recording. @type {Map<string, Int32Array | null>} */
  const labels = new Map();

  /** @param {Run} run */
  async function loadLabels({ about }) {
    labels.set(about.id, null);
    try {
      const scores = (await api.arrays(about.id, ["scores"])).get("scores");
      if (scores) labels.set(about.id, mostProbable(scores));
    } catch {
      labels.delete(about.id); // asked for again with the next change
      return;
    }
    onChange();
  }

  return {
    /**
     * Ask for what is wanted, if that is not what was asked for last; gives what there is.
     * @param {Recording} recording
     * @param {Run[]} runs
     * @param {Cell[]} cells
     * @param {Choices} choices
     * @returns {Asked | null}
     */
    follow(recording, runs, cells, { of, space }) {
      const key = JSON.stringify([
        runs.map(({ about }) => about.id),
        cells.map(cellName),
        of,
        space,
      ]);
      if (asked?.key !== key) {
        asked = { key, recording, runs, cells, spaces: null, problem: "" };
        load(recording, asked, { of, space });
      }
      // While a text grows, and until it is recorded as a whole, it is seen as it was last.
      if (here && here.recording !== recording && !recording.continues(here.recording)) here = null;
      return here;
    },

    /** Whether something is still to come. */
    get coming() {
      return asked !== null && asked !== here;
    },

    /**
     * The most probable labels of a run, null while they have not come.
     * @param {Run} run
     */
    labelsOf(run) {
      if (!labels.has(run.about.id)) loadLabels(run);
      return labels.get(run.about.id) ?? null;
    },
  };
}

/** Whether points can be coloured by what was predicted. @param {Run["about"]} about */
export const hasLabels = ({ predictions }) =>
  predictions !== null && predictions.task !== "value" && predictions.labels.length <= MOST_LABELS;

/** @param {NDArray} scores  [timesteps, labels] */
function mostProbable({ shape: [timesteps, count], data }) {
  const ids = new Int32Array(timesteps).fill(-1);
  for (let t = 0; t < timesteps; t++)
    for (let id = 0, best = -Infinity; id < count; id++)
      if (data[t * count + id] > best) [best, ids[t]] = [data[t * count + id], id];
  return ids;
}

/**
 * Which colour each label has: the most frequent ones have one of their own, the others share the last.
 * @param {readonly (Int32Array | null)[]} runs
 * @param {number} count  of labels
 */
export function hueOfLabels(runs, count) {
  const counts = new Array(count).fill(0);
  for (const ids of runs) ids?.forEach((id) => id >= 0 && counts[id]++);
  const order = counts.map((_, id) => id).sort((a, b) => counts[b] - counts[a] || a - b);
  const hues = new Array(count).fill(COLOURED);
  order.slice(0, COLOURED).forEach((id, n) => (hues[id] = n));
  return { hues, shown: order.slice(0, COLOURED).filter((id) => counts[id]), others: order.slice(COLOURED).some((id) => counts[id]) }; // prettier-ignore
}
