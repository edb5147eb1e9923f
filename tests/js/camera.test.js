import assert from "node:assert/strict";
import { test } from "node:test";

import {
  approached,
  clamped,
  fitted,
  flight,
  following,
  formatCamera,
  lensOf,
  panned,
  parseCamera,
  scaleDown,
  toScreen,
  toWorld,
  viewOf,
  zoomedAt,
} from "../../static/js/network/camera.js";
import { forAll } from "./random.js";

/** @import {Box, Camera, Lens} from '../../static/js/network/camera.js' */
/** @import {Random} from './random.js' */

/** A world as networks are, and a screen. @param {Random} random */
function anyWorld(random) {
  const width = random.pick([1, random.integer(2, 60), random.integer(60, 10_000)]) + 1.5;
  const height = random.number(1, 12);
  const world = { left: -0.8, top: 0, right: width - 0.8, bottom: height };
  const screen = { width: random.number(120, 2000), height: random.number(120, 1200) };
  const padding = {
    left: random.number(0, 30),
    right: random.number(0, 30),
    down: random.number(0, 30),
  };
  const lens = lensOf(screen, world, { padding, tallest: 90, nearest: 2 * screen.width });
  return { world, lens };
}

/** Somewhere one can be. @param {Random} random @param {Lens} lens @param {Box} world */
const anyCamera = (random, lens, world) =>
  clamped(lens, {
    x: random.number(world.left, world.right),
    y: random.number(world.top, world.bottom),
    scale: lens.whole.scale * (lens.nearest / lens.whole.scale) ** random.next(),
  });

/** @param {number} a @param {number} b @param {number} slack */
const near = (a, b, slack) => Math.abs(a - b) <= slack;

/** Rounding, in pixels: places of a long world seen from near by are large numbers. */
const PIXEL = 1e-4;

test("the whole shows the whole, and nothing is higher than it may be", () => {
  forAll(2000, (random) => {
    const { world, lens } = anyWorld(random);
    const view = viewOf(lens, lens.whole);
    assert.ok(view.left <= world.left + 1e-9 && view.right >= world.right - 1e-9);
    assert.ok(view.top <= world.top + 1e-9 && view.bottom >= world.bottom - 1e-9);
    const down = scaleDown(lens, lens.whole);
    assert.ok(down >= lens.whole.scale);
    if (down > lens.whole.scale * (1 + 1e-9)) assert.ok(down <= 90, "stretched, but not more");
  });
});

test("what is at a place of the screen is found there again", () => {
  forAll(2000, (random) => {
    const { world, lens } = anyWorld(random);
    const camera = anyCamera(random, lens, world);
    const [x, y] = [random.number(0, lens.width), random.number(0, lens.height)];
    const at = toWorld(lens, camera, x, y);
    const back = toScreen(lens, camera, at.x, at.y);
    assert.ok(near(back.x, x, PIXEL) && near(back.y, y, PIXEL));
  });
});

test("zooming in never moves what is under the pointer, wherever it is", () => {
  forAll(3000, (random) => {
    const { lens } = anyWorld(random);
    const [x, y] = [random.number(0, lens.width), random.number(0, lens.height)];
    /** @type {Camera} */
    let camera = lens.whole;
    const at = toWorld(lens, camera, x, y);
    while (camera.scale < lens.nearest) {
      const next = zoomedAt(lens, camera, random.number(1.01, 3), x, y);
      assert.ok(next.scale > camera.scale);
      camera = next;
      const place = toScreen(lens, camera, at.x, at.y);
      assert.ok(near(place.x, x, PIXEL) && near(place.y, y, PIXEL), JSON.stringify(place));
    }
  });
});

test("zooming out and out ends at the whole, and panning never leaves it", () => {
  forAll(1000, (random) => {
    const { world, lens } = anyWorld(random);
    let camera = anyCamera(random, lens, world);
    const whole = viewOf(lens, lens.whole);
    for (let n = 0; n < 10; n++) {
      camera = panned(lens, camera, random.number(-3000, 3000), random.number(-900, 900));
      const view = viewOf(lens, camera);
      const slack = 1e-9 * (1 + whole.right);
      assert.ok(view.left >= whole.left - slack && view.right <= whole.right + slack);
      assert.ok(view.top >= whole.top - slack && view.bottom <= whole.bottom + slack);
    }
    for (let n = 0; n < 60; n++)
      camera = zoomedAt(lens, camera, 0.7, random.number(0, lens.width), 10);
    assert.ok(near(camera.scale, lens.whole.scale, 1e-9));
    assert.ok(near(camera.x, lens.whole.x, 1e-6) && near(camera.y, lens.whole.y, 1e-6));
  });
});

