// The network unrolled: a row for every layer and direction, a cell for every timestep, h inside.
//
// The canvas is painted when the recording or the window changes. A step only moves the overlay:
// a veil over what has not been computed yet, and a frame round the cell that is being computed.

/** @import {Cell, Readable} from '../types.js' */
/** @import {State} from '../state.js' */
/** @import {Actions} from '../actions.js' */
/** @import {Page} from '../page.js' */
/** @import {Recording} from '../recording.js' */
/** @import {Theme} from '../theme.js' */

import { axis } from "../time/axis.js";
import { fitted, paintVectors } from "../colour.js";
import { byId, context2d, element, fitCanvas, isDrag } from "../dom.js";
import { fixed, plural } from "../format.js";
import { cellGrid, networkLayout, networkRowHeight, timestepAtX } from "../geometry.js";
import { label } from "../label.js";
import { course, modelOf, readsTable } from "../state.js";
import { progress } from "../time/transport.js";

const GAP = 6;
const LAYER_GAP = 13;
const ARROW = { forward: "→", backward: "←" };
/** Columns narrower than this hold no picture of their own: then a row is one heatmap. */
const NARROW = 9;

/** @param {Page} page */
export function createNetworkView(page) {
  const { state, actions, theme, tooltip } = page;
  const canvas = /** @type {HTMLCanvasElement} */ (byId("network-canvas"));
  const cells = document.createElement("canvas");
  /** @type {ReturnType<typeof import('./row-maps.js').createNetworkMaps> | null} */
  let maps = null;
  let painted = "";
  /** Whether all rows on the screen were there. */
  let complete = false;

  /** @param {PointerEvent | MouseEvent} event */
  function cellAt(event) {
    const recording = state.recording.get();
    if (!recording) return null;
    const { layout, rowHeight } = layoutOf(recording);
    const row = layout.tops.findIndex(
      (top) => event.offsetY >= top - 2 && event.offsetY <= top + rowHeight + 2,
    );
    const timestep = timestepAtX(event.offsetX, axis(state, recording));
    return { recording, timestep, cell: recording.rows[row] };
  }

  canvas.addEventListener("click", (event) => {
    const hit = cellAt(event);
    if (!hit) return;
    if (hit.cell) actions.selectCell(hit.cell);
    actions.selectTimestep(hit.timestep);
  });
  canvas.addEventListener("pointermove", (event) => {
    const hit = cellAt(event);
    if (!hit) return;
    if (isDrag(event)) actions.selectTimestep(hit.timestep);
    const token = label(hit.recording.about.tokens[hit.timestep].text);
    const name = hit.cell ? `layer ${hit.cell.layer} ${hit.cell.direction}` : "input x";
    const lines = [`${name} · timestep ${hit.timestep} “${token}”`];
    const unit = state.unit.get();
    const h = hit.cell && hit.recording.value("h", hit.cell, hit.timestep, unit);
    if (h !== undefined) lines.push(`h of unit ${unit}: ${fixed(h, 4)}`);
    tooltip.show(event, lines);
  });
  canvas.addEventListener("pointerleave", () => tooltip.hide());

  return {
    name: "network",
    reads: [
      state.recording,
      state.arrived,
      state.pictured,
      state.trackWidth,
      state.from,
      state.span,
      state.scale,
      state.statistic,
      theme,
    ],
    paint() {
      const recording = state.recording.get();
      if (!recording) return;
      const { rows } = recording;
      const { layout, rowHeight } = layoutOf(recording);
      const view = axis(state, recording);
      const narrow = view.columnWidth < NARROW;
      const key = [
        recording.about.id,
        view.columnWidth,
        view.scrollLeft,
        view.trackWidth,
        state.scale.get(),
        state.statistic.get(),
        theme.get().background,
        window.devicePixelRatio,
        narrow ? state.pictured.get() : "",
        narrow && !recording.whole ? "" : complete || state.arrived.get(),
      ].join();
      if (key === painted) return;
      painted = key;
      complete = false;
      const context = fitCanvas(canvas, view.trackWidth, layout.height);
      context.imageSmoothingEnabled = false;
      const names = [...rows.map(({ layer, direction }) => `${layer}.${direction}.h`), "x"];
      const tops = [...layout.tops, layout.inputTop];
      if (!narrow) paintCells(recording, context, view, names, tops, rowHeight);
      else if (maps) maps(recording, context, view, names, tops, rowHeight);
      else loadMaps();
    },
  };

  /** Few texts are so long that a cell has no room for a picture of its own. */
  async function loadMaps() {
    const { createNetworkMaps } = await import("./row-maps.js");
    maps ??= createNetworkMaps(page, cells, rangeOf);
    painted = "";
    state.pictured.set(state.pictured.get() + 1);
  }

  /** @param {Recording} recording @param {string} name @returns {[number, number]} */
  function rangeOf(recording, name) {
    if (name !== "x" && state.scale.get() === "fixed") return [-1, 1];
    const { low, high } = recording.described(name) ?? { low: null, high: null };
    return fitted(low, high, "diverging");
  }

  /**
   * Columns wide enough to show each cell's vector as a picture.
   * @param {Recording} recording
   * @param {CanvasRenderingContext2D} context
   * @param {ReturnType<typeof axis>} view
   * @param {string[]} names
   * @param {number[]} tops
   * @param {number} rowHeight
   */
  function paintCells(recording, context, view, names, tops, rowHeight) {
    const { first, last, offset, columnWidth } = view.window;
    const pad = padOf(columnWidth);
    const { layout } = layoutOf(recording);
    drawWires(context, theme.get(), recording.rows, layout, {
      rowHeight,
      pad,
      timesteps: recording.timesteps,
      ...view.window,
    });
    page.tiles(recording).want("network", []);
    if (!recording.whole) recording.want(names, first, last);
    // Rows that come later for other views change nothing here.
    complete = names.every((name) => recording.row(name, first) && recording.row(name, last - 1));
    if (complete) painted = painted.replace(/[^,]*$/, "true");
    names.forEach((name, n) => {
      const units = recording.described(name)?.shape[1] ?? 0;
      const [low, high] = rangeOf(recording, name);
      const box = { width: columnWidth - 2 * pad, height: rowHeight };
      drawVectors(
        context,
        cells,
        (t) => recording.row(name, t),
        { units, first, last, offset, columnWidth, pad, top: tops[n], ...box },
        { low, high, table: theme.get().tables.diverging },
      );
    });
  }
}

