// A session as one HTML file: the page itself, and what was recorded as elements no browser runs.
// offline-api.js reads it again.

/** @import {Api} from '../api.js' */
/** @import {State} from '../state.js' */
/** @import {Cell, Model, NDArray, RecordingPublic} from '../types.js' */
/** @import {Recording} from '../recording.js' */
/** @import {Link} from '../url.js' */

import { plural } from "../format.js";
import { WHOLE_BYTES } from "../recording.js";
import { modelOf, selectedCell, selectedTimestep } from "../state.js";
import { stepFor } from "../time/transport.js";
import { linkOf, toFragment } from "../url.js";

/** Where the server's page leaves room, see server/offline.py. */
const PLACE = "<!-- session -->";
/** About what the page takes, and plotly.js. */
const PAGE_BYTES = 1_100_000;
const CHART_BYTES = 2_000_000;
/** Weights up to this size go along whole. */
const WEIGHT_BYTES = 24_000_000;
/** Four characters of base64 for every three bytes. */
const IN_TEXT = 4 / 3;

/** @typedef {{start: number, stop: number}} Part  timesteps of a recording, the last not included */
/** @typedef {{layer: number, direction: Cell["direction"], unit: number | null}} Weighed  a unit, or all of a cell */

/**
 * What a saved session says of itself; the arrays lie beside it.
 * @typedef {object} Session
 * @property {number} version
 * @property {string} saved  when
 * @property {string} fragment  of the address the page was at
 * @property {import('../types.js').About} about
 * @property {import('../types.js').Quantity[]} quantities
 * @property {Model[]} models
 * @property {RecordingPublic} recording
 * @property {(Part & {of: number}) | null} part  which timesteps of a longer recording these are
 * @property {Record<string, number[]>} orders  units by cluster: "1.forward.h"
 * @property {Record<string, {shape: number[], dtype: "F32" | "F64"}>} arrays
 */

export const VERSION = 1;

/**
 * What would be saved, before anything is.
 * @param {State} state
 * @param {Recording} recording
 * @param {{charts: boolean, part: Part | null}} options
 */
export function planSession(state, recording, { charts, part }) {
  const arrays = partOf(recording, part);
  const share = (part ? part.stop - part.start : recording.timesteps) / recording.timesteps;
  const nbytes = Math.ceil(recording.about.nbytes * share);
  const weighed = weightsToSave(state, recording);
  const weights = weighed.reduce((sum, of) => sum + weightBytes(recording, of), 0);
  const most = Math.floor((WHOLE_BYTES / recording.about.nbytes) * recording.timesteps);
  return {
    arrays,
    weighed,
    nbytes: Math.ceil(PAGE_BYTES + (charts ? CHART_BYTES : 0) + (nbytes + weights) * IN_TEXT),
    /** Why it cannot be, if so. */
    problem:
      nbytes > WHOLE_BYTES
        ? `${plural(part ? part.stop - part.start : recording.timesteps, "timestep")} are too many for one file: at most ${plural(most, "timestep")} of this recording.`
        : null,
    missing:
      weighed.length && weighed[0].unit === null && weighed.length === recording.rows.length
        ? null
        : `The weights of ${weighed.map(nameOf).join(", ")} alone go along: those of the whole network are too large.`,
  };
}

/** @param {Weighed} of */
const nameOf = ({ layer, direction, unit }) =>
  `layer ${layer} ${direction}` + (unit === null ? "" : `, unit ${unit}`);

/**
 * All weights of the network, of the selected cell, or of the selected unit: what is small enough.
 * @param {State} state
 * @param {Recording} recording
 * @returns {Weighed[]}
 */
function weightsToSave(state, recording) {
  const all = recording.rows.map((cell) => ({ ...cell, unit: null }));
  const one = { ...selectedCell(state), unit: null };
  const size = (/** @type {Weighed[]} */ cells) =>
    cells.reduce((sum, cell) => sum + weightBytes(recording, cell), 0);
  if (size(all) <= WEIGHT_BYTES) return all;
  return size([one]) <= WEIGHT_BYTES ? [one] : [{ ...one, unit: state.unit.get() }];
}

