// Below the text: what may come after the token at the cursor, and the ways on from there.

/** @import {Room, Shown} from './room.js' */

import { button, element, write } from "../dom.js";
import { label } from "../label.js";
import { factLines, percent } from "./facts.js";
import { textUpTo } from "./growing.js";
import { isWritable, ranking, remaining } from "./sampling.js";

/** So many candidates are shown. */
const MOST = 8;

/** @param {Room} room */
export function createAfterView(room) {
  const { state, actions, session } = room;
  const title = element("h2");
  const facts = element("p", {
    class: "note facts",
    title:
      "Of this token: what the model gave it before it came, how many are more probable (rank 1: none), surprise −ln p, and the entropy −Σ p ln p of all tokens it might have been",
  });
  const back = button("Go back to here", goBack, {
    id: "write-back",
    title: "Cut the text after this token",
  });
  const rows = Array.from({ length: MOST }, (_, n) => {
    const name = element("bdi");
    const bar = element("i");
    const score = element("span", { class: "score" });
    const track = element("span", { class: "bar", "aria-hidden": "true" }, bar);
    const take = button([name, track, score], () => branch(n));
    return { name, bar, score, take, node: element("li", {}, take), id: -1 };
  });
  const list = element("ol", { class: "candidates", "aria-label": "What may come next" });
  list.append(...rows.map(({ node }) => node));
  const note = element("p", { class: "note" });
  const head = element("div", { class: "after-head" }, title, back);
  const root = element(
    "section",
    { id: "write-after", "aria-label": "After this token" },
    head,
    facts,
    list,
    note,
  );

  /** The last token of its character. @param {Shown} shown */
  function place({ timestep, tokens, recording }) {
    let t = timestep;
    while (t + 1 < recording.timesteps && tokens[t + 1].start === tokens[t].start) t++;
    return t;
  }

  function goBack() {
    const shown = room.shown();
    if (!shown) return;
    const { recording, tokens } = shown;
    const { text } = recording.about;
    actions.recordText(textUpTo(text, tokens.slice(0, place(shown) + 1)));
  }

  /** @param {number} n */
  function branch(n) {
    const shown = room.shown();
    const { id } = rows[n];
    if (shown && id >= 0) session.start(room.options(), { after: place(shown), first: id });
  }

  /** @param {Shown} shown */
  function show(shown) {
    const { recording, tokens, split, timestep } = shown;
    const { predictions } = recording.about;
    const t = place(shown);
    write(title, `After “${label(tokens[t].text)}”, timestep ${t}`);
    const of = factLines(shown.facts(timestep), timestep).join(", ");
    write(facts, `“${label(tokens[t].text)}” itself: ${of}`);
    const busy = session.writing.get() !== null || room.isOffline();
    back.hidden = room.isOffline();
    back.disabled = busy || t >= recording.timesteps - 1;
    const row = recording.row("scores", t);
    const labels = predictions?.labels ?? [];
    const sound = row && !row.some(Number.isNaN) ? row : null;
    const options = room.options();
    const greedy = options.method === "greedy";
    const writable = (/** @type {number} */ id) => isWritable(labels[id], split);
    const left = sound && remaining(sound, greedy ? { t: 1, k: 1, p: 1 } : options, writable);
    const order = sound ? best(sound) : [];
    const came = predictions?.targets?.[t] ?? null;
    // What came is always among them.
    if (came !== null && order.length && !order.includes(came)) order[order.length - 1] = came;
    rows.forEach((one, n) => {
      const id = order[n];
      one.node.hidden = id === undefined;
      if (id === undefined || !sound || !left) return;
      one.id = id;
      write(one.name, label(labels[id]));
      one.bar.style.transform = `scaleX(${sound[id]})`;
      write(one.score, percent(sound[id]));
      const can = writable(id);
      const excluded = left[id] === 0;
      one.take.disabled = busy || !can;
      one.node.classList.toggle("out", excluded);
      one.node.classList.toggle("came", id === came);
      one.take.title = [
        `probability ${percent(sound[id])}`,
        excluded
          ? can
            ? greedy
              ? "greedy takes the most probable"
              : "left out by top-k or top-p"
            : "cannot be written as text that is read as the same token"
          : greedy
            ? "what greedy takes"
            : `drawn with ${percent(left[id])} after temperature, top-k and top-p`,
        id === came && "this is what came",
        can && !room.isOffline() && "Take it, and write on from there",
      ]
        .filter(Boolean)
        .join("\n");
    });
    const take = room.isOffline() ? "" : " Click one to write on from it.";
    const count = left ? left.reduce((sum, p) => sum + Number(p > 0), 0) : 0;
    write(
      note,
      sound
        ? greedy
          ? `Greedy takes the most probable.${take}`
          : `${count.toLocaleString("en")} of ${labels.length.toLocaleString("en")} can be drawn.${take}`
        : row
          ? "The probabilities are not numbers here."
          : "…",
    );
    if (!row) recording.want(["scores"], t, t + 1);
  }

  return {
    root,
    view: {
      name: "write after",
      calm: true,
      reads: [...room.reads, state.step, state.order],
      paint() {
        const shown = room.isOpen() ? room.shown() : null;
        root.hidden = room.obstacle() !== "";
        if (shown && !root.hidden) show(shown);
      },
    },
  };
}

/** The most probable ids, few of many. @param {import('../types.js').Numbers} row */
function best(row) {
  if (row.length <= 512) return ranking(row).slice(0, MOST);
  /** @type {number[]} */
  const ids = [];
  row.forEach((p, id) => {
    if (ids.length === MOST && p <= row[ids[MOST - 1]]) return;
    let at = ids.length;
    while (at && p > row[ids[at - 1]]) at--;
    ids.splice(at, 0, id);
    ids.length = Math.min(ids.length, MOST);
  });
  return ids;
}
