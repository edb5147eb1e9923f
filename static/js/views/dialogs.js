// What the panel for checkpoints and the form for fresh networks share.

/** @import {Actions} from '../actions.js' */
/** @import {Model} from '../types.js' */
/** @import {State} from '../state.js' */

import { button, byId, element } from "../dom.js";
import { linkOf, toFragment } from "../url.js";

/**
 * A dialog with a heading and a form, and its style sheet, which the first page does without.
 * @param {string} id
 * @param {string} [title]
 */
export function createDialog(id, title = "") {
  const form = element("form", { novalidate: true });
  const heading = element("h2", { id: `${id}-title` }, title);
  /** @type {HTMLDialogElement} */
  const dialog = element(
    "dialog",
    { id, class: "sheet", "aria-labelledby": `${id}-title` },
    heading,
    button("×", () => dialog.close(), { class: "close", "aria-label": "Close" }),
    form,
  );
  if (!document.querySelector('link[href="css/opening.css"]')) {
    document.head.append(element("link", { rel: "stylesheet", href: "css/opening.css" }));
  }
  document.body.append(dialog);
  return { dialog, heading, form };
}

/**
 * A model that was just made is in the list, and is the chosen one.
 * @param {Model} model
 * @param {State} state
 * @param {Actions} actions
 */
export function adopt(model, state, actions) {
  const others = state.models.get().filter(({ id }) => id !== model.id);
  state.models.set([...others, model]);
  actions.chooseModel(model.id, "");
  if (state.text.get()) return;
  // Nothing is recorded yet, but a reload should come back to it.
  history.pushState(null, "", toFragment(linkOf(state)));
  byId("text").focus();
}
