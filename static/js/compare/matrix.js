// Every cell with every cell: CKA as a square each, to click into.

/** @import {Recording} from '../recording.js' */
/** @import {Similarity} from '../types.js' */
/** @import {Pair} from './sides.js' */
/** @import {Room} from './room.js' */

import { level } from "../colour.js";
import { button, element, write } from "../dom.js";
import { fixed, plural } from "../format.js";
import { contrast, css, unpack } from "../unit/readable.js";
import { problemWords } from "./run-words.js";
import { cellShort, cellWords, readName } from "./sides.js";

/** Of a square, in CSS pixels; those above `NUMBERED` hold a number. */
const LARGEST = 52;
const SMALLEST = 13;
const NUMBERED = 34;
const LABELS = 34;

const OVERS = {
  sentence: "this sentence",
  window: "the part on the screen",
  set: "a set of sentences",
};

/** @param {Room} room */
export function createMatrixView(room) {
  const { state, actions, theme, tooltip } = room;
  const over = element(
    "select",
    { "aria-label": "CKA is over" },
    ...Object.entries(OVERS).map(([value, words]) => element("option", { value }, words)),
  );
  over.addEventListener("change", () => room.choose({ over: over.value }));
  const title = element("h3");
  const note = element("p", { class: "note", role: "status" });
  const bar = element("progress", { max: 1, "aria-label": "Computing" });
  const cancel = button("Cancel", () => {
    if (!isRecording()) return room.stopMatrix();
    room.sentences.cancel();
    room.choose({ over: "sentence" });
  });
  const restart = button("Compute it", room.restartMatrix);
  const busy = element("div", { class: "matrix-busy" }, bar, cancel);
  const table = element("table", { class: "matrix" });
  const scroll = element("div", { class: "matrix-scroll" }, table);
  const ramp = element("i", { class: "ramp sequential" });
  const legend = element("span", { class: "ends", "aria-hidden": "true" }, "0", ramp, "1");
  const head = element(
    "div",
    { class: "matrix-head" },
    title,
    legend,
    element("label", {}, "over ", over),
  );
  const root = element(
    "section",
    { id: "compare-matrix", "aria-label": "Every cell with every cell" },
    head,
    busy,
    scroll,
    note,
    restart,
  );
  let width = 0;
  new ResizeObserver(() => {
    if (root.clientWidth === width) return;
    width = root.clientWidth;
    room.again();
  }).observe(root);
  let built = "";
  /** @type {Similarity | null} */
  let shown = null;
  let marked = "";

  /** How far the sentences of a set are; null when none is being recorded. */
  function isRecording() {
    const pair = room.pair();
    if (!pair || room.options().over !== "set" || !room.takesSet(pair)) return null;
    return room.sentences.progress();
  }

  /** @param {Pair} pair @param {string} own @param {string} other */
  function choose({ crosses }, own, other) {
    actions.selectCell(readName(own).cell);
    room.choose({ with: other, run: crosses ? "pinned" : room.options().run });
  }

  /** @param {number | null} value */
  function colours(value) {
    if (value === null) return { background: "", color: "" };
    const packed = theme.get().tables.sequential[level(value, 0, 1)];
    // Of black and white one can be read on any colour; of the page's ink and paper not always.
    const behind = unpack(packed);
    const black = contrast([0, 0, 0], behind) >= contrast([255, 255, 255], behind);
    return { background: css(packed), color: black ? "black" : "white" };
  }

  /**
   * @param {Pair} pair
   * @param {Similarity} similarity
   * @param {number} size
   */
  function build(pair, { names, other_names, cka }, size) {
    const { crosses } = pair;
    const [own, theirs] = crosses ? ["B, ", "A, "] : ["", ""];
    const columns = other_names.map((name) => {
      const { cell } = readName(name);
      return element("th", { scope: "col", title: theirs + cellWords(cell) }, cellShort(cell));
    });
    const rows = names.map((name, row) => {
      const { cell } = readName(name);
      const squares = other_names.map((other, column) =>
        square(pair, name, other, cka[row][column], size),
      );
      return element(
        "tr",
        {},
        element("th", { scope: "row", title: own + cellWords(cell) }, cellShort(cell)),
        ...squares,
      );
    });
    table.replaceChildren(
      element(
        "caption",
        { class: "hidden" },
        `CKA of ${pair.one.quantity} of every cell with every cell`,
      ),
      element("thead", {}, element("tr", {}, element("td", {}, crosses ? "B╲A" : ""), ...columns)),
      element("tbody", {}, ...rows),
    );
    table.style.setProperty("--square", `${size}px`);
    marked = "";
  }

  /** @param {Pair} pair @param {string} own @param {string} other @param {number | null} value @param {number} size */
  function square(pair, own, other, value, size) {
    const [a, b] = [readName(own).cell, readName(other).cell];
    const words = value === null ? "not defined" : fixed(value, 3);
    const itself = !pair.crosses && own === other;
    // Whoever hears a square hears the digits that stand in it.
    const short = value === null ? "–" : fixed(value, 2);
    const node = button(
      size >= NUMBERED ? short.replace(/^0/, "") : "",
      () => choose(pair, own, other),
      {
        "aria-label": `${cellWords(a)} with ${cellWords(b)}: CKA ${value === null ? `– ${words}` : short}`,
        "data-own": own,
        "data-other": other,
        disabled: itself,
        tabindex: -1,
      },
    );
    Object.assign(node.style, colours(value));
    node.addEventListener("pointermove", (event) =>
      tooltip.show(event, [
        `${pair.crosses ? "B " : ""}${cellWords(a)} with ${pair.crosses ? "A " : ""}${cellWords(b)}`,
        `CKA of ${pair.one.quantity} = ${words}`,
        itself ? "the same states" : "Click to compare these two",
      ]),
    );
    node.addEventListener("pointerleave", () => tooltip.hide());
    return element("td", {}, node);
  }

  /** Marks the chosen pair, which is where Tab comes in. @param {Pair} pair */
  function mark({ one, other }) {
    const key = `${one.name} ${other.name}`;
    if (key === marked) return;
    marked = key;
    const buttons = /** @type {HTMLButtonElement[]} */ ([...table.querySelectorAll("button")]);
    for (const node of buttons) {
      const chosen = node.dataset.own === one.name && node.dataset.other === other.name;
      node.setAttribute("aria-pressed", String(chosen));
      node.tabIndex = chosen ? 0 : -1;
    }
    if (!buttons.some(({ tabIndex }) => tabIndex === 0)) {
      const first = buttons.find(({ disabled }) => !disabled);
      if (first) first.tabIndex = 0;
    }
  }

  // The arrow keys go from square to square.
  table.addEventListener("keydown", (event) => {
    const [down, right] = {
      ArrowUp: [-1, 0],
      ArrowDown: [1, 0],
      ArrowLeft: [0, -1],
      ArrowRight: [0, 1],
    }[event.key] ?? [0, 0];
    const cell = /** @type {HTMLElement} */ (event.target).closest("td");
    if ((!down && !right) || !cell || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    const [row, column] = [
      /** @type {HTMLTableRowElement} */ (cell.parentElement).rowIndex,
      cell.cellIndex,
    ];
    for (let n = 1; ; n++) {
      const next = table.rows[row + n * down]?.cells[column + n * right]?.querySelector("button");
      if (!next) return;
      if (next.disabled) continue;
      next.focus();
      return;
    }
  });

  /** What CKA is over, and what hinders it. @param {Pair} pair @param {Similarity | null} similarity @param {unknown} problem */
  function noteOf(pair, similarity, problem) {
    if (problem) return problemWords(problem);
    const recording = /** @type {Recording} */ (pair.one.recording);
    const { over: what } = room.options();
    if (what === "set" && !room.takesSet(pair))
      return "A pinned text is one sentence: here it is this sentence, whose tokens are aligned with the pinned run's. A set can be read by two models.";
    const progress = isRecording();
    if (progress) return `Recording ${progress.done} of ${plural(progress.of, "sentence")} …`;
    if (!similarity) return "…";
    const timesteps = plural(similarity.timesteps, "timestep");
    const rows = pair.crosses ? "Rows: this run, B; columns: the pinned run, A." : "";
    if (similarity.timesteps < 2) return "One timestep alone does not vary: CKA is not defined.";
    if (what === "set") {
      const count = room.sentences.texts(recording).length + 1;
      const from = state.sentences.get() ? "your file" : "the model's examples";
      return `${timesteps} of ${plural(count, "sentence")}: this one and ${from}. ${rows}`;
    }
    return `${timesteps}. ${rows}`;
  }

  const view = {
    name: "compare matrix",
    reads: [...room.reads, ...room.windowed, state.sentences],
    paint() {
      const pair = room.isShown() ? room.pair() : null;
      if (!room.isSound(pair)) return;
      over.value = room.options().over;
      over.querySelector("[value=set]")?.toggleAttribute("disabled", !room.takesSet(pair));
      write(title, `CKA of ${pair.one.quantity}, every cell with every cell`);
      const { value, last, problem, progress, stopped } = room.matrix(pair);
      const working = isRecording() ?? progress;
      busy.hidden = !working;
      restart.hidden = !stopped;
      if (working) bar.value = working.of ? working.done / working.of : 0;
      write(note, stopped ? "Stopped." : noteOf(pair, value, problem));
      const similarity = value ?? last;
      scroll.hidden = !similarity;
      table.classList.toggle("stale", !value);
      if (!similarity || !width) return;
      const columns = similarity.other_names.length;
      const size = Math.floor(
        Math.min(LARGEST, Math.max(SMALLEST, (width - LABELS) / columns - 2)),
      );
      const key = `${size} ${pair.crosses} ${theme.get().background}`;
      if (shown !== similarity || built !== key) build(pair, similarity, size);
      [shown, built] = [similarity, key];
      mark(pair);
    },
  };
  return { root, views: [view] };
}
