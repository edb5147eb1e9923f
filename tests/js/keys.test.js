import assert from "node:assert/strict";
import { afterEach, test } from "node:test";

import { keyTable, listenToKeys } from "../../static/js/keys.js";
import { Recording } from "../../static/js/recording.js";
import { SPEEDS, createState } from "../../static/js/state.js";
import { asApi, describe } from "./worlds.js";

/** @import {Actions} from '../../static/js/actions.js' */

/** @typedef {{tag: string, type?: string, editable?: boolean, inside?: string}} Place  what has the focus, and what it stands in */

/** Whether a simple selector fits: a tag, `[type=…]`, and `:not(…)` of those. @param {Place} place @param {string} selector */
function fits({ tag, type }, selector) {
  const [, name, rest] = /** @type {RegExpExecArray} */ (/^(\w*)(.*)$/.exec(selector));
  if (name && name !== tag) return false;
  for (const [, not, wanted] of rest.matchAll(/(:not\()?\[type=(\w+)\]\)?/g)) {
    if ((type === wanted) === Boolean(not)) return false;
  }
  return true;
}

/** A page of one focused element, and what its keys were seen to do. */
function createWorld() {
  const state = createState();
  /** @type {unknown[][]} */
  const done = [];
  const note =
    (/** @type {string} */ name) =>
    (/** @type {unknown[]} */ ...given) => {
      done.push([name, ...given.filter((value) => typeof value !== "object")]);
    };
  const names = ["move", "moveRow", "stepUnit", "togglePlay", "setOrder"];
  const actions = /** @type {Actions} */ (
    /** @type {unknown} */ ({
      ...Object.fromEntries(names.map((name) => [name, note(name)])),
      brush: { toggle: note("toggle") },
    })
  );
  const table = keyTable(state, actions, note("help"));
  /** @type {(event: unknown) => void} */
  let listener = () => {};
  let dialog = false;
  const document = {
    addEventListener: (/** @type {string} */ type, /** @type {typeof listener} */ run) => {
      assert.equal(type, "keydown");
      listener = run;
    },
    querySelector: (/** @type {string} */ selector) =>
      selector === "dialog[open]" && dialog ? {} : null,
    getElementById: (/** @type {string} */ id) => ({ select: note(`select #${id}`) }),
  };
  // Where "/" looks for the sentence box.
  Object.assign(globalThis, { document });
  listenToKeys(/** @type {Document} */ (/** @type {unknown} */ (document)), table);

  /**
   * Press a key; returns what it did and whether the browser still does its own.
   * @param {string} key
   * @param {Partial<KeyboardEvent>} [how]
   * @param {Place} [place]
   */
  function press(key, how = {}, place = { tag: "body" }) {
    let prevented = false;
    const target = {
      isContentEditable: place.editable ?? false,
      matches: (/** @type {string} */ list) =>
        list.split(", ").some((selector) => fits(place, selector)),
      closest: (/** @type {string} */ list) =>
        list.split(", ").some((selector) => [place.tag, place.inside].includes(selector))
          ? {}
          : null,
    };
    listener({
      key,
      target,
      ctrlKey: false,
      metaKey: false,
      altKey: false,
      shiftKey: false,
      defaultPrevented: false,
      preventDefault: () => (prevented = true),
      ...how,
    });
    return { did: done.splice(0), prevented };
  }
  return { state, table, press, openDialog: () => (dialog = true) };
}

afterEach(() => Reflect.deleteProperty(globalThis, "document"));

test("no key is in the table twice", () => {
  const keys = createWorld().table.flatMap((row) => row.keys);
  assert.equal(new Set(keys).size, keys.length);
});

test("every key the help shows says what it does, and every other one is a variant of a shown one", () => {
  const { table } = createWorld();
  for (const { keys, shown, does } of table) {
    assert.ok(keys.length);
    assert.equal(shown === "", does === "");
  }
  const hidden = table.filter(({ shown }) => !shown).flatMap(({ keys }) => keys);
  assert.deepEqual(hidden, ["}", "{", "Z", "PageUp"], "Shift, or the other way");
});

test("every key of the table does something, and the browser does nothing beside it", () => {
  const { table, press, state } = createWorld();
  // A text longer than the screen, somewhere in its middle.
  state.recording.set(new Recording(describe({ timesteps: 5000 }), asApi({}), () => {}));
  state.trackWidth.set(800);
  const atoms = [state.speed, state.from, state.span];
  for (const key of table.flatMap(({ keys }) => keys)) {
    for (const [n, value] of [2, 1000, 100].entries()) atoms[n].set(value);
    const before = atoms.map((atom) => atom.get());
    const { did, prevented } = press(key);
    const changed = atoms.some((atom, n) => atom.get() !== before[n]);
    assert.ok(did.length === 1 || changed, key);
    assert.ok(prevented, key);
  }
});

