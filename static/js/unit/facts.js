// How a unit's values are distributed over the sentence, and where they are stuck: at which end, for
// which part of the time, and where for longest.

/** @import {Numbers, Quantity} from '../types.js' */
/** @import {Run, Stuck} from './saturation.js' */
/** @import {Shown, Unit} from './tab.js' */

import { button, element, write } from "../dom.js";
import { fixed } from "../format.js";
import { excerpt } from "./running-text.js";
import { histogram, saturation, saturationEnds } from "./saturation.js";
import { atom } from "../store.js";
import { bandEnds, lineColour, tickText } from "./picture.js";

const COLUMNS = [
  ...["quantity", "distribution", "lowest", "mean", "highest"],
  ...["saturated low, longest at", "saturated high, longest at"],
];
/** Milliseconds without another unit, after which somebody may read what is out of sight. */
const SETTLED = 150;
const BINS = 40;
/** The least height of a bar, as a part of the highest. */
const LEAST = 0.04;
const SVG = "http://www.w3.org/2000/svg";

/**
 * @typedef {object} Row
 * @property {SVGPathElement} bars  of the histogram
 * @property {HTMLElement[]} ends  of the axis
 * @property {HTMLElement[]} numbers  lowest, mean, highest
 * @property {StuckCell[]} stuck  at the low and at the high end; none for the states
 * @property {HTMLElement} root
 *
 * @typedef {object} StuckCell
 * @property {HTMLElement} share
 * @property {HTMLElement} bar
 * @property {HTMLButtonElement} link  to the longest run
 * @property {Run | null} run
 */

/**
 * @param {Unit} unit
 * @param {HTMLElement} parent
 */
