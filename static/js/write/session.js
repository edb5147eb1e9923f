// A continuation from the first token to the recording of it all: asked of the server, shown at the
// pace of reading, ended by its end, by a person, or by anything else that is asked of the page.

/** @import {Page} from '../page.js' */
/** @import {Recording} from '../recording.js' */
/** @import {RecordingPublic, Token, WrittenToken} from '../types.js' */
/** @import {Branch} from './branches.js' */
/** @import {Options} from './options.js' */
/** @import {Facts} from './sampling.js' */

import { selectedTimestep } from "../state.js";
import { atom } from "../store.js";
import { withBranch } from "./branches.js";
import { createGrowth, textUpTo } from "./growing.js";
import { asked } from "./options.js";
import { createPace } from "./pace.js";

/** Views that ask the server about a recording it does not have yet. */
const ASKING = ["compare", "predictions"];

/**
 * What is being written.
 * @typedef {object} Writing
 * @property {Recording} base  what was on the screen
 * @property {Options} options
 * @property {number} start  timesteps before the first that is written
 * @property {readonly Token[]} tokens  shown so far
 * @property {readonly Facts[]} facts  of these
 * @property {string} text  so far
 */

/** @param {Page} page */
export function createSession({ state, api, actions, frames }) {
  const writing = atom(/** @type {Writing | null} */ (null));
  const branches = atom(/** @type {readonly Branch[]} */ ([]));
  /** Why the last one ended before it had all its tokens. */
  const ended = atom("");
  /** Ends what is going on without showing anything. @type {(() => void) | null} */
  let drop = null;
  /** What this changes by itself is no reason to end. */
  let mine = false;

  /** @param {() => void} change */
  function byMe(change) {
    mine = true;
    change();
    mine = false;
  }
  const others = () => {
    if (!mine) drop?.();
  };
  for (const of of [state.recording, state.text, state.model, state.precision])
    of.subscribe(others);
  state.status.subscribe(({ kind }) => kind === "busy" && others());

  /**
   * Write on after a timestep, the last one if none is said.
   * @param {Options} options
   * @param {{after?: number, first?: number | null}} [from]
   */
  async function start(options, { after, first = null } = {}) {
    const base = state.recording.get();
    if (!base || base.growing || writing.get()) return;
    const timesteps = (after ?? base.timesteps - 1) + 1;
    const { about } = base;
    const { model, precision } = about;
    const whole = timesteps === base.timesteps;
    const before = whole ? about.text : textUpTo(about.text, about.tokens.slice(0, timesteps));
    actions.pause();
    ended.set("");
    const request = new AbortController();
    /** @type {Writing} */
    let now = { base, options, start: timesteps, tokens: [], facts: [], text: before };
    writing.set(now);
    const end = () => {
      drop = null;
      request.abort();
      writing.set(null);
    };
    drop = end;
    try {
      if (base.whole) await base.load(about.arrays.map(({ name }) => name));
      if (request.signal.aborted) return;
    } catch (error) {
      end();
      return actions.report(error);
    }
    const growth = base.whole ? createGrowth(base, api, timesteps) : null;
    /** @type {WrittenToken[]} */
    const waiting = [];
    /** @type {{text: string, reason: string, recording: RecordingPublic} | null} */
    let made = null;
    /** @type {unknown} */
    let problem = null;
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const pace = createPace(options.tokens, calm);
    let hurried = false;

    /** @param {number} count */
    function show(count) {
      const came = waiting.splice(0, count);
      for (const token of came) growth?.append(token);
      now = {
        ...now,
        tokens: [...now.tokens, ...came.map(tokenOf)],
        facts: [...now.facts, ...came.map(factsOf)],
        text: now.text + came.map(({ appended }) => appended).join(""),
      };
      byMe(() => {
        writing.set(now);
        if (growth && !ASKING.includes(state.tab.get())) follow(growth.recording());
      });
    }

    /** @param {string} at  the whole text @param {RecordingPublic | null} about */
    async function finish(at, about) {
      const atEnd = standsAtEnd();
      end();
      if (at === before) {
        byMe(() => state.recording.set(base));
        return;
      }
      const label = first === null ? "" : (base?.about.predictions?.labels[first] ?? "");
      const { facts } = now;
      const branch = { model, text: at, before, start: timesteps, facts, first: label, options };
      branches.set(withBranch(branches.get(), branch));
      const place = { ...actions.place(), ...(atEnd ? { step: Infinity } : {}) };
      byMe(() => state.text.set(at));
      await (about ? actions.showMade(about, place) : actions.record(place));
    }

    stopNow = () => finish(now.text, null);
    skipNow = () => (hurried = true);
    api
      .writeOn(
        { model, text: before, precision, ...asked(options), first },
        request.signal,
        (token) => waiting.push(token),
      )
      .then((continuation) => (made = continuation))
      .catch((error) => (problem = error));

    frames.tick((time) => {
      if (request.signal.aborted) return false;
      const all = hurried && (made || problem);
      const due = all ? waiting.length : pace.due(time, waiting.length);
      if (due) show(due);
      // What is shown is painted before it is put away: the axis follows the cursor then.
      if (due || waiting.length || !(made || problem)) return true;
      if (problem) {
        finish(now.text, null).then(() => actions.report(problem));
      } else if (made) {
        if (made.reason !== "length") ended.set(made.reason);
        finish(made.text, made.recording);
      }
      return false;
    });
  }

  /** Whether the cursor is at what was written last, or before all of it. */
  function standsAtEnd() {
    const recording = state.recording.get();
    return !recording?.growing || selectedTimestep(state, recording) >= recording.timesteps - 1;
  }

  /** Show it as it is now; a cursor that stood at the end stays there. @param {Recording} recording */
  function follow(recording) {
    const atEnd = standsAtEnd();
    state.recording.set(recording);
    if (atEnd) actions.goToStep(Infinity);
  }

  // A view that asks the server about a recording is shown one the server has.
  state.tab.subscribe((tab) => {
    const now = writing.get();
    if (!now || !ASKING.includes(tab)) return;
    byMe(() => state.recording.set(now.base));
    actions.goToStep(state.step.get()); // which may lie beyond its end
  });

  let stopNow = () => {};
  let skipNow = () => {};

  return {
    writing,
    branches,
    ended,
    start,
    /** Keep what is shown. */
    stop: () => writing.get() && stopNow(),
    /** Show all of it at once. */
    skip: () => writing.get() && skipNow(),
  };
}

/** @typedef {ReturnType<typeof createSession>} Session */

/** @param {WrittenToken} written @returns {Token} */
const tokenOf = ({ text, start, end, known, features }) => ({ text, start, end, known, features });

/** @param {WrittenToken} written @returns {Facts} */
const factsOf = ({ probability, rank, entropy }) => ({ probability, rank, entropy });
