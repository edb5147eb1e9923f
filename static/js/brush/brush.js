// Selected units, "1.forward:3-7,12;0.backward:2", and named sets of them, "odd~0.forward:1,3/…".
// Pure. What a link says wrongly is left out.

/** @import {Cell, Direction, Layer, Readable} from '../types.js' */
/** @import {Recording} from '../recording.js' */

/**
 * Neighbouring units, both ends included.
 * @typedef {[first: number, last: number]} Range
 *
 * Some units of one row of the network.
 * @typedef {{layer: number, direction: Direction, units: number[]}} CellUnits
 *
 * A selection with a name; `text` is what a brush is made of.
 * @typedef {{name: string, text: string, cells: CellUnits[]}} NamedSet
 *
 * What of the state is read here.
 * @typedef {{brush: Readable<string>, sets: Readable<string>, recording: Readable<Recording | null>}} Brushed
 */

/** No layer is wider: what a link says beyond it is a mistake. */
const MOST_UNITS = 65_536;
const MOST_CELLS = 256;
export const MOST_SETS = 32;
export const LONGEST_NAME = 40;

// Ranges

/**
 * Units as ranges, in order, none of them twice.
 * @param {Iterable<number>} units
 */
export function rangesOf(units) {
  const sorted = [...new Set(units)].sort((a, b) => a - b);
  return merged(sorted.map((unit) => /** @type {Range} */ ([unit, unit])));
}

/** @param {readonly Range[]} ranges  in the order of their first units */
function merged(ranges) {
  /** @type {Range[]} */
  const found = [];
  for (const [first, last] of ranges) {
    const before = found.at(-1);
    if (before && first <= before[1] + 1) before[1] = Math.max(before[1], last);
    else found.push([first, last]);
  }
  return found;
}

/** The units of some ranges. @param {readonly Range[]} ranges */
export const unitsOf = (ranges) =>
  ranges.flatMap(([first, last]) => Array.from({ length: last - first + 1 }, (_, n) => first + n));

/**
 * One range of a text, or null if it is none: "12", "3-7", and with people's dashes "3 – 7".
 * @param {string} text
 * @returns {Range | null}
 */
function parseRange(text) {
  const found = /^\s*(\d{1,6})\s*(?:[-–—]\s*(\d{1,6})\s*)?$/.exec(text);
  if (!found) return null;
  const ends = [Number(found[1]), Number(found[2] ?? found[1])].sort((a, b) => a - b);
  return [ends[0], ends[1]];
}

/** Ranges inside a layer of this width, in order. @param {(Range | null)[]} ranges @param {number} width */
function inside(ranges, width) {
  /** @type {Range[]} */
  const kept = [];
  for (const range of ranges) {
    if (range && range[0] < width) kept.push([range[0], Math.min(range[1], width - 1)]);
  }
  return merged(kept.sort((a, b) => a[0] - b[0]));
}

/** @param {readonly Range[]} ranges @param {string} [comma] */
export const formatRanges = (ranges, comma = ",") =>
  ranges.map(([first, last]) => (first === last ? first : `${first}-${last}`)).join(comma);

/**
 * What a person typed, "3-7, 12": the units, and what could not be read or is not there.
 * @param {string} text
 * @param {number} width  of the layer
 */
export function readUnits(text, width) {
  const parts = text.split(/[,;]|(?<=\d)\s+(?=\d)/).filter((part) => part.trim());
  const ranges = parts.map(parseRange);
  const wrong = parts.find((_, n) => {
    const range = ranges[n];
    return !range || range[1] >= width;
  });
  return { units: unitsOf(inside(ranges, width)), wrong: wrong?.trim() ?? null };
}

// Selections

/**
 * The rows of the network a selection speaks of, as ranges, from the bottom up.
 * @param {string} text
 * @param {(layer: number, direction: Direction) => number} widthOf
 */
function parseCells(text, widthOf) {
  /** @type {Map<string, {layer: number, direction: Direction, ranges: Range[]}>} */
  const cells = new Map();
  for (const part of text.split(";").slice(0, MOST_CELLS)) {
    const found = /^(\d{1,4})\.(forward|backward):(.*)$/s.exec(part);
    if (!found) continue;
    const [layer, direction] = [Number(found[1]), /** @type {Direction} */ (found[2])];
    const key = `${layer}.${direction}`;
    const before = cells.get(key)?.ranges ?? [];
    const ranges = inside(
      [...before, ...found[3].split(",").map(parseRange)],
      widthOf(layer, direction),
    );
    if (ranges.length) cells.set(key, { layer, direction, ranges });
  }
  return [...cells.values()].sort(
    (a, b) => a.layer - b.layer || b.direction.localeCompare(a.direction), // forward, backward
  );
}

/** The width of a row of the network; of one that is not there 0. @param {readonly Layer[]} layers */
const widthIn = (layers) => (/** @type {number} */ layer, /** @type {Direction} */ direction) =>
  layers[layer]?.directions.includes(direction) ? layers[layer].hidden_size : 0;

const anyWidth = () => MOST_UNITS;

/**
 * The units a selection speaks of, row by row of the network from the bottom up.
 * @param {string} text
 * @param {readonly Layer[]} [layers]  leaves out what they do not have
 * @returns {CellUnits[]}
 */
export function parseBrush(text, layers) {
  const cells = parseCells(text, layers ? widthIn(layers) : anyWidth);
  return cells.map(({ ranges, ...cell }) => ({ ...cell, units: unitsOf(ranges) }));
}

/** @param {readonly CellUnits[]} cells */
export const formatBrush = (cells) =>
  cells
    .filter(({ units }) => units.length)
    .map(({ layer, direction, units }) => `${layer}.${direction}:${formatRanges(rangesOf(units))}`)
    .join(";");

