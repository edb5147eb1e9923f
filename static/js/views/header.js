// The top line: model, sentence, sentences to pick, file, parity, share.

/** @import {Model, Readable} from '../types.js' */
/** @import {State} from '../state.js' */
/** @import {Actions} from '../actions.js' */

import { byId, element } from "../dom.js";
import { plural, tiny } from "../format.js";
import { label } from "../label.js";
import { stackName } from "../names.js";
import { selectedModel } from "../state.js";
import { linkOf, toFragment } from "../url.js";

/**
 * @param {State} state
 * @param {Actions} actions
 */
export function createAskView(state, actions) {
  const models = /** @type {HTMLSelectElement} */ (byId("model"));
  const form = /** @type {HTMLFormElement} */ (byId("ask"));
  const text = /** @type {HTMLTextAreaElement} */ (byId("text"));
  const submit = /** @type {HTMLButtonElement} */ (form.querySelector("[type=submit]"));
  let shown = "";

  models.addEventListener("change", () => actions.chooseModel(models.value, text.value));
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
      const list = state.models.get();
      if (models.options.length !== list.length) {
        models.replaceChildren(
          ...list.map((model) => element("option", { value: model.id }, title(model))),
        );
      }
      models.value = state.model.get();
      // What is being typed stays; what was recorded from here gives way, to Back for one.
      if (document.activeElement !== text || text.value === shown) text.value = state.text.get();
      shown = state.text.get();
      submit.textContent = state.status.get().kind === "busy" ? "Recording…" : "Record";
    },
  };
}

/** Layers × units, and the directions. @param {Model} model */
const title = ({ title, lstm }) => `${title} · ${stackName(lstm)}`;

/**
 * The examples of the model and the sentences of the uploaded file.
 * @param {State} state
 * @param {Actions} actions
 */
export function createSentencesView(state, actions) {
  const popover = byId("sentences");
  const text = /** @type {HTMLTextAreaElement} */ (byId("text"));
  const file = /** @type {HTMLInputElement} */ (byId("file"));

  /** @param {File | undefined} given */
  const read = async (given) => {
    if (given && (await actions.readFile(given))) popover.showPopover();
    file.value = "";
  };
  file.addEventListener("change", () => read(file.files?.[0]));
  document.addEventListener("dragover", (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    document.body.classList.add("dropping");
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) document.body.classList.remove("dropping");
  });
  document.addEventListener("drop", (event) => {
    document.body.classList.remove("dropping");
    if (!event.dataTransfer?.files.length) return;
    event.preventDefault();
    read(event.dataTransfer.files[0]);
  });

  /** @param {string} sentence @param {number | null} line */
  const pick = (sentence, line) => {
    const button = element("button", { class: "pick", type: "button", title: label(sentence) });
    if (line !== null) button.append(element("small", {}, String(line)), " ");
    // Sentences are long: only the control characters are made visible here, spaces stay.
    button.append(
      element(
        "bdi",
        {},
        ...sentence
          .slice(0, 200)
          .split(" ")
          .flatMap((word, n) => (n ? [" ", label(word)] : [label(word)])),
      ),
    );
    button.addEventListener("click", () => {
      popover.hidePopover();
      text.blur();
      actions.recordText(sentence);
    });
    return button;
  };

  return {
    name: "sentences",
    reads: /** @type {Readable<any>[]} */ ([state.models, state.model, state.sentences]),
    paint() {
      const examples = selectedModel(state)?.examples ?? [];
      const uploaded = state.sentences.get();
      popover.replaceChildren(
        element("h3", {}, "Examples"),
        ...examples.map((sentence) => pick(sentence, null)),
        element(
          "h3",
          {},
          uploaded
            ? `${label(uploaded.name)}: ${plural(uploaded.sentences.length, "sentence")}`
            : "From a file",
        ),
        ...(uploaded
          ? uploaded.sentences.map((sentence, n) => pick(sentence, n + 1))
          : [
              element(
                "p",
                { class: "note" },
                "Upload a text file, or drop it anywhere: each line that is not empty is a sentence.",
              ),
            ]),
      );
    },
  };
}