export function createUnitFactsView(unit, parent) {
  const { state, actions, theme } = unit;
  const body = element("div", { role: "rowgroup" });
  const heads = COLUMNS.map((text, n) =>
    cell("columnheader", n > 1 && n < 5 ? "number" : "", text),
  );
  parent.append(
    element(
      "div",
      { id: "unit-facts", role: "table", "aria-label": "Distribution and saturation" },
      element(
        "div",
        { role: "rowgroup" },
        element("div", { role: "row", class: "heads" }, ...heads),
      ),
      body,
    ),
  );
  /** @type {Map<string, Row>} */
  const rows = new Map();
  let painted = "";
  // Out of sight they need not keep up with flipping, only be right when it ends.
  let inSight = true;
  let settled = "";
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let waiting;
  const due = atom(0);
  const again = () => due.set(due.get() + 1);
  new IntersectionObserver((entries) => {
    inSight = entries[entries.length - 1].isIntersecting;
    again();
  }).observe(body);

  /** @param {Quantity} quantity */
  function build({ name, label, sentence }) {
    const bars = document.createElementNS(SVG, "path");
    const picture = document.createElementNS(SVG, "svg");
    for (const [key, value] of Object.entries({
      viewBox: `0 0 ${BINS} 1`,
      preserveAspectRatio: "none",
      role: "img",
      "aria-label": `How often ${label} has which value`,
    }))
      picture.setAttribute(key, value);
    picture.append(bars);
    const ends = [element("span"), element("span")];
    const numbers = [2, 3, 4].map((n) => {
      const number = cell("cell", "number");
      number.dataset.label = COLUMNS[n];
      return number;
    });
    const limits = saturationEnds(name);
    const stuck = limits
      ? limits.map((limit, n) => stuckCell(`${n ? ">" : "<"} ${tickText(limit)}`))
      : [];
    const head = cell("rowheader", "name", element("b", {}, name), ` ${label}`);
    head.title = sentence;
    const root = element(
      "div",
      { role: "row", "data-quantity": name },
      head,
      cell("cell", "histogram", ends[0], picture, ends[1]),
      ...numbers,
      ...(limits ? stuck.map(({ root: found }) => found) : [0, 1].map(() => cell("cell", "stuck"))),
    );
    rows.set(name, { bars, ends, numbers, stuck: stuck.map(({ parts }) => parts), root });
  }

  /** @param {string} beyond  the end it is stuck at */
  function stuckCell(beyond) {
    const link = button("", () => parts.run && actions.selectTimestep(parts.run.start), {
      class: "run-link",
    });
    const bar = element("i", { class: "bar" });
    const share = element("span", { class: "share" });
    /** @type {StuckCell} */
    const parts = { share, bar, link, run: null };
    const limit = element("span", { class: "beyond" }, beyond);
    return { parts, root: cell("cell", "stuck", limit, share, bar, link) };
  }

  /** @param {Row} row @param {Numbers} values @param {readonly [number, number]} ends */
  function paintHistogram({ bars, ends }, values, [low, high]) {
    const counts = histogram(values, low, high, BINS);
    const most = Math.max(...counts);
    let path = `M0 1`;
    for (const count of counts) {
      // However few: what was there once is seen.
      const height = count && Math.max(LEAST, count / most);
      path += `V${(1 - height).toFixed(3)}h1`;
    }
    bars.setAttribute("d", `${path}V1z`);
    write(ends[0], tickText(low));
    write(ends[1], tickText(high));
  }

  /** @param {StuckCell} parts @param {Stuck} found @param {Shown} shown */
  function paintStuck(parts, { share, longest }, { recording }) {
    parts.run = longest;
    write(parts.share, percent(share));
    parts.bar.style.backgroundSize = `${100 * share}% 100%`;
    parts.link.style.visibility = longest ? "visible" : "hidden";
    if (!longest) return write(parts.link, "");
    const { start, stop } = longest;
    const where = stop - start === 1 ? `${start}` : `${start}–${stop - 1}`;
    write(parts.link, `${where} “${excerpt(recording.about.tokens, longest)}”`);
  }

  /** @param {Shown} shown */
  function paint(shown) {
    const bands = unit.bands();
    const ends = bandEnds(bands, shown);
    for (const { name } of state.quantities.get()) {
      const row = /** @type {Row} */ (rows.get(name));
      const values = shown.series?.[name];
      row.root.style.visibility = values ? "" : "hidden";
      if (!values) continue;
      const band = bands.findIndex(({ quantities }) => quantities.some((q) => q.name === name));
      paintHistogram(row, values, ends[band]);
      row.bars.setAttribute("fill", lineColour(name, theme.get()));
      const { low, mean, high } = shown.facts[name];
      [low, mean, high].forEach((value, n) => write(row.numbers[n], fixed(value)));
      const found = saturation(name, values);
      if (!found) continue;
      paintStuck(row.stuck[0], found.below, shown);
      paintStuck(row.stuck[1], found.above, shown);
    }
  }

  return {
    name: "unit facts",
    reads: [...unit.reads, due],
    paint() {
      const shown = unit.shown();
      if (!shown) return;
      if (!rows.size) {
        state.quantities.get().forEach(build);
        body.append(...[...rows.values()].map(({ root }) => root));
      }
      const { ink, background } = theme.get();
      const key = `${shown.name} ${shown.recording.about.id} ${Boolean(shown.series)} ${ink} ${background}`;
      if (key === painted) return;
      clearTimeout(waiting);
      if (!inSight && key !== settled) {
        waiting = setTimeout(() => {
          settled = key;
          again();
        }, SETTLED);
        return;
      }
      painted = key;
      paint(shown);
    },
  };
}

/**
 * @param {string} role
 * @param {string} kind
 * @param {(Node | string)[]} content
 */
const cell = (role, kind, ...content) => element("div", { role, class: kind }, ...content);

/** A share of the timesteps; what happened at all is never 0 %, what did not always is never 100 %. @param {number} share */
export function percent(share) {
  const rounded = Math.round(share * 100);
  if (share > 0 && rounded === 0) return "<1 %";
  if (share < 1 && rounded === 100) return ">99 %";
  return `${rounded} %`;
}
