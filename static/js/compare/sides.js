// The two sides of a comparison: the selected cell of this run, and what it is held against. Pure.

/** @import {Recording} from '../recording.js' */
/** @import {Cell} from '../types.js' */
/** @import {Options} from './options.js' */

/**
 * @typedef {object} Side
 * @property {Pick<Recording, "about" | "layers" | "rows" | "timesteps">} recording
 * @property {Cell} cell
 * @property {string} quantity
 * @property {string} name  of the array
 * @property {number} width  units
 *
 * `crosses`: the other side is of the pinned run.
 * @typedef {{one: Side, other: Side, crosses: boolean}} Pair
 */

/** @param {Cell} a @param {Cell} b */
const same = (a, b) => a.layer === b.layer && a.direction === b.direction;

/** @param {Cell} cell @param {string} quantity */
export const arrayName = ({ layer, direction }, quantity) => `${layer}.${direction}.${quantity}`;

/** @param {string} name @returns {{cell: Cell, quantity: string}} */
export function readName(name) {
  const [layer, direction, quantity] = name.split(".");
  const cell = { layer: Number(layer), direction: /** @type {Cell["direction"]} */ (direction) };
  return { cell, quantity };
}

/** @param {Side["recording"]} recording @param {Cell} cell @param {string} quantity @returns {Side} */
function side(recording, cell, quantity) {
  const { hidden_size, output_size } = recording.layers[cell.layer];
  const width = quantity === "h" ? output_size : hidden_size;
  return { recording, cell, quantity, name: arrayName(cell, quantity), width };
}

/**
 * What one compares a cell with unless one says otherwise: the other direction, else the layer below,
 * else the one above; null where there is no other cell.
 * @param {Side["recording"]} recording
 * @param {Cell} cell
 * @returns {Cell | null}
 */
export function neighbourOf({ layers }, { layer, direction }) {
  const opposite = layers[layer].directions.find((other) => other !== direction);
  if (opposite) return { layer, direction: opposite };
  const next = layers[layer - 1] ? layer - 1 : layer + 1;
  const there = layers[next]?.directions;
  if (!there) return null;
  return { layer: next, direction: there.includes(direction) ? direction : there[0] };
}

/**
 * The same cell of another network, or the nearest one it has.
 * @param {Side["recording"]} recording
 * @param {Cell} cell
 * @returns {Cell}
 */
function counterpart({ layers }, cell) {
  const layer = Math.min(cell.layer, layers.length - 1);
  const { directions } = layers[layer];
  return { layer, direction: directions.includes(cell.direction) ? cell.direction : directions[0] };
}

/**
 * What is compared. Where there is no other cell it is another quantity of the same one.
 * @param {Side["recording"]} recording
 * @param {Side["recording"] | null} pinned
 * @param {Cell} cell
 * @param {Options} options
 * @returns {Pair}
 */
export function pairOf(recording, pinned, cell, options) {
  const one = side(recording, cell, options.of);
  const crosses = pinned !== null && options.run !== "this";
  const run = crosses ? pinned : recording;
  const asked = options.with ? readName(options.with) : null;
  if (asked && run.layers[asked.cell.layer]?.directions.includes(asked.cell.direction)) {
    const other = side(run, asked.cell, asked.quantity);
    // An array against itself says nothing.
    if (crosses || other.name !== one.name) return { one, other, crosses };
  }
  const suggested = crosses ? counterpart(run, cell) : neighbourOf(recording, cell);
  const other = suggested
    ? side(run, suggested, options.of)
    : side(run, cell, options.of === "c" ? "h" : "c");
  return { one, other, crosses };
}

/** @param {Pair} pair */
export const keyOf = ({ one, other }) =>
  `${one.recording.about.id} ${one.name} ${other.recording.about.id} ${other.name}`;

/** Two quantities of one cell. @param {Pair} pair */
export const areQuantities = ({ one, other, crosses }) => !crosses && same(one.cell, other.cell);

/** Both directions of one layer, in one run: a question of its own. @param {Pair} pair */
export const areDirections = ({ one, other, crosses }) =>
  !crosses && one.cell.layer === other.cell.layer && !same(one.cell, other.cell);

const ARROW = { forward: "→", backward: "←" };

/** "layer 1 forward". @param {Cell} cell */
export const cellWords = ({ layer, direction }) => `layer ${layer} ${direction}`;

/** "h 1→", where there is no room for words. @param {Pick<Side, "cell" | "quantity">} side */
export const shortWords = ({ cell, quantity }) =>
  `${quantity} ${cell.layer}${ARROW[cell.direction]}`;

/** "1→" @param {Cell} cell */
export const cellShort = ({ layer, direction }) => `${layer}${ARROW[direction]}`;

/** What a request says of the other side. @param {Pair} pair */
export const askedOf = ({ one, other, crosses }) => ({
  name: one.name,
  other: crosses ? other.recording.about.id : undefined,
  other_name: other.name,
});
