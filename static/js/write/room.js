// What the views of this tab share: the text on the screen, what is known of its tokens, the options.

/** @import {Page} from '../page.js' */
/** @import {Recording} from '../recording.js' */
/** @import {Token} from '../types.js' */
/** @import {Options} from './options.js' */
/** @import {Facts} from './sampling.js' */

import { byId, loadStyles } from "../dom.js";
import { modelOf, selectedTimestep } from "../state.js";
import { atom } from "../store.js";
import { softened } from "../unit/readable.js";
import { obstacle } from "./able.js";
import { branchOf, factsOn } from "./branches.js";
import * as options from "./options.js";
import { factsOf } from "./sampling.js";
import { createSession } from "./session.js";

/**
 * What is on the screen.
 * @typedef {object} Shown
 * @property {Recording} recording
 * @property {string} text
 * @property {readonly Token[]} tokens  of the text; of a long one more than the recording has
 * @property {number} start  the first timestep that a model wrote; 0 where nothing is known
 * @property {number} timestep  where the cursor is
 * @property {string} split
 * @property {(timestep: number) => Facts | null} facts
 * @property {Options | null} options  with which the last of it was written
 */

/** @param {Page} page */
export function createRoom(page) {
  const { state, theme } = page;
  const panel = byId("write-view");
  const session = createSession(page);
  const { writing, branches, ended } = session;
  const styled = atom(false);
  loadStyles("css/write.css").then(() => styled.set(true));
  /** By recording: what its own scores say. @type {WeakMap<Recording, (Facts | null)[]>} */
  const known = new WeakMap();
  /** The last one of those that grow, whose facts the next one has, too. @type {Recording | null} */
  let before = null;
  let colours = { key: "", table: new Uint32Array() };

  /** @param {Recording} recording */
  function knownOf(recording) {
    let found = known.get(recording);
    if (!found) {
      found = recording.growing && before ? (known.get(before) ?? []) : [];
      known.set(recording, found);
    }
    before = recording;
    return found;
  }

  /** @param {Recording} recording @param {number} t */
  function recorded(recording, t) {
    const found = knownOf(recording);
    if (found[t] !== undefined) return found[t];
    const target = recording.about.predictions?.targets?.[t - 1];
    const row = t > 0 && recording.row("scores", t - 1);
    if (!row || target === null || target === undefined) return null;
    return (found[t] = factsOf(row, target));
  }

  return {
    ...page,
    panel,
    session,
    reads: [
      state.recording,
      state.arrived,
      state.tab,
      state.models,
      state.write,
      theme,
      styled,
      writing,
      branches,
      ended,
    ],

    /** Whether anybody sees it. */
    isOpen: () => state.tab.get() === "write" && styled.get(),

    /** Why the model on the screen cannot write; "" where it can. */
    obstacle() {
      const recording = state.recording.get();
      return recording ? obstacle(modelOf(state, recording.about.model)) : "";
    },

    /** A session that was saved as a file has no model to ask. */
    isOffline: () => document.body.classList.contains("offline"),

    options: () => options.read(state.write.get()),

    /** @param {Partial<Options>} change */
    choose(change) {
      state.write.set(options.write({ ...options.read(state.write.get()), ...change }));
    },

    /** @returns {Shown | null} */
    shown() {
      const recording = state.recording.get();
      if (!recording) return null;
      const now = writing.get();
      const { model } = recording.about;
      const own = now && !recording.growing && now.tokens.length ? now : null;
      const tokens = own
        ? [...recording.about.tokens.slice(0, own.start), ...own.tokens]
        : recording.about.tokens;
      const text = own ? own.text : recording.about.text;
      const branch = branchOf(branches.get(), model, now ? now.base.about.text : text);
      const earlier = factsOn(branches.get(), branch);
      const start = Math.min(branch?.root ?? Infinity, now?.start ?? Infinity);
      return {
        recording,
        text,
        tokens,
        start: Number.isFinite(start) ? start : 0,
        timestep: Math.min(selectedTimestep(state, recording), recording.timesteps - 1),
        split: modelOf(state, model)?.split ?? "",
        options: now?.options ?? branch?.options ?? null,
        facts: (t) =>
          (now && now.facts[t - now.start]) || recorded(recording, t) || earlier(t) || null,
      };
    },

    /** Colours of 0 to 1, behind text. */
    table() {
      const { tables, ink, background } = theme.get();
      const key = `${ink} ${background}`;
      if (colours.key !== key)
        colours = { key, table: softened(tables.sequential, ink, background) };
      return colours.table;
    },
  };
}

/** @typedef {ReturnType<typeof createRoom>} Room */
