// The rows of the network where columns are too narrow for a picture of each cell: then a row is a
// heatmap of its h.

/** @import {Page} from '../page.js' */
/** @import {Recording} from '../recording.js' */
/** @import {axis} from '../time/axis.js' */

import { context2d } from "../dom.js";
import { levelOf } from "../geometry.js";
import { columnsOf, paintPicture, topLevel } from "../heatmaps/painter.js";
import { TILE } from "../heatmaps/pooling.js";

/**
 * @param {Page} page
 * @param {HTMLCanvasElement} cells  to draw a row on
 * @param {(recording: Recording, name: string) => [number, number]} rangeOf
 */
export function createNetworkMaps(page, cells, rangeOf) {
  const { state, theme } = page;
  /**
   * @param {Recording} recording
   * @param {CanvasRenderingContext2D} context
   * @param {ReturnType<typeof axis>} view
   * @param {string[]} names
   * @param {number[]} tops
   * @param {number} rowHeight
   */
  return function paintMaps(recording, context, view, names, tops, rowHeight) {
    const tiles = page.tiles(recording);
    const level = levelOf(view.columnWidth, window.devicePixelRatio || 1);
    const coarsest = Math.max(level, topLevel(recording.timesteps));
    const { first, last } = columnsOf(view.window, level);
    const columnWidth = view.columnWidth * 2 ** level;
    const x = first * columnWidth - view.scrollLeft;
    /** @param {string} name */
    const poolingOf = (name) => ({
      unitsPerRow: Math.ceil((recording.described(name)?.shape[1] ?? 1) / rowHeight),
      statistic: state.statistic.get(),
      sort: /** @type {const} */ ("index"),
      sortOf: "h",
      unit: 0,
    });
    const wanted = [];
    for (const name of names) {
      const pooling = poolingOf(name);
      for (let tile = Math.floor(first / TILE); tile * TILE < last; tile++)
        wanted.push({ name, pooling, level, tile });
      if (coarsest > level) wanted.push({ name, pooling, level: coarsest, tile: 0 });
    }
    tiles.want("network", wanted);
    const { tables, background } = theme.get();
    names.forEach((name, n) => {
      const pooling = poolingOf(name);
      const rows = Math.ceil((recording.described(name)?.shape[1] ?? 1) / pooling.unitsPerRow);
      const [low, high] = rangeOf(recording, name);
      const image = new ImageData(last - first, rows);
      paintPicture(
        new Uint32Array(image.data.buffer),
        { stride: last - first, top: 0, each: 1, rows },
        { level, top: coarsest, first, last },
        (of, tile) => tiles.get({ name, pooling, level: of, tile }),
        {
          lows: [low],
          highs: [high],
          table: tables.diverging,
          key: `${low} ${high} ${background}`,
        },
      );
      [cells.width, cells.height] = [image.width, image.height];
      context2d(cells).putImageData(image, 0, 0);
      context.drawImage(cells, x, tops[n], (last - first) * columnWidth, rowHeight);
    });
  };
}
