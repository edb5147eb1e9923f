// The token strip: what was typed, exactly, and under each token what the model predicts there.

/** @import {Token} from '../types.js' */
/** @import {State} from '../state.js' */
/** @import {Actions} from '../actions.js' */
/** @import {Recording} from '../recording.js' */

import { axis } from "../time/axis.js";
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
  let shown = "";
  let width = 0;
  let current = -1;
  /** Whether the predictions have not come. */
  let missing = false;

  strip.addEventListener("click", (event) => {
    const column = /** @type {HTMLElement} */ (event.target).closest(".column");
    if (column) actions.selectTimestep(Number(/** @type {HTMLElement} */ (column).dataset.t));
  });

  /** @param {Recording} recording */
  function begin(recording) {
    const { predictions } = recording.about;
    strip.replaceChildren();
    columns.clear();
    current = -1;
    strip.classList.toggle("headless", !predictions);
    write(title, splitOf(recording) === "table" ? "rows" : "tokens");
    predictionLabel.replaceChildren(predictionTitles(recording)[0]);
    if (predictions && ofTwo(predictions))
      predictionLabel.append(element("small", {}, `bar: ${label(predictions.labels[1])}`));
  }

  /** @param {Recording} recording */
  const splitOf = (recording) => modelOf(state, recording.about.model)?.split ?? "";

  /**
   * Only what can be read exists: a text of 10,000 tokens costs what a sentence does. Where columns
   * are narrower than their tokens, every n-th token is there, and the current one.
   * @param {Recording} recording
   * @param {number} timestep
   */
  function build(recording, timestep) {
    const view = axis(state, recording);
    const { first, last } = view.window;
    const stride = Math.ceil(view.narrowest / view.columnWidth - 0.01);
    const key = `${recording.about.id} ${stride > 1}`;
    if (key !== built) begin(recording);
    built = key;
    if (view.columnWidth !== width) {
      width = view.columnWidth;
      strip.style.setProperty("--w", `${width}px`);
      strip.style.setProperty(
        "--shown",
        `${Math.max(width, Math.min(view.narrowest, width * stride))}px`,
      );
      strip.classList.toggle("narrow", width < 40);
      strip.classList.toggle("sparse", stride > 1);
    }
    const start = Math.floor(first / stride) * stride;
    const wanted = (/** @type {number} */ t) =>
      t === timestep || (t >= start && t < last && t % stride === 0 && !hides(t, timestep, stride));
    for (const [t, column] of columns) {
      if (wanted(t)) continue;
      column.remove();
      columns.delete(t);
    }
    /** @type {HTMLElement | null} */
    let next = null;
    for (
      let t = start + Math.floor((last - 1 - start) / stride) * stride;
      t >= start;
      t -= stride
    ) {
      if (wanted(t)) next = show(recording, t, next);
    }
    if (stride > 1) show(recording, timestep, null);
    missing = recording.about.predictions !== null && !recording.row("scores", timestep);
  }

  /**
   * @param {Recording} recording
   * @param {number} t
   * @param {HTMLElement | null} before
   */
  function show(recording, t, before) {
    let column = columns.get(t);
    if (column && !column.classList.contains("unscored")) return column;
    const made = tokenColumn(recording, t, splitOf(recording));
    if (column) column.replaceWith(made);
    else strip.insertBefore(made, before);
    columns.set(t, made);
    return made;
  }

  return {
    name: "tokens",
    reads: [
      state.recording,
      state.arrived,
      state.step,
      state.order,
      state.layer,
      state.direction,
      state.trackWidth,
      state.from,
      state.span,
    ],
    paint() {
      const recording = state.recording.get();
      if (!recording) return;
      const { scrollLeft } = axis(state, recording);
      const timestep = selectedTimestep(state, recording);
      const key = [
        recording.about.id,
        scrollLeft,
        width,
        state.trackWidth.get(),
        state.span.get(),
        strip.classList.contains("sparse") ? timestep : "",
        recording.whole && !missing ? "" : state.arrived.get(),
      ].join();
      if (key !== shown) build(recording, timestep);
      shown = key;
      strip.style.transform = `translateX(${-scrollLeft}px)`;
      if (timestep === current && columns.get(timestep)?.classList.contains("now")) return;
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

/** Whether a token would stand under the current one. @param {number} t @param {number} now @param {number} stride */
const hides = (t, now, stride) => stride > 1 && t !== now && Math.abs(t - now) < stride;

/**
 * @param {Recording} recording
 * @param {number} t
 * @param {string} split
 */
function tokenColumn(recording, t, split) {
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
  column.style.setProperty("--t", String(t));
  column.classList.toggle(
    "unscored",
    Boolean(recording.about.predictions) && !recording.row("scores", t),
  );
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
      const bar = element("i", { class: "confidence" });
      bar.style.setProperty("--score", String(score ?? 0));
      box.append(second ? element("i", { class: "of-two" }, bar) : bar);
    }
    if (task === "classify") {
      // In narrow columns a class is named once, where it begins, in the room of all it holds for.
      let end = t + 1;
      while (end < recording.timesteps && end < t + LONGEST_RUN && !classBefore(recording, end))
        end++;
      box.classList.add("run");
      box.classList.toggle("goes-on", Boolean(t && !flip));
      box.style.setProperty("--run", String(end - t));
    }
    column.append(box);
    column.classList.toggle("hit", prediction.hit === true);
    column.classList.toggle("flip", Boolean(flip));
  }
  return column;
}

/** How far the name of a class is looked along. */
const LONGEST_RUN = 40;

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
