// "Which units are on here, and off around it?", answered while it is asked.

/** @import {Answer} from './actions.js' */
/** @import {Question} from './matching.js' */
/** @import {Page} from '../page.js' */
/** @import {Recording} from '../recording.js' */
/** @import {State} from '../state.js' */
/** @import {Atom, Readable} from '../types.js' */
/** @import {Part} from './panel.js' */

import { axis } from "../time/axis.js";
import { formatRanges, rangesOf } from "./brush.js";
import { button, byId, element, write } from "../dom.js";
import { fixed, plural } from "../format.js";
import { timestepAtX } from "../geometry.js";
import { label } from "../label.js";
import { selectedCell, selectedTimestep } from "../state.js";
import { atom } from "../store.js";

/** While somebody types, not every letter is a question. In milliseconds. */
const TYPING = 120;
/** What is shown of a long answer, and of many tokens. */
const MOST_RANGES = 24;
const MOST_TOKENS = 12;

/**
 * @param {Page} page
 * @param {Readable<boolean>} isOpen
 * @returns {Part}
 */
export function createQuestion({ state, actions }, isOpen) {
  const { brush } = actions;
  /** What came of it; null while it is on its way. */
  const result = atom(/** @type {{answer?: Answer, problem?: string} | null} */ (null));
  const fields = createFields();
  const { first, last } = fields;
  const tokens = element("bdi");
  const said = element("p", { class: "answer", role: "status" });
  const select = button("Select", () => use("select"), { class: "primary" });
  const add = button("Add", () => use("add"), { title: "Add them to what is selected" });
  const mark = createMark();
  const node = element(
    "form",
    { class: "question", novalidate: true },
    element("h3", {}, "Which units are on here?"),
    element("div", { class: "line" }, "above", fields.above, "in", fields.quantity),
    element(
      "div",
      { class: "line" },
      "timesteps",
      first,
      "to",
      last,
      button("now", () => ask(current(), current()), {
        class: "link",
        title: "The timestep of this step",
      }),
      button("all shown", () => ask(...onScreen()), { class: "link" }),
    ),
    element("p", { class: "note" }, tokens),
    element(
      "div",
      { class: "line" },
      element("label", { class: "check" }, fields.before, "off just before"),
      element("label", { class: "check" }, fields.after, "off just after"),
    ),
    said,
    element("div", { class: "line" }, select, add),
  );
  let asked = "";
  /** @type {AbortController | null} */
  let request = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  /** @type {Recording | null} */
  let begun = null;

  node.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!select.disabled) use("select");
  });
  node.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(update, TYPING);
  });
  dragOverTokens(state, isOpen, (a, b) => ask(a, b));
  for (const read of [isOpen, state.recording, state.layer, state.direction])
    read.subscribe(update);
  update();

  function current() {
    const recording = state.recording.get();
    return recording ? selectedTimestep(state, recording) : 0;
  }

  /** @returns {[number, number]} */
  function onScreen() {
    const recording = state.recording.get();
    if (!recording) return [0, 0];
    const { window } = axis(state, recording);
    return [window.first, window.last - 1];
  }

  /** Other timesteps, both included. @param {number} a @param {number} b */
  function ask(a, b) {
    first.value = String(Math.min(a, b));
    last.value = String(Math.max(a, b));
    update();
  }

  /** A question about this recording: of the step it is at. @param {Recording} recording */
  function begin(recording) {
    begun = recording;
    first.max = last.max = String(recording.timesteps - 1);
    first.value = last.value = String(current());
    if (fields.quantity.options.length) return;
    for (const { name, label: long } of state.quantities.get())
      fields.quantity.append(element("option", { value: name }, `${name}, ${long}`));
    fields.quantity.value = "h";
  }

  /** Ask again if something is another question now. */
  function update() {
    clearTimeout(timer);
    const recording = state.recording.get();
    if (!recording || !isOpen.get()) return;
    if (begun !== recording) begin(recording);
    const cell = selectedCell(state);
    const question = fields.read(recording.timesteps);
    const key = JSON.stringify([recording.about.id, cell, question]);
    if (key === asked) return;
    asked = key;
    request?.abort();
    result.set(typeof question === "string" ? { problem: question } : null);
    if (typeof question === "string") return;
    const mine = (request = new AbortController());
    brush.find(cell, question, mine.signal).then(
      (answer) => !mine.signal.aborted && result.set({ answer }),
      (error) => {
        if (mine.signal.aborted) return;
        asked = "";
        result.set({ problem: "There is no answer." });
        actions.report(error);
      },
    );
  }

  /** @param {"select" | "add"} how */
  function use(how) {
    const units = result.get()?.answer?.units;
    if (units?.length) brush[how](selectedCell(state), units);
  }

  return {
    node,
    reads: [result, state.trackWidth, state.from, state.span],
    paint(recording, open) {
      mark.hidden = !open;
      if (!open) return;
      const question = fields.read(recording.timesteps);
      const { answer, problem } = result.get() ?? {};
      select.disabled = add.disabled = !answer?.units.length;
      if (typeof question === "string") {
        mark.hidden = true;
        write(tokens, "");
        write(said, question);
        return;
      }
      placeMark(mark, axis(state, recording), question);
      write(tokens, excerpt(recording, question));
      write(said, problem ?? (answer ? sentence(answer, question) : "…"));
    },
  };
}

