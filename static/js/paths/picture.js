// The spaces, drawn the same way on the screen and into a file.

/** @import {Surface} from '../types.js' */
/** @import {Panel, Shot} from './shot.js' */

import { overlap, placeAll } from "./labels.js";
import { HEAD } from "./layout.js";
import { axisName } from "./paths.js";
import { roundLength } from "./projection.js";
import { LABEL, around, tokenAt } from "./shot.js";
import { addPoint } from "./styles.js";

/** What has not been passed. */
const FAINT = 0.3;
/** How much of it is left of what is furthest away. */
const FURTHEST = 0.35;
/** Steps of depth. */
const LEVELS = 5;
/** Points before the current one that a long path shows strongest. */
const TAIL = 24;
/** Half of the width of the point of now. */
const NOW = 6;

/** @param {Shot} shot @param {number} size @param {number} [weight] */
const font = ({ family }, size, weight = 400) => `${weight} ${size}px ${family}`;

/**
 * Which points belong together: those as deep as each other.
 * @param {Float32Array | null} near
 * @param {number} at
 */
const levelOf = (near, at) =>
  near ? Math.max(0, Math.min(LEVELS - 1, Math.floor(near[at] * LEVELS))) : LEVELS - 1;

/** How much of a colour is left, and of a size, at a depth. @param {number} level */
const opacityOf = (level) => FURTHEST + ((1 - FURTHEST) * level) / (LEVELS - 1);
/** @param {number} level @param {boolean} flat */
const sizeOf = (level, flat) => (flat ? 1 : 0.7 + (0.6 * level) / (LEVELS - 1));

/**
 * A part of a path.
 * @param {Surface} surface
 * @param {Shot} shot
 * @param {Panel} panel
 * @param {number} n  which path
 * @param {number} from
 * @param {number} to  not included
 * @param {{alpha: number, width: number}} how
 */
function drawPart(surface, shot, panel, n, from, to, { alpha, width }) {
  const path = panel.space.paths[n];
  const { x, y, near } = panel.places[n];
  const hues = panel.hues[n];
  const own = shot.palette[path.style.colour];
  const first = Math.max(0, from);
  if (shot.choices.join) {
    surface.strokeStyle = hues ? shot.theme.soft : own;
    surface.lineWidth = width;
    surface.setLineDash(path.style.dash);
    for (let level = near ? 0 : LEVELS - 1; level < LEVELS; level++) {
      surface.globalAlpha = alpha * (near ? opacityOf(level) : 1) * (hues ? 0.7 : 1);
      surface.beginPath();
      let open = -1;
      for (let at = Math.max(1, first); at < to; at++) {
        if (!isFinite(x[at] + x[at - 1]) || levelOf(near, at) !== level) continue;
        if (open !== at - 1) surface.moveTo(x[at - 1], y[at - 1]);
        surface.lineTo(x[at], y[at]);
        open = at;
      }
      surface.stroke();
    }
    surface.setLineDash([]);
  }
  // Without lines the points are all there is to see.
  const size = shot.size * (shot.choices.join ? 1 : 1.25);
  for (let level = near ? 0 : LEVELS - 1; level < LEVELS; level++) {
    surface.globalAlpha = alpha * (near ? opacityOf(level) : 1);
    for (const hue of hues ? new Set(hues.subarray(first, to)) : [-1]) {
      surface.fillStyle = hue < 0 ? own : shot.swatches[hue];
      surface.beginPath();
      for (let at = first; at < to; at++) {
        if (!isFinite(x[at]) || levelOf(near, at) !== level) continue;
        if (hues && hues[at] !== hue) continue;
        addPoint(surface, path.style.shape, x[at], y[at], size * sizeOf(level, !near));
      }
      surface.fill();
    }
  }
  surface.globalAlpha = 1;
}

