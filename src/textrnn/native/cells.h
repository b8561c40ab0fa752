// The pointwise part of every cell, forward and backward, on vectors of units. Equations: docs/equations.md.
//
// G gates; R: whether there is a recurrent product; S vectors saved a step; FIRST of the saved vectors that are, after
// backward, the G gradients with respect to W_ih x + b, in PyTorch's order. The first G saved vectors are those with respect
// to the recurrent product, in the order of RECURRENT. STATE: what is saved is the state, which is also where the next step reads
// it; so it is saved only by a row's last step.
#pragma once
#include "simd.h"

namespace textrnn::TEXTRNN_ISA {

// What a step reads and writes for W units of one row.
struct Place {
  const float *x;      // W_ih x + b of gate 0; gate g lies `padded` further
  int64_t padded;
  V hidden;            // before the step
  float *memory;       // LSTM: in place
  float *saved;        // of vector 0; vector s lies `padded` further; NULL in inference
};

INLINE void save(const Place &at, int s, V value) {
  if (at.saved) store(at.saved + s * at.padded, value);
}
INLINE V input(const Place &at, int g) { return load(at.x + g * at.padded); }

// What a backward step reads and writes for W units of one row.
struct BackPlace {
  float *saved;
  int64_t padded;
  const float *x;      // minimal cells: W_ih x + b
  const float *after;  // STATE: the state after the step
  V hidden, memory;    // before the step
  float *d_memory;     // LSTM: gradient of the memory after the step in, before it out
};

struct Elman {
  static constexpr int G = 1, S = 1, FIRST = 0, MEMORY = 0;
  static constexpr bool R = true, STATE = true;
  static constexpr int RECURRENT[] = {0};
  INLINE V start(const float *x, int64_t padded, int g, V) { return load(x + g * padded); }
  INLINE V step(const V *a, const Place &at) {
    V h = hyperbolic_tangent(a[0]);
    save(at, 0, h);
    return h;
  }
  // d: gradient of the state after the step. Returns its part for the state before that does not pass the product.
  INLINE V back(V d, const BackPlace &at) {
    V h = load(at.after);
    store(at.saved, d * negated_fma(h, h, splat(1.f)));
    return V{};
  }
};

struct ElmanRelu : Elman {
  INLINE V step(const V *a, const Place &at) {
    V h = larger(a[0], V{});
    save(at, 0, h);
    return h;
  }
  INLINE V back(V d, const BackPlace &at) {
    V h = load(at.after);
    store(at.saved, h > V{} ? d : V{});
    return V{};
  }
};

struct Gru {
  static constexpr int G = 3, S = 4, FIRST = 1, MEMORY = 0;
  static constexpr bool R = true, STATE = false;
  static constexpr int RECURRENT[] = {2, 0, 1};  // candidate inside the reset, reset, update
  INLINE V start(const float *x, int64_t padded, int g, V bias) { return g == 2 ? bias : load(x + g * padded); }
  INLINE V step(const V *a, const Place &at) {
    V r = sigmoid(a[0]), z = sigmoid(a[1]);
    V n = hyperbolic_tangent(fma(r, a[2], input(at, 2)));
    save(at, 0, a[2]);
    save(at, 1, r);
    save(at, 2, z);
    save(at, 3, n);
    return fma(z, at.hidden - n, n);
  }
  INLINE V back(V d, const BackPlace &at) {
    const int64_t p = at.padded;
    V hn = load(at.saved), r = load(at.saved + p), z = load(at.saved + 2 * p), n = load(at.saved + 3 * p);
    V one = splat(1.f);
    V d_n = d * (one - z) * negated_fma(n, n, one);
    V d_z = d * (at.hidden - n) * z * (one - z);
    store(at.saved, d_n * r);
    store(at.saved + p, d_n * hn * r * (one - r));
    store(at.saved + 2 * p, d_z);
    store(at.saved + 3 * p, d_n);
    return d * z;
  }
};

struct Lstm {
  static constexpr int G = 4, S = 5, FIRST = 0, MEMORY = 4;
  static constexpr bool R = true, STATE = false;
  static constexpr int RECURRENT[] = {0, 1, 2, 3};
  INLINE V start(const float *x, int64_t padded, int g, V) { return load(x + g * padded); }
  INLINE V step(const V *a, const Place &at) {
    V i = sigmoid(a[0]), f = sigmoid(a[1]), g = hyperbolic_tangent(a[2]), o = sigmoid(a[3]);
    V c = fma(f, load(at.memory), i * g);
    store(at.memory, c);
    save(at, 0, i);
    save(at, 1, f);
    save(at, 2, g);
    save(at, 3, o);
    save(at, 4, c);
    return o * hyperbolic_tangent(c);
  }
  INLINE V back(V d, const BackPlace &at) {
    const int64_t p = at.padded;
    V i = load(at.saved), f = load(at.saved + p), g = load(at.saved + 2 * p), o = load(at.saved + 3 * p);
    V one = splat(1.f), t = hyperbolic_tangent(load(at.saved + 4 * p));
    V d_c = fma(d * o, negated_fma(t, t, one), load(at.d_memory));
    store(at.saved, d_c * g * i * (one - i));
    store(at.saved + p, d_c * at.memory * f * (one - f));
    store(at.saved + 2 * p, d_c * i * negated_fma(g, g, one));
    store(at.saved + 3 * p, d * t * o * (one - o));
    store(at.d_memory, d_c * f);
    return V{};
  }
};

struct MinGru {
  static constexpr int G = 2, S = 2, FIRST = 0, MEMORY = 0;
  static constexpr bool R = false, STATE = false;
  static constexpr int RECURRENT[] = {0, 1};
  INLINE V start(const float *x, int64_t padded, int g, V) { return load(x + g * padded); }
  INLINE V step(const V *a, const Place &at) { return fma(sigmoid(a[0]), a[1] - at.hidden, at.hidden); }
  INLINE V back(V d, const BackPlace &at) {
    V one = splat(1.f), z = sigmoid(load(at.x)), c = load(at.x + at.padded);
    store(at.saved, d * (c - at.hidden) * z * (one - z));
    store(at.saved + at.padded, d * z);
    return d * (one - z);
  }
};

struct MinLstm {
  static constexpr int G = 3, S = 3, FIRST = 0, MEMORY = 0;
  static constexpr bool R = false, STATE = false;
  static constexpr int RECURRENT[] = {0, 1, 2};
  INLINE V start(const float *x, int64_t padded, int g, V) { return load(x + g * padded); }
  // i / (f + i) and f / (f + i). Both gates may be shut so far that their values vanish and 0 / 0 would be left: so
  // (1 + e^-a_f) and (1 + e^-a_i), which the quotient consists of, are scaled by e^m with m = min(a_f, a_i, 0).
  struct Shares {
    V input, forget;
  };
  INLINE Shares shares(V a_f, V a_i) {
    const V m = smaller(smaller(a_f, a_i), V{}), base = exponential(m);
    const V input = base + exponential(m - a_f), forget = base + exponential(m - a_i);
    const V sum = input + forget;
    return {divide(input, sum), divide(forget, sum)};
  }
  INLINE V step(const V *a, const Place &at) {
    return fma(shares(a[0], a[1]).input, a[2] - at.hidden, at.hidden);
  }
  INLINE V back(V d, const BackPlace &at) {
    const V a_f = load(at.x), a_i = load(at.x + at.padded), c = load(at.x + 2 * at.padded);
    const Shares s = shares(a_f, a_i);
    const V d_share = d * (c - at.hidden) * s.input * s.forget;  // with respect to log i - log f
    store(at.saved, -d_share * sigmoid(-a_f));
    store(at.saved + at.padded, d_share * sigmoid(-a_i));
    store(at.saved + 2 * at.padded, d * s.input);
    return d * s.forget;
  }
};

}  // namespace
