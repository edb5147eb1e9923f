// One unit as a picture to keep: the sentence coloured by its value, and its lines over time.

/** @import {Figure, Surface} from '../types.js' */
/** @import {Colours} from './colours.js' */
/** @import {Shown, Unit} from './tab.js' */

import { axis } from "../time/axis.js";
import { LEVELS, level } from "../colour.js";
import { context2d, element } from "../dom.js";
import { label } from "../label.js";
import { scaleY } from "./lines.js";
import { css } from "./readable.js";
import { runningText } from "./running-text.js";
import { modelOf, readsTable } from "../state.js";
import { bandEnds, drawLines, lineColour, placeBands, tickText } from "./picture.js";

const FAMILY = "ui-sans-serif, system-ui, 'Segoe UI', Roboto, 'Noto Sans', sans-serif";
const TEXT = `14px ${FAMILY}`;
const SMALL = `11px ${FAMILY}`;
const LINE = 24;
/** A picture is no book: beyond these lines the text is cut. */
const MOST_LINES = 14;
const LABELS = 134;
const GAP = 22;
/** Below the lines: the tokens, or numbers of timesteps. */
const FOOT = 24;

/**
 * A piece of text on the picture: a token's, or what stands between two (t is -1).
 * @typedef {{text: string, t: number, line: number, x: number, width: number}} Word
 */

