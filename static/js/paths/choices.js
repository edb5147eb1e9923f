// What a person has chosen in this room, as the link says it: see options.js.

/** @import {Page} from '../page.js' */
/** @import {Recording} from '../recording.js' */
/** @import {Cell} from '../types.js' */
/** @import {Turn} from './projection.js' */

import { readOptions, writeOptions } from "../options.js";

/** Most sentences beside the one on the screen. */
export const MOST = 20;

const DEFAULTS = {
  /** The quantity. */
  of: "h",
  /** Cells, "0.forward,1.backward"; "" is all of them. */
  cells: "",
  /** own: each cell has directions of its own; shared: one space for all. */
  space: /** @type {"own" | "shared"} */ ("own"),
  dims: 2,
  /** How the space is turned, in degrees: around the upright axis, and towards the eye. */
  turn: "30,20",
  /** What points are coloured by. */
  colour: /** @type {Colouring} */ ("path"),
  join: 1,
  tokens: 1,
  /** 0 leaves the pinned run out. */
  pin: 1,
  /** Further sentences: e3 is an example of the model, f12 a line of the uploaded file. */
  also: "",
};

/** @typedef {"path" | "time" | "label"} Colouring */
/** @typedef {typeof DEFAULTS} Choices */

const flag = (/** @type {number} */ value) => value === 0 || value === 1;

/** @type {{[name in keyof Choices]?: (value: Choices[name]) => boolean}} */
const SOUND = {
  cells: (text) => text === "" || /^\d+\.(forward|backward)(,\d+\.(forward|backward))*$/.test(text),
  space: (value) => value === "own" || value === "shared",
  dims: (value) => value === 2 || value === 3,
  turn: (text) => /^-?\d{1,3},-?\d{1,3}$/.test(text),
  colour: (value) => ["path", "time", "label"].includes(value),
  join: flag,
  tokens: flag,
  pin: flag,
  also: (text) => text === "" || /^[ef]\d{1,5}(,[ef]\d{1,5})*$/.test(text),
};

/** @param {string} text @returns {Choices} */
export const readChoices = (text) => readOptions(text, DEFAULTS, SOUND);

/** @param {Choices} choices */
export const writeChoices = (choices) => writeOptions(choices, DEFAULTS);

/** Choose something else. @param {Page["state"]} state @param {Partial<Choices>} changed */
export const choose = (state, changed) =>
  state.paths.set(writeChoices({ ...readChoices(state.paths.get()), ...changed }));

/** @param {string} turn @returns {Turn} */
export function readTurn(turn) {
  const [yaw, pitch] = turn.split(",").map(Number);
  return { yaw, pitch };
}

/**
 * Turned further; upside down is never reached.
 * @param {Turn} turn
 * @param {number} by  degrees
 * @param {number} up
 */
export const turned = ({ yaw, pitch }, by, up) => {
  const around = (((yaw + by + 180) % 360) + 360) % 360;
  return { yaw: around - 180, pitch: Math.max(-90, Math.min(90, pitch + up)) };
};

/** As a link has it. @param {Turn} turn */
export const writeTurn = ({ yaw, pitch }) => `${Math.round(yaw)},${Math.round(pitch)}`;

/** @param {Cell} cell */
export const cellName = ({ layer, direction }) => `${layer}.${direction}`;

/**
 * The cells that are looked at: all of them where none of those that are asked for exists.
 * @param {Choices} choices
 * @param {readonly Cell[]} rows
 */
export function cellsOf({ cells }, rows) {
  const asked = new Set(cells.split(","));
  const found = rows.filter((cell) => asked.has(cellName(cell)));
  return found.length ? found : [...rows];
}

/**
 * Take a cell in or out; one is always left.
 * @param {Choices} choices
 * @param {readonly Cell[]} rows
 * @param {Cell} cell
 */
export function withCell(choices, rows, cell) {
  const shown = new Set(cellsOf(choices, rows).map(cellName));
  if (!shown.delete(cellName(cell))) shown.add(cellName(cell));
  if (!shown.size) return choices.cells;
  return shown.size === rows.length ? "" : rows.map(cellName).filter((name) => shown.has(name)).join(); // prettier-ignore
}

/** The further sentences, as the link names them. @param {Choices} choices */
export const alsoOf = ({ also }) => [...new Set(also.split(",").filter(Boolean))].slice(0, MOST);

/**
 * What a sentence's name in the link stands for.
 * @param {string} name
 * @param {readonly string[]} examples
 * @param {readonly string[] | undefined} uploaded
 */
export const sentenceOf = (name, examples, uploaded) =>
  (name[0] === "e" ? examples : uploaded)?.[Number(name.slice(1))];

/**
 * Why these cells cannot be in one space; "" where they can.
 * @param {Recording} recording
 * @param {readonly Cell[]} cells
 * @param {string} quantity
 */
export function whyNotShared(recording, cells, quantity) {
  if (cells.length < 2) return "One cell is in a space of its own anyway.";
  const widths = cells.map(
    (cell) => recording.described(`${cellName(cell)}.${quantity}`)?.shape[1],
  );
  const different = [...new Set(widths)].sort((a = 0, b = 0) => a - b);
  return different.length < 2
    ? ""
    : `One space needs cells with as many units: these have ${different.join(" and ")}.`;
}
