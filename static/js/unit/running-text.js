// A sentence as running text, just as it was typed, and where each of its tokens stands in it. Pure.

/** @import {Token} from '../types.js' */

import { label, running } from "../label.js";

/** Characters after which a new piece begins: the browser finds places faster in short pieces. */
const PIECE = 400;

/**
 * @typedef {object} RunningText
 * @property {string[]} pieces  the whole text, cut between tokens
 * @property {Uint32Array} piece  of each token: which one it is in
 * @property {Uint32Array} start  of each token: where it begins there, in UTF-16 units
 * @property {Uint32Array} end
 * @property {Uint16Array} part  of each token: which part of what stands there, see `parts`
 * @property {Uint16Array} parts  of each token: how many tokens share it, as bytes share a character
 */

/**
 * @param {string} text
 * @param {readonly Pick<Token, "text" | "start" | "end">[]} tokens  their places count code points
 * @param {boolean} named  whether tokens are called by names instead of what was typed: rows of a table
 * @returns {RunningText}
 */
export function runningText(text, tokens, named) {
  const offsets = codePointOffsets(text);
  const slice = (/** @type {number} */ from, /** @type {number} */ to) =>
    text.slice(offsets[from], offsets[to]);
  const [piece, start, end] = [0, 1, 2].map(() => new Uint32Array(tokens.length));
  const [part, parts] = [0, 1].map(() => new Uint16Array(tokens.length));
  /** @type {string[]} */
  const pieces = [];
  let open = "";
  let at = 0;
  for (let first = 0; first < tokens.length;) {
    const token = tokens[first];
    let last = first + 1;
    // Bytes of one character have one place.
    while (last < tokens.length && sameplace(tokens[last], token)) last++;
    const before = named ? (first ? "  " : "") : running(slice(at, Math.max(at, token.start)));
    const typed = slice(Math.max(at, token.start), Math.max(at, token.end));
    const shown = named || !typed ? label(token.text) : lineEnds(running(typed));
    at = Math.max(at, token.end);
    if (open.length >= PIECE) {
      pieces.push(open);
      open = "";
    }
    open += before;
    for (let t = first; t < last; t++) {
      piece[t] = pieces.length;
      start[t] = open.length;
      end[t] = open.length + shown.length;
      part[t] = t - first;
      parts[t] = last - first;
    }
    open += shown;
    first = last;
  }
  pieces.push(named ? open : open + running(slice(at, offsets.length - 1)));
  return { pieces, piece, start, end, part, parts };
}

/** @param {Pick<Token, "start" | "end">} a @param {Pick<Token, "start" | "end">} b */
const sameplace = (a, b) => a.start === b.start && a.end === b.end && a.end > a.start;

/** A line end that is a token has a value, which needs room to be seen. @param {string} text */
const lineEnds = (text) => text.replaceAll("\n", "⏎\n");

/** Where each code point begins, in UTF-16 units, and where the text ends. @param {string} text */
function codePointOffsets(text) {
  const offsets = new Uint32Array(text.length + 1);
  let count = 0;
  let at = 0;
  for (const ch of text) {
    offsets[count++] = at;
    at += ch.length;
  }
  offsets[count] = at;
  return offsets.subarray(0, count + 1);
}

/**
 * A few neighbouring tokens in at most so many characters, the middle left out if it must be.
 * @param {readonly Pick<Token, "text" | "start" | "end">[]} tokens
 * @param {{start: number, stop: number}} run  timesteps, `stop` not included
 * @param {number} [most]
 */
export function excerpt(tokens, { start, stop }, most = 24) {
  const shown = (/** @type {number} */ from, /** @type {number} */ to) => {
    let text = "";
    for (let t = from; t < to; t++) {
      const apart = t > from && tokens[t].start > tokens[t - 1].end;
      text += (apart ? " " : "") + label(tokens[t].text);
    }
    return text;
  };
  const length = (/** @type {string} */ text) => [...text].length;
  // Every token has a character: more of them than `most` cannot fit.
  const whole = stop - start <= most ? shown(start, stop) : "";
  if (whole && length(whole) <= most) return whole;
  if (stop - start === 1) return `${[...whole].slice(0, most - 1).join("")}…`;
  let [from, to] = [start + 1, stop - 1];
  while (from < to && length(shown(start, from + 1)) <= most / 2 - 1) from++;
  while (to > from && length(shown(to - 1, stop)) <= most / 2 - 1) to--;
  return `${shown(start, from)} … ${shown(to, stop)}`;
}

/**
 * A stretch of a token on one line of text.
 * @typedef {{line: number, left: number, right: number}} Stretch
 */

/** Narrower than this, a token could not be seen: an accent, which stands on its neighbour. */
const NARROWEST = 2;

/**
 * The stretches of a token from the boxes of its characters.
 * @param {Iterable<{left: number, right: number, top: number, bottom: number}>} boxes  from the corner of the text
 * @param {number} lineHeight
 * @param {number} part
 * @param {number} parts
 */
export function stretches(boxes, lineHeight, part, parts) {
  /** @type {Stretch[]} */
  const found = [];
  for (const { left, right, top, bottom } of boxes) {
    const line = Math.floor((top + bottom) / 2 / lineHeight);
    const before = found.at(-1);
    if (before?.line === line) {
      before.left = Math.min(before.left, left);
      before.right = Math.max(before.right, right);
    } else {
      found.push({ line, left, right });
    }
  }
  return found
    .map(({ line, left, right }) => {
      const each = (right - left) / parts;
      return { line, left: left + part * each, right: left + (part + 1) * each };
    })
    .filter((one, n, all) => one.right > one.left || (n === 0 && all.length === 1))
    .map((one) => ({ ...one, right: Math.max(one.right, one.left + NARROWEST) }));
}

/**
 * Paint stretches of lines into pixels, a row of pixels for every line.
 * @param {Uint32Array} pixels  lines × width, cleared here
 * @param {number} width
 * @param {Iterable<[number, readonly Stretch[]]>} tokens  timestep and stretches
 * @param {number} firstLine  the line of the first row
 * @param {(timestep: number) => number} colour  packed
 */
export function paintStretches(pixels, width, tokens, firstLine, colour) {
  pixels.fill(0);
  const lines = pixels.length / width;
  for (const [t, own] of tokens) {
    for (const { line, left, right } of own) {
      const row = line - firstLine;
      if (row < 0 || row >= lines) continue;
      const from = Math.max(0, Math.round(left));
      const to = Math.min(width, Math.max(from + 1, Math.round(right)));
      pixels.fill(colour(t), row * width + from, row * width + to);
    }
  }
}
