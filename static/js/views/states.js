// The states: a heatmap, units down and timesteps across, for every quantity of every row of the
// network, on one canvas with one pixel for each column and row of units. A step repaints nothing.

/** @import {Quantity} from '../types.js' */
/** @import {Page} from '../page.js' */
/** @import {Recording} from '../recording.js' */
/** @import {HeatmapRow} from '../heatmaps/layout.js' */
/** @import {Tiles, Wanted} from '../heatmaps/tiles.js' */

import { axis } from "../time/axis.js";
import { brushedUnits } from "../brush/brush.js";
import { byId, context2d, element, heightUnder, isDrag } from "../dom.js";
import { fixed } from "../format.js";
import { levelOf, timestepAtX } from "../geometry.js";
import { heatmapLayout, placesAt, unitTop } from "../heatmaps/layout.js";
import { columnsOf, paintPicture, topLevel } from "../heatmaps/painter.js";
import { createHeatmapSource } from "../heatmaps/source.js";
import { label } from "../label.js";
import { TILE } from "../heatmaps/pooling.js";
import { selectedCell } from "../state.js";

const ARROW = { forward: "→", backward: "←" };
/** Below the pictures. */
const MARGIN = 14;
const LOWEST_ROOM = 220;
/** The strip beside the pictures in which selected units are marked. */
const GUTTER = 5;

