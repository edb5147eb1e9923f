// Puts the page together: state, actions, the views of the first frame in the order they are painted,
// URL. What the first frame does not show is in later.js.

/** @import {Link} from './url.js' */
/** @import {State} from './state.js' */

import { createActions } from "./actions.js";
import { ApiError, createApi, noAnswer } from "./api.js";
import { createAxisView } from "./time/axis.js";
import { createFrameLoop } from "./frame.js";
import { label } from "./label.js";
import { createPage } from "./page.js";
import { createNavigation } from "./navigation.js";
import { createState, withCheckpoints } from "./state.js";
import { followTheme } from "./theme.js";
import { DEFAULTS } from "./url.js";
import { createAskView, createStatusView } from "./views/header.js";
import {
  createNetworkLabelsView,
  createNetworkOverlayView,
  createNetworkView,
} from "./network/rows.js";
import { createTabsView } from "./views/panels.js";
import { createStatesView } from "./views/states.js";
import { createTokensView } from "./views/tokens.js";
import { createTooltip } from "./views/tooltip.js";
import { createTransportView } from "./views/transport.js";

const state = createState();
const frames = createFrameLoop();
// A file that was saved from here carries its session, and answers itself.
const api = document.getElementById("session")
  ? (await import("./keep/offline-api.js")).openSession(document, window)
  : createApi((input, init) => fetch(input, init));
const actions = createActions(state, api, frames);
const theme = followTheme();
const tooltip = createTooltip();
const page = createPage(state, actions, api, frames, theme, tooltip);

/** @type {import("./frame.js").View[]} */
const views = [
  createStatusView(state),
  createAskView(state, actions),
  createAxisView(state),
  createTokensView(state, actions),
  createNetworkView(page),
  createNetworkLabelsView(state, actions),
  createNetworkOverlayView(state, theme),
  createTabsView(state),
  createStatesView(page),
  createTransportView(state, actions),
];
for (const view of views) frames.add(view);

// A new recording, and a new row or unit in it, need the weights of that unit.
state.recording.subscribe(() => actions.loadUnitWeights());

// The rest comes after the frame that shows there is a page.
const later = new Promise((shown) => requestAnimationFrame(() => setTimeout(shown))).then(
  async () => (await import("./later.js")).completePage(page),
);
later.catch(() => actions.report(noAnswer()));

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
      action: { label: "A fresh network…", run: async () => (await later).fresh() },
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
  state.models.set(withCheckpoints(models));
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
