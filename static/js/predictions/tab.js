// The tab "predictions".

/** @import {Page} from '../page.js' */

import { byId } from "../dom.js";

/** @param {Page} page */
export function createPredictionsTab({ state }) {
  const panel = byId("predictions-view");
  return {
    name: "predictions",
    reads: [state.tab],
    paint() {
      panel.hidden = state.tab.get() !== "predictions";
    },
  };
}
