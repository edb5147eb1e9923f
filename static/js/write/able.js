// Whether a model can write on, and if not, why, in words.

/** @import {Model} from '../types.js' */

/**
 * Why a model cannot write on; "" where it can.
 * @param {Pick<Model, "task" | "split" | "lstm"> | undefined} model
 */
export function obstacle(model) {
  if (!model) return "There is no model here.";
  if (model.split === "table")
    return "This model reads rows of numbers; only a language model, which reads and writes text, can write on.";
  if (model.task !== "next_token") return `${SAYS[model.task ?? ""]}, not which token comes next.`;
  const backward = model.lstm.layers.findIndex(({ directions }) => directions.includes("backward"));
  if (backward >= 0)
    return `Layer ${backward} reads backward: it begins at the end of a text, so there is nothing it can say before the text is whole.`;
  return "";
}

/** @type {Record<string, string>} */
const SAYS = {
  "": "This model has no head: it says nothing",
  tag: "This model says a tag for each token",
  classify: "This model says a class for the whole text",
  value: "This model says numbers",
};
