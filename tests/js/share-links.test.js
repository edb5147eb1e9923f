import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { PARTS, cleanEmbed, cleanHide, hiddenParts } from "../../static/js/share/parts.js";
import { frameCode, isHere, sharedLink } from "../../static/js/share/share-links.js";
import { DEFAULTS, fromFragment } from "../../static/js/url.js";
import { forAll } from "./random.js";

test("a shared link is the screen and what is taken away from it", () => {
  forAll(300, (random) => {
    const hide = Object.keys(PARTS).filter(() => random.flip());
    const embed = random.pick([[], ["on"], ["cell"], ["cell", "play"]]);
    const link = { ...DEFAULTS, model: "m", text: "a & b", step: 3, hide: "cell", embed: "play" };
    const url = sharedLink(link, "http://host/page", { hide, embed });
    const back = { ...DEFAULTS, ...fromFragment(new URL(url).hash) };
    assert.deepEqual(back, { ...link, hide: hide.join(","), embed: embed.join(",") });
    assert.ok(url.startsWith("http://host/page#"));
  });
});

test("the code of a frame is one element, whatever the sentence is", () => {
  const title = 'He said "<b>&amp;</b>"';
  const src = "http://host/#text=a%22b&hide=cell";
  const code = frameCode({ src, title, width: 640, height: 400 });
  const inside = /^<iframe ([^<>]*)><\/iframe>$/.exec(code);
  assert.ok(inside);
  const attributes = Object.fromEntries(
    [...inside[1].matchAll(/([a-z]+)="([^"]*)"/g)].map(([, name, value]) => [name, value]),
  );
  const plain = (/** @type {string} */ text) =>
    text
      .replaceAll("&quot;", '"')
      .replaceAll("&lt;", "<")
      .replaceAll("&gt;", ">")
      .replaceAll("&amp;", "&");
  assert.equal(plain(attributes.src), src);
  assert.equal(plain(attributes.title), title);
  assert.deepEqual(
    [attributes.width, attributes.height, attributes.loading],
    ["640", "400", "lazy"],
  );
});

test("every part that can be taken away is hidden by a rule, and every rule is for a part", () => {
  const css = readFileSync(new URL("../../static/css/embed.css", import.meta.url), "utf8");
  const named = new Set([...css.matchAll(/\.hide-([a-z]+)/g)].map(([, name]) => name));
  assert.deepEqual([...named].sort(), Object.keys(PARTS).sort());
});

test("the page about links tells every part and every parameter", () => {
  const page = readFileSync(new URL("../../docs/links.md", import.meta.url), "utf8");
  const rows = [...page.matchAll(/^\| (`[^|]+`) \| ([^|]+) \|/gm)];
  const [parts, words, parameters] = ["For teaching", "In a slide", "What a link may say"].map(
    (heading, n, all) => {
      const from = page.indexOf(`## ${heading}`);
      const to = n + 1 < all.length ? page.indexOf(`## ${all[n + 1]}`) : page.length;
      return rows.filter(({ index }) => index > from && index < to);
    },
  );
  assert.deepEqual(
    parts.map(([, name, does]) => [name.slice(1, -1), does]),
    Object.entries(PARTS),
  );
  for (const [, word] of words) assert.ok(fromFragment(`#${word.slice(1, -1)}`).embed);
  const named = parameters.flatMap(([, names]) => [...names.matchAll(/`(\w+)`/g)].map((m) => m[1]));
  assert.deepEqual(named, Object.keys(DEFAULTS));
});

test("what is no part is left out, and the rest is put in order", () => {
  assert.equal(cleanHide("order,nothing,header,,order"), "header,order");
  assert.deepEqual(hiddenParts("constructor,__proto__"), []);
  assert.deepEqual(["play", "play,cell", "on", "", "1", "off"].map(cleanEmbed), [
    "play",
    "cell,play",
    "on",
    "on",
    "on",
    "",
  ]);
});

test("addresses that only this computer has are known", () => {
  const here = ["localhost", "127.0.0.1", "127.1.2.3", "[::1]", "x.localhost"];
  const there = ["example.org", "10.0.0.1", "localhost.example.org", "192.168.127.1"];
  assert.deepEqual(
    here.map(isHere),
    here.map(() => true),
  );
  assert.deepEqual(
    there.map(isHere),
    there.map(() => false),
  );
});
