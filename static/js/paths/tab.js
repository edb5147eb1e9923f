// The tab "Paths": the states of all timesteps as points, one path for each layer and direction, and
// further sentences in the same space.

/** @import {Page} from '../page.js' */
/** @import {Recording} from '../recording.js' */
/** @import {Cell} from '../types.js' */
/** @import {Choices} from './choices.js' */
/** @import {Run} from './paths.js' */
/** @import {Turn} from './projection.js' */
/** @import {Shot} from './shot.js' */
/** @import {Asked} from './source.js' */

import { listenToGestures } from "../network/gestures.js";
import { byId, button, context2d, element, loadStyles, write } from "../dom.js";
import { label } from "../label.js";
import { createPathsCanvases } from "./canvases.js";
import { cellName, cellsOf, choose, readChoices, readTurn, turned, whyNotShared, writeTurn } from "./choices.js"; // prettier-ignore
import { createPathsFigure } from "./figure.js";
import { nearest } from "./hits.js";
import { HEAD } from "./layout.js";
import { createLegend } from "./legend.js";
import { axisName, passedOf, turnedAround } from "./paths.js";
import { createRuns, titleOf } from "./runs.js";
import { shotOf } from "./shot.js";
import { createSource, hasLabels, hueOfLabels } from "./source.js";
import { course, selectedCell } from "../state.js";
import { atom } from "../store.js";
import { createPathsTools, longName, shortName } from "./tools.js";
import { explanation, oddities, pointWords } from "./words.js";

/** The picture is never lower than this, and this is free below it, in pixels. */
const LOWEST = 300;
const BELOW = 76;
/** How far from a point a pointer may be, and a finger. */
const REACH = 12;
const FINGER = 24;
/** Degrees of a pixel that is dragged, and of a key. */
const DRAG = 0.5;
const KEY = 10;

