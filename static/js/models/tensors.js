// What is in a checkpoint: its tensors as a tree by the dots of their names, and what each is for.

/** @import {Checkpoint, Proposal} from '../types.js' */

import { element } from "../dom.js";
import { label } from "../label.js";

/** So many lines of one branch are shown; nobody reads more. */
const MOST = 200;

/** @typedef {Checkpoint["tensors"][number]} Tensor */

/**
 * @typedef {object} Branch
 * @property {Map<string, Branch>} below
 * @property {Tensor | null} tensor
 * @property {number} count
 */

/** @returns {Branch} */
const branch = () => ({ below: new Map(), tensor: null, count: 0 });

/** @param {Tensor[]} tensors */
export function treeOf(tensors) {
  const root = branch();
  for (const tensor of tensors) {
    let at = root;
    at.count++;
    for (const part of tensor.name.split(".")) {
      const next = at.below.get(part) ?? branch();
      at.below.set(part, next);
      next.count++;
      at = next;
    }
    at.tensor = tensor;
  }
  return root;
}

/**
 * What each tensor is for.
 * @param {Proposal} proposal
 * @returns {(name: string) => "LSTM" | "embedding" | "head" | "not used"}
 */
export function rolesOf({ fields, unused }) {
  const left = new Set(unused);
  const value = (/** @type {string} */ of) => fields.find(({ name }) => name === of)?.value ?? "";
  const embedding = value("embedding");
  const heads = value("head").split(" + ");
  const modules = heads.map((name) => name.replace(/[^.]*$/, "")).filter(Boolean);
  return (name) => {
    if (left.has(name)) return "not used";
    if (name === embedding) return "embedding";
    const head = heads.includes(name) || modules.some((module) => name.startsWith(module));
    return head ? "head" : "LSTM";
  };
}

/** @param {Tensor[]} tensors @param {Proposal} proposal */
export function showTensors(tensors, proposal) {
  const role = rolesOf(proposal);

  /** @param {string} name @param {Branch} at @returns {Node[]} */
  function lines(name, at) {
    // A part that leads to one place only is no branch.
    while (!at.tensor && at.below.size === 1) {
      const [[part, next]] = at.below;
      name += `.${part}`;
      at = next;
    }
    const nodes = [];
    if (at.tensor) {
      const { shape, dtype } = at.tensor;
      const is = role(at.tensor.name);
      nodes.push(
        element(
          "li",
          {},
          element("bdi", { title: at.tensor.name }, label(name)),
          element("code", { title: dtype }, shape.join(" × ") || "1 number"),
          element("span", { class: `role ${is.replace(" ", "-")}` }, is),
        ),
      );
    }
    if (at.below.size) {
      const rest = element("small", {}, ` ${at.count.toLocaleString("en")}`);
      const summary = element("summary", {}, element("bdi", {}, label(name)), rest);
      const details = element("details", {}, summary);
      // Thousands of lines that nobody unfolds are not made.
      details.addEventListener("toggle", () => details.append(list(at)), { once: true });
      details.open = at.count <= 12;
      nodes.push(element("li", { class: "branch" }, details));
    }
    return nodes;
  }

  /** @param {Branch} at */
  function list(at) {
    const parts = [...at.below];
    const more = parts.length - MOST;
    return element(
      "ul",
      { class: "tensors" },
      ...parts.slice(0, MOST).flatMap(([part, next]) => lines(part, next)),
      ...(more > 0 ? [element("li", {}, `and ${more.toLocaleString("en")} more`)] : []),
    );
  }

  return list(treeOf(tensors));
}
