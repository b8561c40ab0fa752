// The products that take nearly all of the time.

/** out[r] = bias[r] + sum_k weight[r, k] x[k]: four rows at a time, so that x is read a quarter as often and four sums
 * are under way at once. weight: [rows, columns], row by row; bias may be null. */
export function product(weight, bias, x, xAt, out, outAt, rows, columns) {
  const whole = rows - (rows % 4);
  for (let r = 0; r < whole; r += 4) {
    const a = r * columns;
    const b = a + columns;
    const c = b + columns;
    const d = c + columns;
    let [s0, s1, s2, s3] = [0, 0, 0, 0];
    for (let k = 0; k < columns; k++) {
      const value = x[xAt + k];
      s0 += weight[a + k] * value;
      s1 += weight[b + k] * value;
      s2 += weight[c + k] * value;
      s3 += weight[d + k] * value;
    }
    out[outAt + r] = s0;
    out[outAt + r + 1] = s1;
    out[outAt + r + 2] = s2;
    out[outAt + r + 3] = s3;
  }
  for (let r = whole; r < rows; r++) out[outAt + r] = dot(weight, r * columns, x, xAt, columns);
  if (bias) for (let r = 0; r < rows; r++) out[outAt + r] += bias[r];
}

/** sum_k one[k] other[k] */
export function dot(one, oneAt, other, otherAt, count) {
  let sum = 0;
  for (let k = 0; k < count; k++) sum += one[oneAt + k] * other[otherAt + k];
  return sum;
}

export const sigmoid = (x) => (x >= 0 ? 1 / (1 + Math.exp(-x)) : 1 - 1 / (1 + Math.exp(x)));

/** ln(1 + exp(x)) without overflow. */
export const softplus = (x) => Math.log1p(Math.exp(-Math.abs(x))) + Math.max(x, 0);

/** sum_j direction[j] values[at + j * step] */
export function along(direction, values, at, step) {
  let sum = 0;
  for (let j = 0; j < direction.length; j++) sum += direction[j] * values[at + j * step];
  return sum;
}
