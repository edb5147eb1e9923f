// Tokens as they are, made visible: what has no picture of its own gets one, nothing is dropped,
// and nothing is ever markup.

/** @type {Record<string, string>} */
const PICTURES = {
  " ": "␣",
  "\n": "⏎",
  "\r": "␍",
  "\t": "⇥",
  "\u00a0": "⍽",
  "\u00ad": "‐",
};

// Control characters, spaces, zero-width characters and joiners, direction marks, separators, lone
// surrogates, tags, noncharacters: invisible, or able to reorder what stands around them. Only
// what holds an emoji together does its work: a joiner between two pictures, the colour selector.
const INVISIBLE =
  /((?<=\p{Extended_Pictographic}[\ufe0f\p{Emoji_Modifier}]?)\u200d(?=\p{Extended_Pictographic})|(?<=\p{Emoji})\ufe0f)|[\p{Cc}\p{Cs}\p{Cn}\p{Z}\p{Default_Ignorable_Code_Point}\ufff9-\ufffb]/gu;

const LONGEST = 64;

/**
 * A token as it is shown: visible, and at most 64 characters long.
 * @param {string} text
 */
export function label(text) {
  // However long the token, no more of it than can be shown is looked at.
  const shown = text.slice(0, 2 * LONGEST + 2).replace(INVISIBLE, (ch, glue, at, whole) =>
    // A space between two words is seen: names of classes and columns have them.
    ch === " " &&
    /^[\p{L}\p{N}\p{P}\p{S}] [\p{L}\p{N}\p{P}\p{S}]$/u.test(whole.slice(at - 1, at + 2))
      ? ch
      : (glue ?? PICTURES[ch] ?? `‹${codePoint(ch)}›`),
  );
  // An accent alone has no width and would sit on its neighbour: it gets a circle to stand on.
  const characters = [...(/^\p{M}/u.test(shown) ? "◌" : ""), ...shown];
  return characters.length > LONGEST
    ? characters.slice(0, LONGEST - 1).join("") + "…"
    : characters.join("");
}

/**
 * A part of a text as it stands in it: spaces and line ends do their work, everything else that cannot be
 * seen is made visible.
 * @param {string} text
 */
export const running = (text) =>
  text.replace(INVISIBLE, (ch, glue) =>
    /[\n\t\p{Zs}]/u.test(ch) ? ch : (glue ?? PICTURES[ch] ?? `‹${codePoint(ch)}›`),
  );

/** @param {string} ch */
const codePoint = (ch) => (ch.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");

/**
 * The code points of a token, for its tooltip: "U+0041 U+0301".
 * @param {string} text
 */
export function codePoints(text) {
  const characters = [...text.slice(0, 26)];
  const points = characters.slice(0, 12).map((ch) => `U+${codePoint(ch)}`);
  return points.join(" ") + (characters.length > 12 ? " …" : "");
}

/**
 * A label for Plotly, which reads `<b>`, `<a href>` and entities in every string: escaped so that
 * it shows exactly what {@link label} gives.
 * @param {string} text
 */
export function plotlyLabel(text) {
  return label(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
}
