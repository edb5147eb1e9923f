import assert from "node:assert/strict";
import { test } from "node:test";

import { axis, pageBy, panTo, toggleWhole, zoomBy } from "../../static/js/time/axis.js";
import { WINDOW } from "../../static/js/row-cache.js";
import { Recording } from "../../static/js/recording.js";
import { createState } from "../../static/js/state.js";
import { createWantingView } from "../../static/js/time/wanting.js";
import { forAll } from "./random.js";
import { QUANTITIES, asApi, describe, model, quantities } from "./worlds.js";

/** Further apart than this is no matter of rounding. */
const NEAR = 1e-6;

/**
 * A page that shows a recording on a track of some width.
 * @param {import('./worlds.js').Sizes} sizes
 * @param {number} [trackWidth]
 */
function createWorld(sizes, trackWidth = 1000) {
  const state = createState();
  state.models.set([model("tagger", [])]);
  state.quantities.set(quantities());
  state.trackWidth.set(trackWidth);
  const recording = new Recording(describe(sizes), asApi({}), () => {});
  state.recording.set(recording);
  /** The timesteps at the left edge and at the right one, and the cursor's place on the track. */
  function shown() {
    const view = axis(state, recording);
    const from = view.scrollLeft / view.columnWidth;
    const cursor = (state.step.get() + 0.5) * view.columnWidth - view.scrollLeft;
    return { from, to: from + trackWidth / view.columnWidth, cursor, ...view };
  }
  return { state, recording, shown };
}

test("zooming by a key keeps the cursor where it is, or the middle where the cursor is out of sight", () => {
  forAll(500, (random) => {
    const timesteps = random.integer(50, 5000);
    const { state, shown } = createWorld({ timesteps });
    state.step.set(random.integer(0, timesteps - 1));
    state.span.set(random.number(10, timesteps));
    panTo(state, random.number(0, timesteps));
    const before = shown();
    const seen = before.cursor >= 0 && before.cursor <= 1000;
    const place = seen ? before.cursor : 500;
    const at = before.from + place / before.columnWidth;
    zoomBy(state, random.pick([1.5, 1 / 1.5]));
    const after = shown();
    const inside = after.from > NEAR && after.to < timesteps - NEAR;
    if (inside) assert.ok(Math.abs(after.from + place / after.columnWidth - at) < 1e-3);
    assert.ok(after.from >= 0 && after.to <= timesteps + NEAR);
  });
});

test("page by page one sees all of a long text, each time a little of what was there before", () => {
  const { state, shown } = createWorld({ timesteps: 333 });
  let { from, to } = shown();
  assert.equal(from, 0);
  for (let pages = 0; to < 333 - NEAR; pages++) {
    pageBy(state, 1);
    const next = shown();
    assert.ok(next.from > from && next.from < to, "nothing is passed over");
    assert.ok(Math.abs(next.to - next.from - (to - from)) < NEAR);
    ({ from, to } = next);
    assert.ok(pages < 100);
  }
  pageBy(state, 1);
  assert.ok(Math.abs(shown().from - from) < NEAR, "behind the end there is nothing");
  for (let n = 0; n < 100; n++) pageBy(state, -1);
  assert.equal(shown().from, 0);
});

test("the whole text, and back to columns that can be read", () => {
  const { state, shown } = createWorld({ timesteps: 4000 });
  const { columnWidth } = shown();
  toggleWhole(state);
  assert.ok(shown().from === 0 && Math.abs(shown().to - 4000) < NEAR);
  toggleWhole(state);
  assert.equal(shown().columnWidth, columnWidth);
  // A short one is whole as it is.
  const short = createWorld({ timesteps: 4 });
  const before = short.shown();
  toggleWhole(short.state);
  assert.deepEqual(short.shown(), before);
});

/** What is wished for of a recording, each as names, from and to. @param {Recording} recording */
function listen(recording) {
  /** @type {{names: string[], from: number, to: number}[]} */
  const wishes = [];
  recording.want = (names, from = 0, to = recording.timesteps) => wishes.push({ names, from, to });
  return wishes;
}

test("of a long recording the current step is wished for last, which is first, and the next ones before", () => {
  const sizes = { timesteps: 2000, layers: 2, nbytes: 1e9 };
  const { state, recording } = createWorld(sizes);
  state.layer.set(1);
  state.direction.set("backward");
  const view = createWantingView(state);
  const wishes = listen(recording);
  state.step.set(1000);
  view.paint();
  const now = wishes[wishes.length - 1];
  assert.ok(now.from <= 999 && now.to >= 1002, "and both its neighbours");
  for (const q of QUANTITIES) assert.ok(now.names.includes(`1.backward.${q}`));
  for (const d of ["forward", "backward"]) assert.ok(now.names.includes(`0.${d}.h`));
  /** Where the cursor goes. @param {number} step */
  function ahead(step) {
    wishes.length = 0;
    state.step.set(step);
    view.paint();
    return wishes[wishes.length - 2];
  }
  assert.equal(ahead(1001).from, 1001 + WINDOW);
  assert.equal(ahead(1000).from, 1000 - WINDOW);
  ahead(1999);
  assert.ok(wishes.every(({ from }) => from < 2000));
  ahead(0);
  assert.ok(wishes.every(({ to }) => to > 0));
});

test("predictions are wished for where their tokens can be read, not of thousands", () => {
  const { state, recording } = createWorld({
    timesteps: 5000,
    nbytes: 1e9,
    predictions: { task: "tag", labels: ["a", "b"], targets: null },
  });
  const view = createWantingView(state);
  const wishes = listen(recording);
  view.paint();
  const scores = wishes.find(({ names }) => names.join() === "scores");
  assert.ok(scores && scores.from === 0 && scores.to > 10 && scores.to < 100);
  wishes.length = 0;
  toggleWhole(state);
  view.paint();
  assert.ok(wishes.every(({ from, to }) => to - from < 300));
});

test("of a recording that is fetched whole no rows are wished for", () => {
  const { state, recording } = createWorld({ timesteps: 50 });
  const wishes = listen(recording);
  createWantingView(state).paint();
  assert.equal(wishes.length, 0);
});
