// The list of models: to choose one, to open or make another, to rename and remove one's own.

/** @import {Actions} from '../actions.js' */
/** @import {Api} from '../api.js' */
/** @import {Files} from './files.js' */
/** @import {Model} from '../types.js' */
/** @import {State} from '../state.js' */

import { button, byId, element } from "../dom.js";
import { label } from "../label.js";
import { stackName } from "../names.js";
import { modelOf } from "../state.js";

const GROUPS = /** @type {const} */ ([
  ["In the box", ["box"]],
  ["In this server's folders", ["folder"]],
  ["Yours", ["opened", "fresh"]],
]);

/**
 * @param {State} state
 * @param {Api} api
 * @param {Actions} actions
 * @param {Files} files
 */
export function createModels(state, api, actions, files) {
  const popover = byId("models");
  const text = /** @type {HTMLTextAreaElement} */ (byId("text"));

  /** Choose, and leave the list. @param {() => unknown} run */
  const leave = (run) => () => {
    popover.hidePopover();
    run();
  };

  /** @param {Model} model */
  function row(model) {
    const { id, title, lstm, source } = model;
    const current = id === state.model.get();
    const pick = button(
      [element("bdi", {}, label(title)), element("small", {}, stackName(lstm))],
      leave(() => current || actions.chooseModel(id, text.value)),
      { class: "pick", "data-id": id, "aria-current": current && "true", title },
    );
    const line = element("div", { class: "model-row" }, pick);
    if (source === "opened" || source === "fresh") {
      line.append(
        button("✎", () => rename(line, model), {
          "aria-label": `Rename ${label(title)}`,
          title: "Rename",
        }),
        button("×", () => remove(line, model), {
          "aria-label": `Remove ${label(title)}`,
          title: "Remove",
        }),
      );
    }
    return line;
  }

  /** @param {HTMLElement} line @param {Model} model */
  function rename(line, model) {
    const input = element("input", {
      "aria-label": "Name",
      value: model.title,
      maxlength: 200,
      required: true,
    });
    const form = element("form", {}, input, element("button", { class: "primary" }, "Rename"));
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      await change(model, async () => {
        const renamed = await api.rename(model.id, input.value.trim());
        return state.models.get().map((other) => (other.id === model.id ? renamed : other));
      });
    });
    input.addEventListener("keydown", (event) => {
      if (event.key === "Escape") fill(model.id);
      else return;
      event.preventDefault();
    });
    line.replaceChildren(form);
    input.select();
  }

  /** @param {HTMLElement} line @param {Model} model */
  function remove(line, model) {
    const keep = button("Keep", () => fill(model.id));
    line.replaceChildren(
      element("span", {}, "Remove ", element("bdi", {}, label(model.title)), "?"),
      button(
        "Remove",
        () =>
          change(model, async () => {
            await api.remove(model.id);
            return state.models.get().filter(({ id }) => id !== model.id);
          }),
        { class: "danger" },
      ),
      keep,
    );
    keep.focus();
  }

  /** @param {Model} model @param {() => Promise<Model[]>} run */
  async function change({ id }, run) {
    try {
      const models = await run();
      state.models.set(models);
      if (popover.matches(":popover-open")) fill(id);
      if (id === state.model.get() && !models.some((model) => model.id === id)) {
        actions.chooseModel(models[0]?.id ?? "");
      }
    } catch (error) {
      popover.hidePopover();
      actions.report(error);
    }
  }

  /** Below its button, wherever the header has that. */
  function place() {
    const { left, bottom } = byId("model").getBoundingClientRect();
    popover.style.left = `${Math.max(12, Math.min(left, innerWidth - popover.offsetWidth - 12))}px`;
    popover.style.top = `${bottom + 6}px`;
  }

  /** @param {string} [focus]  the model to stand on; without it, the chosen one */
  function fill(focus = modelOf(state, state.model.get())?.checkpoint_of ?? state.model.get()) {
    // Checkpoints of a training are gone through where they are compared.
    const models = state.models.get().filter((model) => !model.checkpoint_of);
    popover.replaceChildren(
      ...GROUPS.flatMap(([title, sources]) => {
        const rows = models.filter(({ source }) =>
          /** @type {readonly string[]} */ (sources).includes(source),
        );
        return rows.length ? [element("h3", {}, title), ...rows.map(row)] : [];
      }),
      element("hr"),
      button("Open a checkpoint…", leave(files.choose), { class: "pick" }),
      button("A fresh network…", leave(files.fresh), { class: "pick" }),
    );
    const picks = choices();
    (picks.find(({ dataset }) => dataset.id === focus) ?? picks[0]).focus();
  }

  const choices = () => /** @type {HTMLElement[]} */ ([...popover.querySelectorAll(".pick")]);

  popover.addEventListener("keydown", (event) => {
    const { key, target } = event;
    if (!(target instanceof HTMLButtonElement) || event.ctrlKey || event.metaKey || event.altKey)
      return;
    const picks = choices();
    const at = picks.findIndex(
      (pick) =>
        pick.parentElement?.contains(target) && (pick === target || pick.parentElement !== popover),
    );
    const goals = /** @type {Record<string, number>} */ ({
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      Home: 0,
      End: picks.length - 1,
    });
    let goal = goals[key];
    if (key.length === 1 && key !== " ") {
      const order = picks.map((_, n) => (at + 1 + n) % picks.length);
      goal =
        order.find((n) => picks[n].textContent?.toLowerCase().startsWith(key.toLowerCase())) ?? at;
    }
    if (goal === undefined) return;
    event.preventDefault();
    picks[(goal + picks.length) % picks.length].focus();
  });

  return () => {
    fill();
    place();
  };
}
