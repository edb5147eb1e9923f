// What is written on the picture of the network: tokens, predictions, the names of states and rows.

/** @import {Cell, Surface} from '../types.js' */
/** @import {NetworkContent} from './content.js' */
/** @import {Seen, Shot} from './shot.js' */

import { stateNames } from "./content.js";
import { lastOf } from "./scene.js";
import { levelsAt, placing, ramp } from "./shot.js";

const ARROW = { forward: "→", backward: "←" };

/**
 * What stands under the columns: tokens where there is room, else their numbers here and there.
 * @param {Surface} surface
 * @param {Shot} shot
 * @param {NetworkContent} content
 * @param {Seen} seen
 */
export function drawTokens(surface, shot, content, { first, last }) {
  const { recording, scene, theme, family } = shot;
  const at = placing(shot);
  const top = at.y(scene.token.top);
  if (top > shot.lens.height) return;
  const size = fontSize(0.1 * at.sx, 11, 22);
  surface.textBaseline = "top";
  surface.textAlign = "center";
  if (at.sx < 26) {
    const each = niceStep(64 / at.sx);
    surface.font = `11px ${family}`;
    surface.fillStyle = theme.soft;
    for (let t = Math.ceil(first / each) * each; t < last; t += each) {
      surface.fillRect(at.x(t + 0.5), top, 1, 3);
      surface.fillText(String(t), at.x(t + 0.5), top + 5);
    }
    return;
  }
  surface.fillStyle = theme.ink;
  surface.font = `600 ${size}px ${family}`;
  for (let t = first; t < last; t++) {
    const text = shortened(surface, content.token(recording, t), 0.94 * at.sx);
    surface.fillText(text, at.x(t + 0.5), top);
  }
  const shown = ramp(at.sx, 60, 90);
  if (!shown) return;
  const alpha = surface.globalAlpha;
  surface.globalAlpha = alpha * shown;
  surface.fillStyle = theme.soft;
  surface.font = `${Math.min(13, size * 0.85)}px ${family}`;
  for (let t = first; t < last; t++)
    surface.fillText(`timestep ${t}`, at.x(t + 0.5), top + size * 1.25, at.sx);
  surface.globalAlpha = alpha;
}

/** Half pixels: a font of every size there is would have to be made while zooming. @param {number} wished @param {number} least @param {number} most */
const fontSize = (wished, least, most) =>
  Math.round(2 * Math.max(least, Math.min(most, wished))) / 2;

/** 1, 2 or 5 times a power of ten, not below. @param {number} least */
export function niceStep(least) {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, least)));
  return power * ([1, 2, 5].find((n) => n * power >= least) ?? 10);
}

/** As much of a text as fits, in the surface's font. @param {Surface} surface @param {string} text @param {number} width */
function shortened(surface, text, width) {
  const whole = surface.measureText(text).width;
  if (whole <= width) return text;
  const characters = [...text];
  const count = Math.max(1, Math.floor((characters.length * width) / whole) - 1);
  return `${characters.slice(0, count).join("")}…`;
}

/** What the head says above each column. @param {Surface} surface @param {Shot} shot @param {NetworkContent} content @param {Seen} seen */
export function drawHeads(surface, shot, content, { first, last }) {
  const { recording, scene, theme, family } = shot;
  if (!scene.head) return drawOutputs(surface, shot, first, last);
  const at = placing(shot);
  const { top, bottom } = scene.head;
  const [y, height] = [at.y(top), (bottom - top) * at.sy];
  if (y + height < 0) return;
  const [left, width] = [0.06, 0.88 * at.sx];
  surface.beginPath();
  for (let t = first; t < last; t++)
    surface.roundRect(at.x(t + left), y, width, height, Math.min(8, height * 0.3));
  surface.fillStyle = theme.background;
  surface.fill();
  surface.strokeStyle = theme.faint;
  surface.lineWidth = 1;
  surface.stroke();
  const size = fontSize(Math.min(height * 0.42, 0.24 * at.sx), 9, 20);
  surface.textBaseline = "middle";
  surface.textAlign = "center";
  for (let t = first; t < last; t++) {
    const said = content.prediction(recording, t);
    if (!said) continue;
    const x = at.x(t + left);
    if (said.part !== null) {
      surface.fillStyle = theme.accent;
      surface.fillRect(x + 4, y + height - 4, Math.max(1, said.part * (width - 8)), 2);
    }
    surface.fillStyle = theme.ink;
    surface.font = `${size}px ${family}`;
    const scored = at.sx > 130 && said.part !== null ? `${said.text}  ${said.score}` : said.text;
    surface.fillText(shortened(surface, scored, width - 8), x + width / 2, y + height / 2 - 1);
  }
}

