// Which point is under a pointer. Pure.

/** @import {Places} from './projection.js' */

/**
 * The nearest point of some paths; of two as near the one of the earlier path.
 * @param {readonly Places[]} paths
 * @param {number} x
 * @param {number} y
 * @param {number} reach  pixels
 * @returns {{path: number, at: number} | null}
 */
export function nearest(paths, x, y, reach) {
  let [found, best] = [/** @type {{path: number, at: number} | null} */ (null), reach * reach];
  paths.forEach((places, path) => {
    for (let at = 0; at < places.x.length; at++) {
      const far = (places.x[at] - x) ** 2 + (places.y[at] - y) ** 2;
      if (far < best || (far === best && !found)) [found, best] = [{ path, at }, far];
    }
  });
  return found;
}
