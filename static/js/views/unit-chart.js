// One unit over time: six lines to hover, zoom and save, by Plotly, loaded when first wanted.

/** @import {Readable} from '../types.js' */
/** @import {State} from '../state.js' */
/** @import {Actions} from '../actions.js' */
/** @import {Theme} from '../theme.js' */
/** @import {Recording} from '../recording.js' */

import { axis } from "../axis.js";
import { byId, element } from "../dom.js";
import { plotlyLabel } from "../label.js";
import { selectedCell } from "../state.js";

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

const DASHES = /** @type {Record<string, string>} */ ({
  i: "solid",
  f: "dash",
  g: "dot",
  o: "dashdot",
  c: "solid",
  h: "dash",
});

/**
 * The chart stands on the page's own time axis, column over column, so the page's band is its cursor
 * and nothing is redrawn when that moves.
 * @param {State} state
 * @param {Actions} actions
 * @param {Readable<Theme>} theme
 */
export function createUnitChartView(state, actions, theme) {
  const panel = byId("unit-view");
  const note = element("p", { class: "note" });
  const chart = element("div", { id: "unit-chart" });
  panel.append(note, chart);
  let drawn = "";

  /** @param {any} Plotly @param {Recording} recording */
  async function draw(Plotly, recording) {
    const first = !drawn;
    await Plotly.react(
      chart,
      traces(state, recording, theme.get()),
      layout(state, recording, theme.get()),
      {
        displaylogo: false,
        // Plotly would offer to send the chart, and with it the sentence, to its makers' cloud.
        showSendToCloud: false,
        plotlyServerURL: "",
        responsive: true,
        modeBarButtonsToRemove: [
          "select2d",
          "lasso2d",
          "pan2d",
          "zoom2d",
          "zoomIn2d",
          "zoomOut2d",
          "autoScale2d",
          "resetScale2d",
        ],
      },
    );
    if (!first) return;
    /** @type {any} */ (chart).on(
      "plotly_click",
      (/** @type {{points: {pointIndex: number}[]}} */ { points }) => {
        if (points.length) actions.selectTimestep(points[0].pointIndex);
      },
    );
  }

  return {
    name: "unit chart",
    reads: [
      state.recording,
      state.arrived,
      state.tab,
      state.layer,
      state.direction,
      state.unit,
      state.trackWidth,
      state.from,
      state.span,
      theme,
    ],
    paint() {
      const recording = state.recording.get();
      panel.hidden = state.tab.get() !== "unit";
      if (panel.hidden || !recording) return;
      const { layer, direction } = selectedCell(state);
      note.textContent =
        `All six quantities of unit ${state.unit.get()} in layer ${layer} ${direction}, over the whole sentence. ` +
        "[ and ] flip to the previous and the next unit; a click goes to that timestep." +
        gaps(state, recording);
      const key = [
        recording.about.id,
        state.arrived.get(),
        layer,
        direction,
        state.unit.get(),
        state.trackWidth.get(),
        state.from.get(),
        state.span.get(),
        theme.get().ink,
      ].join(" ");
      if (key === drawn) return;
      loadPlotly(state.about.get()?.plotly_url ?? "")
        .then((Plotly) => draw(Plotly, recording))
        .then(() => (drawn = key))
        .catch(actions.report);
    },
  };
}

/** Which lines have gaps, and why. @param {State} state @param {Recording} recording */
function gaps(state, recording) {
  const names = state.quantities
    .get()
    .map(({ name }) => name)
    .filter((name) => {
      const array = recording.quantity(name, selectedCell(state));
      const [, units] = array?.shape ?? [0, 0];
      return array?.data.some(
        (value, n) => n % units === state.unit.get() && !Number.isFinite(value),
      );
    });
  return names.length ? ` Where ${names.join(", ")} is not a finite number, nothing is drawn.` : "";
}

/** @param {State} state @param {Recording} recording @param {Theme} theme */
function traces(state, recording, theme) {
  const colours = /** @type {Record<string, string>} */ ({
    i: theme.high,
    f: theme.high,
    o: theme.high,
    g: theme.negative,
    c: theme.positive,
    h: theme.accent,
  });
  const timesteps = Array.from({ length: recording.timesteps }, (_, t) => t);
  const tokens = recording.about.tokens.map(({ text }) => plotlyLabel(text));
  return state.quantities.get().map(({ name, label: words }) => ({
    type: "scatter",
    mode: recording.timesteps <= 120 ? "lines+markers" : "lines",
    name: `${name} ${words}`,
    x: timesteps,
    y: timesteps.map(
      (t) => recording.value(name, selectedCell(state), t, state.unit.get()) ?? null,
    ),
    text: tokens,
    hovertemplate: `${name} = %{y:.4f}<extra>%{text}</extra>`,
    line: { color: colours[name], dash: DASHES[name], width: 2 },
    marker: { size: 5 },
  }));
}

/** @param {State} state @param {Recording} recording @param {Theme} theme */
function layout(state, recording, theme) {
  const { columnWidth, scrollLeft, trackWidth } = axis(state, recording);
  const grid = { gridcolor: theme.line, zerolinecolor: theme.faint, linecolor: theme.line };
  const left = byId("track").offsetLeft - byId("unit-chart").offsetLeft;
  const from = scrollLeft / columnWidth - 0.5;
  return {
    // The plot is exactly the track: a point stands in the middle of its token's column.
    margin: { l: left, r: 0, t: 40, b: 8 },
    paper_bgcolor: theme.background,
    plot_bgcolor: theme.background,
    font: { color: theme.ink, family: "ui-sans-serif, system-ui, Noto Sans, sans-serif", size: 12 },
    legend: { orientation: "h", y: 1.14, x: 0 },
    hovermode: "x",
    xaxis: {
      ...grid,
      fixedrange: true,
      showticklabels: false,
      range: [from, from + trackWidth / columnWidth],
      dtick: 1,
    },
    yaxis: { ...grid, zeroline: true, fixedrange: true },
    uirevision: "keep what is hidden",
  };
}
