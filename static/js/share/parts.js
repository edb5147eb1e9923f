// What a link can take away from the page, `&hide=transport,equations`, and how it can stand in
// another page, `&embed`. css/embed.css hides what is said here.

/** Every part by its name in a link, and what it is for a person. @type {Record<string, string>} */
export const PARTS = {
  header: "The whole top line",
  model: "Choosing a model",
  sentence: "Typing a sentence",
  open: "Open…",
  upload: "Upload…",
  parity: "Comparison with PyTorch",
  share: "Share",
  keep: "Keep",
  help: "Help",
  tokens: "Tokens and predictions",
  minimap: "Map of the whole text",
  network: "The network",
  tabs: "Tabs",
  legend: "Colours",
  units: "Selecting units",
  cell: "The panel of one cell",
  strips: "Values of every unit",
  equations: "Equations",
  predictions: "Predictions of a timestep",
  transport: "The bar that plays",
  speed: "Speed",
  order: "Order of processing",
};

/**
 * The names of parts in a text, in the order of the table.
 * @param {string} text
 */
export function hiddenParts(text) {
  const asked = new Set(text.split(","));
  return Object.keys(PARTS).filter((part) => asked.has(part));
}

/** @param {string} text */
export const cleanHide = (text) => hiddenParts(text).join(",");

/** How an embedded page can be: `cell` with the panel of one cell, `play` begins by itself. */
const EMBED = ["cell", "play"];

/**
 * `&embed` alone is "on".
 * @param {string} text
 */
export function cleanEmbed(text) {
  const asked = new Set(text.split(","));
  const found = EMBED.filter((word) => asked.has(word)).join(",");
  return found || (["", "on", "1", "true"].includes(text) ? "on" : "");
}
