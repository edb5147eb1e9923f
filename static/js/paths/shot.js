// All that a picture of the spaces is made of: panels, where every point lies on them, and labels.

/** @import {Theme} from '../theme.js' */
/** @import {Choices} from './choices.js' */
/** @import {Path, Run, Space} from './paths.js' */
/** @import {Box, Places, View} from './projection.js' */
/** @import {Turn} from './projection.js' */

import { label } from "../label.js";
import { placeLabels, spread } from "./labels.js";
import { HEAD, gridOf, inside } from "./layout.js";
import { turnedAround } from "./paths.js";
import { project, viewOf } from "./projection.js";
import { momentOf, momentsOf, paletteOf } from "./styles.js";

/** More points than this on the screen are painted pixel by pixel: see trace.js. */
export const LONG = 700;
/** Labels that are tried in one panel. */
const TRIED = 240;
/** Characters of a label on a panel. */
const LONGEST = 16;
export const LABEL = { height: 14, gap: 6 };

/**
 * @typedef {object} Panel
 * @property {Space} space
 * @property {Box} box
 * @property {Box} inner
 * @property {View | null} view  null where there is no point
 * @property {Places[]} places  of every path
 * @property {(Uint8Array | null)[]} hues  places among the swatches, of the points of every path; null: all have the path's
 * @property {{text: string, box: Box, path: number, at: number}[]} labels
 */

/**
 * @typedef {object} Shot
 * @property {Panel[]} panels
 * @property {number} width
 * @property {number} height
 * @property {Theme} theme
 * @property {string} family
 * @property {Choices} choices
 * @property {Turn} turn
 * @property {string[]} palette
 * @property {string[]} swatches  the colours of hues
 * @property {boolean} long
 * @property {number} size  half of a point's width
 * @property {readonly Run[]} runs
 * @property {(text: string) => number} widthOf  a label's
 */

/**
 * @param {{spaces: readonly Space[], runs: readonly Run[], choices: Choices, turn: Turn, theme: Theme, family: string, room: {width: number, height: number}, widthOf: (text: string) => number, labelsOf: (run: number) => readonly number[] | null, moving?: boolean}} of  `labelsOf`: the predicted label of every timestep; `moving`: labels wait
 * @returns {Shot}
 */
export function shotOf({
  spaces,
  runs,
  choices,
  turn,
  theme,
  family,
  room,
  widthOf,
  labelsOf,
  moving = false,
}) {
  const grid = gridOf(spaces.length, room, inPairs(spaces) ? 2 : 1);
  const count = spaces.reduce(
    (sum, { paths }) => sum + paths.reduce((all, { timesteps }) => all + timesteps, 0),
    0,
  );
  const most = Math.max(1, ...spaces.flatMap(({ paths }) => paths.map((path) => path.timesteps)));
  const size = most <= 40 ? 3.6 : most <= 160 ? 2.8 : most <= 800 ? 2 : 1.1;
  /** @type {Panel[]} */
  const panels = spaces.map((space, n) => {
    const box = grid.boxes[n];
    const inner = inside(box);
    const view = space.bounds && viewOf(space.bounds, inner, choices.dims, turn);
    const places = view ? space.paths.map(({ points }) => project(points, view)) : [];
    const hues = space.paths.map((path) => huesOf(path, choices.colour, labelsOf));
    return { space, box, inner, view, places, hues, labels: [] };
  });
  const palette = paletteOf(theme);
  /** @type {Shot} */
  const shot = {
    panels,
    width: room.width,
    height: grid.height,
    theme,
    family,
    choices,
    turn,
    palette,
    swatches: choices.colour === "time" ? momentsOf(theme) : [...palette, theme.soft],
    long: count > LONG,
    size,
    runs,
    widthOf,
  };
  if (choices.tokens && !moving) for (const panel of panels) panel.labels = labelsIn(panel, shot);
  return shot;
}

/** Whether both directions of every layer are shown. @param {readonly Space[]} spaces */
const inPairs = (spaces) =>
  spaces.length % 2 === 0 &&
  spaces.every(({ cell }, n) => cell?.layer === spaces[n - (n % 2)].cell?.layer);

/** @param {Path} path @param {Choices["colour"]} colour @param {(run: number) => readonly number[] | null} labelsOf */
function huesOf(path, colour, labelsOf) {
  const labels = colour === "label" ? labelsOf(path.run) : null;
  if (colour === "path" || (colour === "label" && !labels)) return null;
  const hues = new Uint8Array(path.timesteps);
  for (let at = 0; at < hues.length; at++) {
    const t = turnedAround(path, at);
    hues[at] = labels ? (labels[t] ?? 0) : momentOf(t, path.timesteps);
  }
  return hues;
}

/** The token of a point as it is shown on a panel. @param {Shot} shot @param {Path} path @param {number} at */
export function tokenAt({ runs }, path, at) {
  const text = label(runs[path.run].about.tokens[turnedAround(path, at)]?.text ?? "");
  const characters = [...text];
  return characters.length > LONGEST ? `${characters.slice(0, LONGEST - 1).join("")}…` : text;
}

/** Labels of the run on the screen, as many as there is room for. @param {Panel} panel @param {Shot} shot */
function labelsIn({ space, places, inner, box }, shot) {
  const own = space.paths.flatMap((path, n) => (path.run === 0 ? [n] : []));
  const each = Math.ceil(TRIED / Math.max(1, own.length));
  const wanted = own.flatMap((n) =>
    spread(space.paths[n].timesteps)
      .slice(0, each)
      .map((at) => {
        const text = tokenAt(shot, space.paths[n], at);
        const [x, y] = [places[n]?.x[at] ?? NaN, places[n]?.y[at] ?? NaN];
        return { x, y, width: shot.widthOf(text) + 4, text, path: n, at };
      }),
  );
  const found = placeLabels(wanted, {
    box: around(inner, box),
    points: places,
    size: shot.size,
    ...LABEL,
  });
  return wanted.flatMap(({ text, path, at }, n) => {
    const place = found[n];
    return place ? [{ text, box: place, path, at }] : [];
  });
}

/** Where labels may be: beyond the points, but over no axis. @param {Box} inner @param {Box} box @returns {Box} */
export const around = (inner, box) => ({
  x: box.x + 3,
  y: box.y + HEAD,
  width: box.width - 6,
  height: inner.y + inner.height + 8 - box.y - HEAD,
});
