// What a figure draws on a canvas, written down as SVG: a file of its own that opens anywhere.

/** @import {Surface} from '../types.js' */

import { number, Path, roundedRectangle } from "./svg-path.js";

/** What measures text: a canvas's context, or whatever answers as one does.
 * @typedef {Pick<CanvasRenderingContext2D, "font" | "textBaseline" | "measureText">} Measure */

/**
 * @typedef {object} Drawing
 * @property {string} fillStyle
 * @property {string} strokeStyle
 * @property {number} lineWidth
 * @property {number} globalAlpha
 * @property {string} font
 * @property {CanvasTextAlign} textAlign
 * @property {CanvasTextBaseline} textBaseline
 * @property {boolean} imageSmoothingEnabled
 * @property {number[]} dashes
 * @property {string} clip  the id of the clip path in force, or nothing
 * @property {number} x  user space is moved and scaled, never turned
 * @property {number} y
 * @property {number} sx
 * @property {number} sy
 */

/** @returns {Drawing} as a canvas begins */
const start = () => ({
  fillStyle: "#000000",
  strokeStyle: "#000000",
  lineWidth: 1,
  globalAlpha: 1,
  font: "10px sans-serif",
  textAlign: "start",
  textBaseline: "alphabetic",
  imageSmoothingEnabled: true,
  dashes: [],
  clip: "",
  x: 0,
  y: 0,
  sx: 1,
  sy: 1,
});

/**
 * A {@link Surface} that remembers what is drawn on it.
 * @implements {Surface}
 */
export class SvgSurface {
  /**
   * @param {{width: number, height: number, title: string, description: string, measure: Measure}} picture
   */
  constructor({ width, height, title, description, measure }) {
    this._head = { width, height, title, description };
    this._measure = measure;
    this._now = start();
    /** @type {Drawing[]} */
    this._kept = [];
    this._path = new Path();
    /** @type {string[]} */
    this._clips = [];
    /** @type {string[]} */
    this._drawn = [];
    /** The clip of the group that is open. */
    this._open = "";
    /** @type {Map<string, number>} */
    this._baselines = new Map();
  }

  get fillStyle() {
    return this._now.fillStyle;
  }
  set fillStyle(/** @type {string | CanvasGradient | CanvasPattern} */ style) {
    this._now.fillStyle = colour(style);
  }
  get strokeStyle() {
    return this._now.strokeStyle;
  }
  set strokeStyle(/** @type {string | CanvasGradient | CanvasPattern} */ style) {
    this._now.strokeStyle = colour(style);
  }
  get lineWidth() {
    return this._now.lineWidth;
  }
  set lineWidth(width) {
    if (width > 0 && Number.isFinite(width)) this._now.lineWidth = width;
  }
  get globalAlpha() {
    return this._now.globalAlpha;
  }
  set globalAlpha(alpha) {
    if (alpha >= 0 && alpha <= 1) this._now.globalAlpha = alpha;
  }
  get font() {
    return this._now.font;
  }
  set font(font) {
    if (parseFont(font)) this._now.font = font;
  }
  get textAlign() {
    return this._now.textAlign;
  }
  set textAlign(align) {
    this._now.textAlign = align;
  }
  get textBaseline() {
    return this._now.textBaseline;
  }
  set textBaseline(baseline) {
    this._now.textBaseline = baseline;
  }
  get imageSmoothingEnabled() {
    return this._now.imageSmoothingEnabled;
  }
  set imageSmoothingEnabled(smooth) {
    this._now.imageSmoothingEnabled = smooth;
  }

  save() {
    this._kept.push({ ...this._now });
  }

  restore() {
    this._now = this._kept.pop() ?? this._now;
  }

  /** @param {number} x @param {number} y */
  translate(x, y) {
    if (!finite(x, y)) return;
    this._now.x += x * this._now.sx;
    this._now.y += y * this._now.sy;
  }

  /** @param {number} x @param {number} y */
  scale(x, y) {
    if (!finite(x, y)) return;
    this._now.sx *= x;
    this._now.sy *= y;
  }

  /** @param {number[]} segments */
  setLineDash(segments) {
    if (!segments.every((length) => length >= 0 && Number.isFinite(length))) return;
    this._now.dashes = segments.length % 2 ? [...segments, ...segments] : [...segments];
  }

