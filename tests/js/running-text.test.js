import assert from "node:assert/strict";
import { test } from "node:test";

import {
  excerpt,
  paintStretches,
  runningText,
  stretches,
} from "../../static/js/unit/running-text.js";
import { forAll } from "./random.js";

/** @import {Random} from './random.js' */
/** @import {RunningText} from '../../static/js/unit/running-text.js' */

/** What stands where a token is. @param {RunningText} text @param {number} t */
const at = ({ pieces, piece, start, end }, t) => pieces[piece[t]].slice(start[t], end[t]);

/** Cut a text as a server does; places count code points. @param {string} text @param {RegExp} pattern */
function cut(text, pattern) {
  return [...text.matchAll(pattern)].map((match) => {
    const start = [...text.slice(0, match.index)].length;
    return { text: match[0], start, end: start + [...match[0]].length };
  });
}

const ALPHABET = [..."abc  .,\n\tשλ日", "🙂", "e\u0301", "\u202e", "👩‍🚀", "\u00a0"];

/** @param {Random} random */
const anyText = (random) =>
  "x" + Array.from({ length: random.integer(0, 900) }, () => random.pick(ALPHABET)).join("");

test("the pieces are the text, and every token stands in it as it was typed", () => {
  forAll(60, (random) => {
    const text = anyText(random).replaceAll("\u202e", "‮");
    const tokens = cut(text, /\S+/gu);
    const shown = runningText(text, tokens, false);
    assert.equal(shown.pieces.join(""), text.replaceAll("\u202e", "‹202E›"));
    tokens.forEach((token, t) => {
      assert.equal(at(shown, t), token.text.replaceAll("\u202e", "‹202E›"));
      assert.deepEqual([shown.part[t], shown.parts[t]], [0, 1]);
    });
  });
});

test("characters that are tokens all have a place that can be seen", () => {
  const text = "a b\n\nc\u200b\td";
  const tokens = cut(text, /./gsu);
  const shown = runningText(text, tokens, false);
  assert.equal(shown.pieces.join(""), "a b⏎\n⏎\nc‹200B›\td");
  assert.deepEqual(
    tokens.map((_, t) => at(shown, t)),
    ["a", " ", "b", "⏎\n", "⏎\n", "c", "‹200B›", "\t", "d"],
  );
});

test("what could reorder, hide or pretend is shown, and stays text", () => {
  const text = "<b>&lt; a\u202eb \u2066c\u200b \u0007d \ud83d\ude42";
  const shown = runningText(text, cut(text, /\S+/gu), false);
  assert.equal(shown.pieces.join(""), "<b>&lt; a‹202E›b ‹2066›c‹200B› ‹0007›d 🙂");
});

test("the bytes of a character share its place", () => {
  const text = "é🙂a";
  const place = (/** @type {number} */ n) => ({ start: n, end: n + 1 });
  const tokens = [0, 0, 1, 1, 1, 1, 2].map((n, t) => ({ text: `<0x${t}>`, ...place(n) }));
  const shown = runningText(text, tokens, false);
  assert.deepEqual(
    tokens.map((_, t) => [at(shown, t), shown.part[t], shown.parts[t]]),
    [
      ["é", 0, 2],
      ["é", 1, 2],
      ["🙂", 0, 4],
      ["🙂", 1, 4],
      ["🙂", 2, 4],
      ["🙂", 3, 4],
      ["a", 0, 1],
    ],
  );
});

test("rows of a table go by their names", () => {
  const tokens = ["Monday", "a\u202eb"].map((text, n) => ({ text, start: n * 9, end: n * 9 + 8 }));
  const shown = runningText("1,2,3,4\n5,6,7,8", tokens, true);
  assert.equal(shown.pieces.join(""), "Monday  a‹202E›b");
  assert.deepEqual([at(shown, 0), at(shown, 1)], ["Monday", "a‹202E›b"]);
});

test("a long text comes in pieces that no token crosses", () => {
  const text = Array.from({ length: 3000 }, (_, n) => `word${n}`).join(" ");
  const tokens = cut(text, /\S+/g);
  const shown = runningText(text, tokens, false);
  assert.ok(shown.pieces.length > 30);
  assert.ok(shown.pieces.every((piece) => piece.length < 500));
  assert.equal(shown.pieces.join(""), text);
  tokens.forEach((token, t) => assert.equal(at(shown, t), token.text));
});

test("a token has a stretch on every line it stands on, at least a little wide", () => {
  const box = (/** @type {number[]} */ [left, right, top]) => ({
    left,
    right,
    top,
    bottom: top + 18,
  });
  assert.deepEqual(stretches([[10, 40, 4]].map(box), 26, 0, 1), [{ line: 0, left: 10, right: 40 }]);
  const wrapped = [
    [700, 760, 30],
    [0, 25, 56],
  ].map(box);
  assert.deepEqual(stretches(wrapped, 26, 0, 1), [
    { line: 1, left: 700, right: 760 },
    { line: 2, left: 0, right: 25 },
  ]);
  const scripts = [
    [10, 20, 4],
    [20, 33, 2],
  ].map(box);
  assert.deepEqual(stretches(scripts, 26, 0, 1), [{ line: 0, left: 10, right: 33 }]);
  assert.deepEqual(stretches([box([10, 40, 4])], 26, 2, 3), [{ line: 0, left: 30, right: 40 }]);
  assert.deepEqual(stretches([box([10, 10, 4])], 26, 0, 1), [{ line: 0, left: 10, right: 12 }]);
  const lineEnd = [
    [50, 60, 4],
    [60, 60, 4],
  ].map(box);
  assert.deepEqual(stretches(lineEnd, 26, 0, 1), [{ line: 0, left: 50, right: 60 }]);
});

test("a line is a row of pixels, coloured where its tokens stand", () => {
  const pixels = new Uint32Array(2 * 10).fill(9);
  /** @type {[number, import('../../static/js/unit/running-text.js').Stretch[]][]} */
  const tokens = [
    [4, [{ line: 6, left: 0, right: 3.2 }]],
    [5, [{ line: 6, left: 3.2, right: 3.3 }]],
    [6, [{ line: 7, left: 8, right: 14 }]],
    [7, [{ line: 8, left: 0, right: 10 }]],
  ];
  paintStretches(pixels, 10, tokens, 6, (t) => t);
  assert.deepEqual([...pixels], [4, 4, 4, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 6, 6]);
});

test("an excerpt is the whole stretch if it is short, else its two ends", () => {
  const words = cut("the sun is shiny and the winter is cold", /\S+/g);
  assert.equal(excerpt(words, { start: 1, stop: 4 }), "sun is shiny");
  assert.equal(excerpt(words, { start: 0, stop: 9 }), "the sun is … is cold");
  assert.equal(excerpt(words, { start: 3, stop: 4 }, 4), "shi…");
  const letters = cut("to be or not to be, that is", /./gsu);
  assert.equal(excerpt(letters, { start: 0, stop: 9 }), "to␣be␣or␣");
  assert.equal(excerpt(letters, { start: 0, stop: 26 }), "to␣be␣or␣no … ␣be,␣that␣i");
  forAll(50, (random) => {
    const tokens = cut(anyText(random), /\S/gu);
    const start = random.integer(0, tokens.length - 1);
    const stop = random.integer(start + 1, tokens.length);
    const found = excerpt(tokens, { start, stop });
    assert.ok([...found].length <= 24 + 12, found);
    assert.ok(found.length > 0);
  });
});
