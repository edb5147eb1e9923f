// Files come in by a button or are dropped anywhere. Which file is what, and where it goes.

/** @import {Actions} from '../actions.js' */
/** @import {Api} from '../api.js' */
/** @import {State} from '../state.js' */
/** @import {createOpening} from './opening.js' */

import { noAnswer } from "../api.js";
import { byId } from "../dom.js";
import { label } from "../label.js";
import { readsTable, selectedModel } from "../state.js";

const TABLE = /\.(csv|tsv|npy)$/i;
const STRINGS = /\.(txt|json|vocab|conllu)$/i;
const WEIGHTS = /\.(pth?|bin|ckpt|safetensors|h5|hdf5|keras|onnx|npz|tar|pkl|pickle|zip)$/i;

/** @typedef {"weights" | "vocabulary" | "sentences" | "table"} Kind */

/**
 * What each of some files is that came together.
 * @param {string[]} names
 * @param {{opening?: boolean, otherwise?: "weights" | "sentences"}} [when]  whether a checkpoint is being opened; what a name says nothing of
 * @returns {Kind[]}
 */
export function sortFiles(names, { opening = false, otherwise = "weights" } = {}) {
  const weights = opening || names.some((name) => WEIGHTS.test(name));
  return names.map((name) => {
    if (STRINGS.test(name) || (opening && TABLE.test(name))) {
      return weights
        ? "vocabulary"
        : otherwise === "sentences" || /txt$/i.test(name)
          ? "sentences"
          : "vocabulary";
    }
    return TABLE.test(name) ? "table" : WEIGHTS.test(name) ? "weights" : otherwise;
  });
}

/**
 * @param {State} state
 * @param {Api} api
 * @param {Actions} actions
 */
export function createFiles(state, api, actions) {
  /** @type {ReturnType<typeof createOpening> | null} */
  let panel = null;

  /** The panel and the form are loaded when they are first needed. */
  async function opening() {
    const { createOpening } = await import("./opening.js");
    return (panel ??= createOpening(state, api, actions));
  }

  /** @param {string} title @param {string} message */
  const say = (title, message) =>
    state.status.set({
      kind: "problem",
      title,
      message,
      action: { label: "A fresh network…", run: fresh },
    });

  /** @param {File[]} files @param {"weights" | "sentences"} [otherwise] */
  async function take(files, otherwise) {
    const names = files.map(({ name }) => name);
    const kinds = sortFiles(names, { opening: panel?.isOpen(), otherwise });
    const of = (/** @type {Kind} */ kind) => files.filter((_, n) => kinds[n] === kind);
    const [[table], [sentences]] = [of("table"), of("sentences")];
    try {
      if (panel?.isOpen() || of("weights").length) {
        const shown = await opening().catch(() => Promise.reject(noAnswer()));
        await shown.take(of("weights"), of("vocabulary"));
      } else if (table) await readTable(table);
      else if (sentences) {
        if (await actions.readFile(sentences)) {
          byId("sentences").hidePopover(); // it is filled when it opens
          byId("sentences").showPopover();
        }
      } else if (files.length) {
        state.status.set({
          kind: "problem",
          title: "This may be a vocabulary",
          message: `${label(names[0])} holds no weights. Drop it together with the weights it belongs to, or bring it when they are open.`,
        });
      }
    } catch (error) {
      actions.report(error);
    }
  }

  /** @param {File} file */
  async function readTable(file) {
    const model = selectedModel(state);
    if (!readsTable(model)) {
      say(
        "This model reads text",
        `${label(file.name)} is a table of numbers. Choose a model that reads numbers, or make one.`,
      );
      return;
    }
    const { text } = await api.table(file);
    await actions.recordText(text);
  }

  async function fresh() {
    try {
      const { openFresh } = await import("./fresh.js").catch(() => Promise.reject(noAnswer()));
      openFresh(state, api, actions);
    } catch (error) {
      actions.report(error);
    }
  }

  /** Ask for files with the browser's own dialog. @param {string} id @param {"weights" | "sentences"} otherwise */
  function listen(id, otherwise) {
    const input = /** @type {HTMLInputElement} */ (byId(id));
    input.addEventListener("change", () => {
      take([...(input.files ?? [])], otherwise);
      input.value = ""; // the same file again is another change
    });
    return input;
  }
  listen("file", "sentences");
  const weights = listen("weights", "weights");

  document.addEventListener("dragover", (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    document.body.classList.add("dropping");
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) document.body.classList.remove("dropping");
  });
  document.addEventListener("drop", (event) => {
    document.body.classList.remove("dropping");
    if (!event.dataTransfer?.files.length) return;
    event.preventDefault();
    take([...event.dataTransfer.files]);
  });

  return { take, fresh, choose: () => weights.click() };
}

/** @typedef {ReturnType<typeof createFiles>} Files */
