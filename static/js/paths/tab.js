// The tab "paths".

/** @import {Page} from '../page.js' */

import { byId } from "../dom.js";

/** @param {Page} page */
export function createPathsView({ state }) {
  const panel = byId("paths-view");
  return {
    name: "paths",
    reads: [state.tab],
    paint() {
      panel.hidden = state.tab.get() !== "paths";
    },
  };
}
