// What stands at the right of the top line: how true the numbers are, and the link to this screen.

/** @import {Readable} from '../types.js' */
/** @import {State} from '../state.js' */

import { byId } from "../dom.js";
import { tiny } from "../format.js";
import { linkOf, toFragment } from "../url.js";

/**
 * The badge: how close this recording is to nn.LSTM.
 * @param {State} state
 */
export function createParityView(state) {
  const badge = byId("parity");
  return {
    name: "parity",
    reads: /** @type {Readable<any>[]} */ ([state.recording]),
    paint() {
      const recording = state.recording.get();
      badge.hidden = !recording;
      if (!recording) return;
      const { parity, not_finite: notFinite, lstm } = recording.about;
      const other = lstm.modules.every(({ kind }) => kind === "LSTM") ? "nn.LSTM" : "PyTorch";
      const difference = parity.difference === null ? "" : tiny(parity.difference);
      badge.classList.toggle("off", !parity.ok || notFinite !== null);
      badge.textContent = !parity.ok
        ? `≠ ${other} ${difference}`
        : notFinite
          ? `NaN or ∞, as in ${other}`
          : `= ${other} ✓ ${difference}`;
      badge.title = "Largest difference between what you see and PyTorch's own result";
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
