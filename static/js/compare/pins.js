// The pinned run: pin, swap, unpin; another model, or a checkpoint of this one, to read the same text.

/** @import {Room} from './room.js' */

import { button, element, write } from "../dom.js";
import { fixed } from "../format.js";
import { label } from "../label.js";
import { pin, pinModel, unpin } from "../pinned.js";
import { familyOf, otherModels } from "./checkpoints.js";
import { createLook } from "./look.js";
import { runWords } from "./run-words.js";

/** Milliseconds a slider rests before what it says is recorded. */
const RESTING = 180;

/** @param {Room} room */
export function createPinsView(room) {
  const { state, actions } = room;
  const pinButton = button("Pin this run", () => pin(state), {
    title: "What is recorded next is compared with it (P)",
  });
  const what = element("span", { class: "pinned-run" });
  const swapButton = button("Swap", swap, {
    title: "Show the pinned run, and pin the one that is shown",
  });
  const unpinButton = button("Unpin", () => unpin(state), { title: "Compare inside this run" });
  const models = element("select", { "aria-label": "Another model reads the same text" });
  const modelsLabel = element("label", {}, "same text through ", models);
  const slider = element("input", {
    title: "Move it to compare with the weights the model had then",
    type: "range",
    min: 0,
    step: 1,
    id: "compare-checkpoint",
  });
  const output = element("output", {
    for: "compare-checkpoint",
    title: "The figure that chose the finished model, measured then; lower is better",
  });
  const training = element(
    "span",
    { class: "training" },
    element("label", { for: "compare-checkpoint" }, "along training"),
    slider,
    output,
  );
  const look = createLook(room);
  const root = element(
    "div",
    {
      id: "compare-pins",
      class: "compare-line",
      role: "group",
      "aria-label": "Pinned run, other weights, look",
    },
    what,
    pinButton,
    swapButton,
    unpinButton,
    modelsLabel,
    training,
    look.root,
  );
  let offered = "";
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let resting;

  function swap() {
    const [pinned, recording] = [state.pinned.get(), state.recording.get()];
    if (!pinned || !recording) return;
    const sameText = pinned.about.text === recording.about.text;
    state.pinModel.set(recording.about.model);
    // A model that reads whatever is on the screen goes on doing so.
    state.pinText.set(sameText && !state.pinText.get() ? "" : recording.about.text);
    showRun(pinned.about.model, pinned.about.text);
  }

  /** Record, and stay where one is. @param {string} model @param {string} text */
  function showRun(model, text) {
    state.model.set(model);
    state.text.set(text);
    const [step, layer, direction, unit] = [state.step, state.layer, state.direction, state.unit];
    actions.record({
      step: step.get(),
      layer: layer.get(),
      direction: direction.get(),
      unit: unit.get(),
      from: state.from.get(),
      span: state.span.get(),
    });
  }

  models.addEventListener("change", () =>
    models.value ? pinModel(state, models.value) : unpin(state),
  );

  // Its keys are its own: elsewhere on the page they are steps.
  slider.addEventListener("keydown", (event) => {
    if (/^(Arrow|Page|Home|End)/.test(event.key)) event.stopPropagation();
  });
  slider.addEventListener("input", () => {
    const family = shownFamily();
    const chosen = family?.[Number(slider.value)];
    if (!chosen) return;
    write(output, stepWords(chosen));
    clearTimeout(resting);
    const isShown = chosen.id === state.recording.get()?.about.model;
    resting = setTimeout(() => (isShown ? unpin(state) : pinModel(state, chosen.id)), RESTING);
  });

  /** The weights along the training of the model on the screen. */
  function shownFamily() {
    const recording = state.recording.get();
    return recording && familyOf(state.models.get(), recording.about.model);
  }

  /** Which model reads the same text, as the pinned run. */
  const reader = () => (state.pinText.get() ? "" : state.pinModel.get());

  function offer() {
    const recording = state.recording.get();
    if (!recording) return;
    const others = otherModels(state.models.get(), recording.about.model);
    const key = JSON.stringify(others.map(({ id, title }) => [id, title]));
    if (key !== offered) {
      offered = key;
      models.replaceChildren(
        element("option", { value: "" }, "another …"),
        ...others.map(({ id, title }) => element("option", { value: id }, label(title))),
      );
    }
    modelsLabel.hidden = !others.length;
    models.value = others.some(({ id }) => id === reader()) ? reader() : "";
  }

  function showTraining() {
    const family = shownFamily();
    training.hidden = !family;
    if (!family) return;
    slider.max = String(family.length - 1);
    const at = family.findIndex(({ id }) => id === reader());
    slider.value = String(at < 0 ? family.length - 1 : at);
    const shown = family[at];
    const words = shown ? stepWords(shown) : `${family.length} sets of weights`;
    write(output, words);
    slider.setAttribute("aria-valuetext", words);
  }

  const bar = {
    name: "compare pins",
    reads: [...room.reads, state.models, ...look.reads],
    paint() {
      const recording = state.recording.get();
      if (!room.isShown() || !recording) return;
      const pinned = room.pinnedRun(recording);
      const asked = Boolean(state.pinModel.get() || state.pinText.get());
      const isItself = pinned?.about.id === recording.about.id;
      what.hidden = !asked;
      what.classList.toggle("stale", room.awaitsPin());
      if (pinned) {
        what.replaceChildren(runWords(state, "A", pinned.about));
        if (isItself) what.append(" is this very run: now change the text or the model.");
      } else what.replaceChildren(element("b", {}, "A"), " …");
      pinButton.hidden = isItself;
      write(pinButton, asked ? "Pin this run instead" : "Pin this run");
      swapButton.hidden = !pinned || isItself;
      unpinButton.hidden = !asked;
      offer();
      showTraining();
      look.show();
    },
  };
  return { root, views: [bar] };
}

/** @param {ReturnType<typeof familyOf> extends (infer T)[] | null ? T : never} weights */
function stepWords({ step, of, validation, finished }) {
  const after = `step ${step.toLocaleString("en")} of ${of.toLocaleString("en")}`;
  const measured = validation === null ? "" : ` · validation ${fixed(validation, 3)}`;
  return `${finished ? "finished, " : ""}${after}${measured}`;
}