/** A ring where a path begins. @param {Surface} surface @param {Shot} shot @param {Panel} panel @param {number} n */
function drawStart(surface, shot, panel, n) {
  const { x, y } = panel.places[n];
  const { style, timesteps } = panel.space.paths[n];
  if (timesteps < 2 || !isFinite(x[0])) return;
  surface.strokeStyle = panel.hues[n] ? shot.theme.soft : shot.palette[style.colour];
  surface.lineWidth = 1.25;
  surface.beginPath();
  surface.arc(x[0], y[0], Math.max(4.5, shot.size + 2.5), 0, 2 * Math.PI);
  surface.stroke();
}

/** From the lowest to the run on the screen. @param {Panel} panel @param {(n: number) => void} draw */
function overPaths({ space, places }, draw) {
  for (let n = Math.min(space.paths.length, places.length) - 1; n >= 0; n--) draw(n);
}

/**
 * What does not move: frames, axes, and all paths faintly.
 * @param {Surface} surface
 * @param {Shot} shot
 * @param {{titles?: (panel: Panel) => string}} [options]  titles are drawn where no element says them
 */
export function drawBase(surface, shot, { titles } = {}) {
  for (const panel of shot.panels) {
    drawFrame(surface, shot, panel);
    if (titles) {
      surface.font = font(shot, 12, 600);
      surface.textAlign = "left";
      surface.textBaseline = "middle";
      surface.fillStyle = shot.theme.ink;
      surface.fillText(titles(panel), panel.box.x + 8, panel.box.y + HEAD / 2);
    }
    overPaths(panel, (n) => drawStart(surface, shot, panel, n));
    if (!shot.long)
      overPaths(panel, (n) =>
        drawPart(surface, shot, panel, n, 0, panel.space.paths[n].timesteps, {
          alpha: FAINT,
          width: 1.25,
        }),
      );
  }
}

/** @param {Surface} surface @param {Shot} shot @param {Panel} panel */
function drawFrame(surface, shot, panel) {
  const { box, view, space } = panel;
  const { theme, choices } = shot;
  surface.strokeStyle = theme.line;
  surface.lineWidth = 1;
  surface.strokeRect(box.x + 0.5, box.y + 0.5, box.width - 1, box.height - 1);
  surface.font = font(shot, 11);
  surface.fillStyle = theme.soft;
  if (!view) {
    surface.textAlign = "center";
    surface.textBaseline = "middle";
    surface.fillText("no state here is finite", box.x + box.width / 2, box.y + box.height / 2);
    return;
  }
  if (choices.dims === 3) drawTripod(surface, shot, panel);
  else drawAxes(surface, shot, panel);
  // A length to measure with: distances mean the same in all directions.
  const unit = roundLength(view.scale, Math.min(90, box.width / 4));
  if (!space.paths.some(({ points }) => points.some((value) => value && isFinite(value)))) return;
  const [right, y] = [box.x + box.width - 10.5, box.y + box.height - 9.5];
  const left = Math.round(right - unit * view.scale) + 0.5;
  surface.strokeStyle = theme.soft;
  surface.beginPath();
  surface.moveTo(left, y - 3);
  surface.lineTo(left, y);
  surface.lineTo(right, y);
  surface.lineTo(right, y - 3);
  surface.stroke();
  surface.textAlign = "right";
  surface.textBaseline = "alphabetic";
  surface.fillText(String(Number(unit.toPrecision(1))), left - 4, y + 2);
}

/** The mean of all states is where the axes meet. @param {Surface} surface @param {Shot} shot @param {Panel} panel */
function drawAxes(surface, { theme }, { box, inner, view, space }) {
  if (!view) return;
  const x = Math.round(view.x - view.centre[0] * view.scale) + 0.5;
  const y = Math.round(view.y + view.centre[1] * view.scale) + 0.5;
  surface.strokeStyle = theme.line;
  surface.beginPath();
  surface.moveTo(box.x + 1, y);
  surface.lineTo(box.x + box.width - 1, y);
  surface.moveTo(x, box.y + HEAD);
  surface.lineTo(x, inner.y + inner.height + 8);
  surface.stroke();
  surface.textAlign = "left";
  surface.textBaseline = "alphabetic";
  const below = box.y + box.height - 8;
  surface.fillText(`→ ${axisName(space.explained, 0)}`, box.x + 9, below);
  surface.textAlign = "right";
  surface.textBaseline = "middle";
  surface.fillText(
    `↑ ${axisName(space.explained, 1)}`,
    box.x + box.width - 9,
    box.y + HEAD / 2 + 1,
  );
}

