// Links for teaching and for slides: what is taken away, and how large it is.

/** @import {State} from '../state.js' */

import { button, element, loadStyles, write } from "../dom.js";
import { label } from "../label.js";
import { PARTS, hiddenParts } from "./parts.js";
import { frameCode, isHere, sharedLink } from "./share-links.js";
import { selectedModel } from "../state.js";
import { linkOf } from "../url.js";

/** Smaller ones hold nothing that can be read. */
const SMALLEST = { width: 320, height: 200 };
const LARGEST = 4000;

/** @param {HTMLElement} panel @param {State} state */
export function createShare(panel, state) {
  void loadStyles("css/share.css");
  const url = element("input", { readonly: true, "aria-label": "Link to this screen" });
  const here = element(
    "p",
    { class: "note" },
    "Only this computer has this address: others cannot open it.",
  );
  const parts = Object.entries(PARTS).map(([name, does]) => {
    const box = element("input", { type: "checkbox", value: name });
    return { box, node: element("label", { class: "check" }, box, does) };
  });
  const width = size("Width in pixels", "width", "960");
  const height = size("Height in pixels", "height", "540");
  const cell = element("input", { type: "checkbox" });
  const play = element("input", { type: "checkbox" });
  const code = element("textarea", { readonly: true, rows: 3, "aria-label": "Code of the frame" });
  const picture = element("span", { class: "frame-size", "aria-hidden": "true" });
  const taken = element("summary");
  panel.append(
    element("h3", {}, "A link to this screen"),
    element("div", { class: "line" }, url, copying(url)),
    here,
    element(
      "details",
      { open: state.hide.get() !== "" },
      taken,
      element(
        "div",
        { class: "parts", role: "group", "aria-label": "Taken away" },
        ...parts.map(({ node }) => node),
      ),
    ),
    element("h3", {}, "In a slide or on a page"),
    element(
      "div",
      { class: "line" },
      width,
      "×",
      height,
      "pixels",
      picture,
      button("Preview", preview, { title: "In a window of this size" }),
    ),
    element("label", { class: "check" }, cell, "with the panel of one cell"),
    element("label", { class: "check" }, play, "plays when it comes into sight"),
    element("div", { class: "line" }, code, copying(code)),
    element(
      "p",
      { class: "note" },
      "Pages of this server may hold it; the setting frame_ancestors lets others.",
    ),
  );
  panel.addEventListener("input", update);

  const page = () => location.origin + location.pathname + location.search;
  const hidden = () => parts.filter(({ box }) => box.checked).map(({ box }) => box.value);
  const framed = () => {
    const embed = [cell.checked && "cell", play.checked && "play"].filter((word) => word !== false);
    return sharedLink(linkOf(state), page(), {
      hide: hidden(),
      embed: embed.length ? embed : ["on"],
    });
  };
  /** @param {HTMLInputElement} field @param {"width" | "height"} side */
  const pixels = (field, side) =>
    Math.round(Math.max(SMALLEST[side], Math.min(LARGEST, field.valueAsNumber || 0)));

  /** What the links are now. */
  function update() {
    const [w, h] = [pixels(width, "width"), pixels(height, "height")];
    const names = hidden();
    url.value = sharedLink(linkOf(state), page(), { hide: names });
    const model = label(selectedModel(state)?.title ?? "");
    const title = `Gatescope: ${model}, “${label(state.text.get())}”`;
    code.value = frameCode({ src: framed(), title, width: w, height: h });
    write(
      taken,
      names.length ? `Without ${names.length} of its parts` : "Take parts of the page away",
    );
    picture.style.aspectRatio = `${w} / ${h}`;
  }

  /** The screen may be another one each time. */
  function begin() {
    const now = new Set(hiddenParts(state.hide.get()));
    for (const { box } of parts) box.checked = now.has(box.value);
    here.hidden = !isHere(location.hostname);
    update();
  }

  function preview() {
    const [w, h] = [pixels(width, "width"), pixels(height, "height")];
    open(framed(), "_blank", `popup,noopener,width=${w},height=${h}`);
  }

  return begin;
}

/** @param {string} name @param {"width" | "height"} side @param {string} value */
const size = (name, side, value) =>
  element("input", {
    type: "number",
    "aria-label": name,
    min: SMALLEST[side],
    max: LARGEST,
    step: 10,
    value,
  });

/** @param {HTMLInputElement | HTMLTextAreaElement} field */
function copying(field) {
  const copy = button("Copy", async () => {
    field.select();
    try {
      await navigator.clipboard.writeText(field.value);
      write(copy, "Copied ✓");
    } catch {
      // No permission, or not a secure page: it is selected.
      write(copy, "Press Ctrl C");
    }
    setTimeout(() => write(copy, "Copy"), 1800);
  });
  return copy;
}
