// Files for the person at the page.

import { element } from "../dom.js";

/** How long a browser may take to begin with a file. */
const MINUTE = 60_000;

/** @param {Blob} blob @param {string} name */
export function download(blob, name) {
  const href = URL.createObjectURL(blob);
  element("a", { href, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(href), MINUTE);
}
