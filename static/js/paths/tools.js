// Above the picture: what is shown, how, and of which sentences.

/** @import {Cell, Quantity} from '../types.js' */
/** @import {Choices, Colouring} from './choices.js' */
/** @import {Paths} from './room.js' */

import { button, element, write } from "../dom.js";
import { alsoOf, cellName, cellsOf, whyNotShared, withCell } from "./choices.js";
import { createChooser } from "./chooser.js";
import { hasLabels } from "./source.js";

const ARROWS = { forward: "→", backward: "←" };

/** "0 →" @param {Cell} cell */
export const shortName = ({ layer, direction }) => `${layer} ${ARROWS[direction]}`;
/** @param {Cell} cell */
export const longName = ({ layer, direction }) => `layer ${layer} ${direction}`;

/**
 * Some buttons of which one or some are pressed.
 * @param {string} name
 * @param {boolean} [symbols]  letters of the equations
 */
function chipsOf(name, symbols = false) {
  const node = element("span", {
    class: symbols ? "chips" : "chips words",
    role: "group",
    "aria-label": name,
  });
  let built = "";
  return {
    node,
    /** @param {{key: string, text: string, title: string, pressed: boolean, disabled?: boolean, run: () => void}[]} list */
    show(list) {
      const key = list.map((one) => one.key).join();
      if (key !== built) {
        built = key;
        node.replaceChildren(
          ...list.map(({ key: value, text }) =>
            button(text, () => latest.get(value)?.(), { value }),
          ),
        );
      }
      list.forEach(({ key: value, title, pressed, disabled = false, run }, n) => {
        latest.set(value, run);
        const chip = /** @type {HTMLButtonElement} */ (node.children[n]);
        chip.setAttribute("aria-pressed", String(pressed));
        chip.setAttribute("aria-label", title.split("\n")[0]);
        chip.title = title;
        chip.disabled = disabled;
      });
    },
  };
}
/** What each chip does now. @type {Map<string, () => void>} */
const latest = new Map();

/** @param {Paths} paths */
export function createPathsTools(paths) {
  const { state } = paths;
  const quantities = chipsOf("Quantity", true);
  const cells = chipsOf("Layers and directions");
  const dims = chipsOf("Dimensions");
  const shows = chipsOf("What is drawn");
  const space = selectOf("Space", "space", {
    own: "per cell",
    shared: "for all",
  });
  const colour = selectOf("Points are coloured by", "colour", {
    path: "path",
    time: "timestep",
    label: "prediction",
  });
  const chooser = createChooser(paths);
  const back = button("↺", () => paths.turnBack(), {
    "aria-label": "Turn back",
    title: "The space as it was before it was turned",
  });
  const root = element(
    "div",
    { id: "paths-tools", role: "group", "aria-label": "Paths" },
    quantities.node,
    labelled("", cells.node),
    labelled("space", space),
    dims.node,
    back,
    labelled("colour", colour),
    shows.node,
    chooser.opener,
  );

  /** @param {string} name @param {keyof Choices} option @param {Record<string, string>} values */
  function selectOf(name, option, values) {
    const select = element(
      "select",
      { "aria-label": name },
      ...Object.entries(values).map(([value, text]) => element("option", { value }, text)),
    );
    select.addEventListener("change", () => paths.choose({ [option]: select.value }));
    return select;
  }

  /** @param {Choices} choices */
  function paintChips(choices) {
    const { rows } = paths;
    const all = state.quantities.get();
    quantities.show(
      all.map((/** @type {Quantity} */ { name, label, sentence }) => ({
        key: `of ${name}`,
        text: name,
        title: `${name}, ${label}\n${sentence}`,
        pressed: choices.of === name,
        run: () => paths.choose({ of: name }),
      })),
    );
    const shown = new Set(cellsOf(choices, rows).map(cellName));
    cells.show(
      rows.map((cell) => ({
        key: `cell ${cellName(cell)}`,
        text: shortName(cell),
        title: longName(cell),
        pressed: shown.has(cellName(cell)),
        run: () => paths.choose({ cells: withCell(paths.choices, paths.rows, cell) }),
      })),
    );
    for (const node of [cells.node, space])
      node.parentElement?.toggleAttribute("hidden", rows.length < 2);
    dims.show(
      [2, 3].map((value) => ({
        key: `dims ${value}`,
        text: `${value}-D`,
        title:
          value === 2
            ? "2-D: the plane of the first two principal components"
            : "3-D: the space of the first three; drag it, or turn it with the arrow keys",
        pressed: choices.dims === value,
        run: () => paths.choose({ dims: value }),
      })),
    );
    /** @param {"join" | "tokens"} option @param {string} text @param {string} title */
    const toggle = (option, text, title) => ({
      key: option,
      text,
      title,
      pressed: choices[option] === 1,
      run: () => paths.choose({ [option]: 1 - paths.choices[option] }),
    });
    shows.show([
      toggle("join", "lines", "Lines from timestep to timestep"),
      toggle("tokens", "tokens", "Tokens beside their points, as many as there is room for"),
    ]);
  }

  return {
    root,
    paint() {
      const { choices, recording } = paths;
      if (!recording) return;
      paintChips(choices);
      const why = whyNotShared(recording, cellsOf(choices, paths.rows), choices.of);
      space.value = why ? "own" : choices.space;
      /** @type {HTMLOptionElement} */ (space.options[1]).disabled = why !== "";
      space.title =
        why ||
        "Each cell has directions of its own, or all cells are looked at from the same side.";
      colour.value = choices.colour === "label" && !hasLabels(recording.about) ? "path" : choices.colour; // prettier-ignore
      /** @type {HTMLOptionElement} */ (colour.options[2]).hidden = !hasLabels(recording.about);
      write(colour.options[0], paths.several ? "sentence" : "cell");
      back.hidden = choices.dims < 3;
      chooser.paint(alsoOf(choices).length);
    },
  };
}

/** @param {string} words @param {HTMLElement} node */
const labelled = (words, node) => element("span", { class: "labelled" }, words, node);
