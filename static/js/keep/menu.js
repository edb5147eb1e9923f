// What can be taken along of the present screen: a picture, numbers, a table, the session, a video.

/** @import {Figure} from '../types.js' */
/** @import {Page} from '../page.js' */
/** @import {Recording} from '../recording.js' */
/** @import {Extent, Format} from './exports.js' */

import { ApiError } from "../api.js";
import { axis } from "../time/axis.js";
import { fileName } from "./caption.js";
import { button, byId, element, loadStyles, write } from "../dom.js";
import { download } from "./download.js";
import { exportOf, fileBytes, FORMATS, measure, sliceOf } from "./exports.js";
import { compose, toCanvas, toPng, toSvg } from "./figure.js";
import { bytes, plural } from "../format.js";
import { planSession, saveSession } from "./offline.js";
import { selectedCell, SPEEDS, steps } from "../state.js";
import { makeVideo, whyNoVideo } from "./video.js";
import { showTable } from "./table.js";

/** What a format is called, and what reads it. @type {Record<Format, [string, string]>} */
const NAMES = {
  csv: ["CSV", "a table for spreadsheets, pandas and R"],
  npz: ["NPZ", "for numpy.load"],
  safetensors: ["safetensors", "for safetensors and PyTorch"],
  parquet: ["Parquet", "for pandas, Polars, DuckDB and Spark"],
};

const PREVIEW = 372;
/** A video of more steps is a matter of minutes; its end can be chosen. */
const MANY_STEPS = 400;

/** What is chosen stays while the page is open. */
const chosen = {
  scale: 2,
  light: false,
  extent: /** @type {Extent} */ ("view"),
  charts: true,
  window: false,
  speed: 0,
};

/** @typedef {{page: Page, recording: Recording, figure: Figure | undefined, popover: HTMLElement, task: ReturnType<typeof createTask>}} Kept */

/** @type {ReturnType<typeof createTask> | null} */
let task = null;

/** @param {HTMLElement} popover @param {Page} page */
export async function showKeep(popover, page) {
  await loadStyles("css/keep.css");
  const recording = page.state.recording.get();
  if (!recording) {
    popover.replaceChildren(element("p", {}, "Nothing is recorded yet."));
    return;
  }
  task ??= createTask(page);
  task.forget();
  const figure = await figureOf(page);
  const kept = { page, recording, figure, popover, task };
  popover.replaceChildren(
    pictureSection(kept),
    numbersSection(kept),
    tableSection(kept),
    sessionSection(kept),
    videoSection(kept),
    task.node,
  );
}

/** The view's picture; one that is being loaded is waited for. @param {Page} page */
async function figureOf({ figures, state, loadFigures }) {
  await loadFigures();
  for (let tries = 0; tries < 20 && !figures.has(state.tab.get()); tries++)
    await new Promise((resolve) => setTimeout(resolve, 50));
  return figures.get(state.tab.get());
}

/** @param {string} title @param {(Node | string)[]} children */
const section = (title, ...children) =>
  element("section", {}, element("h3", {}, title), ...children);

/** @param {(Node | string)[]} children */
const row = (...children) => element("div", { class: "keep-row" }, ...children);

/** Saved sessions have no server behind them. */
const isOffline = () => document.body.classList.contains("offline");

/** @param {Kept} kept */
function pictureSection({ page, recording, figure, task }) {
  if (!figure) return section("Picture", element("p", { class: "note" }, "This view has none."));
  const preview = element("canvas", { class: "keep-preview", role: "img" });
  const picture = () => compose(page, recording, figure, { light: chosen.light });
  const show = () =>
    attempt(task, () => {
      const now = picture();
      toCanvas(now, (PREVIEW * window.devicePixelRatio) / now.width, preview);
      preview.setAttribute("aria-label", `${now.title}. ${now.description}`);
    });
  const colours = choice(
    "Colours",
    [
      ["screen", "as here"],
      ["light", "on white"],
    ],
    chosen.light ? "light" : "screen",
    (value) => {
      chosen.light = value === "light";
      show();
    },
  );
  const size = choice(
    "Size of the PNG",
    [1, 2, 3].map((n) => [String(n), `${n}×`]),
    String(chosen.scale),
    (value) => (chosen.scale = Number(value)),
  );
  const name = (/** @type {string} */ ending) => `${fileName(page.state, recording)}.${ending}`;
  const png = button("PNG", () =>
    task.run("Drawing", async () => download(await toPng(picture(), chosen.scale), name("png"))),
  );
  const svg = button("SVG", () =>
    task.run("Drawing", async () => download(toSvg(picture()), name("svg"))),
  );
  const copy = button("Copy", () =>
    task.run("Copying", async () => {
      const item = new ClipboardItem({ "image/png": toPng(picture(), chosen.scale) });
      await navigator.clipboard.write([item]).catch(() => {
        throw new Error("The browser did not allow the picture to be copied. Save it as PNG.");
      });
      return "Copied. Paste it where you like.";
    }),
  );
  copy.hidden = !("ClipboardItem" in window && navigator.clipboard?.write);
  show();
  return section(
    "Picture",
    preview,
    row(png, svg, copy, element("span", { class: "keep-pair" }, size, colours)),
  );
}

