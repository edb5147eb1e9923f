// The server of a saved session: the same operations, answered out of the file itself.

/** @import {Api} from '../api.js' */
/** @import {Session} from './offline.js' */
/** @import {NDArray, Numbers} from '../types.js' */

import { ApiError } from "../api.js";
import { plural } from "../format.js";
import { label } from "../label.js";
import { VERSION, weightName } from "./offline.js";
import { orderUnits } from "../heatmaps/ordering.js";
import { pathsHere } from "../paths/components.js";
import { decide } from "../predictions/decide.js";

/** A status no server sends: what is asked for is not in the file. */
const NOT_HERE = 501;

/** @param {string} detail */
const refuse = (detail) =>
  new ApiError({ title: "A saved session", status: NOT_HERE, detail, came: null });

/** @param {string} what */
const needsServer = (what) => async () => {
  throw refuse(`${what} needs Gatescope itself: this is a session that was saved from it.`);
};

/**
 * The session in a document, ready to be asked.
 * @param {Document} document
 * @param {Window} window
 * @returns {Api}
 */
export function openSession(document, window) {
  const session = readSession(document);
  if (!window.location.hash) window.history.replaceState(null, "", session.fragment || "#");
  tellApart(document, session);
  return createOfflineApi(session, createArrays(document, session), () => readPlotly(document));
}

/** @param {Document} document @returns {Session} */
function readSession(document) {
  const session = JSON.parse(document.getElementById("session")?.textContent ?? "null");
  if (session?.version !== VERSION) {
    throw new Error(`This file holds a session of version ${session?.version}, not ${VERSION}.`);
  }
  return session;
}

/**
 * The arrays of a session, each read when it is first wanted.
 * @param {Document} document
 * @param {Session} session
 */
export function createArrays(document, session) {
  const names = Object.keys(session.arrays);
  /** @type {Map<string, NDArray>} */
  const read = new Map();
  return {
    /** @param {string} name @returns {NDArray | undefined} */
    get(name) {
      const found = read.get(name);
      if (found || !Object.hasOwn(session.arrays, name)) return found;
      const { shape, dtype } = session.arrays[name];
      const element = document.getElementById(`array-${names.indexOf(name)}`);
      const bytes = fromBase64(element?.textContent ?? "");
      element?.remove(); // read once: its text is a third larger than what it says
      const data = new (dtype === "F64" ? Float64Array : Float32Array)(bytes.buffer);
      const expected = shape.reduce((product, axis) => product * axis, 1);
      if (data.length !== expected) throw refuse(`${name} is damaged in this file.`);
      const array = { shape, data };
      read.set(name, array);
      return array;
    },
  };
}

/** @param {string} text */
export function fromBase64(text) {
  const characters = atob(text);
  const bytes = new Uint8Array(characters.length);
  for (let n = 0; n < bytes.length; n++) bytes[n] = characters.charCodeAt(n);
  return bytes;
}

/**
 * @param {Session} session
 * @param {{get(name: string): NDArray | undefined}} stored
 * @param {() => Promise<string | null>} plotly  the address of plotly.js
 * @returns {Api}
 */
export function createOfflineApi(session, stored, plotly) {
  const { recording } = session;

  /** @param {string} name */
  function array(name) {
    const found = stored.get(name);
    if (!found) throw refuse(`${label(name)} is not in this file.`);
    return found;
  }

  return {
    about: async () => ({ ...session.about, plotly_url: await plotly() }),
    quantities: async () => session.quantities,
    models: async () => session.models,

    async record({ model, text, precision }) {
      const same =
        model === recording.model && text === recording.text && precision === recording.precision;
      if (!same) await needsServer("Recording anything else")();
      return recording;
    },

    arrays: async (_, names, part) =>
      new Map(names.map((name) => [name, some(array(name), name, part)])),

    predictions: async (_, { k }) =>
      decide(array("scores"), recording.predictions?.targets ?? null, k),

    paths: async (_, { also, ...asked }) => {
      if (also.length) await needsServer("Putting other sentences beside this one")();
      return pathsHere(array, asked);
    },

    async order(_, { layer, direction, sort, sort_of, unit }) {
      const name = `${layer}.${direction}.${sort_of}`;
      const order = session.orders[name];
      const made = sort === "cluster" ? order : orderUnits(array(name), sort, unit);
      if (!made) throw refuse(`How the units of ${name} cluster is not in this file.`);
      return { order: made };
    },

    async unitWeights({ layer, direction, unit }) {
      const names = ["W", "U", "b"];
      const alone = names.map((name) => stored.get(weightName({ layer, direction, unit }, name)));
      const all = names.map((name) =>
        stored.get(weightName({ layer, direction, unit: null }, name)),
      );
      const found = alone.map((own, n) => own ?? (all[n] && unitOf(all[n], unit)));
      if (found.some((weights) => !weights)) {
        throw refuse(
          `The weights of layer ${layer} ${direction}, unit ${unit} are not in this file: they are too large.`,
        );
      }
      return new Map(names.map((name, n) => [name, /** @type {NDArray} */ (found[n])]));
    },

    // Nobody asks for these of a recording that is here whole.
    tiles: needsServer("This picture"),
    matchingUnits: needsServer("Looking for units"),
    unitSummaries: needsServer("This"),
    lens: needsServer("Letting the head read another layer"),
    similarity: needsServer("Comparing"),
    comparison: needsServer("Comparing"),
    bestMatches: needsServer("Comparing"),
    comparisonTiles: needsServer("Comparing"),
    cellWeights: needsServer("Saving a session again"),
    offlinePage: needsServer("Saving a session again"),
    export: needsServer("Saving numbers"),
    writeOn: needsServer("Writing on"),
    sentences: needsServer("Opening a file"),
    table: needsServer("Opening a table"),
    propose: needsServer("Opening a network"),
    forget: needsServer("Opening a network"),
    open: needsServer("Opening a network"),
    fresh: needsServer("Making a network"),
    rename: needsServer("Renaming a network"),
    remove: needsServer("Removing a network"),
    signIn: needsServer("Signing in"),
  };
}

