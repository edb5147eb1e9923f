// What the views of this room share: what is chosen, what was asked for, what came, and how far it is.

/** @import {Page} from '../page.js' */
/** @import {Recording} from '../recording.js' */
/** @import {Choices} from './choices.js' */
/** @import {Run} from './paths.js' */
/** @import {Turn} from './projection.js' */
/** @import {Shot} from './shot.js' */
/** @import {Asked} from './source.js' */

import { context2d, element } from "../dom.js";
import { cellName, cellsOf, choose, readChoices, readTurn, whyNotShared } from "./choices.js";
import { passedOf } from "./paths.js";
import { createRuns, titleOf } from "./runs.js";
import { shotOf } from "./shot.js";
import { createSource, hasLabels, hueOfLabels } from "./source.js";
import { course } from "../state.js";
import { atom } from "../store.js";

/** @param {Page} page */
export function createPaths(page) {
  const { state } = page;
  const arrived = atom(0);
  const again = () => arrived.set(arrived.get() + 1);
  const turning = atom(/** @type {Turn | null} */ (null));
  const runs = createRuns(page, again);
  const source = createSource(page, again, () => {
    runs.forget();
    again();
  });
  const measure = context2d(element("canvas"));
  const { fontFamily: family } = getComputedStyle(document.body);
  /** @type {Map<string, number>} */
  const widths = new Map();

  /** @param {string} text */
  function widthOf(text) {
    let width = widths.get(text);
    if (width === undefined) {
      measure.font = `600 11px ${family}`;
      width = measure.measureText(text).width;
      widths.set(text, width);
    }
    return width;
  }

  /** What is shown, as it can be: one space only where widths agree. @param {Recording} recording @returns {Choices} */
  function choicesFor(recording) {
    const choices = readChoices(state.paths.get());
    const known = state.quantities.get().some(({ name }) => name === choices.of);
    const of = known ? choices.of : "h";
    const cells = cellsOf(choices, recording.rows);
    const shared = choices.space === "shared" && !whyNotShared(recording, cells, of);
    const labelled =
      choices.colour !== "label" || (hasLabels(recording.about) && !recording.growing);
    return {
      ...choices,
      of,
      space: shared ? "shared" : "own",
      colour: labelled ? choices.colour : "path",
    };
  }

  return {
    ...page,
    arrived,
    again,
    turning,
    source,
    recorder: runs,
    family,
    widthOf,

    get recording() {
      return state.recording.get();
    },
    get rows() {
      return state.recording.get()?.rows ?? [];
    },
    get choices() {
      return readChoices(state.paths.get());
    },
    /** Whether several sentences are looked at. */
    several: false,
    /** Notes on sentences that are left out. @type {string[]} */
    notes: [],
    choicesFor,

    /** @param {Partial<Choices>} changed */
    choose: (changed) => choose(state, changed),

    turnBack() {
      choose(state, { turn: "30,20" });
    },

    get turn() {
      return turning.get() ?? readTurn(readChoices(state.paths.get()).turn);
    },

    /** Ask for what is to be seen; null while nothing is here. @returns {Asked | null} */
    asked() {
      const recording = state.recording.get();
      if (!recording || !state.quantities.get().length) return null;
      const choices = choicesFor(recording);
      const cells = cellsOf(choices, recording.rows);
      const names = cells.map((cell) => `${cellName(cell)}.${choices.of}`);
      // What is being written stands alone until it is a recording.
      const found = recording.growing
        ? { runs: [{ about: recording.about, title: titleOf(recording.about.text) }], notes: [] }
        : runs.follow(recording, choices, names);
      this.several = found.runs.length > 1;
      this.notes = found.notes;
      return source.follow(recording, found.runs, cells, choices);
    },

    /** Labels that have a colour here, most frequent first. */
    labelNames() {
      const { predictions } = state.recording.get()?.about ?? {};
      const shown = this.labelHues();
      if (!predictions || !shown) return [];
      const own = shown.shown.map((id) => ({ text: predictions.labels[id], hue: shown.hues[id] }));
      return shown.others ? [...own, { text: "others", hue: 7 }] : own;
    },

    labelHues() {
      const { predictions } = state.recording.get()?.about ?? {};
      const { runs: all } = this.asked() ?? {};
      if (!predictions || !all) return null;
      return hueOfLabels(all.map((run) => this.labelsFor(run)), predictions.labels.length); // prettier-ignore
    },

    /** @param {Run} run */
    labelsFor: (run) => (hasLabels(run.about) ? source.labelsOf(run) : null),

    /**
     * Everything as it is to be drawn.
     * @param {{width: number, height: number}} room
     * @returns {Shot | null}
     */
    shot(room) {
      const asked = this.asked();
      const recording = state.recording.get();
      if (!asked?.spaces || !recording) return null;
      const choices = choicesFor(recording);
      const hues = choices.colour === "label" ? this.labelHues() : null;
      const labelsOf = (/** @type {number} */ run) => {
        const ids = hues && this.labelsFor(asked.runs[run]);
        return ids && hues && Array.from(ids, (id) => (id < 0 ? 7 : hues.hues[id]));
      };
      return shotOf({
        ...{ spaces: asked.spaces, runs: asked.runs, choices, turn: this.turn },
        ...{ theme: page.theme.get(), family, room, widthOf, labelsOf },
        moving: turning.get() !== null,
      });
    },

    /** Points passed of every path, by panel. @param {Shot} shot */
    passed(shot) {
      const recording = /** @type {Recording} */ (state.recording.get());
      const time = course(state, recording);
      const step = state.step.get();
      return shot.panels.map(({ space }) => space.paths.map((path) => passedOf(time, step, path)));
    },
  };
}

/** @typedef {ReturnType<typeof createPaths>} Paths */
