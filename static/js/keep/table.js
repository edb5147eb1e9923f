// The numbers behind a picture as a table, for reading, and for those who do not see pictures.

/** @import {Page} from '../page.js' */

import { fileName } from "./caption.js";
import { button, element, loadStyles } from "../dom.js";
import { download } from "./download.js";
import { toCsv } from "./exports.js";
import { fixed, plural } from "../format.js";
import { selectedTimestep } from "../state.js";

/** Rows on the screen; the rest is in the CSV. */
const MOST = 200;

/** @param {Page} page */
export function createTable({ state, figures }) {
  const heading = element("h2", { id: "table-title" });
  const note = element("p", { class: "note" });
  const scroll = element("div", { class: "table-scroll", tabindex: 0, role: "group" });
  scroll.setAttribute("aria-labelledby", "table-title");
  const save = button("Save all rows as CSV", saveRows);
  const dialog = element("dialog", { id: "table-view", "aria-labelledby": "table-title" });
  dialog.append(
    button("×", () => dialog.close(), { class: "close", "aria-label": "Close" }),
    heading,
    note,
    scroll,
    element("p", { class: "keep-actions" }, save),
  );
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  // The table's own key closes it, too: while a dialog is open, the page's keys rest.
  dialog.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() !== "t" || event.ctrlKey || event.metaKey) return;
    event.preventDefault(); // or the page would open it again
    dialog.close();
  });
  document.body.append(dialog);

  function saveRows() {
    const recording = state.recording.get();
    const table = figures.get(state.tab.get())?.table();
    if (!table || !recording) return;
    const text = "\ufeff" + toCsv(table.columns, table.rows);
    download(new Blob([text], { type: "text/csv" }), `${fileName(state, recording)}-table.csv`);
  }

  function fill() {
    const recording = state.recording.get();
    const figure = figures.get(state.tab.get());
    save.disabled = !figure;
    if (!figure || !recording) {
      heading.textContent = "No table";
      note.textContent = "This view has no numbers of its own. The other tabs have.";
      scroll.replaceChildren();
      return;
    }
    const { caption, columns, rows } = figure.table();
    const now = currentRow(columns, rows, selectedTimestep(state, recording));
    const first = Math.max(0, Math.min((now ?? 0) - MOST / 2, rows.length - MOST));
    const shown = rows.slice(first, first + MOST);
    heading.textContent = caption;
    note.textContent =
      rows.length > shown.length
        ? `Rows ${first + 1} to ${first + shown.length} of ${rows.length.toLocaleString("en")}, around the current one.`
        : `${plural(rows.length, "row")}.`;
    scroll.replaceChildren(tableOf(caption, columns, shown, now === null ? -1 : now - first));
  }

  return {
    open() {
      fill();
      dialog.showModal();
      scroll.querySelector('[aria-current="true"]')?.scrollIntoView({ block: "center" });
    },
  };
}

/**
 * The row of a timestep, in tables that have one for each.
 * @param {string[]} columns
 * @param {(string | number)[][]} rows
 * @param {number} timestep
 */
function currentRow(columns, rows, timestep) {
  const column = columns.findIndex((name) => /^(timestep|t)$/i.test(name));
  if (column < 0) return null;
  const found = rows.findIndex((row) => Number(row[column]) === timestep);
  return found < 0 ? null : found;
}

/**
 * @param {string} caption
 * @param {string[]} columns
 * @param {(string | number)[][]} rows
 * @param {number} current
 */
function tableOf(caption, columns, rows, current) {
  const numeric = (/** @type {number} */ column) => typeof rows[0]?.[column] === "number";
  const head = columns.map((name, n) =>
    element("th", { scope: "col", class: numeric(n) && "number" }, element("bdi", {}, name)),
  );
  const lines = rows.map((row, n) =>
    element(
      "tr",
      { "aria-current": n === current && "true" },
      ...row.map((value, column) =>
        element(
          column === 0 ? "th" : "td",
          { scope: column === 0 && "row", class: typeof value === "number" && "number" },
          element("bdi", {}, shown(value)),
        ),
      ),
    ),
  );
  return element(
    "table",
    {},
    element("caption", { class: "hidden" }, caption),
    element("thead", {}, element("tr", {}, ...head)),
    element("tbody", {}, ...lines),
  );
}

/** @param {string | number} value */
const shown = (value) =>
  typeof value === "string" ? value : Number.isInteger(value) ? String(value) : fixed(value, 4);

/** @type {ReturnType<typeof createTable> | null} */
let table = null;

/** The present view as a table. @param {Page} page */
export async function showTable(page) {
  // A link may take Keep away, and all that comes with it.
  if (document.documentElement.classList.contains("hide-keep")) return;
  await Promise.all([loadStyles("css/keep.css"), page.loadFigures()]);
  (table ??= createTable(page)).open();
}
