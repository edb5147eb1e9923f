// What is known of a token that came, in words and as a colour. Pure.

/** @import {Facts} from './sampling.js' */

import { fixed } from "../format.js";

/** A probability as people read it; small ones keep two digits. @param {number} p */
export function percent(p) {
  if (p >= 0.001 || p === 0) return `${(100 * p).toFixed(1)} %`;
  return p >= 1e-6 ? `${Number((100 * p).toPrecision(2))} %` : "< 0.0001 %";
}

/**
 * @param {Facts | null} facts
 * @param {number} timestep
 * @returns {string[]}
 */
export function factLines(facts, timestep) {
  if (!timestep) return ["the first token: nothing was predicted before it"];
  if (!facts) return ["how probable it was is not here"];
  const { probability, rank, entropy } = facts;
  const surprise = probability > 0 ? fixed(-Math.log(probability), 2) : "∞";
  return [
    `probability ${percent(probability)}, rank ${rank.toLocaleString("en")}`,
    `surprise ${surprise}, entropy ${fixed(entropy, 2)} nats`,
  ];
}

/**
 * How strong its colour is, 0 to 1.
 * @param {Facts} facts
 * @param {string} by  "probability" or "rank"
 * @param {number} labels
 */
export const strength = ({ probability, rank }, by, labels) =>
  by === "rank" ? 1 - Math.log(rank) / Math.log(Math.max(2, labels)) : probability;
