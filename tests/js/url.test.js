import assert from "node:assert/strict";
import { test } from "node:test";

import { SPEEDS, createState } from "../../static/js/state.js";
import { DEFAULTS, fromFragment, keepUrl, linkOf, toFragment } from "../../static/js/url.js";
import { Recording } from "../../static/js/recording.js";
import { forAll } from "./random.js";
import { asApi, describe } from "./worlds.js";

/** @import {Random} from './random.js' */
/** @import {Link} from '../../static/js/url.js' */

const TEXTS = [
  "The sun is shiny",
  " ",
  "a&b=c#d?e%20+f",
  "<script>alert(1)</script>",
  "\u0000\u202e\ufeff",
  "line\nbreak\r\n\t",
  "👩‍👩‍👧‍👦 e\u0301",
  "شمس ساطعة",
  "text=model&model=text",
  "%",
  "%ff",
  "\\",
  "x".repeat(20_000),
  "0",
  "null",
];

/** What each part of a link may be. */
const PARTS = {
  precision: ["float32", "float64"],
  order: ["sentence", "processing"],
  direction: ["forward", "backward"],
  tab: ["states", "unit", "shapes"],
  scale: ["fixed", "fit"],
  speed: SPEEDS,
};

/** @param {Random} random @returns {Link} */
const anyLink = (random) =>
  /** @type {Link} */ ({
    model: random.pick(["", "tagger-en", "my model/é&=#"]),
    text: random.flip()
      ? random.pick(TEXTS)
      : String.fromCodePoint(...Array.from({ length: 9 }, () => random.integer(0, 0xd7ff))),
    step: random.integer(0, 3) && random.integer(0, 5000),
    layer: random.integer(0, 8),
    unit: random.integer(0, 2048),
    ...Object.fromEntries(
      Object.entries(PARTS).map(([key, choices]) => [
        key,
        random.pick(/** @type {unknown[]} */ (choices)),
      ]),
    ),
  });

/** Whether every part of what a fragment gave may stand in a link. @param {Partial<Link>} link */
function isSound(link) {
  for (const [key, value] of Object.entries(link)) {
    if (key in PARTS) {
      assert.ok(
        PARTS[/** @type {keyof typeof PARTS} */ (key)].includes(/** @type {never} */ (value)),
        `${key} ${value}`,
      );
    } else if (["step", "layer", "unit"].includes(key)) {
      assert.ok(Number.isInteger(value) && Number(value) >= 0, `${key} ${value}`);
    } else {
      assert.ok(["model", "text"].includes(key) && typeof value === "string", key);
    }
  }
}

test("a link brings back exactly the screen it was made from", () => {
  forAll(2000, (random) => {
    const link = anyLink(random);
    const fragment = toFragment(link);
    assert.deepEqual({ ...DEFAULTS, ...fromFragment(fragment) }, link);
    // Nor does a browser change it on the way through the address bar.
    const url = new URL(`http://host/${fragment}`);
    assert.equal(url.hash, fragment);
    assert.equal(url.search, "");
  });
});

test("what is as it is by default is left out but for the layer of a model, and an untouched page has no fragment", () => {
  assert.equal(toFragment(DEFAULTS), "");
  assert.deepEqual(fromFragment(""), {});
  forAll(200, (random) => {
    const link = anyLink(random);
    const changed = Object.entries(link).filter(
      ([key, value]) =>
        DEFAULTS[/** @type {keyof Link} */ (key)] !== value || (key === "layer" && link.model),
    );
    assert.deepEqual(fromFragment(toFragment(link)), Object.fromEntries(changed));
  });
});

test("a lone surrogate, which no address can hold, becomes the replacement character", () => {
  for (const text of ["\ud800", "a\udc00b", "\udc00\ud800"]) {
    assert.equal(fromFragment(toFragment({ ...DEFAULTS, text })).text, text.toWellFormed());
  }
});

test("a broken fragment never throws and never asks for what cannot be", () => {
  const values = [
    "",
    "-1",
    "1.5",
    "NaN",
    "Infinity",
    "1e400",
    "0x1f",
    " 3 ",
    "٣",
    "null",
    "[object Object]",
    "float16",
    "Sentence",
    "%",
    "%zz",
    "%ff%fe",
    "\ud800",
    "3,4",
    "__proto__",
    "3",
    "2",
    "forward",
  ];
  const names = [...Object.keys(DEFAULTS), "__proto__", "constructor", "toString", "token", ""];
  forAll(5000, (random) => {
    const parts = Array.from({ length: random.integer(0, 8) }, () =>
      random.pick([
        `${random.pick(names)}=${random.pick(values)}`,
        random.pick(names),
        String.fromCharCode(random.integer(0, 65535)),
        "#",
        "&",
        "=",
        "??",
      ]),
    );
    isSound(fromFragment(random.pick(["#", "", "##"]) + parts.join(random.pick(["&", "&&", ";"]))));
  });
  assert.equal(Object.getPrototypeOf(fromFragment("#__proto__=x&model=m")), Object.prototype);
});

