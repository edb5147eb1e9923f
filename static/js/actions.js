// Everything a person can do, as functions on the state. Nothing here draws.

/** @import {Api} from './api.js' */
/** @import {Cell, Order, RecordingPublic} from './types.js' */
/** @import {State} from './state.js' */
/** @import {Link} from './url.js' */

import { ApiError } from "./api.js";
import { brushedUnits, neighbour } from "./brush/brush.js";
import { createBrushActions } from "./brush/actions.js";
import { plural } from "./format.js";
import { Recording, UnitWeights } from "./recording.js";
import {
  course,
  readsTable,
  selectedCell,
  selectedModel,
  selectedTimestep,
  steps,
} from "./state.js";
import { layersAt, stepFor, stepsPassed } from "./time/transport.js";

/** What a status of the server means to a person. @type {Record<number, string>} */
const PROBLEMS = {
  0: "No connection",
  401: "No access",
  403: "No access",
  404: "Not found",
  413: "Too large",
  422: "This cannot be done",
  429: "Busy",
  503: "Busy",
};

/** Milliseconds between two units up to which they are flipped through. */
const FLIPPING = 60;

/** No connection, busy. */
const AGAIN = [0, 429, 503];

/**
 * @param {State} state
 * @param {Api} api
 * @param {{tick: (ticker: (now: number) => boolean) => void}} frames
 */