/** What is asked for. */
function createFields() {
  const number = (/** @type {Record<string, string>} */ attributes) =>
    element("input", { type: "number", required: true, ...attributes });
  const above = number({ step: "any", value: "0.5", "aria-label": "Above" });
  const quantity = element("select", { "aria-label": "Quantity" });
  const first = number({ min: "0", step: "1", "aria-label": "First timestep" });
  const last = number({ min: "0", step: "1", "aria-label": "Last timestep" });
  const before = element("input", { type: "checkbox" });
  const after = element("input", { type: "checkbox" });

  /** The question as it stands, or what is wrong with it. @param {number} timesteps @returns {Question | string} */
  function read(timesteps) {
    const [from, to] = [first.valueAsNumber, last.valueAsNumber];
    if (!Number.isFinite(above.valueAsNumber)) return "Above which value?";
    const sound = [from, to].every((t) => Number.isInteger(t) && t >= 0 && t < timesteps);
    if (!sound) return `Timesteps go from 0 to ${timesteps - 1}.`;
    if (from > to) return "The first timestep is after the last.";
    return {
      quantity: quantity.value,
      above: above.valueAsNumber,
      start: from,
      stop: to + 1,
      offBefore: before.checked,
      offAfter: after.checked,
    };
  }
  return { above, quantity, first, last, before, after, read };
}

/** The tokens that are asked about. @param {Recording} recording @param {Question} question */
function excerpt({ about }, { start, stop }) {
  const found = about.tokens.slice(start, Math.min(stop, start + MOST_TOKENS));
  const words = found.map(({ text }) => label(text)).join(" ");
  return stop - start > MOST_TOKENS ? `${words} … (${plural(stop - start, "timestep")})` : words;
}

/** The answer in words; an empty one says what to ask for. @param {Answer} answer @param {Question} question */
function sentence({ units, best, high }, { above, start, stop, quantity }) {
  if (units.length) {
    const ranges = rangesOf(units);
    const more = ranges.length > MOST_RANGES ? ", …" : "";
    return `${plural(units.length, "unit")}: ${formatRanges(ranges.slice(0, MOST_RANGES), ", ")}${more}`;
  }
  const long = stop - start > 1;
  if (best && best.lowest > above)
    return `No unit: unit ${best.unit}, for one, is above it${long ? " throughout" : ""}, but not off around it.`;
  if (best && long)
    return `No unit throughout: unit ${best.unit} stays highest, never below ${fixed(best.lowest, 2)}.`;
  if (best)
    return `No unit: the largest value there is ${fixed(best.lowest, 2)}, of unit ${best.unit}.`;
  if (high !== undefined && high !== null && high <= above)
    return `No unit: the largest value of ${quantity} in this row is ${fixed(high, 2)}.`;
  return "No unit. Ask for a lower value, or for fewer timesteps.";
}

/** The bracket under the tokens that are asked about. */
function createMark() {
  const mark = element("div", { id: "asked-tokens", "aria-hidden": "true", hidden: true });
  byId("tokens").parentElement?.append(mark);
  return mark;
}

/**
 * @param {HTMLElement} mark
 * @param {{columnWidth: number, scrollLeft: number}} view
 * @param {Question} question
 */
function placeMark(mark, { columnWidth, scrollLeft }, { start, stop }) {
  mark.style.width = `${Math.max(2, (stop - start) * columnWidth)}px`;
  mark.style.transform = `translateX(${start * columnWidth - scrollLeft}px)`;
}

/**
 * While the panel is open, Shift and a drag over the tokens says which ones.
 * @param {State} state
 * @param {Readable<boolean>} isOpen
 * @param {(from: number, to: number) => void} ask
 */
function dragOverTokens(state, isOpen, ask) {
  const strip = /** @type {HTMLElement} */ (byId("tokens").parentElement);
  /** Where it began. @type {number | null} */
  let from = null;
  let clickIsOurs = false;

  const timestep = (/** @type {PointerEvent} */ event) => {
    const recording = state.recording.get();
    const x = event.clientX - strip.getBoundingClientRect().left;
    return recording ? timestepAtX(x, axis(state, recording)) : 0;
  };
  const take = (/** @type {Event} */ event) => {
    event.preventDefault();
    event.stopImmediatePropagation();
  };
  const on = (/** @type {string} */ type, /** @type {(event: any) => void} */ run) =>
    strip.addEventListener(type, run, true);

  on("pointerdown", (event) => {
    clickIsOurs = event.shiftKey && event.button === 0 && isOpen.get();
    if (!clickIsOurs) return;
    take(event);
    strip.setPointerCapture(event.pointerId);
    from = timestep(event);
    ask(from, from);
  });
  on("pointermove", (event) => {
    if (from === null) return;
    take(event);
    ask(from, timestep(event));
  });
  for (const end of ["pointerup", "pointercancel"]) on(end, () => (from = null));
  on("click", (event) => clickIsOurs && take(event));
}
