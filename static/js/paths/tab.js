// The tab "Paths": the states of all timesteps as points, one path for each layer and direction, and
// further sentences in the same space.

/** @import {Page} from '../page.js' */
/** @import {Recording} from '../recording.js' */
/** @import {Shot} from './shot.js' */
/** @import {Asked} from './source.js' */

import { byId, button, element, loadStyles, write } from "../dom.js";
import { createPathsCanvases } from "./canvases.js";
import { cellName } from "./choices.js";
import { createPathsFigure } from "./figure.js";
import { HEAD } from "./layout.js";
import { createLegend } from "./legend.js";
import { axisName } from "./paths.js";
import { listenToPointing } from "./pointing.js";
import { createPaths } from "./room.js";
import { selectedCell } from "../state.js";
import { atom } from "../store.js";
import { createPathsTools, longName, shortName } from "./tools.js";
import { explanation, oddities, pointWords } from "./words.js";

/** The picture is never lower than this, and this is free below it, in pixels. */
const LOWEST = 300;
const BELOW = 76;
/** @param {Page} page */
export function createPathsView(page) {
  const { state, actions, theme } = page;
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

  listenToPointing(paths, picture, () => shown.shot);

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
