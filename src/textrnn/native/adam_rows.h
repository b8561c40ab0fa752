// Adam on listed rows of a table, for one instruction set. See adam.cpp.
#pragma once
#include "adam.h"
#include "simd.h"

namespace textrnn::TEXTRNN_ISA {

// Rows are asked for from memory so much before they are needed: they lie anywhere.
constexpr int64_t ROWS_AHEAD = 4;

// Correctly rounded like the division beside it, so that all instruction sets agree to the bit.
INLINE V square_root(V x) {
#if defined(__AVX512F__)
  return (V)_mm512_sqrt_ps((__m512)x);
#elif defined(__AVX2__)
  return (V)_mm256_sqrt_ps((__m256)x);
#elif defined(__SSE2__)
  return (V)_mm_sqrt_ps((__m128)x);
#elif defined(__aarch64__)
  return (V)vsqrtq_f32((float32x4_t)x);
#else
  for (int i = 0; i < W; i++) x[i] = __builtin_sqrtf(x[i]);
  return x;
#endif
}

struct Lanes {  // of weights, moments and gradient
  V p, m, v, g;
};

// Runs f(lanes) over the features of a row, in place. The last vector overlaps the one before: it is computed first, from
// what was there before, and written last, where the overlap gets the same bits once more.
template <class F>
INLINE void over_features(const textrnn_adam_table &table, int64_t row, const float *g, F &&f) {
  const int64_t count = table.features, at = row * count;
  float *p = table.weights + at, *m = table.first + at, *v = table.second + at;
  if (count < W) {
    float some[4][W] = {};
    memcpy(some[0], p, count * sizeof(float));
    memcpy(some[1], m, count * sizeof(float));
    memcpy(some[2], v, count * sizeof(float));
    if (g) memcpy(some[3], g, count * sizeof(float));
    Lanes all = {load(some[0]), load(some[1]), load(some[2]), load(some[3])};
    f(all);
    store(some[0], all.p), store(some[1], all.m), store(some[2], all.v);
    memcpy(p, some[0], count * sizeof(float));
    memcpy(m, some[1], count * sizeof(float));
    memcpy(v, some[2], count * sizeof(float));
    return;
  }
  const auto read = [&](int64_t j) { return Lanes{load(p + j), load(m + j), load(v + j), g ? load(g + j) : V{}}; };
  const auto write = [&](int64_t j, const Lanes &x) { store(p + j, x.p), store(m + j, x.m), store(v + j, x.v); };
  Lanes last = read(count - W);
  f(last);
  for (int64_t j = 0; j + W < count; j += W) {
    Lanes here = read(j);
    f(here);
    write(j, here);
  }
  write(count - W, last);
}

// What the steps since the last one have left out.
INLINE void catch_up_row(const textrnn_adam_table &table, const AdamRow &late) {
  const int64_t s = late.last_step, left_out = table.steps - s;
  const V kept = splat((float)table.kept[s]), coasted = splat((float)table.coasted[s]);
  // Not 0 / 0 where all rates were zero.
  const V eps = splat((float)(table.coasted[s] > 0 ? table.coasted_eps[s] / table.coasted[s] : table.eps));
  const V fade1 = splat((float)table.fade1[left_out]), fade2 = splat((float)table.fade2[left_out]);
  over_features(table, late.row, nullptr, [&](Lanes &x) {
    x.p = kept * x.p - coasted * x.m / (square_root(x.v) + eps);
    x.m *= fade1;
    x.v *= fade2;
  });
}

INLINE void step_row(const textrnn_adam_table &table, int64_t row, const float *gradient, const AdamFactors &f) {
  const V kept = splat(f.kept), decay = splat(f.decay), beta1 = splat(f.beta1), rest1 = splat(f.rest1);
  const V beta2 = splat(f.beta2), rest2 = splat(f.rest2);
  const V rate = splat(f.rate), correction = splat(f.correction), eps = splat(f.eps);
  over_features(table, row, gradient, [&](Lanes &x) {
    const V g = x.g + decay * x.p;
    x.m = beta1 * x.m + rest1 * g;
    x.v = beta2 * x.v + rest2 * (g * g);
    x.p = kept * x.p - rate * x.m / (correction * square_root(x.v) + eps);
  });
}

INLINE void prefetch_row(const textrnn_adam_table &table, int64_t row) {
  for (int64_t j = 0; j < table.features; j += 16) {  // a cache line
    const int64_t at = row * table.features + j;
    __builtin_prefetch(table.weights + at, 1);
    __builtin_prefetch(table.first + at, 1);
    __builtin_prefetch(table.second + at, 1);
  }
}

// In 16 lanes, so that no sum gets long and all instruction sets agree.
static double sum_of_squares(const float *values, int64_t count) {
  constexpr int LANES = 16;
  V sums[LANES / W] = {};
  int64_t j = 0;
  for (; j + LANES <= count; j += LANES)
    for (int i = 0; i < LANES / W; i++) {
      const V x = load(values + j + i * W);
      sums[i] += x * x;
    }
  float lanes[LANES];
  memcpy(lanes, sums, sizeof lanes);
  for (; j < count; j++) lanes[j % LANES] += values[j] * values[j];
  double sum = 0;
  for (int i = 0; i < LANES; i++) sum += lanes[i];
  return sum;
}

static void scale(float *values, int64_t count, float factor) {
  for (int64_t j = 0; j < count; j++) values[j] *= factor;
}

// Rows that are late are caught up; then, with a gradient [count, features], all do a step.
static void adam_rows(const textrnn_adam_table &table, const AdamRow *rows, int64_t count, const float *gradient,
                      const AdamFactors *factors) {
  for (int64_t i = 0; i < count; i++) {
    if (i + ROWS_AHEAD < count) prefetch_row(table, rows[i + ROWS_AHEAD].row);
    if (rows[i].last_step != table.steps) catch_up_row(table, rows[i]);
    if (gradient) step_row(table, rows[i].row, gradient + i * table.features, *factors);
  }
}

}  // namespace textrnn::TEXTRNN_ISA
