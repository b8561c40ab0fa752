// The last columns of a product where there are too few of them for a vector, such as the last 4 of 100 features: a vector
// along m or k, whichever is contiguous in A, wastes no lanes, where one along n would waste most of them.
#pragma once
#include "internal.h"
#include "simd.h"

namespace textrnn::TEXTRNN_ISA {

constexpr int64_t NARROW_DEPTH = 256;  // of k at a time, at most
constexpr int64_t NARROW = W / 2;  // columns, at most: from here on a vector along n takes no longer

// The columns of C that are to be computed so: the last ones of a product, or none.
INLINE int64_t narrow_columns(const textrnn_product &p, bool last) {
  const int64_t columns = p.n % W;
  if (!last || columns > NARROW) return 0;
  for (int f = 0; f < p.factors; f++)
    if (p.factor[f].a_row != 1 && p.factor[f].a_column != 1) return 0;
  return columns;
}

// What is added to: the numbers of a column of C, or those of `bias` where it begins.
struct NarrowSum {
  float *c;
  int64_t c_row;
  const float *bias;
  void add(int64_t row, int64_t column, float sum) const {
    float &to = c[row * c_row + column];
    to = (bias ? bias[column] : to) + sum;
  }
};

// N vectors of rows of A, whose columns are contiguous, times R columns of B; and the sums of these rows over k.
template <int N, int R, bool SUMS>
INLINE void multiply_down(const float *a, int64_t a_column, int64_t rows, const float *b, int64_t b_row, int64_t b_column,
                          int64_t depth, const NarrowSum &to, int64_t row, int64_t column, float *row_sums) {
  V acc[N][R + 1];
#pragma GCC unroll 4
  for (int v = 0; v < N; v++)
#pragma GCC unroll 8
    for (int r = 0; r <= R; r++) acc[v][r] = V{};
  for (int64_t k = 0; k < depth; k++, a += a_column, b += b_row) {
    V x[N];
#pragma GCC unroll 4
    for (int v = 0; v < N; v++) {
      x[v] = rows >= (v + 1) * W ? load(a + v * W) : load_some(a + v * W, rows - v * W);
      if (SUMS) acc[v][R] += x[v];
    }
#pragma GCC unroll 8
    for (int r = 0; r < R; r++) {
      const V y = splat(b[r * b_column]);
#pragma GCC unroll 4
      for (int v = 0; v < N; v++) acc[v][r] = fma(x[v], y, acc[v][r]);
    }
  }
  for (int64_t i = 0; i < rows && i < N * W; i++) {
#pragma GCC unroll 8
    for (int r = 0; r < R; r++) to.add(row + i, column + r, acc[i / W][r][i % W]);
    if (SUMS) row_sums[row + i] += acc[i / W][R][i % W];
  }
}

// W / R rows of A, which are contiguous, times R columns of B turned to rows: a sum for each lane.
template <int R>
INLINE void multiply_along(const float *a, int64_t a_row, int64_t rows, const float *turned, int64_t depth,
                           const NarrowSum &to, int64_t row, int64_t column) {
  constexpr int M = W / R;
  V acc[W];
#pragma GCC unroll 16
  for (int i = 0; i < W; i++) acc[i] = V{};
  for (int64_t k = 0; k < depth; k += W) {
    V y[R];
#pragma GCC unroll 16
    for (int r = 0; r < R; r++) y[r] = load(turned + r * NARROW_DEPTH + k);
#pragma GCC unroll 16
    for (int m = 0; m < M; m++) {
      const float *from = a + (m < rows ? m : 0) * a_row + k;
      const V x = k + W <= depth ? load(from) : load_some(from, depth - k);
#pragma GCC unroll 16
      for (int r = 0; r < R; r++) acc[m * R + r] = fma(x, y[r], acc[m * R + r]);
    }
  }
  const V sums = sums_of_lanes(acc);
  for (int64_t i = 0; i < W && i / R < rows; i++) to.add(row + i / R, column + i % R, sums[i]);
}

template <int R, bool SUMS>
INLINE void multiply_columns(const textrnn_factor &part, int64_t m0, int64_t m, int64_t k0, int64_t depth, const float *b,
                             const float *turned, const NarrowSum &to, int64_t column, float *row_sums) {
  const float *a = part.a + m0 * part.a_row + k0 * part.a_column;
  int64_t i = 0;
  if (part.a_row == 1) {
    for (; i + 4 * W <= m; i += 4 * W)
      multiply_down<4, R, SUMS>(a + i, part.a_column, 4 * W, b, part.b_row, part.b_column, depth, to, i, column, row_sums);
    for (; i < m; i += W)
      multiply_down<1, R, SUMS>(a + i, part.a_column, m - i, b, part.b_row, part.b_column, depth, to, i, column, row_sums);
  } else {
    for (; i < m; i += W / R) multiply_along<R>(a + i * part.a_row, part.a_row, m - i, turned, depth, to, i, column);
  }
}

// `count` columns from n0 on, rows m0 to m0 + m, for `depth` values of k. With `row_sums` those of A are added to them, if its
// columns are contiguous.
static void narrow_tile(const textrnn_factor &part, int64_t m0, int64_t m, int64_t k0, int64_t depth, int64_t n0, int64_t count,
                        const NarrowSum &to, int64_t column, float *row_sums) {
  const float *b = part.b + k0 * part.b_row + n0 * part.b_column;
  alignas(64) float turned[NARROW * NARROW_DEPTH];
  if (part.a_row != 1)
    for (int64_t r = 0; r < count; r++) {
      float *row = turned + r * NARROW_DEPTH;
      for (int64_t k = 0; k < depth; k++) row[k] = b[k * part.b_row + r * part.b_column];
      for (int64_t k = depth; k % W; k++) row[k] = 0.f;
    }
  int64_t r = 0;
  if (part.a_row == 1 && row_sums) {
    if (count >= 4) multiply_columns<4, true>(part, m0, m, k0, depth, b, turned, to, column, row_sums), r = 4;
    else multiply_columns<1, true>(part, m0, m, k0, depth, b, turned, to, column, row_sums), r = 1;
  }
  for (; r + 4 <= count; r += 4)
    multiply_columns<4, false>(part, m0, m, k0, depth, b + r * part.b_column, turned + r * NARROW_DEPTH, to, column + r, nullptr);
  for (; r < count; r++)
    multiply_columns<1, false>(part, m0, m, k0, depth, b + r * part.b_column, turned + r * NARROW_DEPTH, to, column + r, nullptr);
}

}  // namespace textrnn::TEXTRNN_ISA
