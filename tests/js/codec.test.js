import assert from "node:assert/strict";
import { test } from "node:test";

import { decode, fromHalves } from "../../static/js/codec.js";
import { forAll } from "./random.js";

/** @typedef {{dtype: string, shape: number[], values: number[]}} Entry */

/** Bytes of one number. @type {Record<string, number>} */
const SIZES = { F16: 2, F32: 4, F64: 8 };

/**
 * A safetensors file, byte by byte as its specification says.
 * @param {[string, Entry][]} entries
 * @param {{pad?: number, metadata?: boolean, gap?: number}} [options]
 */
function build(entries, { pad = 0, metadata = false, gap = 0 } = {}) {
  /** @type {Record<string, unknown>} */
  const header = metadata ? { __metadata__: { format: "pt" } } : {};
  let at = 0;
  for (const [name, { dtype, shape, values }] of entries) {
    at += gap;
    const end = at + values.length * SIZES[dtype];
    header[name] = { dtype, shape, data_offsets: [at, end] };
    at = end;
  }
  const data = new DataView(new ArrayBuffer(at));
  at = 0;
  for (const [, { dtype, values }] of entries) {
    at += gap;
    for (const value of values) {
      if (dtype === "F16")
        data.setUint16(at, value, true); // its bits
      else if (dtype === "F32") data.setFloat32(at, value, true);
      else data.setFloat64(at, value, true);
      at += SIZES[dtype];
    }
  }
  return join(JSON.stringify(header) + " ".repeat(pad), new Uint8Array(data.buffer));
}

/**
 * @param {string} json
 * @param {Uint8Array} data
 * @param {bigint} [length]  what the file says the header's length is
 */
function join(json, data, length) {
  const header = new TextEncoder().encode(json);
  const file = new Uint8Array(8 + header.length + data.length);
  new DataView(file.buffer).setBigUint64(0, length ?? BigInt(header.length), true);
  file.set(header, 8);
  file.set(data, 8 + header.length);
  return file.buffer;
}

/** Spaces that bring the data to a multiple of eight, as safetensors writes them. @param {[string, Entry][]} entries */
function aligned(entries) {
  for (let pad = 0; ; pad++) {
    const file = build(entries, { pad });
    if (Number(new DataView(file).getBigUint64(0, true)) % 8 === 0) return file;
  }
}

test("what was written comes back: names, shapes and every number, wherever the data start", () => {
  const odd = [0, -0, Infinity, -Infinity, NaN, 1e-45, 5e-324, 3.4e38, 1e308];
  forAll(200, (random) => {
    /** @type {[string, Entry][]} */
    const entries = Array.from({ length: random.integer(0, 5) }, (_, n) => {
      const dtype = random.pick(["F32", "F64"]);
      const shape = Array.from({ length: random.integer(0, 3) }, () => random.integer(0, 4));
      const length = shape.reduce((a, b) => a * b, 1);
      const values = Array.from({ length }, () =>
        random.flip() ? random.pick(odd) : random.number(-9, 9),
      );
      return [`${n}.forward.c é"\n`, { dtype, shape, values }];
    });
    const options = {
      pad: random.integer(0, 9),
      metadata: random.flip(),
      gap: random.integer(0, 3),
    };
    const arrays = decode(build(entries, options));
    assert.deepEqual(
      [...arrays.keys()],
      entries.map(([name]) => name),
    );
    for (const [name, { dtype, shape, values }] of entries) {
      const array = arrays.get(name);
      assert.ok(array);
      assert.deepEqual(array.shape, shape);
      assert.ok(array.data instanceof (dtype === "F32" ? Float32Array : Float64Array));
      const expected = dtype === "F32" ? values.map(Math.fround) : values;
      assert.deepEqual([...array.data], expected);
    }
  });
});

/**
 * A half-precision number by way of the single-precision one with the same bits in other places, as
 * IEEE 754 lays them out.
 * @param {number} bits
 */
function halfBySingle(bits) {
  const view = new DataView(new ArrayBuffer(4));
  const sign = (bits & 0x8000) << 16;
  let exponent = (bits >> 10) & 31;
  let fraction = bits & 1023;
  if (exponent === 31) exponent = 255;
  else if (exponent) exponent += 112;
  else if (fraction) {
    // No leading one: shifted up until there is.
    exponent = 113;
    for (; fraction < 1024; exponent--) fraction <<= 1;
    fraction &= 1023;
  }
  view.setUint32(0, (sign | (exponent << 23) | (fraction << 13)) >>> 0);
  return view.getFloat32(0);
}

