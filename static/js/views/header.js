// The top line: model and sentence; and what is being done, or went wrong.

/** @import {Model, Readable} from '../types.js' */
/** @import {State} from '../state.js' */
/** @import {Actions} from '../actions.js' */

import { button, byId, element, write } from "../dom.js";
import { plural } from "../format.js";
import { label } from "../label.js";
import { stackName } from "../names.js";
import { readsTable, selectedModel } from "../state.js";

/**
 * @param {State} state
 * @param {Actions} actions
 */
export function createAskView(state, actions) {
  const chosen = byId("model");
  const form = /** @type {HTMLFormElement} */ (byId("ask"));
  const text = /** @type {HTMLTextAreaElement} */ (byId("text"));
  const submit = /** @type {HTMLButtonElement} */ (form.querySelector("[type=submit]"));
  let shown = "";

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    actions.recordText(text.value);
  });
  text.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      form.requestSubmit();
    }
    if (event.key === "Escape") text.blur();
  });
  // A long text is one line until somebody works on it.
  const grow = () => {
    text.style.height = "";
    const focused = document.activeElement === text;
    if (focused && text.scrollHeight > text.clientHeight + 4)
      text.style.height = `${text.scrollHeight + 2}px`;
    if (!focused) text.scrollTop = 0;
  };
  for (const event of ["input", "focus", "blur"]) text.addEventListener(event, grow);
  // Once what was typed is on the screen, the keys are for stepping through it.
  state.recording.subscribe((recording) => {
    const finished = recording?.about.text === text.value;
    if (finished && document.activeElement === text) byId("flow").focus({ preventScroll: true });
  });

  return {
    name: "ask",
    reads: /** @type {Readable<any>[]} */ ([state.models, state.model, state.text, state.status]),
    paint() {
      const model = selectedModel(state);
      const [name, size] = model
        ? [label(model.title), stackName(model.lstm)]
        : ["Choose a model", ""];
      chosen.replaceChildren(element("bdi", {}, name), element("small", {}, size));
      chosen.title = `${name} ${size}`;
      chosen.setAttribute("value", model?.id ?? "");
      text.placeholder = whatToType(model);
      // What is being typed stays; what was recorded from here gives way, to Back for one.
      if (document.activeElement !== text || text.value === shown) text.value = state.text.get();
      shown = state.text.get();
      submit.textContent = state.status.get().kind === "busy" ? "Recording…" : "Record";
    },
  };
}

/** @type {Record<string, string>} */
const TYPE = {
  characters: "Type a text: every character is a token",
  bytes: "Type a text: every byte is a token",
  whitespace: "Type tokens with spaces between them",
};

/** @param {Model | undefined} model */
function whatToType(model) {
  if (!model) return "Type a sentence";
  if (readsTable(model)) {
    const { columns, lstm } = model;
    const named = columns.length ? `: ${columns.map(label).join(", ")}` : "";
    return `Rows of ${plural(lstm.layers[0].input_size, "number")}${named}. Paste or upload a table`;
  }
  // Without a vocabulary its ids are all it reads, and its card says so.
  if (Object.values(model.card).includes("ids"))
    return "Type ids with spaces between them: 3 14 15";
  return TYPE[model.split] ?? "Type a sentence";
}

/** Problems, and what is being done. @param {State} state */
export function createStatusView(state) {
  const box = byId("status");
  const welcome = byId("welcome");
  const flow = byId("flow");
  const [title, message, close] = /** @type {HTMLElement[]} */ ([...box.children]);
  const done = () => state.status.set({ kind: "idle" });
  close.addEventListener("click", done);
  const progress = byId("progress");
  const [bar, saying, stop] = /** @type {HTMLElement[]} */ ([...progress.children]);
  stop.addEventListener("click", () => {
    const status = state.status.get();
    if (status.kind === "busy") status.cancel();
  });
  return {
    name: "status",
    reads: /** @type {Readable<any>[]} */ ([
      state.status,
      state.recording,
      state.models,
      state.model,
    ]),
    paint() {
      const status = state.status.get();
      const recording = state.recording.get();
      box.hidden = status.kind !== "problem";
      flow.setAttribute("aria-busy", String(status.kind === "busy"));
      progress.hidden = status.kind !== "busy";
      if (status.kind === "busy") {
        write(saying, status.message);
        bar.style.transform = `scaleX(${status.part ?? 0})`;
        if (status.part === null) progress.removeAttribute("aria-valuenow");
        else progress.setAttribute("aria-valuenow", String(Math.round(100 * status.part)));
      }
      if (status.kind === "problem") {
        title.textContent = status.title;
        message.textContent = [status.message, status.hint].filter(Boolean).join(" ");
        const { action } = status;
        const act = () => {
          done();
          action?.run();
        };
        if (action) message.append(" ", button(action.label, act));
      }
      document.body.classList.toggle("empty", !recording);
      welcome.hidden = Boolean(recording);
      const model = selectedModel(state);
      welcome.textContent =
        status.kind === "busy"
          ? status.message
          : status.kind === "problem" || !model
            ? ""
            : model.examples.length
              ? "Type a sentence and press Enter."
              : `${label(model.title)} is open. ${whatToType(model)}, and press Enter.`;
    },
  };
}
