// One word of a text, to put another in its place. Pure. Tokens count code points.

/** @import {Token} from '../types.js' */

/**
 * Where the word begins and ends that a token is, or is part of.
 * @param {string} text
 * @param {Pick<Token, "start" | "end">} token
 * @param {boolean} isPart  whether tokens are smaller than words
 */
export function wordAt(text, { start, end }, isPart) {
  const characters = [...text];
  const inside = (/** @type {number} */ n) =>
    n >= 0 && n < characters.length && /\S/u.test(characters[n]);
  if (!isPart || !inside(start)) return { start, end, word: characters.slice(start, end).join("") };
  let [from, to] = [start, end];
  while (inside(from - 1)) from--;
  while (inside(to)) to++;
  return { start: from, end: to, word: characters.slice(from, to).join("") };
}

/**
 * @param {string} text
 * @param {{start: number, end: number}} place
 * @param {string} word  empty: the word goes, and the space behind it
 */
export function withWord(text, { start, end }, word) {
  const characters = [...text];
  const gone = word === "" && characters[end] === " " ? 1 : 0;
  return [...characters.slice(0, start), word, ...characters.slice(end + gone)].join("");
}
