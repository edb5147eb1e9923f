import assert from "node:assert/strict";
import { test } from "node:test";

import { createActions } from "../../static/js/actions.js";
import { applyLink, createNavigation, isShown } from "../../static/js/navigation.js";
import { Recording } from "../../static/js/recording.js";
import { createState } from "../../static/js/state.js";
import { fromFragment, linkOf, toFragment } from "../../static/js/url.js";
import { createRandom } from "./random.js";
import { asApi, deferred, describe, model, settle } from "./worlds.js";

/** @import {Link} from '../../static/js/url.js' */

/** A page with a history like a browser's, and a clock that stands until it is told. */
function createWorld(hash = "") {
  const state = createState();
  state.models.set([model("m", ["an example"]), model("other", [])]);
  const entries = [hash];
  let at = 0;
  /** @type {string[]} */
  const written = [];
  /** @type {(() => unknown)[]} */
  let listeners = [];
  /** @type {(() => void)[]} */
  let timers = [];
  /** @type {Partial<Link>[]} */
  const opened = [];
  const location = {
    pathname: "/under/",
    search: "?x=1",
    get hash() {
      return entries[at];
    },
  };
  /** @param {"push" | "replace"} how @returns {History["pushState"]} */
  const write = (how) => (_, __, url) => {
    const address = new URL(String(url), "http://host");
    assert.equal(address.pathname + address.search, "/under/?x=1");
    written.push(how);
    if (how === "push") entries.splice(++at, Infinity, address.hash);
    else entries[at] = address.hash;
  };
  const api = asApi({
    arrays: async () => new Map(),
    unitWeights: () => new Promise(() => {}),
  });
  const actions = createActions(state, api, { tick: () => {} });

  /** @param {Partial<Link>} link */
  const record = ({ model: id = "m", text = "an example", precision = "float32" }) => {
    state.model.set(id);
    state.text.set(text);
    state.precision.set(precision);
    const about = { ...describe({ model: id, text, units: 9, layers: 3 }), precision };
    state.recording.set(new Recording(about, api, () => {}));
  };
  const world = {
    state,
    actions,
    entries,
    opened,
    record,
    /** How links are opened; a test may do it otherwise. @type {(link: Partial<Link>) => unknown} */
    open: (link) => record(link),
    /** Let the time pass; returns how the history was written to since. */
    pass() {
      const due = timers;
      timers = [];
      for (const run of due) run();
      return written.splice(0);
    },
    /** Until nothing is left to be written. */
    rest() {
      const done = [];
      while (timers.length) done.push(...world.pass());
      return done;
    },
    waiting: () => timers.length,
    /** Somebody else's entry. @param {string} hash */
    push: (hash) => void entries.splice(++at, Infinity, hash),
    link: () => fromFragment(location.hash),
    /** @param {number} by */
    async travel(by) {
      at += by;
      for (const listener of listeners) listener();
      await settle();
      return world.rest();
    },
    navigation: /** @type {ReturnType<typeof createNavigation>} */ (/** @type {unknown} */ (null)),
  };
  world.navigation = createNavigation(
    state,
    actions,
    (link) => {
      opened.push(link);
      return world.open(link);
    },
    {
      history: /** @type {History} */ (
        /** @type {unknown} */ ({ pushState: write("push"), replaceState: write("replace") })
      ),
      location: /** @type {Location} */ (/** @type {unknown} */ (location)),
      setTimeout: (run) => timers.push(run),
      addEventListener: (/** @type {string} */ type, /** @type {any} */ run) => {
        assert.equal(type, "popstate");
        listeners.push(run);
      },
      removeEventListener: (/** @type {string} */ _, /** @type {any} */ run) => {
        listeners = listeners.filter((other) => other !== run);
      },
    },
  );
  return world;
}

/** A page that shows a recording. */
async function createShown(hash = "#model=m&text=one") {
  const world = createWorld(hash);
  await world.navigation.go();
  world.rest();
  return world;
}

test("the first recording replaces the empty page, and another one is a new entry", async () => {
  const world = createWorld();
  await world.navigation.go();
  assert.deepEqual(world.rest(), ["replace"]);
  assert.deepEqual(world.link(), { model: "m", text: "an example", layer: 0 });
  world.record({ text: "two" });
  assert.deepEqual(world.rest(), ["push"]);
  assert.equal(world.link().text, "two");
  world.record({ text: "two", precision: "float64" });
  assert.deepEqual(world.rest(), ["push"]);
});

