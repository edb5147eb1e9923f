// The tab "Write on": a language model continues the text, token by token; the whole page follows.

/** @import {Page} from '../page.js' */

import { button, element } from "../dom.js";
import { label } from "../label.js";
import { obstacle } from "./able.js";
import { createAfterView } from "./after.js";
import { createBranchesView } from "./branch-list.js";
import { createWriteFigure } from "./figure.js";
import { createRoom } from "./room.js";
import { createTextView } from "./text-view.js";
import { createToolsView } from "./tools.js";

/** Models that can write are named where another one cannot. */
const MOST_MODELS = 3;

/** @param {Page} page */
export function createWriteView(page) {
  const room = createRoom(page);
  const { state, actions } = page;
  const tools = createToolsView(room);
  const text = createTextView(room, tools.progress);
  const after = createAfterView(room);
  const branches = createBranchesView(room);
  const below = element("div", { id: "write-below" }, after.root, branches.root);
  const instead = element("div", { class: "note", id: "write-instead" });
  const offline = element(
    "p",
    { class: "note" },
    "Writing on needs Gatescope itself: this is a session that was saved from it.",
  );
  room.panel.append(tools.root, offline, instead, text.root, below);
  for (const { view } of [tools, text, after, branches]) page.frames.add(view);
  page.figures.set("write", createWriteFigure(room));
  let said = "";

  /** @param {string} why */
  function sayWhy(why) {
    const others = state.models
      .get()
      .filter((model) => !obstacle(model) && !model.checkpoint_of)
      .slice(0, MOST_MODELS);
    instead.replaceChildren(
      element("strong", {}, "This model cannot write on."),
      element("p", {}, why),
      ...(others.length && !room.isOffline()
        ? [
            element("p", {}, others.length > 1 ? "These can:" : "This one can:"),
            ...others.map((model) =>
              button(label(model.title), () => actions.chooseModel(model.id)),
            ),
          ]
        : []),
    );
  }

  return {
    name: "write",
    reads: room.reads,
    paint() {
      room.panel.hidden = !room.isOpen();
      if (room.panel.hidden) return;
      const why = room.obstacle();
      instead.hidden = !why;
      below.hidden = why !== "";
      offline.hidden = why !== "" || !room.isOffline();
      const key = `${why} ${state.models.get().length}`;
      if (why && key !== said) sayWhy(why);
      said = key;
    },
  };
}
