// The state of the page, all of it: small, named, and (but for what the server sent) in the URL.

/** @import {About, ColourScale, Direction, Model, Order, Precision, Quantity, Rows, Sort, Statistic, Tab} from './types.js' */
/** @import {Recording, UnitWeights} from './recording.js' */

import { atom } from "./store.js";
import { stepCount, timestepAt } from "./time/transport.js";

export const SPEEDS = [0.5, 1, 2, 4, 8, 16, 30];

/**
 * @typedef {{kind: "idle"} | {kind: "busy", message: string, part: number | null, cancel: () => void} | {kind: "problem", title: string, message: string, hint?: string, action?: {label: string, run: () => unknown}}} Status
 */

export function createState() {
  return {
    // What the server has.
    about: atom(/** @type {About | null} */ (null)),
    quantities: atom(/** @type {Quantity[]} */ ([])),
    models: atom(/** @type {Model[]} */ ([])),
    // What is asked for.
    model: atom(""),
    text: atom(""),
    precision: atom(/** @type {Precision} */ ("float32")),
    // What came.
    recording: atom(/** @type {Recording | null} */ (null)),
    /** The pinned run, which the recording is compared with: see pinned.js. */
    pinned: atom(/** @type {Recording | null} */ (null)),
    /** Counts the arrivals of arrays: a view that reads it is painted when they come. */
    arrived: atom(0),
    /** The same for what only pictures are made of: tiles, orders of units, ends of scales. */
    pictured: atom(0),
    unitWeights: atom(/** @type {UnitWeights | null} */ (null)),
    status: atom(/** @type {Status} */ ({ kind: "idle" })),
    sentences: atom(/** @type {{name: string, sentences: string[]} | null} */ (null)),
    // Time.
    step: atom(0),
    order: atom(/** @type {Order} */ ("sentence")),
    playing: atom(false),
    speed: atom(2),
    // Selection.
    layer: atom(0),
    direction: atom(/** @type {Direction} */ ("forward")),
    unit: atom(0),
    // View.
    tab: atom(/** @type {Tab} */ ("states")),
    scale: atom(/** @type {ColourScale} */ ("fixed")),
    /** The part of the time axis on the screen, in timesteps; a span of 0 is as many as can be read. */
    from: atom(0),
    span: atom(0),
    rows: atom(/** @type {Rows} */ ("all")),
    /** The quantities that are shown, in their own order. */
    show: atom("ifgoch"),
    sort: atom(/** @type {Sort} */ ("index")),
    sortOf: atom("h"),
    statistic: atom(/** @type {Statistic} */ ("extreme")),
    /** What one unit's sentence is coloured by, and the lines that are drawn of it. */
    colouredBy: atom("h"),
    lines: atom("ifgoch"),
    /** The gate whose pre-activation is taken apart. */
    gate: atom("i"),
    /** Where the map of the network is looked at, "x,y,columns"; "" is all of it: see camera.js. */
    camera: atom(""),
    /**
     * Which run is pinned: a model and a text. "" is whatever is on the screen now, so that another
     * checkpoint reads every sentence that is typed; twice "" is none.
     */
    pinModel: atom(""),
    pinText: atom(""),
    /** What these views show, "of:h;over:window": see options.js. */
    compare: atom(""),
    paths: atom(""),
    predict: atom(""),
    write: atom(""),
    /** Selected units, "1.forward:3-7,12", and named sets of them: see brush.js. */
    brush: atom(""),
    sets: atom(""),
    /** 1: [ and ] go through the selected units only. */
    only: atom(0),
    /** What a link takes away from the page: see embed.js. */
    hide: atom(""),
    embed: atom(""),
    // Measured on the screen, not in the URL.
    trackWidth: atom(0),
    /** Counts the measurements of the layout. */
    measured: atom(0),
  };
}

/** @typedef {ReturnType<typeof createState>} State */

/** The selected row of the network. @param {State} state */
export const selectedCell = (state) => ({
  layer: state.layer.get(),
  direction: state.direction.get(),
});

/**
 * How time runs in a recording.
 * @param {State} state
 * @param {Recording} recording
 */
export const course = (state, recording) => ({
  order: state.order.get(),
  timesteps: recording.timesteps,
  waves: recording.waves,
});

/**
 * The timestep the selected cell shows.
 * @param {State} state
 * @param {Recording} recording
 */
export const selectedTimestep = (state, recording) =>
  timestepAt(course(state, recording), state.step.get(), selectedCell(state));

/**
 * @param {State} state
 * @param {Recording} recording
 */
export const steps = (state, recording) => stepCount(course(state, recording));

/** @param {State} state */
export const selectedModel = (state) => modelOf(state, state.model.get());

/** The model of a recording may no longer be the selected one. @param {State} state @param {string} id */
export const modelOf = (state, id) => state.models.get().find((model) => model.id === id);

/**
 * All models: after each its checkpoints, as models of their own.
 * @param {Model[]} models
 * @returns {Model[]}
 */
export const withCheckpoints = (models) =>
  models.flatMap((model) => [
    model,
    ...model.checkpoints.map(({ id, digest, step }) => ({
      ...model,
      id,
      digest,
      title: `${model.title}, step ${step}`,
      checkpoints: [],
      checkpoint_of: model.id,
    })),
  ]);

/** Whether a model reads rows of numbers instead of text. @param {Model | undefined} model */
export const readsTable = (model) => model?.split === "table";