/** @param {Recording} recording */
function layoutOf({ rows }) {
  const rowHeight = networkRowHeight(rows.length + 1);
  const layout = networkLayout(rows, { row: rowHeight, gap: GAP, layerGap: LAYER_GAP });
  return { rowHeight, layout };
}

/** The free space left and right of a cell. @param {number} columnWidth */
const padOf = (columnWidth) =>
  columnWidth >= 48 ? 7 : columnWidth >= 26 ? 4 : columnWidth >= 12 ? 2 : 0.5;

/**
 * Every cell's vector as a small picture: units fill a grid row by row.
 * @param {CanvasRenderingContext2D} context
 * @param {HTMLCanvasElement} scratch
 * @param {(t: number) => import('../types.js').Numbers | undefined} rowAt
 * @param {{units: number, first: number, last: number, offset: number, columnWidth: number, pad: number, top: number, width: number, height: number}} part
 * @param {Parameters<typeof paintVectors>[3]} colours
 */
function drawVectors(context, scratch, rowAt, part, colours) {
  const { units, first, last, offset, columnWidth, pad, top, width, height } = part;
  const grid = cellGrid(width, height, units);
  const count = last - first;
  const image = new ImageData(count * grid.columns, grid.rows);
  paintVectors(new Uint32Array(image.data.buffer), rowAt, { units, first, last, grid }, colours);
  [scratch.width, scratch.height] = [image.width, image.height];
  context2d(scratch).putImageData(image, 0, 0);
  const radius = Math.min(4, pad);
  context.save();
  context.beginPath();
  for (let n = 0; n < count; n++) {
    context.roundRect(offset + n * columnWidth + pad, top, width, height, radius);
  }
  context.clip();
  for (let n = 0; n < count; n++) {
    const x = offset + n * columnWidth + pad;
    context.drawImage(scratch, n * grid.columns, 0, grid.columns, grid.rows, x, top, width, height);
  }
  context.restore();
}