/** @param {Page} page */
function createPaths(page) {
  const { state } = page;
  const arrived = atom(0);
  const again = () => arrived.set(arrived.get() + 1);
  const turning = atom(/** @type {Turn | null} */ (null));
  const runs = createRuns(page, again);
  const source = createSource(page, again, () => {
    runs.forget();
    again();
  });
  const measure = context2d(element("canvas"));
  const { fontFamily: family } = getComputedStyle(document.body);
  /** @type {Map<string, number>} */
  const widths = new Map();

  /** @param {string} text */
  function widthOf(text) {
    let width = widths.get(text);
    if (width === undefined) {
      measure.font = `600 11px ${family}`;
      width = measure.measureText(text).width;
      widths.set(text, width);
    }
    return width;
  }

  /** What is shown, as it can be: one space only where widths agree. @param {Recording} recording @returns {Choices} */
  function choicesFor(recording) {
    const choices = readChoices(state.paths.get());
    const known = state.quantities.get().some(({ name }) => name === choices.of);
    const of = known ? choices.of : "h";
    const cells = cellsOf(choices, recording.rows);
    const shared = choices.space === "shared" && !whyNotShared(recording, cells, of);
    const labelled =
      choices.colour !== "label" || (hasLabels(recording.about) && !recording.growing);
    return {
      ...choices,
      of,
      space: shared ? "shared" : "own",
      colour: labelled ? choices.colour : "path",
    };
  }

  return {
    ...page,
    arrived,
    again,
    turning,
    source,
    recorder: runs,
    family,
    widthOf,

    get recording() {
      return state.recording.get();
    },
    get rows() {
      return state.recording.get()?.rows ?? [];
    },
    get choices() {
      return readChoices(state.paths.get());
    },
    /** Whether several sentences are looked at. */
    several: false,
    /** Notes on sentences that are left out. @type {string[]} */
    notes: [],
    choicesFor,

    /** @param {Partial<Choices>} changed */
    choose: (changed) => choose(state, changed),

    turnBack() {
      choose(state, { turn: "30,20" });
    },

    get turn() {
      return turning.get() ?? readTurn(readChoices(state.paths.get()).turn);
    },

    /** Ask for what is to be seen; null while nothing is here. @returns {Asked | null} */
    asked() {
      const recording = state.recording.get();
      if (!recording || !state.quantities.get().length) return null;
      const choices = choicesFor(recording);
      const cells = cellsOf(choices, recording.rows);
      const names = cells.map((cell) => `${cellName(cell)}.${choices.of}`);
      // What is being written stands alone until it is a recording.
      const found = recording.growing
        ? { runs: [{ about: recording.about, title: titleOf(recording.about.text) }], notes: [] }
        : runs.follow(recording, choices, names);
      this.several = found.runs.length > 1;
      this.notes = found.notes;
      return source.follow(recording, found.runs, cells, choices);
    },

    /** Labels that have a colour here, most frequent first. */
    labelNames() {
      const { predictions } = state.recording.get()?.about ?? {};
      const shown = this.labelHues();
      if (!predictions || !shown) return [];
      const own = shown.shown.map((id) => ({ text: predictions.labels[id], hue: shown.hues[id] }));
      return shown.others ? [...own, { text: "others", hue: 7 }] : own;
    },

    labelHues() {
      const { predictions } = state.recording.get()?.about ?? {};
      const { runs: all } = this.asked() ?? {};
      if (!predictions || !all) return null;
      return hueOfLabels(all.map((run) => this.labelsFor(run)), predictions.labels.length); // prettier-ignore
    },

    /** @param {Run} run */
    labelsFor: (run) => (hasLabels(run.about) ? source.labelsOf(run) : null),

    /**
     * Everything as it is to be drawn.
     * @param {{width: number, height: number}} room
     * @returns {Shot | null}
     */
    shot(room) {
      const asked = this.asked();
      const recording = state.recording.get();
      if (!asked?.spaces || !recording) return null;
      const choices = choicesFor(recording);
      const hues = choices.colour === "label" ? this.labelHues() : null;
      const labelsOf = (/** @type {number} */ run) => {
        const ids = hues && this.labelsFor(asked.runs[run]);
        return ids && hues && Array.from(ids, (id) => (id < 0 ? 7 : hues.hues[id]));
      };
      return shotOf({
        ...{ spaces: asked.spaces, runs: asked.runs, choices, turn: this.turn },
        ...{ theme: page.theme.get(), family, room, widthOf, labelsOf },
        moving: turning.get() !== null,
      });
    },

    /** Points passed of every path, by panel. @param {Shot} shot */
    passed(shot) {
      const recording = /** @type {Recording} */ (state.recording.get());
      const time = course(state, recording);
      const step = state.step.get();
      return shot.panels.map(({ space }) => space.paths.map((path) => passedOf(time, step, path)));
    },
  };
}

/** @typedef {ReturnType<typeof createPaths>} Paths */

