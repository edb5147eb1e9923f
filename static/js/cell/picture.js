// The classical drawing of an LSTM cell with its live vectors on the wires, at any size: far away the
// squares of h, then boxes and wires, then the vectors, at last their names and numbers.

/** @import {Direction, Numbers, Quantity, Surface} from '../types.js' */
/** @import {Theme} from '../theme.js' */
/** @import {Box, CellLayout, StripGrid, Wire} from './layout.js' */

import { level } from "../colour.js";
import { fixed } from "../format.js";
import { cellLayout, detail, holds, squareOf, stripGrid, unitsAt } from "./layout.js";
import { createVectorImages, speaker } from "./vector-images.js";

/**
 * What is drawn of one cell at one timestep. Vectors are known by name: `x0` (and `x1`, where the
 * layer below reads both ways), `hBefore`, `cBefore`, the gates `i` `f` `g` `o`, `ig`, `fc`, `c`,
 * `tanhC`, `m` (with a projection only) and `h`. One that has not come yet is undefined.
 * @typedef {object} CellContent
 * @property {Direction} direction
 * @property {number} inputs  how many vectors the cell reads: one or two
 * @property {boolean} projected
 * @property {Record<string, string>} names  what each vector is called: "c₃", "h₄ below"
 * @property {Record<string, Numbers | undefined>} vectors
 * @property {Record<string, {low: number, high: number, scale: Quantity["scale"]}>} ranges  of each vector's colours
 * @property {number | null} unit  the selected one
 * @property {string | null} gate  the opened one
 * @property {Record<string, ReadonlySet<number>>} [brushed]  the brushed units of vectors that have some
 */

/** @typedef {Box & {kind: "gate" | "vector" | "operator", name: string}} CellPart */

export const SERIF = 'ui-serif, Georgia, "Times New Roman", "Noto Serif", serif';
export const MONO = 'ui-monospace, Menlo, Consolas, "Noto Sans Mono", monospace';
export const SANS = 'ui-sans-serif, system-ui, "Segoe UI", Roboto, "Noto Sans", sans-serif';

/** What gates do, in a word. @type {Record<string, string>} */
const CAPTIONS = { f: "forget", i: "input", g: "candidate", o: "output" };

/** The same of the operators, and the side it is written on as time runs. @type {Record<string, [string, -1 | 1]>} */
const DOES = { keep: ["keep", -1], write: ["write", -1], add: ["add", 1], show: ["read", 1] };

const images = createVectorImages();

/**
 * Paint a cell into a box.
 * @param {Surface} surface
 * @param {Box} box  CSS pixels
 * @param {CellContent} content
 * @param {Theme} theme
 */
export function drawCellPicture(surface, box, content, theme) {
  drawCellFrame(surface, box, content, theme);
  drawCellValues(surface, box, content, theme);
}

/**
 * What is the same at every timestep: boxes, wires and what they are called. (While a cell is small, its
 * gates are tinted by their values.)
 * @param {Surface} surface
 * @param {Box} box
 * @param {CellContent} content
 * @param {Theme} theme
 */
export function drawCellFrame(surface, box, content, theme) {
  const shown = detail(box);
  if (shown.wires <= 0) return;
  const layout = cellLayout(box, content);
  const alpha = surface.globalAlpha;
  surface.textBaseline = "middle";
  surface.setLineDash([]);
  surface.globalAlpha = alpha * shown.wires;
  drawBody(surface, layout, theme);
  drawWires(surface, layout, content, theme);
  drawGates(surface, layout, content, theme);
  drawOperators(surface, layout, theme);
  if (shown.captions > 0) {
    surface.globalAlpha = alpha * shown.captions;
    drawCaptions(surface, layout, theme);
  }
  surface.globalAlpha = alpha;
}

/**
 * The vectors on the wires, their names and the selected unit's numbers.
 * @param {Surface} surface
 * @param {Box} box
 * @param {CellContent} content
 * @param {Theme} theme
 */
export function drawCellValues(surface, box, content, theme) {
  const shown = detail(box);
  const layout = cellLayout(box, content);
  const alpha = surface.globalAlpha;
  surface.textBaseline = "middle";
  if (shown.strips > 0) {
    surface.globalAlpha = alpha * shown.strips;
    for (const strip of layout.strips) {
      if (strip.name !== "h") drawStrip(surface, strip, strip.name, content, theme);
    }
  }
  // The squares of h are the whole cell from far away; coming nearer they go where h leaves it.
  surface.globalAlpha = alpha;
  drawStrip(surface, between(box, vectorBox(layout, "h"), shown.wires), "h", content, theme);
  if (shown.numbers > 0) {
    surface.globalAlpha = alpha * shown.numbers;
    drawTags(surface, layout, content, theme);
  }
  surface.globalAlpha = alpha;
}

