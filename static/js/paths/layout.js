// Where the panels of the spaces stand. Pure.

/** @import {Box} from './projection.js' */

export const GAP = 10;
/** A panel is no lower, and no narrower where two stand side by side. */
const LOWEST = 208;
const NARROWEST = 236;
/** Above a panel's picture: its name. Around it: room for the points at its edge and their labels. */
export const HEAD = 26;
const PADDING = { x: 34, top: 14, bottom: 30 };

/**
 * Panels side by side and below each other, as large as they can be; what does not fit is scrolled to.
 * @param {number} count
 * @param {{width: number, height: number}} room
 * @param {number} [together]  so many stay in one line, where they can: both directions of a layer
 */
export function gridOf(count, { width, height }, together = 1) {
  let best = { columns: 1, w: 0, h: 0, size: 0 };
  const most = Math.max(1, Math.min(count, Math.floor((width + GAP) / (NARROWEST + GAP))));
  for (let columns = 1; columns <= most; columns++) {
    if (columns > 1 && columns % together) continue;
    const rows = Math.ceil(count / columns);
    const w = (width - (columns - 1) * GAP) / columns;
    const fair = (height - (rows - 1) * GAP) / rows;
    // Higher than wide helps nobody, and what scrolls shows less at once.
    const h = Math.max(LOWEST, Math.min(fair, w));
    const seen = Math.min(1, (height + GAP) / (rows * (h + GAP)));
    const size = Math.min(w, 1.5 * h) * seen;
    if (size > best.size) best = { columns, w, h, size };
  }
  const { columns, w, h } = best;
  const rows = Math.ceil(count / columns);
  /** @type {Box[]} */
  const boxes = Array.from({ length: count }, (_, n) => ({
    x: Math.round((n % columns) * (w + GAP)),
    y: Math.round(Math.floor(n / columns) * (h + GAP)),
    width: Math.floor(w),
    height: Math.floor(h),
  }));
  return { boxes, height: Math.ceil(rows * (h + GAP) - GAP) };
}

/** Where the points of a panel may be. @param {Box} box @returns {Box} */
export const inside = ({ x, y, width, height }) => ({
  x: x + PADDING.x,
  y: y + HEAD + PADDING.top,
  width: width - 2 * PADDING.x,
  height: height - HEAD - PADDING.top - PADDING.bottom,
});
