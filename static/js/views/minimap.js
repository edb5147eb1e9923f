// The whole sequence in one strip, and the part of it that is on the screen: drag it, or its ends.

/** @import {Page} from '../page.js' */
/** @import {Recording} from '../recording.js' */

import { axis, panTo } from "../time/axis.js";
import { byId, context2d } from "../dom.js";
import { topLevel, paintPicture, columnsOf } from "../heatmaps/painter.js";
import { label } from "../label.js";
import { selectedCell, selectedTimestep } from "../state.js";
import { shownRange } from "../theme.js";

/** Rows of pixels for the units. */
const ROWS = 10;
/** How near an end of the window is taken hold of, in pixels. */
const GRIP = 7;

/** @param {Page} page */
export function createMinimapView(page) {
  const { state, actions, theme } = page;
  const row = byId("minimap-row");
  const box = byId("minimap");
  const canvas = /** @type {HTMLCanvasElement} */ (byId("minimap-canvas"));
  const frame = byId("minimap-window");
  const cursor = byId("minimap-cursor");
  let painted = "";

  /** @typedef {"move" | "left" | "right" | "jump"} Hold */
  /** @type {{hold: Hold, offset: number, end: number} | null} */
  let held = null;

  /** Pointer to timesteps. @param {MouseEvent} event @param {Recording} recording */
  const timestepAt = (event, recording) => {
    const { left, width } = box.getBoundingClientRect();
    return ((event.clientX - left) / width) * recording.timesteps;
  };

  box.addEventListener("pointerdown", (event) => {
    const recording = state.recording.get();
    if (!recording || event.button) return;
    const { from, span } = shown(recording);
    const at = timestepAt(event, recording);
    const grip = (GRIP / box.clientWidth) * recording.timesteps;
    const inside = at > from && at < from + span;
    /** @type {Hold} */
    let hold = inside ? "move" : "jump";
    if (Math.abs(at - from) < grip) hold = "left";
    else if (Math.abs(at - from - span) < grip) hold = "right";
    held = { hold, offset: hold === "jump" ? span / 2 : at - from, end: from + span };
    box.setPointerCapture(event.pointerId);
    drag(event, recording);
  });
  box.addEventListener("pointermove", (event) => {
    const recording = state.recording.get();
    if (held && recording) drag(event, recording);
  });
  for (const end of /** @type {const} */ (["pointerup", "pointercancel"]))
    box.addEventListener(end, () => (held = null));

  /** @param {PointerEvent} event @param {Recording} recording */
  function drag(event, recording) {
    if (!held) return;
    const at = timestepAt(event, recording);
    const { from } = shown(recording);
    const least = Math.min(recording.timesteps, 4);
    if (held.hold === "left") {
      const to = Math.max(0, Math.min(at, held.end - least));
      state.span.set(held.end - to);
      panTo(state, to);
    } else if (held.hold === "right") {
      state.span.set(Math.max(least, Math.min(at, recording.timesteps) - from));
      panTo(state, from);
    } else {
      const { span } = shown(recording);
      panTo(state, Math.min(at - held.offset, recording.timesteps - span));
    }
  }

  // A slider's own keys; the page's arrows stay for the steps.
  box.addEventListener("keydown", (event) => {
    const recording = state.recording.get();
    /** @type {Record<string, number>} */
    const by = {
      ArrowLeft: -0.1,
      ArrowRight: 0.1,
      PageUp: -0.9,
      PageDown: 0.9,
      Home: -Infinity,
      End: Infinity,
    };
    if (!recording || !(event.key in by) || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation();
    const { from, span } = shown(recording);
    panTo(state, Math.min(from + by[event.key] * span, recording.timesteps - span));
  });
  box.addEventListener("dblclick", (event) => {
    const recording = state.recording.get();
    if (recording) actions.selectTimestep(Math.floor(timestepAt(event, recording)));
  });

  /** @param {Recording} recording */
  function shown(recording) {
    const { columnWidth, scrollLeft, trackWidth } = axis(state, recording);
    const span = Math.min(recording.timesteps, trackWidth / columnWidth);
    return { from: scrollLeft / columnWidth, span };
  }

  /** @param {Recording} recording */
  function paintMap(recording) {
    const cell = selectedCell(state);
    const name = `${cell.layer}.${cell.direction}.h`;
    const units = recording.layers[cell.layer].output_size;
    const tiles = page.tiles(recording);
    const level = topLevel(recording.timesteps);
    const unitsPerRow = Math.ceil(units / ROWS);
    const pooling = {
      unitsPerRow,
      statistic: state.statistic.get(),
      sort: /** @type {const} */ ("index"),
      sortOf: "h",
      unit: 0,
    };
    tiles.want("minimap", [{ name, pooling, level, tile: 0 }]);
    const quantity = state.quantities.get().find((other) => other.name === "h");
    if (!quantity) return;
    const [low, high] = shownRange(quantity, "layer", recording, cell);
    const rows = Math.ceil(units / unitsPerRow);
    const { first, last } = columnsOf({ first: 0, last: recording.timesteps }, level);
    const image = new ImageData(last - first, rows);
    const { tables, background } = theme.get();
    const colours = {
      lows: [low],
      highs: [high],
      table: tables.diverging,
      key: `${low} ${high} ${background}`,
    };
    paintPicture(
      new Uint32Array(image.data.buffer),
      { stride: last - first, top: 0, each: 1, rows },
      { level, top: level, first, last },
      (of, tile) => tiles.get({ name, pooling, level: of, tile }),
      colours,
    );
    if (canvas.width !== image.width || canvas.height !== rows)
      [canvas.width, canvas.height] = [image.width, rows];
    context2d(canvas).putImageData(image, 0, 0);
  }

  return {
    name: "minimap",
    reads: [
      state.recording,
      state.arrived,
      state.pictured,
      state.quantities,
      state.layer,
      state.direction,
      state.step,
      state.order,
      state.from,
      state.span,
      state.statistic,
      state.trackWidth,
      theme,
    ],
    paint() {
      const recording = state.recording.get();
      if (!recording) return;
      const { from, span } = shown(recording);
      const all = span >= recording.timesteps - 1e-6;
      if (row.hidden !== all) {
        row.hidden = all;
        state.measured.set(state.measured.get() + 1);
      }
      if (all) return;
      const key = [
        recording.about.id,
        state.pictured.get(),
        recording.whole ? state.arrived.get() : "",
        state.layer.get(),
        state.direction.get(),
        state.statistic.get(),
        theme.get().background,
      ].join();
      if (key !== painted) {
        painted = key;
        paintMap(recording);
      }
      const width = state.trackWidth.get();
      const scale = width / recording.timesteps;
      frame.style.width = `${Math.max(2, span * scale)}px`;
      frame.style.transform = `translateX(${from * scale}px)`;
      const timestep = selectedTimestep(state, recording);
      cursor.style.transform = `translateX(${(timestep + 0.5) * scale}px)`;
      if (!state.playing.get()) {
        const token = label(recording.about.tokens[Math.floor(from)].text);
        box.setAttribute("aria-valuenow", String(Math.floor(from)));
        box.setAttribute("aria-valuemax", String(Math.ceil(recording.timesteps - span)));
        box.setAttribute(
          "aria-valuetext",
          `timesteps ${Math.floor(from)} to ${Math.ceil(from + span) - 1} of ${recording.timesteps}, from “${token}”`,
        );
      }
    },
  };
}
