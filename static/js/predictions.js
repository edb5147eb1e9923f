// What the head says at a timestep, read off the recorded scores.

/** @import {Recording} from './recording.js' */
/** @import {Model, Numbers} from './types.js' */

import { fixed } from "./format.js";

/** `hit` says whether it is what came next, null where that is not known.
 * @typedef {{label: string, score: number, hit: boolean | null}} Prediction */

/**
 * The most probable labels at a timestep, most probable first; numbers in the order of the head.
 * @param {Recording} recording
 * @param {number} timestep
 * @param {number} [count]
 * @returns {Prediction[]}
 */
export function top(recording, timestep, count = 5) {
  const about = recording.about.predictions;
  const row = about && recording.row("scores", timestep);
  if (!row || row.some(Number.isNaN)) return [];
  const target = about.targets?.[timestep] ?? null;
  return firstIds(row, count, about.task !== "value").map((id) => ({
    label: about.labels[id],
    score: row[id],
    hit: target === null ? null : id === target,
  }));
}

/**
 * The first few ids, or those of the highest scores: a vocabulary may have a hundred thousand, and is
 * not sorted for five of them.
 * @param {Numbers} row
 * @param {number} count
 * @param {boolean} highest
 */
function firstIds(row, count, highest) {
  /** @type {number[]} */
  const ids = [];
  row.forEach((score, id) => {
    if (ids.length === count && !(highest && score > row[ids[count - 1]])) return;
    let place = ids.length;
    while (highest && place && score > row[ids[place - 1]]) place--;
    ids.splice(place, 0, id);
    ids.length = Math.min(ids.length, count);
  });
  return ids;
}

/**
 * @param {Recording} recording
 * @param {number} timestep
 * @returns {Prediction | undefined}
 */
export const best = (recording, timestep) => top(recording, timestep, 1)[0];

/**
 * The class of the timestep before where it is another one than here.
 * @param {Recording} recording
 * @param {number} timestep
 */
export function classBefore(recording, timestep) {
  if (recording.about.predictions?.task !== "classify" || !timestep) return;
  const before = best(recording, timestep - 1)?.label;
  return before === best(recording, timestep)?.label ? undefined : before;
}

/** A score as it is shown: a probability, or a number. @param {Recording} recording @param {number} score */
export const shownScore = (recording, score) =>
  recording.about.predictions?.task === "value"
    ? fixed(score, Math.abs(score) < 100 ? 3 : 1)
    : `${(100 * score).toFixed(1)} %`;

/** What the predictions are: for the label of their row, for the panel. @param {Recording} recording */
export function predictionTitles({ about: { predictions } }) {
  const labels = predictions?.labels ?? [];
  switch (predictions?.task) {
    case "next_token":
      return ["comes next?", "What comes next?"];
    case "tag":
      return labels.includes("NOUN") ? ["part of speech", "Part of speech"] : ["tag", "Tag"];
    case "classify":
      return ["class so far", "Class so far"];
    case "value":
      return labels.length > 1 ? [`${labels[0]} …`, "Values"] : ["value", "Value"];
  }
  return ["", ""];
}

/**
 * What the head is given at a timestep, in a line; nothing where it is what everybody expects.
 * @param {Recording} recording
 * @param {Model["reads"]} reads
 */
export function whatHeadReads({ layers, timesteps }, reads) {
  if (reads === "each") return "";
  const { directions } = layers[layers.length - 1];
  const both = directions.length > 1;
  const what = {
    last: both
      ? "the last h of each direction: forward of this timestep, backward of timestep 0"
      : directions[0] === "forward"
        ? "the last h"
        : "backward h of timestep 0",
    mean: "the mean of h up to here",
    max: "the maximum of h up to here",
  }[reads];
  if (directions.join() === "forward")
    return `The head reads ${what}: this is what it would say if this were the end.`;
  const ahead =
    reads === "last" ? ", which has read everything" : "; backward has read all that follows";
  return `The head reads ${what}${ahead}. The model's own answer stands at timestep ${timesteps - 1}.`;
}
