// What pushes the opened gate: the largest terms of its pre-activation as bars from a middle line, what
// the others and b add, and the sum.
//
// A step writes texts and moves bars. Of a long list only the rows that can be seen are there.

/** @import {Page} from '../page.js' */
/** @import {GatePushes} from './cell-pushes.js' */
/** @import {Push} from './pushes.js' */

import {
  decimalsFor,
  explainTerm,
  gatePushes,
  GATES,
  productOf,
  pushesQuestion,
  roundTerms,
  sumLines,
  termLeadsTo,
  termName,
} from "./cell-pushes.js";
import { brushedUnits } from "../brush/brush.js";
import { button, element, write } from "../dom.js";
import { plural } from "../format.js";
import { atom } from "../store.js";

/** Pixels, as in css/cell-drawing.css. */
const ROW = 24;
/** A list longer than this scrolls, in a window of so many rows. */
const MOST_ROWS = 25;
const WINDOW = 15;
const COUNTS = [10, 25, Infinity];

/** What a gate is called. @type {Record<string, string>} */
const NAMES = { i: "input", f: "forget", g: "candidate", o: "output" };

/** @param {Page} page */
export function createPushList(page) {
  const { state, actions, tooltip } = page;
  const count = atom(COUNTS[0]);
  const scrolled = atom(0);
  /** What the rows show. @type {GatePushes | null} */
  let shown = null;

  const tabs = GATES.map((gate) =>
    button(
      [element("b", { class: "symbol" }, gate), ` ${NAMES[gate]}`],
      () => state.gate.set(gate),
      {
        role: "tab",
        id: `open-${gate}`,
        "aria-controls": "pushes",
      },
    ),
  );
  const tablist = element(
    "div",
    { role: "tablist", "aria-label": "Gate", class: "gates" },
    ...tabs,
  );
  tablist.addEventListener("keydown", turnTabs);
  const select = element(
    "select",
    { "aria-label": "How many terms" },
    ...COUNTS.map((n) => element("option", { value: n }, n === Infinity ? "all" : `${n} largest`)),
  );
  select.addEventListener("change", () => count.set(Number(select.value)));
  const [question, token] = [element("span"), element("bdi")];
  const title = element("h3", { id: "pushes-title" }, question, "“", token, "”");
  const spacer = element("div", { class: "push-spacer" });
  const list = element("div", { class: "push-list", role: "list" }, spacer);
  list.addEventListener("scroll", () => scrolled.set(list.scrollTop));
  list.addEventListener("keydown", keepScrollKeys);
  const rest = createSumRow("rest");
  const bias = createSumRow("b");
  write(bias.name, "b, both biases");
  const [total, result] = [element("span"), element("span")];
  const node = element(
    "section",
    { class: "pushes" },
    tablist,
    element(
      "div",
      { id: "pushes", role: "tabpanel", "aria-labelledby": "pushes-title" },
      element("div", { class: "push-head" }, title, select),
      list,
      rest.node,
      bias.node,
      element("p", { class: "push-sum", id: "push-sum" }, total, result),
    ),
  );
  /** @type {ReturnType<typeof createRow>[]} */
  const rows = [];

  function createRow() {
    const [name, product, term] = [element("bdi"), element("span"), element("span")];
    const bar = element("i");
    const node = element(
      "button",
      { type: "button", class: "push" },
      name,
      product,
      element("span", { class: "push-bar" }, bar),
      term,
    );
    const item = element("div", { role: "listitem", class: "push-item" }, node);
    const row = { item, node, name, product, bar, term, at: -1 };
    const own = () => shown?.found?.shown[row.at];
    node.addEventListener("click", () => {
      const push = own();
      if (push && shown) follow(push, shown);
    });
    node.addEventListener("pointermove", (event) => {
      const push = own();
      if (push && shown) tooltip.show(event, explainTerm(push, shown));
    });
    node.addEventListener("pointerleave", () => tooltip.hide());
    spacer.append(item);
    return row;
  }

  /** @param {Push} push @param {GatePushes} of */
  function follow(push, of) {
    const to = termLeadsTo(push, of.recording, of.cell);
    if (!to) return;
    const { layer, direction } = to.cell;
    if (layer !== of.cell.layer || direction !== of.cell.direction) actions.selectCell(to.cell);
    if (to.unit !== null) actions.selectUnit(to.unit);
    tooltip.hide();
  }

  /** How a row looks. @param {Push} push @param {ReturnType<typeof termLeadsTo>} to */
  function kindOf({ from }, to) {
    const brushed = to && to.unit !== null && brushedUnits(state, to.cell).has(to.unit);
    return `push ${from === "hidden" ? "own" : ""}${to ? "" : " ends"}${brushed ? " brushed" : ""}`;
  }

  /** @param {KeyboardEvent} event */
  function turnTabs(event) {
    const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!by || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    const next = (GATES.indexOf(state.gate.get()) + by + GATES.length) % GATES.length;
    state.gate.set(GATES[next]);
    tabs[next].focus();
  }

  /** A list that scrolls has the keys that scroll it. @param {KeyboardEvent} event */
  function keepScrollKeys(event) {
    const scrolls = ["ArrowUp", "ArrowDown", "PageUp", "PageDown", "Home", "End"];
    if (list.tabIndex === 0 && scrolls.includes(event.key)) event.stopPropagation();
  }

  /** Which rows are there. @param {number} length */
  function windowOf(length) {
    if (length <= MOST_ROWS) return { from: 0, to: length };
    const from = Math.max(0, Math.min(Math.floor(scrolled.get() / ROW), length - WINDOW));
    return { from, to: Math.min(length, from + WINDOW + 1) };
  }

  /** @param {number} length */
  function resize(length) {
    const height = `${length * ROW}px`;
    if (spacer.style.height !== height) spacer.style.height = height;
    const scrolls = length > MOST_ROWS;
    list.classList.toggle("scrolls", scrolls);
    // What scrolls can be reached by keys.
    if (scrolls !== (list.tabIndex === 0)) {
      if (scrolls) list.tabIndex = 0;
      else list.removeAttribute("tabindex");
    }
  }

  return {
    node,
    view: {
      name: "pushes",
      calm: true,
      reads: [
        state.recording,
        state.arrived,
        state.unitWeights,
        state.models,
        state.tab,
        state.step,
        state.order,
        state.layer,
        state.direction,
        state.unit,
        state.gate,
        state.brush,
        count,
        scrolled,
      ],
      paint() {
        const recording = state.recording.get();
        if (state.tab.get() !== "cell" || !recording) return;
        shown = gatePushes(state, recording, count.get());
        const gate = state.gate.get();
        tabs.forEach((tab, n) => {
          const selected = GATES[n] === gate;
          if (tab.ariaSelected !== String(selected)) tab.ariaSelected = String(selected);
          if (tab.tabIndex !== (selected ? 0 : -1)) tab.tabIndex = selected ? 0 : -1;
        });
        write(question, pushesQuestion(shown));
        write(token, shown.token);
        if (!shown.found) {
          write(total, "…");
          write(result, "");
          for (const row of [...rows, rest, bias]) write(row.term, "…");
          return;
        }
        paintTerms(shown, shown.found);
      },
    },
  };

  /** @param {GatePushes} of @param {NonNullable<GatePushes["found"]>} found */
  function paintTerms(of, found) {
    const terms = found.shown.map(({ term }) => term);
    const most = Math.max(Math.abs(terms[0] ?? 0), Math.abs(found.b));
    const decimals = decimalsFor(most);
    const rounded = roundTerms(found, decimals);
    const share = (/** @type {number} */ term) => (most > 0 && term / most) || 0;
    resize(terms.length);
    const { from, to } = windowOf(terms.length);
    while (rows.length < to - from) rows.push(createRow());
    rows.forEach((row, n) => {
      const at = from + n;
      const push = found.shown[at];
      const visible = push && at < to;
      if (row.item.hidden === Boolean(visible)) row.item.hidden = !visible;
      if (!visible) return;
      if (row.at !== at) {
        row.at = at;
        row.item.style.transform = `translateY(${at * ROW}px)`;
        row.item.ariaPosInSet = String(at + 1);
      }
      row.item.ariaSetSize = String(terms.length);
      write(row.name, termName(push, of));
      write(row.product, productOf(push));
      write(row.term, rounded.terms[at]);
      paintBar(row.bar, share(push.term));
      const leads = termLeadsTo(push, of.recording, of.cell);
      const kind = kindOf(push, leads);
      if (row.node.className !== kind) {
        row.node.className = kind;
        row.node.ariaDisabled = leads ? null : "true";
      }
    });
    const [restText, biasText] = rounded.terms.slice(-2);
    rest.node.hidden = found.others === 0;
    write(rest.name, `${plural(found.others, "other term")}`);
    write(rest.term, restText);
    write(bias.term, biasText);
    paintBar(bias.bar, share(found.b));
    const [sums, gate] = sumLines(of, found.others, rounded, decimals);
    write(total, sums);
    write(result, gate);
  }
}

/** A row that is no term. @param {string} kind */
function createSumRow(kind) {
  const [name, term, bar] = [element("span"), element("span"), element("i")];
  bar.style.transform = "scaleX(0)";
  const line = element("span", { class: "push-bar" }, bar);
  const node = element("div", { class: `push ${kind}` }, name, element("span"), line, term);
  return { node, name, term, bar };
}

/** A bar from the middle line. @param {HTMLElement} bar @param {number} share  -1 to 1 */
function paintBar(bar, share) {
  bar.style.transform = `scaleX(${share.toFixed(3)})`;
  const kind = share < 0 ? "negative" : "";
  if (bar.className !== kind) bar.className = kind;
}
