// The pictures of a pair as pixels, for the screen and for keeping.

/** @import {Page} from '../page.js' */
/** @import {Recording} from '../recording.js' */
/** @import {Colours} from '../heatmaps/painter.js' */
/** @import {Tiles, Wanted} from '../heatmaps/tiles.js' */
/** @import {Pair} from './sides.js' */
/** @import {PictureRow} from './picture-layout.js' */

import { fitted } from "../colour.js";
import { levelOf } from "../geometry.js";
import { columnsOf, paintPicture, topLevel } from "../heatmaps/painter.js";
import { TILE } from "../heatmaps/pooling.js";
import { poolingOf } from "../heatmaps/source.js";
import { shownRange } from "../theme.js";
import { differenceEnd, withoutPartner } from "./picture-layout.js";

/** Where a timestep has no partner one sees through the picture, to the hatching behind it. */
const NOTHING = 0;

/** @param {Page} page */
export function createPainting({ state, theme }) {
  /**
   * The part of the axis on the screen, in columns of the level that fits it.
   * @param {{columnWidth: number, window: {first: number, last: number}}} view
   * @param {number} timesteps
   */
  function partOf(view, timesteps) {
    const level = levelOf(view.columnWidth, window.devicePixelRatio || 1);
    const top = Math.max(level, topLevel(timesteps));
    return { level, top, ...columnsOf(view.window, level) };
  }

  /**
   * What the pictures are made of.
   * @param {PictureRow[]} rows
   * @param {ReturnType<typeof partOf>} part
   * @returns {Wanted[]}
   */
  function wanted(rows, { level, top, first, last }) {
    const pool = poolingOf(state, rows[0].unitsPerRow);
    /** @type {Wanted[]} */
    const found = [];
    for (const { name } of rows) {
      for (let tile = Math.floor(first / TILE); tile * TILE < last; tile++)
        found.push({ name, pooling: pool, level, tile });
      if (top > level) found.push({ name, pooling: pool, level: top, tile: 0 });
    }
    return found;
  }

  /** @param {Tiles} tiles @param {PictureRow} row */
  const tileAt = (tiles, { name, unitsPerRow }) => {
    const pool = poolingOf(state, unitsPerRow);
    return (/** @type {number} */ level, /** @type {number} */ tile) =>
      tiles.get({ name, pooling: pool, level, tile });
  };

  /**
   * The ends of the scale of a picture. Two sides of one quantity share theirs; a difference has the
   * round number that holds all of it, and none while the picture has not come.
   * @param {Pair} pair
   * @param {PictureRow} row
   * @param {Tiles} tiles
   * @returns {[number, number]}
   */
  function ends({ one, other }, row, tiles) {
    const { timesteps } = one.recording;
    if (row.name === "difference") {
      const whole = tileAt(tiles, row)(topLevel(timesteps), 0);
      const end = whole ? differenceEnd(whole.data) : 1;
      return [-end, end];
    }
    const own = row.name === "one" ? one : other;
    const quantity = state.quantities.get().find(({ name }) => name === own.quantity);
    if (!quantity) return [-1, 1];
    // Of single units there are no ends to share.
    const scale = state.scale.get() === "fixed" ? "fixed" : "layer";
    const range = (/** @type {Pair["one"]} */ side) =>
      shownRange(quantity, scale, /** @type {Recording} */ (side.recording), side.cell);
    if (one.quantity !== other.quantity) return range(own);
    const [a, b] = [range(one), range(other)];
    return fitted(Math.min(a[0], b[0]), Math.max(a[1], b[1]), quantity.scale);
  }

  /** @param {Pair} pair @param {PictureRow} row @param {Tiles} tiles @returns {Colours} */
  function coloursOf(pair, row, tiles) {
    const [low, high] = ends(pair, row, tiles);
    const { tables, background } = theme.get();
    const quantity = state.quantities.get().find(({ name }) => name === row.quantity);
    const scale = row.name === "difference" ? "diverging" : (quantity?.scale ?? "diverging");
    return {
      lows: [low],
      highs: [high],
      table: tables[scale],
      key: `${low} ${high} ${background}`,
    };
  }

  return {
    partOf,
    wanted,
    ends,

    /** Whether there is anything to paint yet. @param {PictureRow[]} rows @param {ReturnType<typeof partOf>} part @param {Tiles} tiles */
    hasAny: (rows, part, tiles) => wanted(rows, part).some((one) => tiles.get(one)),

    /**
     * Paint a picture; returns whether all of it was there.
     * @param {Uint32Array} pixels  row-major, `stride` wide
     * @param {{stride: number, top: number, each: number}} place
     * @param {Pair} pair
     * @param {PictureRow} row
     * @param {ReturnType<typeof partOf>} part
     * @param {Tiles} tiles
     * @param {Int32Array | null} partner
     */
    paint(pixels, place, pair, row, part, tiles, partner) {
      const { rows } = row;
      const colours = coloursOf(pair, row, tiles);
      const complete = paintPicture(pixels, { ...place, rows }, part, tileAt(tiles, row), colours);
      if (row.name === "one" || !partner) return complete;
      for (const [from, to] of withoutPartner(partner, part, part.level)) {
        for (let y = 0; y < rows * place.each; y++) {
          const line = (place.top + y) * place.stride - part.first;
          pixels.fill(NOTHING, line + from, line + to);
        }
      }
      return complete;
    },

    /** What decides the colours and places of the pictures, beside the pair and the window. */
    key: () =>
      [
        state.scale.get(),
        state.sort.get(),
        state.sort.get() === "similarity" ? state.unit.get() : "",
        state.sortOf.get(),
        state.statistic.get(),
        theme.get().background,
      ].join(),

    reads: [state.scale, state.sort, state.sortOf, state.statistic, state.pictured],
  };
}

/** @typedef {ReturnType<typeof createPainting>} Painting */
