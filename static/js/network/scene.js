// Where everything in the picture of the unrolled network stands. Pure.
//
// The plane's unit is the column of one timestep; layers stand as in the textbooks, the input at the
// bottom. Each cell has a tile as the drawing of one cell fills it (draw/cell-layout.js): its body, and
// round it the ends of the wires that meet it. Columns are alike, so wires are laid out once, for a
// column at 0, and moved to where they are needed.

/** @import {Cell, Direction, Layer, Model} from '../types.js' */
/** @import {Box} from './camera.js' */

import { lensOf } from "./camera.js";
import { HEIGHT, WIDTH } from "../cell/layout.js";
import { networkRows } from "../geometry.js";
import { timestepBefore } from "../time/transport.js";

/** A cell's tile leaves room beside it for the wires of other cells to pass. */
const TILE = { left: 0.07, width: 0.86, height: (0.86 * HEIGHT) / WIDTH };
/** The lanes of what passes a tile: to the forward cell above it, from the backward one below. */
const PASSING = { left: 0.035, right: 0.965 };

/** In the drawing of a cell whose time runs to the right, from 0 to 1. */
const BODY = { left: 104 / WIDTH, right: 604 / WIDTH, top: 14 / HEIGHT, bottom: 380 / HEIGHT };
const CONVEYOR = { c: 54 / HEIGHT, h: 352 / HEIGHT };
/** Where h turns up, and where what a cell reads comes in. */
const EXIT = 621 / WIDTH;
const ENTRANCES = [[211 / WIDTH], [190 / WIDTH, 352 / WIDTH]];

/** Heights and gaps, in columns. */
const SIZES = {
  head: 0.22,
  aboveTop: 0.2,
  join: 0.11,
  belowJoin: 0.15,
  betweenDirections: 0.17,
  belowLayer: 0.22,
  input: 0.14,
  belowInput: 0.05,
  token: 0.22,
};
/** How far initial states and final ones stand off the first and the last tile. */
const OFF = 0.34;
/** Free at both ends of the sequence. */
const MARGIN = 0.66;

/**
 * Where a wire begins or ends. Initial and final states belong to a cell, a join to the layer whose
 * directions it puts side by side, heads and inputs to a timestep alone.
 * @typedef {object} Place
 * @property {"cell" | "initial" | "final" | "join" | "input" | "head" | "output"} kind
 * @property {number} layer  -1 where there is none
 * @property {Direction | null} direction
 * @property {number} timestep
 */

/**
 * @typedef {object} Wire
 * @property {"h" | "c" | "x" | "output"} what  "output": h of both directions, joined
 * @property {Place} from
 * @property {Place} to
 * @property {number[]} points  x, y, x, y, … between tiles
 * @property {number[]} start  from the body to the first point, inside the tile; may be empty
 * @property {number[]} end  from the last point to the body
 */

/** @typedef {{top: number, bottom: number}} Band */
/** @typedef {Band & {layer: number, left: number, middle: number, right: number}} Join */
/** @typedef {Band & {reads: Model["reads"], rail: number, wire: Wire}} Head  `rail`: the height at which other timesteps are read */

/**
 * One cell, unrolled; places and points are those of column 0.
 * @typedef {object} Row
 * @property {Cell} cell
 * @property {number} top  of the tile
 * @property {number} bottom
 * @property {Box} body
 * @property {Wire[]} carried  c and h of the timestep before
 * @property {Wire[]} initial
 * @property {Wire[]} final
 * @property {Wire} reads  what comes from below
 * @property {number[]} fork  where that parts into what each direction below gives; may be empty
 * @property {Wire | null} gives  to the join of its layer
 */

/**
 * @typedef {object} Scene
 * @property {number} timesteps
 * @property {Row[]} rows  from top to bottom
 * @property {Join[]} joins
 * @property {Head | null} head
 * @property {Wire | null} output  what leaves at the top, where no head reads it
 * @property {Band} input
 * @property {Band} token
 * @property {Box} bounds
 */

/**
 * @param {readonly Pick<Layer, "directions">[]} layers
 * @param {number} timesteps
 * @param {Model["reads"] | null} reads  what a head is given at a timestep; null: there is no head
 * @returns {Scene}
 */
export function sceneOf(layers, timesteps, reads) {
  const stack = stackOf(layers, reads !== null);
  const { tiles, joins, input, token } = stack;
  const rows = tiles.map(({ cell }) => rowOf(cell, layers, stack));
  const bounds = { left: -MARGIN, top: 0, right: timesteps + MARGIN, bottom: token.bottom };
  const { head, output } = topOf(layers, stack, reads);
  return { timesteps, rows, joins, head, output, input, token, bounds };
}

