import assert from "node:assert/strict";
import { test } from "node:test";

import { fixed, joinTerms, plural, subscript, sum, tiny } from "../../static/js/format.js";
import { forAll } from "./random.js";

const PLAIN = /^−?\d+(\.\d+)?$/;

/** A shown number in units of its last place, exactly. @param {string} shown */
const units = (shown) => BigInt(shown.replace("−", "-").replace(".", ""));

/** The number a person reads. @param {string} shown */
const read = (shown) => Number(shown.replace(/−/g, "-").replace("∞", "Infinity"));

/** A number as they come: small, large, on the edge between two roundings, zero of either sign. @param {import('./random.js').Random} random */
const anyTerm = (random) =>
  random.pick([
    () => random.number(-3, 3),
    () => random.number(-0.001, 0.001),
    () => random.number(-2e5, 2e5),
    () => random.integer(-4000, 4000) / 2000,
    () => random.integer(-9, 9) / 16,
    () => random.pick([0, -0, 1e-300, -1e-300, 0.0005, -0.0005, 0.4995, 2.675]),
  ])();

test("the shown terms of a sum always add up to the shown total, to the last digit", () => {
  forAll(20_000, (random) => {
    const terms = Array.from({ length: random.integer(1, 7) }, () => anyTerm(random));
    const decimals = random.integer(0, 4);
    const shown = sum(terms, decimals);
    const total = terms.reduce((a, b) => a + b, 0);
    if (Math.abs(total) >= 999_999) return;
    for (const text of [...shown.terms, shown.total]) assert.match(text, PLAIN);
    const added = shown.terms.map(units).reduce((a, b) => a + b);
    assert.equal(added, units(shown.total), JSON.stringify({ terms, shown }));
    const unit = 10 ** -decimals;
    assert.ok(
      Math.abs(read(shown.total) - total) <= unit * 0.5 + 1e-9,
      JSON.stringify({ terms, shown }),
    );
    terms.forEach((term, n) => {
      assert.ok(
        Math.abs(read(shown.terms[n]) - term) <= unit + 1e-9,
        JSON.stringify({ terms, shown }),
      );
    });
  });
});

test("terms that add up anyway are rounded like any other number", () => {
  forAll(2000, (random) => {
    const terms = Array.from({ length: 4 }, () => random.integer(-5000, 5000) / 1000);
    assert.deepEqual(
      sum(terms).terms,
      terms.map((term) => fixed(term)),
    );
  });
});

test("no more terms give way than must", () => {
  forAll(2000, (random) => {
    const terms = random.numbers(5, -2, 2);
    const shown = sum(terms);
    const gap =
      shown.terms.map(units).reduce((a, b) => a + b) -
      terms.map((term) => units(fixed(term))).reduce((a, b) => a + b);
    const changed = shown.terms.filter((text, n) => text !== fixed(terms[n])).length;
    assert.equal(BigInt(changed), gap < 0n ? -gap : gap);
  });
});

test("a sum with something that is no number, infinite or huge says so instead of adding up", () => {
  forAll(2000, (random) => {
    const odd = random.pick([NaN, Infinity, -Infinity, 1e6, -1e20, 1e300, 1.7e308]);
    const terms = [anyTerm(random), odd, anyTerm(random)];
    const shown = sum(terms);
    const total = terms[0] + terms[1] + terms[2];
    assert.deepEqual(
      shown.terms,
      terms.map((term) => fixed(term)),
    );
    assert.equal(shown.total, fixed(total));
    if (Number.isFinite(total))
      assert.ok(Math.abs(read(shown.total) - total) <= Math.abs(total) * 0.006);
    else assert.ok(Object.is(read(shown.total), total));
  });
  assert.equal(sum([Infinity, -Infinity]).total, "NaN");
});

test("a number is shown with a true minus, as many decimals as asked, and near its value", () => {
  forAll(5000, (random) => {
    const value = anyTerm(random);
    const decimals = random.integer(0, 6);
    const shown = fixed(value, decimals);
    assert.match(shown, PLAIN);
    assert.equal((shown.split(".")[1] ?? "").length, decimals);
    assert.ok(Math.abs(read(shown) - value) <= 0.5 * 10 ** -decimals + 1e-9, `${value} ${shown}`);
  });
});

test("zero has no sign, not even when it was rounded to", () => {
  for (const value of [0, -0, -1e-9, -0.0004999, 1e-9]) assert.equal(fixed(value), "0.000");
  assert.deepEqual(sum([-0, -0.0001]), { terms: ["0.000", "0.000"], total: "0.000" });
});

test("what is no plain number still has a short text that reads back", () => {
  for (const value of [NaN, Infinity, -Infinity]) assert.ok(Object.is(read(fixed(value)), value));
  for (const value of [1e6, -1e6, 3.4e38, -1.5e300, 1.7e308]) {
    const shown = fixed(value);
    assert.ok(shown.length < 12 && !shown.includes("-"), shown);
    assert.ok(Math.abs(read(shown) / value - 1) < 0.01, shown);
  }
});

test("joined terms read as the sum they are", () => {
  forAll(500, (random) => {
    const { terms, total } = sum(random.numbers(random.integer(1, 6), -5, 5));
    const [first, ...rest] = joinTerms(terms).split(" ");
    let added = units(first);
    for (let n = 0; n < rest.length; n += 2) {
      assert.match(rest[n + 1], /^\d/, "one sign is enough");
      added += rest[n] === "+" ? units(rest[n + 1]) : -units(rest[n + 1]);
    }
    assert.equal(added, units(total));
  });
});

test("a small difference is shown by its size", () => {
  assert.equal(tiny(0), "0");
  forAll(1000, (random) => {
    const value = 10 ** random.number(-45, 5);
    const shown = tiny(value);
    assert.match(shown, /^\de−?\d+$/);
    assert.ok(Math.abs(read(shown) / value - 1) <= 0.5, `${value} ${shown}`);
  });
});

test("a subscript holds the digits of its number", () => {
  for (let n = 0; n < 1200; n += 7) {
    const digits = [...subscript(n)].map((ch) => (ch.codePointAt(0) ?? 0) - 0x2080);
    assert.equal(Number(digits.join("")), n);
  }
});

test("only one of a thing is singular", () => {
  assert.equal(plural(1, "byte"), "1 byte");
  for (const count of [0, 2, 10, 101]) assert.equal(plural(count, "byte"), `${count} bytes`);
  assert.equal(plural(1_000_000, "byte"), "1,000,000 bytes");
});