/**
 * h to the right (to the left for backward), and up into the next layer.
 * @param {CanvasRenderingContext2D} context
 * @param {Theme} theme
 * @param {Cell[]} rows
 * @param {ReturnType<typeof networkLayout>} layout
 * @param {{rowHeight: number, pad: number, timesteps: number, first: number, last: number, offset: number, columnWidth: number}} view
 */
function drawWires(context, theme, rows, layout, view) {
  const { rowHeight, pad, timesteps, first, last, offset, columnWidth } = view;
  context.strokeStyle = context.fillStyle = theme.faint;
  context.lineWidth = 1;
  context.beginPath();
  const middle = (/** @type {number} */ n) => offset + (n - first + 0.5) * columnWidth;
  rows.forEach(({ direction }, row) => {
    const y = layout.tops[row] + rowHeight / 2;
    for (let t = first; t < last; t++) {
      if (t + 1 < timesteps) {
        context.moveTo(middle(t), y);
        context.lineTo(middle(t + 1), y);
        if (pad >= 4)
          arrowHead(context, middle(t) + columnWidth / 2, y, direction === "forward" ? 1 : -1, 0);
      }
    }
  });
  const bottoms = [...layout.tops, layout.inputTop];
  for (let row = 0; row < bottoms.length; row++) {
    const above = row === 0 ? null : bottoms[row - 1] + rowHeight;
    if (above === null || bottoms[row] - above < LAYER_GAP) continue;
    for (let t = first; t < last; t++) {
      context.moveTo(middle(t), bottoms[row]);
      context.lineTo(middle(t), above);
      arrowHead(context, middle(t), above + LAYER_GAP / 2 - 1, 0, -1);
    }
  }
  context.stroke();
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {number} x
 * @param {number} y
 * @param {number} dx
 * @param {number} dy
 */
function arrowHead(context, x, y, dx, dy) {
  const size = 3;
  context.moveTo(x - size * (dx + dy), y - size * (dy + dx));
  context.lineTo(x + size * dx, y + size * dy);
  context.lineTo(x - size * (dx - dy), y - size * (dy - dx));
}

/**
 * The names of the rows: buttons that select one.
 * @param {State} state
 * @param {Actions} actions
 */
export function createNetworkLabelsView(state, actions) {
  const box = byId("network-labels");
  let built = "";

  /** @param {Recording} recording */
  function build(recording) {
    const { layout, rowHeight } = layoutOf(recording);
    const widths = new Set(recording.layers.map(({ hidden_size }) => hidden_size)).size;
    const place = (/** @type {HTMLElement} */ node, /** @type {number} */ top) => {
      node.style.top = `${top - 1}px`;
      node.style.height = `${rowHeight + 2}px`;
      return node;
    };
    box.classList.toggle("compact", rowHeight < 30);
    box.style.height = `${layout.height}px`;
    const buttons = recording.rows.map((cell, n) => {
      const { layer, direction } = cell;
      const units = plural(recording.layers[layer].hidden_size, "unit");
      const name = `layer ${layer} ${direction}`;
      const button = element(
        "button",
        {
          type: "button",
          "aria-label": widths > 1 ? `${name} · ${units}` : name,
          title:
            direction === "forward"
              ? `${name}: reads the sentence from left to right`
              : `${name}: reads from right to left; drawn in sentence order`,
        },
        element("b", {}, `layer ${layer} ${ARROW[direction]}`),
        // The arrow says the direction; how wide a layer is only its own label can say. The name of
        // the button has both.
        widths > 1
          ? element("span", { class: "direction", "data-units": units })
          : element("span", { class: "direction" }, direction),
      );
      button.addEventListener("click", () => actions.selectCell(cell));
      return place(button, layout.tops[n]);
    });
    const numbers = readsTable(modelOf(state, recording.about.model));
    const input = element(
      "span",
      {
        title: `What layer 0 reads: ${numbers ? "the numbers of each row" : "the embedding of each token"}`,
      },
      element("b", {}, "input x"),
      element("span", { class: "direction" }, numbers ? "the table" : "embedding"),
    );
    box.replaceChildren(...buttons, place(input, layout.inputTop));
  }

  return {
    name: "network labels",
    reads: [state.recording, state.layer, state.direction],
    paint() {
      const recording = state.recording.get();
      if (!recording) return;
      const key = JSON.stringify([recording.layers, modelOf(state, recording.about.model)?.split]);
      if (key !== built) build(recording);
      built = key;
      recording.rows.forEach(({ layer, direction }, n) => {
        const selected = layer === state.layer.get() && direction === state.direction.get();
        box.children[n].setAttribute("aria-pressed", String(selected));
      });
    },
  };
}

/**
 * What moves with a step: a veil over what is not computed yet, and a frame round what is. One canvas:
 * an element for each would be a layer for each, which every frame pays for.
 * @param {State} state
 * @param {Readable<Theme>} theme
 */
export function createNetworkOverlayView(state, theme) {
  const canvas = /** @type {HTMLCanvasElement} */ (byId("network-overlay"));

  return {
    name: "network overlay",
    reads: [
      state.recording,
      state.step,
      state.order,
      state.trackWidth,
      state.from,
      state.span,
      theme,
    ],
    paint() {
      const recording = state.recording.get();
      if (!recording) return;
      const { layout, rowHeight } = layoutOf(recording);
      const { columnWidth, scrollLeft, trackWidth } = axis(state, recording);
      const context = fitCanvas(canvas, trackWidth, layout.height);
      const pad = padOf(columnWidth);
      const { background, accent } = theme.get();
      recording.rows.forEach((cell, n) => {
        const top = layout.tops[n];
        const { now, from, to } = progress(course(state, recording), state.step.get(), cell);
        const [left, right] = veiled(cell, from, to, columnWidth, scrollLeft, trackWidth);
        context.globalAlpha = VEIL;
        context.fillStyle = background;
        if (right > left) context.fillRect(left, top - 1, right - left, rowHeight + 2);
        context.globalAlpha = 1;
        if (now === null) return;
        const x = now * columnWidth - scrollLeft + pad - 1;
        const width = columnWidth - 2 * pad + 2;
        context.strokeStyle = context.fillStyle = accent;
        context.lineWidth = 2;
        context.beginPath();
        context.roundRect(x, top - 1, width, rowHeight + 2, 5);
        context.stroke();
        // The wire that h has come along.
        const wire = 2 * pad - 2;
        const end = cell.direction === "forward" ? x - wire : x + width;
        if (pad > 1) context.fillRect(end, top + rowHeight / 2 - 1, wire, 2);
      });
    },
  };
}

/** How much of what is not computed yet is hidden. */
const VEIL = 0.74;

/**
 * The part of a row that is not computed: right of it for forward, left of it for backward.
 * @param {Cell} cell
 * @param {number} from
 * @param {number} to
 * @param {number} columnWidth
 * @param {number} scrollLeft
 * @param {number} trackWidth
 */
function veiled(cell, from, to, columnWidth, scrollLeft, trackWidth) {
  if (to < from) return [0, trackWidth];
  const inside = (/** @type {number} */ x) => Math.min(trackWidth, Math.max(0, x));
  return cell.direction === "forward"
    ? [inside((to + 1) * columnWidth - scrollLeft), trackWidth]
    : [0, inside(from * columnWidth - scrollLeft)];
}
