// What all views of the tab "compare" share: the two sides, and what the server says of them.

/** @import {Page} from '../page.js' */
/** @import {Recording} from '../recording.js' */
/** @import {Cell, Comparison, Similarity, UnitMatch} from '../types.js' */
/** @import {Answer} from './answer.js' */
/** @import {Options} from './options.js' */
/** @import {Pair} from './sides.js' */

import { axis } from "../time/axis.js";
import { byId, loadStyles } from "../dom.js";
import { selectedCell, selectedTimestep } from "../state.js";
import { atom } from "../store.js";
import { alignmentOf, alongAxis } from "./alignment.js";
import { createAnswer } from "./answer.js";
import { readCompare, writeCompare } from "./options.js";
import { arrayName, askedOf, keyOf, pairOf } from "./sides.js";
import { createPairTiles } from "./pair-tiles.js";
import { createSentences } from "./sentences.js";

/** Milliseconds after which a window that is moved rests. */
const RESTING = 250;

/** While the sentences of a set are recorded. */
const NOTHING = { value: null, last: null, problem: null, progress: null, stopped: false };

/** Numbers of every pair as numbers along the axis. */
const SERIES = /** @type {const} */ (["cosine", "relative", "distance", "norm", "other_norm"]);

/**
 * What is known of a pair: the answer, and what it says for each timestep of this run.
 * @typedef {object} Known
 * @property {Pair} pair
 * @property {Comparison} comparison
 * @property {ReturnType<typeof alignmentOf>} alignment
 * @property {Record<typeof SERIES[number], Float64Array>} series
 */

