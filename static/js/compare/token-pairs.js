// The tokens of both runs above one another, column under column with the board's, and how the
// prediction changed; a click on a word puts another in its place.

/** @import {Recording} from '../recording.js' */
/** @import {Known, Room} from './room.js' */

import { axis } from "../time/axis.js";
import { button, element } from "../dom.js";
import { label } from "../label.js";
import { modelOf } from "../state.js";
import { timestepNoun } from "./run-words.js";
import { areDirections } from "./sides.js";
import { createWordEditor } from "./word-editor.js";

const MARK = { same: "", replaced: "≠", only: "+" };
const MEANING = {
  same: "",
  replaced: "another token in A",
  only: "only in this run",
};

/** @param {Room} room */
export function createTokenPairsView(room) {
  const { state } = room;
  const labels = element("div", { class: "row-label pair-labels" });
  const strip = element("div", {
    id: "token-pairs",
    role: "group",
    "aria-label": "Tokens of both runs; press one to change the word",
  });
  const track = element("div", { class: "track" }, strip);
  const row = element("div", { class: "row token-pairs" }, labels, track);
  const editor = createWordEditor(room);
  const root = element("div", {}, row, editor.root);
  let built = "";
  let current = -1;

  /** The names of the lines. @param {boolean} crosses @param {boolean} predicts */
  function name(crosses, predicts) {
    const lines = crosses
      ? ["B this run", "A pinned"]
      : [timestepNoun(state) === "row" ? "change a row" : "change a word"];
    if (predicts) lines.push("predicts");
    labels.replaceChildren(...lines.map((words) => element("span", {}, words)));
  }

  /** @param {Known | null} known @param {Recording} recording @param {number} t */
  function column(known, recording, t) {
    const crosses = known?.pair.crosses ?? false;
    const kind = crosses && known ? known.alignment.kinds[t] : "same";
    const { text } = recording.about.tokens[t];
    const own = button([element("bdi", {}, label(text))], () => editor.open(t, strip), {
      class: "own",
      title: `Change this ${timestepNoun(state) === "row" ? "row" : "word"}${MEANING[kind] && ` · ${MEANING[kind]}`}`,
      "aria-label": `${label(text)}${MEANING[kind] && `, ${MEANING[kind]}`}`,
      tabindex: -1,
    });
    const node = element("div", { class: `pair ${kind}`, "data-t": t }, own);
    const end = known && areDirections(known.pair) && endOf(t, recording.timesteps);
    if (end) node.append(element("span", { class: "end-of", title: END }, end));
    if (MARK[kind]) own.prepend(element("i", { class: "mark", "aria-hidden": "true" }, MARK[kind]));
    if (!crosses || !known) return node;
    const { other } = known.pair;
    const texts = other.recording.about.tokens;
    const partner = known.alignment.partner[t];
    const lost = known.alignment.lost.get(t) ?? [];
    const theirs = element("div", { class: "theirs" });
    if (lost.length) theirs.append(lostTokens(lost.map((at) => texts[at].text)));
    if (partner >= 0) theirs.append(element("bdi", {}, label(texts[partner].text)));
    else theirs.append(element("span", { title: "no partner in A" }, "–"));
    // Behind the last token there is no column.
    const tail = t === recording.timesteps - 1 && known.alignment.lost.get(t + 1);
    if (tail) theirs.append(lostTokens(tail.map((at) => texts[at].text)));
    node.append(theirs);
    if (predicts(known)) node.append(prediction(known, t));
    return node;
  }

  /** @param {string[]} texts */
  const lostTokens = (texts) =>
    element(
      "span",
      { class: "lost", title: `only in the pinned run: ${texts.map(label).join(" ")}` },
      element("i", { class: "mark", "aria-hidden": "true" }, "−"),
      element("bdi", {}, texts.map(label).join(" ")),
    );

  /** Top label before and now, and the share of probability that moved. @param {Known} known @param {number} t */
  function prediction({ comparison, alignment }, t) {
    const n = alignment.pair[t];
    const [now, before] = comparison.predictions?.top[n] ?? [null, null];
    const moved = comparison.predictions?.moved[n] ?? null;
    const node = element("div", { class: "says" });
    if (now === null) return node;
    const changed = before !== null && before !== now;
    const share = moved === null ? "" : `${Math.round(100 * moved)} %`;
    node.append(element("bdi", {}, label(changed ? before : now)));
    if (changed) node.append(element("bdi", { class: "to" }, `→ ${label(now)}`));
    node.classList.toggle("changed", changed);
    node.title = `${changed ? `A: ${label(before)}, B: ${label(now)}` : `${label(now)} in both`}${share && ` · ${share} of the probability moved`}`;
    if (moved !== null && moved >= 0.005) {
      const bar = element("i", { class: "moved" });
      bar.style.setProperty("--moved", String(moved));
      node.append(bar);
    }
    return node;
  }

  /** @param {Recording} recording @param {Known | null} known */
  function build(recording, known) {
    const view = axis(state, recording);
    const stride = Math.ceil(view.narrowest / view.columnWidth - 0.01);
    const { first, last } = view.window;
    const crosses = known?.pair.crosses ?? false;
    strip.style.setProperty("--w", `${view.columnWidth}px`);
    const says = crosses && predicts(known);
    name(crosses, says);
    row.classList.toggle("crosses", crosses);
    row.classList.toggle("predicts", says);
    row.classList.toggle("turned", says && hasTurned(known, first, last));
    row.classList.toggle("ends", Boolean(known && areDirections(known.pair)));
    const columns = [];
    for (let slot = Math.floor(first / stride) * stride; slot < last; slot += stride) {
      const shown = column(known, recording, mostTelling(known, slot, slot + stride));
      shown.style.setProperty("--t", String(slot));
      columns.push(shown);
    }
    strip.classList.toggle("sparse", stride > 1);
    strip.style.setProperty(
      "--shown",
      `${Math.max(view.columnWidth, Math.min(view.narrowest, view.columnWidth * stride))}px`,
    );
    strip.replaceChildren(...columns);
    strip.style.transform = `translateX(${-view.scrollLeft}px)`;
    current = -1;
  }

  /** @param {number} t */
  function mark(t) {
    if (t === current) return;
    for (const [at, on] of /** @type {[number, boolean][]} */ ([
      [current, false],
      [t, true],
    ])) {
      const node = strip.querySelector(`[data-t="${at}"]`);
      node?.classList.toggle("now", on);
      const own = node?.querySelector("button");
      if (own) own.tabIndex = on ? 0 : -1;
    }
    current = t;
  }

  const view = {
    name: "compare tokens",
    reads: [...room.reads, ...room.windowed, state.models],
    paint() {
      const recording = state.recording.get();
      if (!room.isShown() || !recording) return;
      const known = room.known();
      const key = [
        recording.about.id,
        known?.pair.other.recording.about.id,
        known?.pair.one.name,
        known?.pair.other.name,
        ...room.windowed.map((atom) => atom.get()),
        modelOf(state, recording.about.model)?.split,
      ].join();
      if (key === built) return;
      built = key;
      build(recording, known);
      mark(room.cursor(recording));
    },
  };
  const cursor = {
    name: "compare token",
    reads: [...room.reads, state.step, state.order],
    paint() {
      const recording = state.recording.get();
      if (room.isShown() && recording) mark(room.cursor(recording));
    },
  };
  return { root, views: [view, cursor] };
}

