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
  const unitsPerRow = Math.ceil(units / pixels);
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
