// The text as a picture to keep, on the colours of how probable its tokens were; and as a table.

/** @import {Figure, Surface} from '../types.js' */
/** @import {Room, Shown} from './room.js' */

import { LEVELS, level } from "../colour.js";
import { context2d, element } from "../dom.js";
import { plural } from "../format.js";
import { label, running } from "../label.js";
import { css } from "../unit/readable.js";
import { strength } from "./facts.js";
import { inWords } from "./options.js";
import { ranking } from "./sampling.js";

const FAMILY = "ui-sans-serif, system-ui, 'Segoe UI', Roboto, 'Noto Sans', sans-serif";
const TEXT = `14px ${FAMILY}`;
const SMALL = `11px ${FAMILY}`;
const LINE = 24;
const LEGEND = 26;
/** A picture is no book: beyond these lines the text is cut. */
const MOST_LINES = 60;
/** Candidates in the table. */
const TOP = 5;

/** @typedef {{text: string, t: number, line: number, x: number, width: number}} Word */

/** @param {Room} room @returns {Figure} */
export function createWriteFigure(room) {
  const { theme } = room;
  const measure = context2d(element("canvas"));

  /** @returns {Shown} */
  function now() {
    const shown = room.shown();
    if (!shown || room.obstacle()) throw new Error(room.obstacle() || "Nothing is recorded.");
    return shown;
  }

  /** @param {Shown} shown @param {number} width */
  function layOut({ text, tokens }, width) {
    measure.font = TEXT;
    const characters = [...text];
    /** @type {Word[]} */
    const words = [];
    let [line, x, at] = [0, 0, 0];
    const put = (/** @type {string} */ piece, /** @type {number} */ t) => {
      const parts = running(piece).split("\n");
      parts.forEach((part, n) => {
        if (n) [line, x] = [line + 1, 0];
        const seen = n < parts.length - 1 && t >= 0 ? `${part}⏎` : part;
        if (!seen) return;
        const room_ = measure.measureText(seen).width;
        if (x + room_ > width && x > 0 && seen.trim()) [line, x] = [line + 1, 0];
        words.push({ text: seen, t, line, x, width: Math.min(room_, width) });
        x += room_;
      });
    };
    for (let t = 0; t < tokens.length && line < MOST_LINES; t++) {
      const { start, end } = tokens[t];
      // Bytes of one character: its last one stands for it.
      if (tokens[t + 1]?.start === start && end > start) continue;
      if (start > at) put(characters.slice(at, start).join(""), -1);
      put(characters.slice(start, end).join(""), t);
      at = end;
    }
    const kept = words.filter((word) => word.line < MOST_LINES);
    return { words: kept, lines: 1 + Math.max(0, ...kept.map((word) => word.line)) };
  }

  /** @param {Surface} surface @param {number} y @param {string} by @param {number} labels */
  function drawLegend(surface, y, by, labels) {
    const table = room.table();
    const [low, high] = by === "rank" ? [labels.toLocaleString("en"), "1"] : ["0", "1"];
    surface.font = SMALL;
    surface.textAlign = "left";
    surface.textBaseline = "middle";
    surface.fillStyle = theme.get().soft;
    const words = `${by} of each token that was written: ${low}`;
    surface.fillText(words, 0, y);
    measure.font = SMALL;
    const x = measure.measureText(words).width + 6;
    for (let n = 0; n < 60; n++) {
      surface.fillStyle = css(table[Math.round((n / 59) * (LEVELS - 1))]);
      surface.fillRect(x + n, y - 5, 1.5, 10);
    }
    surface.fillStyle = theme.get().soft;
    surface.fillText(high, x + 68, y);
  }

  return {
    title() {
      const { start, tokens, options } = now();
      if (!start) return "How probable each token was to the model";
      const count = plural(tokens.length - start, "token");
      return `${count} the model wrote${options ? ` (${inWords(options)})` : ""}`;
    },
    height: (width) => layOut(now(), width).lines * LINE + LEGEND,
    draw(surface, width) {
      const shown = now();
      const { by } = room.options();
      const labels = shown.recording.about.predictions?.labels.length ?? 2;
      const { words, lines } = layOut(shown, width);
      const table = room.table();
      surface.font = TEXT;
      surface.textAlign = "left";
      surface.textBaseline = "middle";
      for (const { text, t, line, x, width: wide } of words) {
        const facts = t >= shown.start ? shown.facts(t) : null;
        if (facts) {
          surface.fillStyle = css(table[level(strength(facts, by, labels), 0, 1)]);
          surface.fillRect(x, line * LINE + 2, Math.max(2, wide), LINE - 4);
        }
        surface.fillStyle = theme.get().ink;
        surface.fillText(text, x, line * LINE + LINE / 2);
      }
      drawLegend(surface, lines * LINE + LEGEND / 2, by, labels);
    },
    table() {
      const shown = now();
      const { recording, tokens, start } = shown;
      const labels = recording.about.predictions?.labels ?? [];
      const rows = [];
      for (let t = start; t < tokens.length; t++) {
        const facts = shown.facts(t);
        const row = t ? recording.row("scores", t - 1) : undefined;
        const top = row
          ? ranking(row)
              .slice(0, TOP)
              .map((id) => `${label(labels[id])} ${row[id].toPrecision(4)}`)
          : [];
        rows.push([
          t,
          label(tokens[t].text),
          facts ? facts.probability : "",
          facts ? facts.rank : "",
          facts ? facts.entropy : "",
          top.join(" · "),
        ]);
      }
      return {
        caption: "Each token, and what the model gave it before it came",
        columns: ["timestep", "token", "probability", "rank", "entropy (nats)", "most probable"],
        rows,
      };
    },
    slice: () => ({ names: ["scores"], start: 0, stop: now().recording.timesteps, units: null }),
  };
}
