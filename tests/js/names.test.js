import assert from "node:assert/strict";
import { test } from "node:test";

import { at } from "../../static/js/names.js";
import { subscript } from "../../static/js/format.js";

test("a value is named by its letter and its timestep, or as the initial one", () => {
  for (const timestep of [0, 1, 9, 10, 123]) {
    const name = at("c", timestep);
    assert.ok(name.startsWith("c") && name.slice(1) === subscript(timestep));
  }
  assert.equal(at("h", null), "h initial");
});
