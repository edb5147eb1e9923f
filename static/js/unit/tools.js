// Above the sentence: what it is coloured by and what the colours mean, and the buttons that flip.

/** @import {ColourScale, Quantity} from '../types.js' */
/** @import {Unit} from './tab.js' */

import { LEVELS } from "../colour.js";
import { button, element, write } from "../dom.js";
import { css } from "./readable.js";
import { tickText } from "./picture.js";

const SCALES = { fixed: "fixed", layer: "of the layer", row: "of this unit" };

/** @param {Unit} unit */
export function createUnitToolsView(unit) {
  const { state, actions, colouring } = unit;
  const chips = element("span", {
    class: "chips",
    role: "group",
    "aria-label": "The sentence is coloured by",
  });
  const [low, high] = [element("span"), element("span")];
  const ramp = element("i", { class: "ramp" });
  const select = element(
    "select",
    {
      "aria-label": "Colour scale",
      title:
        "Fixed: colours mean the same in every sentence. Of the layer, of this unit: the ends are what was recorded there.",
    },
    ...Object.entries(SCALES).map(([value, text]) => element("option", { value }, text)),
  );
  select.addEventListener("change", () =>
    state.scale.set(/** @type {ColourScale} */ (select.value)),
  );
  const flip = (/** @type {number} */ by) => () => actions.stepUnit(by);
  const count = element("span");
  const root = element(
    "div",
    { id: "unit-tools" },
    element("span", {}, "coloured by"),
    chips,
    element("span", { class: "ends" }, low, ramp, high),
    element("label", {}, "scale ", select),
    element(
      "span",
      { class: "flip" },
      button("‹", flip(-1), { "aria-label": "Flip to the previous unit", title: "Key [" }),
      count,
      button("›", flip(1), { "aria-label": "Flip to the next unit", title: "Key ]" }),
    ),
  );
  let offered = "";

  /** @param {Quantity} quantity */
  const chip = ({ name, label, sentence }) =>
    button(name, () => colouring.by.set(name), {
      "aria-label": `${name}, ${label}`,
      title: `${label}\n${sentence}`,
      value: name,
    });

  return {
    root,
    view: {
      name: "unit tools",
      reads: [...unit.reads, ...colouring.reads],
      paint() {
        const shown = unit.shown();
        if (!shown) return;
        const { quantity, table, low: least, high: most } = colouring.of(shown);
        write(low, tickText(least));
        write(high, tickText(most));
        const units = shown.recording.layers[shown.cell.layer].hidden_size;
        write(count, `unit ${shown.unit} of ${units}`);
        if (offered === colouring.key()) return;
        offered = colouring.key();
        select.value = state.scale.get();
        const all = state.quantities.get();
        if (chips.childElementCount !== all.length) chips.replaceChildren(...all.map(chip));
        all.forEach(({ name }, n) =>
          chips.children[n].setAttribute("aria-pressed", String(name === quantity.name)),
        );
        const stops = [0, 1, 2, 3, 4].map((n) => css(table[Math.round((n / 4) * (LEVELS - 1))]));
        ramp.style.background = `linear-gradient(90deg, ${stops.join(", ")})`;
      },
    },
  };
}
