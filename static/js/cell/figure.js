// The cell as a picture to keep: the drawing, the equations of the selected unit, and what pushes the
// opened gate.

/** @import {Figure, Surface} from '../types.js' */
/** @import {Page} from '../page.js' */
/** @import {GatePushes} from './cell-pushes.js' */
/** @import {CellContent} from './picture.js' */
/** @import {Recording} from '../recording.js' */
/** @import {Theme} from '../theme.js' */

import { cellArrays } from "./content.js";
import {
  decimalsFor,
  gatePushes,
  productOf,
  pushesTitle,
  roundTerms,
  sumLines,
  termName,
} from "./cell-pushes.js";
import { equationLines } from "./equation-lines.js";
import { selectedCell, selectedTimestep } from "../state.js";
import { drawCellPicture, MONO, SANS, SERIF } from "./picture.js";

const TERMS = 10;
const ROW = 21;
const EQUATION = 24;
const GAP = 24;
/** Narrower pictures have the bars below the drawing, not beside it. */
const NARROW = 760;

/**
 * @param {Page} page
 * @param {(recording: Recording, cell: import('../types.js').Cell, timestep: number) => CellContent} contents
 * @returns {Figure}
 */
export function createCellFigure({ state, theme }, contents) {
  const recorded = () => {
    const recording = state.recording.get();
    if (!recording) throw new Error("nothing is recorded: there is no cell to draw");
    return recording;
  };
  const equations = () => equationLines(state, recorded());

  return {
    title() {
      const { layer, direction } = selectedCell(state);
      return `layer ${layer} ${direction}, unit ${state.unit.get()}: one step of the cell, and what pushes gate ${state.gate.get()}`;
    },

    height(width) {
      const { drawing, bars, below } = places(width);
      const top = below
        ? drawing.height + GAP + bars.height
        : Math.max(drawing.height, bars.height);
      return top + GAP + equations().length * EQUATION;
    },

    draw(surface, width) {
      const recording = recorded();
      const { drawing, bars, below } = places(width);
      const content = contents(recording, selectedCell(state), selectedTimestep(state, recording));
      drawCellPicture(surface, drawing, { ...content, gate: state.gate.get() }, theme.get());
      drawBars(surface, bars, gatePushes(state, recording, TERMS), theme.get());
      const top = below ? bars.y + bars.height : Math.max(drawing.height, bars.height);
      drawEquations(surface, top + GAP, equations(), theme.get());
    },

    table() {
      const of = gatePushes(state, recorded());
      /** @type {(string | number)[][]} */
      const rows = (of.found?.shown ?? []).map((push) => [
        termName(push, of),
        push.from === "hidden" ? "U h" : "W x",
        push.weight,
        push.value,
        push.term,
      ]);
      if (of.found) {
        rows.push(["both biases", "b", "", "", of.found.b]);
        rows.push(["pre-activation", "z", "", "", of.found.z]);
      }
      if (of.value !== undefined) rows.push([`gate ${of.gate}`, of.gate, "", "", of.value]);
      return {
        caption: `${pushesTitle(of)}, timestep ${of.timestep}`,
        columns: ["term", "part", "weight", "value", "product"],
        rows,
      };
    },

    slice() {
      const recording = recorded();
      const { timestep, before } = gatePushes(state, recording, 0);
      const [start, stop] = [timestep, before ?? timestep].sort((a, b) => a - b);
      const names = cellArrays(recording, selectedCell(state)).filter((name) => name !== "scores");
      return { names, start, stop: stop + 1, units: null };
    },
  };
}

/** @param {number} width */
function places(width) {
  const below = width < NARROW;
  const drawn = below ? width : Math.round(width * 0.62);
  const drawing = { x: 0, y: 0, width: drawn, height: Math.round(drawn * 0.69) };
  const height = 30 + (TERMS + 2) * ROW + 44;
  const bars = below
    ? { x: 0, y: drawing.height + GAP, width, height }
    : { x: drawn + GAP, y: 0, width: width - drawn - GAP, height };
  return { drawing, bars, below };
}

/**
 * @param {Surface} surface
 * @param {import('./layout.js').Box} box
 * @param {GatePushes} of
 * @param {Theme} theme
 */
function drawBars(surface, { x, y, width }, of, theme) {
  surface.textBaseline = "middle";
  surface.textAlign = "left";
  surface.fillStyle = theme.ink;
  surface.font = `600 13px ${SANS}`;
  surface.fillText(pushesTitle(of), x, y + 10, width);
  const { found } = of;
  if (!found) return;
  const terms = [...found.shown.map(({ term }) => term), found.rest, found.b];
  const names = [...found.shown.map((push) => termName(push, of)), `${found.others} others`, "b"];
  const most = Math.max(Math.abs(terms[0]), Math.abs(found.b)) || 1;
  const decimals = decimalsFor(most);
  const rounded = roundTerms(found, decimals);
  const [middle, half] = [x + width * 0.69, width * 0.14];
  terms.forEach((term, n) => {
    if (n === found.shown.length && !found.others) return;
    const line = y + 30 + n * ROW + ROW / 2;
    surface.font = `12px ${SANS}`;
    surface.fillStyle = found.shown[n]?.from === "hidden" ? theme.accent : theme.ink;
    surface.textAlign = "left";
    surface.fillText(names[n], x, line, width * 0.3);
    const push = found.shown[n];
    if (push) {
      surface.fillStyle = theme.soft;
      surface.textAlign = "right";
      surface.fillText(productOf(push), x + width * 0.53, line, width * 0.22);
    }
    const isRest = n === found.shown.length;
    const length = Number.isFinite(term) && !isRest ? (half * term) / most : 0;
    surface.fillStyle = term < 0 ? theme.negative : theme.positive;
    surface.fillRect(Math.min(middle, middle + length), line - 5, Math.abs(length), 10);
    surface.fillStyle = theme.ink;
    surface.font = `12px ${MONO}`;
    surface.textAlign = "right";
    surface.fillText(rounded.terms[n], x + width, line);
  });
  surface.fillStyle = theme.faint;
  surface.fillRect(middle - 0.5, y + 30, 1, terms.length * ROW);
  surface.fillStyle = theme.ink;
  surface.textAlign = "left";
  surface.font = `12px ${SANS}`;
  const below = y + 30 + terms.length * ROW + 13;
  const [sums, gate] = sumLines(of, found.others, rounded, decimals);
  surface.fillText(sums, x, below, width);
  surface.fillText(gate, x, below + 18, width);
}

/** @param {Surface} surface @param {number} y @param {string[]} lines @param {Theme} theme */
function drawEquations(surface, y, lines, theme) {
  surface.font = `15px ${SERIF}`;
  surface.fillStyle = theme.ink;
  surface.textAlign = "left";
  surface.textBaseline = "middle";
  lines.forEach((line, n) => surface.fillText(line, 0, y + (n + 0.5) * EQUATION));
}
