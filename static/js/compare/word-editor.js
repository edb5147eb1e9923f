// A small field over the tokens: another word in the place of one. Enter pins the run that is shown and
// records the changed text beside it.

/** @import {Room} from './room.js' */

import { button, element, write } from "../dom.js";
import { pin } from "../pinned.js";
import { modelOf } from "../state.js";
import { withWord, wordAt } from "./words.js";

/** Tokens smaller than words. */
const PARTS = ["characters", "bytes"];

/** @param {Room} room */
export function createWordEditor(room) {
  const { state, actions } = room;
  const input = element("input", {
    "aria-label": "Another word",
    spellcheck: "false",
    autocomplete: "off",
  });
  const says = element("span", { class: "note" });
  const form = element(
    "form",
    { class: "word-editor", hidden: true },
    element("label", {}, "instead of ", element("bdi"), input),
    element("button", { class: "primary" }, "Record"),
    button("Cancel", close),
    says,
  );
  const old = /** @type {HTMLElement} */ (form.querySelector("bdi"));
  /** @type {{start: number, end: number, word: string} | null} */
  let place = null;
  /** @type {HTMLElement | null} */
  let before = null;

  function close() {
    form.hidden = true;
    place = null;
    before?.focus();
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const recording = state.recording.get();
    if (!place || !recording) return;
    const text = withWord(recording.about.text, place, input.value);
    const { word } = place;
    close();
    if (input.value === word || !text.trim()) return;
    // What is pinned stays: one may change a second word.
    if (!state.pinText.get() && !state.pinModel.get()) pin(state);
    actions.recordText(text);
  });
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    close();
  });

  return {
    root: form,

    /** @param {number} t @param {HTMLElement} strip */
    open(t, strip) {
      const recording = state.recording.get();
      if (!recording) return;
      const { text, tokens, model } = recording.about;
      const isPart = PARTS.includes(modelOf(state, model)?.split ?? "");
      place = wordAt(text, tokens[t], isPart);
      before = strip.querySelector(`[data-t="${t}"] button`);
      write(old, place.word);
      input.value = place.word;
      const pinned = Boolean(state.pinText.get() || state.pinModel.get());
      write(
        says,
        pinned
          ? "Enter records the changed text; what is pinned stays."
          : "Enter pins this run and records the changed text beside it.",
      );
      form.hidden = false;
      input.select();
    },
  };
}