/** Three little axes, turned as the space is. @param {Surface} surface @param {Shot} shot @param {Panel} panel */
function drawTripod(surface, { theme }, { box, view, space }) {
  if (!view) return;
  const [x, y, length] = [box.x + 34, box.y + box.height - 34, 20];
  const axes = [0, 1, 2].map((axis) => ({
    axis,
    dx: view.rows[0][axis],
    dy: -view.rows[1][axis],
    near: view.rows[2][axis],
  }));
  surface.textBaseline = "middle";
  surface.textAlign = "center";
  for (const { axis, dx, dy, near } of axes.sort((a, b) => a.near - b.near)) {
    surface.globalAlpha = near < 0 ? 0.55 : 1;
    surface.strokeStyle = theme.soft;
    surface.lineWidth = 1.25;
    surface.beginPath();
    surface.moveTo(x, y);
    surface.lineTo(x + length * dx, y + length * dy);
    surface.stroke();
    surface.fillText(String(axis + 1), x + (length + 8) * dx, y + (length + 8) * dy);
  }
  surface.globalAlpha = 1;
  surface.textAlign = "right";
  const names = [0, 1, 2].map((axis) => axisName(space.explained, axis));
  const room = box.width > 400 ? [names.join("   ")] : names;
  room.forEach((name, n) =>
    surface.fillText(name, box.x + box.width - 9, box.y + HEAD / 2 + 1 + 14 * n),
  );
}

/**
 * What has been passed, strongly.
 * @param {Surface} surface
 * @param {Shot} shot
 * @param {Panel} panel
 * @param {readonly number[]} passed  points, of each path
 */
function drawPassed(surface, shot, panel, passed) {
  overPaths(panel, (n) => {
    const to = passed[n];
    if (shot.long) drawPart(surface, shot, panel, n, to - TAIL, to, { alpha: 1, width: 1.75 });
    else drawPart(surface, shot, panel, n, 0, to, { alpha: 1, width: 0.6 + 0.4 * shot.size });
  });
}

/**
 * What a step moves: what has been passed, where every path is now, and the tokens there.
 * @param {Surface} surface
 * @param {Shot} shot
 * @param {Panel} panel
 * @param {readonly number[]} passed  points, of each path
 * @param {NowLabel[]} now
 */
export function drawStep(surface, shot, panel, passed, now) {
  if (!panel.view) return;
  drawPassed(surface, shot, panel, passed);
  drawNow(surface, shot, panel, passed);
  drawNowLabels(surface, shot, now);
}

/** @typedef {{text: string, now: boolean, place: import('./projection.js').Box}} NowLabel */

/**
 * Labels of the points of now and of those beside them.
 * @param {Shot} shot
 * @param {Panel} panel
 * @param {readonly number[]} passed
 * @returns {NowLabel[]}
 */
export function nowLabels(shot, panel, passed) {
  if (!panel.view) return [];
  const wanted = panel.space.paths.flatMap((path, n) => {
    const now = passed[n] - 1;
    if (path.run || now < 0) return [];
    return [now, now - 1, now + 1].flatMap((at) => {
      if (at < 0 || at >= path.timesteps || (at !== now && !shot.choices.tokens)) return [];
      const text = tokenAt(shot, path, at);
      const { x, y } = panel.places[n];
      const size = at === now ? NOW + 2 : shot.size;
      const width = shot.widthOf(text) + 8;
      return [{ x: x[at], y: y[at], width, size, text, now: at === now }];
    });
  });
  // In one space of many cells: the tokens of now before those beside them.
  wanted.sort((a, b) => Number(b.now) - Number(a.now));
  const height = LABEL.height + 2;
  const found = placeAll(wanted, { box: around(panel.inner, panel.box), height, gap: 1 });
  return wanted.flatMap(({ text, now }, n) => {
    const place = found[n];
    return place ? [{ text, now, place }] : [];
  });
}

