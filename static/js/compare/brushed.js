// Selected units in the pictures of a pair: marked beside both sides, and selected by the gestures that
// every heatmap knows.

/** @import {PictureRow} from './picture-layout.js' */
/** @import {Room} from './room.js' */

import { brushedUnits } from "../brush/brush.js";
import { attachBrushing, heatmapPicture } from "../brush/gestures.js";
import { context2d, element } from "../dom.js";

/** The strip in which they are marked. */
const GUTTER = 5;

/**
 * @param {Room} room
 * @param {HTMLElement} track
 * @param {() => {rows: PictureRow[], height: number}} layout
 * @param {(row: PictureRow) => ArrayLike<number> | null} orderOf
 */
export function createBrushed(room, track, layout, orderOf) {
  const { state, actions, theme } = room;
  const gutter = element("canvas", {
    class: "compare-gutter",
    "aria-hidden": "true",
    hidden: true,
  });
  track.append(gutter);
  const sides = () => layout().rows.filter(({ name }) => name !== "difference");
  const picture = heatmapPicture(track, sides, (row) => orderOf(/** @type {PictureRow} */ (row)));
  attachBrushing(track, picture, state, actions.brush);

  return function paint() {
    const rows = sides().map((row) => ({ row, units: brushedUnits(state, row.cell) }));
    gutter.hidden = !rows.some(({ units }) => units.size);
    if (gutter.hidden) return;
    const pixelRatio = window.devicePixelRatio || 1;
    const { height } = layout();
    [gutter.width, gutter.height] = [GUTTER, Math.max(1, Math.round(height * pixelRatio))];
    gutter.style.height = `${height}px`;
    const context = context2d(gutter);
    context.fillStyle = theme.get().accent;
    for (const { row, units } of rows) {
      const order = orderOf(row);
      const each = (row.height / row.rows) * pixelRatio;
      for (let place = 0; place < row.units; place++) {
        if (!units.has(order ? order[place] : place)) continue;
        const y = row.top * pixelRatio + Math.floor(place / row.unitsPerRow) * each;
        context.fillRect(0, Math.round(y), GUTTER, Math.max(1, Math.round(each)));
      }
    }
  };
}
