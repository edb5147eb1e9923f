// Lines over time as geometry: which vertices, between which ends, in which band. Pure.

/** @import {Numbers} from './types.js' */

/** Room above and below the ends of a band, so that a line at its end is drawn whole. */
const EDGE = 2;

/**
 * The vertices of a line through the middles of its columns, x and y in turn; an x of NaN begins a
 * new line behind a gap.
 *
 * Where several timesteps share a pixel column only four of them are kept: the first, the lowest, the
 * highest, the last. What is drawn covers the same pixels as the line through all of them.
 * @param {Numbers} values
 * @param {{first: number, last: number, offset: number, columnWidth: number}} window  `last` not included
 * @param {(value: number) => number} y
 * @param {number} [pixel]  width of a pixel column, in the unit of `offset` and `columnWidth`
 */
export function vertices(values, { first, last, offset, columnWidth }, y, pixel = 1) {
  /** @type {number[]} */
  const out = [];
  const x = (/** @type {number} */ t) => offset + (t - first + 0.5) * columnWidth;
  let open = false;
  const put = (/** @type {number} */ t) => {
    if (!open && out.length) out.push(NaN, NaN);
    open = true;
    out.push(x(t), y(values[t]));
  };
  // The timesteps of the pixel column that is being gathered, -1 where there is none.
  let [from, low, high, to, column] = [-1, -1, -1, -1, NaN];
  const flush = () => {
    if (from < 0) return;
    const [a, b] = low < high ? [low, high] : [high, low];
    put(from);
    if (a > from) put(a);
    if (b > a && b > from) put(b);
    if (to > b) put(to);
    from = -1;
  };
  for (let t = first; t < last; t++) {
    const value = values[t];
    if (!Number.isFinite(value)) {
      flush();
      open = false;
      continue;
    }
    const at = Math.floor(x(t) / pixel);
    if (from >= 0 && at === column) {
      if (value < values[low]) low = t;
      if (value > values[high]) high = t;
      to = t;
      continue;
    }
    flush();
    [from, low, high, to, column] = [t, t, t, t, at];
  }
  flush();
  return out;
}

/**
 * Ends for an axis that hold the values between them: zero is always one of them or in the middle,
 * the other is 1, 2 or 5 times a power of ten.
 * @param {number} low
 * @param {number} high
 * @returns {[number, number]}
 */
export function niceEnds(low, high) {
  const most = Math.max(Math.abs(low), Math.abs(high));
  if (!(most > 0) || !Number.isFinite(most)) return [-1, 1];
  const power = 10 ** Math.floor(Math.log10(most));
  const step = [1, 2, 5, 10].find((n) => n * power >= most) ?? 10;
  // 3 times a negative power of ten is not what it is written as.
  const end = Number((step * power).toPrecision(1));
  return [low < 0 ? -end : 0, high > 0 ? end : 0];
}

/**
 * Bands stacked from the top: where each one lies, and where a value in it.
 * @param {{height: number}[]} heights
 * @param {number} gap
 */
export function stackBands(heights, gap) {
  let next = 0;
  const bands = heights.map(({ height }) => {
    const top = next;
    next += height + gap;
    return { top, height };
  });
  return { bands, height: next - gap };
}

/**
 * Where a value lies in a band, from the top of the picture.
 * @param {{top: number, height: number}} band
 * @param {readonly [number, number]} ends
 * @returns {(value: number) => number}
 */
export function scaleY({ top, height }, [low, high]) {
  const room = height - 2 * EDGE;
  return (value) => top + EDGE + ((high - value) / (high - low)) * room;
}