/**
 * The heights of everything, from the top down.
 * @param {readonly Pick<Layer, "directions">[]} layers
 * @param {boolean} hasHead
 */
function stackOf(layers, hasHead) {
  let y = 0;
  const take = (/** @type {number} */ height, /** @type {number} */ gap) => {
    const band = { top: y, bottom: y + height };
    y += height + gap;
    return band;
  };
  const head = take(hasHead ? SIZES.head : 0, SIZES.aboveTop);
  /** @type {Join[]} */
  const joins = [];
  const tiles = networkRows(/** @type {Layer[]} */ (layers)).map((cell) => {
    const { directions } = layers[cell.layer];
    const [first, last] = [directions[0], directions[directions.length - 1]];
    if (cell.direction === first && first !== last) {
      const halves = { left: 0.24, middle: 0.5, right: 0.76 };
      joins.push({ layer: cell.layer, ...halves, ...take(SIZES.join, SIZES.belowJoin) });
    }
    const gap = cell.direction === last ? SIZES.belowLayer : SIZES.betweenDirections;
    return { cell, ...take(TILE.height, gap) };
  });
  const input = take(SIZES.input, SIZES.belowInput);
  return { head, joins, tiles, input, token: take(SIZES.token, 0) };
}

/** @typedef {ReturnType<typeof stackOf>} Stack */

/** @param {Stack} stack @param {Cell} cell */
const tileIn = ({ tiles }, { layer, direction }) =>
  /** @type {Band} */ (
    tiles.find(({ cell }) => cell.layer === layer && cell.direction === direction)
  );

/**
 * A place in the drawing of a cell, in column 0; the drawing is mirrored where time runs to the left.
 * @param {Band} tile
 * @param {Direction} direction
 * @param {number} fx  from 0 to 1
 * @param {number} fy
 */
const inTile = ({ top }, direction, fx, fy) => ({
  x: TILE.left + TILE.width * (direction === "forward" ? fx : 1 - fx),
  y: top + TILE.height * fy,
});

/** Where h leaves a tile upwards. @param {Band} tile @param {Direction} direction */
function exitOf(tile, direction) {
  const { x, y } = inTile(tile, direction, EXIT, 0);
  const from = inTile(tile, direction, BODY.right, CONVEYOR.h);
  return { x, y, start: [from.x, from.y, x, from.y, x, y] };
}

/**
 * What a layer gives to whatever reads it, and where that leaves; below the first layer, the input.
 * @param {readonly Pick<Layer, "directions">[]} layers
 * @param {number} layer
 * @param {Stack} stack
 * @returns {{what: Wire["what"], from: Place, x: number, y: number, start: number[]}}
 */
function outputOf(layers, layer, stack) {
  const place = { direction: null, timestep: 0 };
  if (layer < 0) {
    const from = /** @type {Place} */ ({ ...place, kind: "input", layer: -1 });
    return { what: "x", from, x: 0.5, y: stack.input.top, start: [] };
  }
  const { directions } = layers[layer];
  const join = stack.joins.find((own) => own.layer === layer);
  if (join) {
    const from = /** @type {Place} */ ({ ...place, kind: "join", layer });
    return { what: "output", from, x: join.middle, y: join.top, start: [] };
  }
  const [direction] = directions;
  const from = /** @type {Place} */ ({ kind: "cell", layer, direction, timestep: 0 });
  return { what: "h", from, ...exitOf(tileIn(stack, { layer, direction }), direction) };
}

/**
 * What the highest layer gives: to a head, or to whoever called the network.
 * @param {readonly Pick<Layer, "directions">[]} layers
 * @param {Stack} stack
 * @param {Model["reads"] | null} reads
 * @returns {Pick<Scene, "head" | "output">}
 */
function topOf(layers, stack, reads) {
  const { what, from, x, y, start } = outputOf(layers, layers.length - 1, stack);
  const { head } = stack;
  const to = { layer: -1, direction: null, timestep: 0 };
  if (!reads) {
    const points = [x, y, x, head.bottom + SIZES.aboveTop * 0.3];
    return {
      head: null,
      output: { what, from, to: { ...to, kind: "output" }, points, start, end: [] },
    };
  }
  const rail = head.bottom + SIZES.aboveTop * 0.55;
  const points = straightened([x, y, x, rail, 0.5, rail, 0.5, head.bottom]);
  /** @type {Wire} */
  const wire = { what, from, to: { ...to, kind: "head" }, points, start, end: [] };
  return { head: { ...head, reads, rail, wire }, output: null };
}

/**
 * @param {Cell} cell
 * @param {readonly Pick<Layer, "directions">[]} layers
 * @param {Stack} stack
 * @returns {Row}
 */
