import assert from "node:assert/strict";
import { test } from "node:test";

import {
  LEVELS,
  colourTable,
  fitted,
  level,
  paintStrip,
  paintVectors,
  parseColour,
  pool,
} from "../../static/js/colour.js";
import { forAll } from "./random.js";

/** @import {Random} from './random.js' */
/** @import {Rgb} from '../../static/js/colour.js' */

const SCALES = /** @type {const} */ (["diverging", "sequential"]);

/** @param {Random} random @returns {Rgb} */
const anyColour = (random) => [
  random.integer(0, 255),
  random.integer(0, 255),
  random.integer(0, 255),
];

/** Red, green, blue and alpha as ImageData has them in memory. @param {number} packed */
const bytes = (packed) => [...new Uint8Array(new Uint32Array([packed]).buffer)];

test("a colour is read from its hexadecimal name, and nothing else is", () => {
  forAll(200, (random) => {
    const rgb = anyColour(random);
    const hex = `#${rgb.map((part) => part.toString(16).padStart(2, "0")).join("")}`;
    assert.deepEqual(parseColour(hex), rgb);
    assert.deepEqual(parseColour(` ${hex.toUpperCase()} `), rgb);
  });
  for (const text of ["", "#fff", "red", "#12345", "#1234567", "#gg0000", "rgb(0,0,0)"]) {
    assert.throws(() => parseColour(text), /is not a colour/);
  }
});

test("a table runs through its stops, opaque, each part between its neighbours", () => {
  forAll(200, (random) => {
    const stops = Array.from({ length: random.integer(2, 4) }, () => anyColour(random));
    const bad = anyColour(random);
    const table = colourTable(stops, bad);
    assert.equal(table.length, LEVELS + 1);
    assert.deepEqual(bytes(table[0]), [...stops[0], 255]);
    assert.deepEqual(bytes(table[LEVELS - 1]), [...stops[stops.length - 1], 255]);
    assert.deepEqual(bytes(table[LEVELS]), [...bad, 255]);
    for (let n = 0; n < LEVELS; n++) {
      const at = (n * (stops.length - 1)) / (LEVELS - 1);
      bytes(table[n])
        .slice(0, 3)
        .forEach((part, k) => {
          const [a, b] = [stops[Math.floor(at)][k], stops[Math.ceil(at)][k]];
          assert.ok(Math.abs(part - (a * (1 - (at % 1)) + b * (at % 1))) <= 0.5 + 1e-9);
        });
    }
  });
});

test("a level grows with its value, from the first colour to the last, and stops at both ends", () => {
  forAll(500, (random) => {
    const low = random.number(-5, 5);
    const high = low + random.number(0.001, 10);
    const values = random.numbers(50, low - 2, high + 2).sort((a, b) => a - b);
    const levels = values.map((value) => level(value, low, high));
    levels.forEach((n, k) => {
      assert.ok(Number.isInteger(n) && n >= 0 && n < LEVELS && n >= (levels[k - 1] ?? 0));
      const inside = Math.min(high, Math.max(low, values[k]));
      const value = low + ((high - low) * n) / (LEVELS - 1);
      assert.ok(
        Math.abs(value - inside) <= (high - low) / (LEVELS - 1) / 2 + 1e-9,
        "the nearest level",
      );
    });
    assert.equal(level(low, low, high), 0);
    assert.equal(level(high, low, high), LEVELS - 1);
  });
});

test("what is no finite number has a level of its own", () => {
  for (const value of [NaN, Infinity, -Infinity]) assert.equal(level(value, -1, 1), LEVELS);
});

test("a fitted scale just holds its values, zero-centred where the map is", () => {
  forAll(1000, (random) => {
    const size = 10 ** random.number(-6, 6);
    const [low, high] = random.numbers(2, -size, size).sort((a, b) => a - b);
    const most = Math.max(Math.abs(low), Math.abs(high));
    assert.deepEqual(fitted(low, high, "diverging"), [-most, most]);
    assert.deepEqual(fitted(low, high, "sequential"), [low, high]);
  });
});

