// How alike the two sides are at each timestep, as lines on the board's axis. A step changes the numbers
// beside them and nothing else.

/** @import {Recording} from '../recording.js' */
/** @import {Measure} from './measures.js' */
/** @import {Known, Room} from './room.js' */

import { axis } from "../time/axis.js";
import { followPointer } from "../time/pointing.js";
import { element, fitCanvas, write } from "../dom.js";
import { fixed } from "../format.js";
import { scaleY } from "../unit/lines.js";
import { drawLine, tickText } from "../unit/picture.js";
import { partingOf } from "./alignment.js";
import { bandsFor, measureEnds, placeMeasures } from "./measures.js";

/** @param {Room} room */
export function createLinesView(room) {
  const { state, actions, theme, tooltip } = room;
  const legend = element("div", { class: "row-label compare-legend" });
  const grid = element("div", { class: "compare-grid", "aria-hidden": "true" });
  const canvas = element("canvas", { role: "img" });
  const parting = element("div", { class: "parting", "aria-hidden": "true" });
  const hair = element("div", { class: "compare-hair", "aria-hidden": "true" });
  const track = element(
    "div",
    { id: "compare-lines", class: "track" },
    grid,
    canvas,
    parting,
    hair,
  );
  const root = element("div", { class: "row" }, legend, track);
  /** @type {Map<string, HTMLElement>} */
  const values = new Map();
  let built = "";
  let painted = "";
  /** @type {Known | null} */
  let shown = null;

  /** @param {Known} known */
  const bandsOf = ({ pair: { one, other } }) => bandsFor(one.width === other.width);

  /** Axes and legend. @param {Known} known */
  function build(known) {
    const bands = bandsOf(known);
    const ends = bands.map((band) => measureEnds(band, known.series));
    const { crosses } = known.pair;
    const { threshold } = room.options();
    const key = JSON.stringify([bands.length, ends, crosses, threshold]);
    if (key === built) return;
    built = key;
    const { bands: places, height } = placeMeasures(bands);
    for (const node of [legend, track]) node.style.height = `${height}px`;
    legend.replaceChildren();
    grid.replaceChildren();
    values.clear();
    bands.forEach(({ measures }, n) => {
      const y = scaleY(places[n], ends[n]);
      const [low, high] = ends[n];
      for (const value of [high, low]) {
        gridLine(y(value), "");
        const tick = element("span", { class: "compare-tick" }, tickText(value));
        tick.style.top = `${y(value)}px`;
        legend.append(tick);
      }
      if (low < 0) gridLine(y(0), "faint");
      if (measures[0].name === "relative") gridLine(y(threshold), "threshold");
      measures.forEach((measure, at) =>
        legend.append(entry(measure, places[n].top + at * 34, crosses)),
      );
    });
  }

  /** @param {number} y @param {string} kind */
  function gridLine(y, kind) {
    const line = element("i", { class: kind });
    line.style.top = `${y}px`;
    grid.append(line);
  }

  /** @param {Measure} measure @param {number} top @param {boolean} crosses */
  function entry({ name, label: words, formula }, top, crosses) {
    const value = element("span", { class: "value", "data-measure": name });
    values.set(name, value);
    const whose =
      name === "norm"
        ? crosses
          ? " B"
          : " this"
        : name === "other_norm"
          ? crosses
            ? " A"
            : " other"
          : "";
    const node = element(
      "div",
      { class: `compare-entry ${name}`, title: formula },
      element("b", {}, words + whose),
      value,
    );
    node.style.top = `${top}px`;
    return node;
  }

  /** @param {Known} known */
  function paint(known) {
    const recording = /** @type {Recording} */ (known.pair.one.recording);
    const view = axis(state, recording);
    const width = Math.min(view.trackWidth, recording.timesteps * view.columnWidth);
    track.style.width = `${width}px`;
    const { height } = placeMeasures(bandsOf(known));
    const context = fitCanvas(canvas, width, height);
    drawMeasures(context, known, view.window, 1 / (window.devicePixelRatio || 1), theme.get());
    const at = partingOf(known.comparison);
    parting.hidden = !at;
    if (at) {
      const x = at.timestep * view.columnWidth - view.scrollLeft;
      parting.style.transform = `translateX(${x}px)`;
      parting.title = "Here they part";
    }
  }

  followPointer(room, track, hair, ({ t }) => {
    const known = room.known();
    if (!known) return null;
    return bandsOf(known)
      .flatMap(({ measures }) => measures)
      .map(({ name }) => `${NAMES[name]} = ${shownNumber(known.series[name][t])}`);
  });

  const picture = {
    name: "compare lines",
    reads: [...room.reads, ...room.windowed],
    paint() {
      if (!room.isShown()) return;
      const known = room.known();
      if (!known) return;
      build(known);
      const key = [
        ...room.windowed.map((atom) => atom.get()),
        window.devicePixelRatio,
        theme.get().background,
      ].join();
      if (known === shown && key === painted) return;
      [shown, painted] = [known, key];
      paint(known);
      const { one, other } = known.pair;
      canvas.setAttribute(
        "aria-label",
        `${bandsOf(known).length > 1 ? "Cosine, relative distance and norms" : "Norms"} of ${one.name} and ${other.name} over ${one.recording.timesteps} timesteps`,
      );
    },
  };
  const numbers = {
    name: "compare values",
    calm: true,
    reads: [...room.reads, state.step, state.order],
    paint() {
      const recording = state.recording.get();
      if (!room.isShown() || !recording) return;
      const known = room.known();
      const t = room.cursor(recording);
      for (const [name, node] of values) {
        const value = known?.series[/** @type {Measure["name"]} */ (name)][t];
        write(node, value === undefined ? "…" : shownNumber(value));
      }
    },
  };
  return { root, views: [picture, numbers] };
}

const NAMES = {
  cosine: "cosine",
  relative: "relative distance",
  norm: "norm",
  other_norm: "norm of the other",
};

/** Nothing where a timestep has no partner, or a state is no number. @param {number} value */
const shownNumber = (value) => (Number.isNaN(value) ? "–" : fixed(value));

/**
 * @param {import('../types.js').Surface} surface
 * @param {Known} known
 * @param {Parameters<typeof drawLine>[2]} window
 * @param {number} pixel
 * @param {import('../theme.js').Theme} theme
 */
export function drawMeasures(surface, known, window, pixel, theme) {
  const { one, other } = known.pair;
  const bands = bandsFor(one.width === other.width);
  const { bands: places } = placeMeasures(bands);
  bands.forEach((band, n) => {
    const y = scaleY(places[n], measureEnds(band, known.series));
    for (const { name, colour } of band.measures)
      drawLine(surface, known.series[name], window, y, { colour: theme[colour], pixel });
  });
}
