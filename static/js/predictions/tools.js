// Above the pictures: which layer the head reads, how many labels are listed, and what the colours mean.

/** @import {Room, Shown} from './room.js' */
/** @import {MeasureName} from './measures.js' */

import { LEVELS } from "../colour.js";
import { button, element, write } from "../dom.js";
import { css } from "../unit/readable.js";
import { tickText } from "../unit/picture.js";
import { LABELS, fits, widthOf } from "./options.js";
import { MEASURES, endsOf, measuresOf } from "./measures.js";

/** @param {Room} room */
export function createToolsView(room) {
  const group = (/** @type {string} */ name) =>
    element("span", { class: "predict-chips", role: "group", "aria-label": name });
  const layers = group("The head reads layer");
  const measures = group("The sentence is coloured by");
  const labels = element(
    "select",
    { "aria-label": "Labels under each token" },
    ...LABELS.map((n) => element("option", { value: n }, String(n))),
  );
  labels.addEventListener("change", () => room.set({ labels: Number(labels.value) }));
  const [low, high] = [element("span"), element("span")];
  const ramp = element("i", { class: "ramp", "aria-hidden": "true" });
  const layerTool = element("span", {}, "read by the head at layer ", layers);
  const labelTool = element("label", {}, "labels ", labels);
  const colourTool = element(
    "span",
    { class: "predict-colours" },
    "text coloured by ",
    measures,
    element(
      "span",
      {
        class: "ends",
        title:
          "The darker, the less certain. Surprise and entropy end at ln(number of labels), which is what guessing blindly has; ranks are coloured by their logarithm.",
      },
      low,
      ramp,
      high,
    ),
  );
  const bed = element("i", { class: "ramp", "aria-hidden": "true" });
  const cellScale = element(
    "span",
    { class: "ends", title: "What the colour or the bar of a label means" },
    "probability 0 ",
    bed,
    " 1",
  );
  const root = element("div", { id: "predict-tools" }, layerTool, labelTool, cellScale, colourTool);
  let built = "";

  /** @param {Shown} shown */
  function build({ recording, about, layer, by, options }) {
    const all = recording.layers;
    const top = all.length - 1;
    layers.replaceChildren(
      ...all.map((own, n) =>
        button(n === top ? "top" : String(n), () => room.set({ layer: n === top ? -1 : n }), {
          "aria-label": n === top ? `layer ${n}, the top one` : `layer ${n}`,
          "aria-pressed": String(n === layer),
          disabled: !fits(all, n),
          title: !fits(all, n)
            ? `Layer ${n} hands up ${widthOf(own)}; the head reads ${widthOf(all[top])}`
            : n === top
              ? `Layer ${n}, which the head was trained to read`
              : `The lens: the head reads layer ${n} instead, which it was never trained to`,
        }),
      ),
    );
    measures.replaceChildren(
      ...measuresOf(about.task).map((name) => {
        const { sentence, formula, unit } = MEASURES[name];
        return button(
          name,
          () => room.set({ by: name === measuresOf(about.task)[0] ? "" : name }),
          {
            "aria-pressed": String(name === by),
            title: `${sentence}\n${name} = ${formula}${unit && `, in ${unit}`}`,
          },
        );
      }),
    );
    labels.value = String(options.labels);
    layerTool.hidden = top === 0;
    colourTool.hidden = !by;
    cellScale.hidden = about.task === "value";
    labelTool.hidden = about.task === "value" || about.labels.length <= LABELS[1];
  }

  /** @param {Shown} shown @param {MeasureName} by */
  function paintScale({ about }, by) {
    const ends = endsOf(by, about.labels.length);
    write(low, tickText(ends[0]));
    write(high, tickText(ends[1]));
    const table = room.table();
    const stops = [0, 1, 2, 3, 4].map((n) => css(table[Math.round((n / 4) * (LEVELS - 1))]));
    for (const { style } of [ramp, bed])
      style.background = `linear-gradient(90deg, ${stops.join(", ")})`;
  }

  return {
    root,
    view: {
      name: "predict tools",
      reads: room.reads,
      paint() {
        const shown = room.shown();
        root.hidden = !shown;
        if (!shown) return;
        const key = room.key(shown);
        if (key === built) return;
        const focused = document.activeElement;
        const at = focused && root.contains(focused) ? focused.textContent : null;
        built = key;
        build(shown);
        if (shown.by) paintScale(shown, shown.by);
        // A button that was pressed has been made anew.
        if (at !== null && !focused?.isConnected)
          [...root.querySelectorAll("button")].find((node) => node.textContent === at)?.focus();
      },
    },
  };
}