test("arrows step, with Shift ten at once; Home and End go as far as there is", () => {
  const { press } = createWorld();
  assert.deepEqual(press("ArrowRight").did, [["move", 1]]);
  assert.deepEqual(press("ArrowLeft").did, [["move", -1]]);
  assert.deepEqual(press("ArrowRight", { shiftKey: true }).did, [["move", 10]]);
  assert.deepEqual(press("ArrowLeft", { shiftKey: true }).did, [["move", -10]]);
  assert.deepEqual(press("Home").did, [["move", -Infinity]]);
  assert.deepEqual(press("End").did, [["move", Infinity]]);
});

test("brackets step to the units beside the selected one", () => {
  const { press } = createWorld();
  assert.deepEqual(
    ["]", "[", "}", "{"].map((key) => press(key).did[0]),
    [
      ["stepUnit", 1],
      ["stepUnit", -1],
      ["stepUnit", 10],
      ["stepUnit", -10],
    ],
  );
});

test("plus and minus go through the speeds and stop at both ends", () => {
  const { press, state } = createWorld();
  /** @param {string} key */
  const heard = (key) => {
    for (let n = 0; n < 20; n++) press(key);
    return state.speed.get();
  };
  assert.equal(heard("-"), Math.min(...SPEEDS));
  /** @type {number[]} */
  const passed = [state.speed.get()];
  state.speed.subscribe((speed) => passed.push(speed));
  assert.equal(heard("+"), Math.max(...SPEEDS));
  assert.deepEqual(passed, [...SPEEDS]);
});

test("O goes to and fro between the two orders", () => {
  const { press, state } = createWorld();
  assert.deepEqual(press("o").did, [["setOrder", "processing"]]);
  state.order.set("processing");
  assert.deepEqual(press("o").did, [["setOrder", "sentence"]]);
});

test("the slash goes to the sentence box and is not written into it", () => {
  const { did, prevented } = createWorld().press("/");
  assert.deepEqual(did, [["select #text"]]);
  assert.ok(prevented);
});

test("whoever writes is left alone, whatever the key", () => {
  const { table, press } = createWorld();
  /** @type {Place[]} */
  const writing = [
    { tag: "textarea" },
    { tag: "select" },
    { tag: "input" },
    { tag: "input", type: "number" },
    { tag: "input", type: "text" },
    { tag: "div", editable: true },
  ];
  for (const place of writing) {
    for (const key of table.flatMap(({ keys }) => keys)) {
      assert.deepEqual(
        press(key, {}, place),
        { did: [], prevented: false },
        `${key} in ${JSON.stringify(place)}`,
      );
    }
  }
});

test("a slider and a check box leave the keys to the page", () => {
  const { press } = createWorld();
  for (const type of ["range", "checkbox"]) {
    assert.deepEqual(press("ArrowRight", {}, { tag: "input", type }).did, [["move", 1]]);
  }
});

test("a space on a button presses that button, everywhere else it plays", () => {
  const { press } = createWorld();
  for (const place of [
    { tag: "button" },
    { tag: "summary" },
    { tag: "a" },
    { tag: "b", inside: "button" },
  ]) {
    assert.deepEqual(press(" ", {}, place), { did: [], prevented: false });
    assert.deepEqual(
      press("ArrowRight", {}, place).did,
      [["move", 1]],
      "other keys still work there",
    );
  }
  assert.deepEqual(press(" ").did, [["togglePlay"]]);
});

test("the browser's own shortcuts, handled keys and unknown keys are left alone", () => {
  const { table, press } = createWorld();
  for (const key of table.flatMap(({ keys }) => keys)) {
    for (const how of [
      { ctrlKey: true },
      { metaKey: true },
      { altKey: true },
      { defaultPrevented: true },
    ]) {
      assert.deepEqual(press(key, how), { did: [], prevented: false });
    }
  }
  for (const key of ["Tab", "Enter", "Escape", "F5", "x", "Dead", ""]) {
    assert.deepEqual(press(key), { did: [], prevented: false });
  }
});

test("behind an open dialog no key works", () => {
  const { table, press, openDialog } = createWorld();
  openDialog();
  for (const key of table.flatMap(({ keys }) => keys)) assert.deepEqual(press(key).did, []);
});