/**
 * Where something can be pointed at, what lies on top first.
 * @param {Box} box
 * @param {CellContent} content
 * @returns {CellPart[]}
 */
export function cellPictureParts(box, content) {
  const shown = detail(box);
  if (!shown.wires) return [{ ...box, kind: "vector", name: "h" }];
  const layout = cellLayout(box, content);
  /** @type {CellPart[]} */
  const parts = layout.gates.map(({ name, x, y, width, height }) => ({ kind: "gate", name, x, y, width, height })); // prettier-ignore
  for (const { name, x, y, width, height } of layout.operators)
    parts.push({ kind: "operator", name, x, y, width, height });
  for (const strip of layout.strips) {
    if (shown.strips || strip.name === "h") parts.push({ kind: "vector", ...strip });
  }
  return parts;
}

/**
 * The part at a point, and of a vector the unit: where a square stands for several, the one it shows.
 * @param {Box} box
 * @param {CellContent} content
 * @param {number} x
 * @param {number} y
 * @returns {{part: CellPart, unit: number | null} | null}
 */
export function cellPartAt(box, content, x, y) {
  const part = cellPictureParts(box, content).find((part) => holds(part, x, y, 1));
  if (!part) return null;
  const values = part.kind === "vector" ? content.vectors[part.name] : undefined;
  if (!values) return { part, unit: null };
  const grid = stripGrid(part.width, part.height, values.length);
  const units = unitsAt(part, grid, values.length, x, y);
  return { part, unit: units && speaker(values, ...units) };
}

/** @param {Box} a @param {Box} b @param {number} part @returns {Box} */
function between(a, b, part) {
  const mix = (/** @type {keyof Box} */ key) => a[key] + (b[key] - a[key]) * part;
  return { x: mix("x"), y: mix("y"), width: mix("width"), height: mix("height") };
}

/** @param {CellLayout} layout @param {string} name @returns {Box} */
const vectorBox = ({ strips }, name) =>
  /** @type {Box} */ (strips.find((strip) => strip.name === name));

/** @param {Surface} surface @param {CellLayout} layout @param {Theme} theme */
function drawBody(surface, { body, scale }, theme) {
  surface.beginPath();
  surface.roundRect(body.x, body.y, body.width, body.height, 16 * scale);
  surface.fillStyle = theme.background;
  surface.fill();
  surface.strokeStyle = theme.line;
  surface.lineWidth = 1;
  surface.stroke();
}

/** @param {Surface} surface @param {CellLayout} layout @param {CellContent} content @param {Theme} theme */
function drawWires(surface, { wires, joins, scale }, { gate }, theme) {
  const colours = { c: theme.positive, h: theme.accent, gate: theme.faint, plain: theme.faint };
  for (const wire of wires) {
    const open = wire.gate !== undefined && wire.gate === gate;
    const colour = open ? theme.accent : colours[wire.kind];
    const state = wire.kind === "c" || wire.kind === "h";
    const width = Math.max(0.6, Math.min(3, (state || open ? 2.6 : 1.5) * scale));
    drawWire(surface, wire, colour, width, theme.background);
  }
  surface.fillStyle = theme.accent;
  for (const [x, y] of joins) {
    surface.beginPath();
    surface.arc(x, y, 4 * Math.min(1, scale), 0, 2 * Math.PI);
    surface.fill();
  }
}

/** @param {Surface} surface @param {Wire} wire @param {string} colour @param {number} width @param {string} background */
function drawWire(surface, { kind, points, arrow }, colour, width, background) {
  surface.beginPath();
  surface.moveTo(...points[0]);
  for (const point of points.slice(1)) surface.lineTo(...point);
  if (kind === "h" && arrow) {
    // It crosses the state's wire: a gap keeps the two apart.
    surface.strokeStyle = background;
    surface.lineWidth = width * 3;
    surface.stroke();
  }
  surface.strokeStyle = colour;
  surface.lineWidth = width;
  surface.stroke();
  if (arrow)
    drawArrow(surface, points[points.length - 2], points[points.length - 1], colour, width);
}

/** @param {Surface} surface @param {[number, number]} from @param {[number, number]} to @param {string} colour @param {number} width */
function drawArrow(surface, from, to, colour, width) {
  const length = Math.hypot(to[0] - from[0], to[1] - from[1]) || 1;
  const [dx, dy] = [(to[0] - from[0]) / length, (to[1] - from[1]) / length];
  const size = 3 * width;
  surface.beginPath();
  surface.moveTo(to[0] + dx * width, to[1] + dy * width);
  surface.lineTo(to[0] - dx * size - dy * size * 0.6, to[1] - dy * size + dx * size * 0.6);
  surface.lineTo(to[0] - dx * size + dy * size * 0.6, to[1] - dy * size - dx * size * 0.6);
  surface.closePath();
  surface.fillStyle = colour;
  surface.fill();
}

