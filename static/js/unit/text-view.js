// The sentence as running text, each token on the colour of the unit's value there. The text is laid
// out once; what is behind it is a canvas with one row of pixels for every line, so that flipping
// through units repaints a few thousand pixels.

/** @import {Stretch} from './running-text.js' */
/** @import {Colours} from './colours.js' */
/** @import {Numbers, Readable} from '../types.js' */
/** @import {Shown, Unit} from './tab.js' */

import { level } from "../colour.js";
import { context2d, element } from "../dom.js";
import { fixed } from "../format.js";
import { label } from "../label.js";
import { paintStretches, runningText, stretches } from "./running-text.js";
import { modelOf, readsTable, selectedTimestep } from "../state.js";
import { atom } from "../store.js";

/** Height of a line, as in css/unit.css. */
const LINE = 26;
/** Lines that are painted above and below what is on the screen: scrolling runs ahead of painting. */
const MARGIN = 10;
/** How far beside a token a pointer may be. */
const NEAR = 8;

/**
 * What a sentence is coloured for: a unit, or whatever else has a value for every token.
 * @template {Pick<Shown, "recording" | "name"> & {series: Record<string, Numbers> | undefined}} S
 * @typedef {Pick<Unit, "state" | "actions" | "tooltip"> & {
 *   reads: Readable<any>[],
 *   shown(): S | null,
 *   colouring: {by: Readable<string>, of(shown: S): Pick<Colours, "table" | "low" | "high"> & {quantity: {name: string, label: string}}, reads: Readable<any>[], key(): string},
 *   tell?: (t: number) => string[],
 * }} Coloured
 */

/**
 * @template {Pick<Shown, "recording" | "name"> & {series: Record<string, Numbers> | undefined}} S
 * @param {Coloured<S>} unit
 * @param {string} [id]
 */
