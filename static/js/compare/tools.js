// Above the pictures: what is compared with what, chosen and said in words.

/** @import {Cell} from '../types.js' */
/** @import {Pair, Side} from './sides.js' */
/** @import {Room} from './room.js' */

import { button, element, write } from "../dom.js";
import { fixed, plural } from "../format.js";
import { selectedCell } from "../state.js";
import { partingOf } from "./alignment.js";
import { problemWords, timestepNoun } from "./run-words.js";
import { areQuantities, arrayName, cellWords, readName } from "./sides.js";

/** @param {Room} room */
export function createToolsView(room) {
  const { state, actions } = room;
  const chips = element("span", { class: "chips", role: "group", "aria-label": "Quantity" });
  const cell = element("select", { "aria-label": "This side: layer and direction" });
  const run = element(
    "select",
    { "aria-label": "Against: which run" },
    element("option", { value: "pinned" }, "A, the pinned run"),
    element("option", { value: "this" }, "this run"),
  );
  const otherCell = element("select", { "aria-label": "Against: layer and direction" });
  const otherQuantity = element("select", { "aria-label": "Against: quantity" });
  const sentence = element("p", { class: "compare-sentence" });
  const note = element("p", { class: "note compare-note", role: "status" });
  const against = element(
    "span",
    { class: "against" },
    element("b", {}, "against"),
    run,
    otherCell,
    otherQuantity,
  );
  const line = element("div", { class: "compare-line" }, chips, cell, against);
  const root = element("div", { id: "compare-tools" }, line, sentence, note);
  let offered = "";

  cell.addEventListener("change", () => actions.selectCell(readName(`${cell.value}.h`).cell));
  run.addEventListener("change", () => room.choose({ run: run.value, with: "" }));
  const chooseOther = () =>
    room.choose({ with: arrayName(readName(`${otherCell.value}.h`).cell, otherQuantity.value) });
  for (const node of [otherCell, otherQuantity]) node.addEventListener("change", chooseOther);

  /** @param {Cell[]} cells */
  const cellOptions = (cells) =>
    cells.map((of) => element("option", { value: `${of.layer}.${of.direction}` }, cellWords(of)));

  /** The quantity of this side; the other side follows where it had the same. @param {string} of */
  function chooseQuantity(of) {
    const { with: name, of: before } = room.options();
    const other = name && readName(name);
    const follows = other && other.quantity === before;
    room.choose({ of, with: follows ? arrayName(other.cell, of) : name });
  }

  /** What can be chosen, made again only when it is other. @param {Pair | null} pair */
  function offer(pair) {
    const recording = state.recording.get();
    if (!recording) return;
    const others = pair?.other.recording ?? recording;
    const quantities = state.quantities.get();
    const key = JSON.stringify([recording.rows, others.rows, quantities.length]);
    if (key === offered) return;
    offered = key;
    cell.replaceChildren(...cellOptions(recording.rows));
    otherCell.replaceChildren(...cellOptions(others.rows));
    otherQuantity.replaceChildren(
      ...quantities.map(({ name, label: words }) =>
        element("option", { value: name }, `${name} ${words}`),
      ),
    );
    chips.replaceChildren(
      ...quantities.map(({ name, label: words, sentence: says }) =>
        button(name, () => chooseQuantity(name), {
          value: name,
          "aria-label": `${name}, ${words}`,
          title: `${words}\n${says}`,
        }),
      ),
    );
  }

  /** @param {Pair | null} pair */
  function show(pair) {
    const { layer, direction } = selectedCell(state);
    const { of } = room.options();
    cell.value = `${layer}.${direction}`;
    for (const chip of chips.children)
      chip.setAttribute("aria-pressed", String(chip.getAttribute("value") === of));
    run.hidden = !state.pinned.get();
    run.value = pair?.crosses ? "pinned" : "this";
    against.hidden = !pair;
    if (!pair) return;
    otherCell.value = `${pair.other.cell.layer}.${pair.other.cell.direction}`;
    otherQuantity.value = pair.other.quantity;
  }

  /** "the hidden state h of layer 1 forward" @param {Side} side */
  function sideWords({ quantity, cell: of }) {
    const words = state.quantities.get().find(({ name }) => name === quantity)?.label ?? "";
    return [`${words} `, element("i", { class: "symbol" }, quantity), ` of ${cellWords(of)}`];
  }

  /** @param {Pair} pair */
  function say(pair) {
    const { one, other, crosses } = pair;
    const first = sideWords(one);
    if (!crosses) {
      sentence.replaceChildren(
        "The ",
        ...first,
        " beside the ",
        ...sideWords(other),
        ", at the same timesteps of this sentence.",
        ...resultWords(pair),
      );
      return;
    }
    const sameArray = one.name === other.name;
    sentence.replaceChildren(
      "The ",
      ...first,
      " in ",
      element("b", {}, "B"),
      ", this run, against ",
      ...(sameArray ? ["the same"] : ["the ", ...sideWords(other)]),
      " in ",
      element("b", {}, "A"),
      `, the pinned run.${textWords()}`,
      ...resultWords(pair),
    );
  }

  /** What came out, in short: the numbers below have more. @param {Pair} pair */
  function resultWords(pair) {
    const found = room.pairSimilarity(pair).value?.cka[0]?.[0] ?? null;
    const words = found === null ? [] : [" CKA ", element("b", {}, fixed(found, 3)), "."];
    const known = pair.crosses ? room.known() : null;
    const parting = known && partingOf(known.comparison);
    if (parting)
      words.push(" They part at timestep ", element("b", {}, String(parting.timestep)), ".");
    return words;
  }

  /** What became of the text. */
  function textWords() {
    const known = room.known();
    if (!known) return "";
    const { changed } = known.alignment;
    const noun = timestepNoun(state);
    return changed ? ` ${plural(changed, noun)} changed.` : ` Both read the same ${noun}s.`;
  }

  /** What stands in the way of a comparison. @param {Pair | null} pair */
  function obstacle(pair) {
    if (room.isOffline)
      return "Comparing needs Gatescope itself: this is a session that was saved from it.";
    if (!pair && room.awaitsPin()) {
      const failed = state.status.get().kind === "problem";
      return failed
        ? "The pinned run could not be recorded."
        : "The pinned run is being recorded …";
    }
    if (!pair) return "";
    const { problem } = room.comparison(pair);
    if (problem) return problemWords(problem);
    const { one, other } = pair;
    if (one.width !== other.width) {
      const [a, b] = [one, other].map(
        ({ quantity, cell: of }) => `${quantity} of ${cellWords(of)}`,
      );
      return `${a} has ${plural(one.width, "unit")}, ${b} has ${other.width}: cosine, distance and difference need equal widths; CKA, norms and best-matching units do not.`;
    }
    if (areQuantities(pair) && one.recording.rows.length === 1) {
      return (
        "This network has one layer that reads in one direction: here are two of its quantities. " +
        "To compare it with more, pin this run and change the sentence, or choose another model to read the same text."
      );
    }
    return "";
  }

  return {
    root,
    view: {
      name: "compare",
      reads: [...room.reads, state.models, state.status],
      paint() {
        if (!state.recording.get()) return;
        const pair = room.pair();
        line.hidden = room.isOffline;
        offer(pair);
        show(pair);
        sentence.hidden = !pair;
        if (pair) say(pair);
        const words = obstacle(pair);
        write(note, words);
        note.hidden = !words;
      },
    },
  };
}
