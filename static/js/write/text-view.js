// The text, token by token: what the model wrote on the colour of how probable it was. A click goes to
// a token.

/** @import {Token} from '../types.js' */
/** @import {Room, Shown} from './room.js' */

import { LEVELS, level } from "../colour.js";
import { button, element, write } from "../dom.js";
import { plural } from "../format.js";
import { label, running } from "../label.js";
import { css } from "../unit/readable.js";
import { factLines, strength } from "./facts.js";

/** A book is not laid out for its last page: so many tokens from the end can be clicked. */
const MOST = 2000;

/** @param {Room} room @param {HTMLElement} progress  how far the writing is */
export function createTextView(room, progress) {
  const { state, actions, tooltip } = room;
  const earlier = element("span", { class: "earlier" });
  const typed = element("span", { class: "typed" });
  const text = element("div", { class: "write-text", dir: "auto" }, earlier, typed);
  const box = element(
    "div",
    { id: "write-text", role: "group", tabindex: 0, "aria-label": "The text" },
    text,
  );
  const low = element("span");
  const high = element("span");
  const ramp = element("i", { class: "ramp" });
  const chips = ["probability", "rank"].map((name) =>
    button(name, () => room.choose({ by: name }), {
      value: name,
      title:
        name === "rank"
          ? "1 is the most probable of all tokens; the colours are even on a logarithmic scale"
          : "What the model gave the token that came, before temperature, top-k and top-p",
    }),
  );
  const legend = element(
    "div",
    { class: "write-legend" },
    element("span", {}, "coloured by"),
    element(
      "span",
      { class: "chips", role: "group", "aria-label": "The text is coloured by" },
      ...chips,
    ),
    element("span", { class: "ends" }, low, ramp, high),
    progress,
  );
  const root = element("div", {}, legend, box);

  /** What stands in the box: pieces with one or, of bytes, several tokens. @type {Piece[]} */
  let pieces = [];
  let built = { text: "", first: 0, count: 0, start: -1, model: "" };
  let coloured = "";
  /** @type {HTMLElement | null} */
  let marked = null;

  box.addEventListener("click", (event) => {
    const piece = pieceAt(event.target);
    if (piece) actions.selectTimestep(piece.last);
  });
  box.addEventListener("pointermove", (event) => {
    const piece = pieceAt(event.target);
    const shown = room.shown();
    if (!piece || !shown) return tooltip.hide();
    tooltip.show(event, [
      `“${label(piece.shown)}” · timestep ${piece.last}`,
      ...(piece.last >= shown.start ? factLines(factsOf(shown, piece), piece.last) : ["typed"]),
    ]);
  });
  box.addEventListener("pointerleave", () => tooltip.hide());

  /** @param {EventTarget | null} target */
  function pieceAt(target) {
    const node = target instanceof HTMLElement ? target.closest("[data-t]") : null;
    return node && pieces[Number(/** @type {HTMLElement} */ (node).dataset.n)];
  }

  /** @param {Shown} shown */
  function build(shown) {
    const { tokens, text: all, start, recording } = shown;
    const { model } = recording.about;
    const goesOn =
      built.model === model &&
      built.start === start &&
      tokens.length >= built.count &&
      tokens.length - built.first <= 2 * MOST &&
      all.startsWith(built.text) &&
      built.count > 0;
    if (goesOn && tokens.length === built.count && all.length === built.text.length) return;
    if (!goesOn) {
      pieces = [];
      coloured = "";
      marked = null;
      text.replaceChildren(earlier);
      const first = Math.max(0, tokens.length - MOST);
      write(earlier, first ? `${plural(first, "earlier token")} … ` : "");
      built = { text: "", first, count: first, start, model };
    }
    // Bytes of one character come one by one: the last character is put together again.
    const last = pieces.at(-1);
    if (goesOn && last && tokens[built.count]?.start === last.from) {
      last.node.remove();
      pieces.pop();
      built.count = last.first;
    }
    append(shown);
    built = { ...built, text: all, count: tokens.length };
  }

  /** @param {Shown} shown  from `built.count` on */
  function append({ tokens, text: all, start }) {
    const characters = [...all];
    const slice = (/** @type {number} */ from, /** @type {number} */ to) =>
      characters.slice(from, to).join("");
    let at = built.count ? tokens[built.count - 1].end : 0;
    for (let t = built.count; t < tokens.length; t++) {
      const token = tokens[t];
      let end = t;
      while (end + 1 < tokens.length && samePlace(tokens[end + 1], token)) end++;
      if (token.start > at) text.append(running(slice(at, token.start)));
      const shown = slice(token.start, token.end) || token.text;
      const node = element("span", { "data-t": end, "data-n": pieces.length });
      node.textContent = running(shown).replaceAll("\n", "⏎\n") || label(token.text);
      if (end < start) node.className = "typed";
      text.append(node);
      pieces.push({ node, first: t, last: end, from: token.start, shown });
      at = token.end;
      t = end;
    }
  }

  /** @param {Shown} shown */
  function colour(shown) {
    const { by } = room.options();
    const table = room.table();
    const labels = shown.recording.about.predictions?.labels.length ?? 2;
    const key = [by, table[0], table[LEVELS - 1], shown.start].join();
    const from = key === coloured ? pieces.findIndex(({ node }) => !node.dataset.known) : 0;
    coloured = key;
    if (from < 0) return;
    for (const piece of pieces.slice(from)) {
      const { node } = piece;
      const facts = piece.last < shown.start ? null : factsOf(shown, piece);
      // What is not known now may come; what was typed has no colour.
      if (facts || piece.last < shown.start) node.dataset.known = "1";
      node.style.background = facts ? css(table[level(strength(facts, by, labels), 0, 1)]) : "";
    }
    const stops = [0, 1, 2, 3, 4].map((n) => css(table[Math.round((n / 4) * (LEVELS - 1))]));
    ramp.style.background = `linear-gradient(90deg, ${stops.join(", ")})`;
    for (const chip of chips) chip.setAttribute("aria-pressed", String(chip.value === by));
    write(low, by === "rank" ? labels.toLocaleString("en") : "0");
    write(high, "1");
  }

  /** @param {Shown} shown */
  function mark({ timestep, recording, tokens }) {
    const t = recording.timesteps < tokens.length ? tokens.length - 1 : timestep;
    let [a, b] = [0, pieces.length - 1];
    while (a < b) {
      const middle = (a + b) >> 1;
      if (pieces[middle].last < t) a = middle + 1;
      else b = middle;
    }
    const node = pieces[a]?.last >= t && pieces[a].first <= t ? pieces[a].node : null;
    if (node === marked) return;
    marked?.classList.remove("now");
    node?.classList.add("now");
    marked = node;
    if (!node) return;
    const top = node.offsetTop;
    if (top < box.scrollTop || top + node.offsetHeight > box.scrollTop + box.clientHeight)
      box.scrollTop = top + node.offsetHeight + 8 - box.clientHeight;
  }

  return {
    root,
    view: {
      name: "write text",
      reads: [...room.reads, state.step, state.order],
      paint() {
        const shown = room.isOpen() ? room.shown() : null;
        root.hidden = room.obstacle() !== "";
        if (!shown || root.hidden) return;
        build(shown);
        colour(shown);
        mark(shown);
      },
    },
  };
}

/** @typedef {{node: HTMLElement, first: number, last: number, from: number, shown: string}} Piece */

/** @param {Token} a @param {Token} b */
const samePlace = (a, b) => a.start === b.start && a.end === b.end && a.end > a.start;

/**
 * Of a character in several bytes: all of them together, and the least of their ranks.
 * @param {Shown} shown
 * @param {Pick<Piece, "first" | "last">} piece
 */
export function factsOf(shown, { first, last }) {
  let together = shown.facts(first);
  for (let t = first + 1; together && t <= last; t++) {
    const next = shown.facts(t);
    together = next && {
      probability: together.probability * next.probability,
      rank: Math.max(together.rank, next.rank),
      entropy: together.entropy + next.entropy,
    };
  }
  return together;
}
