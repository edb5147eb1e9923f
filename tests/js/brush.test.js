import assert from "node:assert/strict";
import { test } from "node:test";

import {
  LONGEST_NAME,
  MOST_SETS,
  brushOf,
  brushedUnits,
  cleanBrush,
  cleanName,
  cleanSets,
  difference,
  formatBrush,
  formatRanges,
  formatSets,
  freeName,
  inverted,
  neighbour,
  parseBrush,
  parseSets,
  range,
  rangesOf,
  readUnits,
  setsOf,
  toggled,
  union,
  unitsOf,
  withUnits,
} from "../../static/js/brush/brush.js";
import { Recording } from "../../static/js/recording.js";
import { createState } from "../../static/js/state.js";
import { forAll } from "./random.js";
import { anyStack, asApi, describe } from "./worlds.js";

/** @import {Random} from './random.js' */
/** @import {Direction} from '../../static/js/types.js' */

const DIRECTIONS = /** @type {Direction[]} */ (["forward", "backward"]);
const NAMES = [
  "set 1",
  "a/b~c%d",
  "%7E",
  "ـ شمس",
  "👩‍👩‍👧‍👦",
  "<b>bold</b>",
  "x;1.forward:3",
  "a&b=c#d+e",
];

/** Some units, at least one. @param {Random} random @param {number} width */
const anyUnits = (random, width) =>
  rangesOf(Array.from({ length: random.integer(1, 12) }, () => random.integer(0, width - 1)));

/** @param {Random} random */
function anyBrush(random) {
  const cells = [];
  for (let layer = 0; layer < 4; layer++) {
    for (const direction of DIRECTIONS) {
      if (random.flip()) cells.push({ layer, direction, units: unitsOf(anyUnits(random, 50)) });
    }
  }
  return cells;
}

test("a selection comes back from its text as it was", () => {
  forAll(2000, (random) => {
    const cells = anyBrush(random);
    const text = formatBrush(cells);
    assert.deepEqual(parseBrush(text), cells);
    assert.equal(cleanBrush(text), text);
  });
  assert.equal(
    formatBrush([
      { layer: 1, direction: "forward", units: [12, 5, 3, 4, 6, 7, 3] },
      { layer: 0, direction: "backward", units: [] },
    ]),
    "1.forward:3-7,12",
  );
  assert.equal(formatBrush([]), "");
});

test("ranges hold each unit once and in order, and are as few as can be", () => {
  forAll(1000, (random) => {
    const units = Array.from({ length: random.integer(0, 40) }, () => random.integer(0, 30));
    const ranges = rangesOf(units);
    assert.deepEqual(
      unitsOf(ranges),
      [...new Set(units)].sort((a, b) => a - b),
    );
    for (let n = 1; n < ranges.length; n++) assert.ok(ranges[n][0] > ranges[n - 1][1] + 1);
  });
  assert.equal(formatRanges(rangesOf([1, 2, 3, 9]), ", "), "1-3, 9");
});

test("what a broken link says of units is left out and never throws", () => {
  const pieces = [
    "1.forward:",
    "0.backward:",
    "3",
    "-",
    "7",
    ",",
    ";",
    "~",
    "/",
    "x",
    ".",
    ":",
    " ",
  ];
  forAll(5000, (random) => {
    const text = Array.from({ length: random.integer(0, 14) }, () =>
      random.flip() ? random.pick(pieces) : String.fromCharCode(random.integer(0, 0xffff)),
    ).join("");
    for (const { layer, direction, units } of parseBrush(text)) {
      assert.ok(Number.isInteger(layer) && DIRECTIONS.includes(direction) && units.length);
    }
    assert.equal(cleanBrush(cleanBrush(text)), cleanBrush(text));
    assert.equal(cleanSets(cleanSets(text)), cleanSets(text));
  });
  assert.equal(
    cleanBrush("1.forward:7-3,x,99999999,5.5,-1;2.up:3;forward:3;1.backward:"),
    "1.forward:3-7",
  );
  assert.equal(cleanBrush("1.forward:3;0.forward:1;1.forward:4"), "0.forward:1;1.forward:3-4");
});

test("a link that asks for billions of units does not make them", () => {
  const text = Array.from({ length: 5000 }, (_, n) => `${n}.forward:0-999999`).join(";");
  assert.ok(cleanBrush(text).length < text.length);
  const { layers } = describe({ layers: 2, units: 4 }).lstm;
  assert.deepEqual(
    parseBrush(text, layers).map(({ layer, units }) => [layer, units]),
    [
      [0, [0, 1, 2, 3]],
      [1, [0, 1, 2, 3]],
    ],
  );
});

test("of a recording only the rows and units it has are selected", () => {
  forAll(500, (random) => {
    const state = createState();
    const about = describe(anyStack(random));
    state.recording.set(new Recording(about, asApi({}), () => {}));
    const cells = anyBrush(random);
    state.brush.set(formatBrush(cells));
    about.lstm.layers.forEach(({ directions, hidden_size }, layer) => {
      for (const direction of directions) {
        const cell = cells.find((one) => one.layer === layer && one.direction === direction);
        const expected = (cell?.units ?? []).filter((unit) => unit < hidden_size);
        assert.deepEqual([...brushedUnits(state, { layer, direction })], expected);
      }
    });
    for (const { layer, direction } of brushOf(state)) {
      assert.ok(about.lstm.layers[layer].directions.includes(direction));
    }
    assert.equal(brushedUnits(state, { layer: 99, direction: "forward" }).size, 0);
  });
});

