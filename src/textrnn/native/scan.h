// Inference of one layer of a minimal cell: h' = h - z h + a, where z and a of a token are a row of a table, so that nothing is
// left to do but to read memory. The state of some units stays in registers over the whole text.
#pragma once
#include "internal.h"
#include "simd.h"

namespace textrnn::TEXTRNN_ISA {

template <int TYPE>
INLINE V table_vector(const void *row, int64_t j) {
  if constexpr (TYPE == TEXTRNN_F32) {
    return load((const float *)row + j);
  } else {
    return load_half((const uint16_t *)row + j);
  }
}

// Units j to j + N vectors of one text in one direction.
template <int TYPE, int POOLING, int N>
INLINE void scan_units(const textrnn_scan_call &c, int64_t row, int d, int64_t j) {
  constexpr int64_t SIZE = TYPE == TEXTRNN_F32 ? 4 : 2, AHEAD = 6;
  const int64_t P = c.padded, begin = c.offsets[row], time = c.offsets[row + 1] - begin;
  const char *table = (const char *)c.table[d];
  const int32_t *ids = c.ids + begin;
  V h[N], sum[N];
#pragma GCC unroll 8
  for (int v = 0; v < N; v++) {
    h[v] = V{};
    sum[v] = splat(POOLING == TEXTRNN_MAX && time ? -__builtin_inff() : 0.f);
  }
  for (int64_t t = 0; t < time; t++) {
    const int64_t id = ids[d ? time - 1 - t : t];
    if (t + AHEAD < time) {
      const char *soon = table + (int64_t)ids[d ? time - 1 - t - AHEAD : t + AHEAD] * 2 * P * SIZE + j * SIZE;
      for (int64_t b = 0; b < N * W * SIZE; b += 64) {
        prefetch(soon + b);
        prefetch(soon + P * SIZE + b);
      }
    }
    const void *at = table + id * 2 * P * SIZE;
#pragma GCC unroll 8
    for (int v = 0; v < N; v++) {
      const V z = table_vector<TYPE>(at, j + v * W), a = table_vector<TYPE>(at, P + j + v * W);
      h[v] = negated_fma(z, h[v], h[v] + a);
      if constexpr (POOLING == TEXTRNN_MEAN) sum[v] += h[v];
      if constexpr (POOLING == TEXTRNN_MAX) sum[v] = ((h[v] > sum[v]) | (h[v] != h[v])) ? h[v] : sum[v];
    }
  }
  const V count = splat(POOLING == TEXTRNN_MEAN && time ? (float)time : 1.f);
  float *pooled = c.pooled + (row * c.directions + d) * P + j;
#pragma GCC unroll 8
  for (int v = 0; v < N; v++) store(pooled + v * W, (POOLING == TEXTRNN_LAST ? h[v] : sum[v]) / count);
}

template <int TYPE, int POOLING>
static void scan_rows(const textrnn_scan_call &c, int64_t first, int64_t end) {
#if defined(__AVX512F__)
  constexpr int N = 8;
#else
  constexpr int N = 4;
#endif
  for (int64_t row = first; row < end; row++)
    for (int d = 0; d < c.directions; d++) {
      int64_t j = 0;
      for (; j + N * W <= c.padded; j += N * W) scan_units<TYPE, POOLING, N>(c, row, d, j);
      for (; j < c.padded; j += W) scan_units<TYPE, POOLING, 1>(c, row, d, j);
    }
}

template <int TYPE>
static void scan_typed(const textrnn_scan_call &c, int64_t first, int64_t end) {
  switch (c.pooling) {
    case TEXTRNN_MEAN: return scan_rows<TYPE, TEXTRNN_MEAN>(c, first, end);
    case TEXTRNN_MAX: return scan_rows<TYPE, TEXTRNN_MAX>(c, first, end);
    default: return scan_rows<TYPE, TEXTRNN_LAST>(c, first, end);
  }
}

static void scan(const textrnn_scan_call &c, int64_t first, int64_t end) {
  switch (c.table_type) {
    case TEXTRNN_F16: return scan_typed<TEXTRNN_F16>(c, first, end);
    default: return scan_typed<TEXTRNN_F32>(c, first, end);
  }
}

}  // namespace
