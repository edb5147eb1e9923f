// That a run is pinned, and which: a letter on the tab, to be seen from every other one.

/** @import {State} from '../state.js' */

import { byId, element, loadStyles } from "../dom.js";
import { modelWords, shortText } from "./run-words.js";

/** @param {State} state */
export function createBadgeView(state) {
  loadStyles("css/compare.css");
  const tab = byId("tab-compare");
  const badge = element("span", { class: "pin-badge" }, "A");
  tab.append(badge);
  return {
    name: "pin badge",
    reads: [state.pinModel, state.pinText, state.models],
    paint() {
      const [model, text] = [state.pinModel.get(), state.pinText.get()];
      const pinned = model !== "" || text !== "";
      badge.hidden = !pinned;
      const words = pinned
        ? [
            text ? `“${shortText(text)}”` : "the text that is shown",
            model && modelWords(state, model),
          ]
        : [];
      const says = words.filter(Boolean).join(", ");
      tab.title = pinned ? `Pinned run A: ${says}` : "";
      badge.setAttribute("aria-label", pinned ? `A, pinned: ${says}` : "");
      badge.setAttribute("role", "img");
    },
  };
}