test("what is asked at every frame is made once, until the selection or the recording is another", () => {
  const state = createState();
  state.brush.set("0.forward:1-3");
  const cell = { layer: 0, direction: DIRECTIONS[0] };
  const first = brushedUnits(state, cell);
  assert.equal(brushedUnits(state, cell), first);
  state.recording.set(new Recording(describe({ units: 3 }), asApi({}), () => {}));
  assert.deepEqual([...brushedUnits(state, cell)], [1, 2]);
  state.brush.set("");
  assert.equal(brushedUnits(state, cell).size, 0);
  state.sets.set("a~0.forward:1");
  assert.equal(setsOf(state), setsOf(state));
});

test("other units in one row leave the other rows as they are", () => {
  forAll(500, (random) => {
    const cells = anyBrush(random);
    const cell = { layer: random.integer(0, 3), direction: random.pick(DIRECTIONS) };
    const units = random.flip() ? unitsOf(anyUnits(random, 50)) : [];
    const others = cells.filter(
      (one) => one.layer !== cell.layer || one.direction !== cell.direction,
    );
    assert.equal(
      withUnits(formatBrush(cells), cell, units),
      cleanBrush(formatBrush([...others, { ...cell, units }])),
    );
  });
});

test("named sets come back with their names, whatever is in these", () => {
  forAll(1000, (random) => {
    const names = new Set(Array.from({ length: random.integer(0, 6) }, () => random.pick(NAMES)));
    const sets = [...names].map((name) => ({
      name,
      text: formatBrush(anyBrush(random)) || "0.forward:1",
    }));
    const back = parseSets(formatSets(sets));
    assert.deepEqual(
      back.map(({ name, text }) => ({ name, text })),
      sets,
    );
    for (const { text, cells } of back) assert.deepEqual(cells, parseBrush(text));
  });
  assert.equal(formatSets([{ name: "odd one", text: "1.forward:3" }]), "odd one~1.forward:3");
});

test("of two sets with one name, of nameless and of empty ones only the sound first is kept", () => {
  assert.equal(
    cleanSets("a~0.forward:1/a~0.forward:2/~0.forward:3/b~/c~x~0.forward:1/d~0.forward:9-8/e"),
    "a~0.forward:1/d~0.forward:8-9",
  );
  const many = Array.from({ length: 99 }, (_, n) => `s${n}~0.forward:${n}`).join("/");
  assert.equal(parseSets(many).length, MOST_SETS);
});

test("a name is one line of a bounded length, without half characters", () => {
  assert.equal(cleanName("  a\n\tb  "), "a b");
  assert.equal([...cleanName("👩".repeat(100))].length, LONGEST_NAME);
  assert.ok(cleanName("\ud800x").isWellFormed());
  assert.equal(freeName([{ name: "set 1" }, { name: "set 3" }]), "set 2");
});

test("what people type is read with spaces, dashes and commas, and what is wrong is named", () => {
  /** @type {[string, number[], string | null][]} */
  const typed = [
    ["3-7, 12", [3, 4, 5, 6, 7, 12], null],
    ["12 3 – 5", [3, 4, 5, 12], null],
    [" 7-3 ", [3, 4, 5, 6, 7], null],
    ["", [], null],
    [",,", [], null],
    ["3, x", [3], "x"],
    ["18-25", [18, 19], "18-25"],
    ["20", [], "20"],
    ["-4", [], "-4"],
    ["1;2", [1, 2], null],
  ];
  for (const [text, units, wrong] of typed) {
    assert.deepEqual(readUnits(text, 20), { units, wrong }, text);
  }
});

test("union, difference, toggle and inversion are those of sets", () => {
  forAll(500, (random) => {
    const width = 20;
    const [a, b] = [0, 1].map(() => new Set(unitsOf(anyUnits(random, width))));
    const all = range(width - 1, 0);
    const kept = (/** @type {(unit: number) => boolean} */ test) => all.filter(test);
    const sorted = (/** @type {Iterable<number>} */ units) => [...units].sort((x, y) => x - y);
    assert.deepEqual(
      sorted(union(a, b)),
      kept((u) => a.has(u) || b.has(u)),
    );
    assert.deepEqual(
      sorted(difference(a, b)),
      kept((u) => a.has(u) && !b.has(u)),
    );
    assert.deepEqual(
      sorted(inverted(a, width)),
      kept((u) => !a.has(u)),
    );
    const inside = kept((u) => b.has(u)).every((u) => a.has(u));
    assert.deepEqual(
      sorted(toggled(a, [...b])),
      kept((u) => (inside ? a.has(u) && !b.has(u) : a.has(u) || b.has(u))),
    );
  });
});

test("through the selected units one goes one after the other and stops at the last", () => {
  forAll(500, (random) => {
    const units = unitsOf(anyUnits(random, 30));
    const unit = random.integer(-1, 31);
    const above = units.filter((other) => other > unit);
    const below = units.filter((other) => other < unit);
    assert.equal(neighbour(units, unit, 1), above[0] ?? units.at(-1));
    assert.equal(neighbour(units, unit, -1), below.at(-1) ?? units[0]);
    assert.equal(neighbour(units, unit, 3), above[2] ?? units.at(-1));
    assert.equal(neighbour(new Set(units), unit, -3), below.at(-3) ?? units[0]);
  });
  assert.equal(neighbour([], 4, 1), 4);
});
