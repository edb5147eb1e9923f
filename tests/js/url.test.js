import assert from "node:assert/strict";
import { test } from "node:test";

import { PARTS as PAGE_PARTS } from "../../static/js/share/parts.js";
import { SPEEDS, createState } from "../../static/js/state.js";
import { DEFAULTS, KEYS, fromFragment, linkOf, toFragment } from "../../static/js/url.js";
import { forAll } from "./random.js";

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
  tab: ["states", "unit", "network", "cell", "compare", "paths", "predictions", "write", "shapes"],
  scale: ["fixed", "layer", "row"],
  speed: SPEEDS,
  rows: ["all", "one"],
  sort: ["index", "peak", "mean", "variance", "similarity", "cluster"],
  sortOf: ["i", "f", "g", "o", "c", "h"],
  statistic: ["extreme", "mean"],
  colouredBy: ["i", "f", "g", "o", "c", "h"],
  gate: ["i", "f", "g", "o"],
  only: [0, 1],
  embed: ["", "on", "play", "cell", "cell,play"],
};

/** Some of a list in its order. @template T @param {Random} random @param {readonly T[]} list */
const someOf = (random, list) => list.filter(() => random.flip());
const OPTIONS = ["", "of:c;against:0.forward.h;threshold:0.25", "space:shared;turn:30,-20"];
const BRUSHES = ["", "1.forward:3-7,12", "0.forward:0;0.backward:5-6;11.forward:1,3,5"];
const SETS = ["", "set 1~1.forward:3", "a%2Fb %7E~0.backward:1-2/شمس~0.forward:3;1.forward:4"];

/** @param {Random} random @returns {Link} */
const anyLink = (random) =>
  /** @type {Link} */ ({
    ...DEFAULTS,
    model: random.pick(["", "tagger-en", "my model/é&=#"]),
    text: random.flip()
      ? random.pick(TEXTS)
      : String.fromCodePoint(...Array.from({ length: 9 }, () => random.integer(0, 0xd7ff))),
    step: random.integer(0, 3) && random.integer(0, 5000),
    layer: random.integer(0, 8),
    unit: random.integer(0, 2048),
    from: random.integer(0, 2) && random.integer(0, 1e6) / 100,
    span: random.integer(0, 2) && random.integer(0, 1e6) / 100,
    show: someOf(random, [..."ifgoch"]).join("") || "c",
    lines: someOf(random, [..."ifgoch"]).join("") || "h",
    pinModel: random.pick(["", "shakespeare@80"]),
    pinText: random.pick(TEXTS),
    compare: random.pick(OPTIONS),
    paths: random.pick(OPTIONS),
    predict: random.pick(OPTIONS),
    write: random.pick(OPTIONS),
    brush: random.pick(BRUSHES),
    sets: random.pick(SETS),
    hide: someOf(random, Object.keys(PAGE_PARTS)).join(","),
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
    } else if (["from", "span"].includes(key)) {
      assert.ok(Number.isFinite(value) && Number(value) >= 0, `${key} ${value}`);
    } else {
      assert.ok(KEYS.includes(/** @type {keyof Link} */ (key)) && typeof value === "string", key);
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
    "hc",
    "1.forward:3-7,12",
    "a~1.forward:3/b~",
    "header,cell,nothing",
    "play,,cell",
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

test("lists in a link are put in order and keep what there is", () => {
  const link = fromFragment(
    "#show=hxc&brush=1.forward:9,3-7,x;2.up:3&sets=/a~0.forward:1/b&hide=cell,<b>,header&embed=play,7",
  );
  assert.deepEqual(link, {
    show: "ch",
    brush: "1.forward:3-7,9",
    sets: "a~0.forward:1",
    hide: "header,cell",
    embed: "play",
  });
  assert.deepEqual(fromFragment("#show=&brush=&sets=~&hide=all&embed=off"), {});
  for (const given of ["embed", "embed=", "embed=1", "embed=on"])
    assert.deepEqual(fromFragment(`#model=m&${given}`), { model: "m", embed: "on" });
});

test("the place on the time axis is written to a hundredth of a timestep", () => {
  const { from, span } = fromFragment(toFragment({ ...DEFAULTS, from: 12.34567, span: 1 / 3 }));
  assert.deepEqual([from, span], [12.35, 0.33]);
  assert.deepEqual(fromFragment("#from=-1&span=Infinity"), {});
});

test("a person can read the selection in a link, and it is not long", () => {
  const link = { ...DEFAULTS, brush: "1.forward:3-7,12", sets: "set 1~0.forward:1/b~0.backward:2" };
  const shown = "#brush=1.forward:3-7,12&sets=set+1~0.forward:1/b~0.backward:2";
  assert.equal(toFragment(link), shown);
  const long = `#text=${"x".repeat(50_000)}&sets=a~0.forward:${"1,".repeat(50_000)}`;
  assert.deepEqual(Object.keys(fromFragment(long)), ["text"]);
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
