// Both sides and their difference as heatmaps on the board's axis, with one cursor and one unit.

/** @import {Recording} from '../recording.js' */
/** @import {Pair} from './sides.js' */
/** @import {PictureRow} from './picture-layout.js' */
/** @import {Room} from './room.js' */

import { axis } from "../time/axis.js";
import { hideOnLeaving, showHair, timestepUnder } from "../time/pointing.js";
import { context2d, element, heightUnder, isDrag } from "../dom.js";
import { placesAt, unitTop } from "../heatmaps/layout.js";
import { createHeatmapSource } from "../heatmaps/source.js";
import { tickText } from "../unit/picture.js";
import { createBrushed } from "./brushed.js";
import { createPainting } from "./painting.js";
import { pictureLayout } from "./picture-layout.js";
import { readout } from "./readout.js";
import { cellShort, keyOf } from "./sides.js";

/** A picture is this part of the window's height, within these bounds. */
const SHARE = 0.085;
const LOWEST = 40;
/** Lower ones have a name beside them, and no scale. */
const TWO_LINES = 32;
const HIGHEST = 110;

const DIFFERENCE =
  "This side minus the other, unit by unit. Its colours end at a number that holds all of it; where a token has no partner there is none.";

/** @param {Room} room */
export function createPicturesView(room) {
  const { state, actions, tooltip } = room;
  const painting = createPainting(room);
  const source = createHeatmapSource(room);
  const labels = element("div", { class: "row-label compare-labels" });
  const canvas = element("canvas", { id: "compare-canvas", role: "img" });
  const marks = element("div", { class: "compare-marks", "aria-hidden": "true" });
  const hair = element("div", { class: "compare-hair", "aria-hidden": "true" });
  const hatching = element("div", { class: "hatching", "aria-hidden": "true" });
  const track = element(
    "div",
    { id: "compare-track", class: "track" },
    hatching,
    canvas,
    marks,
    hair,
  );
  const root = element("div", { class: "row" }, labels, track);
  const paintBrushed = createBrushed(
    room,
    track,
    () => layout,
    (row) => orderOf(room.pair(), row),
  );
  /** @type {{rows: PictureRow[], height: number}} */
  let layout = { rows: [], height: 0 };
  let laidOut = "";
  let painted = "";
  let labelled = "";

  /** @param {Pair} pair */
  function layOut(pair) {
    const target = Math.min(HIGHEST, Math.max(LOWEST, Math.round(window.innerHeight * SHARE)));
    const pixelRatio = window.devicePixelRatio || 1;
    const key = `${keyOf(pair)} ${target} ${pixelRatio}`;
    if (key === laidOut) return;
    laidOut = key;
    layout = pictureLayout(pair, target, pixelRatio);
    for (const node of [labels, track]) node.style.height = `${layout.height}px`;
    hatching.replaceChildren(
      ...layout.rows.map(({ top, height: own }) => {
        const node = element("i");
        node.style.top = `${top}px`;
        node.style.height = `${own}px`;
        return node;
      }),
    );
  }

  /** @param {Pair} pair */
  function paint(pair) {
    const recording = /** @type {Recording} */ (pair.one.recording);
    const view = axis(state, recording);
    const part = painting.partOf(view, recording.timesteps);
    const tiles = room.pairTiles(pair);
    tiles.want("compare", painting.wanted(layout.rows, part));
    // Until something has come, the picture before stands: an empty one would only flicker.
    const empty = !painting.hasAny(layout.rows, part, tiles);
    canvas.classList.toggle("waiting", empty);
    if (empty && canvas.style.height === `${layout.height}px`) return;
    const pixelRatio = window.devicePixelRatio || 1;
    const width = Math.max(1, part.last - part.first);
    const height = Math.max(1, Math.round(layout.height * pixelRatio));
    const image = new ImageData(width, height);
    const pixels = new Uint32Array(image.data.buffer);
    const partner = room.known()?.alignment.partner ?? null;
    for (const row of layout.rows) {
      const each = Math.max(1, Math.round((row.height * pixelRatio) / row.rows));
      const place = { stride: width, top: Math.round(row.top * pixelRatio), each };
      painting.paint(pixels, place, pair, row, part, tiles, partner);
    }
    [canvas.width, canvas.height] = [width, height];
    context2d(canvas).putImageData(image, 0, 0);
    const columnWidth = view.columnWidth * 2 ** part.level;
    canvas.style.width = `${width * columnWidth}px`;
    canvas.style.height = `${height / pixelRatio}px`;
    canvas.style.transform = `translateX(${part.first * columnWidth - view.scrollLeft}px)`;
    track.style.width = `${Math.min(view.trackWidth, recording.timesteps * view.columnWidth)}px`;
  }

  /** The picture's name and the ends of its scale. @param {Pair} pair @param {PictureRow} row */
  function labelOf(pair, row) {
    const { one, other, crosses } = pair;
    const [low, high] = painting.ends(pair, row, room.pairTiles(pair)).map(tickText);
    const letter = { one: crosses ? "B " : "", other: crosses ? "A " : "", difference: "" }[
      row.name
    ];
    const side = row.name === "other" ? other : one;
    const same = one.quantity === other.quantity;
    const of = (/** @type {typeof one} */ { quantity, cell }) =>
      `${same ? "" : `${quantity} `}${cellShort(cell)}`;
    const name =
      row.name !== "difference"
        ? [letter, element("i", { class: "symbol" }, side.quantity), cellShort(side.cell)]
        : [crosses ? "B − A" : `${of(one)} − ${of(other)}`];
    const quantity = state.quantities.get().find(({ name: q }) => q === side.quantity);
    const scale = row.name === "difference" ? "diverging" : quantity?.scale;
    const node = element(
      "div",
      {
        class: "compare-label",
        title: row.name === "difference" ? DIFFERENCE : quantity?.sentence,
      },
      element("b", {}, ...name),
      row.height < TWO_LINES
        ? ""
        : element("span", { class: "ends" }, low, element("i", { class: `ramp ${scale}` }), high),
    );
    node.style.top = `${row.top}px`;
    node.style.height = `${row.height}px`;
    return node;
  }

  /** @param {Pair} pair */
  function paintLabels(pair) {
    const rows = layout.rows.map((row) => painting.ends(pair, row, room.pairTiles(pair)).join());
    const key = [laidOut, pair.crosses, ...rows].join();
    if (key === labelled) return;
    labelled = key;
    labels.replaceChildren(...layout.rows.map((row) => labelOf(pair, row)));
  }

  /** The order of the units of a picture: both sides stand in the order of this one, where they can. @param {Pair | null} pair @param {PictureRow} row */
  function orderOf(pair, row) {
    if (!pair) return null;
    const { one, other } = pair;
    if (row.name === "other" && one.width !== other.width) return null;
    return source.orderOf(/** @type {Recording} */ (one.recording), { name: one.name });
  }

  /** The unit of the other side that moves most like the selected one. @param {Pair} pair */
  function matchOf(pair) {
    const found = room.matches(pair).value?.matches[state.unit.get()];
    return found?.other_unit ?? null;
  }

  /** @param {Pair} pair */
  function paintMarks(pair) {
    const unit = state.unit.get();
    const match = matchOf(pair);
    /** @type {HTMLElement[]} */
    const found = [];
    for (const row of layout.rows) {
      const order = orderOf(pair, row);
      const put = (/** @type {number} */ which, /** @type {string} */ kind) => {
        if (which >= row.units) return;
        const at = order ? Array.prototype.indexOf.call(order, which) : which;
        const mark = element("div", { class: `unit-mark ${kind}` });
        mark.style.transform = `translateY(${row.top + unitTop(row, at)}px)`;
        found.push(mark);
      };
      if (row.name !== "other" || pair.one.width === pair.other.width) put(unit, "");
      if (row.name === "other" && match !== null && match !== unit) put(match, "match");
    }
    marks.replaceChildren(...found);
  }

  /** @param {PointerEvent | MouseEvent} event */
  function under(event) {
    const pair = room.pair();
    const at = timestepUnder(state, track, event);
    if (!pair || !at) return null;
    const place = placesAt(layout.rows, heightUnder(event, track));
    const row = /** @type {PictureRow | undefined} */ (place?.row);
    const order = row && orderOf(pair, row);
    const unit = place ? (order ? order[place.first] : place.first) : null;
    const more = place ? place.last - place.first : 0;
    return { ...at, pair, row, unit, more };
  }

  track.addEventListener("click", (event) => {
    const hit = under(event);
    if (!hit || event.defaultPrevented) return;
    actions.selectTimestep(hit.t);
    const { one, other } = hit.pair;
    if (hit.unit !== null && (hit.row?.name !== "other" || one.width === other.width))
      actions.selectUnit(hit.unit);
  });
  track.addEventListener("pointermove", (event) => {
    const hit = under(event);
    if (!hit) return;
    if (isDrag(event) && !event.shiftKey) actions.selectTimestep(hit.t);
    showHair(hair, hit.x);
    if (hit.row) tooltip.show(event, readout(hit, room.known()));
    else tooltip.hide();
  });
  hideOnLeaving(track, hair, tooltip);

  const picture = {
    name: "compare pictures",
    reads: [...room.reads, ...room.windowed, ...painting.reads, state.measured, state.unit],
    paint() {
      const pair = room.pair();
      if (!room.isShown()) {
        // Nobody sees them: nothing more is fetched for them.
        if (painted && pair) room.pairTiles(pair).want("compare", []);
        painted = "";
        return;
      }
      if (!room.isSound(pair)) return;
      layOut(pair);
      const key = [
        laidOut,
        state.pictured.get(),
        room.known() === null,
        painting.key(),
        ...room.windowed.map((atom) => atom.get()),
      ].join();
      if (key === painted) return;
      painted = key;
      paint(pair);
      paintLabels(pair);
      canvas.setAttribute("aria-label", nameOf(pair));
    },
  };
  const linked = {
    name: "compare marks",
    reads: [...room.reads, ...painting.reads, state.unit, state.brush, state.measured],
    paint() {
      const pair = room.isShown() ? room.pair() : null;
      if (!room.isSound(pair) || !layout.rows.length) return;
      paintMarks(pair);
      paintBrushed();
    },
  };

  /** @param {Pair} pair */
  const nameOf = ({ one, other }) =>
    `Heatmaps of ${one.name} and ${other.name}${layout.rows.length > 2 ? " and their difference" : ""}: units down, ${one.recording.timesteps} timesteps across`;

  return { root, views: [picture, linked], painting, layout: () => layout };
}

/** @typedef {ReturnType<typeof createPicturesView>} PicturesView */
