// What the picture of the network shows of a recording: names, colours, vectors, pooled pictures; and
// what has to be asked for before it can be shown.

/** @import {Cell, Model} from '../types.js' */
/** @import {Page} from '../page.js' */
/** @import {Recording} from '../recording.js' */
/** @import {Row, Scene} from './scene.js' */

import { cellArrays, createCellContents } from "../cell/content.js";
import { fitted } from "../colour.js";
import { context2d } from "../dom.js";
import { createCellStrips, STRIP } from "../cell/picture-strips.js";
import { levelOf, networkRowHeight } from "../geometry.js";
import { columnsOf, paintPicture, topLevel } from "../heatmaps/painter.js";
import { label } from "../label.js";
import { TILE } from "../heatmaps/pooling.js";
import { best, shownScore } from "../predictions.js";
import { modelOf } from "../state.js";

/** Columns that a pooled picture reaches beyond what is seen, so that it need not be made at every move. */
const BEYOND = 64;

/** Predictions that are kept. */
const KEPT = 1000;

/** The array of a cell's h. @param {Cell} cell */
export const arrayOf = ({ layer, direction }) => `${layer}.${direction}.h`;

/** How the head of a recording's model reads, null without a head. @param {Page} page @param {Recording} recording */
export function headReads({ state }, recording) {
  if (!recording.about.predictions) return null;
  return modelOf(state, recording.about.model)?.reads ?? "each";
}

/**
 * A pooled picture of part of a row.
 * @typedef {{canvas: HTMLCanvasElement, left: number, right: number}} Pooled  from column to column
 */

