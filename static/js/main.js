// Puts the page together: state, actions, views in the order they are painted, URL, keys.

/** @import {Link} from './url.js' */
/** @import {State} from './state.js' */
/** @import {Readable, Tab} from './types.js' */

import { createActions } from "./actions.js";
import { ApiError, createApi, noAnswer } from "./api.js";
import { createAxisView } from "./axis.js";
import { byId, fillOnOpening } from "./dom.js";
import { createFiles } from "./files.js";
import { createFrameLoop } from "./frame.js";
import { keyTable, listenToKeys } from "./keys.js";
import { label } from "./label.js";
import { createPage } from "./page.js";
import { createNavigation } from "./navigation.js";
import { createState } from "./state.js";
import { followTheme } from "./theme.js";
import { DEFAULTS } from "./url.js";
import { createCellView } from "./views/cell.js";
import { createEquationsView } from "./views/equations.js";
import { createAskView, createParityView, createStatusView, setUpShare } from "./views/header.js";
import { createMinimapView } from "./views/minimap.js";
import {
  createNetworkLabelsView,
  createNetworkOverlayView,
  createNetworkView,
} from "./views/network.js";
import { createTabsView } from "./views/panels.js";
import { createPredictionsView } from "./views/predictions.js";
import { createStatesView } from "./views/states.js";
import { createStatesToolsView } from "./views/states-tools.js";
import { createStripsView } from "./views/strips.js";
import { createTokensView } from "./views/tokens.js";
import { createTooltip } from "./views/tooltip.js";
import { createTransportView } from "./views/transport.js";
import { createUnitsButtonView } from "./views/units-button.js";
import { createWantingView } from "./wanting.js";
import { listenToZoom } from "./zooming.js";

const state = createState();
const frames = createFrameLoop();
// A file that was saved from here carries its session, and answers itself.
const api = document.getElementById("session")
  ? (await import("./offline-api.js")).openSession(document, window)
  : createApi((input, init) => fetch(input, init));
const actions = createActions(state, api, frames);
const theme = followTheme();
const tooltip = createTooltip();
const page = createPage(state, actions, api, frames, theme, tooltip);

/** @type {import("./frame.js").View[]} */
const views = [
  createStatusView(state),
  createAskView(state, actions),
  createParityView(state),
  createAxisView(state),
  createWantingView(state),
  createMinimapView(page),
  createTokensView(state, actions),
  createNetworkView(page),
  createNetworkLabelsView(state, actions),
  createNetworkOverlayView(state, theme),
  createTabsView(state),
  createUnitsButtonView(state),
  createStatesToolsView(page),
  createStatesView(page),
  createCellView(state, actions),
  createStripsView(page),
  createEquationsView(state),
  createPredictionsView(state),
  createTransportView(state, actions),
];
for (const view of views) frames.add(view);
setUpShare(state);
listenToZoom(state);
const files = createFiles(state, api, actions);

// What is seen only when asked for is loaded only then.
onTab("unit", async () => {
  const { createUnitView } = await import("./views/unit.js");
  frames.add(createUnitView(page));
});
onTab("network", async () => {
  const { createNetworkMapView } = await import("./views/network-map.js");
  frames.add(createNetworkMapView(page));
});
onTab("cell", async () => {
  const { createCellDrawingView } = await import("./views/cell-drawing.js");
  frames.add(createCellDrawingView(page));
});
onTab("shapes", async () => {
  const { createShapesView } = await import("./views/shapes.js");
  frames.add(createShapesView(state));
});
once(
  [state.hide, state.embed],
  () => `${state.hide.get()}${state.embed.get()}` !== "",
  async () => {
    const { createEmbedView } = await import("./embed.js");
    frames.add(createEmbedView(page));
  },
);
const about = () => import("./views/about.js");
fillOnOpening("sentences", async (popover) =>
  (await import("./views/sentences.js")).showSentences(popover, state, actions),
);
fillOnOpening("card", async (card) => (await about()).showCard(card, state));
fillOnOpening("parity-details", async (box) => (await about()).showParity(box, state, actions));
/** @type {(() => void) | null} */
let fillModels = null;
fillOnOpening("models", async () => {
  const { createModels } = await import("./views/models.js");
  fillModels ??= createModels(state, api, actions, files);
  fillModels();
});
fillOnOpening("keep-menu", async (menu) =>
  (await import("./views/keep.js")).showKeep(menu, page),
);
let brushPanel = false;
fillOnOpening("units-panel", async (panel) => {
  if (brushPanel) return;
  brushPanel = true;
  const { createBrushView } = await import("./views/brush.js");
  frames.add(createBrushView(page, panel));
});
/** @type {(() => void) | null} */
let fillShare = null;
fillOnOpening("share-panel", async (panel) => {
  const { createShare } = await import("./views/share.js");
  fillShare ??= createShare(panel, state);
  fillShare();
});
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
  run: async () => (await import("./views/table.js")).showTable(page),
});
listenToKeys(document, keys);
// A new recording, and a new row or unit in it, need the weights of that unit.
state.recording.subscribe(() => actions.loadUnitWeights());