test("a fitted scale is never empty, whatever there is to fit", () => {
  for (const value of [null, 0, -0, 0.25, -3, 1e-30]) {
    for (const scale of SCALES) {
      const [low, high] = fitted(value, value, scale);
      assert.ok(Number.isFinite(low) && low < high, `${value} ${scale}`);
      if (scale === "diverging") assert.equal(low, -high);
      if (value !== null) assert.ok(value >= low && value <= high);
    }
  }
});

test("units that share a row show the strongest of them, or their mean; no number wins", () => {
  forAll(1000, (random) => {
    const data = Float64Array.from(random.numbers(random.integer(1, 12), -2, 2));
    const from = random.integer(0, data.length - 1);
    const to = random.integer(from + 1, data.length);
    const part = [...data.slice(from, to)];
    const strongest = part.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a));
    assert.equal(pool(data, from, to, "diverging"), strongest);
    const mean = part.reduce((a, b) => a + b / part.length, 0);
    assert.ok(Math.abs(pool(data, from, to, "sequential") - mean) < 1e-12);
    data[random.integer(from, to - 1)] = random.pick([NaN, Infinity, -Infinity]);
    for (const scale of SCALES) assert.ok(!Number.isFinite(pool(data, from, to, scale)));
  });
});

test("a strip's pixel is the colour of its units", () => {
  forAll(500, (random) => {
    const units = random.integer(1, 60);
    const each = random.integer(1, 5);
    const length = Math.ceil(units / each);
    const scale = random.pick(SCALES);
    const values = (random.flip() ? Float32Array : Float64Array).from(
      random.numbers(units, -1.5, 1.5),
    );
    if (random.flip()) values[random.integer(0, units - 1)] = random.pick([NaN, Infinity]);
    const table = colourTable([anyColour(random), anyColour(random)], anyColour(random));
    // What stood there before must be overwritten.
    const pixels = new Uint32Array(length).fill(7);
    paintStrip(pixels, values, each, { low: -1, high: 1, scale, table });
    for (let n = 0; n < length; n++) {
      const of = [...values.slice(n * each, (n + 1) * each)];
      const bad = of.find((value) => !Number.isFinite(value));
      const strongest = of.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a));
      const mean = of.reduce((a, b) => a + b, 0) / of.length;
      const shown = bad ?? (scale === "diverging" ? strongest : mean);
      assert.equal(pixels[n], table[level(shown, -1, 1)]);
    }
  });
});

test("every unit of every timestep has one square in the picture of its cell, in reading order", () => {
  forAll(200, (random) => {
    const [units, timesteps] = [random.integer(1, 40), random.integer(1, 6)];
    const grid = { columns: random.integer(1, units), rows: 0 };
    grid.rows = Math.ceil(units / grid.columns);
    const first = random.integer(0, timesteps - 1);
    const last = random.integer(first + 1, timesteps);
    const data = Float32Array.from({ length: units * timesteps }, () => random.number(-1, 1));
    const table = Uint32Array.from({ length: LEVELS + 1 }, (_, n) => n + 1);
    const width = (last - first) * grid.columns;
    const pixels = new Uint32Array(width * grid.rows);
    // What has not come yet is left as it is.
    const missing = random.flip() ? random.integer(first, last - 1) : -1;
    const rowAt = (/** @type {number} */ t) =>
      t === missing ? undefined : data.subarray(t * units, (t + 1) * units);
    paintVectors(pixels, rowAt, { units, first, last, grid }, { low: -1, high: 1, table });
    const expected = new Uint32Array(pixels.length);
    for (let t = first; t < last; t++) {
      for (let unit = 0; unit < units && t !== missing; unit++) {
        const x = (t - first) * grid.columns + (unit % grid.columns);
        const y = Math.floor(unit / grid.columns);
        expected[y * width + x] = table[level(data[t * units + unit], -1, 1)];
      }
    }
    assert.deepEqual(pixels, expected);
  });
});
