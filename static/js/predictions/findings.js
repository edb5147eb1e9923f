// What the measures amount to, in a line, and the places worth going to.

/** @import {Room, Shown} from './room.js' */
/** @import {Answers} from './measures.js' */

import { button, element } from "../dom.js";
import { fixed, plural } from "../format.js";
import { label } from "../label.js";
import { whatHeadReads } from "../predictions.js";
import { percent } from "./cells.js";
import { extremes, flips, idAt, probabilityAt, summary } from "./measures.js";

const PLACES = 5;
const FLIPS = 12;

/** A place, and why one would go there. @typedef {{t: number, text: string, title: string}} Place */

/** @param {Room} room */
export function createFindingsView(room) {
  const root = element("div", { id: "predict-findings" });
  let built = "";
  return {
    root,
    view: {
      name: "predict findings",
      reads: room.reads,
      paint() {
        const shown = room.shown();
        root.hidden = !shown?.answers;
        if (!shown?.answers) return;
        const key = `${shown.recording.about.id} ${shown.layer}`;
        if (key === built) return;
        built = key;
        root.replaceChildren(
          element("p", { class: "predict-summary" }, ...sentences(shown, shown.answers)),
          ...lists(shown, shown.answers).map(({ name, places, more }) =>
            placeList(room, name, places, more),
          ),
        );
      },
    },
  };
}

/** @param {Shown} shown @param {Answers} answers */
function sentences(shown, answers) {
  const { about, recording, reads } = shown;
  const parts = [];
  const found = summary(answers);
  if (found) {
    const { count, mean, perplexity, first } = found;
    parts.push(
      `Over ${plural(count, "token")} whose next one is known: mean surprise ${fixed(mean, 3)} nats per token, perplexity ${fixed(perplexity, 2)} (e to that), ${percent(first)} of them the first guess.`,
    );
  } else if (about.targets)
    parts.push("No token has a next one that is known: nothing can be surprising.");
  if (about.task === "value")
    parts.push(
      `This head gives numbers, not probabilities: there is nothing to be surprised by.${about.labels.length > answers.numbers.length ? ` The first ${answers.numbers.length} of ${about.labels.length} are shown.` : ""}`,
    );
  if (about.task === "tag") {
    const sure = answers.of.margin.filter((value) => value >= 0.5).length;
    parts.push(
      `At ${sure} of ${plural(recording.timesteps, "token")} the first label leads the second by 0.5 or more.`,
    );
  }
  parts.push(whatHeadReads(recording, reads));
  return [parts.filter(Boolean).join(" ")];
}

/** @param {Shown} shown @param {Answers} answers */
function lists({ about, recording }, answers) {
  const { labels, targets, task } = about;
  const token = (/** @type {number} */ t) => label(recording.about.tokens[t]?.text ?? "");
  const name = (/** @type {number | null} */ id) => (id === null ? "–" : label(labels[id]));
  const said = (/** @type {number} */ t) => name(idAt(answers, t, 0));
  const { margin, surprise } = answers.of;
  /** @type {{name: string, places: Place[], more: number}[]} */
  const found = [];
  if (task === "classify") {
    const all = flips(answers);
    found.push({
      name: all.length ? "the class changes at" : "the class never changes",
      more: Math.max(0, all.length - FLIPS),
      places: all.slice(0, FLIPS).map((t) => ({
        t,
        text: `${token(t)}: ${said(t - 1)} → ${said(t)}`,
        title: `timestep ${t}, ${percent(probabilityAt(answers, t, 0))}`,
      })),
    });
  }
  if (targets)
    found.push({
      name: "most surprising",
      more: 0,
      places: extremes(surprise, 1, PLACES).map((t) => ({
        t,
        text: `${token(t)} → ${name(targets[t])} ${fixed(surprise[t], 2)}`,
        title: `timestep ${t}: after “${token(t)}” the head expected “${said(t)}”; surprise in nats`,
      })),
    });
  if (task !== "value")
    found.push({
      name: "least certain",
      more: 0,
      places: extremes(margin, -1, PLACES).map((t) => ({
        t,
        text: `${token(t)} ${fixed(margin[t], 3)}`,
        title: `timestep ${t}: ${said(t)} leads ${name(idAt(answers, t, 1))} by this margin`,
      })),
    });
  return found;
}

/** @param {Room} room @param {string} name @param {Place[]} places @param {number} more */
function placeList({ actions }, name, places, more) {
  return element(
    "p",
    { class: "predict-places" },
    element("span", {}, `${name} `),
    ...places.map(({ t, text, title }) =>
      button([element("bdi", {}, text)], () => actions.selectTimestep(t), {
        title: `Go to ${title}`,
        "data-t": t,
      }),
    ),
    more ? element("span", {}, `and ${more} more`) : "",
  );
}
