// Where everything in the drawing of one cell is. Pure: a box in, places out, tested without a browser.

/** @import {Direction} from '../types.js' */

/**
 * @typedef {{x: number, y: number, width: number, height: number}} Box  CSS pixels
 * @typedef {"c" | "h" | "gate" | "plain"} WireKind
 * @typedef {object} Wire
 * @property {WireKind} kind
 * @property {[number, number][]} points
 * @property {string} [gate]  the gate it leads to
 * @property {boolean} [arrow]  whether it ends in an arrow head
 */

// All places are first said in a drawing of this size whose time runs to the right.
export const WIDTH = 640;
export const HEIGHT = 440;

const STRIP = { width: 86, height: 30 };
const CONVEYOR = 54;
const BUS = 352;
const OUT = 552;
const EXIT = 621;

/** Columns of the gates, in the order of the textbooks. @type {[string, number][]} */
const GATES = [
  ["f", 160],
  ["i", 258],
  ["g", 354],
  ["o", 450],
];

/** Middles of the strips of numbers. @type {Record<string, [number, number]>} */
const STRIPS = {
  cBefore: [50, CONVEYOR],
  fc: [233, CONVEYOR],
  c: [430, CONVEYOR],
  ig: [306, 108],
  tanhC: [OUT, 139],
  f: [160, 224],
  i: [258, 224],
  g: [354, 224],
  o: [450, 224],
  hBefore: [50, BUS],
};

/** Middles of the operators. @type {[string, string, number, number][]} */
const OPERATORS = [
  ["keep", "×", 160, CONVEYOR],
  ["add", "+", 306, CONVEYOR],
  ["write", "×", 306, 154],
  ["tanh", "tanh", OUT, 93],
  ["show", "×", OUT, 186],
];

/** How much is drawn at a size: each from 0 to 1, so that zooming never jumps. @param {Box} box */
export function detail({ width, height }) {
  const size = WIDTH * Math.min(width / WIDTH, height / HEIGHT);
  const ramp = (/** @type {number} */ from, /** @type {number} */ to) =>
    Math.max(0, Math.min(1, (size - from) / (to - from)));
  return {
    wires: ramp(60, 110),
    strips: ramp(190, 250),
    numbers: ramp(300, 340),
    captions: ramp(430, 490),
  };
}

/**
 * The drawing of a cell in a box. Where time runs against the reading order it is mirrored, so that
 * the state comes from the right, as in the picture of the network.
 * @param {Box} box
 * @param {{direction: Direction, inputs: number, projected: boolean}} cell  `inputs`: how many vectors it reads
 */
export function cellLayout(box, { direction, inputs, projected }) {
  const scale = { x: box.width / WIDTH, y: box.height / HEIGHT };
  const least = Math.min(scale.x, scale.y);
  const mirrored = direction === "backward";
  /** @param {number} x @param {number} y @returns {[number, number]} */
  const at = (x, y) => [box.x + (mirrored ? WIDTH - x : x) * scale.x, box.y + y * scale.y];
  /** @param {[number, number]} middle @param {number} width @param {number} height @returns {Box} */
  const around = ([x, y], width, height) => ({
    x: x - width / 2,
    y: y - height / 2,
    width,
    height,
  });
  const strip = (/** @type {[number, number]} */ [x, y], width = STRIP.width) =>
    around(at(x, y), width * scale.x, STRIP.height * Math.min(1.2 * least, scale.y));

  const places = {
    ...STRIPS,
    ...(projected ? { m: [OUT, 236], h: [OUT, 322] } : { h: [OUT, 244] }),
  };
  const strips = Object.entries(places).map(([name, place]) => ({
    name,
    ...strip(/** @type {[number, number]} */ (place)),
  }));
  // The parts of what is read stay in their own order, left to right.
  const reads = mirrored ? inputPlaces(inputs).reverse() : inputPlaces(inputs);
  for (const [n, x] of reads.entries()) {
    strips.push({ name: `x${n}`, ...strip([x, 414], INPUT_WIDTH) });
  }
  const operators = OPERATORS.map(([name, sign, x, y]) => ({
    name,
    sign,
    ...around(at(x, y), (sign === "tanh" ? 44 : 22) * least, 22 * least),
  }));
  if (projected)
    operators.push({
      name: "project",
      sign: "W_hr",
      ...around(at(OUT, 278), 50 * least, 20 * least),
    });
  const gates = GATES.map(([name, x]) => ({
    name,
    sign: name === "g" ? "tanh" : "σ",
    ...around(at(x, 292), 58 * Math.min(scale.x, 1.3 * least), 32 * least),
  }));
  const wires = wiring(inputs).map((wire) => ({
    ...wire,
    points: wire.points.map(([x, y]) => at(x, y)),
  }));
  const joins = reads.map((x) => at(x, BUS));
  const [left, top] = at(mirrored ? 604 : 104, 14);
  const body = { x: left, y: top, width: 500 * scale.x, height: 366 * scale.y };
  return { strips, gates, operators, wires, joins, body, scale: least, mirrored };
}

