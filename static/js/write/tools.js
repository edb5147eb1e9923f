// Above the text: how the model chooses, and the button that lets it write.

/** @import {Room} from './room.js' */

import { button, element, write } from "../dom.js";
import { plural } from "../format.js";
import { LIMITS, isSound } from "./options.js";

const METHODS = {
  greedy: "Always the most probable token; of equals the one with the lowest id",
  sample: "Drawn at random, each token as often as it is probable",
};

/** Name, label, step, what it does, what stands where it does nothing. @type {[name: "t" | "k" | "p" | "seed" | "tokens", label: string, step: number, help: string][]} */
const NUMBERS = [
  [
    "t",
    "temperature",
    0.05,
    "Below 1 the probable becomes more probable, above 1 less: p to the power 1/T, made to sum to 1 again",
  ],
  ["k", "top-k", 1, "Only the k most probable tokens; 0: all"],
  [
    "p",
    "top-p",
    0.01,
    "Only the fewest most probable tokens that together have at least this probability (the nucleus); 1: all",
  ],
  [
    "seed",
    "seed",
    1,
    "The same seed, text and settings write the same, also in parts: a draw depends on the seed and the place in the text",
  ],
  ["tokens", "tokens", 1, "How many are written, 1 to 1,000"],
];

/** Dice show one of so many seeds: a number people can say. */
const SEEDS = 10_000;

/** @param {Room} room */
export function createToolsView(room) {
  const { session } = room;
  const methods = Object.entries(METHODS).map(([name, title]) =>
    button(name, () => room.choose({ method: name }), { title, value: name }),
  );
  const chips = element(
    "span",
    { class: "chips", role: "group", "aria-label": "How a token is chosen" },
    ...methods,
  );
  const fields = NUMBERS.map(([name, label, step, title]) => {
    const [low, high] = LIMITS[name];
    const input = element("input", {
      type: "number",
      id: `write-${name}`,
      min: low,
      max: high,
      step,
      inputmode: step < 1 ? "decimal" : "numeric",
    });
    input.addEventListener("change", () => {
      const value = Number(input.value || NaN);
      if (isSound(name, value)) room.choose({ [name]: value });
      input.value = String(room.options()[name]);
    });
    const node = element("label", { title }, `${label} `, input);
    return { name, input, node };
  });
  const dice = button(
    [element("span", { "aria-hidden": "true" }, "⚄")],
    () => room.choose({ seed: Math.floor(Math.random() * SEEDS) }),
    { class: "dice", "aria-label": "Another seed", title: "Another seed" },
  );
  const go = () => (session.writing.get() ? session.stop() : session.start(room.options()));
  const start = button("Write on", go, { class: "primary", id: "write-start" });
  const skip = button("All at once", session.skip, {
    id: "write-skip",
    title: "Show what is still to come at once",
  });
  const said = element("span", { class: "said" });
  // Read out when it begins and ends, not with every token.
  const announced = element("span", { class: "hidden", role: "status" });
  const sampling = element("span", { class: "sampling" });
  for (const { name, node } of fields) {
    if (name === "tokens") continue;
    sampling.append(name === "seed" ? element("span", { class: "seed" }, node, dice) : node);
  }
  const root = element(
    "div",
    { id: "write-tools", role: "group", "aria-label": "How the model writes" },
    chips,
    sampling,
    fields[4].node,
    start,
  );

  return {
    root,
    /** How far it is, for the line below: what stands above it must not move. */
    progress: element("span", { class: "go" }, said, skip, announced),
    view: {
      name: "write tools",
      reads: room.reads,
      paint() {
        if (!room.isOpen()) return;
        root.hidden = room.isOffline() || room.obstacle() !== "";
        const options = room.options();
        for (const chip of methods)
          chip.setAttribute("aria-pressed", String(chip.value === options.method));
        sampling.classList.toggle("off", options.method === "greedy");
        for (const { name, input } of fields) {
          const value = String(options[name]);
          if (document.activeElement !== input) input.value = value;
          if (name !== "tokens") input.disabled = options.method === "greedy";
        }
        dice.disabled = options.method === "greedy";
        const now = session.writing.get();
        root.classList.toggle("writing", now !== null);
        write(start, now ? "Stop" : "Write on");
        start.title = now ? "Stop here and keep what is written" : "";
        skip.hidden = !now;
        write(announced, now ? "Writing" : whatCame(session));
        write(said, now ? progressOf(now) : (ENDED[session.ended.get()] ?? ""));
      },
    },
  };
}

/** @param {import('./session.js').Session} session */
function whatCame({ branches, ended }) {
  const last = branches.get().at(-1);
  const count = last ? `${plural(last.facts.length, "token")} written. ` : "";
  return `${count}${ENDED[ended.get()] ?? ""}`;
}

/** @param {import('./session.js').Writing} now */
function progressOf({ base, tokens, options }) {
  const said = `${tokens.length} of ${plural(options.tokens, "token")}`;
  return base.whole ? said : `${said}; after so long a text the network follows at the end`;
}

/** Why it ended before all its tokens were written. @type {Record<string, string>} */
const ENDED = {
  end: "It ended here: no token is left that can be written.",
  limit: "It ended here: the text is as long as a text may be.",
};
