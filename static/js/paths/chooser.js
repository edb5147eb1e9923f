// The list of sentences that can be looked at together.

/** @import {Paths} from './room.js' */

import { button, element, write } from "../dom.js";
import { MOST, alsoOf } from "./choices.js";
import { pin, unpin } from "../pinned.js";
import { titleOf } from "./runs.js";
import { modelOf } from "../state.js";

/** Lines of a file that are offered. */
const OFFERED = 200;

/** @param {Paths} paths */
export function createChooser(paths) {
  const { state } = paths;
  const box = element("div", {
    id: "paths-sentences",
    popover: "auto",
    role: "dialog",
    "aria-label": "Sentences in the same space",
  });
  const opener = button("Sentences", () => {}, {
    id: "paths-sentences-button",
    popovertarget: "paths-sentences",
    title: "Put further sentences into the same space",
  });
  box.addEventListener("beforetoggle", (event) => {
    if (event.newState !== "open") return;
    fill();
    const { left, bottom } = opener.getBoundingClientRect();
    const room = innerWidth - 400;
    box.style.left = `${Math.max(12, Math.min(left, room))}px`;
    box.style.top = `${Math.min(bottom + 4, innerHeight - 300)}px`;
  });

  /** @param {string} name @param {string} text @param {boolean} isFull */
  function option(name, text, isFull) {
    const chosen = alsoOf(paths.choices);
    const checked = chosen.includes(name);
    const own = text === paths.recording?.about.text;
    const input = element("input", {
      type: "checkbox",
      checked: checked || own,
      disabled: own || (isFull && !checked),
    });
    input.addEventListener("change", () => {
      const now = alsoOf(paths.choices);
      const also = input.checked ? [...now, name] : now.filter((other) => other !== name);
      paths.choose({ also: also.join() });
      refresh();
    });
    const words = own ? [titleOf(text), element("small", {}, " on the screen")] : [titleOf(text)];
    return element("label", { title: text.slice(0, 400) }, input, element("bdi", {}, ...words));
  }

  /** What can be chosen depends on how many are. */
  function refresh() {
    const full = alsoOf(paths.choices).length >= MOST;
    for (const input of box.querySelectorAll("input")) if (!input.checked) input.disabled = full;
    write(count, countOf());
  }

  const count = element("span", { class: "note" });
  const countOf = () => `${alsoOf(paths.choices).length} of ${MOST} chosen`;

  function pinnedPart() {
    const pinned = state.pinModel.get() + state.pinText.get() !== "";
    const show = element("input", { type: "checkbox", checked: paths.choices.pin === 1 });
    show.addEventListener("change", () => paths.choose({ pin: show.checked ? 1 : 0 }));
    const again = (/** @type {() => void} */ run) => () => {
      run();
      fill();
    };
    return pinned
      ? [
          element("label", {}, show, "Show it here"),
          button(
            "Unpin",
            again(() => unpin(state)),
          ),
        ]
      : [
          button(
            "Pin this run",
            again(() => pin(state)),
            {
              title: "It stays while other sentences are recorded",
            },
          ),
        ];
  }

  function fill() {
    const { recording } = paths;
    if (!recording) return;
    const examples = modelOf(state, recording.about.model)?.examples ?? [];
    const uploaded = state.sentences.get();
    const isFull = alsoOf(paths.choices).length >= MOST;
    const list = (/** @type {string} */ kind, /** @type {string[]} */ texts) =>
      texts.map((text, n) => option(`${kind}${n}`, text, isFull));
    write(count, countOf());
    box.replaceChildren(
      element("h3", {}, "Pinned run"),
      element("div", { class: "paths-pinned" }, ...pinnedPart()),
      ...(examples.length ? [element("h3", {}, "Examples"), ...list("e", examples)] : []),
      element("h3", {}, uploaded ? titleOf(uploaded.name) : "From a file"),
      ...(uploaded
        ? list("f", uploaded.sentences.slice(0, OFFERED))
        : [element("p", { class: "note" }, "Upload a text file: each line is a sentence.")]),
      element(
        "p",
        { class: "paths-chosen" },
        count,
        " ",
        button("None", () => {
          paths.choose({ also: "" });
          fill();
        }),
      ),
    );
  }

  return {
    opener: element("span", {}, opener, box),
    /** @param {number} chosen */
    paint(chosen) {
      write(opener, chosen ? `Sentences · ${1 + chosen}` : "Sentences");
    },
  };
}