  beginPath() {
    this._path = new Path();
  }

  /** @param {number} x @param {number} y */
  moveTo(x, y) {
    this._add("M", x, y);
  }

  /** @param {number} x @param {number} y */
  lineTo(x, y) {
    this._add(this._path.empty ? "M" : "L", x, y);
  }

  /** @param {number} cx @param {number} cy @param {number} x @param {number} y */
  quadraticCurveTo(cx, cy, x, y) {
    if (this._path.empty) this.moveTo(cx, cy);
    this._add("Q", cx, cy, x, y);
  }

  /** @param {number} ax @param {number} ay @param {number} bx @param {number} by @param {number} x @param {number} y */
  bezierCurveTo(ax, ay, bx, by, x, y) {
    if (this._path.empty) this.moveTo(ax, ay);
    this._add("C", ax, ay, bx, by, x, y);
  }

  /**
   * @param {number} x
   * @param {number} y
   * @param {number} radius
   * @param {number} from  radians
   * @param {number} to
   * @param {boolean} [anticlockwise]
   */
  arc(x, y, radius, from, to, anticlockwise = false) {
    if (!finite(x, y, radius, from, to)) return;
    if (radius < 0) throw new RangeError(`a radius of ${radius}`);
    this._path.arc(this._now, x, y, radius, from, to, anticlockwise);
  }

  /** @param {number} x @param {number} y @param {number} width @param {number} height */
  rect(x, y, width, height) {
    if (!finite(x, y, width, height)) return;
    this._add("M", x, y);
    this._add("L", x + width, y);
    this._add("L", x + width, y + height);
    this._add("L", x, y + height);
    this.closePath();
    this.moveTo(x, y);
  }

  /**
   * @param {number} x
   * @param {number} y
   * @param {number} width
   * @param {number} height
   * @param {number | DOMPointInit | Iterable<number | DOMPointInit>} [radii]
   */
  roundRect(x, y, width, height, radii = 0) {
    if (!finite(x, y, width, height)) return;
    for (const [command, ...numbers] of roundedRectangle(x, y, width, height, radii)) {
      this._add(command, ...numbers);
    }
    this.moveTo(x, y);
  }

  closePath() {
    this._path.close();
  }

  /** @param {CanvasFillRule | Path2D} [rule] */
  clip(rule) {
    const id = `clip${this._clips.length + 1}`;
    const inside = this._now.clip ? ` clip-path="url(#${this._now.clip})"` : "";
    const evenodd = rule === "evenodd" ? ' clip-rule="evenodd"' : "";
    this._clips.push(
      `<clipPath id="${id}"${inside}><path d="${this._path.d() || "M0 0"}"${evenodd}/></clipPath>`,
    );
    this._now.clip = id;
  }

  /** @param {CanvasFillRule | Path2D} [rule] */
  fill(rule) {
    const d = this._path.d();
    const evenodd = rule === "evenodd" ? ' fill-rule="evenodd"' : "";
    if (d) this._draw(`<path d="${d}"${this._filled()}${evenodd}/>`);
  }

  stroke() {
    if (this._path.d()) this._draw(this._stroked(this._path));
  }

  /** @param {number} x @param {number} y @param {number} width @param {number} height */
  fillRect(x, y, width, height) {
    const box = this._box(x, y, width, height);
    if (box) this._draw(`<rect${box}${this._filled()}/>`);
  }

  /** @param {number} x @param {number} y @param {number} width @param {number} height */
  strokeRect(x, y, width, height) {
    const before = this._path;
    this._path = new Path();
    this.rect(x, y, width, height);
    this.stroke();
    this._path = before;
  }

