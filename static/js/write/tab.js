// The tab "write".

/** @import {Page} from '../page.js' */

import { byId } from "../dom.js";

/** @param {Page} page */
export function createWriteView({ state }) {
  const panel = byId("write-view");
  return {
    name: "write",
    reads: [state.tab],
    paint() {
      panel.hidden = state.tab.get() !== "write";
    },
  };
}
