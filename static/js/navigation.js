// Back and Forward: which changes of the screen are entries of the history, and how one is shown
// again.

/** @import {Actions} from './actions.js' */
/** @import {State} from './state.js' */
/** @import {Link} from './url.js' */

import { clampCell } from "./actions.js";
import { DEFAULTS, KEYS, fromFragment, linkOf, toFragment } from "./url.js";

/** What one goes back to: another recording, view, row, selection. The rest is replaced. */
/** @type {Set<keyof Link>} */
const ENTRIES = new Set([
  "model",
  "text",
  "precision",
  "tab",
  "layer",
  "direction",
  "pinModel",
  "pinText",
  "brush",
  "sets",
]);

/** Browsers refuse an address that changes all the time; a drag is one entry. In milliseconds. */
const PAUSE = 250;

/**
 * Whether the recording on the screen is the one a link asks for.
 * @param {State} state
 * @param {Partial<Link>} link
 */
export function isShown(state, link) {
  const about = state.recording.get()?.about;
  const model = link.model || state.models.get()[0]?.id;
  const known = state.models.get().find(({ id }) => id === model);
  const asked = [
    model,
    link.text ?? known?.examples[0] ?? "",
    link.precision ?? DEFAULTS.precision,
  ];
  const wanted = [state.model.get(), state.text.get(), state.precision.get()];
  const shown = [about?.model, about?.text, about?.precision];
  return asked.every((value, n) => value === shown[n] && value === wanted[n]);
}

/**
 * Bring the page to what a link says of the recording that is on the screen.
 * @param {State} state
 * @param {Actions} actions
 * @param {Partial<Link>} link
 */
export function applyLink(state, actions, link) {
  const recording = state.recording.get();
  if (!recording) return;
  actions.pause();
  const full = { ...DEFAULTS, layer: recording.layers.length - 1, ...link };
  for (const key of KEYS) {
    if (["model", "text", "precision", "layer", "direction", "unit", "step"].includes(key))
      continue;
    /** @type {State[keyof Link]} */ (state[key]).set(/** @type {never} */ (full[key]));
  }
  actions.selectCell(clampCell(recording, full), true);
  actions.selectUnit(full.unit);
  actions.goToStep(full.step);
}

/**
 * Keeps the address in step with the screen, and the screen with Back and Forward.
 * @param {State} state
 * @param {Actions} actions
 * @param {(link: Partial<Link>) => unknown} open  records what a link asks for
 * @param {Pick<Window, "history" | "location" | "addEventListener" | "removeEventListener"> & {setTimeout: (run: () => void, ms: number) => unknown}} window
 */
export function createNavigation(state, actions, open, window) {
  const { history, location } = window;
  let now = linkOf(state);
  /** The screen that Back should lead to, while it is being left. @type {Link | null} */
  let left = null;
  let waiting = false;
  let restless = false;
  /** What is being opened has its entry already. @type {object | null} */
  let opening = null;

  /** @param {keyof Link} key */
  function changed(key) {
    const before = now;
    now = { ...now, [key]: state[key].get() };
    // A long address takes the browser milliseconds: it is written when things rest.
    restless = waiting;
    if (makesEntry(key) && !opening) left ??= before;
    later();
  }

  /** In processing order the row follows the step. @param {keyof Link} key */
  const makesEntry = (key) =>
    ENTRIES.has(key) &&
    !(state.order.get() === "processing" && (key === "layer" || key === "direction"));

  function later() {
    if (!waiting) window.setTimeout(write, PAUSE);
    waiting = true;
  }

  function write() {
    waiting = false;
    if (opening || !state.recording.get()) return;
    if (restless) {
      restless = false;
      later();
      return;
    }
    const from = left;
    left = null;
    const fragment = toFragment(now);
    if (fragment === location.hash) return;
    if (from && isNew(from)) {
      replace(toFragment(from));
      history.pushState(null, "", address(fragment));
    } else replace(fragment);
  }

  /**
   * Whether the screen is another entry than the one it was. In a frame it never is: there, Back is
   * for the page around it.
   * @param {Link} from
   */
  function isNew(from) {
    const entry = fromFragment(location.hash);
    // As a fragment can hold them: in it a lone surrogate is another character.
    const [was, is] = [from, now].map((link) => fromFragment(toFragment(link)));
    const known = [...ENTRIES].some((key) => was[key] !== is[key]);
    // A link that names no model or text asks for the first one. Another entry than the one that is
    // left was made for this screen by whoever opened a model without a text.
    const leaves = [entry.model ?? was.model, entry.text ?? was.text];
    const same = leaves[0] === was.model && leaves[1] === was.text;
    return known && same && Boolean(from.model) && !state.embed.get();
  }

  /** @param {string} fragment */
  const address = (fragment) => location.pathname + location.search + fragment;

  /** @param {string} fragment */
  function replace(fragment) {
    if (fragment !== location.hash) history.replaceState(null, "", address(fragment));
  }

  /** Show what the address asks for; recorded again only where it is another recording. */
  async function go() {
    const link = fromFragment(location.hash);
    const mine = (opening = {});
    // Until it is on the screen: its arrays may go on coming.
    const done = () => {
      if (mine !== opening) return;
      opening = null;
      left = null;
      later();
    };
    if (isShown(state, link)) {
      applyLink(state, actions, link);
      return done();
    }
    const stop = state.recording.subscribe((recording) => recording && done());
    try {
      await open(link);
    } finally {
      stop();
      done();
    }
  }

  const unsubscribes = KEYS.map((key) => state[key].subscribe(() => changed(key)));
  unsubscribes.push(
    state.recording.subscribe((recording) => {
      // One that grows is another fifteen times a second.
      if (recording?.growing) return;
      // Its entry waits for nothing: who goes back at once must find the one before.
      restless = false;
      if (opening) later();
      else write();
    }),
  );
  window.addEventListener("popstate", go);

  return {
    go,
    stop() {
      for (const unsubscribe of unsubscribes) unsubscribe();
      window.removeEventListener("popstate", go);
    },
  };
}
