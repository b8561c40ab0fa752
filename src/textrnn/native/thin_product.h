// Products of a few rows with a matrix whose rows are contiguous: it is read in place, once, where packing it would take
// longer than the product. Every element is summed in the order of k, as in `multiply_block`, so it has the same bits.
#pragma once
#include "internal.h"
#include "simd.h"

namespace textrnn::TEXTRNN_ISA {

constexpr int64_t THIN = 4;  // rows

INLINE bool is_thin(const textrnn_product &p) {
  if (p.m > THIN || p.n % W || p.row_sums) return false;
  for (int f = 0; f < p.factors; f++)
    if (p.factor[f].b_column != 1) return false;
  return true;
}

template <int M, int N>
INLINE void multiply_thin(const textrnn_product &p, int64_t column) {
  V acc[M][N];
#pragma GCC unroll 4
  for (int r = 0; r < M; r++)
#pragma GCC unroll 4
    for (int v = 0; v < N; v++) acc[r][v] = p.bias ? load(p.bias + column + v * W) : V{};
  for (int f = 0; f < p.factors; f++) {
    const textrnn_factor &part = p.factor[f];
    for (int64_t k = 0; k < part.k; k++) {
      const float *b = part.b + k * part.b_row + column;
#pragma GCC unroll 4
      for (int r = 0; r < M; r++) {
        const V x = splat(part.a[r * part.a_row + k * part.a_column]);
#pragma GCC unroll 4
        for (int v = 0; v < N; v++) acc[r][v] = fma(x, load(b + v * W), acc[r][v]);
      }
    }
  }
#pragma GCC unroll 4
  for (int r = 0; r < M; r++)
#pragma GCC unroll 4
    for (int v = 0; v < N; v++) store(p.c + r * p.c_row + column + v * W, acc[r][v]);
}

template <int M>
INLINE void multiply_thin_rows(const textrnn_product &p, int64_t column, int64_t end) {
  for (; column + 4 * W <= end; column += 4 * W) multiply_thin<M, 4>(p, column);
  for (; column < end; column += W) multiply_thin<M, 1>(p, column);
}

// Columns first to end of C.
static void thin_tile(const textrnn_product &p, int64_t first, int64_t end) {
  switch (p.m) {
    case 1: return multiply_thin_rows<1>(p, first, end);
    case 2: return multiply_thin_rows<2>(p, first, end);
    case 3: return multiply_thin_rows<3>(p, first, end);
    default: return multiply_thin_rows<4>(p, first, end);
  }
}

}  // namespace
