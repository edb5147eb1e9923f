// A server opened to a network asks for its token, once.

import { byId, element } from "../dom.js";

/**
 * Ask until the server takes the token.
 * @param {(token: string) => Promise<unknown>} signIn
 */
export function askForToken(signIn) {
  const dialog = /** @type {HTMLDialogElement} */ (byId("sign-in"));
  const input = element("input", {
    type: "password",
    autocomplete: "current-password",
    "aria-label": "Token",
    required: true,
  });
  const wrong = element("p", { role: "alert" });
  const form = element(
    "form",
    {},
    input,
    " ",
    element("button", { class: "primary", type: "submit" }, "Open"),
  );
  dialog.replaceChildren(
    element("h2", { id: "sign-in-title" }, "This server asks for its token"),
    element("p", {}, "It printed a link with the token when it started."),
    form,
    wrong,
  );
  dialog.addEventListener("cancel", (event) => event.preventDefault());
  dialog.showModal();
  return /** @type {Promise<void>} */ (
    new Promise((resolve) => {
      form.addEventListener("submit", async (event) => {
        event.preventDefault();
        try {
          await signIn(input.value);
          dialog.close();
          resolve();
        } catch (error) {
          wrong.textContent = error instanceof Error ? error.message : String(error);
          input.select();
        }
      });
    })
  );
}
