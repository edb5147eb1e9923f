import assert from "node:assert/strict";
import { test } from "node:test";

import { Recording } from "../../static/js/recording.js";
import { shapeRows } from "../../static/js/views/shapes.js";
import { asApi, describe } from "./worlds.js";

/** @import {Sizes} from './worlds.js' */

/**
 * The shapes nn.LSTM documents, found by running sizes through it instead of by formula.
 * @param {Required<Pick<Sizes, "timesteps" | "input" | "units" | "layers" | "bidirectional" | "proj" | "bias">>} sizes
 */
function shapesOf({ timesteps, input, units, layers, bidirectional, proj, bias }) {
  /** @type {Record<string, number[]>} */
  const shapes = { x: [timesteps, input] };
  const gates = ["i", "f", "g", "o"].flatMap((gate) =>
    Array.from({ length: units }, (_, n) => `${gate}${n}`),
  );
  const said = Array.from({ length: proj > 0 ? proj : units }, (_, n) => `h${n}`);
  let reads = Array.from({ length: input }, (_, n) => `x${n}`);
  let cells = 0;
  for (let layer = 0; layer < layers; layer++) {
    shapes[`weight_ih_l${layer}`] = [gates.length, reads.length];
    shapes[`weight_hh_l${layer}`] = [gates.length, said.length];
    if (bias) shapes[`bias_ih_l${layer}, bias_hh_l${layer}`] = [gates.length];
    if (proj > 0) shapes[`weight_hr_l${layer}`] = [said.length, units];
    reads = bidirectional ? [...said, ...said] : said;
    cells += bidirectional ? 2 : 1;
  }
  shapes.output = [timesteps, reads.length];
  shapes.h_n = [cells, said.length];
  shapes.c_n = [cells, units];
  return shapes;
}

test("the table names everything nn.LSTM takes, returns and holds, with its shape", () => {
  for (const bidirectional of [false, true]) {
    for (const bias of [false, true]) {
      for (const proj of [0, 3]) {
        for (const layers of [1, 2, 4]) {
          const sizes = { timesteps: 7, input: 5, units: 6, layers, bidirectional, proj, bias };
          const rows = shapeRows(new Recording(describe(sizes), asApi({}), () => {}));
          const shown = new Map(rows.map(([name, shape]) => [name, shape]));
          assert.equal(shown.size, rows.length, "no name twice");
          assert.equal(
            shown.delete("…_reverse"),
            bidirectional,
            "the backward direction has weights of its own",
          );
          const expected = Object.entries(shapesOf(sizes)).map(([name, axes]) => [
            name,
            `(${axes.join(", ")})`,
          ]);
          assert.deepEqual(Object.fromEntries(shown), Object.fromEntries(expected));
          assert.ok(
            rows.every(([, , what]) => what.length > 10),
            "every row says what it is",
          );
        }
      }
    }
  }
});
