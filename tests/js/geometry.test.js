import assert from "node:assert/strict";
import { test } from "node:test";

import {
  cellGrid,
  columnWidth,
  heatmapRows,
  networkLayout,
  networkRowHeight,
  networkRows,
  scrollToShow,
  timeWindow,
  timestepAtX,
} from "../../static/js/geometry.js";
import { forAll } from "./random.js";

/** @import {Direction} from '../../static/js/types.js' */

/** What a layer may read. @type {Direction[][]} */
const DIRECTIONS = [["forward"], ["backward"], ["forward", "backward"]];

/**
 * A time axis as the page may have it, scrolled somewhere.
 * @param {import('./random.js').Random} random
 */
function anyAxis(random) {
  const trackWidth = random.pick([random.integer(60, 400), random.number(400, 4000)]);
  const timesteps = random.pick([1, 2, random.integer(1, 40), random.integer(1, 2000)]);
  const width = columnWidth(trackWidth, timesteps, random.pick([20, 54]));
  const end = Math.max(0, timesteps * width - trackWidth);
  const scrollLeft = random.pick([0, end, random.number(0, end)]);
  return { columnWidth: width, timesteps, scrollLeft, trackWidth, end };
}

/** Further inside than this is no matter of rounding. */
const NEAR = 1e-6;

test("columns fill the track while they can be read, and never get narrower than that", () => {
  forAll(2000, (random) => {
    const track = random.number(1, 4000);
    const timesteps = random.integer(1, 3000);
    const narrowest = random.pick([20, 54]);
    const width = columnWidth(track, timesteps, narrowest);
    assert.ok(width >= narrowest && width <= 150);
    if (width * timesteps < track - NEAR)
      assert.equal(width, 150, "room is left only beside the widest columns");
    if (width * timesteps > track + NEAR)
      assert.equal(width, narrowest, "only the narrowest columns scroll");
  });
  assert.equal(columnWidth(0, 10, 54), 54);
});

test("the window holds exactly the columns that can be seen, and says where the first one is", () => {
  forAll(3000, (random) => {
    const view = anyAxis(random);
    const { first, last, offset, columnWidth: width } = timeWindow(view);
    assert.equal(width, view.columnWidth);
    assert.ok(first >= 0 && first < last && last <= view.timesteps);
    assert.ok(Math.abs(offset - (first * width - view.scrollLeft)) < NEAR);
    for (let t = 0; t < view.timesteps; t++) {
      const left = t * width - view.scrollLeft;
      const inside = t >= first && t < last;
      if (left + width > NEAR && left < view.trackWidth - NEAR)
        assert.ok(inside, `${t} can be seen`);
      if (left + width < -NEAR || left > view.trackWidth + NEAR)
        assert.ok(!inside, `${t} cannot be seen`);
    }
  });
});

test("a window that is scrolled too far still holds a column of the sentence", () => {
  forAll(500, (random) => {
    const view = { ...anyAxis(random), scrollLeft: random.number(-5000, 500_000) };
    const { first, last } = timeWindow(view);
    assert.ok(first >= 0 && first < last && last <= view.timesteps);
  });
});

test("scrolling to a column shows it whole, with its neighbours where there is room", () => {
  forAll(5000, (random) => {
    const view = anyAxis(random);
    const { columnWidth: width, timesteps, trackWidth, end } = view;
    // A place from before the window was made smaller may lie behind the end.
    if (random.next() < 0.2) view.scrollLeft += random.number(0, 3000);
    const t = random.integer(0, timesteps - 1);
    const to = scrollToShow(t, view);
    assert.ok(to >= 0 && to <= end + NEAR, `${to} lies outside 0…${end}`);
    const seen = (/** @type {number} */ n) =>
      n * width - to >= -NEAR && (n + 1) * width - to <= trackWidth + NEAR;
    if (width <= trackWidth) assert.ok(seen(t), `column ${t}`);
    if (3 * width <= trackWidth) {
      for (const n of [t - 1, t + 1])
        if (n >= 0 && n < timesteps) assert.ok(seen(n), `neighbour ${n} of ${t}`);
    }
  });
});

test("what can be seen with its neighbours is not scrolled away", () => {
  forAll(3000, (random) => {
    const view = anyAxis(random);
    const t = random.integer(0, view.timesteps - 1);
    const left = (t - 1) * view.columnWidth - view.scrollLeft;
    if (left < NEAR || left + 3 * view.columnWidth > view.trackWidth - NEAR) return;
    assert.equal(scrollToShow(t, view), view.scrollLeft);
  });
});