test("a drag moves the plane by as many pixels, where there is room", () => {
  const world = { left: 0, top: 0, right: 1000, bottom: 6 };
  const lens = lensOf({ width: 800, height: 400 }, world, {
    padding: { left: 0, right: 0, down: 0 },
    tallest: 60,
    nearest: 2000,
  });
  const camera = { x: 500, y: 3, scale: 300 };
  const before = toScreen(lens, camera, 500, 3);
  const after = toScreen(lens, panned(lens, camera, 30, -20), 500, 3);
  assert.ok(near(after.x - before.x, 30, PIXEL) && near(after.y - before.y, -20, PIXEL));
});

test("a box that is fitted is on the screen, and touches an edge or is in the middle", () => {
  forAll(2000, (random) => {
    const { world, lens } = anyWorld(random);
    const [x, y] = [
      random.number(world.left, world.right - 0.7),
      random.number(world.top, world.bottom - 0.5),
    ];
    const box = { left: x, top: y, right: x + 0.66, bottom: y + 0.5 };
    const view = viewOf(lens, fitted(lens, box, 10));
    const slack = 1e-9 * (1 + world.right);
    assert.ok(view.left <= box.left + slack && view.right >= box.right - slack);
    if (lens.height / scaleDown(lens, fitted(lens, box, 10)) >= 0.5)
      assert.ok(view.top <= box.top + slack && view.bottom >= box.bottom - slack);
  });
});

test("following brings a box into the view, and stays where it is seen already", () => {
  forAll(3000, (random) => {
    const { world, lens } = anyWorld(random);
    const camera = anyCamera(random, lens, world);
    const x = random.number(world.left, world.right - 0.7);
    const y = random.number(world.top, Math.max(world.top, world.bottom - 0.5));
    const box = { left: x, top: y, right: x + 0.66, bottom: Math.min(world.bottom, y + 0.5) };
    const to = following(lens, camera, box, random.pick([-1, 0, 1]));
    assert.equal(to.scale, camera.scale);
    const [view, now] = [viewOf(lens, to), viewOf(lens, camera)];
    const slack = 1e-6 * (1 + now.right - now.left);
    const sees = (/** @type {Box} */ v) => ({
      across: v.left <= box.left + slack && v.right >= box.right - slack,
      down: v.top <= box.top + slack && v.bottom >= box.bottom - slack,
    });
    if (sees(now).across) assert.ok(near(to.x, camera.x, slack));
    if (sees(now).down) assert.ok(near(to.y, camera.y, slack));
    if (now.right - now.left > 0.66 + slack) assert.ok(sees(view).across);
    if (now.bottom - now.top > 0.5 + slack) assert.ok(sees(view).down);
  });
});

test("where it pages to, most of the view is what comes next", () => {
  const world = { left: 0, top: 0, right: 1000, bottom: 6 };
  const lens = lensOf({ width: 800, height: 400 }, world, {
    padding: { left: 0, right: 0, down: 0 },
    tallest: 60,
    nearest: 2000,
  });
  const camera = { x: 500, y: 3, scale: 80 }; // ten columns
  const right = viewOf(
    lens,
    following(lens, camera, { left: 505, top: 2, right: 506, bottom: 3 }, 1),
  );
  assert.ok(505 - right.left < 3 && right.right - 506 > 6);
  const left = viewOf(
    lens,
    following(lens, camera, { left: 494, top: 2, right: 495, bottom: 3 }, -1),
  );
  assert.ok(left.right - 495 < 3 && 494 - left.left > 6);
});

