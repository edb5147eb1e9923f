// The examples of the model and the sentences of the uploaded file.

/** @import {Actions} from '../actions.js' */
/** @import {State} from '../state.js' */

import { button, byId, element } from "../dom.js";
import { plural } from "../format.js";
import { label } from "../label.js";
import { readsTable, selectedModel } from "../state.js";

/** @param {HTMLElement} popover @param {State} state @param {Actions} actions */
export function showSentences(popover, state, actions) {
  const text = byId("text");

  /** @param {string} sentence @param {number | null} line */
  const pick = (sentence, line) => {
    const run = () => {
      popover.hidePopover();
      text.blur();
      actions.recordText(sentence);
    };
    // Sentences are long: only the control characters are made visible here, spaces stay.
    const words = sentence.slice(0, 200).split(" ");
    const shown = words.flatMap((word, n) => (n ? [" ", label(word)] : [label(word)]));
    const number = line === null ? [] : [element("small", {}, String(line)), " "];
    return button([...number, element("bdi", {}, ...shown)], run, {
      class: "pick",
      title: label(sentence),
    });
  };

  const model = selectedModel(state);
  const examples = model?.examples ?? [];
  const uploaded = state.sentences.get();
  popover.replaceChildren(
    ...(examples.length
      ? [element("h3", {}, "Examples"), ...examples.map((sentence) => pick(sentence, null))]
      : []),
    element(
      "h3",
      {},
      uploaded
        ? `${label(uploaded.name)}: ${plural(uploaded.sentences.length, "sentence")}`
        : "From a file",
    ),
    ...(uploaded
      ? uploaded.sentences.map((sentence, n) => pick(sentence, n + 1))
      : [
          element(
            "p",
            { class: "note" },
            readsTable(model)
              ? "Upload a table, or drop it anywhere: CSV, TSV or NPY, a line for each timestep."
              : "Upload a text file, or drop it anywhere: each line that is not empty is a sentence.",
          ),
        ]),
  );
}
