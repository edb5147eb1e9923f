// What a hand does on the picture: points are told and chosen, a space is turned.

/** @import {Paths} from './room.js' */
/** @import {Shot} from './shot.js' */

import { label } from "../label.js";
import { listenToGestures } from "../network/gestures.js";
import { turned, writeTurn } from "./choices.js";
import { nearest } from "./hits.js";
import { turnedAround } from "./paths.js";
import { longName } from "./tools.js";
import { pointWords } from "./words.js";

/** How far from a point a pointer may be, and a finger. */
const REACH = 12;
const FINGER = 24;
/** Degrees of a pixel that is dragged, and of a key. */
const DRAG = 0.5;
const KEY = 10;

/**
 * @param {Paths} paths
 * @param {HTMLElement} picture
 * @param {() => Shot | null} current  what is on the screen
 */
export function listenToPointing(paths, picture, current) {
  const { actions, tooltip } = paths;

  /** The panel and the point under a pointer. @param {MouseEvent} event */
  function under(event) {
    const shot = current();
    if (!shot) return null;
    const { left, top } = picture.getBoundingClientRect();
    const [x, y] = [event.clientX - left, event.clientY - top];
    const found = shot.panels.find(
      ({ box }) => x >= box.x && y >= box.y && x < box.x + box.width && y < box.y + box.height,
    );
    if (!found) return null;
    const finger = "pointerType" in event && event.pointerType === "touch";
    const hit = nearest(found.places, x, y, finger ? FINGER : REACH);
    return { panel: found, hit };
  }

  /** @param {MouseEvent} event @param {ReturnType<typeof under>} found */
  function explain(event, found) {
    picture.style.cursor = found?.hit ? "pointer" : "";
    const shot = current();
    if (!found?.hit || !shot) return tooltip.hide();
    const path = found.panel.space.paths[found.hit.path];
    const { runs, choices } = shot;
    const { t, token, numbers } = pointWords(path, found.hit.at, runs, choices.dims);
    const ids = choices.colour === "label" ? paths.labelsFor(runs[path.run]) : null;
    const predicted = ids && runs[path.run].about.predictions?.labels[ids[t]];
    tooltip.show(event, [
      `“${token}” · timestep ${t}`,
      `${longName(path.cell)} · ${choices.of}`,
      ...(runs.length > 1 ? [runs[path.run].title] : []),
      ...(predicted ? [`predicted: ${label(predicted)}`] : []),
      ...numbers,
    ]);
  }

  listenToGestures(picture, {
    pan(dx, dy) {
      if (paths.choices.dims < 3) return;
      paths.turning.set(turned(paths.turn, dx * DRAG, dy * DRAG));
    },
    zoom: () => false,
    end: settle,
    click(event) {
      const found = under(event);
      if (!found) return;
      explain(event, found);
      const { hit } = found;
      const path = hit && found.panel.space.paths[hit.path];
      const cell = path?.cell ?? found.panel.space.cell;
      if (cell) actions.selectCell(cell);
      // Timesteps of other sentences are none of this one.
      if (path && hit && path.run === 0) actions.selectTimestep(turnedAround(path, hit.at));
    },
    open: () => {},
    hover: (event) => (event ? explain(event, under(event)) : tooltip.hide()),
  });

  /** The space rests: the link says how it is turned. */
  function settle() {
    const turn = paths.turning.get();
    if (!turn) return;
    paths.choose({ turn: writeTurn(turn) });
    paths.turning.set(null);
  }

  picture.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || paths.choices.dims < 3) return;
    if (event.target !== picture) return;
    const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const [around, up] = by[/** @type {keyof typeof by} */ (event.key)] ?? [];
    if (around === undefined) return;
    event.preventDefault();
    paths.choose({ turn: writeTurn(turned(paths.turn, around * KEY, up * KEY)) });
  });
}
