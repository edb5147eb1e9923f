// The token strip: what was typed, exactly, and under each token what the model predicts there.

/** @import {Readable, Token} from '../types.js' */
/** @import {State} from '../state.js' */
/** @import {Actions} from '../actions.js' */
/** @import {Recording} from '../recording.js' */

import { axis } from "../axis.js";
import { byId, element } from "../dom.js";
import { codePoints, label } from "../label.js";
import { best, predictionTitle } from "../predictions.js";
import { selectedTimestep } from "../state.js";

/**
 * @param {State} state
 * @param {Actions} actions
 */
export function createTokensView(state, actions) {
  const strip = byId("tokens");
  const predictionLabel = byId("prediction-label");
  /** @type {Map<number, HTMLElement>} */
  const columns = new Map();
  let built = "";
  let current = -1;

  strip.addEventListener("click", (event) => {
    const column = /** @type {HTMLElement} */ (event.target).closest(".column");
    if (column) actions.selectTimestep(Number(/** @type {HTMLElement} */ (column).dataset.t));
  });

  /** @param {Recording} recording */
  function build(recording) {
    const { columnWidth, window } = axis(state, recording);
    const key = [recording.about.id, columnWidth].join(" ");
    if (key !== built) {
      strip.replaceChildren();
      columns.clear();
      built = key;
      current = -1;
      predictionLabel.textContent = predictionTitle(recording);
    }
    // Only what is on the screen exists: a text of 2,000 tokens costs what a sentence does.
    for (const [t, column] of columns) {
      if (t < window.first || t >= window.last) {
        column.remove();
        columns.delete(t);
      }
    }
    for (let t = window.first; t < window.last; t++) {
      if (columns.has(t)) continue;
      const column = tokenColumn(recording, t, columnWidth);
      columns.set(t, column);
      const next = [...columns.keys()].filter((other) => other > t);
      strip.insertBefore(column, next.length ? (columns.get(Math.min(...next)) ?? null) : null);
    }
  }

  return {
    name: "tokens",
    reads: /** @type {Readable<any>[]} */ ([
      state.recording,
      state.step,
      state.order,
      state.layer,
      state.direction,
      state.trackWidth,
      state.scrollLeft,
    ]),
    paint() {
      const recording = state.recording.get();
      if (!recording) return;
      build(recording);
      strip.style.transform = `translateX(${-state.scrollLeft.get()}px)`;
      const timestep = selectedTimestep(state, recording);
      for (const t of [current, timestep]) {
        const column = columns.get(t);
        if (!column) continue;
        column.classList.toggle("now", t === timestep);
        if (t === timestep) column.firstElementChild?.setAttribute("aria-current", "step");
        else column.firstElementChild?.removeAttribute("aria-current");
      }
      current = columns.has(timestep) ? timestep : -1;
    },
  };
}

/**
 * @param {Recording} recording
 * @param {number} t
 * @param {number} width
 */
function tokenColumn(recording, t, width) {
  const token = recording.about.tokens[t];
  const shown = label(token.text);
  const button = element(
    "button",
    { type: "button", title: tokenTitle(token, t), "aria-label": `timestep ${t}: ${shown}` },
    element("bdi", {}, shown),
  );
  const column = element("div", { class: "column", "data-t": t }, button);
  column.style.left = `${t * width}px`;
  column.style.width = `${width}px`;
  column.classList.toggle("unknown", !token.known);
  const prediction = best(recording, t);
  if (prediction) {
    const bar = element("i", { class: "confidence" });
    bar.style.width = `${Math.max(2, prediction.probability * Math.min(width - 8, 62))}px`;
    const text = `${label(prediction.label)}: ${(100 * prediction.probability).toFixed(1)} %`;
    column.append(
      element(
        "div",
        { class: "prediction", title: text },
        element("bdi", {}, label(prediction.label)),
        bar,
      ),
    );
    column.classList.toggle("hit", prediction.hit === true);
  }
  return column;
}

/** @param {Token} token @param {number} t */
function tokenTitle(token, t) {
  const features = token.features.map(
    ({ name, value, known }) => `${name}: ${label(value)}${known ? "" : " → <unk>"}`,
  );
  const unknown = token.known ? [] : ["not in this model's vocabulary"];
  return [`timestep ${t}`, codePoints(token.text), ...features, ...unknown].join("\n");
}
