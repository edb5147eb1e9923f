// One unit in a chart that people hover, zoom and save: by Plotly, which is loaded when the chart is
// first opened.

/** @import {Band} from './lines.js' */
/** @import {Theme} from '../theme.js' */
/** @import {Shown, Unit} from './tab.js' */

import { button, element } from "../dom.js";
import { plotlyLabel } from "../label.js";
import { bandEnds, lineColour } from "./picture.js";

/** Milliseconds without another unit, after which the chart follows: it cannot at display rate. */
const SETTLED = 120;
/** Fewer timesteps have a mark each. */
const MARKED = 120;
const BINS = 40;

/** @type {Promise<any> | undefined} */
let plotly;

/** Plotly is 4.8 MB: nobody waits for it before a chart is opened. @param {string} url */
function loadPlotly(url) {
  plotly ??= new Promise((resolve, reject) => {
    const script = element("script", { src: url });
    script.addEventListener("load", () => resolve(/** @type {any} */ (window).Plotly));
    script.addEventListener("error", () => {
      plotly = undefined;
      script.remove();
      reject(new Error("The chart library could not be loaded. Is the server still running?"));
    });
    document.head.append(script);
  });
  return plotly;
}

const CONFIG = {
  displaylogo: false,
  // Plotly would offer to send the chart, and with it the sentence, to its makers' cloud.
  showSendToCloud: false,
  plotlyServerURL: "",
  responsive: true,
  modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"],
};

/**
 * @param {Unit} unit
 * @param {HTMLElement} parent
 */
export function createUnitChartView(unit, parent) {
  const { state, actions, theme } = unit;
  const chart = element("div", { id: "unit-chart", hidden: true });
  const opener = button("", toggle, { "aria-controls": "unit-chart" });
  parent.append(opener, chart);
  let open = false;
  let listens = false;
  let drawn = "";
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let waiting;
  name();

  function name() {
    opener.textContent = open ? "Close the chart" : "Explore in a chart";
    opener.setAttribute("aria-expanded", String(open));
  }

  function toggle() {
    open = !open;
    chart.hidden = !open;
    drawn = "";
    name();
    if (open) draw();
  }

  /** The chart of what is looked at now, unless it is there already. */
  async function draw() {
    const shown = unit.shown();
    if (!open || !shown?.series) return;
    const { background, ink } = theme.get();
    const key = `${shown.recording.about.id} ${shown.name} ${background} ${ink}`;
    if (key === drawn) return;
    drawn = key;
    try {
      const Plotly = await loadPlotly(state.about.get()?.plotly_url ?? "");
      // Another one may have been flipped to while it was loaded.
      if (key !== drawn) return;
      const bands = unit.bands();
      const file = `unit ${shown.unit} layer ${shown.cell.layer} ${shown.cell.direction}`;
      await Plotly.react(
        chart,
        [...lines(shown, bands, theme.get()), ...histograms(shown, bands, theme.get())],
        layout(shown, bands, theme.get()),
        { ...CONFIG, toImageButtonOptions: { format: "svg", filename: file } },
      );
      if (!listens) listen();
    } catch (error) {
      drawn = "";
      actions.report(error);
    }
  }

  function listen() {
    listens = true;
    /** @type {any} */ (chart).on(
      "plotly_click",
      (/** @type {{points: {pointIndex: number, data: {type: string}}[]}} */ { points }) => {
        if (points[0]?.data.type === "scatter") actions.selectTimestep(points[0].pointIndex);
      },
    );
  }

  return {
    name: "unit chart",
    reads: unit.reads,
    paint() {
      if (!open) return;
      clearTimeout(waiting);
      waiting = setTimeout(draw, drawn ? SETTLED : 0);
    },
  };
}

/** An axis of the band n: Plotly calls the first one without a number. @param {string} letter @param {number} n */
const axisName = (letter, n) => (n ? `${letter}${n + 1}` : letter);

