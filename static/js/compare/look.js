// How the pictures look: the order of the units and the ends of the colours, as in the tab "states".

/** @import {ColourScale} from '../types.js' */
/** @import {Room} from './room.js' */

import { element } from "../dom.js";
import { SORTS, choice } from "../views/states-tools.js";

const SCALES = { fixed: "fixed", layer: "as recorded" };

/** @param {Room} room */
export function createLook(room) {
  const { state } = room;
  const sort = choice(state.sort, SORTS, {
    "aria-label": "Order of the units",
    title: "Both sides stand in the order of this side’s units, where they have as many",
  });
  sort.addEventListener("change", () => state.sortOf.set(room.options().of));
  const scale = element(
    "select",
    {
      "aria-label": "Colour scale",
      title:
        "Fixed: colours mean the same in every sentence. As recorded: the ends hold what both sides have",
    },
    ...Object.entries(SCALES).map(([value, words]) => element("option", { value }, words)),
  );
  scale.addEventListener("change", () => state.scale.set(/** @type {ColourScale} */ (scale.value)));
  return {
    root: element(
      "span",
      { class: "look" },
      element("label", {}, "units by ", sort),
      element("label", {}, "scale ", scale),
    ),
    show() {
      sort.value = state.sort.get();
      // The ends of single units are not shared by two sides.
      scale.value = state.scale.get() === "fixed" ? "fixed" : "layer";
    },
    reads: [state.sort, state.scale],
  };
}