/** @param {Page} page */
export function createStatesView(page) {
  const { state, actions, theme, tooltip } = page;
  const source = createHeatmapSource(page);
  const { pooling, orderOf, quantityOf } = source;
  const panel = byId("states");
  const flow = byId("flow");
  const labels = element("div", { id: "state-labels", class: "row-label" });
  const canvas = element("canvas", { id: "state-canvas", role: "img" });
  const gutter = element("canvas", { id: "state-gutter", "aria-hidden": "true" });
  const marks = element("div", { id: "unit-marks", "aria-hidden": "true" });
  const track = element("div", { id: "state-track", class: "track" }, canvas, marks, gutter);
  panel.append(element("div", { class: "row" }, labels, track));
  /** @type {ReturnType<typeof heatmapLayout>} */
  let layout = { rows: [], groups: [], height: 0 };
  let laidOut = "";
  let painted = "";
  let marked = "";
  let measured = -1;
  let room = LOWEST_ROOM;

  /** @param {PointerEvent | MouseEvent} event */
  function under(event) {
    const recording = state.recording.get();
    if (!recording) return null;
    const box = track.getBoundingClientRect();
    const timestep = timestepAtX(event.clientX - box.left, axis(state, recording));
    const place = placesAt(layout.rows, heightUnder(event, track));
    if (!place) return { recording, timestep, row: null, units: [] };
    const order = orderOf(recording, place.row);
    const units = [];
    for (let n = place.first; n <= place.last; n++) units.push(order ? order[n] : n);
    return { recording, timestep, row: place.row, units };
  }

  track.addEventListener("click", (event) => {
    const hit = under(event);
    if (!hit || event.defaultPrevented) return;
    if (hit.row) actions.selectCell(hit.row.cell);
    actions.selectTimestep(hit.timestep);
    if (hit.units.length) actions.selectUnit(hit.units[0]);
  });
  track.addEventListener("pointermove", (event) => {
    const hit = under(event);
    if (!hit) return;
    if (isDrag(event) && !event.shiftKey) actions.selectTimestep(hit.timestep);
    if (hit.row) tooltip.show(event, readout(hit.recording, hit.row, hit.timestep, hit.units));
    else tooltip.hide();
  });
  track.addEventListener("pointerleave", () => tooltip.hide());
  /**
   * What is under the pointer: the value, and the same unit in the other quantities.
   * @param {Recording} recording
   * @param {HeatmapRow} row
   * @param {number} timestep
   * @param {number[]} units
   */
  function readout(recording, row, timestep, units) {
    const { cell, quantity } = row;
    const { layer, direction } = cell;
    const token = label(recording.about.tokens[timestep].text);
    const lines = [`layer ${layer} ${direction} · “${token}” · timestep ${timestep}`];
    const names = state.quantities.get().map(({ name }) => name);
    const here = recording.value(quantity, cell, timestep, units[0]);
    if (here === undefined) {
      recording.want(
        names.map((name) => `${layer}.${direction}.${name}`),
        timestep,
        timestep + 1,
      );
      return [...lines, unitNames(units), "the numbers are coming …"];
    }
    const values = units.map((unit) =>
      fixed(recording.value(quantity, cell, timestep, unit) ?? 0, 4),
    );
    lines.push(`${quantity} of ${unitNames(units)}: ${values.slice(0, 6).join("  ")}`);
    if (values.length > 6) lines[1] += " …";
    if (units.length === 1) {
      const others = names.filter((name) => name !== quantity);
      const shown = others.map((name) => {
        const value = recording.value(name, cell, timestep, units[0]);
        return value === undefined ? "" : `${name} ${fixed(value)}`;
      });
      lines.push(shown.filter(Boolean).join("  "));
    }
    return lines;
  }

  /** @param {Recording} recording */
  function layOut(recording) {
    const selected = selectedCell(state);
    const pixelRatio = window.devicePixelRatio || 1;
    const key = [
      JSON.stringify(recording.layers),
      selected.layer,
      selected.direction,
      state.rows.get(),
      state.show.get(),
      room,
      pixelRatio,
      state.quantities.get().length,
    ].join();
    if (key === laidOut) return;
    laidOut = key;
    const unitsOf = (/** @type {{layer: number}} */ { layer }, /** @type {string} */ quantity) => {
      const { hidden_size, output_size } = recording.layers[layer];
      return quantity === "h" ? output_size : hidden_size;
    };
    layout = heatmapLayout({
      cells: state.rows.get() === "all" ? recording.rows : [selected],
      selected,
      quantities: [...state.show.get()],
      unitsOf,
      room,
      pixelRatio,
    });
    page.shown.heatmaps = layout;
    for (const node of [labels, track]) node.style.height = `${layout.height}px`;
    labels.replaceChildren(...layout.groups.flatMap(groupLabels));
    marks.replaceChildren();
  }

  /** @param {{cell: HeatmapRow["cell"], focus: boolean, top: number, height: number}} group */
  function groupLabels({ cell, focus, top, height }) {
    const { layer, direction } = cell;
    const name = `layer ${layer} ${direction}`;
    const choose = element(
      "button",
      { type: "button", class: "group", "aria-pressed": String(focus), "aria-label": name },
      height < 34 ? `${layer}${ARROW[direction]}` : `layer ${layer} ${ARROW[direction]}`,
    );
    choose.addEventListener("click", () => actions.selectCell(cell));
    place(choose, top, height);
    if (state.rows.get() === "one") choose.hidden = true;
    const own = layout.rows.filter((row) => row.cell === cell);
    return [choose, ...own.map((row) => quantityLabel(row))];
  }

  /** @param {HeatmapRow} row */
  function quantityLabel(row) {
    const quantity = quantityOf(row.quantity);
    const node = element(
      "span",
      { class: "quantity", title: `${quantity?.sentence}\n${row.quantity} = ${quantity?.formula}` },
      element("b", {}, row.quantity),
    );
    const alone = state.rows.get() === "one";
    if (row.focus && row.height >= 15)
      node.append(element("span", {}, alone ? (quantity?.label ?? "") : short(quantity)));
    // Lower than its letter, a picture's name is only in the way.
    if (row.height < 10) node.hidden = true;
    node.classList.toggle("small", row.height < 14);
    node.classList.toggle("alone", alone);
    return place(node, row.top, row.height);
  }

  /** @param {HTMLElement} node @param {number} top @param {number} height */
  function place(node, top, height) {
    node.style.top = `${top}px`;
    node.style.height = `${height}px`;
    return node;
  }

  /**
   * @param {Recording} recording
   * @param {Tiles} tiles
   */
  function paintPictures(recording, tiles) {
    const view = axis(state, recording);
    const pixelRatio = window.devicePixelRatio || 1;
    const level = levelOf(view.columnWidth, pixelRatio);
    const top = Math.max(level, topLevel(recording.timesteps));
    const { first, last } = columnsOf(view.window, level);
    const width = Math.max(1, last - first);
    const columnWidth = view.columnWidth * 2 ** level;
    const height = Math.max(1, Math.round(layout.height * pixelRatio));
    const image = new ImageData(width, height);
    const pixels = new Uint32Array(image.data.buffer);
    /** @type {Wanted[]} */
    const wanted = [];
    for (const row of layout.rows) {
      const how = pooling(row.unitsPerRow);
      const at = (/** @type {number} */ of, /** @type {number} */ tile) => ({
        name: row.name,
        pooling: how,
        level: of,
        tile,
      });
      for (let tile = Math.floor(first / TILE); tile * TILE < last; tile++)
        wanted.push(at(level, tile));
      if (top > level) wanted.push(at(top, 0));
    }
    // The selected row first, then from the top.
    const focus = new Set(layout.rows.filter((row) => row.focus).map((row) => row.name));
    wanted.sort((a, b) => Number(focus.has(b.name)) - Number(focus.has(a.name)));
    tiles.want("states", wanted);
    for (const row of layout.rows) {
      const colours = source.coloursOf(recording, row);
      if (!colours) continue;
      const each = Math.max(1, Math.round((row.height * pixelRatio) / row.rows));
      paintPicture(
        pixels,
        { stride: width, top: Math.round(row.top * pixelRatio), each, rows: row.rows },
        { level, top, first, last },
        source.tileAt(recording, row),
        colours,
      );
    }
    if (canvas.width !== width || canvas.height !== height)
      [canvas.width, canvas.height] = [width, height];
    context2d(canvas).putImageData(image, 0, 0);
    canvas.style.width = `${width * columnWidth}px`;
    canvas.style.height = `${height / pixelRatio}px`;
    canvas.style.transform = `translateX(${first * columnWidth - view.scrollLeft}px)`;
    track.style.width = `${Math.min(view.trackWidth, recording.timesteps * view.columnWidth)}px`;
  }

  /** The selected unit and the brushed ones. @param {Recording} recording */
  function paintMarks(recording) {
    const unit = state.unit.get();
    const key = [
      laidOut,
      unit,
      state.brush.get(),
      pooling(1).sort,
      pooling(1).sortOf,
      theme.get().ink,
      recording.about.id,
      state.pictured.get(),
    ].join();
    if (key === marked) return;
    marked = key;
    const focused = layout.rows.filter((row) => row.focus);
    while (marks.children.length < focused.length)
      marks.append(element("div", { class: "unit-mark" }));
    focused.forEach((row, n) => {
      const mark = /** @type {HTMLElement} */ (marks.children[n]);
      mark.hidden = unit >= row.units;
      const order = orderOf(recording, row);
      const at = order ? Array.prototype.indexOf.call(order, unit) : unit;
      mark.style.transform = `translateY(${row.top + unitTop(row, at)}px)`;
    });
    paintGutter(recording);
  }

  /** @param {Recording} recording */
  function paintGutter(recording) {
    const pixelRatio = window.devicePixelRatio || 1;
    const height = Math.max(1, Math.round(layout.height * pixelRatio));
    const brushed = layout.groups.map(({ cell }) => brushedUnits(state, cell));
    gutter.hidden = !brushed.some((units) => units.size);
    if (gutter.hidden) return;
    [gutter.width, gutter.height] = [GUTTER, height];
    gutter.style.height = `${layout.height}px`;
    const context = context2d(gutter);
    context.fillStyle = theme.get().accent;
    layout.rows.forEach((row) => {
      const units = brushedUnits(state, row.cell);
      if (!units.size) return;
      const order = orderOf(recording, row);
      const each = (row.height / row.rows) * pixelRatio;
      for (let place = 0; place < row.units; place++) {
        if (!units.has(order ? order[place] : place)) continue;
        const y = row.top * pixelRatio + Math.floor(place / row.unitsPerRow) * each;
        context.fillRect(0, Math.round(y), GUTTER, Math.max(1, Math.round(each)));
      }
    });
  }

  return {
    name: "states",
    reads: [
      state.recording,
      state.arrived,
      state.pictured,
      state.quantities,
      state.layer,
      state.direction,
      state.unit,
      state.tab,
      state.scale,
      state.rows,
      state.show,
      state.sort,
      state.sortOf,
      state.statistic,
      state.brush,
      state.trackWidth,
      state.measured,
      state.from,
      state.span,
      theme,
    ],
    paint() {
      const recording = state.recording.get();
      panel.hidden = state.tab.get() !== "states";
      if (recording && panel.hidden && painted) {
        // Nobody sees them: nothing more is fetched for them.
        page.tiles(recording).want("states", []);
        painted = "";
      }
      if (!recording || panel.hidden || !state.quantities.get().length) return;
      if (measured !== state.measured.get())
        room = Math.max(LOWEST_ROOM, flow.clientHeight - track.offsetTop - MARGIN);
      measured = state.measured.get();
      layOut(recording);
      // A new unit only moves the mark, unless the order is by likeness to it.
      const key = [
        laidOut,
        recording.about.id,
        state.pictured.get(),
        recording.whole ? state.arrived.get() : "",
        state.scale.get(),
        state.sort.get(),
        state.sort.get() === "similarity" ? state.unit.get() : "",
        state.sortOf.get(),
        state.statistic.get(),
        state.trackWidth.get(),
        state.from.get(),
        state.span.get(),
        theme.get().background,
      ].join();
      if (key !== painted) {
        painted = key;
        paintPictures(recording, page.tiles(recording));
        canvas.setAttribute("aria-label", pictureName(recording));
      }
      paintMarks(recording);
    },
  };

  /** @param {Recording} recording */
  function pictureName(recording) {
    const { layer, direction } = selectedCell(state);
    const rows =
      state.rows.get() === "all" ? "every row of the network" : `layer ${layer} ${direction}`;
    return `Heatmaps of ${[...state.show.get()].join(", ")} for ${rows}: units down, ${recording.timesteps} timesteps across`;
  }
}

/** @param {number[]} units */
const unitNames = (units) =>
  units.length === 1
    ? `unit ${units[0]}`
    : `${units.length} units (${units.slice(0, 6).join(", ")}${units.length > 6 ? " …" : ""})`;

/** @param {Quantity | undefined} quantity */
const short = (quantity) => (quantity?.label ?? "").replace(/ (gate|state)$/, "");
