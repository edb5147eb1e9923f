// The unrolled network as the camera sees it: far away a band for every row, nearer its cells and
// wires, at last the inside of each cell. One level fades into the next. Nothing here depends on the
// step: that is draw/network-flow-picture.js.

/** @import {Surface} from '../types.js' */
/** @import {NetworkContent} from './content.js' */
/** @import {Seen, Shot} from './shot.js' */

import { viewOf } from "./camera.js";
import { arrayOf } from "./content.js";
import { visible } from "./scene.js";
import { drawCellPicture } from "../cell/picture.js";
import { drawPart, STRIP } from "../cell/picture-strips.js";
import { drawEnds, drawHeads, drawTokens } from "./labels.js";
import { boxOf, levelsAt, placing, ramp } from "./shot.js";
import { drawShortWires, drawWires } from "./wires.js";

/**
 * @param {Surface} surface
 * @param {Shot} shot
 * @param {NetworkContent} content
 */
export function drawNetwork(surface, shot, content) {
  const { recording, scene, lens, camera } = shot;
  content.begin(recording);
  const levels = levelsAt(camera.scale);
  const view = viewOf(lens, camera);
  const seen = visible(scene, view);
  const names = levels.bands ? [...scene.rows.map(({ cell }) => arrayOf(cell)), "x"] : [];
  content.wantPooled(recording, names, seen, camera.scale);
  if (levels.cells) content.wantRows(recording, scene, seen, levels);
  surface.imageSmoothingEnabled = false;
  surface.setLineDash([]);
  const alpha = surface.globalAlpha;
  const faded = (/** @type {number} */ part, /** @type {() => void} */ draw) => {
    if (part <= 0) return;
    surface.globalAlpha = alpha * part;
    draw();
    surface.globalAlpha = alpha;
  };
  faded(levels.bands, () => drawBands(surface, shot, content, seen));
  faded(levels.frames * (1 - levels.wires), () => drawShortWires(surface, shot, seen));
  faded(levels.wires, () => drawWires(surface, shot, seen, levels.inside));
  // Where cells are wholly open their faces are not seen.
  if (levels.inside < 1) {
    faded(levels.frames, () => drawFrames(surface, shot, seen));
    faded(levels.cells, () => drawFaces(surface, shot, content, seen, levels.frames));
  }
  faded(levels.cells, () => drawInputs(surface, shot, content, seen));
  faded(levels.frames, () => drawJoins(surface, shot, content, seen));
  faded(levels.inside, () => drawInsides(surface, shot, content, seen));
  drawTokens(surface, shot, content, seen);
  faded(levels.heads, () => drawHeads(surface, shot, content, seen));
  drawEnds(surface, shot);
}

/** @param {Surface} surface @param {Shot} shot @param {NetworkContent} content @param {Seen} seen */
function drawBands(surface, shot, content, seen) {
  const { recording, scene, camera } = shot;
  const at = placing(shot);
  const draw = (
    /** @type {string} */ name,
    /** @type {number} */ top,
    /** @type {number} */ bottom,
  ) => {
    const { canvas, left, right } = content.pooled(recording, name, seen, camera.scale);
    surface.drawImage(
      canvas,
      at.x(left),
      at.y(top),
      (right - left) * at.sx,
      (bottom - top) * at.sy,
    );
  };
  for (const { cell, body } of seen.rows) draw(arrayOf(cell), body.top, body.bottom);
  draw("x", scene.input.top, scene.input.bottom);
}

/** The bodies of cells. @param {Surface} surface @param {Shot} shot @param {Seen} seen */
function drawFrames(surface, shot, { first, last, rows }) {
  const { theme } = shot;
  const at = placing(shot);
  surface.beginPath();
  for (const { body } of rows) {
    const [width, height] = [(body.right - body.left) * at.sx, (body.bottom - body.top) * at.sy];
    const radius = Math.min(16, 0.11 * Math.min(width, height));
    for (let t = first; t < last; t++)
      surface.roundRect(at.x(body.left + t), at.y(body.top), width, height, radius);
  }
  surface.fillStyle = theme.background;
  surface.fill();
  surface.strokeStyle = theme.faint;
  surface.lineWidth = 1;
  surface.stroke();
}

/**
 * h of every cell as squares.
 * @param {Surface} surface
 * @param {Shot} shot
 * @param {NetworkContent} content
 * @param {Seen} seen
 * @param {number} frames
 */
function drawFaces(surface, shot, content, { first, last, rows }, frames) {
  const { recording } = shot;
  const at = placing(shot);
  for (const { cell, body } of rows) {
    const margin = frames * Math.min(6, 0.07 * (body.bottom - body.top) * at.sy);
    const y = at.y(body.top) + margin;
    const height = (body.bottom - body.top) * at.sy - 2 * margin;
    eachStrip(first, last, (from, to, start) => {
      const strip = content.strip(recording, arrayOf(cell), from, body);
      if (frames <= 0) {
        const box = { x: at.x(from), y, width: (to - from) * at.sx, height };
        drawPart(surface, strip, (from - start) * strip.each, (to - from) * strip.each, box);
        return;
      }
      const width = (body.right - body.left) * at.sx - 2 * margin;
      for (let t = from; t < to; t++) {
        const box = { x: at.x(t + body.left) + margin, y, width, height };
        drawPart(surface, strip, (t - start) * strip.each + strip.inset, strip.grid.columns, box);
      }
    });
  }
}