function rowOf(cell, layers, stack) {
  const { direction } = cell;
  const { top, bottom } = tileIn(stack, cell);
  const at = (/** @type {number} */ fx, /** @type {number} */ fy) =>
    inTile({ top, bottom }, direction, fx, fy);
  const [a, b] = [at(BODY.left, BODY.top), at(BODY.right, BODY.bottom)];
  const body = { left: Math.min(a.x, b.x), top: a.y, right: Math.max(a.x, b.x), bottom: b.y };
  const wires = { ...stateWires(cell, at), ...wireFromBelow(cell, layers, stack, at) };
  return { cell, top, bottom, body, ...wires, gives: wireToJoin(cell, layers, stack) };
}

/**
 * c and h of a cell, from timestep to timestep, in at one end of the sequence and out at the other.
 * @param {Cell} cell
 * @param {(fx: number, fy: number) => {x: number, y: number}} at
 * @returns {Pick<Row, "carried" | "initial" | "final">}
 */
function stateWires({ layer, direction }, at) {
  /** 1 where time runs to the right. */
  const sign = direction === "forward" ? 1 : -1;
  /** @type {Place} */
  const here = { kind: "cell", layer, direction, timestep: 0 };
  const ends = /** @type {const} */ (["c", "h"]).map((what) => {
    const y = at(0, CONVEYOR[what]).y;
    const [enter, leave] = [at(0, 0).x, at(1, 0).x];
    const [into, out] = [at(BODY.left, 0).x, at(BODY.right, 0).x];
    return { what, y, enter, leave, into, out };
  });
  return {
    carried: ends.map(({ what, y, enter, leave, into, out }) => ({
      what,
      from: { ...here, timestep: -sign },
      to: here,
      points: [leave - sign, y, enter, y],
      start: [out - sign, y, leave - sign, y],
      end: [enter, y, into, y],
    })),
    initial: ends.map(({ what, y, enter, into }) => ({
      what,
      from: { ...here, kind: "initial" },
      to: here,
      points: [enter - sign * OFF, y, enter, y],
      start: [],
      end: [enter, y, into, y],
    })),
    final: ends.map(({ what, y, leave, out }) => ({
      what,
      from: here,
      to: { ...here, kind: "final" },
      points: [leave, y, leave + sign * OFF, y],
      start: [out, y, leave, y],
      end: [],
    })),
  };
}

/**
 * @param {Cell} cell
 * @param {readonly Pick<Layer, "directions">[]} layers
 * @param {Stack} stack
 * @param {(fx: number, fy: number) => {x: number, y: number}} at
 * @returns {Pick<Row, "reads" | "fork">}
 */
function wireFromBelow({ layer, direction }, layers, stack, at) {
  const { what, from, x, y, start } = outputOf(layers, layer - 1, stack);
  const entrances = ENTRANCES[what === "output" ? 1 : 0];
  const middle = entrances.reduce((a, b) => a + b) / entrances.length;
  const [door, inside] = [at(middle, 1), at(middle, BODY.bottom)];
  const { directions } = layers[layer];
  const lowest = tileIn(stack, { layer, direction: directions[directions.length - 1] }).bottom;
  const turn = lowest + SIZES.belowLayer / 2;
  // What is above another tile is reached through the lane beside that.
  const lane = door.y + SIZES.betweenDirections / 3;
  const isLowest = door.y === lowest;
  const way = isLowest ? [door.x, turn] : [PASSING.left, turn, PASSING.left, lane, door.x, lane];
  const reads = {
    what,
    from,
    to: /** @type {Place} */ ({ kind: "cell", layer, direction, timestep: 0 }),
    points: straightened([x, y, x, turn, ...way, door.x, door.y]),
    start,
    end: [door.x, door.y, inside.x, inside.y],
  };
  const fork = entrances.length > 1 ? entrances.flatMap((fx) => [at(fx, 1).x, door.y]) : [];
  return { reads, fork };
}

/**
 * @param {Cell} cell
 * @param {readonly Pick<Layer, "directions">[]} layers
 * @param {Stack} stack
 * @returns {Wire | null}
 */
function wireToJoin({ layer, direction }, layers, stack) {
  const join = stack.joins.find((own) => own.layer === layer);
  if (!join) return null;
  const tile = tileIn(stack, { layer, direction });
  const { x, y, start } = exitOf(tile, direction);
  const isUpper = direction === layers[layer].directions[0];
  const half = isUpper ? (join.left + join.middle) / 2 : (join.middle + join.right) / 2;
  // The lane of the upper cell is the lower one, so that the two do not cross.
  const lane = join.bottom + (SIZES.belowJoin * (isUpper ? 2 : 1)) / 3;
  const under = tile.top - SIZES.betweenDirections / 3;
  const way = isUpper ? [x, lane] : [x, under, PASSING.right, under, PASSING.right, lane];
  return {
    what: "h",
    from: { kind: "cell", layer, direction, timestep: 0 },
    to: { kind: "join", layer, direction: null, timestep: 0 },
    points: straightened([x, y, ...way, half, lane, half, join.bottom]),
    start,
    end: [],
  };
}

