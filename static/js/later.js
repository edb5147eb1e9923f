// The page beyond its first frame: the panel of one cell, the tools, what opens, the keys. It is
// loaded while the first recording is made, so that nothing of it stands before the first frame.

/** @import {Page} from './page.js' */
/** @import {Readable, Tab} from './types.js' */

import { noAnswer } from "./api.js";
import { attachBrushing, heatmapPicture } from "./brush/gestures.js";
import { byId, fillOnOpening } from "./dom.js";
import { createFiles } from "./models/files.js";
import { createHeatmapSource } from "./heatmaps/source.js";
import { keyTable, listenToKeys } from "./keys.js";
import { createParityView, setUpShare } from "./views/badges.js";
import { createCellView } from "./cell/panel.js";
import { createEquationsView } from "./cell/equations.js";
import { createMinimapView } from "./views/minimap.js";
import { createPredictionsView } from "./views/predictions.js";
import { createStatesToolsView } from "./views/states-tools.js";
import { createStripsView } from "./cell/strips.js";
import { createUnitsButtonView } from "./brush/button.js";
import { createWantingView } from "./time/wanting.js";
import { listenToZoom } from "./time/zooming.js";

/**
 * Returns what opens files.
 * @param {Page} page
 */
export function completePage(page) {
  const { state, api, actions, frames } = page;
  for (const view of [
    createParityView(state),
    createWantingView(state),
    createMinimapView(page),
    createUnitsButtonView(state),
    createStatesToolsView(page),
    createCellView(state, actions),
    createStripsView(page),
    createEquationsView(state),
    createPredictionsView(state),
  ])
    frames.add(/** @type {import("./frame.js").View} */ (view));
  setUpShare(state);
  listenToZoom(state);
  selectOnHeatmaps(page);
  const files = createFiles(state, api, actions);
  loadTabs(page);
  fillMenus(page, files);
  setUpKeys(page);
  return files;
}

/** @typedef {ReturnType<typeof createFiles>} Files */

/** @param {Page} page */
function selectOnHeatmaps(page) {
  const { state, actions, shown } = page;
  const track = byId("state-track");
  const { orderOf } = createHeatmapSource(page);
  const picture = heatmapPicture(
    track,
    () => shown.heatmaps.rows,
    (row) => {
      const recording = state.recording.get();
      return recording && orderOf(recording, row);
    },
  );
  attachBrushing(track, picture, state, actions.brush);
}

/** What is seen only when asked for is loaded only then. @param {Page} page */
function loadTabs(page) {
  const { state, frames } = page;
  /** @param {Tab} tab @param {() => Promise<import("./frame.js").View>} create */
  const onTab = (tab, create) =>
    once(
      page,
      [state.tab],
      () => state.tab.get() === tab,
      async () => frames.add(await create()),
    );
  onTab("unit", async () => (await import("./unit/tab.js")).createUnitView(page));
  onTab("network", async () => (await import("./network/tab.js")).createNetworkMapView(page));
  onTab("cell", async () => (await import("./cell/tab.js")).createCellDrawingView(page));
  onTab("compare", async () => (await import("./compare/tab.js")).createCompareView(page));
  onTab("paths", async () => (await import("./paths/tab.js")).createPathsView(page));
  onTab("predictions", async () =>
    (await import("./predictions/tab.js")).createPredictionsTab(page),
  );
  onTab("write", async () => (await import("./write/tab.js")).createWriteView(page));
  onTab("shapes", async () => (await import("./views/shapes.js")).createShapesView(state));
  once(
    page,
    [state.pinModel, state.pinText],
    () => `${state.pinModel.get()}${state.pinText.get()}` !== "",
    async () => {
      (await import("./pinned.js")).keepPinned(page);
      frames.add((await import("./compare/badge.js")).createBadgeView(state));
    },
  );
  once(
    page,
    [state.hide, state.embed],
    () => `${state.hide.get()}${state.embed.get()}` !== "",
    async () => frames.add((await import("./share/embed.js")).createEmbedView(page)),
  );
}

/**
 * Load something when it is wanted for the first time.
 * @param {Page} page
 * @param {Readable<any>[]} atoms
 * @param {() => boolean} isWanted
 * @param {() => Promise<unknown>} load
 */
function once({ actions }, atoms, isWanted, load) {
  const check = () => {
    if (!isWanted()) return;
    stops.forEach((stop) => stop());
    load().catch(() => actions.report(noAnswer()));
  };
  const stops = atoms.map((atom) => atom.subscribe(check));
  check();
}

/** @param {Page} page @param {Files} files */
function fillMenus(page, files) {
  const { state, api, actions, frames } = page;
  const about = () => import("./models/about.js");
  fillOnOpening("sentences", async (popover) =>
    (await import("./views/sentences.js")).showSentences(popover, state, actions),
  );
  fillOnOpening("card", async (card) => (await about()).showCard(card, state));
  fillOnOpening("parity-details", async (box) => (await about()).showParity(box, state, actions));
  /** @type {(() => void) | null} */
  let fillModels = null;
  fillOnOpening("models", async () => {
    const { createModels } = await import("./models/menu.js");
    fillModels ??= createModels(state, api, actions, files);
    fillModels();
  });
  fillOnOpening("keep-menu", async (menu) => (await import("./keep/menu.js")).showKeep(menu, page));
  let brushPanel = false;
  fillOnOpening("units-panel", async (panel) => {
    if (brushPanel) return;
    brushPanel = true;
    const { createBrushView } = await import("./brush/panel.js");
    frames.add(createBrushView(page, panel));
  });
  /** @type {(() => void) | null} */
  let fillShare = null;
  fillOnOpening("share-panel", async (panel) => {
    const { createShare } = await import("./share/menu.js");
    fillShare ??= createShare(panel, state);
    fillShare();
  });
}

/** @param {Page} page */
function setUpKeys(page) {
  const { state, actions } = page;
  /** @type {(() => void) | null} */
  let toggle = null;
  async function toggleHelp() {
    if (!byId("help-button").checkVisibility()) return;
    const { createHelp } = await import("./views/help.js");
    (toggle ??= createHelp(keys))();
  }
  byId("help-button").addEventListener("click", toggleHelp);
  const keys = keyTable(state, actions, toggleHelp);
  keys.push({
    keys: ["t", "T"],
    shown: "T",
    does: "this view as a table",
    run: async () => (await import("./keep/table.js")).showTable(page),
  });
  keys.push({
    keys: ["p", "P"],
    shown: "P",
    does: "pin this run, to compare the next one with it",
    run: async () => (await import("./pinned.js")).pin(state),
  });
  listenToKeys(document, keys);
}
