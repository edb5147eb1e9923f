// What the head says at a timestep, read off the recorded probabilities.

/** @import {Recording} from './recording.js' */

/** @typedef {{label: string, probability: number, hit: boolean | null}} Prediction */

/**
 * The most probable labels at a timestep, most probable first. `hit` says whether it is what came
 * next, null where that is not known.
 * @param {Recording} recording
 * @param {number} timestep
 * @param {number} [count]
 * @returns {Prediction[]}
 */
export function top(recording, timestep, count = 5) {
  const about = recording.about.predictions;
  const array = recording.array("probabilities");
  if (!about || !array) return [];
  const width = array.shape[1];
  const row = array.data.subarray(timestep * width, (timestep + 1) * width);
  if (row.some(Number.isNaN)) return [];
  const target = about.targets?.[timestep] ?? null;
  return Array.from(row, (probability, id) => ({ probability, id }))
    .sort((a, b) => b.probability - a.probability)
    .slice(0, count)
    .map(({ probability, id }) => ({
      label: about.labels[id],
      probability,
      hit: target === null ? null : id === target,
    }));
}

/**
 * @param {Recording} recording
 * @param {number} timestep
 * @returns {Prediction | undefined}
 */
export const best = (recording, timestep) => top(recording, timestep, 1)[0];

/** What the predictions are, for the label of their row. @param {Recording} recording */
export function predictionTitle(recording) {
  const task = recording.about.predictions?.task;
  return task === "next_token" ? "comes next?" : task === "tag" ? "part of speech" : "";
}
