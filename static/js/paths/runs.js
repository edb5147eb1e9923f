// The sentences whose paths are looked at together: the run on the screen, the pinned one, and others
// that are recorded one after the other, when they are chosen.

/** @import {Page} from '../page.js' */
/** @import {Recording} from '../recording.js' */
/** @import {RecordingPublic} from '../types.js' */
/** @import {Choices} from './choices.js' */
/** @import {Run} from './paths.js' */

import { MOST, alsoOf, choose, sentenceOf } from "./choices.js";
import { label } from "../label.js";
import { modelOf } from "../state.js";

const LONGEST = 42;

/** A sentence as the legend calls it. @param {string} text */
export function titleOf(text) {
  const words = text.trim().split(/\s+/).map(label).join(" ");
  const characters = [...words];
  return characters.length > LONGEST ? `${characters.slice(0, LONGEST - 1).join("")}…` : words;
}

/**
 * @param {Page} page
 * @param {() => void} onChange
 */
export function createRuns({ state, api }, onChange) {
  /** By model, text and precision. @type {Map<string, RecordingPublic>} */
  const recorded = new Map();
  /** Why one could not be. @type {Map<string, string>} */
  const failed = new Map();
  /** @type {{request: AbortController, model: string, done: number, of: number, part: number} | null} */
  let busy = null;

  const keyOf = (/** @type {string} */ text, /** @type {RecordingPublic} */ { model, precision }) =>
    JSON.stringify([model, precision, text]);

  /** The further sentences that exist, each once, and not the one on the screen. @param {Recording} recording @param {Choices} choices */
  function wanted({ about }, choices) {
    const examples = modelOf(state, about.model)?.examples ?? [];
    const uploaded = state.sentences.get()?.sentences;
    const names = alsoOf(choices);
    const texts = names.map((name) => sentenceOf(name, examples, uploaded));
    const found = names.flatMap((name, n) => {
      const text = texts[n];
      const again = text === undefined || text === about.text || texts.indexOf(text) < n;
      return again ? [] : [{ name, text, key: keyOf(text, about) }];
    });
    return { found, lost: texts.filter((text) => text === undefined).length };
  }

  /** @param {{text: string, key: string}[]} list @param {RecordingPublic} about */
  async function record(list, about) {
    const request = new AbortController();
    busy = { request, model: about.model, done: 0, of: list.length, part: 0 };
    const own = busy;
    for (const { text, key } of list) {
      const body = { model: about.model, text, precision: about.precision };
      try {
        const made = await api.record(body, request.signal, ({ done, of }) => {
          own.part = of ? done / of : 0;
          onChange();
        });
        recorded.set(key, made);
      } catch (error) {
        if (request.signal.aborted) return;
        failed.set(key, error instanceof Error ? error.message : String(error));
      }
      own.done++;
      own.part = 0;
      onChange();
    }
    if (busy === own) busy = null;
    onChange();
  }

  /**
   * What is not the same as on the screen: another text, or another model.
   * @param {RecordingPublic} pinned
   * @param {RecordingPublic} about
   */
  function pinnedTitle({ model, text }, about) {
    const other = modelOf(state, model);
    const step = other?.checkpoint_of && /@(.+)$/.exec(model)?.[1];
    const name = step ? `step ${step}` : titleOf(other?.title ?? model);
    const parts = [model !== about.model && name, text !== about.text && titleOf(text)];
    return `pinned: ${parts.filter(Boolean).join(", ")}`;
  }

  /** Whether the pinned run can be in the same spaces. @param {Recording} pinned @param {Recording} recording @param {string[]} names */
  const fits = (pinned, recording, names) =>
    names.every((name) => pinned.described(name)?.shape[1] === recording.described(name)?.shape[1]);

  return {
    /**
     * Record what is chosen and not yet here; gives what is.
     * @param {Recording} recording
     * @param {Choices} choices
     * @param {string[]} names  of the arrays that are looked at
     * @returns {{runs: Run[], notes: string[]}}
     */
    follow(recording, choices, names) {
      const { about } = recording;
      const { found, lost } = wanted(recording, choices);
      if (busy && busy.model !== about.model) {
        busy.request.abort();
        busy = null;
      }
      const missing = found.filter(({ key }) => !recorded.has(key) && !failed.has(key));
      if (missing.length && !busy) record(missing, about);
      /** @type {Run[]} */
      const runs = [{ about, title: titleOf(about.text) }];
      const notes = [];
      const pinned = state.pinned.get();
      if (pinned && pinned.about.id !== about.id && choices.pin) {
        if (fits(pinned, recording, names))
          runs.push({ about: pinned.about, title: pinnedTitle(pinned.about, about) });
        else
          notes.push(
            "The pinned run is left out: its cells are others than those of the run on the screen.",
          );
      }
      for (const { key, text } of found) {
        const made = recorded.get(key);
        if (made && !runs.some((run) => run.about.id === made.id))
          runs.push({ about: made, title: titleOf(text) });
        if (failed.has(key)) notes.push(`“${titleOf(text)}” is left out: ${failed.get(key)}`);
      }
      if (runs.length > MOST + 1) {
        runs.length = MOST + 1;
        notes.push(`More than ${MOST} sentences beside the one on the screen are not shown.`);
      }
      if (lost)
        notes.push(
          `${lost === 1 ? "One sentence" : `${lost} sentences`} of this link cannot be found: upload the file they are in.`,
        );
      return { runs, notes };
    },

    get busy() {
      return busy;
    },

    /** The server may have forgotten them. */
    forget() {
      recorded.clear();
      failed.clear();
    },

    /** What is not recorded by now is no longer wanted. @param {Recording} recording @param {Choices} choices */
    cancel(recording, choices) {
      busy?.request.abort();
      busy = null;
      const { found } = wanted(recording, choices);
      const kept = found.filter(({ key }) => recorded.has(key));
      choose(state, { also: kept.map(({ name }) => name).join() });
      onChange();
    },
  };
}

/** @typedef {ReturnType<typeof createRuns>} Runs */
