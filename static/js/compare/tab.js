// The tab "compare".

/** @import {Page} from '../page.js' */

import { byId } from "../dom.js";

/** @param {Page} page */
export function createCompareView({ state }) {
  const panel = byId("compare-view");
  return {
    name: "compare",
    reads: [state.tab],
    paint() {
      panel.hidden = state.tab.get() !== "compare";
    },
  };
}
