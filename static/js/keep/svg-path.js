// A canvas's path as the `d` of an SVG path.

/** Where user space lies. @typedef {{x: number, y: number, sx: number, sy: number}} Place */

/** Three decimals are a thousandth of a pixel. @param {number} value */
export const number = (value) => String(Math.round(value * 1000) / 1000 || 0);

/** Points are kept where they were drawn, whatever user space is moved to afterwards. */
export class Path {
  constructor() {
    /** @type {[string, number[]][]} */
    this._parts = [];
    this._start = [0, 0];
  }

  get empty() {
    return this._parts.length === 0;
  }

  /**
   * @param {Place} place
   * @param {string} command  M, L, Q or C
   * @param {number[]} numbers  x, y, x, y … of user space
   */
  add({ x, y, sx, sy }, command, numbers) {
    const points = numbers.map((value, n) => (n % 2 ? y + value * sy : x + value * sx));
    if (command === "M") this._start = points;
    // Of several moves only the last one counts.
    if (command === "M" && this._parts.at(-1)?.[0] === "M") this._parts.pop();
    this._parts.push([command, points]);
  }

  close() {
    const last = this._parts.at(-1)?.[0];
    if (last && last !== "M" && last !== "Z") this._parts.push(["Z", []]);
  }

  /**
   * An arc, with a line to where it begins.
   * @param {Place} place
   * @param {number} x
   * @param {number} y
   * @param {number} radius
   * @param {number} from  radians
   * @param {number} to
   * @param {boolean} anticlockwise
   */
  arc(place, x, y, radius, from, to, anticlockwise) {
    const swept = sweep(from, to, anticlockwise);
    const at = (/** @type {number} */ angle) => [
      x + radius * Math.cos(angle),
      y + radius * Math.sin(angle),
    ];
    this.add(place, this.empty ? "M" : "L", at(from));
    const [rx, ry] = [Math.abs(place.sx) * radius, Math.abs(place.sy) * radius];
    // Mirrored, it goes the other way round.
    const clockwise = swept > 0 === place.sx * place.sy > 0 ? 1 : 0;
    // SVG draws nothing between equal points, so that a full turn takes two arcs.
    const pieces = Math.abs(swept) > Math.PI ? 2 : 1;
    for (let n = 1; n <= pieces && swept && radius; n++) {
      const end = at(from + (swept * n) / pieces);
      const [ex, ey] = [place.x + end[0] * place.sx, place.y + end[1] * place.sy];
      this._parts.push(["A", [rx, ry, 0, 0, clockwise, ex, ey]]);
    }
  }

  /**
   * The attribute; with a place, in its user space again. Arcs do not go back: where there is one, a
   * pen that is wider than high is not worth it.
   * @param {Place} [place]
   */
  d(place = { x: 0, y: 0, sx: 1, sy: 1 }) {
    const parts = this._parts.at(-1)?.[0] === "M" ? this._parts.slice(0, -1) : this._parts;
    return parts.map(([command, numbers]) => command + back(command, numbers, place)).join("");
  }
}

/** @param {string} command @param {number[]} numbers @param {Place} place */
function back(command, numbers, { x, y, sx, sy }) {
  if (command !== "A") {
    return numbers.map((v, n) => number(n % 2 ? (v - y) / sy : (v - x) / sx)).join(" ");
  }
  const [rx, ry, turn, large, clockwise, ex, ey] = numbers;
  const way = sx * sy < 0 ? 1 - clockwise : clockwise;
  const radii = [rx / Math.abs(sx), ry / Math.abs(sy)];
  return [...radii, turn, large, way, (ex - x) / sx, (ey - y) / sy].map(number).join(" ");
}

/**
 * The angle an arc covers, as a canvas understands its ends; negative against the clock.
 * https://html.spec.whatwg.org/multipage/canvas.html#dom-context-2d-ellipse
 * @param {number} from
 * @param {number} to
 * @param {boolean} anticlockwise
 * @returns {number}
 */
function sweep(from, to, anticlockwise) {
  const turn = 2 * Math.PI;
  if (anticlockwise) return -sweep(to, from, false);
  if (to - from >= turn) return turn;
  const part = (((to - from) % turn) + turn) % turn;
  return part === 0 && to !== from ? turn : part;
}

/** A quarter of a circle as a Bézier curve. */
const QUARTER = 0.5522847498;

/**
 * The commands of a rectangle with round corners; curves that would meet are made smaller together.
 * @param {number} x
 * @param {number} y
 * @param {number} width
 * @param {number} height
 * @param {number | DOMPointInit | Iterable<number | DOMPointInit>} radii  one, or up to four clockwise from the upper left
 * @returns {[string, ...number[]][]}
 */
export function roundedRectangle(x, y, width, height, radii) {
  const given = typeof radii === "object" && Symbol.iterator in radii ? [...radii] : [radii];
  const all = given.map((r) => (typeof r === "number" ? r : (r.x ?? 0)));
  const [a, b = a, c = a, d = b] = all;
  const [w, h] = [Math.abs(width), Math.abs(height)];
  const fits = Math.min(1, w / (a + b), w / (c + d), h / (b + c), h / (a + d));
  const [upLeft, upRight, downRight, downLeft] = [a, b, c, d].map((r) => r * (fits || 0));
  const [left, top] = [Math.min(x, x + width), Math.min(y, y + height)];
  const [right, bottom] = [left + w, top + h];
  const k = 1 - QUARTER;
  return [
    ["M", left + upLeft, top],
    ["L", right - upRight, top],
    ["C", right - upRight * k, top, right, top + upRight * k, right, top + upRight],
    ["L", right, bottom - downRight],
    ["C", right, bottom - downRight * k, right - downRight * k, bottom, right - downRight, bottom],
    ["L", left + downLeft, bottom],
    ["C", left + downLeft * k, bottom, left, bottom - downLeft * k, left, bottom - downLeft],
    ["L", left, top + upLeft],
    ["C", left, top + upLeft * k, left + upLeft * k, top, left + upLeft, top],
    ["Z"],
  ];
}