/** @param {Shown} shown @param {Band[]} bands @param {Theme} theme */
function lines({ recording, series }, bands, theme) {
  const timesteps = Array.from({ length: recording.timesteps }, (_, t) => t);
  const tokens = recording.about.tokens.map(({ text }) => plotlyLabel(text));
  return bands.flatMap(({ quantities }, n) =>
    quantities
      .filter(({ name }) => series?.[name])
      .map(({ name, label: words }) => ({
        type: "scatter",
        mode: recording.timesteps <= MARKED ? "lines+markers" : "lines",
        name: `${name} ${words}`,
        legendgroup: name,
        x: timesteps,
        // Infinity would end the whole line: what is no number is a gap.
        y: Array.from(series?.[name] ?? [], (value) => (Number.isFinite(value) ? value : null)),
        yaxis: axisName("y", n),
        text: tokens,
        hovertemplate: `${name} = %{y:.6f}<extra>%{text}</extra>`,
        line: { color: lineColour(name, theme), width: 2 },
        marker: { size: 5 },
      })),
  );
}

/** How often each value was there, beside its line, on the same axis. @param {Shown} shown @param {Band[]} bands @param {Theme} theme */
function histograms(shown, bands, theme) {
  const ends = bandEnds(bands, shown);
  return bands.flatMap(({ quantities }, n) =>
    quantities
      // Plotly stumbles over an axis on which nothing is.
      .filter(({ name }) => shown.series?.[name].some(Number.isFinite))
      .map(({ name, label: words }) => ({
        type: "histogram",
        name: `${name} ${words}`,
        legendgroup: name,
        showlegend: false,
        y: Array.from(shown.series?.[name] ?? []).filter(Number.isFinite),
        ybins: { start: ends[n][0], end: ends[n][1], size: (ends[n][1] - ends[n][0]) / BINS },
        xaxis: axisName("x", n + 1),
        yaxis: axisName("y", n),
        hovertemplate: `%{x} timesteps<extra>${name}</extra>`,
        opacity: 0.6,
        marker: { color: lineColour(name, theme) },
      })),
  );
}

/** Between two bands, as a part of the whole height. */
const GAP = 0.05;

/** @param {Shown} shown @param {Band[]} bands @param {Theme} theme */
function layout(shown, bands, theme) {
  const ends = bandEnds(bands, shown);
  const grid = { gridcolor: theme.line, zerolinecolor: theme.faint, linecolor: theme.line };
  const room = (1 - GAP * (bands.length - 1)) / bands.length;
  const last = axisName("y", bands.length - 1);
  /** @type {Record<string, unknown>} */
  const axes = {
    xaxis: {
      ...grid,
      domain: [0, 0.8],
      anchor: last,
      title: { text: "timestep" },
      range: [-0.5, shown.recording.timesteps - 0.5],
      zeroline: false,
    },
  };
  bands.forEach(({ quantities }, n) => {
    const [low, high] = ends[n];
    const margin = (high - low) * 0.03;
    axes[`yaxis${n ? n + 1 : ""}`] = {
      ...grid,
      domain: [1 - (n + 1) * room - n * GAP, 1 - n * (room + GAP)],
      range: [low - margin, high + margin],
      title: { text: quantities.map(({ name }) => name).join(", ") },
    };
    axes[`xaxis${n + 2}`] = {
      ...grid,
      domain: [0.83, 1],
      anchor: axisName("y", n),
      showticklabels: false,
      rangemode: "tozero",
      ...(n === bands.length - 1 ? { title: { text: "how often" } } : {}),
    };
  });
  return {
    ...axes,
    height: 480,
    margin: { l: 56, r: 8, t: 36, b: 44 },
    paper_bgcolor: theme.background,
    plot_bgcolor: theme.background,
    font: { color: theme.ink, family: "ui-sans-serif, system-ui, Noto Sans, sans-serif", size: 12 },
    legend: { orientation: "h", y: 1.1, x: 0 },
    hovermode: "x",
    hoversubplots: "axis",
    barmode: "overlay",
    // What is hidden and zoomed stays from unit to unit, not from text to text.
    uirevision: shown.recording.about.id,
  };
}