test("a flight begins here, ends there, and never jumps", () => {
  forAll(1000, (random) => {
    const { world, lens } = anyWorld(random);
    const [from, to] = [anyCamera(random, lens, world), anyCamera(random, lens, world)];
    const { at, length } = flight(lens, from, to);
    assert.ok(length >= 0 && Number.isFinite(length));
    assert.deepEqual(at(0), from);
    assert.deepEqual(at(1), to);
    const steps = Math.ceil(length * 200);
    let before = from;
    for (let n = 1; n <= steps; n++) {
      const now = at(n / steps);
      // A two-hundredth of what looks like one screen: hardly more than that, in pixels.
      assert.ok(Math.abs(Math.log(now.scale / before.scale)) < 0.02, "no jump in scale");
      const slow = Math.min(now.scale, before.scale);
      assert.ok(Math.abs(now.x - before.x) * slow < 0.02 * lens.width, "nor across");
      const steep = Math.min(scaleDown(lens, now), scaleDown(lens, before));
      assert.ok(Math.abs(now.y - before.y) * steep < 0.04 * (lens.width + lens.height), "nor down");
      before = now;
    }
  });
});

test("a flight between neighbours stays near, between strangers it goes away first", () => {
  const world = { left: 0, top: 0, right: 10_000, bottom: 8 };
  const lens = lensOf({ width: 800, height: 400 }, world, {
    padding: { left: 0, right: 0, down: 0 },
    tallest: 60,
    nearest: 2000,
  });
  const from = { x: 100, y: 4, scale: 800 };
  const least = (/** @type {Camera} */ to) => {
    const { at } = flight(lens, from, to);
    return Math.min(...Array.from({ length: 101 }, (_, n) => at(n / 100).scale));
  };
  assert.ok(least({ x: 100.4, y: 4, scale: 800 }) > 700);
  assert.ok(least({ x: 9000, y: 4, scale: 800 }) < 1);
});

test("a moving target is reached, nearer at every frame", () => {
  forAll(500, (random) => {
    const { world, lens } = anyWorld(random);
    const target = anyCamera(random, lens, world);
    let camera = anyCamera(random, lens, world);
    for (let n = 0; camera !== target; n++) {
      assert.ok(n < 200, "it arrives");
      const next = approached(lens, camera, target, random.number(4, 30));
      assert.ok(Math.abs(target.x - next.x) <= Math.abs(target.x - camera.x) + 1e-9);
      camera = next;
    }
  });
});

test("a link brings the camera back, and means the same columns on another screen", () => {
  forAll(2000, (random) => {
    const { world, lens } = anyWorld(random);
    const camera = anyCamera(random, lens, world);
    const text = formatCamera(lens, camera);
    const back = parseCamera(lens, text);
    const [view, again] = [viewOf(lens, camera), viewOf(lens, back)];
    const across = view.right - view.left;
    assert.ok(near(view.left, again.left, 0.003 * across));
    assert.ok(near(view.right, again.right, 0.003 * across));
    assert.ok(text.length < 40, text);
  });
  const world = { left: 0, top: 0, right: 100, bottom: 5 };
  const sizes = { padding: { left: 0, right: 0, down: 0 }, tallest: 60, nearest: 2000 };
  const [small, large] = [300, 1500].map((width) => lensOf({ width, height: 400 }, world, sizes));
  for (const lens of [small, large]) {
    const view = viewOf(lens, parseCamera(lens, "50,2,10"));
    assert.ok(near(view.left, 45, 1e-9) && near(view.right, 55, 1e-9));
  }
});

test("what is no camera is the whole", () => {
  const world = { left: 0, top: 0, right: 100, bottom: 5 };
  const sizes = { padding: { left: 0, right: 0, down: 0 }, tallest: 60, nearest: 2000 };
  const lens = lensOf({ width: 800, height: 400 }, world, sizes);
  for (const text of [
    "",
    "1",
    "1,2",
    "a,b,c",
    "1,2,0",
    "1,2,-3",
    "NaN,1,1",
    "1,2,3,4",
    "1,2,Infinity",
  ])
    assert.deepEqual(parseCamera(lens, text), lens.whole, text);
  assert.deepEqual(parseCamera(lens, "1,2,1e9"), lens.whole, "nothing is further away");
  assert.equal(parseCamera(lens, "1,2,1e-9").scale, lens.nearest, "nor nearer than it may be");
});
