// Tiles of a pair of arrays: what the heatmaps are painted from, asked for as those of one recording are.

/** @import {Page} from '../page.js' */
/** @import {Recording} from '../recording.js' */
/** @import {Tiles} from '../heatmaps/tiles.js' */
/** @import {Pair} from './sides.js' */

import { createTiles } from "../heatmaps/tiles.js";
import { askedOf, keyOf } from "./sides.js";

/** Of what a tab may keep, the pictures of a pair have an eighth. */
const SHARE = 1 / 8;
const TAB_BYTES = 256_000_000;

/** @param {Page} page */
export function createPairTiles({ state, api }) {
  /** @type {{key: string, tiles: Tiles} | null} */
  let current = null;

  /** @param {Pair} pair */
  function open(pair) {
    const { one, other } = pair;
    const shapes = /** @type {Record<string, number>} */ ({
      one: one.width,
      other: other.width,
      difference: one.width,
    });
    // The store of tiles knows a recording by what it asks of it.
    const recording = /** @type {Recording} */ (
      /** @type {unknown} */ ({
        about: one.recording.about,
        whole: false,
        array: () => undefined,
        described: (/** @type {string} */ name) => ({
          shape: [one.recording.timesteps, shapes[name]],
        }),
      })
    );
    const limit = (state.about.get()?.limits.max_tab_bytes ?? TAB_BYTES) * SHARE;
    const onArrival = () => state.pictured.set(state.pictured.get() + 1);
    /** @type {typeof api.tiles} */
    const tiles = (id, _, of, signal) =>
      api.comparisonTiles(id, { ...askedOf(pair), ...of }, signal);
    return createTiles({ recording, api: { ...api, tiles }, limit, onArrival });
  }

  return {
    /** The store of a pair; that of the one before is let go. @param {Pair} pair */
    of(pair) {
      const key = keyOf(pair);
      if (current?.key !== key) {
        current?.tiles.close();
        current = { key, tiles: open(pair) };
      }
      return current.tiles;
    },
  };
}
