// The gallery: every view on fixed sentences, each in a frame as it would stand in a slide.

import { byId, element } from "./dom.js";
import { DEFAULTS, toFragment } from "./url.js";

/** @import {Link} from './url.js' */

/** @type {Partial<Link>} */
const TAGGER = {
  model: "tagger-en",
  text: "The sun is shiny but the beach was very windy today.",
  step: 4,
  layer: 1,
  unit: 17,
};
/** @type {Partial<Link>} */
const SHAKESPEARE = {
  model: "shakespeare",
  text: "To be, or not to be: that is the question: Whether 'tis nobler in the mind to suffer The slings and arrows of outrageous fortune, Or to take arms against a sea of troubles, And by opposing end them.",
  step: 60,
  layer: 1,
};

/** @type {{name: string, title: string, about: string, link: Partial<Link>}[]} */
const VIEWS = [
  {
    name: "states",
    title: "All states",
    about: "Six quantities of every layer and direction on one axis; the chosen row stands tall.",
    link: TAGGER,
  },
  {
    name: "row",
    title: "One row, sorted",
    about: "The units by cluster, each with a colour scale of its own.",
    link: { ...TAGGER, rows: "one", sort: "cluster", scale: "row" },
  },
  {
    name: "brush",
    title: "Selected units",
    about: "A selection is marked in every view.",
    link: { ...TAGGER, rows: "one", brush: "1.forward:3-7,12,40-44" },
  },
  {
    name: "long",
    title: "A longer text, whole",
    about: "Characters narrower than their names, and the part that is on the screen below.",
    link: { ...SHAKESPEARE, span: 199 },
  },
  {
    name: "zoomed",
    title: "The same, near",
    about: "The map above shows where in the text this is.",
    link: { ...SHAKESPEARE, rows: "one", from: 50, span: 24 },
  },
  {
    name: "unit",
    title: "One unit",
    about: "The sentence coloured by its value, its six quantities, their distribution.",
    link: { ...TAGGER, tab: "unit" },
  },
  {
    name: "network",
    title: "The network",
    about: "What is being computed is lit, and so is what it reads.",
    link: { ...TAGGER, tab: "network" },
  },
  {
    name: "processing",
    title: "In processing order",
    about: "Layer 0 is done; layer 1 runs, forward from the left and backward from the right.",
    link: { ...TAGGER, tab: "network", order: "processing", step: 15 },
  },
  {
    name: "cell",
    title: "The cell",
    about: "Live vectors on its wires, and what pushes a gate.",
    link: { ...TAGGER, tab: "cell", gate: "f" },
  },
  {
    name: "compare",
    title: "Two directions",
    about: "Layer 1 forward against layer 1 backward, and what h_n holds of each.",
    link: { ...TAGGER, tab: "compare" },
  },
  {
    name: "sentences",
    title: "One word changed",
    about: "Where two sentences part, and what becomes of the predictions.",
    link: {
      ...TAGGER,
      tab: "compare",
      pinModel: "tagger-en",
      pinText: "The sun is shiny but the beach is very windy today.",
    },
  },
  {
    name: "checkpoints",
    title: "Before and after training",
    about: "The same sentence through an early checkpoint.",
    link: { ...TAGGER, tab: "compare", pinModel: "tagger-en@157" },
  },
  {
    name: "paths",
    title: "Paths",
    about: "All timesteps as points: how the state moves through a sentence.",
    link: { ...TAGGER, tab: "paths" },
  },
  {
    name: "predictions",
    title: "Predictions",
    about: "What a language model expected at every character, and how surprised it was.",
    link: { ...SHAKESPEARE, tab: "predictions" },
  },
  {
    name: "write",
    title: "Write on",
    about: "A language model continues the text, its states recorded as they are made.",
    link: { ...SHAKESPEARE, tab: "write" },
  },
  {
    name: "shapes",
    title: "Shapes",
    about: "What output, h_n and c_n hold for this very sentence.",
    link: { ...TAGGER, tab: "shapes" },
  },
  {
    name: "verdict",
    title: "A verdict that turns",
    about: "A classifier after every word.",
    link: {
      model: "sentiment",
      text: "Great fun until the ending ruins it.",
      step: 5,
      layer: 0,
      unit: 3,
    },
  },
];

/** Views that say all themselves leave the network above them away. */
const ALONE = [
  "states",
  "row",
  "brush",
  "unit",
  "network",
  "processing",
  "cell",
  "shapes",
  "compare",
  "sentences",
  "checkpoints",
  "paths",
  "predictions",
  "write",
];

/** @param {Partial<Link>} link */
const address = (link) => `./${toFragment({ ...DEFAULTS, ...link })}`;

byId("views").append(
  ...VIEWS.map(({ name, title, about, link }) =>
    element(
      "figure",
      { id: name },
      element("iframe", {
        src: address({ ...link, embed: "on", hide: ALONE.includes(name) ? "network" : "" }),
        title,
        loading: "lazy",
      }),
      element(
        "figcaption",
        {},
        element("h2", {}, title),
        element("p", {}, about, " ", element("a", { href: address(link) }, `Open “${title}”`)),
      ),
    ),
  ),
);