/** What the model is. @param {State} state */
export function createCardView(state) {
  const card = byId("card");
  return {
    name: "card",
    reads: /** @type {Readable<any>[]} */ ([state.models, state.model]),
    paint() {
      const model = selectedModel(state);
      if (!model) return;
      const { summary, ...facts } = model.card;
      const { lstm } = model;
      /** @type {Record<string, unknown>} */
      const shape = {
        lstm: stackName(lstm),
        reads: Object.entries(model.embedding)
          .map(
            ([name, width]) =>
              `${name} (${model.vocabulary[name]} values, ${plural(width, "number")} each)`,
          )
          .join(", "),
      };
      const rows = Object.entries({ ...shape, ...facts }).flatMap(([name, value]) => [
        element("dt", {}, name.replaceAll("_", " ")),
        element(
          "dd",
          {},
          Number.isFinite(value) ? Number(value).toLocaleString("en") : String(value),
        ),
      ]);
      card.replaceChildren(
        element("h3", {}, model.title),
        ...(summary ? [element("p", {}, String(summary))] : []),
        element("dl", {}, ...rows),
      );
    },
  };
}

/**
 * The badge: how close this recording is to nn.LSTM.
 * @param {State} state
 * @param {Actions} actions
 */
export function createParityView(state, actions) {
  const badge = byId("parity");
  const details = byId("parity-details");
  return {
    name: "parity",
    reads: /** @type {Readable<any>[]} */ ([state.recording]),
    paint() {
      const recording = state.recording.get();
      badge.hidden = !recording;
      if (!recording) return;
      const { parity, precision, not_finite: notFinite } = recording.about;
      const difference = parity.difference === null ? "" : tiny(parity.difference);
      badge.classList.toggle("off", !parity.ok || notFinite !== null);
      badge.textContent = !parity.ok
        ? `≠ nn.LSTM ${difference}`
        : notFinite
          ? "NaN or ∞, as in nn.LSTM"
          : `= nn.LSTM ✓ ${difference}`;
      badge.title = "Largest difference between what you see and torch.nn.LSTM's own result";
      const other = precision === "float32" ? "float64" : "float32";
      const again = element("button", { type: "button" }, `Record again in ${other}`);
      again.addEventListener("click", () => {
        details.hidePopover();
        state.precision.set(other);
        actions.record({ step: state.step.get() });
      });
      details.replaceChildren(
        element("h3", {}, parity.ok ? "Equal to PyTorch" : "This differs from PyTorch"),
        element(
          "p",
          {},
          "Every number here was computed cell by cell. The same sentence was then run through torch.nn.LSTM, and output, h_n and c_n were compared.",
        ),
        element(
          "dl",
          {},
          element("dt", {}, "largest difference"),
          element(
            "dd",
            {},
            parity.difference === null
              ? "one side is not a number"
              : parity.difference.toExponential(2),
          ),
          element("dt", {}, "tolerance"),
          element(
            "dd",
            {},
            `${parity.tolerance.toExponential(0)} for ${precision}, in proportion for values beyond ±1`,
          ),
          ...(notFinite
            ? [element("dt", {}, "NaN or infinity"), element("dd", {}, `first in ${notFinite}`)]
            : []),
          ...(parity.where
            ? [element("dt", {}, "first left in"), element("dd", {}, parity.where)]
            : []),
        ),
        element(
          "p",
          { class: "note" },
          "Very large weights make any two correct float32 implementations drift apart; in float64 rounding is 10⁹ times smaller, so that an error would show.",
        ),
        again,
      );
    },
  };
}

/** Copies the link: made from the state, as the address bar may be a quarter of a second behind. @param {State} state */
export function setUpShare(state) {
  const button = byId("share");
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(new URL(toFragment(linkOf(state)), location.href).href);
      button.textContent = "Copied ✓";
    } catch {
      // No permission, or not a secure page: the address bar has the same link.
      button.textContent = "Copy the address";
    }
    setTimeout(() => (button.textContent = "Share"), 1800);
  });
}

/** Problems, and what is being done. @param {State} state */
export function createStatusView(state) {
  const box = byId("status");
  const welcome = byId("welcome");
  const flow = byId("flow");
  const [title, message, close] = /** @type {HTMLElement[]} */ ([...box.children]);
  close.addEventListener("click", () => state.status.set({ kind: "idle" }));
  return {
    name: "status",
    reads: /** @type {Readable<any>[]} */ ([state.status, state.recording, state.models]),
    paint() {
      const status = state.status.get();
      box.hidden = status.kind !== "problem";
      flow.setAttribute("aria-busy", String(status.kind === "busy"));
      if (status.kind === "problem") {
        title.textContent = status.title;
        message.textContent = [status.message, status.hint].filter(Boolean).join(" ");
      }
      welcome.hidden = Boolean(state.recording.get());
      welcome.textContent =
        status.kind === "busy"
          ? status.message
          : status.kind === "problem"
            ? ""
            : "Type a sentence and press Enter.";
    },
  };
}
