// Surprise, entropy and margin over time, or the probabilities of classes, or a head's own numbers.

/** @import {Room, Shown} from './room.js' */
/** @import {Band} from './bands.js' */
/** @import {Answers} from './measures.js' */

import { element, write } from "../dom.js";
import { fixed } from "../format.js";
import { scaleY } from "../unit/lines.js";
import { tickText } from "../unit/picture.js";
import { selectedTimestep } from "../state.js";
import { ABOVE, ENTRY, bandsOf, drawBands, placesOf } from "./bands.js";
import { createStrip } from "./strip.js";

/** @param {Room} room */
export function createLinesView(room) {
  const { state, theme } = room;
  /** @type {WeakMap<Answers, Band[]>} */
  const made = new WeakMap();
  /** The number of each line at the cursor. @type {{node: HTMLElement, values: ArrayLike<number>, decimals: number}[]} */
  let numbers = [];

  /** @param {Shown} shown @param {Answers} answers */
  function bands(shown, answers) {
    const found = made.get(answers) ?? bandsOf(shown, answers);
    made.set(answers, found);
    return found;
  }

  const strip = createStrip(room, {
    id: "predict-lines",
    title: (shown, answers) =>
      `${bands(shown, answers)
        .flatMap(({ lines }) => lines.map(({ name }) => name))
        .join(", ")} over ${shown.recording.timesteps} timesteps. As a table: T.`,
    height: (shown, answers) => placesOf(bands(shown, answers)).height + 6,
    draw(context, shown, answers, columns) {
      const own = bands(shown, answers);
      const { line } = theme.get();
      placesOf(own).bands.forEach((place, n) => {
        const y = scaleY(place, own[n].ends);
        const [low, high] = own[n].ends;
        context.fillStyle = line;
        for (const value of [low, (low + high) / 2, high])
          context.fillRect(0, Math.round(y(value)), 1e5, 1);
      });
      const pixel = 1 / (window.devicePixelRatio || 1);
      drawBands(context, own, columns, { theme: theme.get(), pixel });
    },
    legend(legend, shown, answers) {
      const own = bands(shown, answers);
      numbers = [];
      legend.replaceChildren();
      placesOf(own).bands.forEach((place, n) => {
        own[n].lines.forEach((line, at) => {
          const value = element("output", { class: "value" });
          const swatch = element("i", {
            "aria-hidden": "true",
            class: line.dash.length ? "dashed" : "",
          });
          swatch.style.borderColor = String(theme.get()[line.colour]);
          const node = element(
            "div",
            { class: "predict-entry", title: line.title },
            swatch,
            element("bdi", {}, line.name),
            value,
          );
          node.style.top = `${place.top + ABOVE + at * ENTRY}px`;
          legend.append(node);
          numbers.push({ node: value, values: line.values, decimals: line.decimals });
        });
        const [low, high] = own[n].ends;
        const ends = /** @type {[number, string][]} */ ([
          [place.top, tickText(high)],
          [place.top + place.height, `${tickText(low)} ${own[n].unit === "nats" ? "nats" : ""}`],
        ]);
        for (const [at, text] of ends) {
          const tick = element("span", { class: "tick" }, text);
          tick.style.top = `${at}px`;
          legend.append(tick);
        }
      });
      paintNumbers();
    },
    tell: (shown, answers, t) =>
      bands(shown, answers).flatMap(({ lines, unit }) =>
        lines.map(
          ({ name, values, decimals }) =>
            `${name} ${Number.isNaN(values[t]) ? "–" : fixed(values[t], decimals + 1)}${unit === "nats" ? " nats" : ""}`,
        ),
      ),
  });

  function paintNumbers() {
    const recording = state.recording.get();
    if (!recording) return;
    const t = selectedTimestep(state, recording);
    for (const { node, values, decimals } of numbers)
      write(node, Number.isNaN(values[t] ?? NaN) ? "–" : fixed(values[t], decimals));
  }

  return {
    root: strip.root,
    views: [
      strip.view,
      {
        name: "predict numbers",
        reads: [...room.reads, state.step, state.order, state.layer, state.direction],
        paint() {
          if (room.isOpen()) paintNumbers();
        },
      },
    ],
  };
}