test("a view, a row, a selection and a set are entries; steps, units, zoom and speed are not", async () => {
  const { state, rest, link } = await createShown();
  /** @type {[keyof typeof state, unknown, string][]} */
  const changes = [
    ["tab", "unit", "push"],
    ["step", 3, "replace"],
    ["layer", 1, "push"],
    ["unit", 7, "replace"],
    ["direction", "backward", "push"],
    ["from", 2.5, "replace"],
    ["span", 4, "replace"],
    ["brush", "1.forward:3-4", "push"],
    ["sets", "a~0.forward:1", "push"],
    ["speed", 8, "replace"],
    ["scale", "row", "replace"],
    ["sort", "peak", "replace"],
    ["only", 1, "replace"],
  ];
  for (const [key, value, how] of changes) {
    /** @type {{set(value: unknown): void}} */ (state[key]).set(value);
    assert.deepEqual(rest(), [how], key);
    assert.equal(link()[/** @type {keyof Link} */ (key)], value);
  }
});

test("a drag is one entry, and what Back leads to is the screen as it was left", async () => {
  const { state, pass, rest, link, entries } = await createShown();
  state.step.set(2);
  for (let n = 1; n < 20; n++) {
    state.brush.set(`0.forward:0-${n}`);
    // Nothing is written while it moves.
    assert.deepEqual(pass(), []);
  }
  assert.deepEqual(rest(), ["replace", "push"]);
  assert.equal(link().brush, "0.forward:0-19");
  assert.equal(fromFragment(entries[0]).step, 2);
  assert.equal(fromFragment(entries[0]).brush, undefined);
});

test("what was changed and changed back is no entry", async () => {
  const { state, rest } = await createShown();
  state.brush.set("0.forward:1");
  state.brush.set("");
  state.tab.set("cell");
  state.tab.set("states");
  assert.deepEqual(rest(), []);
});

test("however much changes, the address is written once, when things rest", async () => {
  const { state, pass, waiting } = await createShown();
  for (let n = 1; n < 100; n++) {
    state.step.set(n);
    if (n % 10 === 0) assert.deepEqual(pass(), [], "while steps keep coming nothing is written");
    assert.equal(waiting(), 1);
  }
  assert.deepEqual(pass(), []);
  assert.equal(pass().length, 1);
  assert.equal(waiting(), 0);
  state.step.set(5);
  assert.equal(waiting(), 1);
  assert.equal(pass().length, 1);
});

test("nothing is written before there is a recording, nor where nothing changed", async () => {
  const world = createWorld();
  world.state.text.set("half a sen");
  assert.deepEqual(world.rest(), []);
  await world.navigation.go();
  assert.equal(world.rest().length, 1);
  world.state.step.set(1);
  world.state.step.set(0);
  assert.deepEqual(world.rest(), []);
});

test("Back and Forward bring every screen back, and record only what is another recording", async () => {
  const { state, actions, rest, travel, opened, record } = await createShown();
  const seen = [linkOf(state)];
  const note = () => {
    rest();
    seen.push(linkOf(state));
  };
  state.tab.set("unit");
  note();
  actions.selectCell({ layer: 2, direction: "backward" });
  actions.selectUnit(5);
  actions.goToStep(3);
  note();
  state.brush.set("2.backward:1,4");
  state.sort.set("peak");
  note();
  record({ text: "two" });
  note();
  for (let n = 0; n < 2; n++) {
    for (const to of [3, 2, 1, 0]) {
      assert.deepEqual(await travel(-1), [], "going back writes nothing");
      assert.deepEqual({ ...linkOf(state), ...shownIn(seen[to]) }, seen[to]);
    }
    for (const to of [1, 2, 3, 4]) {
      assert.deepEqual(await travel(1), []);
      assert.deepEqual({ ...linkOf(state), ...shownIn(seen[to]) }, seen[to]);
    }
  }
  assert.deepEqual(
    opened.map(({ text }) => text),
    ["one", "one", "two", "one", "two"],
  );
});

/** What the recording of these tests, which has no server, leaves to it. @param {Link} link */
const shownIn = ({ layer, direction, unit, step, tab, brush, sort }) => ({
  layer,
  direction,
  unit,
  step,
  tab,
  brush,
  sort,
});

test("a link to the same recording is applied, inside what it has", async () => {
  const { state, actions } = await createShown();
  state.playing.set(true);
  state.sort.set("peak");
  applyLink(state, actions, {
    ...fromFragment("#layer=99&direction=backward&unit=99&step=99&tab=cell&from=1.5"),
  });
  const { layer, direction, unit, step, tab, sort, from } = linkOf(state);
  assert.deepEqual([layer, direction, unit, step], [2, "backward", 8, 4]);
  assert.deepEqual([tab, sort, from], ["cell", "index", 1.5]);
  assert.equal(state.playing.get(), false);
  applyLink(state, actions, {});
  assert.equal(state.layer.get(), 2, "without a layer it is the highest");
});

