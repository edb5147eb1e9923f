// A view's picture to keep: its title, the picture, and a caption that says what it is of.

/** @import {Atom, Figure, Surface} from '../types.js' */
/** @import {Page} from '../page.js' */
/** @import {Recording} from '../recording.js' */
/** @import {Theme} from '../theme.js' */

import { captionOf } from "./caption.js";
import { context2d, element } from "../dom.js";
import { SvgSurface } from "./svg.js";
import { readTheme } from "../theme.js";

const MARGIN = 24;
const GAP = 14;
/** No browser makes a canvas that is longer than this. */
const LONGEST = 16_384;
/** Lines of a caption that may be taken by one of its parts. */
const MOST_LINES = 3;

/**
 * A picture with its caption, ready to be drawn on any surface.
 * @typedef {object} Picture
 * @property {number} width  CSS pixels
 * @property {number} height
 * @property {string} title
 * @property {string} description
 * @property {(surface: Surface) => void} paint
 */

/** A title begins with a capital, a quantity stays i. @param {string} text */
const capital = (text) =>
  /^\p{L}{2}/u.test(text) ? text.charAt(0).toUpperCase() + text.slice(1) : text;

/**
 * @param {Page} page
 * @param {Recording} recording
 * @param {Figure} figure
 * @param {{width?: number, light?: boolean}} [options]  `light`: on white paper, whatever the screen is like
 * @returns {Picture}
 */
export function compose(page, recording, figure, { width = 1000, light = false } = {}) {
  const inner = width - 2 * MARGIN;
  const measure = context2d(element("canvas"));
  const family = getComputedStyle(document.body).fontFamily;
  const caption = captionOf(page.state, recording);
  const title = capital(figure.title());
  /** @type {[string, string, "ink" | "soft", number][]} font, text, colour, height of a line */
  const parts = [
    [`600 13px ${family}`, caption.model, "ink", 19],
    [`13px ${family}`, caption.sentence, "ink", 19],
    [`12px ${family}`, caption.place, "soft", 18],
  ];
  const lines = parts.flatMap(([font, text, colour, height]) =>
    wrap(measure, font, text, inner).map((line) => ({ font, line, colour, height })),
  );
  const titleFont = `600 16px ${family}`;
  const titles = wrap(measure, titleFont, title, inner);
  const top = MARGIN + titles.length * 22 + GAP;
  const under = withTheme(page, light, () => figure.height(inner));
  const height = Math.ceil(
    top + under + GAP + lines.reduce((sum, line) => sum + line.height, 0) + MARGIN - 6,
  );
  return {
    width,
    height,
    title,
    description: [caption.model, caption.sentence, caption.place].join("\n"),
    paint: (surface) =>
      withTheme(page, light, () => {
        const theme = page.theme.get();
        surface.fillStyle = theme.background;
        surface.fillRect(0, 0, width, height);
        surface.textAlign = "left";
        surface.textBaseline = "alphabetic";
        surface.fillStyle = theme.ink;
        surface.font = titleFont;
        titles.forEach((line, n) => surface.fillText(line, MARGIN, MARGIN + 14 + n * 22));
        surface.save();
        surface.translate(MARGIN, top);
        figure.draw(surface, inner);
        surface.restore();
        let y = top + under + GAP;
        for (const { font, line, colour, height: step } of lines) {
          surface.font = font;
          surface.fillStyle = theme[colour];
          surface.textAlign = "left";
          surface.textBaseline = "alphabetic";
          surface.fillText(line, MARGIN, y + 13);
          y += step;
        }
      }),
  };
}

/**
 * A picture as an SVG file.
 * @param {Picture} picture
 */
export function toSvg({ width, height, title, description, paint }) {
  const measure = context2d(element("canvas"));
  const surface = new SvgSurface({ width, height, title, description, measure });
  paint(surface);
  return new Blob([surface.toString()], { type: "image/svg+xml" });
}

/**
 * A canvas with a picture on it, so many pixels for each of its own.
 * @param {Picture} picture
 * @param {number} scale
 * @param {HTMLCanvasElement} [canvas]
 */
export function toCanvas({ width, height, paint }, scale, canvas = element("canvas")) {
  const most = Math.min(scale, LONGEST / width, LONGEST / height);
  const [w, h] = [Math.round(width * most), Math.round(height * most)];
  // Setting a size clears a canvas, and takes its state back to the beginning.
  [canvas.width, canvas.height] = [w, h];
  const context = context2d(canvas);
  context.scale(most, most);
  paint(context);
  return canvas;
}

/**
 * @param {Picture} picture
 * @param {number} scale
 * @returns {Promise<Blob>}
 */
export function toPng(picture, scale) {
  const canvas = toCanvas(picture, scale);
  return new Promise((resolve, reject) =>
    canvas.toBlob((blob) => {
      if (blob) resolve(blob);
      else
        reject(
          new Error(
            `This browser cannot make a picture of ${canvas.width} × ${canvas.height} pixels.`,
          ),
        );
    }, "image/png"),
  );
}

/**
 * Text in lines of a width, at most a few; what is left out is shown as such.
 * @param {CanvasRenderingContext2D} measure
 * @param {string} font
 * @param {string} text
 * @param {number} width
 */
export function wrap(measure, font, text, width) {
  measure.font = font;
  const fits = (/** @type {string} */ line) => measure.measureText(line).width <= width;
  /** @type {string[]} */
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines[lines.length - 1];
    const longer = line ? `${line} ${word}` : word;
    if (fits(longer)) lines[lines.length - 1] = longer;
    else if (line) lines.push(word);
    else lines[lines.length - 1] = word;
  }
  const shown = lines.slice(0, MOST_LINES);
  if (lines.length > MOST_LINES) shown[MOST_LINES - 1] += " …";
  return shown.map((line) => {
    if (fits(line)) return line;
    // A word that is longer than a line.
    const characters = [...line];
    while (characters.length > 1 && !fits(`${characters.join("")}…`)) characters.pop();
    return `${characters.join("")}…`;
  });
}

/** Kept, as views that keep what they painted know a theme by its identity. @type {Theme | null} */
let paper = null;

/**
 * Run something while the page's theme is another one; nothing is painted meanwhile.
 * @template T
 * @param {Page} page
 * @param {boolean} light
 * @param {() => T} run
 * @returns {T}
 */
function withTheme(page, light, run) {
  if (!light) return run();
  const theme = /** @type {Atom<Theme>} */ (page.theme);
  const before = theme.get();
  paper ??= { ...readTheme(lightColour()), background: "#ffffff" };
  theme.set(paper);
  try {
    return run();
  } finally {
    theme.set(before);
  }
}

/** The light theme's colours, whatever the system's scheme: those of the rule that no query guards. */
function lightColour() {
  const rules = [...document.styleSheets].flatMap((sheet) => [...sheet.cssRules]);
  const roots = rules.filter(
    (rule) => rule instanceof CSSStyleRule && rule.selectorText === ":root",
  );
  return (/** @type {string} */ name) => {
    const values = roots.map((rule) =>
      /** @type {CSSStyleRule} */ (rule).style.getPropertyValue(name).trim(),
    );
    return values.find(Boolean) ?? "";
  };
}
