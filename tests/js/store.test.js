import assert from "node:assert/strict";
import { test } from "node:test";

import { atom } from "../../static/js/store.js";
import { forAll } from "./random.js";

test("a subscriber hears every value that differs from the one before, and no other", () => {
  forAll(200, (random) => {
    const values = Array.from({ length: 30 }, () => random.pick([0, -0, 1, NaN, "", "1", null]));
    const value = atom(values[0]);
    /** @type {unknown[]} */
    const heard = [];
    value.subscribe((next) => heard.push(next));
    for (const next of values.slice(1)) value.set(next);
    const expected = values.filter((next, n) => n > 0 && !Object.is(next, values[n - 1]));
    assert.deepEqual(heard, expected);
    assert.ok(Object.is(value.get(), values.at(-1)));
  });
});

test("subscribers come and go without touching each other", () => {
  forAll(100, (random) => {
    const value = atom(0);
    /** @type {Map<number, {heard: number[], expected: number[], stop: () => void}>} */
    const living = new Map();
    const all = [];
    for (let n = 1; n <= 40; n++) {
      if (random.flip()) {
        /** @type {number[]} */
        const heard = [];
        const one = {
          heard,
          expected: /** @type {number[]} */ ([]),
          stop: value.subscribe((v) => heard.push(v)),
        };
        living.set(n, one);
        all.push(one);
      } else if (living.size) {
        const key = random.pick([...living.keys()]);
        living.get(key)?.stop();
        living.delete(key);
      }
      value.set(n);
      for (const one of living.values()) one.expected.push(n);
    }
    for (const { heard, expected } of all) assert.deepEqual(heard, expected);
  });
});

test("the state is already changed when subscribers hear of it", () => {
  const value = atom("before");
  let seen = "";
  value.subscribe(() => (seen = value.get()));
  value.set("after");
  assert.equal(seen, "after");
});

test("a subscriber may leave while it is told, and the others are told all the same", () => {
  const value = atom(0);
  /** @type {string[]} */
  const heard = [];
  const stop = value.subscribe(() => {
    heard.push("once");
    stop();
  });
  value.subscribe((next) => heard.push(`second ${next}`));
  value.set(1);
  value.set(2);
  assert.deepEqual(heard, ["once", "second 1", "second 2"]);
});

test("who subscribes while a change is told hears of the next one", () => {
  const value = atom(0);
  /** @type {number[]} */
  const heard = [];
  const stop = value.subscribe(() => {
    stop();
    value.subscribe((next) => heard.push(next));
  });
  value.set(1);
  value.set(2);
  assert.deepEqual(heard, [2]);
});

test("a subscriber may set the value again, and everyone ends with the same one", () => {
  const value = atom(0);
  /** @type {number[]} */
  const last = [];
  value.subscribe((next) => (last[0] = next));
  value.subscribe((next) => next < 10 && value.set(next + 1));
  value.subscribe((next) => (last[1] = next));
  value.set(1);
  assert.equal(value.get(), 10);
  assert.deepEqual(last, [10, 10]);
});
