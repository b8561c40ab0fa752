// Vectors of W floats for the instruction set this unit is compiled for, and the activation functions on them.
//
// No contraction is left to the compiler (-ffp-contract=off): a row must have the same bits in every block it is computed in.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#if defined(__AVX512F__) || defined(__AVX2__) || defined(__SSE2__)
#include <immintrin.h>
#endif
#if defined(__aarch64__)
#include <arm_neon.h>
#endif

#define INLINE static inline __attribute__((always_inline))

namespace textrnn::TEXTRNN_ISA {

#if defined(__AVX512F__)
constexpr int W = 16;
#elif defined(__AVX2__)
constexpr int W = 8;
#else
constexpr int W = 4;
#endif

typedef float V __attribute__((vector_size(W * 4)));
typedef int32_t I __attribute__((vector_size(W * 4)));
typedef float VU __attribute__((vector_size(W * 4), aligned(4), may_alias));
typedef int32_t IU __attribute__((vector_size(W * 4), aligned(4), may_alias));

INLINE V splat(float x) { return x - V{}; }
INLINE V load(const float *p) { return *(const VU *)p; }
INLINE void store(float *p, V x) { *(VU *)p = x; }
// The first `count` numbers, 0 < count < W; the rest is zero, or left as it is.
INLINE V load_some(const float *p, int64_t count) {
#if defined(__AVX512F__)
  return (V)_mm512_maskz_loadu_ps((__mmask16)((1u << count) - 1), p);
#else
  V x{};
  memcpy(&x, p, count * sizeof(float));
  return x;
#endif
}
INLINE void store_some(float *p, V x, int64_t count) {
#if defined(__AVX512F__)
  _mm512_mask_storeu_ps(p, (__mmask16)((1u << count) - 1), (__m512)x);
#else
  memcpy(p, &x, count * sizeof(float));
#endif
}
INLINE I load_int(const int32_t *p) { return *(const IU *)p; }
INLINE void store_int(int32_t *p, I x) { *(IU *)p = x; }

INLINE V fma(V a, V b, V c) {
#if defined(__AVX512F__)
  return (V)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
#elif defined(__AVX2__)
  return (V)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#elif defined(__aarch64__)
  return (V)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
#else
  return a * b + c;
#endif
}
INLINE V negated_fma(V a, V b, V c) {
#if defined(__AVX512F__)
  return (V)_mm512_fnmadd_ps((__m512)a, (__m512)b, (__m512)c);
#else
  return fma(-a, b, c);
#endif
}
// Both return a where it is nan, so that nan does not pass for a number. GCC makes two
// instructions of the conditional expression.
INLINE V smaller(V a, V b) {
#if defined(__AVX512F__)
  return (V)_mm512_min_ps((__m512)b, (__m512)a);
#elif defined(__AVX2__)
  return (V)_mm256_min_ps((__m256)b, (__m256)a);
#else
  return b < a ? b : a;
#endif
}
INLINE V larger(V a, V b) {
#if defined(__AVX512F__)
  return (V)_mm512_max_ps((__m512)b, (__m512)a);
#elif defined(__AVX2__)
  return (V)_mm256_max_ps((__m256)b, (__m256)a);
#else
  return b > a ? b : a;
#endif
}

// a / b. AVX-512 divides 16 numbers in as many cycles; an estimate, refined, and a corrected quotient take a third.
INLINE V divide(V a, V b) {
#if defined(__AVX512F__)
  V r = (V)_mm512_rcp14_ps((__m512)b);
  r = fma(r, negated_fma(b, r, splat(1.f)), r);
  V q = a * r;
  return fma(r, negated_fma(b, q, a), q);
#else
  return a / b;
#endif
}

#if defined(__AVX512F__)

// y = n ln 2 + r with |r| <= ln 2 / 2: returns e^r - 1. Reduction in two parts after Cody and Waite (1980); polynomial of degree
// 6, the one of smallest largest error relative to e^r (3e-9).
INLINE V reduced_expm1(V y, V *n) {
  *n = (V)_mm512_roundscale_ps((__m512)(y * splat(1.44269504088896341f)), 8);  // 8: to the nearest integer, no exception
  V r = negated_fma(*n, splat(0.693359375f), y);
  r = negated_fma(*n, splat(-2.12194440e-4f), r);
  const V square = r * r;
  V high = fma(splat(0.0083687454f), r, splat(0.041668389f));
  V low = fma(splat(0.16666521f), r, splat(0.49999994f));
  high = fma(splat(0.0013814542f), square, high);
  low = fma(high, square, low);
  return fma(low, square, r);
}
INLINE V scaled(V x, V n) { return (V)_mm512_scalef_ps((__m512)x, (__m512)n); }  // x 2^n
INLINE V exponential(V y) {
  V n;
  V p = reduced_expm1(larger(smaller(y, splat(88.f)), splat(-87.f)), &n);
  return scaled(p + splat(1.f), n);
}
// Of 1 / x the estimate is refined once: it is off by 2^-28 before it is rounded.
INLINE V sigmoid(V x) {
  const V x1 = splat(1.f) + exponential(-x);
  const V q = (V)_mm512_rcp14_ps((__m512)x1);
  return fma(q, negated_fma(x1, q, splat(1.f)), q);
}

// tanh |x| = -m / (m + 2) with m = e^(-2|x|) - 1: exact to the last bits near 0 too, where 1 - 2 / (e^2x + 1) cancels.
INLINE V hyperbolic_tangent(V x) {
  const __m512i sign = _mm512_set1_epi32((int)0x80000000), bits = _mm512_castps_si512((__m512)x);
  const V magnitude = (V)_mm512_castsi512_ps(_mm512_andnot_si512(sign, bits));
  V n;
  V p = reduced_expm1(splat(-2.f) * smaller(magnitude, splat(20.f)), &n);
  const V power = scaled(splat(1.f), n), m = fma(p, power, power - splat(1.f)), down = m + splat(2.f);
  const V estimate = (V)_mm512_rcp14_ps((__m512)down);
  V y = m * estimate;
  y = fma(estimate, negated_fma(down, y, m), y);
  // The bits of y but for its sign, which is that of x: 0xCA is a ? b : c bit by bit.
  return (V)_mm512_castsi512_ps(_mm512_ternarylogic_epi32(sign, bits, _mm512_castps_si512((__m512)y), 0xCA));
}

#else

// y = n ln 2 + r with |r| <= ln 2 / 2: returns e^r - 1, and 2^n in `power`. For -87 <= y <= 88.
// Reduction in two parts after Cody and Waite (1980); polynomial of Moshier's Cephes expf.
INLINE V reduced_expm1(V y, V *power) {
  const V magic = splat(12582912.f);  // 1.5 * 2^23: adding it rounds to the nearest integer
  V n = fma(y, splat(1.44269504088896341f), magic) - magic;
  V r = negated_fma(n, splat(0.693359375f), y);
  r = negated_fma(n, splat(-2.12194440e-4f), r);
  V p = splat(1.9875691500e-4f);
  p = fma(p, r, splat(1.3981999507e-3f));
  p = fma(p, r, splat(8.3334519073e-3f));
  p = fma(p, r, splat(4.1665795894e-2f));
  p = fma(p, r, splat(1.6666665459e-1f));
  p = fma(p, r, splat(5.0000001201e-1f));
  I bits = (__builtin_convertvector(n, I) + 127) << 23;
  memcpy(power, &bits, sizeof bits);
  return fma(p, r * r, r);
}
INLINE V exponential(V y) {
  V power;
  V p = reduced_expm1(larger(smaller(y, splat(88.f)), splat(-87.f)), &power);
  return fma(p, power, power);
}
INLINE V sigmoid(V x) { return divide(splat(1.f), splat(1.f) + exponential(-x)); }

// tanh |x| = -m / (m + 2) with m = e^(-2|x|) - 1: exact to the last bits near 0 too, where 1 - 2 / (e^2x + 1) cancels.
INLINE V hyperbolic_tangent(V x) {
  I bits;
  memcpy(&bits, &x, sizeof bits);
  I sign = bits & (int32_t)0x80000000;
  bits ^= sign;
  V magnitude, power, y;
  memcpy(&magnitude, &bits, sizeof bits);
  V p = reduced_expm1(larger(splat(-2.f) * magnitude, splat(-40.f)), &power);
  V m = fma(p, power, power - splat(1.f));
  y = divide(-m, m + splat(2.f));
  memcpy(&bits, &y, sizeof bits);
  bits |= sign;
  memcpy(&y, &bits, sizeof bits);
  return y;
}

#endif

// Lanes of both in turns: of the first halves, of the second ones.
#if defined(__AVX512F__)
INLINE V interleave_first(V a, V b) {
  return __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}
INLINE V interleave_second(V a, V b) {
  return __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}
#elif defined(__AVX2__)
INLINE V interleave_first(V a, V b) { return __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11); }
INLINE V interleave_second(V a, V b) { return __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15); }
#else
INLINE V interleave_first(V a, V b) { return __builtin_shufflevector(a, b, 0, 4, 1, 5); }
INLINE V interleave_second(V a, V b) { return __builtin_shufflevector(a, b, 2, 6, 3, 7); }
#endif

