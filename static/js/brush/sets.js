// Selections with names: kept in the link, and selected again with a click.

/** @import {NamedSet} from './brush.js' */
/** @import {Page} from '../page.js' */
/** @import {Cell} from '../types.js' */
/** @import {Part} from './panel.js' */

import { LONGEST_NAME, brushOf, freeName, setsOf } from "./brush.js";
import { button, element } from "../dom.js";
import { plural } from "../format.js";
import { label } from "../label.js";

const ARROW = { forward: "→", backward: "←" };

/** @param {Page} page @returns {Part} */
export function createSets({ state, actions }) {
  const { brush } = actions;
  const name = element("input", {
    type: "text",
    maxlength: LONGEST_NAME,
    autocomplete: "off",
    "aria-label": "Name of the set",
  });
  const keep = element("button", { type: "submit" }, "Keep");
  const form = element("form", { class: "line" }, name, keep);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (brush.keep(name.value) !== null) name.value = "";
  });
  const list = element("ul", { class: "sets" });
  const none = element("p", { class: "note" }, "Keep what is selected under a name.");
  const node = element("div", {}, element("h3", {}, "Sets"), list, none, form);
  let built = "";

  /** @param {NamedSet} set */
  function row(set) {
    const { cells } = set;
    const own = label(set.name);
    const where = cells.map(
      ({ layer, direction, units }) =>
        `layer ${layer} ${ARROW[direction]} ${plural(units.length, "unit")}`,
    );
    const pick = [
      element("bdi", {}, own),
      element("small", {}, where.join(", ") || "not in this network"),
    ];
    const small = (
      /** @type {string} */ sign,
      /** @type {string} */ does,
      /** @type {() => void} */ run,
    ) => button(sign, run, { "aria-label": does, title: does });
    const item = element(
      "li",
      {},
      button(pick, () => use(set), { class: "pick", title: "Select these units" }),
      small("+", `Add ${own} to the selection`, () => brush.use(set.name, "add")),
      small("−", `Take ${own} out of the selection`, () => brush.use(set.name, "subtract")),
      small("✎", `Rename ${own}`, () => rename(set, item)),
      small("×", `Remove ${own}`, () => brush.remove(set.name)),
    );
    return item;
  }

  /** Its units are seen where they are. @param {NamedSet} set */
  function use({ name: own, cells }) {
    brush.use(own);
    if (cells.length && !cells.some(isSelected)) actions.selectCell(cells[0]);
  }

  /** @param {Cell} cell */
  const isSelected = ({ layer, direction }) =>
    layer === state.layer.get() && direction === state.direction.get();

  /** @param {NamedSet} set @param {HTMLElement} item */
  function rename(set, item) {
    const field = element("input", { type: "text", value: set.name, "aria-label": "New name" });
    field.maxLength = LONGEST_NAME;
    let to = "";
    field.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== "Escape") return;
      event.preventDefault();
      if (event.key === "Enter") to = field.value;
      field.blur();
    });
    // What cannot be its name leaves it as it was.
    field.addEventListener("blur", () => {
      built = "";
      brush.rename(set.name, to || set.name);
      paintList();
    });
    item.replaceChildren(field);
    field.select();
  }

  function paintList() {
    const key = `${state.sets.get()} ${state.recording.get()?.about.id}`;
    if (key !== built) list.replaceChildren(...setsOf(state).map(row));
    built = key;
  }

  return {
    node,
    reads: [],
    paint(_, open) {
      if (!open) return;
      const sets = setsOf(state);
      none.hidden = sets.length > 0;
      keep.disabled = !brushOf(state).length;
      name.placeholder = freeName(sets);
      paintList();
    },
  };
}
