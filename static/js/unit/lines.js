// Lines over time as geometry: which vertices, between which ends, in which band. Pure.

/** @import {Numbers, Quantity} from '../types.js' */

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
  for (let t = first; t < last;) {
    if (!Number.isFinite(values[t])) {
      open = false;
      t++;
      continue;
    }
    const stop = Math.min(last, nextColumn(t, x, pixel, columnWidth));
    // As far as there are numbers: a gap inside a pixel column is one, too.
    let low = t;
    let high = t;
    let least = values[t];
    let most = least;
    let end = t + 1;
    for (; end < stop; end++) {
      const value = values[end];
      if (value - value !== 0) break;
      if (value < least) {
        least = value;
        low = end;
      } else if (value > most) {
        most = value;
        high = end;
      }
    }
    const [a, b] = low < high ? [low, high] : [high, low];
    put(t);
    if (a > t) put(a);
    if (b > a && b > t) put(b);
    if (end - 1 > b) put(end - 1);
    t = end;
  }
  return out;
}

/**
 * The first timestep behind t whose point is in another pixel column.
 * @param {number} t
 * @param {(t: number) => number} x
 * @param {number} pixel
 * @param {number} columnWidth
 */
function nextColumn(t, x, pixel, columnWidth) {
  const column = Math.floor(x(t) / pixel);
  const at = (/** @type {number} */ other) => Math.floor(x(other) / pixel);
  let next = Math.max(t + 1, t + Math.floor(((column + 1) * pixel - x(t)) / columnWidth));
  // What was rounded may be one off.
  while (next > t + 1 && at(next - 1) > column) next--;
  while (at(next) === column) next++;
  return next;
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

/**
 * Quantities that share an axis, in one band.
 * @typedef {object} Band
 * @property {Quantity[]} quantities
 * @property {boolean} fitted  whether its ends are those of what was recorded
 */

/**
 * The quantities in bands: those that are shown between the same ends share one.
 * @param {readonly Quantity[]} quantities
 * @returns {Band[]}
 */
export function bandsOf(quantities) {
  /** @type {Map<string, Quantity[]>} */
  const groups = new Map();
  for (const quantity of quantities) {
    const key = `${quantity.shown_low} ${quantity.shown_high}`;
    groups.set(key, [...(groups.get(key) ?? []), quantity]);
  }
  const bands = [...groups.values()].map((own) => ({
    quantities: own,
    fitted: own.every(({ low, high }) => low === null || high === null),
  }));
  // The states stand below what made them.
  return bands.sort((a, b) => Number(a.fitted) - Number(b.fitted));
}

/**
 * The ends of a band's axis: what its quantities can be, or what they were where nothing bounds them.
 * @param {Band} band
 * @param {readonly {low: number, high: number}[]} recorded  of its quantities; NaN where there is no number
 * @returns {[number, number]}
 */
export function endsOf({ quantities, fitted }, recorded) {
  const finite = recorded.filter(({ low }) => Number.isFinite(low));
  const low = Math.min(...finite.map((one) => one.low));
  const high = Math.max(...finite.map((one) => one.high));
  const { shown_low, shown_high } = quantities[0];
  // A projection may take h beyond what tanh gives.
  const within = low >= shown_low && high <= shown_high;
  return finite.length && (fitted || !within) ? niceEnds(low, high) : [shown_low, shown_high];
}