/** @param {Page} page */
export function createNetworkContent(page) {
  const { state } = page;
  const strips = createCellStrips();
  const cells = createCellContents(state);
  /** One picture for every row. @type {Map<string, Pooled & {key: string}>} */
  const pooled = new Map();
  /** Predictions by timestep: a vocabulary may have a hundred thousand. @type {Map<number, {text: string, score: string, part: number | null}>} */
  const said = new Map();
  /** @type {Recording | null} */
  let of = null;
  let missing = false;

  /** What is asked for after this is of one picture. @param {Recording} recording */
  function begin(recording) {
    missing = false;
    if (of === recording) return;
    of = recording;
    strips.clear();
    pooled.clear();
    said.clear();
  }

  /** @param {Recording} recording @param {string} name */
  function coloursOf(recording, name) {
    const { low: least, high: most } = recording.described(name) ?? { low: null, high: null };
    const fixed = name !== "x" && state.scale.get() === "fixed";
    const [low, high] = fixed ? [-1, 1] : fitted(least, most, "diverging");
    const { tables, background } = page.theme.get();
    // As in the network above the tabs: a tile is coloured once for both.
    return { low, high, table: tables.diverging, key: `${low} ${high} ${background}` };
  }

  /** @param {Recording} recording @param {string} name */
  const poolingOf = (recording, name) => ({
    unitsPerRow: Math.ceil(
      (recording.described(name)?.shape[1] ?? 1) / networkRowHeight(recording.rows.length + 1),
    ),
    statistic: state.statistic.get(),
    sort: /** @type {const} */ ("index"),
    sortOf: "h",
    unit: 0,
  });

  return {
    begin,

    /** Whether something was not here that was asked for since `begin`. */
    get missing() {
      return missing;
    },

    /**
     * Ask for the pooled pictures of some rows; for none where nothing pooled is seen.
     * @param {Recording} recording
     * @param {string[]} names
     * @param {{first: number, last: number}} window  timesteps
     * @param {number} columnWidth  pixels of a timestep
     */
    wantPooled(recording, names, window, columnWidth) {
      const level = levelOf(columnWidth, devicePixelRatio || 1);
      const coarsest = Math.max(level, topLevel(recording.timesteps));
      const { first, last } = columnsOf(window, level);
      const wanted = [];
      for (const name of names) {
        const pooling = poolingOf(recording, name);
        for (let tile = Math.floor(first / TILE); tile * TILE < last; tile++)
          wanted.push({ name, pooling, level, tile });
        if (coarsest > level) wanted.push({ name, pooling, level: coarsest, tile: 0 });
      }
      page.tiles(recording).want("map", wanted);
    },

    /**
     * The pooled picture of a row, as good as it is here.
     * @param {Recording} recording
     * @param {string} name
     * @param {{first: number, last: number}} window
     * @param {number} columnWidth
     * @returns {Pooled}
     */
    pooled(recording, name, window, columnWidth) {
      const level = levelOf(columnWidth, devicePixelRatio || 1);
      const each = 2 ** level;
      const columns = Math.ceil(recording.timesteps / each);
      const seen = columnsOf(window, level);
      const first = Math.max(0, Math.floor(seen.first / BEYOND) * BEYOND);
      const last = Math.min(columns, Math.ceil(seen.last / BEYOND) * BEYOND);
      const { low, high, table, key } = coloursOf(recording, name);
      const pooling = poolingOf(recording, name);
      const whole = [level, first, last, pooling.statistic, key].join(" ");
      const found = pooled.get(name);
      if (found?.key === whole) return found;
      const rows = Math.ceil((recording.described(name)?.shape[1] ?? 1) / pooling.unitsPerRow);
      const image = new ImageData(last - first, rows);
      const tiles = page.tiles(recording);
      const complete = paintPicture(
        new Uint32Array(image.data.buffer),
        { stride: last - first, top: 0, each: 1, rows },
        { level, top: Math.max(level, topLevel(recording.timesteps)), first, last },
        (at, tile) => tiles.get({ name, pooling, level: at, tile }),
        { lows: [low], highs: [high], table, key },
      );
      if (!complete) missing = true;
      const canvas = found?.canvas ?? document.createElement("canvas");
      [canvas.width, canvas.height] = [image.width, image.height];
      context2d(canvas).putImageData(image, 0, 0);
      const picture = {
        canvas,
        left: first * each,
        right: Math.min(last * each, recording.timesteps),
        key: complete ? whole : "",
      };
      pooled.set(name, picture);
      return picture;
    },

    /**
     * The strip that holds a timestep of an array.
     * @param {Recording} recording
     * @param {string} name
     * @param {number} timestep
     * @param {Row["body"]} body
     */
    strip(recording, name, timestep, body) {
      const strip = strips.get(name, Math.floor(timestep / STRIP), {
        units: recording.described(name)?.shape[1] ?? 1,
        timesteps: recording.timesteps,
        body,
        rowAt: (t) => recording.row(name, t),
        colours: coloursOf(recording, name),
        arrived: state.arrived.get(),
      });
      if (!strip.complete) missing = true;
      return strip;
    },

    /**
     * Ask for the vectors of what is seen, and for the insides of cells that are near.
     * @param {Recording} recording
     * @param {Scene} scene
     * @param {{first: number, last: number, rows: Row[]}} seen
     * @param {{heads: number, inside: number}} levels
     */
    wantRows(recording, scene, seen, { heads, inside }) {
      const names = [...scene.rows.map(({ cell }) => arrayOf(cell)), "x"];
      if (scene.head && heads) names.push("scores");
      const near = inside ? seen.rows.flatMap(({ cell }) => cellArrays(recording, cell)) : [];
      const all = [...new Set([...names, ...near])];
      if (recording.whole && all.every((name) => recording.array(name))) return;
      recording.want(names, seen.first, seen.last);
      if (inside) recording.want(all, seen.first - 1, seen.last + 1);
    },

    /** What the drawing of a cell shows. @param {Recording} recording @param {Cell} cell @param {number} timestep */
    cell(recording, cell, timestep) {
      const found = cells(recording, cell, timestep);
      if (Object.values(found.vectors).includes(undefined)) missing = true;
      return found;
    },

    /** @param {Recording} recording @param {number} timestep */
    token: ({ about }, timestep) => label(about.tokens[timestep].text),

    /**
     * @param {Recording} recording
     * @param {number} timestep
     */
    prediction(recording, timestep) {
      const known = said.get(timestep);
      if (known) return known;
      const found = best(recording, timestep);
      if (!found) {
        if (!recording.row("scores", timestep)) missing = true;
        return null;
      }
      const value = recording.about.predictions?.task === "value";
      const score = shownScore(recording, found.score);
      const text = value ? score : label(found.label);
      const prediction = { text, score, part: value ? null : found.score };
      if (said.size >= KEPT) said.clear();
      said.set(timestep, prediction);
      return prediction;
    },
  };
}

/** @typedef {ReturnType<typeof createNetworkContent>} NetworkContent */

/**
 * What PyTorch calls the states a cell begins and ends with: h_n[1] is the second one of h_n. Of
 * modules in a list each has its own.
 * @param {Recording} recording
 * @param {Cell} cell
 */
export function stateNames({ layers, about }, { layer, direction }) {
  const { modules } = about.lstm;
  const { kind } = modules[layers[layer].module];
  const below = layers.slice(0, layer).filter(({ module }) => module === layers[layer].module);
  const index =
    below.reduce((sum, { directions }) => sum + directions.length, 0) +
    layers[layer].directions.indexOf(direction);
  const place = modules.length > 1 || kind !== "LSTM" ? "" : `[${index}]`;
  return { h_0: `h_0${place}`, c_0: `c_0${place}`, h_n: `h_n${place}`, c_n: `c_n${place}` };
}

/** @param {ArrayLike<number>} values */
export function norm(values) {
  let sum = 0;
  for (let n = 0; n < values.length; n++) sum += values[n] * values[n];
  return Math.sqrt(sum);
}