/** Whether both runs predict of the same labels. @param {Known | null} known */
function predicts(known) {
  if (!known?.comparison.predictions) return false;
  const [own, theirs] = [known.pair.one, known.pair.other].map(
    ({ recording }) => recording.about.predictions,
  );
  return own?.task === theirs?.task && String(own?.labels) === String(theirs?.labels);
}

/** Whether some top label of the window is another one now. @param {Known | null} known @param {number} first @param {number} last */
function hasTurned(known, first, last) {
  const top = known?.comparison.predictions?.top;
  const pair = known?.alignment.pair;
  for (let t = first; top && pair && t < last; t++) {
    const [now, before] = top[pair[t]] ?? [];
    if (now && before && now !== before) return true;
  }
  return false;
}

const END =
  "h_n holds what a direction has at its last step: forward’s here at the last token, backward’s at the first";

/** Which half of h_n is from a timestep. @param {number} t @param {number} timesteps */
const endOf = (t, timesteps) =>
  [t === 0 && "h_n ←", t === timesteps - 1 && "h_n →"].filter(Boolean).join(" ");

/**
 * Where columns are too narrow to be read, one stands for several: the first that differs, if one does.
 * @param {Known | null} known
 * @param {number} from
 * @param {number} to  not included
 */
function mostTelling(known, from, to) {
  if (!known?.pair.crosses) return from;
  const { kinds, lost } = known.alignment;
  for (let t = from; t < Math.min(to, kinds.length); t++)
    if (kinds[t] !== "same" || lost.has(t)) return t;
  return from;
}
