import assert from "node:assert/strict";
import { test } from "node:test";

import { webm } from "../../static/js/keep/webm.js";
import { createRandom } from "./random.js";

/** @typedef {{id: number, at: number, data: Uint8Array, children: Element[]}} Element */

const MASTERS = new Set([
  0x1a45dfa3, 0x18538067, 0x1549a966, 0x1654ae6b, 0xae, 0xe0, 0x1c53bb6b, 0xbb, 0xb7, 0x1f43b675,
]);

/**
 * A variable-length number: its value, with and without the bit that tells its length.
 * @param {Uint8Array} bytes
 * @param {number} at
 */
function variable(bytes, at) {
  const length = Math.clz32(bytes[at]) - 23;
  const digits = [...bytes.subarray(at, at + length)];
  const join = (/** @type {number[]} */ all) => all.reduce((sum, digit) => sum * 256 + digit, 0);
  const [first, ...rest] = digits;
  return { length, raw: join(digits), value: join([first & (0xff >> length), ...rest]) };
}

/** EBML, https://www.rfc-editor.org/rfc/rfc8794. @param {Uint8Array} bytes @param {number} [from] @returns {Element[]} */
function parse(bytes, from = 0) {
  /** @type {Element[]} */
  const found = [];
  for (let at = 0; at < bytes.length;) {
    const id = variable(bytes, at);
    const size = variable(bytes, at + id.length);
    const start = at + id.length + size.length;
    const data = bytes.subarray(start, start + size.value);
    assert.equal(data.length, size.value, "an element longer than the file");
    const children = MASTERS.has(id.raw) ? parse(data, from + start) : [];
    found.push({ id: id.raw, at: from + at, data, children });
    at = start + size.value;
  }
  return found;
}

/** @param {Element[]} elements @param {number[]} path  ids, from the outside in @returns {Element[]} */
const find = (elements, [id, ...rest]) => {
  const here = elements.filter((element) => element.id === id);
  return rest.length ? here.flatMap(({ children }) => find(children, rest)) : here;
};

/** @param {Element} element */
const number = ({ data }) => data.reduce((value, digit) => value * 256 + digit, 0);
/** @param {Element} element */
const text = ({ data }) => new TextDecoder().decode(data);

/** @param {import('../../static/js/keep/webm.js').Frame[]} frames @param {number} duration */
async function made(frames, duration) {
  const blob = webm({ codec: "V_VP9", width: 1280, height: 722, duration, frames });
  assert.equal(blob.type, "video/webm");
  return parse(new Uint8Array(await blob.arrayBuffer()));
}

/** @param {number} seed */
function anyFrames(seed) {
  const random = createRandom(seed);
  let time = 0;
  return Array.from({ length: random.integer(1, 200) }, (_, n) => {
    const frame = {
      time,
      key: n % 24 === 0,
      data: Uint8Array.from({ length: random.integer(1, 400) }, () => random.integer(0, 255)),
    };
    time += random.integer(1, 3000);
    return frame;
  });
}

test("a video says what it is, how large and how long", async () => {
  const file = await made([{ time: 0, key: true, data: Uint8Array.of(1) }], 2500.5);
  assert.deepEqual(
    file.map(({ id }) => id),
    [0x1a45dfa3, 0x18538067],
  );
  assert.equal(text(find(file, [0x1a45dfa3, 0x4282])[0]), "webm");
  const track = [0x18538067, 0x1654ae6b, 0xae];
  assert.equal(text(find(file, [...track, 0x86])[0]), "V_VP9");
  assert.equal(number(find(file, [...track, 0xe0, 0xb0])[0]), 1280);
  assert.equal(number(find(file, [...track, 0xe0, 0xba])[0]), 722);
  const [duration] = find(file, [0x18538067, 0x1549a966, 0x4489]);
  assert.equal(new DataView(duration.data.slice().buffer).getFloat64(0), 2500.5);
});

test("every frame comes back with its time, whatever the pauses", async () => {
  for (let seed = 1; seed <= 12; seed++) {
    const frames = anyFrames(seed);
    const file = await made(frames, 1000);
    const found = find(file, [0x18538067, 0x1f43b675]).flatMap(({ children }) => {
      const [start] = find(children, [0xe7]);
      return find(children, [0xa3]).map(({ data }) => {
        assert.equal(data[0], 0x81);
        const after = new DataView(data.slice(1, 3).buffer).getInt16(0);
        return { time: number(start) + after, key: data[3] === 0x80, data: data.slice(4) };
      });
    });
    assert.deepEqual(found, frames);
  }
});

test("the cues lead to the clusters, and each begins with a frame that stands for itself", async () => {
  const frames = anyFrames(7).map((frame, n) => ({ ...frame, time: n * 100 }));
  const file = await made(frames, frames.length * 100);
  const [segment] = file.filter(({ id }) => id === 0x18538067);
  const inside = segment.at + 4 + 8;
  const clusters = find(file, [0x18538067, 0x1f43b675]);
  assert.equal(clusters.length, Math.ceil(frames.length / 24));
  const cues = find(file, [0x18538067, 0x1c53bb6b, 0xbb]).map(({ children }) => [
    number(find(children, [0xb3])[0]),
    number(find(children, [0xb7, 0xf1])[0]),
  ]);
  assert.deepEqual(
    cues,
    clusters.map(({ at, children }) => [number(find(children, [0xe7])[0]), at - inside]),
  );
  for (const { children } of clusters) assert.equal(find(children, [0xa3])[0].data[3], 0x80);
});
