// The points of the paths, and what was predicted at them, as the server gives them.

/** @import {Page} from '../page.js' */
/** @import {Cell, NDArray} from '../types.js' */
/** @import {Choices} from './choices.js' */
/** @import {Run, Space} from './paths.js' */

import { ApiError } from "../api.js";
import { cellName } from "./choices.js";
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
 * @property {Run[]} runs
 * @property {Cell[]} cells
 * @property {Space[] | null} spaces  null while they have not come
 * @property {string} problem
 */

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

  /** @param {Asked} mine @param {{of: string, space: "own" | "shared"}} choices */
  async function load(mine, choices) {
    request?.abort();
    request = new AbortController();
    const { signal } = request;
    const [first, ...others] = mine.runs.map(({ about }) => about.id);
    try {
      const arrays = await api.paths(
        first,
        {
          name: mine.cells.map((cell) => `${cellName(cell)}.${choices.of}`),
          also: others,
          components: SIZE,
          space: choices.space,
        },
        signal,
      );
      if (signal.aborted) return;
      mine.spaces = spacesOf(arrays, mine.runs, mine.cells, choices);
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
     * @param {Run[]} runs
     * @param {Cell[]} cells
     * @param {Choices} choices
     * @returns {Asked | null}
     */
    follow(runs, cells, { of, space }) {
      const key = JSON.stringify([
        runs.map(({ about }) => about.id),
        cells.map(cellName),
        of,
        space,
      ]);
      if (asked?.key !== key) {
        asked = { key, runs, cells, spaces: null, problem: "" };
        load(asked, { of, space });
      }
      if (here && here.runs[0].about.id !== runs[0].about.id) here = null;
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
