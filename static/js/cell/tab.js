// The tab "Cell": the drawing of the selected cell with its live vectors, and what pushes a gate.

/** @import {Page} from '../page.js' */
/** @import {Cell} from '../types.js' */
/** @import {Recording} from '../recording.js' */
/** @import {CellContent} from './picture.js' */

import { createCellContents } from "./content.js";
import { termLeadsTo } from "./cell-pushes.js";
import { byId, context2d, element, loadStyles } from "../dom.js";
import { createCellFigure } from "./figure.js";
import { cellPartAt, drawCellFrame, drawCellValues } from "./picture.js";
import { fixed } from "../format.js";
import { selectedCell, selectedTimestep } from "../state.js";
import { atom } from "../store.js";
import { createPushList } from "./push-list.js";

/** What operators do, for whoever points at one. @type {Record<string, string>} */
const OPERATORS = {
  keep: "× keeps of the old state what the forget gate lets through",
  write: "× writes of the candidate what the input gate lets through",
  add: "+ adds the two: the new cell state",
  tanh: "tanh squashes the cell state to −1 … 1",
  show: "× lets out what the output gate lets through",
  project: "W_hr projects it to fewer numbers: h",
};

/** @param {Page} page */
export function createCellDrawingView(page) {
  const { state, actions, theme, tooltip } = page;
  loadStyles("css/cell-drawing.css").then(measure);
  const panel = byId("cell-view");
  const canvas = element("canvas", { id: "cell-picture", role: "img" });
  const layers = createLayers(canvas);
  const frame = element("div", { class: "cell-picture" }, canvas);
  const list = createPushList(page);
  panel.append(element("div", { class: "cell-drawing" }, frame, list.node));
  const contents = createCellContents(state);
  const width = atom(0);
  new ResizeObserver(measure).observe(frame);
  page.frames.add(list.view);
  page.figures.set("cell", createCellFigure(page, contents));
  /** @type {CellContent | null} */
  let content = null;

  function measure() {
    width.set(frame.clientWidth);
  }

  /** @param {PointerEvent | MouseEvent} event */
  function under(event) {
    const recording = state.recording.get();
    if (!content || !recording) return null;
    const box = { x: 0, y: 0, width: width.get(), height: heightFor(width.get()) };
    const hit = cellPartAt(box, content, event.offsetX, event.offsetY);
    if (!hit) return null;
    const to =
      hit.unit === null ? null : leadsTo(recording, selectedCell(state), hit.part.name, hit.unit);
    return { content, ...hit, to };
  }

  canvas.addEventListener("click", (event) => {
    const hit = under(event);
    if (!hit) return;
    if (hit.part.kind === "gate") state.gate.set(hit.part.name);
    if (!hit.to) return;
    if (hit.part.name.startsWith("x")) actions.selectCell(hit.to.cell);
    if (hit.to.unit !== null) actions.selectUnit(hit.to.unit);
  });
  canvas.addEventListener("pointermove", (event) => {
    const hit = under(event);
    canvas.style.cursor = hit?.to || hit?.part.kind === "gate" ? "pointer" : "";
    if (!hit) return tooltip.hide();
    tooltip.show(event, explain(hit.part, hit.unit, hit.content));
  });
  canvas.addEventListener("pointerleave", () => tooltip.hide());

  return {
    name: "cell drawing",
    reads: [
      state.recording,
      state.arrived,
      state.quantities,
      state.tab,
      state.step,
      state.order,
      state.layer,
      state.direction,
      state.unit,
      state.gate,
      state.brush,
      state.scale,
      width,
      theme,
    ],
    paint() {
      const recording = state.recording.get();
      const hidden = state.tab.get() !== "cell";
      if (panel.hidden !== hidden) panel.hidden = hidden;
      if (hidden || !recording) return;
      const cell = selectedCell(state);
      content = contents(recording, cell, selectedTimestep(state, recording));
      const words = `The cell of layer ${cell.layer} ${cell.direction} with its vectors at this timestep; unit ${state.unit.get()} is marked.`;
      if (canvas.ariaLabel !== words) canvas.ariaLabel = words;
      if (!width.get()) return;
      const box = { x: 0, y: 0, width: width.get(), height: heightFor(width.get()) };
      const shown = content;
      const { direction, inputs, projected, gate } = shown;
      const colours = theme.get();
      const key = `${direction} ${inputs} ${projected} ${gate} ${colours.ink}`;
      layers(
        box,
        key,
        (surface) => drawCellFrame(surface, box, shown, colours),
        (surface) => drawCellValues(surface, box, shown, colours),
      );
    },
  };
}

/**
 * Where a square of a vector leads.
 * @param {Recording} recording
 * @param {Cell} cell
 * @param {string} name
 * @param {number} index
 */
function leadsTo(recording, cell, name, index) {
  if (name.startsWith("x"))
    return termLeadsTo({ from: "input", part: Number(name.slice(1)), index }, recording, cell);
  if (name === "h" || name === "hBefore")
    return termLeadsTo({ from: "hidden", part: 0, index }, recording, cell);
  return { cell, unit: index };
}

/** The drawing's own shape, but never too low to read, nor higher than a screen. @param {number} width */
export const heightFor = (width) => Math.round(Math.max(380, Math.min(620, width * 0.69)));

/**
 * A canvas that is painted by copying. What is drawn is drawn outside of the page: to set a font on a
 * canvas inside it makes the browser bring the styles of the whole page up to date, at every step. And
 * what stays the same, under what changes, is drawn once.
 * @param {HTMLCanvasElement} canvas
 */
function createLayers(canvas) {
  const [under, whole] = [document.createElement("canvas"), document.createElement("canvas")];
  let drawn = "";

  /** @param {HTMLCanvasElement} layer @param {number} ratio */
  function cleared(layer, ratio) {
    const surface = context2d(layer);
    surface.setTransform(1, 0, 0, 1, 0, 0);
    surface.clearRect(0, 0, layer.width, layer.height);
    surface.setTransform(ratio, 0, 0, ratio, 0, 0);
    return surface;
  }

  /**
   * @param {{width: number, height: number}} size  CSS pixels
   * @param {string} key  of what stays the same
   * @param {(surface: CanvasRenderingContext2D) => void} drawSame
   * @param {(surface: CanvasRenderingContext2D) => void} draw
   */
  return function paint({ width, height }, key, drawSame, draw) {
    const ratio = window.devicePixelRatio || 1;
    const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (canvas.width !== w || canvas.height !== h) {
      for (const layer of [canvas, under, whole]) [layer.width, layer.height] = [w, h];
      canvas.style.height = `${height}px`;
      drawn = "";
    }
    if (key !== drawn) drawSame(cleared(under, ratio));
    drawn = key;
    const surface = cleared(whole, ratio);
    surface.drawImage(under, 0, 0, width, height);
    draw(surface);
    cleared(canvas, 1).drawImage(whole, 0, 0);
  };
}

/**
 * @param {{kind: string, name: string}} part
 * @param {number | null} unit
 * @param {CellContent} content
 */
function explain({ kind, name }, unit, { names, vectors, projected }) {
  if (kind === "operator") return [OPERATORS[name]];
  if (kind === "gate") return [`gate ${name}: click to see what pushes it`];
  const value = unit === null ? undefined : vectors[name]?.[unit];
  if (value === undefined) return [names[name]];
  const what = name.startsWith("x") || (projected && name[0] === "h") ? "number" : "unit";
  return [`${names[name]}, ${what} ${unit}: ${fixed(value, 4)}`];
}