/** @param {Page} page */
export function createRoom(page) {
  const { state, api } = page;
  const panel = byId("compare-view");
  /** Counts what came, and what else the whole tab is painted for again. */
  const arrived = atom(0);
  const again = () => arrived.set(arrived.get() + 1);
  let styled = false;
  loadStyles("css/compare.css").then(() => {
    styled = true;
    again();
  });

  /** @type {ReturnType<typeof createAnswer<Comparison>>} */
  const comparisons = createAnswer(again);
  /** @type {ReturnType<typeof createAnswer<{matches: UnitMatch[]}>>} */
  const matches = createAnswer(again);
  /** @type {ReturnType<typeof createAnswer<Similarity>>} */
  const pairs = createAnswer(again);
  /** @type {ReturnType<typeof createAnswer<Similarity>>} */
  const matrices = createAnswer(again);
  const sentences = createSentences(page, again);
  const pairTiles = createPairTiles(page);
  /** @type {Known | null} */
  let known = null;
  /** @type {Recording | null} */
  let before = null;
  // The window on the axis, once it rests: numbers over it are not asked for at every frame.
  /** @type {{start: number, stop: number} | null} */
  let rested = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let resting;
  for (const moving of [state.from, state.span, state.trackWidth, state.recording]) {
    moving.subscribe(() => {
      clearTimeout(resting);
      resting = setTimeout(() => {
        rested = null;
        if (options().over === "window") again();
      }, RESTING);
    });
  }

  const options = () => readCompare(state.compare.get());

  /** @param {Partial<Options>} change */
  const choose = (change) => state.compare.set(writeCompare({ ...options(), ...change }));

  /** Whether a pinned run is asked for and not here yet. */
  const awaitsPin = () =>
    !state.pinned.get() && `${state.pinModel.get()}${state.pinText.get()}` !== "";

  /**
   * The pinned run; while another one of the same text is on its way the one before stands in for it.
   * @param {Recording} recording
   */
  function pinnedRun(recording) {
    before = state.pinned.get() ?? before;
    if (!awaitsPin()) return state.pinned.get();
    const text = state.pinText.get() || recording.about.text;
    return before?.about.text === text ? before : null;
  }

  /** @returns {Pair | null} */
  function pair() {
    const recording = state.recording.get();
    if (!recording || room.isOffline) return null;
    const pinned = pinnedRun(recording);
    if (awaitsPin() && !pinned && options().run !== "this") return null;
    return pairOf(recording, pinned, selectedCell(state), options());
  }

  /**
   * The part of the sentence that numbers are over.
   * @returns {{start?: number, stop?: number}}
   */
  function part() {
    const recording = state.recording.get();
    if (!recording || options().over !== "window") return {};
    const { first, last } = axis(state, recording).window;
    rested ??= { start: first, stop: last };
    return { start: rested.start, stop: Math.min(rested.stop, recording.timesteps) };
  }

  /** Whether CKA can be over a set: a pinned text is one sentence, a pinned model reads any. @param {Pair} of */
  const takesSet = (of) => !of.crosses || !state.pinText.get();

  /** The other sentences that CKA is over, by the ids of their recordings; null while they are recorded. */
  function also() {
    const recording = state.recording.get();
    const of = pair();
    if (!recording || !of || options().over !== "set" || !takesSet(of)) return {};
    return sentences.ids(recording, of.crosses ? of.other.recording.about.model : null);
  }

  /** @param {Pair} of */
  function comparison(of) {
    const { threshold } = options();
    const question = `${keyOf(of)} ${threshold}`;
    return comparisons.to(question, (signal) =>
      api.comparison(of.one.recording.about.id, { ...askedOf(of), threshold }, signal),
    );
  }

  /**
   * CKA of names with names, over what is chosen.
   * @param {typeof pairs} answers
   * @param {Pair} of
   * @param {string[]} name
   * @param {string[]} other_name
   * @returns {Answer<Similarity>}
   */
  function similarity(answers, of, name, other_name) {
    const others = also();
    if (!others) return { ...NOTHING, problem: sentences.problem() };
    const id = of.one.recording.about.id;
    const other = of.crosses ? of.other.recording.about.id : undefined;
    const asked = { name, other, other_name, ...part(), ...others };
    return answers.to(JSON.stringify([id, asked]), (signal, onProgress) =>
      api.similarity(id, asked, signal, onProgress),
    );
  }

  const room = {
    ...page,
    panel,
    options,
    choose,
    pair,
    pinnedRun,
    part,
    awaitsPin,
    sentences,
    again,
    /** What the views of this tab are painted for. */
    reads: [
      state.recording,
      state.pinned,
      state.pinModel,
      state.pinText,
      state.compare,
      state.quantities,
      state.tab,
      state.layer,
      state.direction,
      page.theme,
      arrived,
    ],
    /** What of a view shows the axis. */
    windowed: [state.from, state.span, state.trackWidth],

    comparison,
    takesSet,

    /** Whether there is something to paint of a pair, or to come. @param {Pair | null} of @returns {of is Pair} */
    isSound: (of) => of !== null && !comparison(of).problem,

    /** Everything about the pair timestep by timestep; null while it has not come. @returns {Known | null} */
    known() {
      const of = pair();
      const value = of && comparison(of).value;
      if (known && value && known.comparison === value) return known;
      // Of the same pair what came before is true but for the threshold.
      if (!value) return of && known && keyOf(known.pair) === keyOf(of) ? known : null;
      const alignment = alignmentOf(value, of.one.recording.timesteps);
      const series = /** @type {Known["series"]} */ (
        Object.fromEntries(SERIES.map((name) => [name, alongAxis(value[name], alignment.pair)]))
      );
      known = { pair: of, comparison: value, alignment, series };
      return known;
    },

    /** @param {Pair} of */
    pairSimilarity: (of) => similarity(pairs, of, [of.one.name], [of.other.name]),

    /** @param {Pair} of  every cell with every cell */
    matrix(of) {
      const { one, other } = of;
      const names = (/** @type {Cell[]} */ cells) =>
        cells.map((cell) => arrayName(cell, one.quantity));
      return similarity(
        matrices,
        of,
        names(one.recording.rows),
        names([...other.recording.rows].reverse()),
      );
    },

    /** Stop computing the matrix, or begin again. */
    stopMatrix: matrices.stop,
    restartMatrix: matrices.again,

    /** @param {Pair} of */
    matches(of) {
      const asked = { ...askedOf(of), ...part() };
      const id = of.one.recording.about.id;
      return matches.to(JSON.stringify([id, asked]), (signal) =>
        api.bestMatches(id, asked, signal),
      );
    },

    pairTiles: pairTiles.of,

    /** The timestep the cursor is at. @param {Recording} recording */
    cursor: (recording) => selectedTimestep(state, recording),

    /** A saved session has no server to compute anything. */
    isOffline: document.getElementById("session") !== null,

    /** Whether anybody sees the tab. */
    isShown() {
      panel.hidden = state.tab.get() !== "compare";
      return !panel.hidden && styled && state.quantities.get().length > 0;
    },
  };
  return room;
}

/** @typedef {ReturnType<typeof createRoom>} Room */
