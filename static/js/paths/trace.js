// Long paths as pixels. Thousands of segments are too many to be drawn again at every step, so each
// pixel of a path knows when the path first comes there: a step on changes the pixels of a few points,
// and so does a step back. Pure.

/** @import {Places} from './projection.js' */

/** What has been passed, and what has not, of 255. */
const STRONG = 235;
const FAINT = 78;
/** A pixel that is covered less than this is the edge of a line. */
const EDGE = 0.3;
/** How much of a line is seen: where lines are areas, they would hide the points. */
const THIN = 0.45;

/**
 * @typedef {object} Line
 * @property {Places} places  in pixels of the picture
 * @property {(at: number) => number} colour  of a point, 0xBBGGRR
 * @property {number} size  half of a point's width; 0: there are only lines
 * @property {boolean} join
 * @property {readonly number[]} dash
 * @property {boolean} dense  whether lines are so many that they are areas
 */

/**
 * The pixels of some paths; nothing has been passed. The first path lies on top.
 * @param {number} width
 * @param {number} height
 * @param {readonly Line[]} lines
 */
export function createTrace(width, height, lines) {
  const size = width * height;
  const pixels = new Uint32Array(size);
  /** How much of a pixel is covered, of 255. */
  const cover = new Uint8Array(size);
  /** How many paths have passed through a pixel. */
  const passes = new Uint16Array(size);
  /** The path that came last to a pixel while it was drawn. */
  const seen = new Int16Array(size).fill(-1);
  const paths = lines.map((line, n) => rasterise(line, n));
  const passed = lines.map(() => 0);
  for (let at = 0; at < size; at++) if (cover[at]) paint(at);

  /** @param {Line} line @param {number} n */
  function rasterise({ places: { x, y }, colour, size: radius, join, dash, dense }, n) {
    const weight = dense ? THIN : 1;
    const count = x.length;
    /** @type {number[]} */
    const found = [];
    const starts = new Uint32Array(count + 1);
    const period = dash.reduce((sum, part) => sum + part, 0);
    let gone = 0;

    /** @param {number} px @param {number} py @param {number} share @param {number} rgb @param {number} most */
    function touch(px, py, share, rgb, most) {
      if (px < 0 || py < 0 || px >= width || py >= height) return;
      const at = py * width + px;
      const covered = 255 * share * most;
      if (covered > cover[at]) cover[at] = covered;
      if (share < EDGE && pixels[at]) return;
      // A path that is drawn later lies below.
      if (!pixels[at] || seen[at] === -1) pixels[at] = rgb | (1 << 24);
      if (share < EDGE || seen[at] === n) return;
      seen[at] = n;
      found.push(at);
    }

    /** One pixel of every column or row, shared between two. @param {number} a @param {number} b */
    function segment(a, b) {
      const [dx, dy] = [x[b] - x[a], y[b] - y[a]];
      const steps = Math.ceil(Math.max(Math.abs(dx), Math.abs(dy)));
      const steep = Math.abs(dy) > Math.abs(dx);
      const length = Math.hypot(dx, dy);
      const rgb = colour(b);
      for (let step = 0; step <= steps; step++) {
        const part = steps ? step / steps : 0;
        if (period && !isOn(dash, (gone + part * length) % period)) continue;
        const [px, py] = [x[a] + dx * part - 0.5, y[a] + dy * part - 0.5];
        if (steep) {
          const left = Math.floor(px);
          touch(left, Math.round(py), 1 - (px - left), rgb, weight);
          touch(left + 1, Math.round(py), px - left, rgb, weight);
        } else {
          const top = Math.floor(py);
          touch(Math.round(px), top, 1 - (py - top), rgb, weight);
          touch(Math.round(px), top + 1, py - top, rgb, weight);
        }
      }
      gone += length;
    }

    /** @param {number} at */
    function point(at) {
      const rgb = colour(at);
      for (let py = Math.floor(y[at] - radius); py <= y[at] + radius; py++)
        for (let px = Math.floor(x[at] - radius); px <= x[at] + radius; px++) {
          const far = Math.hypot(px + 0.5 - x[at], py + 0.5 - y[at]);
          const share = Math.min(1, radius + 0.5 - far);
          if (share > 0) touch(px, py, share, rgb, 1);
        }
    }

    for (let at = 0; at < count; at++) {
      starts[at] = found.length;
      if (!isFinite(x[at] + y[at])) continue;
      if (join && at && isFinite(x[at - 1] + y[at - 1])) segment(at - 1, at);
      point(at);
    }
    starts[count] = found.length;
    return { found: Uint32Array.from(found), starts };
  }

  /** @param {number} at */
  function paint(at) {
    const alpha = Math.round((cover[at] * (passes[at] ? STRONG : FAINT)) / 255);
    pixels[at] = ((pixels[at] & 0xffffff) | (alpha << 24)) >>> 0;
  }

  return {
    width,
    height,
    pixels,
    /**
     * Bring the paths to where they are now.
     * @param {readonly number[]} now  points passed, of each path
     * @returns {{x: number, y: number, width: number, height: number} | null}  what changed
     */
    pass(now) {
      let [left, top, right, bottom] = [width, height, -1, -1];
      paths.forEach(({ found, starts }, n) => {
        const by = now[n] > passed[n] ? 1 : -1;
        const from = starts[Math.min(now[n], passed[n])];
        const to = starts[Math.max(now[n], passed[n])];
        passed[n] = now[n];
        for (let k = from; k < to; k++) {
          const at = found[k];
          passes[at] += by;
          // Only where the first comes or the last one goes.
          if (passes[at] !== (by > 0 ? 1 : 0)) continue;
          paint(at);
          const py = Math.floor(at / width);
          const px = at - py * width;
          if (px < left) left = px;
          if (px > right) right = px;
          if (py < top) top = py;
          if (py > bottom) bottom = py;
        }
      });
      return right < 0
        ? null
        : { x: left, y: top, width: right - left + 1, height: bottom - top + 1 };
    },
  };
}

/** @typedef {ReturnType<typeof createTrace>} Trace */

/** How long the lines of a path are. @param {Places} places */
export function lengthOf({ x, y }) {
  let length = 0;
  for (let at = 1; at < x.length; at++)
    length += Math.hypot(x[at] - x[at - 1], y[at] - y[at - 1]) || 0;
  return length;
}

/** @param {readonly number[]} dash @param {number} at */
function isOn(dash, at) {
  let [end, on] = [0, true];
  for (const part of dash) {
    end += part;
    if (at < end) return on;
    on = !on;
  }
  return true;
}