  /**
   * @param {string} text
   * @param {number} x
   * @param {number} y
   * @param {number} [maxWidth]
   */
  fillText(text, x, y, maxWidth) {
    if (!finite(x, y) || !text) return;
    const { sx, sy } = this._now;
    const baseline = y + this._baseline();
    const width = maxWidth === undefined ? 0 : this.measureText(text).width;
    const narrow =
      maxWidth !== undefined && width > maxWidth
        ? ` textLength="${number(maxWidth)}" lengthAdjust="spacingAndGlyphs"`
        : "";
    const place =
      sx === 1 && sy === 1
        ? ` x="${number(x + this._now.x)}" y="${number(baseline + this._now.y)}"`
        : ` x="${number(x)}" y="${number(baseline)}" transform="${this._transform()}"`;
    const anchor = { center: "middle", end: "end", right: "end" }[
      /** @type {"center"} */ (this._now.textAlign)
    ];
    this._draw(
      `<text${place}${anchor ? ` text-anchor="${anchor}"` : ""}${fontOf(this._now.font)}${narrow}` +
        `${this._filled()} xml:space="preserve">${escape(text.replace(/[\t\n\f\r]/g, " "))}</text>`,
    );
  }

  /** @param {string} text */
  measureText(text) {
    this._measure.font = this._now.font;
    this._measure.textBaseline = this._now.textBaseline;
    return this._measure.measureText(text);
  }

  /**
   * @param {HTMLCanvasElement} image
   * @param {number} x
   * @param {number} y
   * @param {number} width
   * @param {number} height
   */
  drawImage(image, x, y, width, height) {
    if (!image.width || !image.height) throw new Error("an image without pixels cannot be drawn");
    const { globalAlpha, imageSmoothingEnabled, sx, sy } = this._now;
    const mirrored = sx < 0 || sy < 0;
    const box = mirrored
      ? `${attributes(x, y, width, height)} transform="${this._transform()}"`
      : this._box(x, y, width, height);
    if (!box) return;
    // The attribute is for SVG 1.1, the property for browsers.
    const sharp = imageSmoothingEnabled
      ? ""
      : ' image-rendering="optimizeSpeed" style="image-rendering:pixelated"';
    const faint = globalAlpha === 1 ? "" : ` opacity="${number(globalAlpha)}"`;
    this._draw(
      `<image${box} preserveAspectRatio="none"${sharp}${faint} xlink:href="${escape(image.toDataURL("image/png"))}"/>`,
    );
  }

  /** The file. */
  toString() {
    const { width, height, title, description } = this._head;
    const [w, h] = [number(width), number(height)];
    return [
      `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"` +
        ` width="${w}" height="${h}" viewBox="0 0 ${w} ${h}" role="img" stroke-miterlimit="10">`,
      `<title>${escape(title)}</title>`,
      `<desc>${escape(description)}</desc>`,
      ...(this._clips.length ? [`<defs>${this._clips.join("")}</defs>`] : []),
      ...this._drawn,
      ...(this._open ? ["</g>"] : []),
      "</svg>",
      "",
    ].join("\n");
  }

  /** @param {string} command @param {number[]} numbers  points of user space */
  _add(command, ...numbers) {
    if (finite(...numbers)) this._path.add(this._now, command, numbers);
  }

  /** Neighbours with the same clip share a group. @param {string} markup */
  _draw(markup) {
    if (this._open !== this._now.clip) {
      if (this._open) this._drawn.push("</g>");
      this._open = this._now.clip;
      if (this._open) this._drawn.push(`<g clip-path="url(#${this._open})">`);
    }
    this._drawn.push(markup);
  }

  /**
   * A rectangle of user space as attributes; nothing for one without an area.
   * @param {number} x
   * @param {number} y
   * @param {number} width
   * @param {number} height
   */
  _box(x, y, width, height) {
    if (!finite(x, y, width, height)) return "";
    const now = this._now;
    const [left, top] = [now.x + x * now.sx, now.y + y * now.sy];
    const [w, h] = [width * now.sx, height * now.sy];
    if (!w || !h) return "";
    return attributes(left, top, w, h);
  }

  _filled() {
    return paint("fill", this._now.fillStyle, this._now.globalAlpha);
  }

  /** @param {Path} path */
  _stroked(path) {
    const { strokeStyle, globalAlpha, lineWidth, dashes, sx, sy } = this._now;
    // A pen is as wide as user space says, on a path that is where it was drawn.
    const even = Math.abs(sx) === Math.abs(sy);
    const pen = even ? Math.abs(sx) : 1;
    const d = even ? path.d() : path.d(this._now);
    return (
      `<path d="${d}" fill="none"${paint("stroke", strokeStyle, globalAlpha)}` +
      ` stroke-width="${number(lineWidth * pen)}"` +
      (dashes.length
        ? ` stroke-dasharray="${dashes.map((length) => number(length * pen)).join(" ")}"`
        : "") +
      (even ? "" : ` transform="${this._transform()}"`) +
      "/>"
    );
  }

