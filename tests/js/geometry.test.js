import assert from "node:assert/strict";
import { test } from "node:test";

import {
  cellGrid,
  columnWidth,
  heatmapRows,
  levelOf,
  networkLayout,
  networkRowHeight,
  networkRows,
  scrollToShow,
  timeWindow,
  timeView,
  timestepAtX,
  zoomed,
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

/** The widest a column may be: those of a short sentence. */
const WIDEST = columnWidth(1e6, 1, 20);

/**
 * A zoomed time axis: what a person or a link asked for, and what is shown of it.
 * @param {import('./random.js').Random} random
 */
function anyView(random) {
  const trackWidth = random.number(60, 4000);
  const timesteps = random.pick([1, 2, random.integer(1, 40), random.integer(1, 20_000)]);
  const narrowest = random.pick([20, 34, 54, 98]);
  const from = random.pick([0, random.number(0, timesteps), random.number(-1e5, 1e5)]);
  const span = random.pick([0, timesteps, random.number(0.001, 2 * timesteps), 1e9, -3]);
  const asked = { trackWidth, timesteps, narrowest, from, span };
  return { asked, view: { ...timeView(asked), timesteps, trackWidth } };
}

test("whatever part of the axis is asked for, one is shown: of the sequence, and no more than it", () => {
  forAll(5000, (random) => {
    const { asked, view } = anyView(random);
    const { trackWidth, timesteps, narrowest, from, span } = asked;
    const { columnWidth: width, scrollLeft } = view;
    assert.ok(width > 0 && width <= Math.max(WIDEST, narrowest));
    assert.ok(scrollLeft >= 0);
    assert.ok(scrollLeft + trackWidth <= Math.max(trackWidth, timesteps * width) + NEAR);
    // Room beside the sequence is left only where its columns are as wide as they may be.
    if (timesteps * width < trackWidth - NEAR) assert.ok(width >= WIDEST - NEAR);
    if (span <= 0) assert.equal(width, columnWidth(trackWidth, timesteps, narrowest));
    else if (trackWidth / span < WIDEST && span <= timesteps)
      assert.ok(
        Math.abs(trackWidth / width - span) < NEAR * span,
        "as many timesteps as asked for",
      );
    const last = timesteps - trackWidth / width;
    if (from >= 0 && from <= last)
      assert.ok(Math.abs(scrollLeft / width - from) < NEAR * timesteps);
  });
});

test("what is under the pointer stays there while one zooms, unless an end comes into sight", () => {
  forAll(5000, (random) => {
    const { asked, view } = anyView(random);
    const { trackWidth, timesteps } = asked;
    const x = random.number(0, trackWidth);
    const at = (view.scrollLeft + x) / view.columnWidth;
    const to = zoomed(view, random.pick([1.2, 1 / 1.2, 1.5, random.number(0.01, 100)]), x);
    const after = timeView({ ...asked, ...to });
    const shown = trackWidth / after.columnWidth;
    assert.ok(Math.abs(shown - to.span) < NEAR * to.span, "it is a view the axis can show");
    const from = after.scrollLeft / after.columnWidth;
    assert.ok(Math.abs(from - to.from) < NEAR * Math.max(1, timesteps));
    const now = from + x / after.columnWidth;
    const atStart = from < NEAR;
    const atEnd = from + shown > timesteps - NEAR;
    if (!atStart && !atEnd) assert.ok(Math.abs(now - at) < NEAR * timesteps, `${now} for ${at}`);
    // At an end it is as near as it can be.
    else if (atStart && !atEnd) assert.ok(now >= at - NEAR * timesteps);
    else if (atEnd && !atStart) assert.ok(now <= at + NEAR * timesteps);
  });
});

test("zooming in and out by the same factor comes back to where it began", () => {
  forAll(2000, (random) => {
    const { asked, view } = anyView(random);
    const x = random.number(0, asked.trackWidth);
    const factor = random.number(1, 3);
    const inside = timeView({ ...asked, ...zoomed(view, factor, x) });
    if (inside.columnWidth < view.columnWidth * factor * (1 - NEAR)) return; // no nearer
    const again = zoomed({ ...view, ...inside }, 1 / factor, x);
    const back = timeView({ ...asked, ...again });
    assert.ok(Math.abs(back.columnWidth - view.columnWidth) < NEAR * view.columnWidth);
    assert.ok(Math.abs(back.scrollLeft - view.scrollLeft) < 1e-4 * Math.max(1, view.scrollLeft));
  });
});

test("zooming out ends at the whole sequence, zooming in at columns as wide as they may be", () => {
  forAll(500, (random) => {
    const { asked, view } = anyView(random);
    const x = random.number(0, asked.trackWidth);
    const out = timeView({ ...asked, ...zoomed(view, 1e-9, x) });
    assert.ok(
      Math.abs(out.columnWidth - Math.min(WIDEST, asked.trackWidth / asked.timesteps)) < NEAR,
    );
    assert.ok(out.scrollLeft < NEAR);
    const near = timeView({ ...asked, ...zoomed(view, 1e9, x) });
    assert.ok(Math.abs(near.columnWidth - WIDEST) < NEAR);
  });
});

test("a pooled column holds the least power of two of timesteps that is a device pixel wide", () => {
  forAll(2000, (random) => {
    const width = 2 ** random.number(-12, 8);
    const ratio = random.pick([1, 1.25, 1.5, 2, 3]);
    const level = levelOf(width, ratio);
    assert.ok(Number.isInteger(level) && level >= 0);
    assert.ok(width * 2 ** level * ratio >= 1 - NEAR);
    if (level) assert.ok(width * 2 ** (level - 1) * ratio < 1);
  });
  // Rounding must not make it the next one.
  for (let n = 0; n < 14; n++) assert.equal(levelOf(1000 / (1000 * 2 ** n), 1), n);
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
    const target = random.integer(5, 240);
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
