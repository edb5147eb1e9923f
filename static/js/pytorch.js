// A network in PyTorch's words, as it would be written in Python.

/** @import {Module, Stack} from './types.js' */

/** nn.LSTM's own defaults are not written. @param {Module} module */
export function moduleLine({
  kind,
  input_size,
  hidden_size,
  num_layers,
  bias,
  bidirectional,
  proj_size,
}) {
  const options = [
    String(input_size),
    String(hidden_size),
    num_layers > 1 && `num_layers=${num_layers}`,
    !bias && "bias=False",
    bidirectional && "bidirectional=True",
    proj_size > 0 && `proj_size=${proj_size}`,
  ].filter(Boolean);
  const line = `nn.${kind === "LSTMCell" ? kind : "LSTM"}(${options.join(", ")})`;
  return kind === "BackwardLSTM" ? `${line}, read backward` : line;
}

/** @param {Stack} stack */
export const stackLine = ({ modules }) => modules.map(moduleLine).join(" → ");

/** How many weights nn.LSTM has. @param {Module} module */
export function parameterCount({
  input_size,
  hidden_size,
  num_layers,
  bias,
  bidirectional,
  proj_size,
}) {
  const directions = bidirectional ? 2 : 1;
  const output = proj_size || hidden_size;
  let count = 0;
  for (let layer = 0; layer < num_layers; layer++) {
    const reads = layer ? output * directions : input_size;
    const cell = 4 * hidden_size * (reads + output + (bias ? 2 : 0)) + proj_size * hidden_size;
    count += directions * cell;
  }
  return count;
}

/**
 * Why PyTorch would refuse these sizes, or null.
 * @param {Module & {seed: number}} sizes
 */
export function impossible(sizes) {
  const { hidden_size, proj_size, seed } = sizes;
  for (const name of /** @type {const} */ (["input_size", "hidden_size", "num_layers"])) {
    if (!Number.isInteger(sizes[name]) || sizes[name] < 1)
      return `${name} is a whole number from 1.`;
  }
  if (!Number.isInteger(proj_size) || proj_size < 0)
    return "proj_size is 0 (none) or a whole number.";
  if (proj_size >= hidden_size)
    return `proj_size makes h narrower: less than hidden_size, ${hidden_size}.`;
  if (!Number.isSafeInteger(seed) || seed < 0) return "seed is a whole number from 0.";
  return null;
}

/**
 * A hint that ends in code: what it says, and the lines.
 * @param {string} text
 * @returns {[string, string[]]}
 */
export function splitCode(text) {
  const at = text.search(/(?:\w+ = )?torch\.\w+\(/);
  if (at < 0) return [text, []];
  const lines = text.slice(at).split("\n");
  return [text.slice(0, at).trim(), lines.map((line) => line.trim()).filter(Boolean)];
}