test("every half-precision number there is comes back as IEEE 754 says", () => {
  const bits = Uint16Array.from({ length: 1 << 16 }, (_, n) => n);
  const numbers = fromHalves(bits);
  assert.deepEqual([...numbers], Array.from(bits, halfBySingle));
  const known = { 0x3c00: 1, 0xc000: -2, 0x7bff: 65504, 0x0001: 2 ** -24, 0x3555: 0.333251953125 };
  for (const [half, value] of Object.entries(known)) assert.equal(numbers[Number(half)], value);
  assert.ok(Object.is(numbers[0x8000], -0) && Object.is(numbers[0], 0));
  // Where there is an implementation of the engine's own, that says the same.
  const own = /** @type {{Float16Array?: new (buffer: ArrayBuffer) => ArrayLike<number>}} */ (
    globalThis
  ).Float16Array;
  if (own) assert.deepEqual([...numbers], Array.from(new own(bits.buffer)));
});

test("half-precision numbers are read wherever they lie, between others", () => {
  forAll(100, (random) => {
    const values = Array.from({ length: random.integer(0, 9) }, () => random.integer(0, 0xffff));
    /** @type {[string, Entry][]} */
    const entries = [
      ["a", { dtype: "F16", shape: [values.length], values }],
      ["b", { dtype: "F32", shape: [2], values: [1.5, -3] }],
    ];
    const arrays = decode(build(entries, { pad: random.integer(0, 9), gap: random.integer(0, 3) }));
    assert.deepEqual(arrays.get("a")?.shape, [values.length]);
    assert.deepEqual([...(arrays.get("a")?.data ?? [])], values.map(halfBySingle));
    assert.deepEqual([...(arrays.get("b")?.data ?? [])], [1.5, -3]);
  });
});

test("arrays of a file that is aligned are views of its bytes, not copies", () => {
  const file = aligned([
    ["a", { dtype: "F64", shape: [2], values: [1, 2] }],
    ["b", { dtype: "F32", shape: [1, 3], values: [3, 4, 5] }],
  ]);
  for (const array of decode(file).values()) assert.equal(array.data.buffer, file);
});

test("a file cut off anywhere is refused", () => {
  const file = aligned([["a", { dtype: "F32", shape: [3], values: [1, 2, 3] }]]);
  assert.equal(decode(file).size, 1);
  for (let length = 0; length < file.byteLength; length++) {
    assert.throws(() => decode(file.slice(0, length)), Error, `${length} bytes`);
  }
});

test("a header that lies about its own length is refused", () => {
  for (const length of [3n, 1n << 20n, (1n << 53n) + 1n, (1n << 64n) - 1n]) {
    assert.throws(() => decode(join('{"a":1}', new Uint8Array(8), length)), Error, String(length));
  }
});

test("a header that lies about its data is refused, and the message names the array", () => {
  const data = new Uint8Array(16);
  /** @type {[string, number[], number[]][]} */
  const lies = [
    ["more numbers than bytes", [5], [0, 16]],
    ["fewer numbers than bytes", [3], [0, 16]],
    ["past the end of the file", [8], [0, 32]],
    ["starts past the end", [1], [1000, 1004]],
    ["ends before it starts", [4], [16, 0]],
    ["starts in the header", [4], [-16, 0]],
    ["negative axes", [-2, -2], [0, 8]],
    ["a fraction of a byte", [4], [0.5, 16.5]],
  ];
  for (const [name, shape, data_offsets] of lies) {
    const header = JSON.stringify({ liar: { dtype: "F32", shape, data_offsets } });
    assert.throws(() => decode(join(header.padEnd(128), data)), /liar/, name);
  }
});

test("a type of number it cannot read is refused by name", () => {
  for (const dtype of ["I64", "BF16", "U16", "toString", "__proto__", ""]) {
    const header = JSON.stringify({ "0.forward.h": { dtype, shape: [1], data_offsets: [0, 4] } });
    assert.throws(() => decode(join(header, new Uint8Array(4))), /0\.forward\.h/, dtype);
  }
  const header = JSON.stringify({ ids: { dtype: "I64", shape: [1], data_offsets: [0, 8] } });
  assert.throws(() => decode(join(header, new Uint8Array(8))), /I64.*F32.*F64.*F16/);
});

test("bytes that are no safetensors file are refused", () => {
  for (const text of ["", "{", "<!doctype html><title>Sign in</title>", "null", "[]x"]) {
    assert.throws(() => decode(new TextEncoder().encode(text).buffer), Error, text);
    assert.throws(() => decode(join(text || "{]", new Uint8Array(0))), Error, text);
  }
});