/**
 * The four boxes with their activation; while there is no room for its sign, tinted by the selected
 * unit's gate.
 * @param {Surface} surface
 * @param {CellLayout} layout
 * @param {CellContent} content
 * @param {Theme} theme
 */
function drawGates(surface, { gates, scale }, content, theme) {
  const signs = scale > 0.28;
  surface.textAlign = "center";
  surface.font = `${Math.round(16 * Math.min(1.2, scale) * 10) / 10}px ${SERIF}`;
  for (const { name, sign, x, y, width, height } of gates) {
    const open = name === content.gate;
    surface.beginPath();
    surface.roundRect(x, y, width, height, 7 * scale);
    surface.fillStyle = signs
      ? open
        ? theme.accent
        : theme.background
      : tint(content, name, theme);
    surface.fill();
    surface.strokeStyle = open ? theme.accent : theme.soft;
    surface.lineWidth = signs ? 1.2 : 0.7;
    surface.stroke();
    if (!signs) continue;
    surface.fillStyle = open ? theme.background : theme.ink;
    surface.fillText(sign, x + width / 2, y + height / 2 + scale);
  }
}

/** The colour of the selected unit. @param {CellContent} content @param {string} name @param {Theme} theme */
function tint({ vectors, unit, ranges }, name, theme) {
  const value = unit === null ? undefined : vectors[name]?.[unit];
  if (value === undefined) return theme.background;
  const { low, high, scale } = ranges[name];
  const packed = theme.tables[scale][level(value, low, high)];
  const [red, green, blue] = [packed & 255, (packed >> 8) & 255, (packed >> 16) & 255];
  return `rgb(${red}, ${green}, ${blue})`;
}

/** @param {Surface} surface @param {CellLayout} layout @param {Theme} theme */
function drawOperators(surface, { operators, scale }, theme) {
  const signs = scale > 0.28;
  surface.textAlign = "center";
  surface.strokeStyle = theme.soft;
  surface.lineWidth = signs ? 1.2 : 0.7;
  for (const { name, sign, x, y, width, height } of operators) {
    surface.beginPath();
    surface.roundRect(x, y, width, height, name === "project" ? 5 * scale : height / 2);
    surface.fillStyle = theme.background;
    surface.fill();
    surface.stroke();
    if (!signs) continue;
    const size = sign.length > 1 ? 13 : 17;
    surface.font = `${Math.round(size * Math.min(1.2, scale) * 10) / 10}px ${SERIF}`;
    surface.fillStyle = theme.ink;
    surface.fillText(sign === "W_hr" ? "W·m" : sign, x + width / 2, y + height / 2 + scale);
  }
}

/**
 * A vector as squares; a frame round the selected unit.
 * @param {Surface} surface
 * @param {Box} box
 * @param {string} name
 * @param {CellContent} content
 * @param {Theme} theme
 */
function drawStrip(surface, box, name, { vectors, ranges, unit, brushed }, theme) {
  const { x, y, width, height } = box;
  const values = vectors[name];
  surface.fillStyle = theme.background;
  surface.fillRect(x, y, width, height);
  surface.strokeStyle = theme.line;
  surface.lineWidth = 1;
  if (values?.length) {
    const grid = stripGrid(width, height, values.length);
    const { low, high, scale } = ranges[name];
    surface.imageSmoothingEnabled = false;
    const image = images(values, grid, { low, high, table: theme.tables[scale] });
    surface.drawImage(image, x, y, width, height);
    drawGaps(surface, box, grid, theme);
    if (brushed?.[name]) drawBrushed(surface, box, grid, brushed[name], theme);
    if (unit !== null && unit < values.length && !name.startsWith("x"))
      drawMark(surface, squareOf(box, grid, unit), theme);
  } else {
    surface.setLineDash([3, 3]);
    surface.strokeRect(x, y, width, height);
    surface.setLineDash([]);
  }
}

/** Lines between squares that are large enough. @param {Surface} surface @param {Box} box @param {{columns: number, rows: number}} grid @param {Theme} theme */
function drawGaps(surface, { x, y, width, height }, { columns, rows }, theme) {
  surface.strokeStyle = theme.line;
  surface.strokeRect(x, y, width, height);
  const [across, down] = [width / columns, height / rows];
  if (Math.min(across, down) < 5) return;
  surface.strokeStyle = theme.background;
  surface.beginPath();
  for (let n = 1; n < columns; n++) {
    surface.moveTo(x + n * across, y);
    surface.lineTo(x + n * across, y + height);
  }
  for (let n = 1; n < rows; n++) {
    surface.moveTo(x, y + n * down);
    surface.lineTo(x + width, y + n * down);
  }
  surface.stroke();
}

