import assert from "node:assert/strict";
import { test } from "node:test";

import { exportOf, fileBytes, measure, sliceOf, toCsv } from "../../static/js/keep/exports.js";
import { Recording } from "../../static/js/recording.js";
import { asApi, describe, fill } from "./worlds.js";

/** @param {Parameters<typeof describe>[0]} sizes */
function recordingOf(sizes) {
  const about = describe(sizes);
  about.arrays = [...fill(about)].map(([name, { shape }]) => ({
    name,
    shape,
    dtype: "F32",
    low: null,
    high: null,
    finite: true,
  }));
  return new Recording(about, asApi({}), () => {});
}

const CELL = /** @type {const} */ ({ layer: 1, direction: "forward" });

/** @param {import('../../static/js/keep/exports.js').Slice} slice */
const figure = (slice) =>
  /** @type {import('../../static/js/types.js').Figure} */ ({ slice: () => slice });

test("a cell is its six quantities from beginning to end, and everything is every row there is", () => {
  const recording = recordingOf({ timesteps: 7, layers: 2 });
  const cell = sliceOf(recording, CELL, undefined, "cell");
  assert.deepEqual(cell, {
    names: ["i", "f", "g", "o", "c", "h"].map((q) => `1.forward.${q}`),
    start: 0,
    stop: 7,
    units: null,
  });
  const all = sliceOf(recording, CELL, undefined, "all");
  assert.equal(all.names.length, 1 + 4 * 6);
  assert.ok(!all.names.some((name) => name.endsWith("_0")));
});

test("what a view shows is its own slice, without arrays that have no timesteps", () => {
  const recording = recordingOf({});
  const view = figure({
    names: ["1.forward.c", "1.forward.c_0", "gone"],
    start: 1,
    stop: 3,
    units: [2],
  });
  assert.deepEqual(sliceOf(recording, CELL, view, "view"), {
    names: ["1.forward.c"],
    start: 1,
    stop: 3,
    units: [2],
  });
});

test("numbers are counted as they will be written, projections and missing units included", () => {
  const recording = recordingOf({ timesteps: 10, units: 6, proj: 2 });
  const cell = sliceOf(recording, CELL, undefined, "cell");
  assert.deepEqual(measure(recording, cell), {
    numbers: 10 * (5 * 6 + 2),
    arrays: 6,
    columns: 5 * 6 + 2,
    rows: 10,
    words: "6 arrays × 10 timesteps × 2 to 6 units",
  });
  const some = measure(recording, { ...cell, start: 4, stop: 5, units: [0, 1, 5] });
  assert.equal(some.numbers, 5 * 3 + 2);
  assert.equal(some.words, "6 arrays × 1 timestep × 2 to 3 units");
});

test("an estimate is near what a file really takes", () => {
  const recording = recordingOf({ timesteps: 400, units: 32 });
  const of = measure(recording, sliceOf(recording, CELL, undefined, "cell"));
  const near = (
    /** @type {number} */ size,
    /** @type {import('../../static/js/keep/exports.js').Format} */ format,
  ) => {
    const estimate = fileBytes(recording, of, format);
    assert.ok(Math.abs(size / estimate - 1) < 0.25, `${format}: ${size} of ${estimate}`);
  };
  near(of.numbers * 4, "safetensors");
  // float32 as the shortest text that comes back, as the server writes it.
  const values = Array.from({ length: of.numbers }, (_, n) => Math.fround(Math.sin(n * 0.7)));
  near(values.map((value) => Number(value.toPrecision(9)).toString()).join(",").length, "csv");
});

test("units are asked for as ranges, and all of them by not asking", () => {
  const slice = { names: ["x"], start: 0, stop: 4, units: [3, 4, 5, 12] };
  assert.deepEqual(exportOf(slice, "npz"), {
    format: "npz",
    name: ["x"],
    start: 0,
    stop: 4,
    units: "3-5,12",
  });
  assert.ok(!("units" in exportOf({ ...slice, units: null }, "csv")));
});

test("a table's CSV keeps every text, and none of it is a formula", () => {
  const rows = [
    ["a,b", -1.5],
    ['say "x"', NaN],
    ["=1+1", 1e-12],
    [" @x", 0.1],
    ["two\nlines", 3],
    ["'", -0],
  ];
  assert.equal(
    toCsv(["token", "h"], rows),
    [
      "token,h",
      '"a,b",-1.5',
      '"say ""x""",NaN',
      "'=1+1,1e-12",
      "' @x,0.1",
      '"two\nlines",3',
      "'',0",
      "",
    ].join("\r\n"),
  );
});
