// Under every token the labels the head holds most probable, and what really came.

/** @import {Room} from './room.js' */

import { element } from "../dom.js";
import { fixed } from "../format.js";
import { label } from "../label.js";
import { ROW, drawCells, percent, rowsOf } from "./cells.js";
import { MEASURES, idAt, measuresOf, probabilityAt } from "./measures.js";
import { createStrip } from "./strip.js";

/** @param {Room} room */
export const createColumnsView = (room) =>
  createStrip(room, {
    id: "predict-columns",
    title: ({ recording, about, options }) =>
      `The ${Math.min(options.labels, about.labels.length)} most probable labels after each of ${recording.timesteps} timesteps. As a table: T.`,
    height: (shown, answers) => (answers.k ? rowsOf(shown, answers).length * ROW : 0),
    draw(context, shown, answers, columns) {
      rowsOf(shown, answers).forEach((row, n) =>
        drawCells(context, row, columns, {
          y: n * ROW,
          table: room.table(),
          theme: room.theme.get(),
        }),
      );
    },
    legend(legend, shown, answers) {
      legend.replaceChildren(
        ...rowsOf(shown, answers).map(({ name, title }, n) => {
          const node = element("span", { class: "predict-name", title }, name);
          node.style.top = `${n * ROW}px`;
          return node;
        }),
      );
    },
    tell({ about }, answers, t) {
      const { labels, targets, task } = about;
      const lines = Array.from({ length: Math.min(answers.k, 8) }, (_, n) => {
        const id = idAt(answers, t, n);
        if (id === null) return "";
        const real = targets?.[t] === id ? " ✓ came next" : "";
        return `${percent(probabilityAt(answers, t, n))}  ${label(labels[id])}${real}`;
      });
      const next = targets?.[t];
      if (next !== null && next !== undefined) lines.push(`came next: ${label(labels[next])}`);
      for (const name of measuresOf(task)) {
        const value = answers.of[name][t];
        if (Number.isNaN(value)) continue;
        const { decimals, unit } = MEASURES[name];
        lines.push(`${name} ${fixed(value, decimals)} ${unit}`.trim());
      }
      return lines.filter(Boolean);
    },
  });
