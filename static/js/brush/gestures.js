// Selecting units on a picture whose rows are units: Ctrl or ⌘ and a click, Shift and a drag, or on
// a touch screen a long press and a drag. A plain click and a plain drag are the picture's own.

/** @import {BrushActions} from './actions.js' */
/** @import {HeatmapRow} from '../heatmaps/layout.js' */
/** @import {Cell} from '../types.js' */
/** @import {State} from '../state.js' */

import { brushedUnits, difference, range, union } from "./brush.js";
import { heightUnder } from "../dom.js";
import { placesAt } from "../heatmaps/layout.js";

/**
 * What is under the pointer. A row of a picture may hold several units, and not in their own order:
 * then `first` and `last` are its places in the order of `picture`.
 * @typedef {{cell: Cell, unit: number, picture?: HeatmapRow, first?: number, last?: number}} Hit
 *
 * @typedef {object} Picture
 * @property {(event: PointerEvent, start?: Hit) => Hit | null} unitAt  a drag is kept inside what it began in
 * @property {(from: Hit, to: Hit) => number[]} [unitsBetween]  both included, in whatever order
 */

/** As long as it takes to be no tap, in milliseconds; and as far as a resting finger moves. */
const LONG_PRESS = 450;
const REST = 9;

/**
 * Returns the function that takes the gestures away again.
 * @param {HTMLElement} track
 * @param {Picture} picture
 * @param {State} state
 * @param {BrushActions} brush
 */
export function attachBrushing(track, { unitAt, unitsBetween = neighbours }, state, brush) {
  /** What is being done, and what was selected before. @type {{pointer: number, start: Hit, to: Hit, before: string, held: Iterable<number>, takes: boolean, cancelled: boolean} | null} */
  let drag = null;
  /** A finger that may become a long press. @type {{x: number, y: number, timer: ReturnType<typeof setTimeout>} | null} */
  let press = null;
  let clickIsOurs = false;

  /**
   * @param {PointerEvent} event
   * @param {"replace" | "add" | "toggle"} how
   */
  function begin(event, how) {
    const start = unitAt(event);
    if (!start) return;
    const brushed = brushedUnits(state, start.cell);
    drag = {
      pointer: event.pointerId,
      start,
      to: start,
      before: state.brush.get(),
      held: how === "replace" ? [] : brushed,
      takes: how === "toggle" && unitsBetween(start, start).every((unit) => brushed.has(unit)),
      cancelled: false,
    };
    track.setPointerCapture(event.pointerId);
    document.addEventListener("keydown", cancelOnEscape, true);
    select();
  }

  /** The selection follows the drag: every view shows it at once. */
  function select() {
    if (!drag || drag.cancelled) return;
    const { start, to, held, takes } = drag;
    const units = unitsBetween(start, to);
    brush.select(start.cell, takes ? difference(held, units) : union(held, units));
  }

  function end() {
    document.removeEventListener("keydown", cancelOnEscape, true);
    drag = null;
  }

  /** What is left of the drag does nothing. */
  function cancel() {
    if (!drag) return;
    state.brush.set(drag.before);
    drag.cancelled = true;
  }

  /** @param {KeyboardEvent} event */
  function cancelOnEscape(event) {
    if (event.key !== "Escape") return;
    take(event);
    cancel();
  }

  function stopPress() {
    if (press) clearTimeout(press.timer);
    press = null;
  }

  /** Nobody else acts on what is ours. @param {Event} event */
  function take(event) {
    event.preventDefault();
    event.stopImmediatePropagation();
  }

  /** @param {PointerEvent} event */
  function down(event) {
    stopPress();
    clickIsOurs = false;
    if (drag || !event.isPrimary) return;
    if (event.pointerType === "touch") {
      const timer = setTimeout(() => {
        press = null;
        clickIsOurs = true;
        begin(event, "toggle");
      }, LONG_PRESS);
      press = { x: event.clientX, y: event.clientY, timer };
      return;
    }
    const chosen = event.ctrlKey || event.metaKey;
    if (event.button !== 0 || !(chosen || event.shiftKey)) return;
    clickIsOurs = true;
    take(event);
    begin(event, !event.shiftKey ? "toggle" : chosen ? "add" : "replace");
  }

  /** @param {PointerEvent} event */
  function move(event) {
    if (press && Math.hypot(event.clientX - press.x, event.clientY - press.y) > REST) stopPress();
    if (event.pointerId !== drag?.pointer) return;
    take(event);
    const hit = unitAt(event, drag.start);
    if (!hit || (hit.unit === drag.to.unit && hit.first === drag.to.first)) return;
    drag.to = hit;
    select();
  }

  /** Others may be waiting for the end of it, too. @param {PointerEvent} event */
  function up(event) {
    stopPress();
    if (event.pointerId === drag?.pointer) end();
  }

  /** The browser took the gesture, to scroll for one. @param {PointerEvent} event */
  function lost(event) {
    stopPress();
    if (event.pointerId !== drag?.pointer) return;
    cancel();
    end();
  }

  /** @param {Event} event */
  function click(event) {
    if (clickIsOurs) take(event);
    clickIsOurs = false;
  }

  /** A long press, and Ctrl and a click on a Mac, would open a menu. @param {MouseEvent} event */
  function menu(event) {
    if (drag || press || (clickIsOurs && event.ctrlKey)) event.preventDefault();
  }

  /** After a long press the finger no longer scrolls. @param {TouchEvent} event */
  function touch(event) {
    if (drag && event.cancelable) event.preventDefault();
  }

  /** @type {[string, (event: any) => void, AddEventListenerOptions][]} */
  const listeners = [
    ["pointerdown", down, { capture: true }],
    ["pointermove", move, { capture: true }],
    ["pointerup", up, { capture: true }],
    ["pointercancel", lost, { capture: true }],
    ["click", click, { capture: true }],
    ["contextmenu", menu, { capture: true }],
    ["touchmove", touch, { passive: false }],
  ];
  for (const [type, run, options] of listeners) track.addEventListener(type, run, options);
  return () => {
    stopPress();
    end();
    for (const [type, run, options] of listeners) track.removeEventListener(type, run, options);
  };
}

/** @param {Hit} a @param {Hit} b */
const neighbours = (a, b) => range(a.unit, b.unit);

/**
 * The heatmaps as such a picture.
 * @param {HTMLElement} track
 * @param {() => HeatmapRow[]} rows
 * @param {(row: HeatmapRow) => ArrayLike<number> | null} orderOf  null: units in their own order
 * @returns {Picture}
 */
export function heatmapPicture(track, rows, orderOf) {
  const unit = (/** @type {HeatmapRow} */ row, /** @type {number} */ place) =>
    orderOf(row)?.[place] ?? place;
  return {
    unitAt(event, start) {
      const y = heightUnder(event, track);
      const own = start?.picture;
      const kept = own ? Math.max(own.top, Math.min(own.top + own.height - 0.5, y)) : y;
      const found = placesAt(own ? [own] : rows(), kept);
      if (!found) return null;
      const { row, first, last } = found;
      return { cell: row.cell, unit: unit(row, first), picture: row, first, last };
    },
    unitsBetween(a, b) {
      const { picture, first, last } = /** @type {Required<Hit>} */ (a);
      const other = /** @type {Required<Hit>} */ (b);
      return range(Math.min(first, other.first), Math.max(last, other.last)).map((place) =>
        unit(picture, place),
      );
    },
  };
}
