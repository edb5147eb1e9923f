// What was written in this session, as a tree: each text below the one it parts from.

/** @import {Room} from './room.js' */
/** @import {Branch} from './branches.js' */

import { button, element } from "../dom.js";
import { plural } from "../format.js";
import { label } from "../label.js";
import { parting, tree } from "./branches.js";
import { inWords } from "./options.js";

/** Deeper branches stand no further to the right. */
const DEEPEST = 5;
/** Characters before and after where a branch parts. */
const SHOWN = { before: 14, after: 40 };

/** @param {Room} room */
export function createBranchesView(room) {
  const { state, actions, session } = room;
  const list = element("ul");
  const root = element(
    "section",
    { id: "write-branches", "aria-label": "Written in this session" },
    element("h2", {}, "Written here"),
    list,
  );
  let built = "";

  /** @param {Branch} branch @param {number} depth @param {boolean} current */
  function line(branch, depth, current) {
    const { before, after } = parting(branch, SHOWN);
    const words = [inWords(branch.options), plural(branch.facts.length, "token")];
    if (branch.first) words.unshift(`“${label(branch.first)}” taken`);
    const node = button(
      [
        element(
          "span",
          { class: "words" },
          element("bdi", { class: "before" }, shown(before)),
          element("bdi", {}, shown(after)),
        ),
        element("small", {}, words.join(" · ")),
      ],
      () => actions.recordText(branch.text),
      { "aria-current": current && "true", title: "Go to this text" },
    );
    const item = element("li", {}, node);
    item.style.setProperty("--depth", String(Math.min(depth, DEEPEST)));
    return item;
  }

  return {
    root,
    view: {
      name: "write branches",
      calm: true,
      reads: room.reads,
      paint() {
        if (!room.isOpen()) return;
        const recording = state.recording.get();
        const all = session.branches.get();
        const lines = recording ? tree(all, recording.about.model) : [];
        root.hidden = !lines.length || room.obstacle() !== "";
        const text = recording?.growing ? "" : (recording?.about.text ?? "");
        const key = `${lines.map(({ branch }) => branch.id)} ${text}`;
        if (key === built) return;
        built = key;
        list.replaceChildren(
          ...lines.map(({ branch, depth }) => line(branch, depth, branch.text === text)),
        );
      },
    },
  };
}

/** Spaces stay, line ends are seen. @param {string} text */
const shown = (text) => text.replace(/\S+|\n/g, (part) => label(part));