/** @typedef {ReturnType<typeof cellLayout>} CellLayout */

const INPUT_WIDTH = 150;

/** Where what the cell reads comes in. @param {number} inputs */
const inputPlaces = (inputs) => (inputs === 2 ? [190, 352] : [211]);

/** @param {number} inputs @returns {Wire[]} */
function wiring(inputs) {
  /** @type {Wire[]} */
  const wires = [
    // From below and from the timestep before, to all four gates.
    ...inputPlaces(inputs).map(
      (x) => /** @type {Wire} */ ({ kind: "plain", points: [[x, 438], [x, BUS]] }), // prettier-ignore
    ),
    { kind: "h", points: [[0, BUS], [450, BUS]] }, // prettier-ignore
  ];
  /** What a gate lets through. @type {Record<string, [number, number][]>} */
  const after = {
    f: [[160, 276], [160, CONVEYOR]], // prettier-ignore
    i: [[258, 276], [258, 154], [306, 154]], // prettier-ignore
    g: [[354, 276], [354, 154], [306, 154]], // prettier-ignore
    o: [[450, 276], [450, 186], [OUT, 186]], // prettier-ignore
  };
  for (const [gate, x] of GATES) {
    wires.push({ kind: "gate", gate, points: [[x, BUS], [x, 308]] }); // prettier-ignore
    wires.push({ kind: "plain", points: after[gate] });
  }
  wires.push(
    { kind: "plain", points: [[306, 154], [306, CONVEYOR]] }, // prettier-ignore
    { kind: "plain", points: [[OUT, CONVEYOR], [OUT, 186]] }, // prettier-ignore
    { kind: "c", points: [[0, CONVEYOR], [638, CONVEYOR]], arrow: true }, // prettier-ignore
    { kind: "h", points: [[OUT, 186], [OUT, BUS], [638, BUS]], arrow: true }, // prettier-ignore
    { kind: "h", points: [[EXIT, BUS], [EXIT, 2]], arrow: true }, // prettier-ignore
  );
  return wires;
}

/**
 * The squares of a strip: units fill rows of nearly square squares; where these would be too small to
 * be seen, several units share one.
 * @param {number} width
 * @param {number} height
 * @param {number} units
 * @param {number} [smallest]  side of a square that can be seen
 */
export function stripGrid(width, height, units, smallest = 2.5) {
  const most = Math.max(1, Math.floor(width / smallest) * Math.floor(height / smallest));
  const unitsPerSquare = Math.ceil(units / most);
  const squares = Math.ceil(units / unitsPerSquare);
  const wished = Math.round(Math.sqrt((squares * height) / Math.max(1, width)));
  const columns = Math.ceil(squares / Math.max(1, Math.min(squares, wished)));
  return { columns, rows: Math.ceil(squares / columns), unitsPerSquare };
}

/** @typedef {ReturnType<typeof stripGrid>} StripGrid */

/**
 * The square of a strip that shows a unit.
 * @param {Box} box
 * @param {StripGrid} grid
 * @param {number} unit
 * @returns {Box}
 */
export function squareOf(box, { columns, rows, unitsPerSquare }, unit) {
  const square = Math.floor(unit / unitsPerSquare);
  const [width, height] = [box.width / columns, box.height / rows];
  return {
    x: box.x + (square % columns) * width,
    y: box.y + Math.floor(square / columns) * height,
    width,
    height,
  };
}

/**
 * The first unit and the one after the last of the square at a point; null where there is none.
 * @param {Box} box
 * @param {StripGrid} grid
 * @param {number} units
 * @param {number} x
 * @param {number} y
 * @returns {[number, number] | null}
 */
export function unitsAt(box, { columns, rows, unitsPerSquare }, units, x, y) {
  const column = Math.floor(((x - box.x) / box.width) * columns);
  const row = Math.floor(((y - box.y) / box.height) * rows);
  if (column < 0 || column >= columns || row < 0 || row >= rows) return null;
  const first = (row * columns + column) * unitsPerSquare;
  return first < units ? [first, Math.min(units, first + unitsPerSquare)] : null;
}

/** @param {Box} box @param {number} x @param {number} y @param {number} [margin] */
export const holds = (box, x, y, margin = 0) =>
  x >= box.x - margin &&
  x <= box.x + box.width + margin &&
  y >= box.y - margin &&
  y <= box.y + box.height + margin;
