// The token strip: what was typed, exactly, and under each token what the model predicts there.

/** @import {Token} from '../types.js' */
/** @import {State} from '../state.js' */
/** @import {Actions} from '../actions.js' */
/** @import {Recording} from '../recording.js' */

import { axis } from "../axis.js";
import { byId, element, write } from "../dom.js";
import { codePoints, label } from "../label.js";
import { best, classBefore, predictionTitles, shownScore, top } from "../predictions.js";
import { modelOf, selectedTimestep } from "../state.js";

/**
 * @param {State} state
 * @param {Actions} actions
 */
export function createTokensView(state, actions) {
  const strip = byId("tokens");
  const predictionLabel = byId("prediction-label");
  const title = /** @type {HTMLElement} */ (predictionLabel.previousElementSibling);
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
    const split = modelOf(state, recording.about.model)?.split ?? "";
    const key = [recording.about.id, columnWidth].join(" ");
    if (key !== built) {
      strip.replaceChildren();
      columns.clear();
      built = key;
      current = -1;
      const { predictions } = recording.about;
      strip.classList.toggle("headless", !predictions);
      write(title, split === "table" ? "rows" : "tokens");
      predictionLabel.replaceChildren(predictionTitles(recording)[0]);
      if (predictions && ofTwo(predictions))
        predictionLabel.append(element("small", {}, `bar: ${label(predictions.labels[1])}`));
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
      const column = tokenColumn(recording, t, columnWidth, split);
      columns.set(t, column);
      const next = [...columns.keys()].filter((other) => other > t);
      strip.insertBefore(column, next.length ? (columns.get(Math.min(...next)) ?? null) : null);
    }
  }

  return {
    name: "tokens",
    reads: [
      state.recording,
      state.step,
      state.order,
      state.layer,
      state.direction,
      state.trackWidth,
      state.scrollLeft,
    ],
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
 * @param {string} split
 */
function tokenColumn(recording, t, width, split) {
  const token = recording.about.tokens[t];
  // The name of a byte, <0xC3>, has to fit a narrow column.
  const short = (/** @type {string} */ text) =>
    label(split === "bytes" ? text.replace(/^<0x(..)>$/, "‹$1›") : text);
  const shown = short(token.text);
  const before = classBefore(recording, t);
  const prediction = best(recording, t);
  const flip = before && prediction && `class changes to ${label(prediction.label)}`;
  const button = element(
    "button",
    {
      type: "button",
      title: tokenTitle(token, t, split),
      "aria-label": [`timestep ${t}: ${shown}`, flip].filter(Boolean).join(", "),
    },
    element("bdi", {}, shown),
  );
  const column = element("div", { class: "column", "data-t": t }, button);
  column.style.left = `${t * width}px`;
  column.style.width = `${width}px`;
  column.classList.toggle("unknown", !token.known);
  if (prediction) {
    const about = /** @type {NonNullable<typeof recording.about.predictions>} */ (
      recording.about.predictions
    );
    const { task } = about;
    const lines = top(recording, t, task === "value" ? 12 : 1).map(
      ({ label: name, score }) => `${label(name)}: ${shownScore(recording, score)}`,
    );
    if (before) lines.push(`the class changes here, from ${label(before)}`);
    const text =
      task === "value" ? shownScore(recording, prediction.score) : short(prediction.label);
    const box = element(
      "div",
      { class: "prediction", title: lines.join("\n") },
      element("bdi", {}, text),
    );
    if (task !== "value") {
      // Of two classes it is the second one's probability, so that the bar crosses its middle where
      // the class changes.
      const second = ofTwo(about);
      const score = second ? recording.row("scores", t)?.[1] : prediction.score;
      const room = Math.min(width - 8, 62);
      const bar = element("i", { class: "confidence" });
      bar.style.width = `${Math.max(2, (score ?? 0) * room)}px`;
      box.append(second ? element("i", { class: "of-two" }, bar) : bar);
    }
    if (task === "classify" && width < 40) {
      // A class is named once, where it begins, in the room of all that it holds for.
      let end = t + 1;
      while (end < recording.timesteps && !classBefore(recording, end)) end++;
      const name = /** @type {HTMLElement} */ (box.firstElementChild);
      if (t && !flip) name.textContent = "";
      else name.style.width = `${(end - t) * width}px`;
      box.classList.add("run");
    }
    column.append(box);
    column.classList.toggle("hit", prediction.hit === true);
    column.classList.toggle("flip", Boolean(flip));
  }
  return column;
}

/** Whether a probability of one class says all. @param {NonNullable<Recording["about"]["predictions"]>} about */
const ofTwo = ({ task, labels }) => task === "classify" && labels.length === 2;

/** @param {Token} token @param {number} t @param {string} split */
function tokenTitle(token, t, split) {
  const features = token.features
    .slice(0, 12)
    .map(({ name, value, known }) => `${name}: ${label(value)}${known ? "" : " → <unk>"}`);
  if (token.features.length > 12) features.push("…");
  const unknown = token.known ? [] : ["not in this model's vocabulary"];
  // A row's label and the name of a byte are not what was typed.
  const named = split === "table" || split === "bytes" ? label(token.text) : codePoints(token.text);
  return [`timestep ${t}`, named, ...features, ...unknown].join("\n");
}