test("the recording on the screen is the asked one only if nothing else is being recorded", async () => {
  const { state } = await createShown();
  assert.ok(isShown(state, { model: "m", text: "one" }));
  assert.ok(isShown(state, { text: "one", precision: "float32", tab: "cell" }));
  assert.ok(!isShown(state, { text: "one", precision: "float64" }));
  assert.ok(!isShown(state, { model: "other", text: "one" }));
  assert.ok(!isShown(state, {}), "without a text it is the example");
  state.text.set("being typed");
  assert.ok(!isShown(state, { model: "m", text: "one" }));
});

test("what a link has to change to be shown is no entry, though it takes its time", async () => {
  const world = createWorld("#model=m&text=one&layer=99&direction=backward&brush=0.forward:1");
  const { promise, resolve } = deferred();
  world.open = async (link) => {
    world.state.text.set(String(link.text));
    world.state.brush.set(String(link.brush));
    await promise;
    world.state.layer.set(2);
    world.record(link);
    await new Promise(() => {}); // its arrays go on coming
  };
  void world.navigation.go();
  await settle();
  assert.deepEqual(world.rest(), []);
  resolve(undefined);
  await settle();
  assert.deepEqual(world.rest(), ["replace"]);
  assert.equal(world.link().layer, 2);
  world.state.tab.set("cell");
  assert.deepEqual(world.rest(), ["push"]);
});

test("a link that cannot be opened leaves the history alone", async () => {
  const world = createWorld("#model=gone");
  world.open = () => Promise.reject(new Error("gone"));
  await assert.rejects(world.navigation.go());
  assert.deepEqual(world.rest(), []);
  world.record({ text: "one" });
  assert.deepEqual(world.rest(), ["replace"]);
});

test("who made the entry of a model without a text fills it with its first recording", async () => {
  const { state, entries, rest, record, push } = await createShown();
  state.model.set("other");
  state.text.set("");
  state.recording.set(null);
  push(toFragment(linkOf(state)));
  assert.deepEqual(rest(), []);
  record({ model: "other", text: "typed" });
  assert.deepEqual(rest(), ["replace"]);
  assert.deepEqual(
    entries.map((hash) => fromFragment(hash).text),
    ["one", "typed"],
  );
});

test("in processing order the row follows the step and is no entry", async () => {
  const { state, rest } = await createShown();
  state.order.set("processing");
  rest();
  state.step.set(9);
  state.layer.set(1);
  assert.deepEqual(rest(), ["replace"]);
});

test("in a frame Back belongs to the page around it", async () => {
  const { state, rest, record } = await createShown("#model=m&text=one&embed");
  state.embed.set("on");
  rest();
  state.tab.set("cell");
  assert.deepEqual(rest(), ["replace"]);
  record({ text: "two" });
  assert.deepEqual(rest(), ["replace"]);
});

test("a text with a lone surrogate does not fill the history", async () => {
  const { state, rest, record } = await createShown();
  record({ text: "\ud800" });
  assert.deepEqual(rest(), ["push"]);
  for (let step = 1; step < 4; step++) {
    state.step.set(step);
    assert.deepEqual(rest(), ["replace"]);
  }
});

test("after it is stopped the address stays as it is, and Back does nothing", async () => {
  const { state, navigation, waiting, travel, opened } = await createShown();
  navigation.stop();
  state.step.set(4);
  assert.equal(waiting(), 0);
  await travel(0);
  assert.equal(opened.length, 1);
});

test("whatever people do, the address is that of the screen, and Back that of the one before", async () => {
  for (let seed = 1; seed <= 30; seed++) {
    const { state, actions, rest, travel, link } = await createShown();
    const random = createRandom(seed);
    const entry = () => {
      const { text, tab, layer, direction, brush, sets } = linkOf(state);
      return JSON.stringify({ text, tab, layer, direction, brush, sets });
    };
    let before = entry();
    for (let n = 0; n < 30; n++) {
      random.pick([
        () => actions.goToStep(random.integer(0, 4)),
        () => actions.selectCell({ layer: random.integer(0, 2), direction: "backward" }),
        () => state.tab.set(random.pick(["states", "unit", "cell"])),
        () => actions.brush.toggle({ layer: 0, direction: "forward" }, [random.integer(0, 8)]),
        () => actions.selectUnit(random.integer(0, 8)),
      ])();
      const now = entry();
      rest();
      assert.deepEqual(link(), fromFragment(toFragment(linkOf(state))), `seed ${seed}`);
      if (now === before) continue;
      await travel(-1);
      assert.equal(entry(), before, `seed ${seed}`);
      await travel(1);
      assert.equal(entry(), now, `seed ${seed}`);
      before = now;
    }
  }
});
