// The pinned run: a second recording beside the one on the screen, to compare it with.

/** @import {Page} from './page.js' */
/** @import {Recording as Run} from './recording.js' */
/** @import {State} from './state.js' */

import { Recording } from "./recording.js";

/** Of what a tab may keep, the exact rows of the pinned run have a sixteenth. */
const SHARE = 1 / 16;

/**
 * What is pinned, as one asks for a recording of it; null when nothing is.
 * @param {State} state
 * @param {Run} recording
 */
export function wantedPin(state, recording) {
  const [model, text] = [state.pinModel.get(), state.pinText.get()];
  if (!model && !text) return null;
  const { about } = recording;
  return { model: model || about.model, text: text || about.text, precision: about.precision };
}

/** Pin the run that is on the screen: whatever is recorded next is compared with it. @param {State} state */
export function pin(state) {
  const recording = state.recording.get();
  if (!recording) return;
  state.pinModel.set(recording.about.model);
  state.pinText.set(recording.about.text);
}

/** Compare with another model, say an earlier checkpoint, whatever is read. @param {State} state @param {string} model */
export function pinModel(state, model) {
  state.pinModel.set(model);
  state.pinText.set("");
}

/** @param {State} state */
export function unpin(state) {
  state.pinModel.set("");
  state.pinText.set("");
}

/**
 * Keeps `state.pinned` in step with what is asked for. While it is being recorded, it is null.
 * @param {Page} page
 */
export function keepPinned({ state, api, actions }) {
  /** @type {AbortController | null} */
  let request = null;
  let asked = "";

  async function follow() {
    const recording = state.recording.get();
    if (recording?.growing) return; // compared when it is whole
    const wanted = recording && wantedPin(state, recording);
    const key = wanted ? JSON.stringify(wanted) : "";
    if (key === asked) return;
    asked = key;
    request?.abort();
    state.pinned.set(null);
    if (!recording || !wanted) return;
    const mine = new AbortController();
    request = mine;
    const { about } = recording;
    if (about.model === wanted.model && about.text === wanted.text) {
      state.pinned.set(recording);
      return;
    }
    try {
      const made = await api.record(wanted, mine.signal);
      if (mine.signal.aborted) return;
      const arrived = () => state.arrived.set(state.arrived.get() + 1);
      const bytes = state.about.get()?.limits.max_tab_bytes;
      const pinned = new Recording(made, api, arrived, bytes && bytes * SHARE);
      await pinned.load(pinned.overviewNames());
      if (!mine.signal.aborted) state.pinned.set(pinned);
    } catch (error) {
      if (mine.signal.aborted) return;
      asked = ""; // the next change asks again
      actions.report(error);
    }
  }

  for (const atom of [state.recording, state.pinModel, state.pinText]) atom.subscribe(follow);
  follow();
}