/**
 * @param {number} first
 * @param {number} last
 * @param {(from: number, to: number, start: number) => void} draw  timesteps, and the first one of their strip
 */
function eachStrip(first, last, draw) {
  for (let from = first; from < last;) {
    const start = Math.floor(from / STRIP) * STRIP;
    const to = Math.min(last, start + STRIP);
    draw(from, to, start);
    from = to;
  }
}

/** What the first layer reads. @param {Surface} surface @param {Shot} shot @param {NetworkContent} content @param {Seen} seen */
function drawInputs(surface, shot, content, { first, last }) {
  const { recording, scene, theme } = shot;
  const at = placing(shot);
  const body = { left: 0.22, right: 0.78, ...scene.input };
  const [width, height] = [(body.right - body.left) * at.sx, (body.bottom - body.top) * at.sy];
  eachStrip(first, last, (from, to, start) => {
    const strip = content.strip(recording, "x", from, body);
    for (let t = from; t < to; t++) {
      const box = { x: at.x(t + body.left), y: at.y(body.top), width, height };
      drawPart(surface, strip, (t - start) * strip.each + strip.inset, strip.grid.columns, box);
    }
  });
  if (at.sx < 30) return;
  surface.strokeStyle = theme.faint;
  surface.lineWidth = 1;
  surface.beginPath();
  for (let t = first; t < last; t++)
    surface.rect(at.x(t + body.left), at.y(body.top), width, height);
  surface.stroke();
}

/**
 * output = [h forward, h backward]: the two vectors side by side.
 * @param {Surface} surface
 * @param {Shot} shot
 * @param {NetworkContent} content
 * @param {Seen} seen
 */
function drawJoins(surface, shot, content, { first, last }) {
  const { recording, scene, theme } = shot;
  const at = placing(shot);
  for (const { layer, top, bottom, left, middle, right } of scene.joins) {
    const [y, height] = [at.y(top), (bottom - top) * at.sy];
    if (y > shot.lens.height || y + height < 0) continue;
    const rows = scene.rows.filter(({ cell }) => cell.layer === layer);
    rows.forEach(({ cell, body }, n) => {
      const [from, to] = n ? [middle, right] : [left, middle];
      eachStrip(first, last, (a, b, start) => {
        const strip = content.strip(recording, arrayOf(cell), a, body);
        for (let t = a; t < b; t++) {
          const box = { x: at.x(t + from), y, width: (to - from) * at.sx, height };
          drawPart(surface, strip, (t - start) * strip.each + strip.inset, strip.grid.columns, box);
        }
      });
    });
    surface.strokeStyle = theme.soft;
    surface.lineWidth = 1;
    surface.beginPath();
    for (let t = first; t < last; t++) {
      surface.rect(at.x(t + left), y, (right - left) * at.sx, height);
      surface.moveTo(at.x(t + middle), y - 2);
      surface.lineTo(at.x(t + middle), y + height + 2);
    }
    surface.stroke();
    drawJoinNames(surface, shot, first, last, { left, right, y, height });
  }
}

/**
 * @param {Surface} surface
 * @param {Shot} shot
 * @param {number} first
 * @param {number} last
 * @param {{left: number, right: number, y: number, height: number}} place
 */
function drawJoinNames(surface, shot, first, last, { left, right, y, height }) {
  const at = placing(shot);
  const shown = ramp(at.sx, 170, 230);
  if (!shown) return;
  const alpha = surface.globalAlpha;
  surface.globalAlpha = alpha * shown;
  const size = Math.min(14, Math.max(10, 0.05 * at.sx));
  surface.font = `${size}px ${shot.family}`;
  surface.fillStyle = shot.theme.soft;
  surface.textBaseline = "middle";
  for (let t = first; t < last; t++) {
    surface.textAlign = "right";
    surface.fillText("h →", at.x(t + left) - 5, y + height / 2);
    surface.textAlign = "left";
    surface.fillText("← h", at.x(t + right) + 5, y + height / 2);
  }
  surface.globalAlpha = alpha;
}

/** @param {Surface} surface @param {Shot} shot @param {NetworkContent} content @param {Seen} seen */
function drawInsides(surface, shot, content, { first, last, rows }) {
  for (const row of rows) {
    for (let t = first; t < last; t++) {
      const box = boxOf(shot, row, t);
      if (box.x > shot.lens.width || box.x + box.width < 0) continue;
      drawCellPicture(surface, box, content.cell(shot.recording, row.cell, t), shot.theme);
    }
  }
}
