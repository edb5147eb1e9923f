// What is said at the current timestep, in one line of numbers that can be read.

/** @import {Room} from './room.js' */

import { element, write } from "../dom.js";
import { fixed } from "../format.js";
import { label } from "../label.js";
import { selectedTimestep } from "../state.js";
import { percent } from "./cells.js";
import { MEASURES, idAt, measuresOf, probabilityAt } from "./measures.js";

/** Whether most labels are longer than a character: they get more room. @param {readonly string[]} labels */
function areWords(labels) {
  const some = labels.slice(0, 99);
  return some.filter((name) => name.length > 3).length > some.length / 2;
}

/** @param {Room} room */
export function createReadoutView(room) {
  const { state } = room;
  const where = element("b");
  const chips = Array.from({ length: 5 }, () => {
    const [name, p] = [element("bdi"), element("span")];
    const bar = element("i");
    const node = element("li", {}, bar, name, p);
    return { node, name, p, bar };
  });
  const list = element(
    "ol",
    { "aria-label": "Most probable labels here" },
    ...chips.map(({ node }) => node),
  );
  const numbers = element("span", { class: "predict-numbers" });
  const root = element("div", { id: "predict-readout" }, where, list, numbers);
  return {
    root,
    view: {
      name: "predict readout",
      calm: true,
      reads: [...room.reads, state.step, state.order, state.layer, state.direction],
      paint() {
        const shown = room.shown();
        root.hidden = !shown?.answers?.k;
        if (!shown?.answers || root.hidden) return;
        const { answers, about, recording } = shown;
        const t = selectedTimestep(state, recording);
        list.classList.toggle("wordy", areWords(about.labels));
        write(where, `after “${label(recording.about.tokens[t].text)}”`);
        const target = about.targets?.[t] ?? null;
        chips.forEach(({ node, name, p, bar }, n) => {
          const id = idAt(answers, t, n);
          node.hidden = id === null;
          if (id === null) return;
          write(name, label(about.labels[id]));
          write(p, percent(probabilityAt(answers, t, n)));
          bar.style.transform = `scaleX(${probabilityAt(answers, t, n)})`;
          node.classList.toggle("hit", id === target);
          node.title = id === target ? "this is what really came next" : "";
        });
        const came = target === null ? "" : `came next: ${label(about.labels[target])} · `;
        const parts = measuresOf(about.task)
          .filter((name) => !Number.isNaN(answers.of[name][t]))
          .map((name) => {
            const { decimals, unit } = MEASURES[name];
            return `${name} ${fixed(answers.of[name][t], decimals)}${unit && ` ${unit}`}`;
          });
        write(numbers, came + parts.join(" · "));
      },
    },
  };
}
