import assert from "node:assert/strict";
import { test } from "node:test";

import { networkRows } from "../../static/js/geometry.js";
import { heatmapLayout, placesAt, unitTop } from "../../static/js/heatmaps/layout.js";
import { forAll } from "./random.js";
import { QUANTITIES, anyStack, describe } from "./worlds.js";

/** @import {Random} from './random.js' */

/** Further apart than this is no matter of rounding. */
const NEAR = 1e-6;

/**
 * What the heatmaps of some stack may be asked to be.
 * @param {Random} random
 */
function anyAsked(random) {
  const { layers } = describe(anyStack(random)).lstm;
  const wide = random.pick([1, 7, 60, 300]);
  const cells = networkRows(layers);
  const shown = QUANTITIES.filter(() => random.flip());
  const selected = random.pick(cells);
  return {
    cells: random.next() < 0.7 ? cells : [selected],
    selected,
    quantities: shown.length ? shown : ["h"],
    unitsOf: (/** @type {{layer: number}} */ { layer }, /** @type {string} */ quantity) =>
      wide * (quantity === "h" ? layers[layer].output_size : layers[layer].hidden_size),
    room: random.pick([0, 220, random.number(220, 2000)]),
    pixelRatio: random.pick([1, 1.25, 1.5, 2, 3]),
  };
}

/** @param {ReturnType<typeof heatmapLayout>["rows"][number]} row */
const end = ({ top, height }) => top + height;

test("there is a picture for every quantity of every row of the network, in their order", () => {
  forAll(500, (random) => {
    const asked = anyAsked(random);
    const { rows } = heatmapLayout(asked);
    assert.deepEqual(
      rows.map(({ name }) => name),
      asked.cells.flatMap(({ layer, direction }) =>
        asked.quantities.map((q) => `${layer}.${direction}.${q}`),
      ),
    );
    for (const { cell, quantity, name, units, focus } of rows) {
      assert.equal(name, `${cell.layer}.${cell.direction}.${quantity}`);
      assert.equal(units, asked.unitsOf(cell, quantity));
      const { layer, direction } = asked.selected;
      assert.equal(focus, cell.layer === layer && cell.direction === direction);
    }
  });
});

test("pictures stand under each other, touch nowhere, and fill the height that is said", () => {
  forAll(1000, (random) => {
    const { rows, groups, height } = heatmapLayout(anyAsked(random));
    assert.equal(rows[0].top, 0);
    for (let n = 1; n < rows.length; n++) {
      const gap = rows[n].top - end(rows[n - 1]);
      const same = rows[n].cell === rows[n - 1].cell;
      assert.ok(gap > 1 && (same || gap > 5), `${gap} between ${rows[n - 1].name} and the next`);
    }
    assert.ok(Math.abs(end(rows[rows.length - 1]) - height) < NEAR);
    for (const { cell, top, height: whole } of groups) {
      const own = rows.filter((row) => row.cell === cell);
      assert.ok(Math.abs(own[0].top - top) < NEAR);
      assert.ok(Math.abs(end(own[own.length - 1]) - top - whole) < NEAR);
    }
  });
});

test("a row of pixels is whole device pixels high, and every unit is in one", () => {
  forAll(1000, (random) => {
    const asked = anyAsked(random);
    for (const { rows, unitsPerRow, units, height } of heatmapLayout(asked).rows) {
      assert.equal(rows, Math.ceil(units / unitsPerRow));
      const each = (height * asked.pixelRatio) / rows;
      assert.ok(Math.abs(each - Math.round(each)) < NEAR && each > 0.5, String(each));
      if (unitsPerRow > 1) assert.ok(Math.abs(each - 1) < NEAR, "room for more units is used");
    }
  });
});

test("all of them fit the room, where the lowest there are do", () => {
  forAll(2000, (random) => {
    const asked = anyAsked(random);
    const lowest = heatmapLayout({ ...asked, room: 0 }).height;
    const { height } = heatmapLayout(asked);
    assert.ok(height >= 0);
    if (lowest <= asked.room)
      assert.ok(height <= asked.room + NEAR, `${height} in ${asked.room}; ${lowest} is possible`);
    else assert.ok(height <= lowest + NEAR, "no more than must be");
  });
});

test("the selected row's pictures are the taller ones", () => {
  forAll(500, (random) => {
    const asked = { ...anyAsked(random), quantities: ["c"], unitsOf: () => 400 };
    if (asked.cells.length < 2) return;
    const { rows } = heatmapLayout(asked);
    const [focus] = rows.filter((row) => row.focus);
    for (const row of rows) if (!row.focus) assert.ok(focus.height > 1.4 * row.height);
  });
});

test("under a height of the picture are the units whose row of pixels is there", () => {
  forAll(1000, (random) => {
    const { rows, height } = heatmapLayout(anyAsked(random));
    const row = random.pick(rows);
    const place = random.integer(0, row.units - 1);
    const y = row.top + unitTop(row, place);
    const found = placesAt(rows, y);
    assert.ok(found && found.row === row);
    assert.ok(found.first <= place && place <= found.last);
    assert.ok(found.last - found.first < row.unitsPerRow && found.last < row.units);
    assert.equal(found.first % row.unitsPerRow, 0);
    // All of a row of pixels is the same, its neighbour is another.
    const each = row.height / row.rows;
    for (const part of [-0.49, 0.49]) {
      const there = placesAt(rows, y + part * each);
      assert.deepEqual([there?.first, there?.last], [found.first, found.last]);
    }
    const next = placesAt(rows, y + each);
    if (found.last + 1 < row.units) assert.equal(next?.first, found.last + 1);
    else assert.notEqual(next?.row, row);
    // In a gap, above and below there is none.
    for (const outside of [-1, height + 1, row.top + row.height + 0.5])
      assert.equal(placesAt(rows, outside), null);
  });
});