// Lane l of x[i] becomes lane i of x[l].
INLINE void transpose(V (&x)[W]) {
#pragma GCC unroll 4
  for (int n = 1; n < W; n *= 2) {
    V y[W];
#pragma GCC unroll 8
    for (int i = 0; i < W / 2; i++) {
      y[2 * i] = interleave_first(x[i], x[i + W / 2]);
      y[2 * i + 1] = interleave_second(x[i], x[i + W / 2]);
    }
#pragma GCC unroll 16
    for (int i = 0; i < W; i++) x[i] = y[i];
  }
}

// Turns up to W rows of a matrix into as many columns: to[c * to_row + r] = from[r * from_row + c]. Where there are fewer rows
// the rest of W columns is zero.
INLINE void turn_rows(const float *from, int64_t from_row, int64_t rows, int64_t columns, float *to, int64_t to_row) {
  for (int64_t c = 0; c < columns; c += W) {
    const int64_t left = columns - c;
    V x[W];
#pragma GCC unroll 16
    for (int r = 0; r < W; r++)
      x[r] = r >= rows ? V{} : left >= W ? load(from + r * from_row + c) : load_some(from + r * from_row + c, left);
    transpose(x);
#pragma GCC unroll 16
    for (int i = 0; i < W; i++)
      if (i < left) store(to + (c + i) * to_row, x[i]);
  }
}

