// The help sheet: what is on the screen, and the keys.

import { byId, element } from "../dom.js";

const WHAT = [
  "One column is one timestep: a token, what the model predicts there, and its cell in every layer and direction. The input is at the bottom, the highest layer at the top, as in the textbooks.",
  "A cell's picture is its hidden state h, a square for each unit: blue is negative, orange positive. What is pale has not been read yet at this step.",
  "→ rows read the sentence from left to right, ← rows from right to left. Both are drawn in sentence order; “processing order” plays them as they are computed, layer by layer.",
  "Below are the six quantities of the selected row, units from top to bottom. At the right is one unit of the current cell with its real numbers.",
];

/**
 * @param {{shown: string, does: string}[]} keys
 */
export function createHelp(keys) {
  const dialog = /** @type {HTMLDialogElement} */ (byId("help"));
  const rows = keys
    .filter(({ shown }) => shown)
    .flatMap(({ shown, does }) => [
      element("dt", {}, element("kbd", {}, shown)),
      element("dd", {}, does),
    ]);
  const close = element("button", { type: "button", class: "close", "aria-label": "Close" }, "×");
  close.addEventListener("click", () => dialog.close());
  dialog.append(
    close,
    element("h2", { id: "help-title" }, "What you see"),
    ...WHAT.map((text) => element("p", {}, text)),
    element("h2", {}, "Keys"),
    element("dl", {}, ...rows),
  );
  // A click beside the sheet closes it.
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  return () => (dialog.open ? dialog.close() : dialog.showModal());
}
