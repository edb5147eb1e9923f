// The transport bar: first, back, play, on, last, scrub, speed, order.

/** @import {Order} from '../types.js' */
/** @import {State} from '../state.js' */
/** @import {Actions} from '../actions.js' */

import { byId, element, write } from "../dom.js";
import { label } from "../label.js";
import { course, selectedCell, selectedTimestep, SPEEDS, steps } from "../state.js";
import { layersAt } from "../time/transport.js";

const PLAY = "M3 1v12l9-6z";
const PAUSE = "M2 1h4v12H2zM8 1h4v12H8z";

/**
 * @param {State} state
 * @param {Actions} actions
 */
export function createTransportView(state, actions) {
  const bar = byId("transport");
  const scrub = /** @type {HTMLInputElement} */ (byId("scrub"));
  const play = byId("play");
  const speed = /** @type {HTMLSelectElement} */ (byId("speed"));
  const order = /** @type {HTMLSelectElement} */ (byId("order"));
  const announce = byId("announce");
  const stepText = byId("step-text");
  let announcing = 0;

  speed.append(...SPEEDS.map((value) => element("option", { value }, `${value}/s`)));
  byId("first").addEventListener("click", () => actions.move(-Infinity));
  byId("back").addEventListener("click", () => actions.move(-1));
  byId("on").addEventListener("click", () => actions.move(1));
  byId("last").addEventListener("click", () => actions.move(Infinity));
  play.addEventListener("click", () => actions.togglePlay());
  scrub.addEventListener("input", () => {
    actions.pause();
    actions.goToStep(scrub.valueAsNumber);
  });
  speed.addEventListener("change", () => state.speed.set(Number(speed.value)));
  order.addEventListener("change", () => actions.setOrder(/** @type {Order} */ (order.value)));

  return {
    name: "transport",
    calm: true,
    reads: [
      state.recording,
      state.step,
      state.order,
      state.playing,
      state.speed,
      state.layer,
      state.direction,
    ],
    paint() {
      const recording = state.recording.get();
      bar.inert = !recording;
      if (!recording) return;
      const count = steps(state, recording);
      const step = state.step.get();
      if (scrub.max !== String(count - 1)) scrub.max = String(count - 1);
      scrub.value = String(step);
      const timestep = selectedTimestep(state, recording);
      const [first, last] = layersAt(course(state, recording), step);
      const layers = last > first ? `layers ${first}–${last}` : `layer ${first}`;
      const token = label(recording.about.tokens[timestep].text);
      const every = last - first + 1 === recording.layers.length;
      const text = `step ${step} of ${count - 1}` + (every ? "" : ` · ${layers}`);
      write(stepText, text);
      scrub.setAttribute("aria-valuetext", `${text}, timestep ${timestep} ${token}`);
      const playing = state.playing.get();
      byId("play-icon").setAttribute("d", playing ? PAUSE : PLAY);
      write(/** @type {HTMLElement} */ (play.lastElementChild), playing ? "Pause" : "Play");
      play.setAttribute("aria-label", playing ? "Pause" : "Play");
      play.title = playing ? "Pause (Space)" : "Play (Space)";
      speed.value = String(state.speed.get());
      order.value = state.order.get();
      const oneWay = !recording.readsBackward;
      order.disabled = oneWay;
      /** @type {HTMLElement} */ (order.parentElement).title = oneWay
        ? "This LSTM reads only forward: sentence order and processing order are the same"
        : "Sentence order: every row at the same token. Processing order: layer by layer, backward from right to left";
      const { layer: row, direction } = selectedCell(state);
      clearTimeout(announcing);
      if (!playing) {
        // Said when the cursor rests, not at every step of a key held down.
        announcing = setTimeout(() => {
          announce.textContent = `timestep ${timestep}, ${token}, layer ${row} ${direction}`;
        }, 400);
      }
    },
  };
}
