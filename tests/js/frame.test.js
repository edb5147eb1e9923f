import assert from "node:assert/strict";
import { mock, test } from "node:test";

import { createFrameLoop } from "../../static/js/frame.js";
import { atom } from "../../static/js/store.js";
import { forAll } from "./random.js";

/** A loop whose frames come when the test says so. */
function createWorld() {
  /** @type {((now: number) => void)[]} */
  let waiting = [];
  let clock = 0;
  const loop = createFrameLoop(
    (callback) => waiting.push(callback),
    () => clock,
  );
  /** @type {string[]} */
  let painted = [];
  return {
    ...loop,
    waiting: () => waiting.length,
    /** @param {number} milliseconds */
    pass: (milliseconds) => (clock += milliseconds),
    /** Run the frames asked for so far; returns what was painted. */
    frame(now = 0) {
      painted = [];
      const callbacks = waiting;
      waiting = [];
      for (const callback of callbacks) callback(now);
      return painted;
    },
    /**
     * @param {string} name
     * @param {import('../../static/js/types.js').Readable<any>[]} reads
     * @param {() => void} [paint]
     * @param {boolean} [calm]
     */
    view: (name, reads, paint = () => {}, calm = false) =>
      loop.add({
        name,
        reads,
        calm,
        paint() {
          painted.push(name);
          paint();
        },
      }),
  };
}

test("nothing is painted before the frame, and one frame is asked for however much changes", () => {
  const world = createWorld();
  const [a, b] = [atom(0), atom(0)];
  world.view("one", [a, b]);
  world.view("two", [b]);
  for (let n = 1; n < 50; n++) {
    a.set(n);
    b.set(n);
  }
  assert.equal(world.waiting(), 1);
  assert.deepEqual(world.frame(), ["one", "two"]);
  assert.equal(world.waiting(), 0);
});

test("a frame paints exactly the views that read what changed, in the order they were added", () => {
  forAll(200, (random) => {
    const world = createWorld();
    const atoms = Array.from({ length: 5 }, () => atom(0));
    const views = Array.from({ length: 6 }, (_, n) => ({
      name: `view ${n}`,
      reads: atoms.filter(() => random.flip()),
    }));
    for (const { name, reads } of views) world.view(name, reads);
    assert.deepEqual(
      world.frame(),
      views.map(({ name }) => name),
      "every view is painted once",
    );
    for (let round = 1; round < 10; round++) {
      const changed = Array.from({ length: random.integer(0, 4) }, () => random.pick(atoms));
      for (const one of changed) one.set(one.get() + 1);
      const expected = views.filter(({ reads }) => reads.some((one) => changed.includes(one)));
      assert.equal(world.waiting(), expected.length ? 1 : 0);
      assert.deepEqual(
        world.frame(),
        expected.map(({ name }) => name),
      );
    }
  });
});

test("a view that throws does not stop the others, and is painted again at its next change", () => {
  const errors = mock.method(console, "error", () => {});
  const world = createWorld();
  const value = atom(0);
  world.view("broken", [value], () => {
    throw new Error("no canvas");
  });
  world.view("whole", [value]);
  assert.deepEqual(world.frame(), ["broken", "whole"]);
  value.set(1);
  assert.deepEqual(world.frame(), ["broken", "whole"]);
  assert.equal(errors.mock.callCount(), 2);
  assert.match(String(errors.mock.calls[0].arguments), /broken.*no canvas/);
  errors.mock.restore();
});

test("a ticker runs at every frame before anything is painted, until it says false", () => {
  const world = createWorld();
  const value = atom(0);
  /** @type {number[]} */
  const shown = [];
  world.view("view", [value], () => shown.push(value.get()));
  world.frame();
  world.tick((now) => {
    value.set(now);
    return now < 30;
  });
  for (const now of [10, 20, 30]) {
    assert.equal(world.waiting(), 1);
    assert.deepEqual(world.frame(now), ["view"]);
  }
  assert.equal(world.waiting(), 0, "no frame is asked for once nothing moves");
  assert.deepEqual(shown, [0, 10, 20, 30]);
});

test("a ticker that changes nothing paints nothing", () => {
  const world = createWorld();
  world.view("view", [atom(0)]);
  world.frame();
  world.tick((now) => now < 2);
  assert.deepEqual(world.frame(1), []);
  assert.deepEqual(world.frame(2), []);
  assert.equal(world.waiting(), 0);
});

test("a ticker that throws is dropped, and the frame is painted", () => {
  const errors = mock.method(console, "error", () => {});
  const world = createWorld();
  const value = atom(0);
  world.view("view", [value]);
  world.frame();
  world.tick(() => {
    throw new Error("no clock");
  });
  value.set(1);
  assert.deepEqual(world.frame(), ["view"]);
  value.set(2);
  assert.deepEqual(world.frame(), ["view"]);
  assert.equal(errors.mock.callCount(), 1);
  errors.mock.restore();
});