/** @param {Recording} recording @param {Weighed} of */
function weightBytes({ layers, about }, { layer, unit }) {
  const { input_size, hidden_size, output_size } = layers[layer];
  const units = unit === null ? hidden_size : 1;
  return 4 * units * (input_size + output_size + 2) * (about.precision === "float64" ? 8 : 4);
}

/**
 * The recording as it will be described, cut to a part.
 * @param {Recording} recording
 * @param {Part | null} part
 * @returns {RecordingPublic}
 */
export function partOf({ about, timesteps }, part) {
  if (!part) return about;
  const { start, stop } = part;
  const count = stop - start;
  return {
    ...about,
    timesteps: count,
    tokens: about.tokens.slice(start, stop),
    predictions: about.predictions && {
      ...about.predictions,
      targets: about.predictions.targets?.slice(start, stop) ?? null,
    },
    arrays: about.arrays.map((array) =>
      isState(array.name) ? array : { ...array, shape: [count, ...array.shape.slice(1)] },
    ),
    nbytes: Math.ceil((about.nbytes * count) / timesteps),
  };
}

/** Whether an array has no timesteps. @param {string} name */
const isState = (name) => /\.[hc]_0$/.test(name);

/**
 * The file.
 * @param {State} state
 * @param {Api} api
 * @param {Recording} recording
 * @param {{charts: boolean, part: Part | null, signal: AbortSignal, onProgress: (part: number) => void}} options
 * @returns {Promise<Blob>}
 */
export async function saveSession(state, api, recording, { charts, part, signal, onProgress }) {
  const plan = planSession(state, recording, { charts, part });
  if (plan.problem) throw new Error(plan.problem);
  const sorts = [...new Set(["h", state.sortOf.get()])];
  const tasks = 1 + recording.rows.length * (1 + sorts.length) + plan.weighed.length + 1;
  let done = 0;
  const step = () => {
    signal.throwIfAborted();
    onProgress(++done / tasks);
  };

  const page = await api.offlinePage(charts, signal);
  step();
  /** @type {Session["arrays"]} */
  const described = {};
  /** @type {BlobPart[]} */
  const texts = [];
  /** @param {string} name @param {NDArray} array */
  const keep = (name, { shape, data }) => {
    const id = Object.keys(described).length;
    described[name] = { shape, dtype: data instanceof Float64Array ? "F64" : "F32" };
    texts.push(`<script type="text/plain" id="array-${id}">`, ...base64(data), "</script>\n");
  };

  const others = plan.arrays.arrays.map(({ name }) => name).filter((name) => !name.includes("."));
  for (const [name, array] of await fetchPart(api, recording, others, part, signal))
    keep(name, array);
  step();
  for (const cell of recording.rows) {
    const prefix = `${cell.layer}.${cell.direction}.`;
    const names = plan.arrays.arrays
      .map(({ name }) => name)
      .filter((name) => name.startsWith(prefix));
    for (const [name, array] of await fetchPart(api, recording, names, part, signal))
      keep(name, array);
    step();
  }
  for (const of of plan.weighed) {
    const arrays = await fetchWeights(api, recording, of, signal);
    for (const [name, array] of arrays) keep(weightName(of, name), array);
    step();
  }
  /** @type {Session["orders"]} */
  const orders = {};
  for (const cell of recording.rows) {
    for (const sort_of of sorts) {
      // A session without this order is better than none.
      const found = await api
        .order(recording.about.id, { ...cell, sort: "cluster", sort_of, unit: 0 })
        .catch(() => null);
      if (found) orders[`${cell.layer}.${cell.direction}.${sort_of}`] = found.order;
      step();
    }
  }

  const about = state.about.get();
  const model = modelOf(state, recording.about.model);
  if (!about) throw new Error("The page knows nothing of its server yet.");
  /** @type {Session} */
  const session = {
    version: VERSION,
    saved: new Date().toISOString(),
    fragment: toFragment(linkTo(state, recording, part)),
    about: { ...about, plotly_url: null },
    quantities: state.quantities.get(),
    models: model ? [model] : [],
    recording: plan.arrays,
    part: part && { ...part, of: recording.timesteps },
    orders,
    arrays: described,
  };
  return new Blob(assemble(page, session, texts), { type: "text/html" });
}

