// Where things are. Pure: numbers in, numbers out, tested without a browser.

/** @import {Cell, Layer, TimeWindow} from './types.js' */

/** Room for the frame of a lit cell in the first and the last row. */
const EDGE = 3;

const WIDEST_COLUMN = 150;

/**
 * The width of one timestep's column: the whole sentence if it fits, else columns as narrow as
 * their tokens can be read, and the axis scrolls.
 * @param {number} trackWidth
 * @param {number} timesteps
 * @param {number} narrowest
 */
export function columnWidth(trackWidth, timesteps, narrowest) {
  if (trackWidth <= 0 || timesteps <= 0) return narrowest;
  return Math.min(WIDEST_COLUMN, Math.max(narrowest, trackWidth / timesteps));
}

/**
 * The part of the time axis on the screen. A `span` of 0 shows as many timesteps as can be read; any
 * other is kept between one column as wide as a column may be and the whole sequence.
 * @param {{trackWidth: number, timesteps: number, narrowest: number, from: number, span: number}} asked
 */
export function timeView({ trackWidth, timesteps, narrowest, from, span }) {
  const readable = columnWidth(trackWidth, timesteps, narrowest);
  const whole = Math.min(readable, trackWidth > 0 ? trackWidth / timesteps : readable);
  const width = span > 0 ? Math.min(WIDEST_COLUMN, Math.max(whole, trackWidth / span)) : readable;
  const end = Math.max(0, timesteps * width - trackWidth);
  return { columnWidth: width, scrollLeft: Math.min(end, Math.max(0, from * width)) };
}

/**
 * The window after zooming by a factor around a place of the track; what is there stays there.
 * @param {{columnWidth: number, timesteps: number, scrollLeft: number, trackWidth: number}} view
 * @param {number} factor  above 1 shows fewer timesteps
 * @param {number} x  pixels from the left edge of the track
 */
export function zoomed({ columnWidth, timesteps, scrollLeft, trackWidth }, factor, x) {
  const whole = Math.min(WIDEST_COLUMN, trackWidth / timesteps);
  const width = Math.min(WIDEST_COLUMN, Math.max(whole, columnWidth * factor));
  const at = (scrollLeft + x) / columnWidth;
  const from = at - x / width;
  const last = timesteps - trackWidth / width;
  return { from: Math.max(0, Math.min(from, last)), span: trackWidth / width };
}

/**
 * The columns on the screen: `first` to `last` (not included), the first one `offset` pixels from
 * the left edge (zero or negative).
 * @param {{columnWidth: number, timesteps: number, scrollLeft: number, trackWidth: number}} view
 * @returns {TimeWindow}
 */
export function timeWindow({ columnWidth, timesteps, scrollLeft, trackWidth }) {
  const first = Math.min(Math.max(0, Math.floor(scrollLeft / columnWidth)), timesteps - 1);
  const last = Math.min(timesteps, Math.ceil((scrollLeft + trackWidth) / columnWidth));
  return {
    columnWidth,
    first,
    last: Math.max(last, first + 1),
    offset: first * columnWidth - scrollLeft,
  };
}

/**
 * Where to scroll so that a column and its neighbours can be seen; the old place if they can.
 * @param {number} timestep
 * @param {{columnWidth: number, timesteps: number, scrollLeft: number, trackWidth: number}} view
 */
export function scrollToShow(timestep, { columnWidth, timesteps, scrollLeft, trackWidth }) {
  const margin = Math.min(columnWidth, Math.max(0, (trackWidth - columnWidth) / 2));
  const left = timestep * columnWidth;
  const end = Math.max(0, timesteps * columnWidth - trackWidth);
  if (left - margin < scrollLeft) return Math.min(end, Math.max(0, left - margin));
  if (left + columnWidth + margin > scrollLeft + trackWidth) {
    // Page forward rather than creep: where there is room, half of the screen stays ahead of the cursor.
    const behind = Math.min(trackWidth * 0.4, Math.max(0, trackWidth - columnWidth - margin));
    return Math.min(end, Math.max(0, left - behind));
  }
  return Math.min(scrollLeft, end);
}

/**
 * The rows of the network from top to bottom: the highest layer first, as in the textbooks.
 * @param {readonly Pick<Layer, "directions">[]} layers
 * @returns {Cell[]}
 */
export const networkRows = (layers) =>
  layers
    .map(({ directions }, layer) => directions.map((direction) => ({ layer, direction })))
    .reverse()
    .flat();

/**
 * Heights of the network: each row's top, the gaps between layers, the whole.
 * @param {readonly Cell[]} rows
 * @param {{row: number, gap: number, layerGap: number}} sizes
 */
export function networkLayout(rows, { row, gap, layerGap }) {
  let y = EDGE;
  const tops = rows.map(({ layer }, n) => {
    const top = y;
    y += row + (rows[n + 1]?.layer === layer ? gap : layerGap);
    return top;
  });
  return { tops, inputTop: y, height: y + row + EDGE };
}

/**
 * A network row's height: tall while there are few, never too small to click.
 * @param {number} rows
 */
export function networkRowHeight(rows) {
  if (rows <= 3) return 40;
  if (rows <= 5) return 32;
  return rows <= 7 ? 30 : 21;
}

/**
 * A grid for the units of one cell whose squares are nearly square.
 * @param {number} width
 * @param {number} height
 * @param {number} units
 */
export function cellGrid(width, height, units) {
  const wished = Math.max(
    1,
    Math.min(units, Math.round(Math.sqrt((units * height) / Math.max(1, width)))),
  );
  const columns = Math.ceil(units / wished);
  return { columns, rows: Math.ceil(units / columns) };
}

/**
 * How many timesteps one pooled column holds: the smallest power of two that leaves no column
 * narrower than a device pixel. `level` is its exponent.
 * @param {number} columnWidth  of one timestep
 * @param {number} pixelRatio
 */
export function levelOf(columnWidth, pixelRatio) {
  return Math.max(0, Math.ceil(Math.log2(1 / (columnWidth * pixelRatio)) - 1e-9));
}

/**
 * Rows of pixels for the units of a heatmap: every unit the same whole number of device pixels, or
 * the same number of units in every row (the last row may hold fewer).
 * @param {number} units
 * @param {number} target  wished height in CSS pixels
 * @param {number} pixelRatio  device pixels per CSS pixel
 */
export function heatmapRows(units, target, pixelRatio) {
  const pixels = target * pixelRatio;
  if (units <= pixels * 1.34) {
    const each = Math.max(1, Math.round(pixels / units));
    return { rows: units, unitsPerRow: 1, height: (units * each) / pixelRatio };
  }
  // The nearest of the two heights around the wished one.
  const fewer = Math.max(2, Math.floor(units / pixels));
  const over = Math.ceil(units / fewer) - pixels;
  const under = pixels - Math.ceil(units / (fewer + 1));
  const unitsPerRow = over <= under ? fewer : fewer + 1;
  const rows = Math.ceil(units / unitsPerRow);
  return { rows, unitsPerRow, height: rows / pixelRatio };
}

/**
 * The column under a horizontal position of the track, kept inside the sentence.
 * @param {number} x  pixels from the left edge of the track
 * @param {{columnWidth: number, timesteps: number, scrollLeft: number}} view
 */
export function timestepAtX(x, { columnWidth, timesteps, scrollLeft }) {
  return Math.min(timesteps - 1, Math.max(0, Math.floor((x + scrollLeft) / columnWidth)));
}
