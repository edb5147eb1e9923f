// The lens on all layers at once: what the head would say at every timestep if it read each of them.

/** @import {Room, Shown} from './room.js' */

import { button, element, write } from "../dom.js";
import { fixed } from "../format.js";
import { label } from "../label.js";
import { ROW, drawCells, labelRow, percent } from "./cells.js";
import { agreement, idAt, probabilityAt, summary } from "./measures.js";
import { fits, widthOf } from "./options.js";
import { createStrip } from "./strip.js";

/** @param {Room} room */
export function createGridView(room) {
  /** From the top layer down, as they stand on the board. @param {Shown} shown */
  const layers = ({ recording }) => recording.layers.map((_, n) => n).reverse();

  /** @param {Shown} shown @param {number} y */
  const layerAt = (shown, y) => layers(shown)[Math.floor(y / ROW)] ?? 0;

  /** @param {Shown} shown @param {number} layer */
  const answersOf = (shown, layer) =>
    fits(shown.recording.layers, layer) ? room.answersOf(shown, layer) : undefined;

  /** One number for a layer: how good it is, or how alike the model. @param {Shown} shown @param {number} layer */
  function gist(shown, layer) {
    const { layers: all } = shown.recording;
    const [own, model] = [answersOf(shown, layer), answersOf(shown, all.length - 1)];
    const known = own && summary(own);
    if (known)
      return {
        text: fixed(known.mean, 2),
        title: `mean surprise ${fixed(known.mean, 3)} nats per token`,
      };
    if (!own || !model || layer === all.length - 1) return { text: "", title: "" };
    const same = percent(agreement(own, model));
    return { text: same, title: `the same label as the model's at ${same} of timesteps` };
  }

  return createStrip(room, {
    id: "predict-grid",
    title: (shown) =>
      `The most probable label after every timestep, read at each of ${shown.recording.layers.length} layers`,
    height: (shown, { k }) =>
      k && room.lower(shown).length && room.hasGrid(shown) && !room.lensProblem(shown)
        ? layers(shown).length * ROW
        : 0,
    key: (shown) =>
      layers(shown)
        .map((n) => Boolean(answersOf(shown, n)))
        .join(""),
    draw(context, shown, _, columns) {
      const { labels, targets } = shown.about;
      layers(shown).forEach((layer, n) => {
        const answers = answersOf(shown, layer);
        if (!answers) return;
        const options = { y: n * ROW, table: room.table(), theme: room.theme.get() };
        drawCells(context, labelRow(labels, targets, answers, 0), columns, options);
      });
    },
    legend(legend, shown) {
      const all = shown.recording.layers;
      const top = all.length - 1;
      legend.replaceChildren(
        ...layers(shown).map((layer, n) => {
          const readable = fits(all, layer);
          const found = gist(shown, layer);
          const node = button(
            [
              `layer ${layer} `,
              element("small", {}, `${layer === top ? "top " : ""}${found.text}`),
            ],
            () => room.set({ layer: layer === top ? -1 : layer }),
            {
              class: "predict-layer",
              "aria-pressed": String(layer === shown.layer),
              disabled: !readable,
              title: readable
                ? `Show the head reading layer ${layer}\n${found.title}`.trim()
                : `It hands up ${widthOf(all[layer])}; the head reads ${widthOf(all[top])}`,
            },
          );
          node.style.top = `${n * ROW}px`;
          return node;
        }),
      );
    },
    tell(shown, _, t, y) {
      const layer = layerAt(shown, y);
      const all = shown.recording.layers;
      if (!fits(all, layer)) return [`layer ${layer} hands up ${widthOf(all[layer])}`];
      const answers = answersOf(shown, layer);
      const id = answers && idAt(answers, t, 0);
      if (!answers || id === null || id === undefined) return [`layer ${layer}: …`];
      const said = label(shown.about.labels[id]);
      return [`read at layer ${layer}: ${said}, ${percent(probabilityAt(answers, t, 0))}`];
    },
    pick(shown, y) {
      const layer = layerAt(shown, y);
      const top = shown.recording.layers.length - 1;
      if (fits(shown.recording.layers, layer)) room.set({ layer: layer === top ? -1 : layer });
    },
  });
}

const LENS =
  "The lens: the head applied to the states of each layer. It was trained on the top layer only, so what it says below shows how much of the answer already stands there in the form it reads, not what the layer knows.";

/** @param {Room} room */
export function createGridHead(room) {
  const open = button("", () => {
    const shown = room.shown();
    if (shown) room.set({ grid: room.hasGrid(shown) ? "off" : "on" });
  });
  open.className = "predict-open";
  const note = element("p", { class: "note" });
  const root = element("div", { class: "predict-head", id: "predict-lens" }, open, note);
  return {
    root,
    view: {
      name: "predict grid head",
      reads: room.reads,
      paint() {
        const shown = room.shown();
        const all = shown?.recording.layers ?? [];
        const other = all.findIndex((_, n) => !fits(all, n));
        const why =
          other < 0
            ? ""
            : `The head cannot read layer ${other}: it hands up ${widthOf(all[other])}, and the head reads ${widthOf(all[all.length - 1])}.`;
        const lower = Boolean(shown?.answers?.k && room.lower(shown).length);
        root.hidden = !shown?.answers || !(lower || why);
        if (!shown || root.hidden) return;
        const on = room.hasGrid(shown);
        const problem = lower ? room.lensProblem(shown) : "";
        open.hidden = !lower || problem !== "";
        write(open, on ? "Hide the other layers" : "Read every layer");
        open.setAttribute("aria-expanded", String(on));
        write(note, `${problem || (lower ? LENS : "")} ${why}`.trim());
      },
    },
  };
}