/** @param {Kept} kept */
function numbersSection({ page, recording, figure, task }) {
  const { state, api } = page;
  if (isOffline()) {
    const text = "Gatescope itself saves numbers. Here the table has those of this view.";
    return section("Numbers", element("p", { class: "note" }, text));
  }
  if (!figure && chosen.extent === "view") chosen.extent = "cell";
  const cell = selectedCell(state);
  /** @type {[Extent, string][]} */
  const extents = [
    ["view", "What this view shows"],
    ["cell", `Layer ${cell.layer} ${cell.direction}, from beginning to end`],
    ["all", "Everything that was recorded"],
  ];
  const slice = () => sliceOf(recording, selectedCell(state), figure, chosen.extent);
  const options = extents
    .filter(([extent]) => figure || extent !== "view")
    .map(([extent, words]) => {
      const radio = element("input", { type: "radio", name: "keep-extent", value: extent });
      radio.checked = extent === chosen.extent;
      radio.addEventListener("change", () => {
        chosen.extent = extent;
        estimate();
      });
      const of = attempt(task, () => measure(recording, sliceOf(recording, cell, figure, extent)));
      return element(
        "label",
        { class: "keep-option" },
        radio,
        element("span", {}, words, element("small", {}, of?.words ?? "not here yet")),
      );
    });
  const buttons = FORMATS.map((format) => {
    const [name, readers] = NAMES[format];
    const size = element("small");
    const node = button([name, size], () => saveNumbers(format), { title: readers });
    return { format, size, node };
  });
  function estimate() {
    const of = attempt(task, () => measure(recording, slice()));
    for (const { format, size, node } of buttons) {
      node.disabled = !of?.numbers;
      size.textContent = of ? `≈ ${bytes(rounded(fileBytes(recording, of, format)))}` : "";
    }
  }
  /** @param {Format} format */
  const saveNumbers = (format) =>
    task.run("The server writes the file", async ({ signal }) => {
      const file = await api.export(recording.about.id, exportOf(slice(), format), signal);
      download(new Blob([file]), `${fileName(state, recording)}-${chosen.extent}.${format}`);
    });
  estimate();
  return section(
    "Numbers",
    element("fieldset", {}, element("legend", { class: "hidden" }, "Which numbers"), ...options),
    element("div", { class: "keep-formats" }, ...buttons.map(({ node }) => node)),
  );
}

/** Two digits are enough of a guess. @param {number} count */
const rounded = (count) => Number(count.toPrecision(2));

/** @param {Kept} kept */
function tableSection({ page, figure, popover }) {
  const show = button("Show the table", () => {
    popover.hidePopover();
    showTable(page);
  });
  show.disabled = !figure;
  return section(
    "Table",
    row(show, element("span", { class: "note" }, "or press ", element("kbd", {}, "T"))),
  );
}

/** @param {Kept} kept */
function sessionSection({ page, recording, task }) {
  const { state, api } = page;
  if (isOffline()) {
    const text = "This page is the saved session: the file itself is all there is.";
    return section("Session", element("p", { class: "note" }, text));
  }
  const view = axis(state, recording).window;
  const window = { start: view.first, stop: view.last };
  const shown = plural(window.stop - window.start, "timestep");
  const zoomed = window.stop - window.start < recording.timesteps;
  if (!zoomed) chosen.window = false;
  else if (!recording.whole) chosen.window = true;
  const part = () => (chosen.window ? window : null);
  const note = element("p", { class: "note" });
  const save = button("One HTML file", () =>
    task.run("Packing the session", async ({ signal, onProgress }) => {
      const { charts } = chosen;
      const file = await saveSession(state, api, recording, {
        charts,
        part: part(),
        signal,
        onProgress,
      });
      download(file, `${fileName(state, recording)}-session.html`);
    }),
  );
  const charts = element("input", { type: "checkbox" });
  charts.checked = chosen.charts;
  charts.addEventListener("change", () => {
    chosen.charts = charts.checked;
    tell();
  });
  const which = choice(
    "How much of the recording",
    [
      ["all", "all timesteps"],
      ["window", `the ${shown} on the screen`],
    ],
    chosen.window ? "window" : "all",
    (value) => {
      chosen.window = value === "window";
      tell();
    },
  );
  which.hidden = !zoomed;
  function tell() {
    const { nbytes, problem, missing } = planSession(state, recording, {
      charts: chosen.charts,
      part: part(),
    });
    save.disabled = Boolean(problem);
    note.textContent = problem
      ? `${problem} Zoom in, and save what is on the screen.`
      : `Steps, scrubs and flips without a server, about ${bytes(rounded(nbytes))}. ${missing ?? ""}`;
  }
  tell();
  return section(
    "Session",
    row(save, which, element("label", {}, charts, " with charts, 2 MB")),
    note,
  );
}

