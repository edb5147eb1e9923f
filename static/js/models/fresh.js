// A fresh network: nn.LSTM's options, and the line of Python they stand for.

/** @import {Actions} from '../actions.js' */
/** @import {Api} from '../api.js' */
/** @import {Module} from '../types.js' */
/** @import {State} from '../state.js' */

import { button, element } from "../dom.js";
import { plural } from "../format.js";
import { impossible, moduleLine, parameterCount } from "../pytorch.js";
import { adopt, createDialog } from "../views/dialogs.js";

/** Name, what it starts as, what it is. @type {[string, number | boolean, string][]} */
const OPTIONS = [
  ["input_size", 16, "numbers in x"],
  ["hidden_size", 32, "units of a cell"],
  ["num_layers", 2, "one on the other"],
  ["proj_size", 0, "narrower h; 0: none"],
  ["bidirectional", false, "from both ends"],
  ["bias", true, "b_ih and b_hh"],
  ["seed", 0, "of the random weights"],
];

/** @type {((event?: Event) => void) | null} */
let show = null;

/**
 * @param {State} state
 * @param {Api} api
 * @param {Actions} actions
 */
export function openFresh(state, api, actions) {
  (show ??= create(state, api, actions))();
}

/** @param {State} state @param {Api} api @param {Actions} actions */
function create(state, api, actions) {
  const { dialog, form } = createDialog("fresh", "A fresh network");
  const inputs = Object.fromEntries(
    OPTIONS.map(([name, value]) => [
      name,
      typeof value === "boolean"
        ? element("input", { type: "checkbox", name, checked: value })
        : element("input", { type: "number", name, min: 0, step: 1, value, inputmode: "numeric" }),
    ]),
  );
  const reads = ["words", "numbers"].map((value) =>
    element("input", { type: "radio", name: "reads", value, checked: value === "words" }),
  );
  const line = element("pre");
  const count = element("span", { class: "note", role: "status" });
  const problem = element("p", { class: "problem", role: "alert" });
  const submit = element("button", { class: "primary", type: "submit" }, "Make it");

  const given = () => {
    const entries = Object.entries(inputs).map(([name, input]) => [
      name,
      input.type === "checkbox" ? input.checked : input.value === "" ? NaN : Number(input.value),
    ]);
    return /** @type {Module & {seed: number}} */ ({
      kind: "LSTM",
      ...Object.fromEntries(entries),
    });
  };
  const update = () => {
    const sizes = given();
    const wrong = impossible(sizes);
    problem.textContent = wrong ?? "";
    submit.disabled = wrong !== null;
    line.textContent = `torch.manual_seed(${sizes.seed})\n${moduleLine(sizes)}`;
    count.textContent = wrong ? "" : plural(parameterCount(sizes), "parameter");
  };
  form.append(
    element(
      "p",
      {},
      "nn.LSTM as it is before it has learned anything: for looking at shapes, and at how a network begins.",
    ),
    element(
      "div",
      { class: "options" },
      ...OPTIONS.map(([name, , what]) =>
        element("label", {}, element("code", {}, name), inputs[name], element("small", {}, what)),
      ),
    ),
    element(
      "fieldset",
      {},
      element("legend", {}, "What does it read?"),
      element(
        "div",
        { class: "cards" },
        element(
          "label",
          {},
          reads[0],
          element("b", {}, "words"),
          element("small", {}, "each word is a random vector"),
        ),
        element(
          "label",
          {},
          reads[1],
          element("b", {}, "numbers"),
          element("small", {}, "rows of a table, input_size in each"),
        ),
      ),
    ),
    element("div", { class: "code" }, line, count),
    problem,
    element(
      "footer",
      {},
      button("Cancel", () => dialog.close()),
      submit,
    ),
  );
  form.addEventListener("input", update);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const { kind, ...sizes } = given();
    submit.disabled = true;
    try {
      const model = await api.fresh({
        ...sizes,
        reads: reads[0].checked ? "words" : "numbers",
        title: `Fresh ${moduleLine({ kind, ...sizes }).replace("nn.", "")}`,
      });
      dialog.close();
      adopt(model, state, actions);
    } catch (error) {
      problem.textContent = error instanceof Error ? error.message : String(error);
    } finally {
      submit.disabled = false;
    }
  });
  return () => {
    update();
    dialog.showModal();
    inputs.input_size.select();
  };
}