/** Where no head reads what the highest layer gives. @param {Surface} surface @param {Shot} shot @param {number} first @param {number} last */
function drawOutputs(surface, shot, first, last) {
  const points = shot.scene.output?.points;
  if (!points) return;
  const at = placing(shot);
  const size = fontSize(0.08 * at.sx, 10, 16);
  surface.font = `${size}px ${shot.family}`;
  surface.fillStyle = shot.theme.soft;
  surface.textBaseline = "bottom";
  surface.textAlign = "center";
  const [x, y] = points.slice(-2);
  for (let t = first; t < last; t++) surface.fillText("output", at.x(t + x), at.y(y) - 3, at.sx);
}

/**
 * The states a cell begins and ends with, beside the sequence: backward ends at the first token.
 * @param {Surface} surface
 * @param {Shot} shot
 */
export function drawEnds(surface, shot) {
  const { recording, scene, theme, lens } = shot;
  const at = placing(shot);
  const size = fontSize(0.07 * at.sy, 10, 14);
  surface.font = `${size}px ${shot.family}`;
  surface.textBaseline = "middle";
  for (const row of scene.rows) {
    const names = stateNames(recording, row.cell);
    for (const [wires, suffix, t] of /** @type {const} */ ([
      [row.initial, "0", scene.timesteps - 1 - lastOf(scene, row)],
      [row.final, "n", lastOf(scene, row)],
    ])) {
      const [c, h] = wires;
      const outer = suffix === "0" ? 0 : c.points.length - 2;
      const x = at.x(c.points[outer] + t);
      const leftEnd = t === 0 && c.points[outer] < 0.5;
      if (leftEnd ? x < -20 : x > lens.width + 20) continue;
      surface.textAlign = leftEnd ? "right" : "left";
      const place = x + (leftEnd ? -5 : 5);
      surface.fillStyle = suffix === "n" ? theme.ink : theme.soft;
      const [yc, yh] = [at.y(c.points[1]), at.y(h.points[1])];
      if (yh < -size || yc > lens.height + size) continue;
      if (yh - yc < size * 1.1) {
        surface.fillText(`${names[`h_${suffix}`]}`, place, (yc + yh) / 2);
        continue;
      }
      surface.fillText(names[`c_${suffix}`], place, yc);
      surface.fillText(names[`h_${suffix}`], place, yh);
    }
  }
}

/**
 * The names of the rows at the left edge, the selected one stronger.
 * @param {Surface} surface
 * @param {Shot} shot
 * @param {Cell} selected
 */
export function drawRowNames(surface, shot, selected) {
  const { scene, theme, lens, family } = shot;
  const at = placing(shot);
  const narrow = lens.width < 560;
  const { inside, heads } = levelsAt(shot.camera.scale);
  const size = fontSize(0.22 * at.sy, 10, 13);
  surface.textBaseline = "middle";
  surface.textAlign = "left";
  const height = size + 8;
  /** @param {string} text @param {number} top @param {number} bottom @param {boolean} strong */
  const draw = (text, top, bottom, strong) => {
    const [y0, y1] = [at.y(top), at.y(bottom)];
    if (y1 < height || y0 > lens.height - height) return;
    // In the middle of what is seen of the row; above what is read, where there is something to read.
    const middle = (Math.max(0, y0) + Math.min(lens.height, y1)) / 2;
    const y = middle + (Math.max(0, y0) + height / 2 + 4 - middle) * inside;
    surface.font = `${strong ? 600 : 500} ${size}px ${family}`;
    const width = surface.measureText(text).width + 12;
    surface.globalAlpha = 0.86;
    surface.fillStyle = theme.background;
    surface.beginPath();
    surface.roundRect(4, y - height / 2, width, height, height / 2);
    surface.fill();
    surface.globalAlpha = 1;
    surface.fillStyle = strong ? theme.accent : theme.soft;
    surface.fillText(text, 10, y + 0.5);
  };
  for (const { cell, top, bottom } of scene.rows) {
    const { layer, direction } = cell;
    const strong = layer === selected.layer && direction === selected.direction;
    draw(`${narrow ? "" : "layer "}${layer} ${ARROW[direction]}`, top, bottom, strong);
  }
  draw(narrow ? "x" : "input x", scene.input.top, scene.input.bottom, false);
  if (scene.head && heads && !narrow) draw("prediction", scene.head.top, scene.head.bottom, false);
}