export function createUnitTextView(unit, id = "unit-text") {
  const { state, actions, tooltip, colouring } = unit;
  const labels = element("div", { class: "row-label" }, element("b", {}, "sentence"));
  const canvas = element("canvas", { "aria-hidden": "true" });
  const text = element("div", { class: "running-text", dir: "auto" });
  const marks = element("div", { class: "marks", "aria-hidden": "true" });
  const content = element("div", { class: "running-content" }, canvas, text, marks);
  const box = element("div", { id, role: "group", tabindex: 0 }, content);
  const root = element("div", { class: "row unit-text-row" }, labels, box);

  const scrolled = atom(0);
  const measured = atom(0);
  box.addEventListener("scroll", () => scrolled.set(box.scrollTop), { passive: true });
  // What is laid out: the text of a recording, and the places that were looked up since.
  let size = { width: 0, height: 0 };
  let built = "";
  let laidOut = -1;
  let running = runningText("", [], false);
  /** @type {Text[]} */
  let nodes = [];
  /** @type {Map<number, Stretch[]>} */
  const places = new Map();
  const range = document.createRange();
  // What is painted: the lines on the canvas and the tokens on them.
  let window_ = { first: 0, lines: 0 };
  /** @type {[number, Stretch[]][]} */
  let tokens = [];
  let painted = "";
  let marked = "";

  const observer = new ResizeObserver(() => {
    const [width, height] = [content.clientWidth, box.clientHeight];
    if (width === size.width && height === size.height) return;
    size = { width, height };
    measured.set(measured.get() + 1);
  });
  // A bar to scroll with takes from the content, not from the box.
  for (const node of [box, content]) observer.observe(node);

  /** @param {S} shown */
  function build({ recording }) {
    if (recording.about.id === built) return;
    built = recording.about.id;
    const named = readsTable(modelOf(state, recording.about.model));
    running = runningText(recording.about.text, recording.about.tokens, named);
    nodes = running.pieces.map((piece) => document.createTextNode(piece));
    text.replaceChildren(...nodes);
    laidOut = -1;
  }

  /** Places are looked up again when the text is wrapped in another way. */
  function forgetPlaces() {
    if (laidOut === measured.get()) return;
    laidOut = measured.get();
    places.clear();
    window_ = { first: 0, lines: 0 };
    marked = painted = "";
  }

  /** @param {number} t */
  function placesOf(t) {
    let found = places.get(t);
    if (found) return found;
    const node = nodes[running.piece[t]];
    range.setStart(node, running.start[t]);
    range.setEnd(node, running.end[t]);
    const { left: x, top: y } = content.getBoundingClientRect();
    const boxes = [...range.getClientRects()].map(({ left, right, top, bottom }) => ({
      left: left - x,
      right: right - x,
      top: top - y,
      bottom: bottom - y,
    }));
    found = stretches(boxes, LINE, running.part[t], running.parts[t]);
    places.set(t, found);
    return found;
  }

  /** The line a token ends on. @param {number} t */
  const lineOf = (t) => placesOf(t).at(-1)?.line ?? 0;

  /** Puts the lines on the screen, and some around them, into `tokens`. */
  function lookUp() {
    const top = Math.floor(scrolled.get() / LINE);
    const bottom = top + Math.ceil(size.height / LINE) + 1;
    if (window_.lines && top >= window_.first && bottom <= window_.first + window_.lines) return;
    const first = Math.max(0, top - MARGIN);
    window_ = { first, lines: bottom - top + 2 * MARGIN };
    const count = running.piece.length;
    let [low, high] = [0, count];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (lineOf(middle) < first) low = middle + 1;
      else high = middle;
    }
    tokens = [];
    for (let t = low; t < count; t++) {
      const found = placesOf(t);
      if (found.length && found[0].line >= first + window_.lines) break;
      tokens.push([t, found]);
    }
    // No row below the last line, or an empty canvas would make the text longer.
    const last = tokens.length ? Math.max(...tokens.slice(-9).map(([t]) => lineOf(t))) : 0;
    window_.lines = Math.min(window_.lines, Math.max(1, last + 1 - first));
    painted = "";
  }

  /** @param {S} shown @param {ReturnType<typeof colouring.of>} colours */
  function paintColours(shown, { quantity, table, low, high }) {
    const values = shown.series?.[quantity.name];
    const width = Math.max(1, Math.floor(size.width));
    const image = new ImageData(width, window_.lines);
    if (values) {
      const pixels = new Uint32Array(image.data.buffer);
      const colour = (/** @type {number} */ t) => table[level(values[t], low, high)];
      paintStretches(pixels, width, tokens, window_.first, colour);
    }
    if (canvas.width !== width || canvas.height !== window_.lines) {
      [canvas.width, canvas.height] = [width, window_.lines];
      canvas.style.width = `${width}px`;
      canvas.style.height = `${window_.lines * LINE}px`;
    }
    canvas.style.transform = `translateY(${window_.first * LINE}px)`;
    context2d(canvas).putImageData(image, 0, 0);
  }

  /** @param {MouseEvent} event */
  function tokenAt(event) {
    const { left, top } = content.getBoundingClientRect();
    const [x, y] = [event.clientX - left, event.clientY - top];
    const line = Math.floor(y / LINE);
    let best = { t: -1, distance: NEAR };
    for (const [t, own] of tokens) {
      for (const one of own) {
        if (one.line !== line) continue;
        const distance = Math.max(one.left - x, x - one.right, 0);
        if (distance < best.distance) best = { t, distance };
      }
    }
    return best.t;
  }

  box.addEventListener("click", (event) => {
    const t = tokenAt(event);
    // Whoever marks text to copy it is not going anywhere.
    if (t >= 0 && document.getSelection()?.isCollapsed !== false) actions.selectTimestep(t);
  });
  box.addEventListener("pointermove", (event) => {
    const t = tokenAt(event);
    const shown = unit.shown();
    const name = colouring.by.get();
    const value = shown?.series?.[name]?.[t];
    if (!shown || t < 0) return tooltip.hide();
    tooltip.show(event, [
      `“${label(shown.recording.about.tokens[t].text)}” · timestep ${t}`,
      ...(unit.tell?.(t) ?? [value === undefined ? "" : `${name} = ${fixed(value, 6)}`]),
    ]);
  });
  box.addEventListener("pointerleave", () => tooltip.hide());

  /** Marks the current token, and keeps it in sight when it is another one. @param {S} shown */
  function mark({ recording }) {
    const t = selectedTimestep(state, recording);
    const key = `${built} ${laidOut} ${t}`;
    if (key === marked) return;
    marked = key;
    const own = placesOf(t);
    while (marks.childElementCount < own.length) marks.append(element("div"));
    [...marks.children].forEach((node, n) => {
      const { style } = /** @type {HTMLElement} */ (node);
      const one = own[n];
      style.visibility = one ? "visible" : "hidden";
      if (!one) return;
      style.transform = `translate(${one.left}px, ${one.line * LINE}px)`;
      style.width = `${one.right - one.left}px`;
    });
    const line = own[0]?.line ?? 0;
    const top = scrolled.get() / LINE;
    if (line >= top && line + 1 <= top + size.height / LINE) return;
    box.scrollTop = Math.max(0, (line - 1) * LINE);
    scrolled.set(box.scrollTop);
  }

  const colour = {
    name: id,
    reads: [...unit.reads, ...colouring.reads, scrolled, measured],
    paint() {
      const shown = unit.shown();
      if (!shown) return;
      build(shown);
      if (!size.width) return;
      forgetPlaces();
      lookUp();
      const key = [
        `${shown.name} ${shown.recording.about.id} ${window_.first} ${Boolean(shown.series)}`,
        colouring.key(),
      ].join();
      if (key === painted) return;
      painted = key;
      const colours = colouring.of(shown);
      paintColours(shown, colours);
      const { label: words } = colours.quantity;
      box.setAttribute("aria-label", `The sentence, coloured by ${words} of ${shown.name}`);
    },
  };
  const current = {
    name: `${id} mark`,
    reads: [
      state.recording,
      state.tab,
      state.step,
      state.order,
      state.layer,
      state.direction,
      measured,
    ],
    paint() {
      const shown = unit.shown();
      if (shown && size.width && built === shown.recording.about.id) mark(shown);
    },
  };
  return { root, views: [colour, current] };
}
