// What the views of this room share: its options, what the head decided, and whether it is looked at.

/** @import {Page} from '../page.js' */
/** @import {Recording} from '../recording.js' */
/** @import {Model, RecordingPublic} from '../types.js' */
/** @import {Answers, MeasureName} from './measures.js' */

import { byId, loadStyles } from "../dom.js";
import { readOptions, writeOptions } from "../options.js";
import { modelOf } from "../state.js";
import { atom } from "../store.js";
import { softened } from "../unit/readable.js";
import { createAnswers } from "./answers.js";
import { measuresOf } from "./measures.js";
import { DEFAULTS, SOUND, fits, layerOf } from "./options.js";

/**
 * What is looked at; `answers` once they are here.
 * @typedef {object} Shown
 * @property {Recording} recording
 * @property {NonNullable<RecordingPublic["predictions"]>} about
 * @property {number} layer  that the head reads
 * @property {boolean} lens  whether that is not its own
 * @property {typeof DEFAULTS} options
 * @property {MeasureName | null} by
 * @property {Answers | undefined} answers
 * @property {string} problem  why they will not come
 * @property {boolean} again  whether it is worth asking again
 * @property {Model["reads"]} reads  what of a layer the head is given
 */

/** More products than this for one layer are computed when they are asked for only. */
const CHEAP = 3e9;

/** @param {Page} page */
export function createRoom(page) {
  const { state, api, theme } = page;
  const panel = byId("predictions-view");
  const arrived = atom(0);
  const again = () => arrived.set(arrived.get() + 1);
  const store = createAnswers(api, again);
  let styled = false;
  Promise.all([loadStyles("css/unit.css"), loadStyles("css/predictions.css")]).then(() => {
    styled = true;
    again();
  });
  let [softFor, soft] = ["", new Uint32Array()];

  /** @returns {Shown | null} */
  function current() {
    const recording = state.recording.get();
    const about = recording?.about.predictions;
    if (!recording || !about) return null;
    const options = readOptions(state.predict.get(), DEFAULTS, SOUND);
    const layer = layerOf(recording.layers, options.layer);
    const came = store.get(recording, layer, true);
    const measures = measuresOf(about.task);
    const asked = measures.find((name) => name === options.by);
    return {
      recording,
      about,
      layer,
      lens: layer < recording.layers.length - 1,
      options,
      by: asked ?? measures[0] ?? null,
      answers: came && "answers" in came ? came.answers : undefined,
      problem: came && "problem" in came ? came.problem : "",
      again: came !== undefined && "problem" in came && came.again,
      reads: modelOf(state, recording.about.model)?.reads ?? "each",
    };
  }

  return {
    ...page,
    panel,
    current,
    retry: () => store.retry(),
    /** What the views of this room are painted for. */
    reads: [state.recording, state.tab, state.predict, state.models, theme, arrived],

    /** Whether somebody looks at this room. */
    isOpen() {
      panel.hidden = state.tab.get() !== "predictions";
      return !panel.hidden && styled;
    },

    /** What has to be painted; null where nothing has. */
    shown() {
      return this.isOpen() ? current() : null;
    },

    /** @param {Partial<typeof DEFAULTS>} part */
    set(part) {
      const now = readOptions(state.predict.get(), DEFAULTS, SOUND);
      state.predict.set(writeOptions({ ...now, ...part }, DEFAULTS));
    },

    /** The layers the head can read beside its own, from the bottom up. @param {Shown} shown */
    lower: ({ recording: { layers } }) =>
      layers.map((_, n) => n).filter((n) => n < layers.length - 1 && fits(layers, n)),

    /** Whether all layers are read side by side. @param {Shown} shown */
    hasGrid({ recording: { layers, timesteps }, about, options }) {
      const { output_size, directions } = layers[layers.length - 1];
      const cost = timesteps * output_size * directions.length * about.labels.length;
      return options.grid === "" ? cost <= CHEAP : options.grid === "on";
    },

    /** What the head makes of a layer, if it has come. @param {Shown} shown @param {number} layer */
    answersOf({ recording }, layer) {
      const came = store.get(recording, layer);
      return came && "answers" in came ? came.answers : undefined;
    },

    /** Why the lens shows nothing, where it does not. @param {Shown} shown */
    lensProblem(shown) {
      if (!this.hasGrid(shown)) return "";
      const came = this.lower(shown).map((layer) => store.get(shown.recording, layer));
      const failed = came.find((one) => one && "problem" in one);
      return failed && "problem" in failed ? failed.problem : "";
    },

    /** Colours from certain to not, on which text can be read. */
    table() {
      const { tables, ink, background } = theme.get();
      const now = `${ink} ${background}`;
      if (softFor !== now) soft = softened(tables.sequential, ink, background);
      softFor = now;
      return soft;
    },

    /** Another one, another picture. @param {Shown} shown */
    key({ recording, layer, answers, about }) {
      const { ink, background } = theme.get();
      return [
        `${recording.about.id} ${layer} ${Boolean(answers)} ${about.task} ${state.predict.get()}`,
        `${state.from.get()} ${state.span.get()} ${state.trackWidth.get()}`,
        `${window.devicePixelRatio} ${ink} ${background}`,
      ].join();
    },
  };
}

/** @typedef {ReturnType<typeof createRoom>} Room */