/** @param {Page} page */
export function createPathsView(page) {
  const { state, actions, tooltip, theme } = page;
  const panel = byId("paths-view");
  const paths = createPaths(page);
  const tools = createPathsTools(paths);
  const legend = createLegend(paths);
  const canvases = createPathsCanvases();
  const heads = element("div", { class: "paths-heads" });
  const progress = element("p", { class: "note paths-progress", role: "status", hidden: true });
  const message = element("p", { class: "note paths-message", role: "status", hidden: true });
  const picture = element(
    "div",
    { id: "paths-picture", role: "group", tabindex: 0 },
    ...canvases.nodes,
    heads,
  );
  const words = element("p", { id: "paths-words", class: "note", "aria-live": "polite" });
  const notes = element("p", { id: "paths-notes", class: "note" });
  const explained = element("p", { id: "paths-explained", class: "note" });
  panel.append(tools.root, legend.root, progress, message, picture, words, notes, explained);
  const size = atom({ width: 0, height: 0 });
  let styled = false;
  loadStyles("css/paths.css").then(() => {
    styled = true;
    measure();
    paths.again();
  });
  page.figures.set("paths", createPathsFigure(paths));
  const observer = new ResizeObserver(measure);
  for (const node of [byId("flow"), panel, tools.root, legend.root]) observer.observe(node);

  /** What is on the screen. @type {{key: string, shot: Shot | null, asked: Asked | null}} */
  let shown = { key: "", shot: null, asked: null };
  let stepped = "";
  let measured = -1;

  /** The picture takes what there is of the screen below what stands above it. */
  function measure() {
    if (panel.hidden || !styled) return;
    const flow = byId("flow");
    const top = picture.getBoundingClientRect().top - flow.getBoundingClientRect().top;
    const above = top + flow.scrollTop;
    const screen = Math.min(flow.clientHeight, innerHeight);
    const room = screen - (above < screen - LOWEST ? above : 0.25 * screen) - BELOW;
    const now = { width: panel.clientWidth, height: Math.round(Math.max(LOWEST, room)) };
    if (now.width !== size.get().width || now.height !== size.get().height) size.set(now);
  }

  /** The panel and the point under a pointer. @param {MouseEvent} event */
  function under(event) {
    const { shot } = shown;
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
    if (!found?.hit || !shown.shot) return tooltip.hide();
    const path = found.panel.space.paths[found.hit.path];
    const { runs, choices } = shown.shot;
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

  /** The names of the panels, which are buttons. @param {Shot} shot */
  function paintHeads(shot) {
    const cells = shot.panels.map(({ space }) => space.cell);
    const key = cells.map((cell) => (cell ? cellName(cell) : "all")).join();
    if (heads.dataset.key !== key) {
      heads.dataset.key = key;
      heads.replaceChildren(
        ...cells.map((cell) =>
          cell
            ? button(`layer ${shortName(cell)}`, () => actions.selectCell(cell), {
                "aria-label": longName(cell),
              })
            : element("span", {}, "all cells in one space"),
        ),
      );
    }
    const { layer, direction } = selectedCell(state);
    shot.panels.forEach(({ box, space: { cell, explained } }, n) => {
      const node = /** @type {HTMLElement} */ (heads.children[n]);
      node.style.transform = `translate(${box.x + 3}px, ${box.y + 2}px)`;
      node.style.height = `${HEAD - 3}px`;
      if (!cell) return;
      const axes = [...Array(shot.choices.dims).keys()].map((axis) => axisName(explained, axis));
      node.title = `Select ${longName(cell)}\n${axes.join(", ")}`;
      node.setAttribute("aria-pressed", String(cell.layer === layer && cell.direction === direction)); // prettier-ignore
    });
  }

  /** How far the recording of other sentences is. */
  function paintProgress() {
    const { busy } = paths.recorder;
    progress.hidden = !busy;
    if (!busy) return;
    const percent = Math.round((100 * (busy.done + busy.part)) / busy.of);
    const text = `Recording sentence ${Math.min(busy.done + 1, busy.of)} of ${busy.of} (${percent} %) `;
    if (!progress.childElementCount)
      progress.append(
        element("span"),
        button("Cancel", () => {
          const { recording } = paths;
          if (recording) paths.recorder.cancel(recording, paths.choices);
        }),
      );
    write(/** @type {Node} */ (progress.firstChild), text);
  }

  /** @param {Asked | null} asked */
  function paintMessage(asked) {
    const text = asked?.problem || (asked?.spaces ? "" : "Finding the directions in which the states differ most …"); // prettier-ignore
    message.hidden = text === "";
    write(message, text);
    picture.hidden = text !== "";
    words.hidden = explained.hidden = text !== "";
  }

  /** @param {Shot} shot @param {Asked} asked */
  function paintWords(shot, asked) {
    const recording = /** @type {Recording} */ (state.recording.get());
    const width = (/** @type {string} */ name) => recording.described(name)?.shape[1];
    write(explained, explanation(asked.spaces ?? [], shot.choices));
    const odd = oddities(asked.spaces ?? [], shot.runs, shot.choices, width);
    write(notes, [...paths.notes, ...odd].join(" "));
    const turns = shot.choices.dims === 3 ? " Arrow keys turn the space." : "";
    picture.setAttribute(
      "aria-label",
      `Paths of ${shot.choices.of} over ${recording.timesteps} timesteps.${turns}`,
    );
    picture.classList.toggle("turns", shot.choices.dims === 3);
  }

  const step = {
    name: "paths step",
    reads: [...[state.recording, state.tab, state.step, state.order], paths.arrived, size],
    paint() {
      const { shot } = shown;
      if (panel.hidden || !shot || !state.recording.get()) return;
      const key = `${shown.key} ${state.step.get()} ${state.order.get()}`;
      if (key === stepped) return;
      stepped = key;
      canvases.paintStep(shot, paths.passed(shot));
    },
  };
  const say = {
    name: "paths words",
    calm: true,
    reads: [...step.reads, state.layer, state.direction],
    paint() {
      const { shot } = shown;
      if (panel.hidden || !shot || !state.recording.get()) return;
      const live = state.playing.get() ? "off" : "polite";
      if (words.ariaLive !== live) words.ariaLive = live;
      write(words, nowInWords(shot));
    },
  };

  /** The current point of the selected cell. @param {Shot} shot */
  function nowInWords(shot) {
    const { layer, direction } = selectedCell(state);
    const all = paths.passed(shot);
    for (const [n, { space }] of shot.panels.entries())
      for (const [k, path] of space.paths.entries()) {
        const { cell, run } = path;
        if (run || cell.layer !== layer || cell.direction !== direction) continue;
        const at = all[n][k] - 1;
        if (at < 0) return `${longName(cell)} has not begun.`;
        const { t, token, numbers } = pointWords(path, at, shot.runs, shot.choices.dims);
        return `${longName(cell)} at timestep ${t} “${token}”: ${numbers.join(", ")}`;
      }
    return `Not shown here: layer ${layer} ${direction}.`;
  }

  page.frames.add({
    name: "paths",
    reads: [
      ...[state.recording, state.pinned, state.paths, state.tab, state.quantities, state.models],
      ...[state.sentences, state.layer, state.direction, state.measured],
      ...[theme, paths.arrived, paths.turning, size],
    ],
    paint() {
      const hidden = state.tab.get() !== "paths";
      if (panel.hidden !== hidden) panel.hidden = hidden;
      if (hidden || !styled || !state.recording.get()) return;
      const asked = paths.asked();
      tools.paint();
      paintProgress();
      paintMessage(asked);
      if (measured !== state.measured.get() || !size.get().width) {
        measured = state.measured.get();
        measure();
      }
      if (!asked?.spaces || !size.get().width) {
        shown = { key: "", shot: null, asked };
        return;
      }
      const { yaw, pitch } = paths.turn;
      const { width, height } = size.get();
      const known = state.paths.get().includes("label") ? paths.arrived.get() : 0;
      const key = [
        ...[asked.key, state.paths.get(), yaw, pitch, width, height, known],
        ...[
          theme.get().ink,
          theme.get().background,
          devicePixelRatio,
          paths.turning.get() !== null,
        ],
      ].join(" ");
      if (key !== shown.key || asked !== shown.asked) {
        const shot = paths.shot(size.get());
        if (!shot) return;
        shown = { key, shot, asked };
        stepped = "";
        picture.style.height = `${shot.height}px`;
        canvases.paintBase(shot, paths.turning.get() !== null);
        legend.paint(shot);
        paintWords(shot, asked);
        // What moves belongs to what stands: not a frame of it is another picture's.
        step.paint();
      }
      if (shown.shot) paintHeads(shown.shot);
    },
  });
  page.frames.add(step);
  return say;
}