/** @param {Unit} unit @returns {Figure} */
export function createUnitFigure(unit) {
  const { state, theme } = unit;
  const measure = context2d(element("canvas"));

  /** @returns {Shown} */
  function now() {
    const shown = unit.current();
    if (!shown?.series)
      throw new Error("The unit's values have not come yet. Try again in a moment.");
    return shown;
  }

  /** The timesteps on the screen. @param {Shown} shown */
  function stretch({ recording }) {
    const { first, last } = axis(state, recording).window;
    return { first, last };
  }

  /**
   * The text on the screen, word after word, line after line.
   * @param {Shown} shown
   * @param {number} width
   */
  function layOut(shown, width) {
    const { recording } = shown;
    const { first, last } = stretch(shown);
    const { tokens, text, model } = recording.about;
    const named = readsTable(modelOf(state, model));
    const running = runningText(text, tokens, named);
    measure.font = TEXT;
    /** @type {Word[]} */
    const words = [];
    let [line, x] = [0, 0];
    const put = (/** @type {string} */ piece, /** @type {number} */ t) => {
      const [shownPart, ...breaks] = piece.split("\n");
      const room = measure.measureText(shownPart).width;
      if (x + room > width && x > 0 && shownPart.trim()) [line, x] = [line + 1, 0];
      words.push({ text: shownPart, t, line, x, width: Math.min(room, width) });
      x += room;
      if (breaks.length) [line, x] = [line + breaks.length, 0];
    };
    for (let t = first; t < last && line < MOST_LINES; t++) {
      const same = t > first && running.piece[t] === running.piece[t - 1];
      const piece = running.pieces[running.piece[t]];
      const from = same ? running.end[t - 1] : 0;
      if (t > first && from < running.start[t]) put(piece.slice(from, running.start[t]), -1);
      // Bytes of one character: its first one stands for it here.
      if (running.part[t] === 0) put(piece.slice(running.start[t], running.end[t]), t);
    }
    const kept = words.filter((word) => word.line < MOST_LINES);
    return { words: kept, lines: 1 + Math.max(0, ...kept.map((word) => word.line)) };
  }

  /** @param {Surface} surface @param {Shown} shown @param {ReturnType<typeof layOut>} text */
  function drawText(surface, shown, { words }) {
    const colours = unit.colouring.of(shown);
    const { quantity, table, low, high } = colours;
    const values = shown.series?.[quantity.name];
    surface.font = TEXT;
    surface.textAlign = "left";
    surface.textBaseline = "middle";
    for (const { text, t, line, x, width } of words) {
      if (t >= 0 && values) {
        surface.fillStyle = css(table[level(values[t], low, high)]);
        surface.fillRect(x, line * LINE + 2, Math.max(2, width), LINE - 4);
      }
      surface.fillStyle = theme.get().ink;
      surface.fillText(text, x, line * LINE + LINE / 2);
    }
    return colours;
  }

  /** What the colours mean. @param {Surface} surface @param {ReturnType<typeof drawText>} scale @param {number} y */
  function drawScale(surface, { table, low, high, quantity }, y) {
    surface.font = SMALL;
    surface.textAlign = "left";
    surface.textBaseline = "middle";
    surface.fillStyle = theme.get().soft;
    const words = `${quantity.name}, ${quantity.label}: ${tickText(low)}`;
    surface.fillText(words, 0, y);
    measure.font = SMALL;
    const x = measure.measureText(words).width + 6;
    for (let n = 0; n < 60; n++) {
      surface.fillStyle = css(table[Math.round((n / 59) * (LEVELS - 1))]);
      surface.fillRect(x + n, y - 5, 1.5, 10);
    }
    surface.fillStyle = theme.get().soft;
    surface.fillText(tickText(high), x + 68, y);
  }

  /** Names of the lines, axes, ticks. @param {Surface} surface @param {Shown} shown @param {number} width */
  function drawFrame(surface, shown, width) {
    const { line, soft } = theme.get();
    const bands = unit.bands();
    const ends = bandEnds(bands, shown);
    placeBands(bands).bands.forEach((place, n) => {
      const [low, high] = ends[n];
      const y = scaleY(place, ends[n]);
      surface.strokeStyle = line;
      surface.lineWidth = 1;
      for (const value of [high, (low + high) / 2, low]) {
        surface.beginPath();
        surface.moveTo(LABELS, y(value));
        surface.lineTo(width, y(value));
        surface.stroke();
        surface.font = SMALL;
        surface.textAlign = "right";
        surface.textBaseline = "middle";
        surface.fillStyle = soft;
        surface.fillText(tickText(value), LABELS - 6, y(value));
      }
      surface.textAlign = "left";
      bands[n].quantities.forEach(({ name, label: words }, at) => {
        if (!state.lines.get().includes(name) || !shown.series?.[name]) return;
        const middle = place.top + 14 + at * 22;
        surface.fillStyle = lineColour(name, theme.get());
        surface.fillRect(0, middle - 7, 3, 14);
        surface.font = `12px ${FAMILY}`;
        surface.fillText(`${name}  ${words}`, 8, middle);
      });
    });
  }

  /** @param {Surface} surface @param {Shown} shown @param {{columnWidth: number, y: number}} of */
  function drawFoot(surface, shown, { columnWidth, y }) {
    const { first, last } = stretch(shown);
    const named = columnWidth >= 34;
    const every = named ? 1 : stepOf(90 / columnWidth);
    surface.font = SMALL;
    surface.textAlign = "center";
    surface.textBaseline = "top";
    surface.fillStyle = theme.get().soft;
    measure.font = SMALL;
    for (let t = Math.ceil(first / every) * every; t < last; t += every) {
      let text = named ? label(shown.recording.about.tokens[t].text) : String(t);
      while (measure.measureText(text).width > columnWidth * every - 4 && text.length > 1)
        text = `${[...text].slice(0, -2).join("")}…`;
      surface.fillText(text, LABELS + (t - first + 0.5) * columnWidth, y);
    }
  }

  return {
    title() {
      const { cell, unit: n } = now();
      return `layer ${cell.layer} ${cell.direction}, unit ${n}`;
    },
    height(width) {
      const shown = now();
      const text = layOut(shown, width).lines * LINE;
      return text + GAP + GAP + placeBands(unit.bands()).height + FOOT;
    },
    draw(surface, width) {
      const shown = now();
      const text = layOut(shown, width);
      const top = text.lines * LINE;
      drawScale(surface, drawText(surface, shown, text), top + GAP / 2);
      surface.save();
      surface.translate(0, top + 2 * GAP);
      drawFrame(surface, shown, width);
      const { first, last } = stretch(shown);
      const columnWidth = (width - LABELS) / (last - first);
      const window = { first, last, offset: LABELS, columnWidth };
      // A file is looked at more closely than a screen.
      const options = { theme: theme.get(), lines: state.lines.get(), pixel: 0.5 };
      drawLines(surface, unit.bands(), shown, window, options);
      drawFoot(surface, shown, { columnWidth, y: placeBands(unit.bands()).height + 8 });
      surface.restore();
    },
    table() {
      const shown = now();
      const { first, last } = stretch(shown);
      const names = Object.keys(shown.series ?? {});
      const rows = [];
      for (let t = first; t < last; t++) {
        const token = label(shown.recording.about.tokens[t].text);
        rows.push([t, token, ...names.map((name) => shown.series?.[name][t] ?? NaN)]);
      }
      return { caption: shown.name, columns: ["timestep", "token", ...names], rows };
    },
    slice() {
      const { cell, unit: n, series } = now();
      const { first, last } = stretch(now());
      const names = Object.keys(series ?? {}).map((q) => `${cell.layer}.${cell.direction}.${q}`);
      return { names, start: first, stop: last, units: [n] };
    },
  };
}

/** The next of 1, 2, 5, 10, 20, … @param {number} least */
function stepOf(least) {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, least)));
  return power * ([1, 2, 5].find((n) => n * power >= least) ?? 10);
}