test("what is sound in a link survives what is broken in it", () => {
  const link = fromFragment("#unit=-3&text=kept&speed=3&layer=2&tab=nowhere&direction=backward");
  assert.deepEqual(link, { text: "kept", layer: 2, direction: "backward" });
});

/** A state with a recording, and a window that keeps its history. */
function createWorld(hash = "") {
  const state = createState();
  /** @type {(() => void)[]} */
  let timers = [];
  const location = { pathname: "/under/", search: "?x=1", hash };
  /** @type {[string, string][]} */
  const entries = [];
  const write =
    (/** @type {string} */ how) =>
    (/** @type {unknown} */ _, /** @type {string} */ __, /** @type {string} */ url) => {
      entries.push([how, url]);
      location.hash = new URL(url, "http://host").hash;
    };
  const window = {
    history: /** @type {History} */ (
      /** @type {unknown} */ ({ pushState: write("push"), replaceState: write("replace") })
    ),
    location: /** @type {Location} */ (/** @type {unknown} */ (location)),
    setTimeout: (/** @type {() => void} */ run) => timers.push(run),
  };
  const stop = keepUrl(state, window);
  /** Let the time pass; returns what was written to the history since. */
  const pass = () => {
    const due = timers;
    timers = [];
    for (const run of due) run();
    return entries.splice(0);
  };
  const record = (/** @type {string} */ text) => {
    state.model.set("m");
    state.text.set(text);
    state.recording.set(new Recording(describe({ text }), asApi({}), () => {}));
  };
  return { state, location, record, pass, stop, waiting: () => timers.length };
}

test("a new text is a new entry in the history, everything else replaces the one there is", () => {
  const { state, record, pass, location } = createWorld();
  record("one");
  assert.deepEqual(
    pass().map(([how]) => how),
    ["replace"],
    "the first one replaces the empty page",
  );
  record("two");
  const [[how, url]] = pass();
  assert.equal(how, "push");
  assert.ok(url.startsWith("/under/?x=1#"));
  assert.equal(fromFragment(location.hash).text, "two");
  state.step.set(3);
  state.unit.set(7);
  assert.deepEqual(
    pass().map(([how]) => how),
    ["replace"],
  );
  assert.deepEqual(fromFragment(location.hash), {
    model: "m",
    text: "two",
    step: 3,
    layer: 0,
    unit: 7,
  });
});

test("however much changes, the address is written once per pause", () => {
  const { state, record, pass, waiting } = createWorld();
  record("one");
  for (let n = 1; n < 100; n++) state.step.set(n);
  assert.equal(waiting(), 1);
  assert.equal(pass().length, 1);
  assert.equal(waiting(), 0);
  state.step.set(5);
  assert.equal(waiting(), 1);
  assert.equal(pass().length, 1);
});

test("nothing is written before there is a recording, nor where nothing changed", () => {
  const { state, record, pass } = createWorld();
  state.text.set("half a sen");
  assert.deepEqual(pass(), []);
  record("one");
  assert.equal(pass().length, 1);
  state.step.set(1);
  state.step.set(0);
  assert.deepEqual(pass(), []);
});

test("a text with a lone surrogate does not fill the history", () => {
  const { state, record, pass } = createWorld();
  record("one");
  pass();
  record("\ud800");
  assert.deepEqual(
    pass().map(([how]) => how),
    ["push"],
  );
  for (let step = 1; step < 4; step++) {
    state.step.set(step);
    assert.deepEqual(
      pass().map(([how]) => how),
      ["replace"],
    );
  }
});

test("after it is stopped the address stays as it is", () => {
  const { state, record, pass, stop, waiting } = createWorld();
  record("one");
  pass();
  stop();
  state.step.set(4);
  assert.equal(waiting(), 0);
});

test("the link of a state holds what the state holds", () => {
  forAll(100, (random) => {
    const state = createState();
    const link = anyLink(random);
    for (const key of /** @type {(keyof Link)[]} */ (Object.keys(link))) {
      /** @type {{set(value: unknown): void}} */ (state[key]).set(link[key]);
    }
    assert.deepEqual(linkOf(state), link);
  });
});
