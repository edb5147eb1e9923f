// The comparison as a picture to keep, and as a table: a row for every pair of timesteps.

/** @import {Recording} from '../recording.js' */
/** @import {Figure, Surface} from '../types.js' */
/** @import {PicturesView} from './pictures.js' */
/** @import {Known, Room} from './room.js' */

import { axis } from "../time/axis.js";
import { context2d, element } from "../dom.js";
import { fixed } from "../format.js";
import { label } from "../label.js";
import { scaleY } from "../unit/lines.js";
import { tickText } from "../unit/picture.js";
import { partingOf } from "./alignment.js";
import { drawMeasures } from "./lines.js";
import { modelWords, shortText } from "./run-words.js";
import { bandsFor, measureEnds, placeMeasures } from "./measures.js";
import { cellWords, shortWords } from "./sides.js";

const FAMILY = "ui-sans-serif, system-ui, 'Segoe UI', Roboto, 'Noto Sans', sans-serif";
const SMALL = `11px ${FAMILY}`;
const LABELS = 112;
const TOKENS = 20;
const GAP = 14;
const FOOT = 24;
/** The line that names the pinned run. */
const NAMED = 20;

/** @param {Room} room @param {PicturesView} pictures @returns {Figure} */
export function createCompareFigure(room, pictures) {
  const { state, theme } = room;
  const { painting } = pictures;

  /** @returns {Known} */
  function now() {
    const known = room.known();
    if (!known) throw new Error("The comparison has not come yet. Try again in a moment.");
    return known;
  }

  /** Lines of tokens: one of each run. @param {Known} known */
  const tokenLines = ({ pair }) => (pair.crosses ? 2 : 1) * TOKENS;

  /** The columns of the picture. @param {Known} known @param {number} width */
  function columns({ pair }, width) {
    const { first, last } = axis(state, /** @type {Recording} */ (pair.one.recording)).window;
    return { first, last, columnWidth: (width - LABELS) / (last - first), offset: LABELS };
  }

  /** @param {Surface} surface @param {Known} known @param {number} width */
  function drawTokens(surface, known, width) {
    const { pair, alignment } = known;
    const { first, last, columnWidth } = columns(known, width);
    const every = Math.max(1, Math.ceil(40 / columnWidth));
    surface.font = SMALL;
    surface.textAlign = "center";
    const [own, theirs] = [pair.one.recording.about.tokens, pair.other.recording.about.tokens];
    for (let t = Math.ceil(first / every) * every; t < last; t += every) {
      const x = LABELS + (t - first + 0.5) * columnWidth;
      const free = columnWidth * every - 4;
      surface.fillStyle = alignment.kinds[t] === "same" ? theme.get().ink : theme.get().positive;
      surface.fillText(cut(surface, label(own[t].text), free), x, 13);
      if (!pair.crosses) continue;
      const partner = alignment.partner[t];
      surface.fillStyle = theme.get().soft;
      surface.fillText(
        partner < 0 ? "–" : cut(surface, label(theirs[partner].text), free),
        x,
        13 + TOKENS,
      );
    }
    surface.textAlign = "left";
    surface.fillStyle = theme.get().soft;
    surface.fillText(pair.crosses ? "B this run" : "tokens", 0, 13);
    if (pair.crosses) surface.fillText("A pinned run", 0, 13 + TOKENS);
  }

  /** @param {Surface} surface @param {Known} known @param {number} width */
  function drawPictures(surface, known, width) {
    const { pair, alignment } = known;
    const recording = /** @type {Recording} */ (pair.one.recording);
    const screen = axis(state, recording);
    const part = painting.partOf(screen, recording.timesteps);
    const { first, columnWidth } = columns(known, width);
    const tiles = room.pairTiles(pair);
    surface.imageSmoothingEnabled = false;
    for (const row of pictures.layout().rows) {
      const canvas = element("canvas", {
        width: Math.max(1, part.last - part.first),
        height: row.rows,
      });
      const image = new ImageData(canvas.width, canvas.height);
      const place = { stride: canvas.width, top: 0, each: 1 };
      painting.paint(
        new Uint32Array(image.data.buffer),
        place,
        pair,
        row,
        part,
        tiles,
        alignment.partner,
      );
      context2d(canvas).putImageData(image, 0, 0);
      const each = columnWidth * 2 ** part.level;
      const x = LABELS + part.first * each - first * columnWidth;
      surface.save();
      surface.beginPath();
      surface.rect(LABELS, row.top, width - LABELS, row.height);
      surface.clip();
      surface.drawImage(canvas, x, row.top, canvas.width * each, row.height);
      surface.restore();
      const [low, high] = painting.ends(pair, row, tiles).map(tickText);
      const name = {
        one: pair.crosses ? "B " : "",
        other: pair.crosses ? "A " : "",
        difference: "",
      }[row.name];
      surface.font = `12px ${FAMILY}`;
      surface.fillStyle = theme.get().ink;
      const side = row.name === "other" ? pair.other : pair.one;
      surface.fillText(
        row.name === "difference" ? "difference" : name + shortWords(side),
        0,
        row.top + 13,
      );
      surface.font = SMALL;
      surface.fillStyle = theme.get().soft;
      surface.fillText(`${low} to ${high}`, 0, row.top + 28);
    }
  }

  /** @param {Surface} surface @param {Known} known @param {number} width */
  function drawLines(surface, known, width) {
    const { one, other } = known.pair;
    const bands = bandsFor(one.width === other.width);
    placeMeasures(bands).bands.forEach((place, n) => {
      const ends = measureEnds(bands[n], known.series);
      const y = scaleY(place, ends);
      surface.strokeStyle = theme.get().line;
      surface.lineWidth = 1;
      for (const value of ends) {
        surface.beginPath();
        surface.moveTo(LABELS, y(value));
        surface.lineTo(width, y(value));
        surface.stroke();
        surface.font = SMALL;
        surface.textAlign = "right";
        surface.fillStyle = theme.get().soft;
        surface.fillText(tickText(value), LABELS - 5, y(value) + 4);
      }
      surface.textAlign = "left";
      bands[n].measures.forEach((measure, at) => {
        surface.fillStyle = theme.get()[measure.colour];
        const whose =
          { norm: " this", other_norm: " other" }[/** @type {string} */ (measure.name)] ?? "";
        surface.fillText(measure.label + whose, 0, place.top + 16 + at * 18);
      });
    });
    drawMeasures(surface, known, columns(known, width), 0.5, theme.get());
    drawParting(surface, known, width, placeMeasures(bands).height);
  }

  /** Where they part. @param {Surface} surface @param {Known} known @param {number} width @param {number} height */
  function drawParting(surface, known, width, height) {
    const { first, last, columnWidth } = columns(known, width);
    const at = partingOf(known.comparison);
    if (!at || at.timestep < first || at.timestep >= last) return;
    surface.fillStyle = theme.get().positive;
    surface.fillRect(LABELS + (at.timestep - first) * columnWidth, 0, 2, height);
  }

  /** @param {Surface} surface @param {Known} known @param {number} y */
  function drawNumbers(surface, known, y) {
    const { cka, mean_cosine } = known.comparison;
    const at = partingOf(known.comparison);
    const words = [
      cka === null ? "" : `CKA ${fixed(cka)}`,
      mean_cosine === null ? "" : `mean cosine ${fixed(mean_cosine)}`,
      at ? `they part at timestep ${at.timestep}` : "",
    ];
    surface.font = `12px ${FAMILY}`;
    surface.fillStyle = theme.get().ink;
    surface.fillText(words.filter(Boolean).join("   ·   "), LABELS, y);
    if (!known.pair.crosses) return;
    const { text, model } = known.pair.other.recording.about;
    surface.fillStyle = theme.get().soft;
    const name = `A: “${shortText(text)}” · ${modelWords(state, model)}`;
    surface.fillText(name, LABELS, y + NAMED);
  }

  /** Where the cursor is. @param {Surface} surface @param {Known} known @param {number} width @param {number} height */
  function drawCursor(surface, known, width, height) {
    const { first, last, columnWidth } = columns(known, width);
    const t = room.cursor(/** @type {Recording} */ (known.pair.one.recording));
    if (t < first || t >= last) return;
    surface.strokeStyle = theme.get().accent;
    surface.lineWidth = 1.5;
    const x = LABELS + (t - first) * columnWidth;
    surface.strokeRect(x, 1, Math.max(2, columnWidth), height - 2);
  }

  return {
    title() {
      const { one, other, crosses } = now().pair;
      const [a, b] = [one, other].map(({ quantity, cell }) => `${quantity} of ${cellWords(cell)}`);
      return crosses ? `${a}, this run against the pinned run’s ${b}` : `${a} against ${b}`;
    },
    height() {
      const known = now();
      const { one, other } = known.pair;
      const lines = placeMeasures(bandsFor(one.width === other.width)).height;
      const named = known.pair.crosses ? NAMED : 0;
      return tokenLines(known) + pictures.layout().height + GAP + lines + FOOT + named;
    },
    draw(surface, width) {
      const known = now();
      const { one, other } = known.pair;
      surface.textBaseline = "alphabetic";
      drawTokens(surface, known, width);
      surface.save();
      surface.translate(0, tokenLines(known));
      drawPictures(surface, known, width);
      surface.translate(0, pictures.layout().height + GAP);
      drawLines(surface, known, width);
      drawNumbers(
        surface,
        known,
        placeMeasures(bandsFor(one.width === other.width)).height + FOOT - 4,
      );
      surface.restore();
      const lines = placeMeasures(bandsFor(one.width === other.width)).height;
      drawCursor(surface, known, width, tokenLines(known) + pictures.layout().height + GAP + lines);
    },
    table() {
      const { pair, comparison } = now();
      const { one, other } = pair;
      const [own, theirs] = [one, other].map(({ recording }) => recording.about.tokens);
      const number = (/** @type {number | null} */ value) => value ?? NaN;
      const rows = comparison.pairs.map(([t, partner], n) => [
        t ?? "",
        t === null ? "–" : label(own[t].text),
        partner ?? "",
        partner === null ? "–" : label(theirs[partner].text),
        number(comparison.cosine[n]),
        number(comparison.distance[n]),
        number(comparison.relative[n]),
        number(comparison.norm[n]),
        number(comparison.other_norm[n]),
      ]);
      return {
        caption: `${one.name} against ${other.name}${pair.crosses ? " of the pinned run" : ""}`,
        columns: [
          "timestep",
          "token",
          "other timestep",
          "other token",
          "cosine",
          "distance",
          "relative distance",
          "norm",
          "other norm",
        ],
        rows,
      };
    },
    slice() {
      const { one, other, crosses } = now().pair;
      const { first, last } = columns(now(), LABELS + 1);
      const names = crosses ? [one.name] : [one.name, other.name];
      return { names, start: first, stop: last, units: null };
    },
  };
}

/** @param {Surface} surface @param {string} text @param {number} width */
function cut(surface, text, width) {
  let shown = text;
  while (surface.measureText(shown).width > width && [...shown].length > 1)
    shown = `${[...shown].slice(0, -2).join("")}…`;
  return shown;
}
