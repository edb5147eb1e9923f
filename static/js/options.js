// What a view shows, as a link says it: "of:h;over:window". Pure. Each view has a table of its own
// options; what a link says wrongly is as it is by default.

/** No view has so much to say. */
const LONGEST = 400;

/** Letters, digits, and what numbers and names of arrays are written with. */
const SOUND = /^[\w.,:;/+-]*$/;

/** What may stand in a link. @param {string} given */
export const cleanOptions = (given) => (given.length <= LONGEST && SOUND.test(given) ? given : "");

/**
 * The options of a view. The defaults say which there are: where one is a number, so is what is
 * read.
 * @template {Record<string, string | number>} T
 * @param {string} text
 * @param {T} defaults
 * @param {{[name in keyof T]?: (value: T[name]) => boolean}} [sound]  whether a value can be; numbers are finite anyway
 * @returns {T}
 */
export function readOptions(text, defaults, sound = {}) {
  const found = { ...defaults };
  for (const part of text.split(";")) {
    const colon = part.indexOf(":");
    const name = part.slice(0, colon);
    if (colon < 1 || !Object.hasOwn(defaults, name)) continue;
    const given = part.slice(colon + 1);
    const value = typeof defaults[name] === "number" ? Number(given || NaN) : given;
    if (typeof value === "number" && !Number.isFinite(value)) continue;
    if (sound[name]?.(/** @type {T[string]} */ (value)) ?? true)
      found[/** @type {keyof T} */ (name)] = /** @type {T[string]} */ (value);
  }
  return found;
}

/**
 * Options as text, without those that are as by default.
 * @template {Record<string, string | number>} T
 * @param {T} options
 * @param {T} defaults
 */
export const writeOptions = (options, defaults) =>
  Object.keys(defaults)
    .filter((name) => options[name] !== defaults[name])
    .map((name) => `${name}:${options[name]}`)
    .join(";");
