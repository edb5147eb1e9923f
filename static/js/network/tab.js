// The tab "Network": the unrolled network as a map, from the whole of it into one cell.

/** @import {Page} from '../page.js' */
/** @import {Recording} from '../recording.js' */
/** @import {Box, Camera, Lens} from './camera.js' */
/** @import {Lit} from './flow.js' */
/** @import {Scene} from './scene.js' */
/** @import {Shot} from './shot.js' */

import { fitted, formatCamera, panned, parseCamera, zoomedAt } from "./camera.js";
import { byId, button, element, loadStyles, write } from "../dom.js";
import { createNetworkFigure } from "./figure.js";
import { placing } from "./shot.js";
import { createNetworkContent, headReads } from "./content.js";
import { inWords, litAt } from "./flow.js";
import { lensOn, rowOfCell, sceneOf, tileOf } from "./scene.js";
import { course, selectedCell, selectedTimestep } from "../state.js";
import { atom } from "../store.js";
import { createMovingCamera, isStill } from "./camera-controls.js";
import { createNetworkCanvases } from "./canvases.js";
import { createDots } from "./dots.js";
import { listenToGestures } from "./gestures.js";
import { hitAt, readout } from "./pointing.js";

/** How much a press of a key or a button zooms. */
const STEP = 1.6;
/** Timesteps a view of "this step" shows. */
const AROUND = 5;
/** The map is never lower than this, and this is free below it, in pixels. */
const LOWEST = 360;
const BELOW = 20;
/** Playback so fast that dots would only flicker, in steps a second; steps by hand, in milliseconds. */
const TOO_FAST = 10;
const HURRY = 160;
/** How long dots run, in milliseconds. */
const PULSE = 520;
/** Columns narrower than this have no room for dots. */
const LEAST_DOTTED = 16;

