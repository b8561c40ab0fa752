// Dropout masks from a counter, and embeddings read and learnt through them, for one instruction set. See reading.cpp.
//
// Factor `column` of row `row` of a mask depends on nothing else, so any part of it can be made in any order, twice, and by
// any thread. It comes from 16 bits of the number row * ceil(columns / 4) + column / 4 of the sequence SplitMix64 (Steele, Lea
// and Flood 2014, Fast splittable pseudorandom number generators) that begins at the mask's seed.
// src/textrnn/model/noise.py has the same to be read.
#pragma once
#include "adam_rows.h"
#include "internal.h"
#include "simd.h"

namespace textrnn::TEXTRNN_ISA {

typedef uint64_t U __attribute__((vector_size(W * 4)));
typedef int16_t Short __attribute__((vector_size(W * 2)));
constexpr int64_t WORDS = W / 2, FACTORS = 2 * W;  // of one vector

// Factors of one row; writes up to FACTORS - 1 beyond `columns`.
INLINE void mask_row(const textrnn_mask &mask, int64_t row, int64_t columns, float *to) {
  constexpr uint64_t GOLDEN = 0x9E3779B97F4A7C15u;
  U step;
  for (int64_t i = 0; i < WORDS; i++) step[i] = (uint64_t)(i + 1) * GOLDEN;
  const V scale = splat(mask.scale);
  const uint64_t words = (uint64_t)(columns + 3) / 4;
  uint64_t state = mask.seed + (uint64_t)row * words * GOLDEN;
  for (int64_t j = 0; j < columns; j += FACTORS, state += WORDS * GOLDEN) {
    U z = state + step;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    z ^= z >> 31;
    Short bits[2];
    memcpy(bits, &z, sizeof bits);
#pragma GCC unroll 2
    for (int i = 0; i < 2; i++) {
      const I kept = __builtin_convertvector(bits[i], I) >= mask.threshold - I{};
      store(to + j + i * W, kept ? scale : V{});
    }
  }
}

static void mask_rows(const textrnn_mask &mask, int64_t first, int64_t end, int64_t columns, float *to) {
  constexpr int64_t AT_ONCE = 16 * FACTORS;  // columns; a multiple of 4
  float some[AT_ONCE];
  for (int64_t row = first; row < end; row++, to += columns)
    if (columns <= AT_ONCE) {
      mask_row(mask, row, columns, some);
      memcpy(to, some, columns * sizeof(float));
    } else {  // parts of a row are rows of another length: begin where the row does
      textrnn_mask part = mask;
      part.seed += (uint64_t)row * (uint64_t)((columns + 3) / 4) * 0x9E3779B97F4A7C15u;
      for (int64_t j = 0; j < columns; j += AT_ONCE, part.seed += AT_ONCE / 4 * 0x9E3779B97F4A7C15u) {
        const int64_t wide = columns - j < AT_ONCE ? columns - j : AT_ONCE;
        mask_row(part, 0, wide, some);
        memcpy(to + j, some, wide * sizeof(float));
      }
    }
}

// Factor of every feature of a word.
INLINE float word_factor(const textrnn_reading &r, int64_t id) {
  if (r.word.scale == 0.f) return 1.f;
  float some[FACTORS];
  mask_row(r.word, id, 1, some);
  return some[0];
}

// Factors of the features at a position, or of the unique id that has this index, in `to` [features + FACTORS].
INLINE void feature_factors(const textrnn_reading &r, int64_t index, float *to) {
  const textrnn_plan &plan = *r.plan;
  int64_t row;
  if (r.by == TEXTRNN_BY_WORD) row = plan.unique_ids[index];
  else if (r.by == TEXTRNN_BY_TEXT) row = plan.source_row[index];
  else row = plan.source_time[index] * plan.batch + plan.source_row[index];
  mask_row(r.feature, row, r.features, to);
}

// Rows first to end of `inputs`.
static bool read_words(const textrnn_reading &r, int64_t first, int64_t end) {
  const textrnn_plan &plan = *r.plan;
  const int64_t F = r.features;
  float *factors = scratch(0, F + FACTORS);
  if (!factors) return false;
  const bool once = by_words(r);
  const auto id_at = [&](int64_t i) { return plan.unique_ids[once ? i : plan.unique_of[i]] / r.readings; };
  for (int64_t i = first; i < end; i++) {
    const int64_t id = id_at(i);
    if (i + ROWS_AHEAD < end)
      for (int64_t j = 0; j < F; j += 16) prefetch(r.table + id_at(i + ROWS_AHEAD) * F + j);
    const float *from = r.table + id * F, word = word_factor(r, id);
    float *to = r.inputs + i * F;
    if (r.feature.scale == 0.f) {
      for (int64_t j = 0; j < F; j++) to[j] = from[j] * word;
    } else {
      feature_factors(r, i, factors);
      for (int64_t j = 0; j < F; j++) to[j] = from[j] * word * factors[j];
    }
  }
  return true;
}

// The gradients of the words first to end: sums over their readings or positions, in rising order.
static bool learn_words(const textrnn_reading &r, int64_t first, int64_t end) {
  const textrnn_plan &plan = *r.plan;
  const int64_t F = r.features;
  const bool once = by_words(r);
  float *factors = scratch(0, F + FACTORS);
  if (!factors) return false;
  for (int64_t i = first; i < end; i++) {
    const float word = word_factor(r, r.d_ids[i]);
    float *to = r.d_rows + i * F;
    memset(to, 0, F * sizeof(float));
    const auto add = [&](int64_t index) {
      const float *from = r.d_inputs + index * F;
      if (r.feature.scale == 0.f) {
        for (int64_t j = 0; j < F; j++) to[j] += from[j];
        return;
      }
      feature_factors(r, index, factors);
      for (int64_t j = 0; j < F; j++) to[j] += from[j] * factors[j];
    };
    for (int64_t k = r.begin[i]; k < r.begin[i + 1]; k++) {
      const int64_t u = r.order[k];
      if (once) add(u);
      else
        for (int64_t o = plan.occurrence[u]; o < plan.occurrence[u + 1]; o++) add(plan.occurrences[o]);
    }
    if (word != 1.f)
      for (int64_t j = 0; j < F; j++) to[j] *= word;
  }
  return true;
}

}  // namespace textrnn::TEXTRNN_ISA