/** Without points that repeat the one before. @param {number[]} points */
export function straightened(points) {
  /** @type {number[]} */
  const kept = [];
  for (let n = 0; n < points.length; n += 2) {
    const [x, y] = [points[n], points[n + 1]];
    if (kept[kept.length - 2] !== x || kept[kept.length - 1] !== y) kept.push(x, y);
  }
  return kept;
}

/**
 * A wire of column 0, moved to a timestep.
 * @param {Wire} wire
 * @param {number} timestep
 * @returns {Wire}
 */
export function movedTo({ what, from, to, points, start, end }, timestep) {
  const along = (/** @type {number[]} */ list) => list.map((at, n) => (n % 2 ? at : at + timestep));
  const place = (/** @type {Place} */ at) => ({ ...at, timestep: at.timestep + timestep });
  return {
    what,
    from: place(from),
    to: place(to),
    points: along(points),
    start: along(start),
    end: along(end),
  };
}

/** @param {Scene} scene @param {Cell} cell */
export const rowOfCell = ({ rows }, { layer, direction }) =>
  /** @type {Row} */ (
    rows.find(({ cell }) => cell.layer === layer && cell.direction === direction)
  );

/**
 * The tile of a cell at a timestep: what its drawing fills.
 * @param {Row} row
 * @param {number} timestep
 * @returns {Box}
 */
export const tileOf = ({ top, bottom }, timestep) => ({
  left: timestep + TILE.left,
  top,
  right: timestep + TILE.left + TILE.width,
  bottom,
});

/**
 * Every wire that ends in a cell at a timestep.
 * @param {Scene} scene
 * @param {Row} row
 * @param {number} timestep
 */
export function wiresInto({ timesteps }, row, timestep) {
  const before = timestepBefore(timestep, row.cell.direction, timesteps);
  const own = before === null ? row.initial : row.carried;
  return [...own, row.reads].map((wire) => movedTo(wire, timestep));
}

/** The timestep at which a cell ends: its h and c are h_n and c_n. @param {Scene} scene @param {Row} row */
export const lastOf = ({ timesteps }, { cell }) =>
  cell.direction === "forward" ? timesteps - 1 : 0;

/**
 * The timesteps and rows a view touches; `last` is not included.
 * @param {Scene} scene
 * @param {Box} view
 */
export function visible({ timesteps, rows }, view) {
  const first = Math.min(timesteps - 1, Math.max(0, Math.floor(view.left)));
  const last = Math.max(first + 1, Math.min(timesteps, Math.ceil(view.right)));
  return {
    first,
    last,
    rows: rows.filter((row) => row.bottom > view.top && row.top < view.bottom),
  };
}

/** @typedef {{kind: "cell", cell: Cell, timestep: number} | {kind: "join", layer: number, timestep: number} | {kind: "input", timestep: number} | {kind: "head", timestep: number}} Spot */

/**
 * What stands at a point of the plane; null where there is nothing.
 * @param {Scene} scene
 * @param {number} x
 * @param {number} y
 * @returns {Spot | null}
 */
export function placeAt({ timesteps, rows, joins, head, input, token }, x, y) {
  const timestep = Math.floor(x);
  if (timestep < 0 || timestep >= timesteps) return null;
  const holds = (/** @type {Band} */ { top, bottom }) => y >= top && y <= bottom;
  const row = rows.find(holds);
  if (row) return { kind: "cell", cell: row.cell, timestep };
  const join = joins.find(holds);
  if (join) return { kind: "join", layer: join.layer, timestep };
  if (y >= input.top && y <= token.bottom) return { kind: "input", timestep };
  return head && holds(head) ? { kind: "head", timestep } : null;
}

/**
 * How a scene is looked at on a screen: beside it there is room for the names of rows and states.
 * @param {Scene} scene
 * @param {{width: number, height: number}} screen  pixels
 */
export function lensOn({ bounds }, screen) {
  const padding =
    screen.width < 560 ? { left: 40, right: 34, down: 8 } : { left: 120, right: 50, down: 10 };
  // A cell may be a little larger than the screen, so that its numbers can be read on a small one.
  const nearest = Math.max(1300, 1.6 * screen.width);
  return lensOf(screen, bounds, { padding, tallest: 96, nearest });
}