/** @param {Surface} surface @param {Box} box @param {StripGrid} grid @param {ReadonlySet<number>} units @param {Theme} theme */
function drawBrushed(surface, box, grid, units, theme) {
  surface.beginPath();
  for (const unit of units) {
    const { x, y, width, height } = squareOf(box, grid, unit);
    surface.rect(x + 0.5, y + 0.5, width - 1, height - 1);
  }
  surface.strokeStyle = theme.accent;
  surface.lineWidth = 1;
  surface.stroke();
}

/** @param {Surface} surface @param {Box} square @param {Theme} theme */
function drawMark(surface, { x, y, width, height }, theme) {
  if (width < 1.5) return;
  const box = /** @type {const} */ ([x - 0.5, y - 0.5, width + 1, height + 1]);
  surface.strokeStyle = theme.background;
  surface.lineWidth = 3;
  surface.strokeRect(...box);
  surface.strokeStyle = theme.ink;
  surface.lineWidth = 1.5;
  surface.strokeRect(...box);
}

/**
 * Every vector's name and the selected unit's number: in one line above it, or where that is too
 * narrow the number above and the name below.
 * @param {Surface} surface
 * @param {CellLayout} layout
 * @param {CellContent} content
 * @param {Theme} theme
 */
function drawTags(surface, { strips, scale }, { names, vectors, unit }, theme) {
  const size = Math.max(10, Math.min(15, Math.round(12 * scale)));
  const line = size + 3;
  const fonts = { name: `italic ${size + 2}px ${SERIF}`, number: `${size}px ${MONO}` };
  /** @type {{text: string, x: number, y: number, align: CanvasTextAlign, kind: "name" | "number"}[]} */
  const texts = [];
  for (const { name, x, y, width, height } of strips) {
    const text = names[name] ?? "";
    const value = unit === null || name.startsWith("x") ? undefined : vectors[name]?.[unit];
    const above = y - line / 2 - 1;
    if (value === undefined) {
      texts.push({ text, x, y: above, align: "left", kind: "name" });
      continue;
    }
    const number = fixed(value);
    const wide = (text.length * 0.5 + number.length * 0.6) * (size + 2) + 4;
    const narrow = wide > width + 4;
    const [left, right] = narrow ? [x, x + width] : [x - Math.max(0, wide - width) / 2, x + Math.max(width, (wide + width) / 2)]; // prettier-ignore
    if (narrow) {
      texts.push({ text: number, x: x + width / 2, y: above, align: "center", kind: "number" });
      texts.push({
        text,
        x: x + width / 2,
        y: y + height + line / 2,
        align: "center",
        kind: "name",
      });
    } else {
      texts.push({ text: number, x: right, y: above, align: "right", kind: "number" });
      texts.push({ text, x: left, y: above, align: "left", kind: "name" });
    }
  }
  for (const kind of /** @type {const} */ (["name", "number"])) {
    surface.font = fonts[kind];
    surface.fillStyle = kind === "name" ? theme.soft : theme.ink;
    for (const { text, x, y, align, kind: own } of texts) {
      if (own !== kind) continue;
      surface.textAlign = align;
      surface.fillText(text, x, y);
    }
  }
}

/** @param {Surface} surface @param {CellLayout} layout @param {Theme} theme */
function drawCaptions(surface, { gates, operators, scale, mirrored }, theme) {
  const size = Math.max(10, Math.min(13, Math.round(11 * scale)));
  surface.font = `${size}px ${SANS}`;
  for (const { name, x, y, width, height } of gates) {
    writeOver(surface, `${CAPTIONS[name]} ${name}`, x + width / 2, y + height + size, size, theme);
  }
  surface.fillStyle = theme.soft;
  for (const { name, x, y, width, height } of operators) {
    if (!DOES[name]) continue;
    const [caption, side] = DOES[name];
    const right = side > 0 !== mirrored;
    surface.textAlign = right ? "left" : "right";
    surface.fillText(caption, right ? x + width + 2 : x - 2, y + height + size * 0.3);
  }
}

/**
 * A text in the middle of a wire, which stops for it.
 * @param {Surface} surface
 * @param {string} text
 * @param {number} x
 * @param {number} y
 * @param {number} size
 * @param {Theme} theme
 */
function writeOver(surface, text, x, y, size, theme) {
  const width = surface.measureText(text).width + 6;
  surface.fillStyle = theme.background;
  surface.fillRect(x - width / 2, y - size * 0.6, width, size * 1.2);
  surface.fillStyle = theme.soft;
  surface.textAlign = "center";
  surface.fillText(text, x, y);
}