test("stepping on and on scrolls a few times, not at every step", () => {
  const view = { columnWidth: 20, timesteps: 1000, scrollLeft: 0, trackWidth: 1000 };
  let scrolls = 0;
  for (let t = 0; t < view.timesteps; t++) {
    const to = scrollToShow(t, view);
    if (to !== view.scrollLeft) scrolls++;
    view.scrollLeft = to;
  }
  assert.ok(scrolls > 10 && scrolls < 50, String(scrolls));
});

test("the timestep under a point is the one whose column is drawn there", () => {
  forAll(3000, (random) => {
    const view = anyAxis(random);
    const t = random.integer(0, view.timesteps - 1);
    const left = t * view.columnWidth - view.scrollLeft;
    for (const part of [0.001, 0.5, 0.999]) {
      assert.equal(timestepAtX(left + part * view.columnWidth, view), t);
    }
    assert.equal(timestepAtX(-1e6, view), 0);
    assert.equal(timestepAtX(1e6, view), view.timesteps - 1);
  });
});

/** The directions of each layer of some stack. @param {import('./random.js').Random} random */
const anyLayers = (random) =>
  Array.from({ length: random.integer(1, 12) }, () => ({
    directions: random.pick(DIRECTIONS),
  }));

test("the network has a row for every layer and direction, the highest layer on top", () => {
  forAll(200, (random) => {
    const layers = anyLayers(random);
    const rows = networkRows(layers);
    // Read from below, layer by layer: exactly what there is, forward above backward.
    const bottomUp = layers.map((_, n) => rows.filter(({ layer }) => layer === n));
    assert.deepEqual(
      bottomUp.map((cells) => cells.map(({ direction }) => direction)),
      layers.map(({ directions }) => directions),
    );
    assert.deepEqual([...bottomUp].reverse().flat(), rows);
  });
});

test("no row of the network touches another, and all of them are inside", () => {
  forAll(500, (random) => {
    const rows = networkRows(anyLayers(random));
    const sizes = {
      row: random.integer(4, 50),
      gap: random.integer(1, 10),
      layerGap: random.integer(1, 20),
    };
    const { tops, inputTop, height } = networkLayout(rows, sizes);
    assert.equal(tops.length, rows.length);
    const all = [...tops, inputTop];
    assert.ok(all[0] > 0 && inputTop + sizes.row < height);
    for (let n = 1; n < all.length; n++) {
      const free = all[n] - (all[n - 1] + sizes.row);
      const same = rows[n]?.layer === rows[n - 1].layer;
      assert.equal(free, same ? sizes.gap : sizes.layerGap);
    }
  });
});

test("the more rows a network has, the lower they are, but never too low to click", () => {
  const heights = Array.from({ length: 40 }, (_, n) => networkRowHeight(n + 1));
  heights.forEach((height, n) => assert.ok(height >= 20 && height <= (heights[n - 1] ?? Infinity)));
  assert.ok(heights[0] > heights[39]);
});

test("the grid of a cell has a square for every unit and no row too many", () => {
  forAll(5000, (random) => {
    const units = random.pick([random.integer(1, 12), random.integer(1, 2048)]);
    const { columns, rows } = cellGrid(random.number(0, 200), random.number(0, 60), units);
    assert.ok(Number.isInteger(columns) && Number.isInteger(rows) && columns >= 1 && rows >= 1);
    assert.ok(columns * rows >= units, "every unit has a square");
    assert.ok((columns - 1) * rows < units, "no column is empty of need");
    assert.ok(
      columns * (rows - 1) < units,
      `no row is empty: ${units} units, ${columns} × ${rows}`,
    );
  });
});

test("the rows of a heatmap hold every unit exactly once, in whole device pixels", () => {
  forAll(5000, (random) => {
    const units = random.pick([random.integer(1, 300), random.integer(1, 5000)]);
    const target = random.integer(20, 240);
    const ratio = random.pick([1, 1.25, 1.5, 2, 3]);
    const { rows, unitsPerRow, height } = heatmapRows(units, target, ratio);
    /** @type {number[]} */
    const held = [];
    for (let row = 0; row < rows; row++) {
      const of = Math.min(units, (row + 1) * unitsPerRow) - row * unitsPerRow;
      assert.ok(of > 0, "no row is empty");
      for (let n = 0; n < of; n++) held.push(row * unitsPerRow + n);
    }
    assert.deepEqual(
      held,
      Array.from({ length: units }, (_, n) => n),
    );
    const pixels = height * ratio;
    assert.ok(Math.abs(pixels - Math.round(pixels)) < NEAR);
    assert.ok(
      Math.abs((pixels / rows) % 1) < NEAR || 1 - ((pixels / rows) % 1) < NEAR,
      "every row the same pixels",
    );
    assert.ok(height < target * 1.51 && height > target * 0.5, `${height} for ${target}`);
  });
});
