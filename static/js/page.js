// What a view is given: the state, what a person can do, and the stores behind the pictures.

/** @import {Actions} from './actions.js' */
/** @import {Api} from './api.js' */
/** @import {HeatmapLayout} from './heatmaps/layout.js' */
/** @import {Recording} from './recording.js' */
/** @import {State} from './state.js' */
/** @import {Theme} from './theme.js' */
/** @import {Tiles} from './heatmaps/tiles.js' */
/** @import {Figure, Readable, Tab} from './types.js' */

import { createTiles } from "./heatmaps/tiles.js";

/** What pictures may take of a tab's memory, unless a setting says otherwise. */
const TAB_BYTES = 256_000_000;

/**
 * @param {State} state
 * @param {Actions} actions
 * @param {Api} api
 * @param {ReturnType<typeof import('./frame.js').createFrameLoop>} frames
 * @param {Readable<Theme>} theme
 * @param {import('./views/tooltip.js').Tooltip} tooltip
 */
export function createPage(state, actions, api, frames, theme, tooltip) {
  /** @type {Map<Tab, Figure>} */
  const figures = new Map();
  const onArrival = () => state.pictured.set(state.pictured.get() + 1);
  /** Loaded when it is wanted first. @type {typeof import("./heatmaps/unit-ranges.js").createUnitRanges | null} */
  let createRanges = null;
  /** @type {{recording: Recording, tiles: Tiles, ranges: ReturnType<typeof laterRanges>} | null} */
  let stores = null;

  /**
   * The ends of scales of single units: few people ask for them.
   * @param {Recording} recording
   */
  function laterRanges(recording) {
    /** @type {import("./heatmaps/unit-ranges.js").UnitRangesStore | null} */
    let ranges = createRanges && createRanges(recording, api, onArrival);
    let asked = ranges !== null;
    return {
      /**
       * Null while they have not come.
       * @param {string} name
       * @param {number} unitsPerRow
       * @param {ArrayLike<number> | null} order
       * @param {boolean} diverging
       */
      rows(name, unitsPerRow, order, diverging) {
        if (!asked) {
          asked = true;
          import("./heatmaps/unit-ranges.js")
            .then(({ createUnitRanges }) => {
              createRanges = createUnitRanges;
              ranges = createUnitRanges(recording, api, onArrival);
              onArrival();
            })
            .catch(() => (asked = false));
        }
        return ranges?.rows(name, unitsPerRow, order, diverging) ?? null;
      },
    };
  }

  /** The stores of the recording on the screen; those of the one before are let go. @param {Recording} recording */
  function storesOf(recording) {
    if (stores && stores.recording !== recording && recording.continues(stores.recording)) {
      stores.tiles.adopt(recording);
      stores = { recording, tiles: stores.tiles, ranges: laterRanges(recording) };
    }
    if (stores?.recording !== recording) {
      stores?.tiles.close();
      const limit = (state.about.get()?.limits.max_tab_bytes ?? TAB_BYTES) / 2;
      const tiles = createTiles({ recording, api, limit, onArrival });
      stores = { recording, tiles, ranges: laterRanges(recording) };
    }
    return stores;
  }

  /** The pictures of views that do not bring their own: few people want them. */
  async function loadFigures() {
    if (figures.has("states")) return;
    const [{ createStatesFigure }, { createShapesFigure }] = await Promise.all([
      import("./keep/states-figure.js"),
      import("./keep/shapes-figure.js"),
    ]);
    figures.set("states", createStatesFigure(page));
    figures.set("shapes", createShapesFigure(page));
  }

  const page = {
    state,
    actions,
    api,
    frames,
    theme,
    tooltip,
    figures,
    loadFigures,
    /** What views have on the screen, for the pictures of them. */
    shown: { heatmaps: /** @type {HeatmapLayout} */ ({ rows: [], groups: [], height: 0 }) },
    /** @param {Recording} recording */
    tiles: (recording) => storesOf(recording).tiles,
    /** @param {Recording} recording */
    ranges: (recording) => storesOf(recording).ranges,
  };
  return page;
}

/** @typedef {ReturnType<typeof createPage>} Page */