/**
 * Load something when it is wanted for the first time.
 * @param {Readable<any>[]} atoms
 * @param {() => boolean} isWanted
 * @param {() => Promise<void>} load
 */
function once(atoms, isWanted, load) {
  const check = () => {
    if (!isWanted()) return;
    stops.forEach((stop) => stop());
    load().catch(() => actions.report(noAnswer()));
  };
  const stops = atoms.map((atom) => atom.subscribe(check));
}

/** @param {Tab} tab @param {() => Promise<void>} load */
function onTab(tab, load) {
  once([state.tab], () => state.tab.get() === tab, load);
}

/**
 * Bring the page to what a link says.
 * @param {Partial<Link>} link
 */
async function open(link) {
  const models = state.models.get();
  const model = link.model || models[0]?.id;
  if (!model) {
    state.status.set({
      kind: "problem",
      title: "There is no model here",
      message: "Open a network of your own, or make one.",
      action: { label: "A fresh network…", run: files.fresh },
    });
    return;
  }
  const known = models.find(({ id }) => id === model);
  const full = {
    ...DEFAULTS,
    ...(known ? { layer: known.lstm.layers.length - 1 } : {}), // whose h is the output
    ...link,
    model,
    text: link.text ?? known?.examples[0] ?? "",
  };
  for (const key of /** @type {(keyof Link)[]} */ (Object.keys(DEFAULTS))) {
    // What is selected in the recording on the screen stays until another one is shown.
    const kept = ["layer", "direction", "unit"].includes(key) && state.recording.get();
    if (key !== "step" && !kept)
      /** @type {State[keyof Link]} */ (state[key]).set(/** @type {never} */ (full[key]));
  }
  if (known && full.text) return actions.record(full);
  actions.clear();
  if (known) return;
  const [first] = models;
  state.status.set({
    kind: "problem",
    title: "This model is not here",
    message: `The link asks for “${label(model)}”. It was removed, or it is on another computer.`,
    action: first && {
      label: `Use ${label(first.title)}`,
      run: () => actions.chooseModel(first.id),
    },
  });
}

async function load() {
  const [about, quantities, models] = await Promise.all([
    api.about(),
    api.quantities(),
    api.models(),
  ]);
  state.about.set(about);
  state.quantities.set(quantities);
  state.models.set(models);
}

async function start() {
  // The link the server prints carries its token; it must not stay in the address bar.
  const parameters = new URLSearchParams(location.hash.slice(1));
  const token = parameters.get("token");
  if (token !== null) {
    parameters.delete("token");
    const rest = parameters.size ? `#${parameters}` : "";
    history.replaceState(null, "", location.pathname + location.search + rest);
    await api.signIn(token).catch(() => {});
  }
  try {
    await load();
  } catch (error) {
    if (!(error instanceof ApiError) || error.problem.status !== 401) throw error;
    const { askForToken } = await import("./views/sign-in.js");
    await askForToken(api.signIn);
    await load();
  }
  await createNavigation(state, actions, open, window).go();
}

start().catch(actions.report);
