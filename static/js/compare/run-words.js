// A run in words: its letter, its text cut short, its model.

/** @import {State} from '../state.js' */
/** @import {RecordingPublic} from '../types.js' */

import { ApiError } from "../api.js";
import { element } from "../dom.js";
import { label } from "../label.js";
import { modelOf, readsTable } from "../state.js";

/** Characters of a text that say which one it is. */
const LONGEST = 40;

/** @param {string} text */
export function shortText(text) {
  const characters = [...text.replace(/\s+/gu, " ").trim()];
  const cut = characters.length > LONGEST;
  return label(characters.slice(0, LONGEST).join("")) + (cut ? "…" : "");
}

/** The title of a model, and of a checkpoint how far it had come. @param {State} state @param {string} id */
export function modelWords(state, id) {
  const model = modelOf(state, id);
  if (!model) return label(id);
  const base = model.checkpoint_of && modelOf(state, model.checkpoint_of);
  const own = base && base.checkpoints.find((one) => one.id === id);
  return own ? `${label(base.title)}, step ${own.step.toLocaleString("en")}` : label(model.title);
}

/**
 * @param {State} state
 * @param {string} letter
 * @param {Pick<RecordingPublic, "text" | "model">} about
 */
export const runWords = (state, letter, { text, model }) =>
  element(
    "span",
    { class: "run-words", title: text.slice(0, 400) },
    element("b", {}, letter),
    " “",
    element("bdi", {}, shortText(text)),
    "” · ",
    element("bdi", {}, modelWords(state, model)),
  );

/** What went wrong, as a sentence. @param {unknown} problem */
export const problemWords = (problem) =>
  problem instanceof ApiError || problem instanceof Error ? problem.message : String(problem);

/** What a timestep of the run on the screen is. @param {State} state */
export const timestepNoun = (state) =>
  readsTable(modelOf(state, state.recording.get()?.about.model ?? "")) ? "row" : "token";
