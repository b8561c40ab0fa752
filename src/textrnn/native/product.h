// Products of matrices, a tile of C at a time, with the sums in registers.
//
// B is packed into panels. A is packed where its rows are not contiguous (a transposed factor: reading it down a column would
// use two of a cache's 64 sets); rows that are contiguous are read in place.
#pragma once
#include "internal.h"
#include "phases.h"
#include "simd.h"
#include "thin_product.h"

namespace textrnn::TEXTRNN_ISA {

#if defined(__AVX512F__)
constexpr int MR = 6, NV = 4;
#else
constexpr int MR = 4, NV = 2;
#endif
constexpr int64_t DEPTH = 256;  // of k at a time: the packed tiles stay in the second-level cache

constexpr int64_t AHEAD = 16;   // values of k between asking memory for a row and packing it

// c [MR, N vectors but for the `missing` last numbers] += sum over k of a[r * a_row + k * a_column] b[k][N vectors]; with `bias`
// that instead of what was in c. Rows are given by their addresses.
template <int N>
INLINE void multiply_block(const float *const (&a)[MR], int64_t a_column, const float *b, int64_t depth, float *const (&c)[MR],
                           int64_t missing, const float *bias) {
  V acc[MR][N];
#pragma GCC unroll 8
  for (int r = 0; r < MR; r++)
#pragma GCC unroll 8
    for (int v = 0; v < N; v++) {
      const float *from = bias ? bias : c[r];
      acc[r][v] = v < N - 1 || !missing ? load(from + v * W) : load_some(from + v * W, W - missing);
    }
  for (int64_t k = 0; k < depth; k++) {
    V w[N];
#pragma GCC unroll 8
    for (int v = 0; v < N; v++) w[v] = load(b + (k * N + v) * W);
#pragma GCC unroll 8
    for (int r = 0; r < MR; r++) {
      const V x = splat(a[r][k * a_column]);
#pragma GCC unroll 8
      for (int v = 0; v < N; v++) acc[r][v] = fma(x, w[v], acc[r][v]);
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < MR; r++)
#pragma GCC unroll 8
    for (int v = 0; v < N; v++)
      if (v < N - 1 || !missing) store(c[r] + v * W, acc[r][v]);
      else store_some(c[r] + v * W, acc[r][v], W - missing);
}

// Rows first to first + m of A for `depth` values of k, in panels of MR rows, a panel every MR * (depth + 1) numbers; zeros
// beyond m.
INLINE void pack_rows(const textrnn_factor &part, int64_t first, int64_t m, int64_t k0, int64_t depth, float *to, float *row_sums) {
  const int64_t full = m / MR * MR;
  for (int64_t k = 0; k < depth; k++) {
    const float *from = part.a + first * part.a_row + (k0 + k) * part.a_column;
    if (part.a_row == 1 && k0 + k + AHEAD < part.k)  // a strided walk through memory, which no processor foresees
      for (int64_t i = 0; i < m; i += 16) prefetch(from + AHEAD * part.a_column + i);
    int64_t i = 0;
#if defined(__AVX2__)
    // Eight numbers at once where MR are wanted: the next k writes over those that are too many.
    typedef float Eight __attribute__((vector_size(32), aligned(4), may_alias));
    if (part.a_row == 1)
      for (; i + 8 <= m; i += MR) *(Eight *)(to + i * (depth + 1) + k * MR) = *(const Eight *)(from + i);
#endif
    for (; i < full; i += MR)
#pragma GCC unroll 8
      for (int64_t r = 0; r < MR; r++) to[i * (depth + 1) + k * MR + r] = from[(i + r) * part.a_row];
    if (full < m)
      for (int64_t r = 0; r < MR; r++)
        to[full * (depth + 1) + k * MR + r] = full + r < m ? from[(full + r) * part.a_row] : 0.f;
    if (row_sums) {
      int64_t i = 0;
      if (part.a_row == 1)
        for (; i + W <= m; i += W) store(row_sums + i, load(row_sums + i) + load(from + i));
      for (; i < m; i++) row_sums[i] += from[i * part.a_row];
    }
  }
}

// Vectors of N * W numbers of B for `depth` values of k, side by side; `ahead` of which there are more rows to come.
template <int N>
INLINE void pack_panel(const float *from, int64_t row, int64_t depth, int64_t ahead, float *to) {
  for (int64_t k = 0; k < depth; k++, from += row, to += N * W) {
    if (k < ahead)
#pragma GCC unroll 4
      for (int v = 0; v < N; v += 64 / W) prefetch(from + AHEAD * row + v * W);
#pragma GCC unroll 4
    for (int v = 0; v < N; v++) store(to + v * W, load(from + v * W));
  }
}

// Columns first to first + n of B for `depth` values of k, in panels of at most NV vectors; zeros beyond n.
INLINE void pack_columns(const textrnn_factor &part, int64_t first, int64_t n, int64_t k0, int64_t depth, float *to) {
  for (int64_t j = 0; j < n; j += NV * W, to += NV * W * depth) {
    const float *from = part.b + k0 * part.b_row + (first + j) * part.b_column;
    const int64_t left = n - j, ahead = part.k - k0 - AHEAD, wide = left < NV * W ? (left + W - 1) / W : NV;
    if (part.b_column == 1 && wide * W <= left) {
      switch (wide) {
        case 1: pack_panel<1>(from, part.b_row, depth, ahead, to); break;
        case 2: pack_panel<2>(from, part.b_row, depth, ahead, to); break;
        case 3: if constexpr (NV > 3) { pack_panel<3>(from, part.b_row, depth, ahead, to); break; } [[fallthrough]];
        default: pack_panel<NV>(from, part.b_row, depth, ahead, to);
      }
      continue;
    }
    float *into = to;
    for (int64_t k = 0; k < depth; k++, from += part.b_row)
      for (int64_t v = 0; v < wide * W; v += W, into += W)
        if (part.b_column == 1 && v + W <= left) store(into, load(from + v));
        else if (part.b_column == 1) store(into, load_some(from + v, left - v));
        else
          for (int64_t l = 0; l < W; l++) into[l] = v + l < left ? from[(v + l) * part.b_column] : 0.f;
  }
}

// c [m, n] += A B, or bias [n] + A B; A packed, or in rows that are read in place.
INLINE void multiply_packed(const float *in_rows, int64_t a_row, const float *packed, int64_t m, const float *b, int64_t n,
                            int64_t depth, float *c, int64_t c_row, const float *bias) {
  const int64_t vectors = (n + W - 1) / W;
  float nobody[NV * W] = {};  // for the rows of a block that are too many
  for (int64_t j = 0; j < vectors; j += NV) {
    const float *panel = b + j * W * depth, *start = bias ? bias + j * W : nullptr;
    const int64_t wide = vectors - j < NV ? vectors - j : NV, missing = j + wide == vectors ? vectors * W - n : 0;
    for (int64_t i = 0; i < m; i += MR) {
      const float *rows[MR];
      float *to[MR];
      for (int64_t r = 0; r < MR; r++) {
        const int64_t row = i + r < m ? i + r : m - 1;
        rows[r] = in_rows ? in_rows + row * a_row : packed + i * (depth + 1) + r;
        to[r] = i + r < m ? c + row * c_row + j * W : nobody;
      }
      const int64_t step = in_rows ? 1 : MR;
      switch (wide) {
        case 1: multiply_block<1>(rows, step, panel, depth, to, missing, start); break;
        case 2: if constexpr (NV > 2) { multiply_block<2>(rows, step, panel, depth, to, missing, start); break; } [[fallthrough]];
        case 3: if constexpr (NV > 3) { multiply_block<3>(rows, step, panel, depth, to, missing, start); break; } [[fallthrough]];
        default: multiply_block<NV>(rows, step, panel, depth, to, missing, start);
      }
    }
  }
}

// c [m, n] += the products of row k of A [depth, m] and row k of B [depth, n], and their sums those of A.
// m and n are multiples of W; packed_a and packed_b are memory for (depth + 1) * (m + MR) + 8 and depth * n floats.
static void accumulate_outer(const float *a, int64_t a_row, int64_t m, const float *b, int64_t n, int64_t depth, float *c,
                             float *sums, float *packed_a, float *packed_b) {
  const textrnn_factor part{a, b, 1, a_row, n, 1, depth};
  {
    const InPhase in_packing(phase::PACKING_GATES);
    pack_rows(part, 0, m, 0, depth, packed_a, sums);
    pack_columns(part, 0, n, 0, depth, packed_b);
  }
  multiply_packed(nullptr, 0, packed_a, m, packed_b, n, depth, c, n, nullptr);
}

static bool tile(const textrnn_product &p, int64_t number) {
  const Tiling tiling = tiling_of(p);
  const int64_t m0 = number / tiling.across * tiling.m, n0 = number % tiling.across * tiling.n;
  const int64_t m = p.m - m0 < tiling.m ? p.m - m0 : tiling.m, n = p.n - n0 < tiling.n ? p.n - n0 : tiling.n;
  if (is_thin(p)) {
    thin_tile(p, n0, n0 + n);
    return true;
  }
  const int64_t m_up = (m + MR - 1) / MR * MR, n_up = (n + W - 1) / W * W;
  float *a = scratch(1, (DEPTH + 1) * m_up + 8), *b = scratch(2, DEPTH * n_up), *zeros = scratch(0, n_up);
  if (!a || !b || !zeros) return false;
  memset(zeros, 0, n_up * sizeof(float));
  float *c = p.c + m0 * p.c_row + n0;
  const float *start = p.bias ? p.bias + n0 : zeros;
  float *row_sums = p.row_sums && n0 == 0 ? p.row_sums + m0 : nullptr;
  if (row_sums) memset(row_sums, 0, m * sizeof(float));
  for (int f = 0; f < p.factors; f++) {
    const textrnn_factor &part = p.factor[f];
    const bool in_place = part.a_column == 1 && !row_sums;
    for (int64_t k0 = 0; k0 < part.k; k0 += DEPTH) {
      const int64_t depth = part.k - k0 < DEPTH ? part.k - k0 : DEPTH;
      {
        const InPhase in_packing(phase::PACKING);
        if (!in_place) pack_rows(part, m0, m, k0, depth, a, f ? nullptr : row_sums);
        pack_columns(part, n0, n, k0, depth, b);
      }
      const float *in_rows = in_place ? part.a + m0 * part.a_row + k0 : nullptr;
      multiply_packed(in_rows, part.a_row, a, m, b, n, depth, c, p.c_row, start);
      start = nullptr;
    }
  }
  if (start)  // no factor had a single k
    for (int64_t i = 0; i < m; i++) memcpy(c + i * p.c_row, start, n * sizeof(float));
  return true;
}

}  // namespace
