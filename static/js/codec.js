// safetensors, read where it lies: typed-array views on the bytes that came, no copies.
// Format: 8 bytes little-endian header length, JSON header, data. https://huggingface.co/docs/safetensors

/** @import {NDArray} from './types.js' */

/** @type {Record<string, typeof Float32Array | typeof Float64Array | typeof Uint16Array>} */
const TYPES = { F32: Float32Array, F64: Float64Array, F16: Uint16Array };

/** Every half-precision number, by its bits; made when the first one comes. @type {Float32Array | null} */
let halves = null;

/** IEEE 754 binary16 to numbers. @param {Uint16Array} bits */
export function fromHalves(bits) {
  halves ??= Float32Array.from({ length: 1 << 16 }, (_, n) => half(n));
  const table = halves;
  const numbers = new Float32Array(bits.length);
  for (let n = 0; n < bits.length; n++) numbers[n] = table[bits[n]];
  return numbers;
}

/** @param {number} bits */
function half(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction ? NaN : sign * Infinity;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

/**
 * Name → array. Throws an Error that says what is wrong with the file.
 * @param {ArrayBuffer} buffer
 * @returns {Map<string, NDArray>}
 */
export function decode(buffer) {
  if (buffer.byteLength < 8) throw new Error(`${buffer.byteLength} bytes are no safetensors file`);
  const headerLength = Number(new DataView(buffer).getBigUint64(0, true));
  const dataStart = 8 + headerLength;
  if (dataStart > buffer.byteLength) {
    throw new Error(`the header says ${headerLength} bytes, the file has ${buffer.byteLength}`);
  }
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, headerLength)));
  /** @type {Map<string, NDArray>} */
  const arrays = new Map();
  for (const [name, entry] of Object.entries(header)) {
    if (name !== "__metadata__") arrays.set(name, view(buffer, dataStart, name, entry));
  }
  return arrays;
}

/**
 * @param {ArrayBuffer} buffer
 * @param {number} dataStart
 * @param {string} name
 * @param {{dtype: string, shape: number[], data_offsets: [number, number]}} entry
 * @returns {NDArray}
 */
function view(buffer, dataStart, name, { dtype, shape, data_offsets: [from, to] }) {
  const Type = TYPES[dtype];
  if (!Type) throw new Error(`${name}: cannot read ${dtype}, only ${Object.keys(TYPES)}`);
  const size = Type.BYTES_PER_ELEMENT;
  const length = shape.reduce((product, axis) => product * axis, 1);
  if (from < 0 || to - from !== length * size || dataStart + to > buffer.byteLength) {
    throw new Error(`${name}: shape ${shape} does not fit bytes ${from}…${to}`);
  }
  const at = dataStart + from;
  // A view must start on a multiple of its size; ours always does, a stranger's file may not.
  const data =
    at % size ? new Type(buffer.slice(at, dataStart + to)) : new Type(buffer, at, length);
  return { shape, data: data instanceof Uint16Array ? fromHalves(data) : data };
}
