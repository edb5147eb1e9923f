// How alike the two sides are, in numbers: CKA, mean cosine, where they part, which units move together.

/** @import {Recording} from '../recording.js' */
/** @import {UnitMatch} from '../types.js' */
/** @import {Pair} from './sides.js' */
/** @import {Known, Room} from './room.js' */

import { button, element, write } from "../dom.js";
import { fixed, plural } from "../format.js";
import { label } from "../label.js";
import { meanOver, partingOf } from "./alignment.js";
import { FARTHEST } from "./options.js";

/** Matches that are named. */
const MOST = 8;

const CKA =
  "Linear CKA: how alike the two sets of states are as a whole, whatever their units are called, turned or scaled: 1 the same up to a turn, 0 nothing in common. It needs no equal widths. ‖YᵀX‖² / (‖XᵀX‖ ‖YᵀY‖) of the centred states (Kornblith et al. 2019). With few timesteps and many units it is high for anything.";
const COSINE = "The mean of a·b / (‖a‖ ‖b‖) over the timesteps. It needs equal widths.";
const PARTING =
  "The first timestep, in the order of computing, at which the relative distance is above the threshold or a token has no partner.";
const MATCHING =
  "For each unit of this side the unit of the other with the largest |r|, Pearson's correlation over the timesteps. In brackets its partner where each unit may be taken only once, if that is another one.";

/** @param {Room} room */
export function createNumbersView(room) {
  const { state, actions } = room;
  const over = element("span", { class: "over" });
  const cka = element("output", { class: "big", "data-number": "cka" });
  const cosine = element("output", { class: "big", "data-number": "cosine" });
  const threshold = element("input", {
    type: "number",
    min: 0,
    max: FARTHEST,
    step: 0.05,
    "aria-label": "Threshold of the relative distance",
  });
  const beyond = element("label", {}, "beyond ", threshold);
  const where = element("span", { class: "parts-at", role: "status" });
  const go = button("Go there", goThere);
  const list = element("ol", { class: "matches", "aria-label": "Best-matching units" });
  const selected = element("p", { class: "match-of" });
  const item = (
    /** @type {string} */ name,
    /** @type {string} */ title,
    /** @type {Node[]} */ ...rest
  ) =>
    element(
      "div",
      { class: "number-item" },
      element("dt", { title }, name),
      element("dd", {}, ...rest),
    );
  const root = element(
    "section",
    { id: "compare-numbers", "aria-label": "Numbers" },
    element("h3", {}, "In numbers ", over),
    element(
      "dl",
      {},
      item("linear CKA", CKA, cka),
      item("mean cosine", COSINE, cosine),
      item("they part", PARTING, where, go, beyond),
    ),
    element("p", { class: "note" }, CKA_SHORT),
    element("h3", { title: MATCHING }, "Best-matching units"),
    selected,
    list,
  );

  threshold.addEventListener("change", () => {
    const value = Number(threshold.value);
    if (threshold.value && value >= 0 && value <= FARTHEST) room.choose({ threshold: value });
    else threshold.value = String(room.options().threshold);
  });

  function goThere() {
    const known = room.known();
    const at = known && partingOf(known.comparison);
    if (at) actions.selectTimestep(at.timestep);
  }

  /** @param {Pair} pair @param {Known | null} known */
  function showAlike(pair, known) {
    const { value } = room.pairSimilarity(pair);
    const found = value?.cka[0]?.[0];
    write(cka, value ? shown(found ?? null) : "…");
    const { start = 0, stop = pair.one.recording.timesteps } = room.part();
    const mean = known && meanOver(known.series.cosine, start, stop);
    write(
      cosine,
      known ? (pair.one.width === pair.other.width ? shown(mean) : "needs equal widths") : "…",
    );
    cosine.classList.toggle("words", pair.one.width !== pair.other.width);
    const count = value?.timesteps;
    const set = room.options().over === "set" && room.takesSet(pair);
    write(over, count ? `over ${plural(count, "timestep")}${set ? " of all sentences" : ""}` : "");
  }

  /** @param {Known | null} known */
  function showParting(known) {
    const { threshold: now } = room.options();
    if (document.activeElement !== threshold) threshold.value = String(now);
    const at = known && partingOf(known.comparison);
    go.hidden = !at;
    if (!known) return write(where, "…");
    const { one, other } = known.pair;
    beyond.hidden = one.width !== other.width;
    if (!at) {
      const words = one.width === other.width ? "nowhere" : "needs equal widths";
      return write(where, words);
    }
    const recording = /** @type {Recording} */ (one.recording);
    const token = label(recording.about.tokens[at.timestep].text);
    const why =
      at.missing === "pinned"
        ? ", which only this run has"
        : at.missing === "this"
          ? ", before which the pinned run has more"
          : "";
    write(where, `at timestep ${at.timestep}, “${token}”${why} `);
  }

  /** @param {UnitMatch} match */
  function entry({ unit, other_unit, correlation, one_to_one_unit }) {
    const once =
      one_to_one_unit === null || one_to_one_unit === other_unit ? "" : ` (${one_to_one_unit})`;
    const chosen = unit === state.unit.get();
    return element(
      "li",
      {},
      button(
        [
          `${unit} → ${other_unit}${once}`,
          element("span", {}, `r\u00a0${fixed(correlation ?? NaN, 2)}`),
        ],
        () => actions.selectUnit(unit),
        { "aria-pressed": String(chosen), title: `Select unit ${unit}` },
      ),
    );
  }

  let listed = "";
  /** @param {Pair} pair */
  function showMatches(pair) {
    const { value } = room.matches(pair);
    const all = value?.matches ?? [];
    const unit = state.unit.get();
    const own = all[unit];
    write(
      selected,
      !value
        ? "…"
        : !own
          ? `Unit ${unit} is not in this side.`
          : own.other_unit === null
            ? `Unit ${unit} never changes here: nothing matches it.`
            : `Unit ${unit} moves most like unit ${own.other_unit} of the other side, r\u00a0${fixed(own.correlation ?? NaN, 3)}.`,
    );
    const key = JSON.stringify([
      all.length,
      all[0],
      unit,
      room.part(),
      pair.one.name,
      pair.other.name,
    ]);
    if (key === listed) return;
    listed = key;
    const strongest = all
      .filter(({ correlation }) => correlation !== null)
      .sort((a, b) => Math.abs(b.correlation ?? 0) - Math.abs(a.correlation ?? 0))
      .slice(0, MOST);
    list.replaceChildren(...strongest.map(entry));
    list.hidden = !strongest.length;
  }

  const view = {
    name: "compare numbers",
    calm: true,
    reads: [...room.reads, ...room.windowed, state.unit],
    paint() {
      const pair = room.isShown() ? room.pair() : null;
      if (!room.isSound(pair)) return;
      const known = room.known();
      showAlike(pair, known);
      showParting(known);
      showMatches(pair);
    },
  };
  return { root, views: [view] };
}

const CKA_SHORT =
  "CKA says how alike two sets of states are as a whole: 1 is the same but for a turn of the axes, 0 nothing in common. Few timesteps and many units make it high for anything.";

/** @param {number | null | undefined} value */
const shown = (value) => (value === null || value === undefined ? "not defined" : fixed(value));