test("what a view changes while it paints is shown: below it at once, above it in the next frame", () => {
  const world = createWorld();
  const [value, measured] = [atom(0), atom(0)];
  world.view("above", [measured]);
  world.view("measures", [value], () => measured.set(value.get()));
  world.view("below", [measured]);
  world.frame();
  value.set(7);
  assert.deepEqual(world.frame(), ["measures", "below"]);
  assert.deepEqual(world.frame(), ["above"]);
  assert.equal(world.waiting(), 0);
});

test("a view that was taken away is never painted again, even if it was already due", () => {
  const world = createWorld();
  const value = atom(0);
  const removes = ["a", "b", "c"].map((name) => world.view(name, [value]));
  world.frame();
  value.set(1);
  removes[1]();
  assert.deepEqual(world.frame(), ["a", "c"]);
  value.set(2);
  assert.deepEqual(world.frame(), ["a", "c"]);
});

test("taking a view away twice takes no other one away", () => {
  const world = createWorld();
  const value = atom(0);
  const remove = world.view("a", [value]);
  world.view("b", [value]);
  remove();
  remove();
  value.set(1);
  assert.deepEqual(world.frame(), ["b"]);
});

test("when a frame is full the views at the end wait for the next one, however slow they are", () => {
  const world = createWorld();
  const value = atom(0);
  const slow = () => void world.pass(100);
  world.view("first", [value], slow);
  world.view("second", [value], slow);
  world.view("third", [value], slow);
  assert.deepEqual(world.frame(), ["first"]);
  assert.equal(world.waiting(), 1);
  assert.deepEqual(world.frame(), ["second", "third"]);
  assert.equal(world.waiting(), 0);
});

test("a view that has waited once is painted, even when those before it are due at every frame", () => {
  const world = createWorld();
  const value = atom(0);
  world.view("first", [value], () => void world.pass(100));
  world.view("second", [value]);
  const seen = [];
  for (let n = 1; n <= 10; n++) {
    value.set(n);
    seen.push(world.frame().includes("second"));
  }
  assert.deepEqual(seen, [false, true, false, true, false, true, false, true, false, true]);
});

/**
 * A world of pictures and of calm views of the same atom.
 * @param {string[]} calm  their names
 */
function createMovingWorld(calm) {
  const world = createWorld();
  const value = atom(0);
  world.view("picture", [value]);
  for (const name of calm) world.view(name, [value], () => {}, true);
  world.frame();
  let now = 0;
  return {
    ...world,
    /** A frame so many milliseconds after the last one, for which something has changed. @param {number} milliseconds */
    move(milliseconds) {
      world.pass(milliseconds);
      now += milliseconds;
      value.set(now);
      return world.frame(now);
    },
    /** Frames in which nothing changes any more, until none is asked for. */
    rest() {
      /** @type {string[][]} */
      const painted = [];
      while (world.waiting()) {
        world.pass(16);
        painted.push(world.frame());
      }
      return painted;
    },
  };
}

test("while frame follows frame a calm view is painted ten times a second, the pictures every time", () => {
  for (const each of [8, 16, 33]) {
    const { move } = createMovingWorld(["numbers"]);
    move(1000); // after a rest everything is painted at once
    const seconds = 5;
    let numbers = 0;
    for (let n = 0; n < (1000 * seconds) / each; n++) {
      const painted = move(each);
      assert.equal(painted[0], "picture");
      numbers += painted.length - 1;
    }
    assert.ok(numbers >= 7 * seconds && numbers <= 10 * seconds, `${numbers} in ${seconds} s`);
  }
});

test("of several calm views one is painted in a frame, the one that has waited longest", () => {
  const names = ["a", "b", "c", "d"];
  const { move } = createMovingWorld(names);
  move(1000);
  /** @type {string[]} */
  const painted = [];
  for (let n = 0; n < 200; n++) {
    const [, ...calm] = move(16);
    assert.ok(calm.length <= 1, String(calm));
    painted.push(...calm);
  }
  for (let n = names.length; n < painted.length; n++)
    assert.equal(painted[n], painted[n - names.length], "in turns");
  assert.deepEqual([...new Set(painted)].sort(), names);
});

test("when things rest the calm views are painted at once, and show what is now", () => {
  const { move, rest, waiting } = createMovingWorld(["a", "b"]);
  for (let n = 0; n < 4; n++) move(16);
  assert.equal(waiting(), 1, "what was left over has a frame of its own");
  assert.deepEqual(rest(), [["a", "b"]]);
  assert.equal(waiting(), 0);
});

test("a single change after a rest is painted whole in one frame: a step by hand shows its numbers", () => {
  const { move, rest } = createMovingWorld(["a", "b"]);
  move(16);
  rest();
  for (let n = 0; n < 5; n++) assert.deepEqual(move(100), ["picture", "a", "b"]);
});

test("a calm view waits for its time, and never for a full frame longer than that", () => {
  const world = createWorld();
  const value = atom(0);
  world.view("slow", [value], () => void world.pass(50));
  world.view("numbers", [value], () => {}, true);
  world.frame();
  let since = 0;
  for (let n = 1; n < 60; n++) {
    world.pass(8);
    value.set(n);
    since = world.frame().includes("numbers") ? 0 : since + 1;
    assert.ok(since <= 3, `${since} frames of 58 ms`);
  }
});
