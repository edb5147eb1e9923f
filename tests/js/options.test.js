import assert from "node:assert/strict";
import { test } from "node:test";

import { cleanOptions, readOptions, writeOptions } from "../../static/js/options.js";

const DEFAULTS = { of: "h", over: "sentence", k: 5, threshold: 0.5 };

test("options that are written are read again, and those as by default are not written", () => {
  const options = { of: "c", over: "sentence", k: 3, threshold: -0.25 };
  const text = writeOptions(options, DEFAULTS);
  assert.equal(text, "of:c;k:3;threshold:-0.25");
  assert.deepEqual(readOptions(text, DEFAULTS), options);
  assert.equal(writeOptions(DEFAULTS, DEFAULTS), "");
});

test("what cannot be is left out, and the rest is read", () => {
  const sound = { of: (/** @type {string} */ value) => "ifgoch".includes(value) };
  for (const text of ["", ";;", "of", ":h", "of:x", "k:", "k:five", "k:Infinity", "toString:1"])
    assert.deepEqual(readOptions(text, DEFAULTS, sound), DEFAULTS, text);
  const read = readOptions("of:x;nothing:1;k:7;over:a:b", DEFAULTS, sound);
  assert.deepEqual(read, { ...DEFAULTS, k: 7, over: "a:b" });
});

test("a link's options hold nothing that could be more than options", () => {
  assert.equal(cleanOptions("of:h;over:0.forward.h"), "of:h;over:0.forward.h");
  for (const text of ["of:<b>", 'of:"', "of: h", "a".repeat(401)])
    assert.equal(cleanOptions(text), "");
});