// W 16-bit floats. By their bits where nothing else is sure: not every compiler that makes code for such a machine knows the
// type. Denormal ones are scaled whole numbers, so that flushing does not touch them.
INLINE V load_half(const uint16_t *p) {
#if defined(__AVX512F__)
  return (V)_mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)p));
#elif defined(__AVX2__)
  return (V)_mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)p));
#elif defined(__aarch64__)
  return (V)vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(p)));
#else
  I half;
  for (int l = 0; l < W; l++) half[l] = p[l];
  const I sign = (half & 0x8000) << 16, size = half & 0x7fff;
  const I wide = (size << 13) + (size < 0x7c00 ? I{} + (112 << 23) : I{} + (224 << 23));
  const V small = __builtin_convertvector(size, V) * splat(5.9604644775390625e-8f);  // in 2^-24
  I bits;
  memcpy(&bits, &small, sizeof bits);
  bits = (size < 0x400 ? bits : wide) | sign;
  V out;
  memcpy(&out, &bits, sizeof out);
  return out;
#endif
}

INLINE void prefetch(const void *p) { __builtin_prefetch(p); }
INLINE void prefetch_to_write(const void *p) { __builtin_prefetch(p, 1, 2); }
INLINE void prefetch_second(const void *p) { __builtin_prefetch(p, 0, 2); }  // into the second-level cache

// acc[m][v] += sum over k < K of a[m * lda + k] * panel[v / G][k][v % G], k in rising order whatever M and P are.
// A panel holds G vectors for each k; the panels follow each other at `stride`.
template <int M, int P, int G>
INLINE void multiply_add(const float *a, int64_t lda, const float *panel, int64_t stride, int64_t K, V (&acc)[M][P * G]) {
  for (int64_t k = 0; k < K; k++) {
    V w[P * G];
#pragma GCC unroll 16
    for (int p = 0; p < P; p++)
#pragma GCC unroll 16
      for (int g = 0; g < G; g++) w[p * G + g] = load(panel + p * stride + (k * G + g) * W);
#pragma GCC unroll 16
    for (int m = 0; m < M; m++) {
      V x = splat(a[m * lda + k]);
#pragma GCC unroll 16
      for (int v = 0; v < P * G; v++) acc[m][v] = fma(x, w[v], acc[m][v]);
    }
  }
}

#if defined(__AVX512BF16__)
// The same with both factors in 16-bit brain floats and the sums in 32 bits: `k` counts pairs of numbers, in a row of `a` as
// in the panel, where each of W lanes has a pair.
template <int M, int P, int G>
INLINE void multiply_add(const uint16_t *a, int64_t lda, const uint16_t *panel, int64_t stride, int64_t K, V (&acc)[M][P * G]) {
  for (int64_t k = 0; k < K; k++) {
    __m512i w[P * G];
#pragma GCC unroll 16
    for (int p = 0; p < P; p++)
#pragma GCC unroll 16
      for (int g = 0; g < G; g++) w[p * G + g] = _mm512_loadu_si512(panel + p * stride + (k * G + g) * 2 * W);
#pragma GCC unroll 16
    for (int m = 0; m < M; m++) {
      int32_t pair;
      memcpy(&pair, a + m * lda + 2 * k, sizeof pair);
      const __m512i x = _mm512_set1_epi32(pair);
#pragma GCC unroll 16
      for (int v = 0; v < P * G; v++) acc[m][v] = (V)_mm512_dpbf16_ps((__m512)acc[m][v], (__m512bh)x, (__m512bh)w[v]);
    }
  }
}
INLINE void store_bf16(uint16_t *p, V x) {
  const __m256bh rounded = _mm512_cvtneps_pbh((__m512)x);
  memcpy(p, &rounded, sizeof rounded);
}
#endif

// Calls block.operator()<M>(first) for blocks of at most MAX rows of nearly equal size.
template <int MAX, class Block>
INLINE void in_blocks(int rows, Block &&block) {
  int blocks = (rows + MAX - 1) / MAX, first = 0;
  for (int b = 0; b < blocks; b++) {
    int size = (rows - first + blocks - b - 1) / (blocks - b);
    switch (size) {
      case 1: block.template operator()<1>(first); break;
      case 2: block.template operator()<2>(first); break;
      case 3: block.template operator()<3>(first); break;
      case 4: block.template operator()<4>(first); break;
      case 5: if constexpr (MAX >= 5) block.template operator()<5>(first); break;
      case 6: if constexpr (MAX >= 6) block.template operator()<6>(first); break;
      case 7: if constexpr (MAX >= 7) block.template operator()<7>(first); break;
      case 8: if constexpr (MAX >= 8) block.template operator()<8>(first); break;
    }
    first += size;
  }
}

}  // namespace