/**
 * Whether each label of a panel is shown: those of points make room for those of now.
 * @param {Panel} panel
 * @param {readonly number[]} passed
 * @param {NowLabel[]} now
 */
export function labelsShown(panel, passed, now) {
  const marks = panel.places.flatMap(({ x, y }, n) => {
    const at = passed[n] - 1;
    return at < 0 ? [] : [{ x: x[at] - NOW, y: y[at] - NOW, width: 2 * NOW, height: 2 * NOW }];
  });
  const taken = [...marks, ...now.map(({ place }) => place)];
  return panel.labels.map(
    ({ path, at, box }) =>
      Math.abs(at - passed[path] + 1) > 1 && !taken.some((other) => overlap(other, box)),
  );
}

/** Labels of points. @param {Surface} surface @param {Shot} shot @param {Panel["labels"]} labels */
export function drawLabels(surface, shot, labels) {
  if (!labels.length) return;
  surface.font = font(shot, 11);
  surface.textAlign = "center";
  surface.textBaseline = "middle";
  surface.fillStyle = shot.theme.background;
  surface.globalAlpha = 0.72;
  for (const { box } of labels) surface.fillRect(box.x, box.y, box.width, box.height);
  surface.globalAlpha = 1;
  surface.fillStyle = shot.theme.soft;
  for (const { text, box } of labels)
    surface.fillText(text, box.x + box.width / 2, box.y + box.height / 2 + 0.5);
}

/** @param {Surface} surface @param {Shot} shot @param {Panel} panel @param {readonly number[]} passed */
function drawNow(surface, shot, panel, passed) {
  const { theme, palette } = shot;
  overPaths(panel, (n) => {
    const at = passed[n] - 1;
    const { x, y } = panel.places[n];
    if (at < 0 || !isFinite(x[at])) return;
    const { style, run } = panel.space.paths[n];
    const size = run ? NOW - 1.5 : NOW;
    const hue = panel.hues[n]?.[at];
    for (const [colour, more] of [
      [theme.background, 3.5],
      [run ? theme.background : theme.ink, 1.8],
      [hue === undefined ? palette[style.colour] : shot.swatches[hue], 0],
    ]) {
      surface.fillStyle = /** @type {string} */ (colour);
      surface.beginPath();
      addPoint(surface, style.shape, x[at], y[at], size + Number(more));
      surface.fill();
    }
  });
}

/** @param {Surface} surface @param {Shot} shot @param {NowLabel[]} labels */
function drawNowLabels(surface, shot, labels) {
  surface.textAlign = "center";
  surface.textBaseline = "middle";
  for (const { text, now, place } of labels) {
    surface.fillStyle = shot.theme.background;
    surface.globalAlpha = now ? 0.9 : 0.72;
    surface.beginPath();
    surface.roundRect(place.x, place.y, place.width, place.height, 4);
    surface.fill();
    surface.globalAlpha = 1;
    surface.font = font(shot, 11.5, now ? 700 : 400);
    surface.fillStyle = now ? shot.theme.accent : shot.theme.ink;
    surface.fillText(text, place.x + place.width / 2, place.y + place.height / 2 + 0.5);
  }
}

/** A path as the legend shows it. @param {Surface} surface @param {string} colour @param {import('./styles.js').Style} style @param {{join: boolean}} how */
export function drawSwatch(surface, colour, { shape, dash }, { join }) {
  surface.strokeStyle = surface.fillStyle = colour;
  surface.lineWidth = 1.75;
  if (join) {
    surface.setLineDash(dash);
    surface.beginPath();
    surface.moveTo(0, 7);
    surface.lineTo(34, 7);
    surface.stroke();
    surface.setLineDash([]);
  }
  surface.beginPath();
  addPoint(surface, shape, 17, 7, 3.8);
  surface.fill();
}
