// What stands under a picture that is kept: which model, which sentence, which step, which cell.

/** @import {ColourScale, Model} from '../types.js' */
/** @import {Recording} from '../recording.js' */
/** @import {State} from '../state.js' */

import { plural } from "../format.js";
import { label } from "../label.js";
import { stackName } from "../names.js";
import { modelOf, readsTable, selectedCell, selectedTimestep, steps } from "../state.js";

/** So many characters of a long sentence are kept, around the current token. */
const SHOWN = 220;

/** @type {Record<ColourScale, string>} */
const SCALES = {
  fixed: "fixed colours",
  layer: "colours fitted to each layer",
  row: "colours fitted to each picture",
};

/**
 * The lines of a caption.
 * @param {State} state
 * @param {Recording} recording
 * @returns {{model: string, sentence: string, place: string}}
 */
export function captionOf(state, recording) {
  const { about } = recording;
  const model = modelOf(state, about.model);
  const timestep = selectedTimestep(state, recording);
  const { layer, direction } = selectedCell(state);
  return {
    model: [visible(model?.title ?? about.model), stackName(about.lstm)].join(" · "),
    sentence: sentenceOf(recording, timestep, model),
    place: [
      `step ${state.step.get()} of ${steps(state, recording) - 1}` +
        (state.order.get() === "processing" ? " in processing order" : ""),
      `timestep ${timestep} “${label(about.tokens[timestep].text)}”`,
      `layer ${layer} ${direction}`,
      ...ofView(state),
      about.precision,
    ].join(" · "),
  };
}

/** What only some views depend on. @param {State} state */
function ofView(state) {
  const [tab, sort] = [state.tab.get(), state.sort.get()];
  if (tab === "unit" || tab === "cell") return [`unit ${state.unit.get()}`];
  if (tab !== "states") return [];
  const to = sort === "similarity" ? ` to unit ${state.unit.get()}` : "";
  const sorted = sort === "index" ? [] : [`units by ${sort} of ${state.sortOf.get()}${to}`];
  return [...sorted, SCALES[state.scale.get()]];
}

/**
 * The sentence, or as much of a long one as stands around a timestep.
 * @param {Recording} recording
 * @param {number} timestep
 * @param {Model | undefined} model
 */
function sentenceOf({ about, timesteps }, timestep, model) {
  if (readsTable(model)) {
    const columns = model?.columns.length ? `: ${model.columns.map(label).join(", ")}` : "";
    return `a table of ${plural(timesteps, "row")}${columns}`;
  }
  // Tokens count in whole characters, as Python does.
  const characters = [...about.text];
  if (characters.length <= SHOWN) return `“${visible(about.text)}”`;
  const { start, end } = about.tokens[timestep];
  const from = Math.max(0, Math.min(start - SHOWN / 2, characters.length - SHOWN));
  const to = Math.min(characters.length, Math.max(end, from + SHOWN));
  const part = characters.slice(from, to).join("");
  const [before, after] = [from > 0 ? "… " : "", to < characters.length ? " …" : ""];
  return `“${before}${visible(part)}${after}” (${plural(timesteps, "token")})`;
}

/** Text without anything invisible, its words apart. @param {string} text */
const visible = (text) => text.split(/\s+/).filter(Boolean).map(label).join(" ");

/** What a file of the present screen is called, without its ending. @param {State} state @param {Recording} recording */
export function fileName(state, { about }) {
  const title = modelOf(state, about.model)?.title ?? about.model;
  const words = `${title} ${state.tab.get()}`.normalize("NFKD").toLowerCase();
  const name = words.replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "");
  return `${name.slice(0, 60) || "gatescope"}-step-${state.step.get()}`;
}