export function createActions(state, api, frames) {
  /** @type {AbortController | null} */
  let recordingRequest = null;
  const brush = createBrushActions(state, api);

  /** @param {unknown} error */
  function report(error) {
    if (error instanceof DOMException && error.name === "AbortError") return;
    if (error instanceof ApiError) {
      const { title, status, came, expected, exists } = error.problem;
      const hint = [
        came && `Came: ${came}.`,
        expected && `Expected: ${expected}.`,
        exists?.length && `There are: ${exists.join(", ")}.`,
      ];
      // The server's sentence often says it all; what it already contains is not said twice.
      const more = hint.filter((part) => part && !error.message.includes(String(part)));
      state.status.set({
        kind: "problem",
        title: PROBLEMS[status] ?? title,
        message: error.message,
        hint: more.join(" "),
        // What failed for want of an answer may succeed as it is.
        action:
          AGAIN.includes(status) && state.text.get()
            ? { label: "Try again", run: () => record(place()) }
            : undefined,
      });
      return;
    }
    console.error(error);
    state.status.set({
      kind: "problem",
      title: "The page made a mistake",
      message: error instanceof Error ? error.message : String(error),
    });
  }

  /**
   * Record the text with the chosen model and show it, at `at` if given, else from the start.
   * @param {Partial<Link>} [at]
   */
  async function record(at = {}) {
    recordingRequest?.abort();
    const request = new AbortController();
    recordingRequest = request;
    pause();
    const limits = state.about.get()?.limits;
    const limit =
      (readsTable(selectedModel(state)) ? limits?.max_table_characters : limits?.max_characters) ??
      Infinity;
    const length = [...state.text.get()].length;
    // A server refuses a huge body by hanging up, which looks here as if it were gone.
    if (length > limit) {
      state.status.set({
        kind: "problem",
        title: "This text is too long",
        message: `It has ${plural(length, "character")}; at most ${plural(limit, "character")} are recorded.`,
      });
      return;
    }
    const body = {
      model: state.model.get(),
      text: state.text.get(),
      precision: state.precision.get(),
    };
    /** @param {number | null} part @param {string} what */
    const busy = (part, what) => {
      if (request.signal.aborted) return;
      const message = `Recording every cell…${what && ` ${what}`}`;
      state.status.set({ kind: "busy", message, part, cancel });
    };
    busy(null, "");
    try {
      const about = await api.record(body, request.signal, ({ done, of, what }) =>
        busy(of ? done / of : null, what),
      );
      if (!request.signal.aborted) await open(about, at, request.signal);
    } catch (error) {
      if (!request.signal.aborted) report(error);
    }
  }

  /**
   * Fetch what is seen first of a recording, and show it.
   * @param {RecordingPublic} about
   * @param {Partial<Link>} at
   * @param {AbortSignal} signal
   */
  async function open(about, at, signal) {
    const arrived = () => state.arrived.set(state.arrived.get() + 1);
    const recording = new Recording(about, api, arrived, rowBytes());
    const quantities = state.quantities.get().map((quantity) => quantity.name);
    const { cell, step } = startingPoint(recording, at);
    const first = recording.whole ? Recording.names(cell, quantities) : [];
    await recording.load([...recording.overviewNames(), ...first]);
    if (signal.aborted) return;
    state.from.set(at.from ?? 0);
    state.span.set(at.span ?? 0);
    show(recording, cell, step, at.unit);
    state.status.set({ kind: "idle" });
    // The rest in the background, so that ↑ ↓ never wait; if it fails, a row is asked for again.
    if (recording.whole) await prefetch(recording, quantities).catch(() => {});
  }

  /**
   * Show a recording that the server has made for something else.
   * @param {RecordingPublic} about
   * @param {Partial<Link>} at
   */
  async function showMade(about, at) {
    recordingRequest?.abort();
    const request = new AbortController();
    recordingRequest = request;
    try {
      await open(about, at, request.signal);
    } catch (error) {
      if (!request.signal.aborted) report(error);
    }
  }

  /** Where the page is now, to come back to. @returns {Partial<Link>} */
  function place() {
    const [step, layer, direction, unit, from, span] = [
      state.step.get(),
      state.layer.get(),
      state.direction.get(),
      state.unit.get(),
      state.from.get(),
      state.span.get(),
    ];
    return { step, layer, direction, unit, from, span };
  }

  /** End what is being recorded; what is on the screen stays. */
  function cancel() {
    recordingRequest?.abort();
    state.status.set({ kind: "idle" });
  }

  /** A quarter of what a tab may keep is for exact rows; pictures and lines have the rest. */
  function rowBytes() {
    const limit = state.about.get()?.limits.max_tab_bytes;
    return limit && limit / 4;
  }

  /**
   * The cell and step to open a recording at: what a link says or what is selected now, inside the
   * bounds of this recording.
   * @param {Recording} recording
   * @param {Partial<Link>} at
   */
  function startingPoint(recording, at) {
    const step = Math.min(at.step ?? 0, steps(state, recording) - 1);
    const direction = at.direction ?? state.direction.get();
    const layer = at.layer ?? computed(recording, step);
    return { cell: clampCell(recording, { layer, direction }), step };
  }

  /**
   * The selected layer, or the one nearest to it that is being computed: in processing order one
   * looks at that.
   * @param {Recording} recording
   * @param {number} step
   */
  function computed(recording, step) {
    const [first, last] = layersAt(course(state, recording), step);
    return Math.max(first, Math.min(state.layer.get(), last));
  }

  /**
   * Put a recording on the screen.
   * @param {Recording} recording
   * @param {Cell} cell
   * @param {number} step
   * @param {number} [unit]
   */
  function show(recording, cell, step, unit = state.unit.get()) {
    state.unitWeights.set(null);
    state.layer.set(cell.layer);
    state.direction.set(cell.direction);
    state.unit.set(clampUnit(recording, cell.layer, unit));
    state.step.set(step);
    state.recording.set(recording);
  }

  /** @param {Recording} recording @param {string[]} quantities */
  async function prefetch(recording, quantities) {
    for (const cell of recording.rows) {
      if (state.recording.get() !== recording) return;
      await recording.load(Recording.names(cell, quantities));
    }
  }

  /** Fetch what the selection needs and does not have. */
  async function loadSelection() {
    const recording = state.recording.get();
    if (!recording) return;
    const quantities = state.quantities.get().map((quantity) => quantity.name);
    if (recording.whole)
      await recording.load(Recording.names(selectedCell(state), quantities)).catch(report);
  }

  let weightsWanted = "";
  /** When a unit was chosen last. */
  let flipped = -Infinity;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let resting;

  async function loadUnitWeights() {
    const recording = state.recording.get();
    if (!recording) return;
    const { model, model_digest: digest, precision } = recording.about;
    const of = { model, digest, precision, ...selectedCell(state), unit: state.unit.get() };
    const wanted = JSON.stringify(of);
    if (wanted === weightsWanted && state.unitWeights.get()) return;
    weightsWanted = wanted;
    try {
      const weights = new UnitWeights(await api.unitWeights(of));
      if (weightsWanted === wanted) state.unitWeights.set(weights);
    } catch (error) {
      if (weightsWanted === wanted) report(error);
    }
  }

  /** @param {number} step */
  function goToStep(step) {
    const recording = state.recording.get();
    if (!recording) return;
    const to = Math.max(0, Math.min(step, steps(state, recording) - 1));
    state.step.set(to);
    const layer = computed(recording, to);
    if (layer !== state.layer.get())
      selectCell(clampCell(recording, { ...selectedCell(state), layer }), true);
  }

  /** @param {number} by */
  function move(by) {
    pause();
    goToStep(state.step.get() + by);
  }

  /**
   * Choose a row of the network; the timestep stays where it is.
   * @param {Cell} cell
   * @param {boolean} [keepStep]
   */
  function selectCell(cell, keepStep = false) {
    const recording = state.recording.get();
    const timestep = recording && selectedTimestep(state, recording);
    state.layer.set(cell.layer);
    state.direction.set(cell.direction);
    if (recording) state.unit.set(clampUnit(recording, cell.layer, state.unit.get()));
    state.unitWeights.set(null);
    if (recording && timestep !== null && !keepStep) {
      state.step.set(stepFor(course(state, recording), timestep, cell));
    }
    loadSelection();
    loadUnitWeights();
  }

  /** @param {number} timestep */
  function selectTimestep(timestep) {
    const recording = state.recording.get();
    if (!recording) return;
    pause();
    goToStep(stepFor(course(state, recording), timestep, selectedCell(state)));
  }

  /** @param {number} by  rows down the screen */
  function moveRow(by) {
    const recording = state.recording.get();
    if (!recording) return;
    const { rows } = recording;
    const { layer, direction } = selectedCell(state);
    const at = rows.findIndex((row) => row.layer === layer && row.direction === direction);
    selectCell(rows[Math.max(0, Math.min(rows.length - 1, at + by))]);
  }

  /** @param {number} unit */
  function selectUnit(unit) {
    const recording = state.recording.get();
    if (!recording || !Number.isFinite(unit)) return;
    const to = clampUnit(recording, state.layer.get(), Math.max(0, Math.round(unit)));
    if (to === state.unit.get()) return;
    state.unit.set(to);
    state.unitWeights.set(null);
    // While units are flipped through, only the weights of the one they rest at are asked for.
    const now = performance.now();
    clearTimeout(resting);
    if (now - flipped > FLIPPING) loadUnitWeights();
    else resting = setTimeout(loadUnitWeights, FLIPPING);
    flipped = now;
  }

  /** On to another unit; through the selected ones, if that is asked for. @param {number} by */
  function stepUnit(by) {
    const brushed = state.only.get() ? brushedUnits(state, selectedCell(state)) : null;
    const unit = state.unit.get();
    selectUnit(brushed?.size ? neighbour(brushed, unit, by) : unit + by);
  }

  function pause() {
    state.playing.set(false);
  }

  // Counts the starts of playback: one that was paused and started again has only the last ticker.
  let started = 0;

  function togglePlay() {
    const recording = state.recording.get();
    if (!recording) return;
    if (state.playing.get()) {
      pause();
      return;
    }
    if (state.step.get() >= steps(state, recording) - 1) goToStep(0);
    state.playing.set(true);
    const mine = ++started;
    let last = 0;
    let elapsed = 0;
    frames.tick((now) => {
      const current = state.recording.get();
      if (mine !== started || !state.playing.get() || !current) return false;
      elapsed += last ? now - last : 0;
      last = now;
      const passed = stepsPassed(elapsed, state.speed.get());
      elapsed = passed.rest;
      if (passed.steps) goToStep(state.step.get() + passed.steps);
      if (state.step.get() >= steps(state, current) - 1) pause();
      return state.playing.get();
    });
  }

  /** @param {Order} order */
  function setOrder(order) {
    const recording = state.recording.get();
    if (!recording || order === state.order.get()) return;
    const timestep = selectedTimestep(state, recording);
    state.order.set(order);
    state.step.set(stepFor(course(state, recording), timestep, selectedCell(state)));
  }

  /**
   * @param {string} id
   * @param {string} [text]  what stands in the sentence box, recorded or not
   */
  function chooseModel(id, text = state.text.get()) {
    const before = selectedModel(state);
    state.model.set(id);
    if (id !== before?.id) brush.forget();
    state.text.set(text);
    const model = selectedModel(state);
    // An example of the other model says little here, and a table nothing to one that reads text;
    // a sentence of one's own stays.
    const strange = readsTable(before) !== readsTable(model);
    if (!text.trim() || strange || before?.examples.includes(text)) {
      state.text.set(model?.examples[0] ?? "");
    }
    return state.text.get() ? record() : clear();
  }

  /** Nothing is recorded: the page waits for something to read. */
  function clear() {
    recordingRequest?.abort();
    pause();
    state.recording.set(null);
    state.unitWeights.set(null);
    state.status.set({ kind: "idle" });
  }

  /** @param {string} text */
  function recordText(text) {
    state.text.set(text);
    return record();
  }

  /** @param {File} file */
  async function readFile(file) {
    const limit = state.about.get()?.limits.max_file_bytes ?? Infinity;
    if (file.size > limit) {
      state.status.set({
        kind: "problem",
        title: "This file is too large",
        message: `${file.name} has ${plural(file.size, "byte")}; at most ${plural(limit, "byte")} are read.`,
      });
      return false;
    }
    try {
      const { sentences } = await api.sentences(file);
      state.sentences.set({ name: file.name, sentences });
      if (state.status.get().kind === "problem") state.status.set({ kind: "idle" });
      return true;
    } catch (error) {
      report(error);
      return false;
    }
  }

  return {
    record,
    showMade,
    place,
    clear,
    recordText,
    chooseModel,
    readFile,
    report,
    goToStep,
    move,
    moveRow,
    selectCell,
    selectTimestep,
    selectUnit,
    stepUnit,
    brush,
    loadUnitWeights,
    togglePlay,
    pause,
    setOrder,
  };
}

/** @typedef {ReturnType<typeof createActions>} Actions */

/**
 * The same cell, or the nearest one this recording has.
 * @param {Recording} recording
 * @param {Cell} cell
 * @returns {Cell}
 */
export function clampCell({ layers }, cell) {
  const layer = Math.min(cell.layer, layers.length - 1);
  const { directions } = layers[layer];
  const direction = directions.includes(cell.direction) ? cell.direction : directions[0];
  return { layer, direction };
}

/** Layers may differ in width. @param {Recording} recording @param {number} layer @param {number} unit */
const clampUnit = ({ layers }, layer, unit) => Math.min(unit, layers[layer].hidden_size - 1);