/** @param {Page} page */
export function createNetworkMapView(page) {
  const { state, actions, frames, tooltip } = page;
  loadStyles("css/network-map.css").then(measure);
  const panel = byId("network-view");
  const content = createNetworkContent(page);
  const canvases = createNetworkCanvases(page, content);
  const track = element("div", { id: "map-dots", "aria-hidden": "true" });
  const map = element(
    "div",
    {
      id: "network-map",
      role: "img",
      tabindex: 0,
      "aria-label": "The network unrolled over time",
      "aria-describedby": "map-lit",
    },
    ...canvases.nodes,
    track,
  );
  const words = element("p", { id: "map-words", class: "note", "aria-live": "polite" });
  const all = element("p", { id: "map-lit", class: "hidden" });
  const follow = button("Follow", () => follows.set(!follows.get()), {
    title: "Keep the current step in view",
  });
  panel.append(tools(), map, words, all);

  const size = atom({ width: 0, height: 0 });
  const follows = atom(true);
  const moving = createMovingCamera(frames, keep);
  const dots = createDots(track);
  const { fontFamily: family } = getComputedStyle(document.body);
  /** What the link says that is on the screen. */
  let linked = "";
  /** @type {{recording: Recording, reads: string | null, scene: Scene} | null} */
  let known = null;
  /** @type {{key: string, lit: Lit} | null} */
  let lighting = null;
  let measured = -1;
  let stepped = { key: "", time: 0 };
  let heard = { place: "", timestep: -1 };
  /** How long dots run after this step, in milliseconds. */
  let pulse = 0;
  page.figures.set("network", createNetworkFigure(page, content, shot));
  const observer = new ResizeObserver(measure);
  for (const node of [byId("flow"), panel, map]) observer.observe(node);
  document.addEventListener("keydown", onKey, true);

  function tools() {
    const zooming = (
      /** @type {string} */ name,
      /** @type {string} */ sign,
      /** @type {number} */ by,
    ) => button(sign, () => zoom(by), { "aria-label": name, title: name });
    return element(
      "div",
      { class: "map-tools", role: "group", "aria-label": "The map" },
      button("Whole network", whole, { title: "All of it (W, or Esc)" }),
      button("This step", thisStep, { title: "The timesteps around the current one" }),
      button("Into the cell", intoCell, {
        title: "The selected cell's inside (Enter, double click)",
      }),
      follow,
      element("span", { class: "note" }, "wheel: zoom · drag: move · double click: into the cell"),
      zooming("Zoom out", "−", 1 / STEP),
      zooming("Zoom in", "+", STEP),
    );
  }

  /** The map takes what there is of the screen below what stands above it. */
  function measure() {
    if (panel.hidden) return;
    const flow = byId("flow");
    const top = map.getBoundingClientRect().top - flow.getBoundingClientRect().top + flow.scrollTop;
    const screen = Math.min(flow.clientHeight, innerHeight);
    const room = screen - (top < screen - LOWEST ? top : 0.3 * screen) - words.offsetHeight - BELOW;
    const height = Math.round(Math.max(LOWEST, room));
    if (map.style.height !== `${height}px`) map.style.height = `${height}px`;
    const now = { width: map.clientWidth, height: map.clientHeight };
    if (now.width !== size.get().width || now.height !== size.get().height) size.set(now);
  }

  /** @param {Recording} recording */
  function sceneFor(recording) {
    const reads = headReads(page, recording);
    if (known?.recording !== recording || known.reads !== reads)
      known = { recording, reads, scene: sceneOf(recording.layers, recording.timesteps, reads) };
    return known.scene;
  }

  /** What is on the screen now. @returns {Shot | null} */
  function shot() {
    const recording = state.recording.get();
    if (!recording || !size.get().width) return null;
    const scene = sceneFor(recording);
    const lens = lensOn(scene, size.get());
    return { recording, scene, lens, camera: moving.now(lens), theme: page.theme.get(), family };
  }

  /** Fly to where a part of the picture is seen as large as it can be. @param {(shot: Shot) => Box | null} boxOf @param {number} [padding]  null: all of it */
  function flyTo(boxOf, padding = 0) {
    const now = shot();
    if (!now) return;
    const box = boxOf(now);
    moving.fly(now.lens, box ? fitted(now.lens, box, padding) : now.lens.whole);
  }

  function whole() {
    flyTo(() => null);
  }

  function thisStep() {
    flyTo(({ scene, recording }) => {
      const { top, bottom, left: first } = scene.bounds;
      const left = Math.max(first, selectedTimestep(state, recording) + 0.5 - AROUND / 2);
      return { left, right: left + AROUND, top, bottom };
    });
  }

  function intoCell() {
    flyTo(({ scene, recording }) => {
      const row = rowOfCell(scene, selectedCell(state));
      return tileOf(row, selectedTimestep(state, recording));
    }, 10);
  }

  /** Around the current step where it is seen. @param {number} factor */
  function zoom(factor) {
    const now = shot();
    if (!now) return;
    const { recording, scene, lens, camera } = now;
    const at = placing(now);
    const row = rowOfCell(scene, selectedCell(state));
    const x = at.x(selectedTimestep(state, recording) + 0.5);
    const y = at.y((row.top + row.bottom) / 2);
    const seen = x >= 0 && x <= lens.width && y >= 0 && y <= lens.height;
    const [px, py] = seen ? [x, y] : [lens.width / 2, lens.height / 2];
    moving.fly(lens, zoomedAt(lens, camera, factor, px, py));
  }

  /** @param {KeyboardEvent} event */
  function onKey(event) {
    if (panel.hidden || event.ctrlKey || event.metaKey || event.altKey) return;
    const target = /** @type {HTMLElement} */ (event.target);
    if (target.closest("textarea, select, input:not([type=range]), dialog, [popover]")) return;
    if (document.querySelector("dialog[open], :popover-open")) return;
    /** @type {Record<string, () => void>} */
    const keys = { z: () => zoom(STEP), Z: () => zoom(1 / STEP), w: whole, W: whole };
    // Enter on a button presses that button, and Escape is for others where nothing is to be left.
    if (!target.closest("button, a, summary")) keys.Enter = intoCell;
    if (moving.camera.get()) keys.Escape = whole;
    if (!keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  }

  /** A movement is over: the link says where. */
  function keep() {
    const now = shot();
    if (!now) return;
    linked = formatCamera(now.lens, now.camera);
    if (!linked && !moving.flying) moving.jump(null);
    state.camera.set(linked);
  }

  /** @param {MouseEvent} event */
  function under(event) {
    const { left, top } = map.getBoundingClientRect();
    const [x, y] = [event.clientX - left - map.clientLeft, event.clientY - top - map.clientTop];
    return hitAt(shot(), content, x, y);
  }

  /** Put the camera where a movement of the hand wants it. @param {(lens: Lens, camera: Camera) => Camera} to */
  function steer(to) {
    const now = shot();
    const camera = now && to(now.lens, now.camera);
    if (!now || !camera || camera.scale === now.camera.scale && camera.x === now.camera.x && camera.y === now.camera.y) return false; // prettier-ignore
    moving.jump(camera);
    tooltip.hide();
    return true;
  }

  listenToGestures(map, {
    pan: (dx, dy) => steer((lens, camera) => panned(lens, camera, dx, dy)),
    zoom: (factor, x, y) => steer((lens, camera) => zoomedAt(lens, camera, factor, x, y)),
    end: keep,
    click(event) {
      const hit = under(event);
      if (!hit) return;
      const { spot, part, shot } = hit;
      if (spot.kind === "cell") actions.selectCell(spot.cell);
      actions.selectTimestep(spot.timestep);
      if (part?.own) actions.selectUnit(part.unit);
      // What was clicked is seen: that it moved would spoil a double click.
      hear(shot.recording);
    },
    open(event) {
      const hit = under(event);
      if (hit?.spot.kind === "cell") intoCell();
      else if (hit) thisStep();
    },
    hover(event) {
      const hit = event && under(event);
      if (hit) tooltip.show(event, readout(hit, content, state));
      else tooltip.hide();
    },
  });

  /** Note the selected cell and its timestep; whether they are others, and which way time went. @param {Recording} recording */
  function hear(recording) {
    const { layer, direction } = selectedCell(state);
    const timestep = selectedTimestep(state, recording);
    const place = [recording.about.id, layer, direction, timestep].join(" ");
    const moved = place !== heard.place;
    const heading = heard.timestep < 0 ? 0 : Math.sign(timestep - heard.timestep);
    heard = { place, timestep };
    return { moved, heading, timestep };
  }

  /** The camera goes where the selection goes, and dots run. @param {Shot} shot */
  function onStep({ recording, scene, lens }) {
    const key = [recording.about.id, state.order.get(), state.step.get()].join(" ");
    if (key !== stepped.key) {
      const time = performance.now();
      const speed = state.playing.get() ? state.speed.get() : 0;
      // Who holds a key down or drags wants to get somewhere.
      const calm = speed ? speed <= TOO_FAST : time - stepped.time > HURRY;
      if (stepped.key && calm && !isStill()) pulse = speed ? Math.min(PULSE, 800 / speed) : PULSE;
      // The first one was no step.
      stepped = { key, time: stepped.key ? time : -Infinity };
    }
    const { moved, heading, timestep } = hear(recording);
    if (moved && follows.get() && moving.camera.get())
      moving.follow(lens, tileOf(rowOfCell(scene, selectedCell(state)), timestep), heading);
  }

  /** What is lit at the step. @param {Shot} shot */
  function light({ recording, scene }) {
    const time = course(state, recording);
    const step = state.step.get();
    const key = [recording.about.id, time.order, step, scene.head?.reads].join(" ");
    if (lighting?.key !== key) {
      lighting = { key, lit: litAt(scene, time, step) };
      say(recording, lighting.lit);
    }
    return { lit: lighting.lit, time, step };
  }

  /** @param {Recording} recording @param {Lit} lit */
  function say(recording, lit) {
    const sentences = inWords(lit, recording.layers, headReads(page, recording));
    const { layer, direction } = selectedCell(state);
    const own = sentences.find((text) => text.startsWith(`Layer ${layer} ${direction} `));
    const step = `Step ${state.step.get()}`;
    const count = lit.cells.length > 1 ? ` computes ${lit.cells.length} cells` : "";
    const live = state.playing.get() ? "off" : "polite";
    if (words.ariaLive !== live) words.ariaLive = live;
    write(words, `${step}${count}. ${own ?? sentences[0] ?? ""}`);
    write(all, `${step}. ${sentences.join(" ")}`);
  }

  /** Another recording is another map, and a link may say where to look. @param {Recording} recording */
  function readLink(recording) {
    if (known && known.recording !== recording) {
      moving.jump(null);
      if (state.camera.get() === linked) state.camera.set((linked = ""));
    }
    // While another one is being recorded, a link may speak of that.
    if (state.camera.get() === linked || state.status.get().kind === "busy") return;
    linked = state.camera.get();
    moving.jump(linked ? parseCamera(lensOn(sceneFor(recording), size.get()), linked) : null);
  }

  return {
    name: "network map",
    reads: [
      ...[state.recording, state.models, state.arrived, state.quantities, state.tab, state.status],
      ...[state.step, state.order, state.layer, state.direction, state.unit, state.measured],
      ...[state.scale, state.statistic, state.camera],
      ...[page.theme, size, moving.camera, follows],
    ],
    paint() {
      const hidden = state.tab.get() !== "network";
      if (panel.hidden !== hidden) panel.hidden = hidden;
      const recording = state.recording.get();
      if (hidden || !recording) return;
      const pressed = String(follows.get());
      if (follow.ariaPressed !== pressed) follow.ariaPressed = pressed;
      if (measured !== state.measured.get()) {
        measured = state.measured.get();
        measure();
      }
      if (!size.get().width) return;
      readLink(recording);
      const before = shot();
      if (before) onStep(before);
      const now = shot();
      if (!now) return;
      canvases.paintBase(now);
      const { lit, time, step } = light(now);
      if (canvases.paintFlow(now, lit, time, step)) {
        dots.stop();
        if (pulse && now.camera.scale > LEAST_DOTTED) dots.run(now, lit.wires, pulse);
        pulse = 0;
      }
      canvases.paintNames(now, selectedCell(state));
    },
  };
}