/**
 * A selection as this module writes it, without what cannot be.
 * @param {string} text
 */
export const cleanBrush = (text) =>
  parseCells(text, anyWidth)
    .map(({ layer, direction, ranges }) => `${layer}.${direction}:${formatRanges(ranges)}`)
    .join(";");

/** @param {Cell} a @param {Cell} b */
const sameCell = (a, b) => a.layer === b.layer && a.direction === b.direction;

/**
 * A selection with other units in one row of the network.
 * @param {string} text
 * @param {Cell} cell
 * @param {Iterable<number>} units
 */
export function withUnits(text, { layer, direction }, units) {
  const others = cleanBrush(text)
    .split(";")
    .filter((part) => part && !part.startsWith(`${layer}.${direction}:`));
  const own = formatBrush([{ layer, direction, units: [...units] }]);
  return cleanBrush([...others, own].join(";"));
}

// Named sets

/** Only what separates names from units needs another spelling. @param {string} name */
const escapeName = (name) =>
  name.replace(/[%~/]/g, (ch) => encodeURIComponent(ch).replace("~", "%7E"));

/** @param {string} name */
const unescapeName = (name) => name.replace(/%(25|7E|2F)/g, (code) => decodeURIComponent(code));

/**
 * A name as it can be kept: one line, not too long.
 * @param {string} name
 */
export function cleanName(name) {
  const line = name.toWellFormed().replace(/\s+/g, " ").trim();
  return [...line].slice(0, LONGEST_NAME).join("").trim();
}

/**
 * @param {string} text
 * @param {readonly Layer[]} [layers]
 * @returns {NamedSet[]}
 */
export function parseSets(text, layers) {
  /** @type {Map<string, NamedSet>} */
  const sets = new Map();
  for (const part of text.split("/")) {
    const [escaped, brush, more] = part.split("~");
    const name = cleanName(unescapeName(escaped));
    const units = cleanBrush(brush ?? "");
    if (!name || !units || more !== undefined || sets.has(name) || sets.size === MOST_SETS)
      continue;
    sets.set(name, { name, text: units, cells: parseBrush(units, layers) });
  }
  return [...sets.values()];
}

/** @param {readonly Pick<NamedSet, "name" | "text">[]} sets */
export const formatSets = (sets) =>
  sets.map(({ name, text }) => `${escapeName(name)}~${text}`).join("/");

/** @param {string} text */
export const cleanSets = (text) => formatSets(parseSets(text, []));

/** The first of "set 1", "set 2", … that is free. @param {readonly {name: string}[]} sets */
export function freeName(sets) {
  const names = new Set(sets.map(({ name }) => name));
  let n = 1;
  while (names.has(`set ${n}`)) n++;
  return `set ${n}`;
}

// Sets of units

/** @param {Iterable<number>} a @param {Iterable<number>} b */
export const union = (a, b) => new Set([...a, ...b]);

/** @param {Iterable<number>} a @param {Iterable<number>} b */
export function difference(a, b) {
  const without = new Set(b);
  return new Set([...a].filter((unit) => !without.has(unit)));
}

/** Both ends included, in whatever order. @param {number} a @param {number} b */
export const range = (a, b) => unitsOf([[Math.min(a, b), Math.max(a, b)]]);

/**
 * Units taken in if one of them is not, else taken out.
 * @param {ReadonlySet<number>} units
 * @param {readonly number[]} some
 */
export const toggled = (units, some) =>
  some.every((unit) => units.has(unit)) ? difference(units, some) : union(units, some);

/** @param {ReadonlySet<number>} units @param {number} width */
export const inverted = (units, width) => difference(range(0, width - 1), units);

/**
 * The unit so many places on among some; at most the last one. A unit that is none of them stands
 * between its neighbours.
 * @param {Iterable<number>} units
 * @param {number} unit
 * @param {number} by
 */
export function neighbour(units, unit, by) {
  const sorted = [...units].sort((a, b) => a - b);
  if (!sorted.length || !by) return unit;
  const after = sorted.findIndex((other) => (by > 0 ? other > unit : other >= unit));
  const at = (after < 0 ? sorted.length : after) + (by > 0 ? by - 1 : by);
  return sorted[Math.max(0, Math.min(sorted.length - 1, at))];
}

// Of the state

/** @type {Set<number>} */
const NONE = new Set();

/**
 * What was made of a text, until the text or the recording is another one: asked for at every frame.
 * @template T
 * @param {(state: Brushed) => string} textOf
 * @param {(text: string, layers: readonly Layer[] | undefined) => T} make
 */
function remembered(textOf, make) {
  /** @type {WeakMap<Brushed, {text: string, recording: Recording | null, made: T}>} */
  const known = new WeakMap();
  return (/** @type {Brushed} */ state) => {
    const [text, recording] = [textOf(state), state.recording.get()];
    const before = known.get(state);
    if (before && before.text === text && before.recording === recording) return before.made;
    const made = make(text, recording?.layers);
    known.set(state, { text, recording, made });
    return made;
  };
}

/** The selected units, row by row of the network, as far as the recording has them. */
export const brushOf = remembered(
  (state) => state.brush.get(),
  (text, layers) => parseBrush(text, layers).map((cell) => ({ ...cell, set: new Set(cell.units) })),
);

/** The named sets. */
export const setsOf = remembered((state) => state.sets.get(), parseSets);

/**
 * The selected units of one row of the network. Not to be changed.
 * @param {Brushed} state
 * @param {Cell} cell
 */
export const brushedUnits = (state, cell) =>
  brushOf(state).find((found) => sameCell(found, cell))?.set ?? NONE;