/**
 * Some timesteps and units of an array.
 * @param {NDArray} array
 * @param {string} name
 * @param {{start?: number, stop?: number, unit_start?: number, unit_stop?: number}} [part]
 * @returns {NDArray}
 */
function some(array, name, part = {}) {
  const { shape, data } = array;
  if (shape.length !== 2) return array;
  const { start = 0, stop = shape[0], unit_start = 0, unit_stop = shape[1] } = part;
  const rows = data.subarray(start * shape[1], stop * shape[1]);
  if (unit_start === 0 && unit_stop >= shape[1])
    return { shape: [stop - start, shape[1]], data: rows };
  const width = Math.min(unit_stop, shape[1]) - unit_start;
  const picked = /** @type {Numbers} */ (data.slice(0, (stop - start) * width));
  for (let t = 0; t < stop - start; t++) {
    const from = t * shape[1] + unit_start;
    picked.set(rows.subarray(from, from + width), t * width);
  }
  return { shape: [stop - start, width], data: picked };
}

/** One unit of [units, 4, …]. @param {NDArray} all @param {number} unit @returns {NDArray} */
function unitOf({ shape: [, ...shape], data }, unit) {
  const size = shape[0] * shape[1];
  return { shape, data: data.subarray(unit * size, (unit + 1) * size) };
}

/** plotly.js as an address, unpacked; null where the file was saved without it. @param {Document} document */
async function readPlotly(document) {
  const packed = document.getElementById("plotly")?.textContent;
  if (!packed) return null;
  const stream = new Blob([fromBase64(packed)])
    .stream()
    .pipeThrough(new DecompressionStream("gzip"));
  // The policy of the file knows data: addresses and no others.
  const script = new Blob([await new Response(stream).blob()], { type: "text/javascript" });
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(/** @type {string} */ (reader.result));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(script);
  });
}

/** What needs a server goes, and the page says what it is. @param {Document} document @param {Session} session */
function tellApart(document, session) {
  const { body } = document;
  body.classList.add("offline");
  body.classList.toggle("no-charts", !document.getElementById("plotly"));
  const why = "This is a saved session: recording another sentence needs Gatescope itself.";
  const text = document.getElementById("text");
  if (text instanceof HTMLTextAreaElement) {
    text.readOnly = true;
    text.title = why;
  }
  const model = document.getElementById("model");
  if (model instanceof HTMLButtonElement) {
    model.removeAttribute("popovertarget");
    model.disabled = true;
  }
  const { part, saved } = session;
  const note = document.createElement("p");
  note.id = "offline-note";
  const strong = document.createElement("strong");
  strong.textContent = "Saved session.";
  const day = new Date(saved).toLocaleDateString("en", { dateStyle: "long" });
  const which = part
    ? ` Timesteps ${part.start} to ${part.stop - 1} of ${part.of.toLocaleString("en")}; here they are 0 to ${part.stop - part.start - 1}.`
    : ` ${plural(session.recording.timesteps, "timestep")}, every layer and quantity.`;
  note.append(
    strong,
    `${which} Saved ${day}; all of it works without a server. Recording something else needs Gatescope.`,
  );
  document.querySelector("header")?.after(note);
  // Files that are dropped have nowhere to go.
  for (const type of ["dragover", "drop"]) {
    document.addEventListener(type, (event) => event.stopImmediatePropagation(), true);
  }
}