  _transform() {
    const { x, y, sx, sy } = this._now;
    return `translate(${number(x)} ${number(y)}) scale(${number(sx)} ${number(sy)})`;
  }

  /** How far below the y of a text its letters stand: what a program makes of SVG's own baselines differs. */
  _baseline() {
    const { font, textBaseline } = this._now;
    if (textBaseline === "alphabetic") return 0;
    const key = `${textBaseline} ${font}`;
    const known = this._baselines.get(key);
    if (known !== undefined) return known;
    this._measure.font = font;
    const [above, from] = /** @type {const} */ (["alphabetic", textBaseline]).map((baseline) => {
      this._measure.textBaseline = baseline;
      return this._measure.measureText("x").actualBoundingBoxAscent;
    });
    this._baselines.set(key, above - from);
    return above - from;
  }
}

/** @param {number} x @param {number} y @param {number} width @param {number} height */
const attributes = (x, y, width, height) =>
  ` x="${number(Math.min(x, x + width))}" y="${number(Math.min(y, y + height))}"` +
  ` width="${number(Math.abs(width))}" height="${number(Math.abs(height))}"`;

/** @param {number[]} numbers */
const finite = (...numbers) => numbers.every(Number.isFinite);

/** What no XML file can hold: control characters, halves of a pair, two noncharacters. */
const UNWRITABLE = /[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|\p{Cs}/gu;

/** @type {Record<string, string>} */
const ENTITIES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;" };

/** Text for an element or an attribute. @param {string} text */
export const escape = (text) =>
  text.replace(UNWRITABLE, "\ufffd").replace(/[&<>"']/g, (character) => ENTITIES[character]);

/** @param {unknown} style */
function colour(style) {
  if (typeof style !== "string") throw new TypeError("figures are drawn in plain colours only");
  return style;
}

/**
 * A colour as the two attributes that every program knows: SVG 1.1 has no #rrggbbaa and no rgba().
 * @param {"fill" | "stroke"} what
 * @param {string} style
 * @param {number} alpha
 */
function paint(what, style, alpha) {
  const [opaque, own] = withoutAlpha(style.trim());
  const opacity = own * alpha;
  return ` ${what}="${escape(opaque)}"${opacity === 1 ? "" : ` ${what}-opacity="${number(opacity)}"`}`;
}

/** @param {string} style @returns {[string, number]} */
function withoutAlpha(style) {
  if (style === "transparent") return ["none", 1];
  const hex = /^#(?:([0-9a-f]{6})([0-9a-f]{2})|([0-9a-f]{3})([0-9a-f]))$/i.exec(style);
  if (hex) return [`#${hex[1] ?? hex[3]}`, parseInt(hex[2] ?? hex[4] + hex[4], 16) / 255];
  const rgba = /^rgba?\(([^)]*)\)$/i.exec(style);
  const parts = rgba?.[1].split(/[\s,/]+/).filter(Boolean) ?? [];
  if (parts.length !== 4) return [style, 1];
  const own = parts[3].endsWith("%") ? parseFloat(parts[3]) / 100 : Number(parts[3]);
  return [`rgb(${parts.slice(0, 3).join(",")})`, own];
}

const FONT =
  /^\s*(?:(italic|oblique|normal)\s+)?(?:(\d{3}|bold|bolder|lighter|normal)\s+)?([\d.]+)px(?:\/\S+)?\s+(.+)$/;

/** The parts of a canvas's font, "italic 600 12px serif". @param {string} font */
function parseFont(font) {
  const match = FONT.exec(font);
  return match && { style: match[1], weight: match[2], size: match[3], family: match[4] };
}

/** One attribute each: few programs read CSS's shorthand. @param {string} font */
function fontOf(font) {
  const parts = parseFont(font);
  if (!parts) return "";
  return Object.entries(parts)
    .filter(([, value]) => value)
    .map(([name, value]) => ` font-${name}="${escape(String(value).trim())}"`)
    .join("");
}