/** @param {Kept} kept */
function videoSection({ page, recording, figure, task }) {
  const { state } = page;
  const last = steps(state, recording) - 1;
  const why = figure ? whyNoVideo() : "This view has no picture to film.";
  if (why || !figure) return section("Video", element("p", { class: "note" }, why ?? ""));
  const number = (/** @type {string} */ name, /** @type {number} */ value) =>
    element("input", { type: "number", min: 0, max: last, value, "aria-label": name });
  const from = number("First step", 0);
  const to = number("Last step", Math.min(last, MANY_STEPS - 1));
  chosen.speed ||= state.speed.get();
  const speed = choice(
    "Steps a second",
    SPEEDS.map((n) => [String(n), `${n} a second`]),
    String(chosen.speed),
    (value) => {
      chosen.speed = Number(value);
      tell();
    },
  );
  const note = element("span", { class: "note" });
  const clip = () => ({
    from: Number(from.value),
    to: Number(to.value),
    speed: chosen.speed,
    light: chosen.light,
  });
  function tell() {
    const { from: first, to: end } = clip();
    const sound =
      [first, end].every((n) => Number.isInteger(n) && n >= 0 && n <= last) && first <= end;
    make.disabled = !sound;
    const seconds = (end - first + 1) / chosen.speed;
    write(
      note,
      sound ? `${plural(Math.round(seconds * 10) / 10, "second")}` : `steps are 0 to ${last}`,
    );
  }
  const make = button("Make a video", () =>
    task.run("Filming every step", async ({ signal, onProgress }) => {
      const video = await makeVideo(page, recording, figure, clip(), { signal, onProgress });
      download(video, `${fileName(state, recording)}.${/mp4/.test(video.type) ? "mp4" : "webm"}`);
    }),
  );
  for (const input of [from, to]) input.addEventListener("input", tell);
  tell();
  return section(
    "Video",
    row(element("label", {}, "steps ", from), element("label", {}, "to ", to), speed),
    row(make, note),
  );
}

/**
 * A select with a name.
 * @param {string} name
 * @param {string[][]} options  value and words
 * @param {string} value
 * @param {(value: string) => void} onChange
 */
function choice(name, options, value, onChange) {
  const select = element(
    "select",
    { "aria-label": name, title: name },
    ...options.map(([each, words]) => element("option", { value: each }, words)),
  );
  select.value = value;
  select.addEventListener("change", () => onChange(select.value));
  return select;
}

/**
 * What a view gives, or nothing and a word why: its numbers may still be on their way.
 * @template T
 * @param {ReturnType<typeof createTask>} task
 * @param {() => T} run
 */
function attempt(task, run) {
  try {
    return run();
  } catch (error) {
    task.say(error instanceof Error ? error.message : String(error), true);
    return undefined;
  }
}

/** One thing is made at a time; it goes on while the popover is closed, and the button tells. @param {Page} page */
function createTask({ state }) {
  const opener = byId("keep-button");
  const bar = element("progress", { max: 1 });
  const words = element("span", { class: "grow" });
  const cancel = button("Cancel", () => request?.abort());
  const running = element("div", { class: "keep-row" }, bar, words, cancel);
  const message = element("p", { role: "status" });
  const node = element("div", { class: "keep-task" }, running, message);
  running.hidden = true;
  /** @type {AbortController | null} */
  let request = null;

  /** @param {string} text @param {boolean} [problem] */
  function say(text, problem = false) {
    message.textContent = text;
    message.classList.toggle("problem", problem);
  }

  return {
    node,
    say,
    /** What was said of the last thing. */
    forget() {
      if (!request) say("");
    },
    /**
     * @param {string} what
     * @param {(task: {signal: AbortSignal, onProgress: (part: number) => void}) => Promise<string | void>} make
     */
    async run(what, make) {
      if (request) {
        say("One thing at a time: cancel it, or wait until it is done.", true);
        return;
      }
      const mine = (request = new AbortController());
      say("");
      write(words, `${what}…`);
      bar.removeAttribute("value");
      running.hidden = false;
      try {
        const said = await make({
          signal: mine.signal,
          onProgress(part) {
            bar.value = part;
            write(opener, `Keep ${Math.round(100 * part)} %`);
          },
        });
        say(said ?? "Saved.");
      } catch (error) {
        if (mine.signal.aborted) say("Cancelled.");
        else say(problemOf(error), true);
      } finally {
        request = null;
        running.hidden = true;
        write(opener, "Keep");
        // Who has closed the popover hears of a failure all the same.
        if (message.classList.contains("problem") && !node.isConnected) {
          state.status.set({ kind: "problem", title: "Not saved", message: message.textContent });
        }
      }
    },
  };
}

/** @param {unknown} error */
function problemOf(error) {
  if (!(error instanceof ApiError)) return error instanceof Error ? error.message : String(error);
  const { came, expected } = error.problem;
  const more = [came && `Came: ${came}.`, expected && `Expected: ${expected}.`];
  return [error.message, ...more.filter((part) => part && !error.message.includes(part))].join(" ");
}