/**
 * @param {string} page
 * @param {Session} session
 * @param {BlobPart[]} texts
 * @returns {BlobPart[]}
 */
export function assemble(page, session, texts) {
  const [before, after, ...more] = page.split(PLACE);
  if (after === undefined || more.length) throw new Error(`The page has not one ${PLACE}.`);
  return [
    before,
    `<script type="application/json" id="session">${inert(session)}</script>\n`,
  ].concat(/** @type {string[]} */ (texts), after);
}

/** JSON in which no element can end and no comment begin. @param {unknown} value */
export const inert = (value) => JSON.stringify(value).replace(/</g, "\\u003c");

/** @param {Weighed} of @param {string} name */
export const weightName = ({ layer, direction, unit }, name) =>
  `weights ${layer}.${direction}${unit === null ? "" : `.${unit}`} ${name}`;

/**
 * Arrays as they are here, else from the server; those of a part begin with the states before it.
 * @param {Api} api
 * @param {Recording} recording
 * @param {string[]} names
 * @param {Part | null} part
 * @param {AbortSignal} signal
 * @returns {Promise<Map<string, NDArray>>}
 */
async function fetchPart(api, recording, names, part, signal) {
  const missing = names.filter((name) => part || !recording.array(name));
  // One timestep more at both ends: what a cell remembers when it comes to the part.
  const start = part ? Math.max(0, part.start - 1) : 0;
  const stop = part ? Math.min(recording.timesteps, part.stop + 1) : recording.timesteps;
  const fetched = missing.length
    ? await api.arrays(recording.about.id, missing, part ? { start, stop } : undefined, signal)
    : new Map();
  /** @type {Map<string, NDArray>} */
  const found = new Map();
  for (const name of names) {
    const array = /** @type {NDArray} */ (fetched.get(name) ?? recording.array(name));
    found.set(name, part ? cut(array, name, part, { start, stop }, fetched) : array);
  }
  return found;
}

/**
 * @param {NDArray} array
 * @param {string} name
 * @param {Part} part
 * @param {Part} fetched  the timesteps that are in the arrays
 * @param {Map<string, NDArray>} arrays
 * @returns {NDArray}
 */
function cut(array, name, part, fetched, arrays) {
  if (isState(name)) {
    const backward = name.includes(".backward.");
    const before = backward ? part.stop : part.start - 1;
    const states = arrays.get(name.slice(0, -2));
    if (!states || before < fetched.start || before >= fetched.stop) return array;
    const width = states.shape[1];
    const at = (before - fetched.start) * width;
    return { shape: [width], data: states.data.slice(at, at + width) };
  }
  const width = array.shape[1];
  const from = (part.start - fetched.start) * width;
  const count = part.stop - part.start;
  return { shape: [count, width], data: array.data.subarray(from, from + count * width) };
}

/**
 * @param {Api} api
 * @param {Recording} recording
 * @param {Weighed} of
 * @param {AbortSignal} signal
 */
function fetchWeights(api, { about }, { layer, direction, unit }, signal) {
  const of = { model: about.model, layer, direction, precision: about.precision };
  return unit === null
    ? api.cellWeights(of, signal)
    : api.unitWeights({ ...of, digest: about.model_digest, unit });
}

/**
 * The link to the present screen, in a file that may hold only a part of the recording.
 * @param {State} state
 * @param {Recording} recording
 * @param {Part | null} part
 * @returns {Link}
 */
function linkTo(state, recording, part) {
  const link = linkOf(state);
  if (!part) return link;
  const timesteps = part.stop - part.start;
  const t = Math.min(timesteps - 1, Math.max(0, selectedTimestep(state, recording) - part.start));
  const course = { order: state.order.get(), timesteps, waves: recording.waves };
  return { ...link, from: 0, span: 0, step: stepFor(course, t, selectedCell(state)) };
}

/** Bytes of one piece: divisible by three, so that pieces join, and few enough to be arguments. */
const PIECE = 24_576;

/** The bytes of an array as text, in pieces. @param {import('../types.js').Numbers} data */
export function* base64(data) {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  for (let at = 0; at < bytes.length; at += PIECE)
    yield btoa(String.fromCharCode(...bytes.subarray(at, at + PIECE)));
}
