// What a link takes away from the page, before anything of it is seen: index.html runs this first.

import { cleanEmbed, hiddenParts } from "./parts.js";

const SHEET = "css/embed.css";

/**
 * Say in classes of the document what css/embed.css hides.
 * @param {string} hide  names of parts
 * @param {string} embed
 */
export function dress(hide, embed) {
  const root = document.documentElement;
  const words = embed ? ["embed", ...embed.split(",").map((word) => `embed-${word}`)] : [];
  const wanted = [...hiddenParts(hide).map((part) => `hide-${part}`), ...words];
  const old = [...root.classList].filter((name) => /^(hide-|embed)/.test(name));
  if (old.join() === wanted.join()) return;
  root.classList.remove(...old);
  root.classList.add(...wanted);
  if (!document.querySelector(`link[href="${SHEET}"]`)) {
    const link = document.createElement("link");
    link.rel = "stylesheet";
    link.href = SHEET;
    link.setAttribute("blocking", "render");
    document.head.append(link);
  }
}

const parameters = new URLSearchParams(location.hash.slice(1));
const embed = parameters.get("embed");
dress(parameters.get("hide") ?? "", embed === null ? "" : cleanEmbed(embed));
