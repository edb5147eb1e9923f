// Numbers as people read them, and sums whose shown terms really add up.

const MINUS = "−";

/**
 * A number with a fixed count of decimals and a true minus sign.
 * @param {number} value
 * @param {number} [decimals]
 */
export function fixed(value, decimals = 3) {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : `${MINUS}∞`;
  if (Math.abs(value) >= 1e6) return value.toExponential(2).replace("-", MINUS).replace("+", "");
  const text = Math.abs(value).toFixed(decimals);
  return value < 0 && Number(text) !== 0 ? MINUS + text : text;
}

/**
 * A small difference the way the badge shows it: 3e−8, or 0.
 * @param {number} value
 */
export function tiny(value) {
  if (value === 0) return "0";
  return value.toExponential(0).replace("e+", "e").replace("-", MINUS);
}

/**
 * Round the terms of a sum so that the rounded terms add up to the rounded total.
 *
 * Each term is within one unit of the last place of its true value: the ones nearest to the other
 * neighbour give way first (largest remainders).
 * @param {number[]} terms
 * @param {number} [decimals]
 * @returns {{terms: string[], total: string}}
 */
export function sum(terms, decimals = 3) {
  const total = terms.reduce((a, b) => a + b, 0);
  const scale = 10 ** decimals;
  if (!terms.every((term) => Number.isFinite(term) && Math.abs(term) < 1e6)) {
    return { terms: terms.map((term) => fixed(term, decimals)), total: fixed(total, decimals) };
  }
  const rounded = terms.map((term) => Math.round(term * scale));
  let missing = Math.round(total * scale) - rounded.reduce((a, b) => a + b, 0);
  const sign = Math.sign(missing);
  const remainder = (/** @type {number} */ n) => sign * (terms[n] * scale - rounded[n]);
  const order = terms.map((_, n) => n).sort((a, b) => remainder(b) - remainder(a));
  for (const n of order) {
    if (missing === 0) break;
    rounded[n] += sign;
    missing -= sign;
  }
  return {
    terms: rounded.map((n) => fixed(n / scale, decimals)),
    total: fixed(Math.round(total * scale) / scale, decimals),
  };
}

/**
 * Join rounded terms with signs: "0.585 − 0.189".
 * @param {string[]} terms
 */
export function joinTerms(terms) {
  return terms
    .map((term, n) => {
      if (n === 0) return term;
      return term.startsWith(MINUS) ? `${MINUS} ${term.slice(1)}` : `+ ${term}`;
    })
    .join(" ");
}

const SUBSCRIPTS = "₀₁₂₃₄₅₆₇₈₉";

/**
 * A timestep as an index: 12 → ₁₂.
 * @param {number} n
 */
export function subscript(n) {
  return String(n).replace(/\d/g, (digit) => SUBSCRIPTS[Number(digit)]);
}

/**
 * @param {number} count
 * @param {string} noun
 */
export function plural(count, noun) {
  return `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
}

/** The size of a file. @param {number} count */
export function bytes(count) {
  const units = ["bytes", "kB", "MB", "GB"];
  const power = Math.min(3, Math.floor(Math.log10(Math.max(1, count)) / 3));
  return `${(count / 1000 ** power).toLocaleString("en", { maximumFractionDigits: power && 1 })} ${units[power]}`;
}
