// What heatmaps are painted from: how their units are pooled and ordered, and with which colours.

/** @import {Page} from '../page.js' */
/** @import {Recording} from '../recording.js' */
/** @import {State} from '../state.js' */
/** @import {HeatmapRow} from './layout.js' */
/** @import {Colours} from './painter.js' */

import { shownRange } from "../theme.js";

/** How values are put together, and in which order of units. @param {State} state @param {number} unitsPerRow */
export const poolingOf = (state, unitsPerRow) => ({
  unitsPerRow,
  statistic: state.statistic.get(),
  sort: state.sort.get(),
  sortOf: state.sortOf.get(),
  unit: state.unit.get(),
});

/** @param {Page} page */
export function createHeatmapSource(page) {
  const { state, theme } = page;

  /** @param {number} unitsPerRow */
  const pooling = (unitsPerRow) => poolingOf(state, unitsPerRow);

  /**
   * The order of the units of an array; null as they are.
   * @param {Recording} recording
   * @param {Pick<HeatmapRow, "name">} row
   */
  const orderOf = (recording, { name }) => page.tiles(recording).orderOf(name, pooling(1)) ?? null;

  /** @param {string} name */
  const quantityOf = (name) => state.quantities.get().find((quantity) => quantity.name === name);

  return {
    pooling,
    orderOf,
    quantityOf,

    /**
     * Null while the ends of the scale have not come.
     * @param {Recording} recording
     * @param {HeatmapRow} row
     * @returns {Colours | null}
     */
    coloursOf(recording, row) {
      const quantity = quantityOf(row.quantity);
      if (!quantity) return null;
      const scale = state.scale.get();
      const { tables, background } = theme.get();
      const table = tables[quantity.scale];
      if (scale !== "row") {
        const [low, high] = shownRange(quantity, scale, recording, row.cell);
        return { lows: [low], highs: [high], table, key: `${low} ${high} ${background}` };
      }
      const order = orderOf(recording, row);
      const diverging = quantity.scale === "diverging";
      const ends = page.ranges(recording).rows(row.name, row.unitsPerRow, order, diverging);
      const { sort, sortOf, unit } = pooling(1);
      const key = `row ${sort} ${sortOf} ${sort === "similarity" ? unit : ""} ${background}`;
      return ends && { ...ends, table, key };
    },

    /** @param {Recording} recording @param {HeatmapRow} row */
    tileAt(recording, row) {
      const how = pooling(row.unitsPerRow);
      const tiles = page.tiles(recording);
      return (/** @type {number} */ level, /** @type {number} */ tile) =>
        tiles.get({ name: row.name, pooling: how, level, tile });
    },
  };
}

/** @typedef {ReturnType<typeof createHeatmapSource>} HeatmapSource */
