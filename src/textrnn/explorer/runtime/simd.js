// The product of weights and a state in WebAssembly, four numbers at a time: three to four times as fast as JavaScript,
// which has no vectors. Its bytes are written here by hand, so that no other tool is needed; where a browser does not take
// them, products.js computes.

import { product } from "./products.js";

function moduleBytes() {
  const [GET, SET, TEE, I32, ADD, LESS, VECTOR] = [0x20, 0x21, 0x22, 0x41, 0x6a, 0x49, 0xfd];
  const get = (local) => [GET, local];
  const load = [VECTOR, 0x00, 4, 0]; // aligned to 2^4 bytes, at offset 0
  const store = [VECTOR, 0x0b, 4, 0];
  const multiply = [VECTOR, 0xe6, 0x01]; // f32x4.mul
  const sum = [VECTOR, 0xe4, 0x01]; // f32x4.add
  const zero = [VECTOR, 0x0c, ...new Array(16).fill(0)];
  /** Of two vectors: the numbers at these places, those of the second being 4 to 7. */
  const bytesOf = (place) => [0, 1, 2, 3].map((byte) => 4 * place + byte);
  const shuffle = (...places) => [VECTOR, 0x0d, ...places.flatMap(bytesOf)];
  const plus = (local, by) => [GET, local, ...by, ADD];

  // Parameters: where weight, x and out begin, where out ends, and the bytes of a row of the weights, a multiple of 16.
  const [WEIGHT, X, OUT, END, STRIDE, K, A, B, C, D, VALUE, S0, S1, S2, S3, U0] = Array(16).keys();
  const term = (row) => [...plus(row, get(K)), ...load, ...get(VALUE), ...multiply];
  const lined = (one, other, ...places) => [...get(one), ...get(other), ...shuffle(...places)];
  const rowsOf = [A, B, C, D];
  const sums = [S0, S1, S2, S3];

  const body = [
    ...[0x03, 0x40], // loop over four rows at a time
    ...[...get(WEIGHT), SET, A],
    ...[1, 2, 3].flatMap((row) => [...plus(rowsOf[row - 1], get(STRIDE)), SET, rowsOf[row]]),
    ...sums.flatMap((local) => [...zero, SET, local]),
    ...[I32, 0, SET, K],
    ...[0x03, 0x40], // loop over four columns at a time
    ...[...plus(X, get(K)), ...load, SET, VALUE],
    ...sums.flatMap((local, row) => [...get(local), ...term(rowsOf[row]), ...sum, SET, local]),
    ...[...plus(K, [I32, 16]), TEE, K, ...get(STRIDE), LESS, 0x0d, 0], // again while k < stride
    0x0b,
    // Each of the four sums lies in four parts: [a0 a1 a2 a3], …; out is [a0 + a1 + a2 + a3, b…, c…, d…].
    ...[...get(OUT)],
    ...[...lined(S0, S1, 0, 4, 1, 5), ...lined(S0, S1, 2, 6, 3, 7), ...sum, SET, U0],
    ...[...lined(S2, S3, 0, 4, 1, 5), ...lined(S2, S3, 2, 6, 3, 7), ...sum, SET, S0],
    ...[...lined(U0, S0, 0, 1, 4, 5), ...lined(U0, S0, 2, 3, 6, 7), ...sum, ...store],
    ...[...plus(D, get(STRIDE)), SET, WEIGHT],
    ...[...plus(OUT, [I32, 16]), TEE, OUT, ...get(END), LESS, 0x0d, 0], // again while there are rows
    ...[0x0b, 0x0b],
  ];

  /** Unsigned LEB128. */
  const leb = (value) => (value < 128 ? [value] : [(value & 127) | 128, ...leb(value >>> 7)]);
  const section = (id, content) => [id, ...leb(content.length), ...content];
  const name = (text) => [text.length, ...Array.from(text, (character) => character.charCodeAt(0))];

  const [i32, v128] = [0x7f, 0x7b];
  const code = [...[2, 5, i32, 6, v128], ...body]; // locals after the parameters: K A B C D, then vectors
  return new Uint8Array([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, 5, i32, i32, i32, i32, i32, 0]), // a function of five integers
    ...section(2, [1, ...name("page"), ...name("memory"), 2, 0, 1]),
    ...section(3, [1, 0]),
    ...section(7, [1, ...name("product"), 0, 0]),
    ...section(10, [1, ...leb(code.length), ...code]),
  ]);
}

/** The compiled module; null where the browser has no vectors. */
export function compiledProduct() {
  try {
    return new WebAssembly.Module(moduleBytes());
  } catch {
    return null;
  }
}

const PAGE = 65536;
const padded = (count) => 4 * Math.ceil(count / 4);

/** The memory in which the weights of one network lie, and one place each for x and the products. */
export class Arena {
  constructor(module) {
    this.memory = new WebAssembly.Memory({ initial: 1 });
    this.product = new WebAssembly.Instance(module, { page: { memory: this.memory } }).exports.product;
    this.used = 0;
    this.floats = new Float32Array(this.memory.buffer);
  }

  /** A place for so many numbers, all zero. */
  place(count) {
    const begin = this.used;
    this.used += padded(count);
    const missing = 4 * this.used - this.memory.buffer.byteLength;
    if (missing > 0) {
      this.memory.grow(Math.ceil(missing / PAGE));
      this.floats = new Float32Array(this.memory.buffer);
    }
    return begin;
  }

  /** A function like `product` of products.js for these weights [rows, columns] and this bias, which may be null. */
  productOf(weight, bias, rows, columns) {
    const stride = padded(columns);
    const [weightAt, xAt, outAt] = [this.place(padded(rows) * stride), this.place(stride), this.place(rows)];
    for (let r = 0; r < rows; r++) {
      this.floats.set(weight.subarray(r * columns, (r + 1) * columns), weightAt + r * stride);
    }
    return (x, from, out, to) => {
      const { floats } = this;
      for (let k = 0; k < columns; k++) floats[xAt + k] = x[from + k];
      this.product(4 * weightAt, 4 * xAt, 4 * outAt, 4 * (outAt + padded(rows)), 4 * stride);
      if (bias) for (let r = 0; r < rows; r++) out[to + r] = floats[outAt + r] + bias[r];
      else for (let r = 0; r < rows; r++) out[to + r] = floats[outAt + r];
    };
  }
}

/** The same in JavaScript. */
export const plainProductOf = (weight, bias, rows, columns) => (x, from, out, to) =>
  product(weight, bias, x, from, out, to, rows, columns);
