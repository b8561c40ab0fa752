// A whole sequence in one call: the rows of one item in one direction, forward or back through time.
//
// Nothing is spent on padding: rows are sorted by length, so those alive at step t are the first `alive[t]`. The input's part
// comes ready from a table; the recurrent product runs over packed weights with the sums in registers, and the gates follow
// while they are there. The new state goes straight to where the next step reads it.
#pragma once
#include "cells.h"
#include "internal.h"
#include "phases.h"
#include "product.h"

namespace textrnn::TEXTRNN_ISA {

// Rows in one register block and panels side by side: enough independent sums to hide the latency of a multiply-add (8
// and more), and no more than there are registers.
template <class Cell>
struct Blocking {
#if defined(__AVX512F__)
  static constexpr int MAX = Cell::G == 1 ? 6 : Cell::G == 3 ? 8 : 6;
  static constexpr int WIDE = Cell::G == 1 ? 4 : 1;  // panels for blocks of many rows
#else
  static constexpr int MAX = Cell::G == 1 ? 4 : Cell::G == 3 ? 4 : 3;
  static constexpr int WIDE = Cell::G == 1 ? 2 : 1;
#endif
  template <int M>
  static constexpr int panels() {
    // A single row reads each weight once: what counts is to read them one after the other, see `forward`.
    constexpr int wanted = M == 1 ? (Cell::G == 1 ? 4 : 1) : M == 2 ? (Cell::G == 1 ? 4 : 2) : WIDE;
    return wanted > WIDE ? wanted : WIDE;
  }
};

// Row `index` of a table as floats in `out`.
INLINE void expand(const void *table, int32_t type, const float *scales, int64_t index, int64_t width, float *out) {
  if (type == TEXTRNN_F16) {
    const uint16_t *row = (const uint16_t *)table + index * width;
    int64_t j = 0;
    for (; j + W <= width; j += W) store(out + j, load_half(row + j));
    if (j < width) {
      uint16_t rest[W] = {};
      float wide[W];
      memcpy(rest, row + j, (width - j) * sizeof *row);
      store(wide, load_half(rest));
      memcpy(out + j, wide, (width - j) * sizeof *out);
    }
  } else if (type == TEXTRNN_I8) {
    const int8_t *row = (const int8_t *)table + index * width;
    const float scale = scales[index];
    for (int64_t j = 0; j < width; j++) out[j] = scale * (float)row[j];
  } else {
    memcpy(out, (const float *)table + index * width, width * sizeof(float));
  }
}

// Factors of the recurrent product: 32-bit floats, or 16-bit brain floats in pairs, for inference. The pairs take `PER` numbers
// of k together; a state in 16 bits (`read`, `written`) is kept beside the one in 32, which gates and pooling read.
struct Whole {
  typedef float Number;
  static constexpr int64_t PER = 1;
};
#if defined(__AVX512BF16__)
struct Pairs {
  typedef uint16_t Number;
  static constexpr int64_t PER = 2;
};
#endif

template <class Cell, class Factor = Whole>
static bool forward(const textrnn_layer &c, int64_t number, int d) {
  constexpr int G = Cell::G;
  const InPhase in_steps(phase::STEPS);
  const textrnn_plan &plan = *c.plan;
  const textrnn_item &item = plan.item[number];
  const textrnn_direction &way = c.direction[d];
  typedef typename Factor::Number Number;
  constexpr bool PAIRS = Factor::PER == 2;
  const int64_t P = c.padded, H = c.hidden, rows = item.rows, depth = (H + Factor::PER - 1) / Factor::PER,
                panel = depth * G * W * Factor::PER;
  const bool keep = way.saved != nullptr, compressed = c.table[d] && c.table_type != TEXTRNN_F32;
  const float *table = c.table[d] ? (const float *)c.table[d] : way.projected;
  float *memory = scratch(0, rows * P * (PAIRS ? 3 : 2));
  float *states = keep ? way.previous : scratch(1, rows * P * 2);
  float *expanded = compressed ? scratch(2, rows * G * P) : nullptr;
  const float **x = (const float **)scratch(3, rows * 6 + 16), **x_next = x + rows;
  float **target = (float **)(x_next + rows);
  if (!memory || !states || !x || (compressed && !expanded)) return false;
  float *sums = memory + rows * P;
  Number *read = PAIRS ? (Number *)(sums + rows * P) : nullptr, *written = PAIRS ? read + rows * P : nullptr;

  // Rows that are over from the start keep the initial state.
  const int64_t first_alive = item.time ? item.alive[0] : 0;
  for (int64_t i = 0; i < rows; i++) {
    const int64_t row = item.row[i];
    float *to = i < first_alive ? states + (keep ? item.first_position : 0) * P + i * P : way.final_hidden + row * P;
    if (way.start_hidden) memcpy(to, way.start_hidden + row * P, P * sizeof(float));
    else memset(to, 0, P * sizeof(float));
    if (way.start_memory) memcpy(memory + i * P, way.start_memory + row * P, P * sizeof(float));
    else memset(memory + i * P, 0, P * sizeof(float));
    const V empty = splat(c.pooling == TEXTRNN_MAX && i < first_alive ? -__builtin_inff() : 0.f);
    for (int64_t j = 0; j < P; j += W) store(sums + i * P + j, empty);
    if (c.argmax) memset(c.argmax + (row * c.directions + d) * P, 0, P * sizeof(int32_t));
  }
  if constexpr (PAIRS)
    for (int64_t i = 0; i < first_alive; i++)
      for (int64_t j = 0; j < P; j += W) store_bf16(read + i * P + j, load(states + i * P + j));
  auto row_at = [&](int64_t position) {
    const int64_t q = d ? plan.mirror[position] : position;
    return c.index ? (int64_t)c.index[q] : q;
  };
  int64_t position = item.first_position;
  float *now = keep ? nullptr : states, *then = keep ? nullptr : states + rows * P;
  for (int64_t i = 0; i < first_alive && !compressed; i++) x_next[i] = table + row_at(position + i) * G * P;

  for (int t = 0; t < item.time; t++) {
    const int n = item.alive[t], next = t + 1 < item.time ? item.alive[t + 1] : 0;
    const float *from = keep ? way.previous + position * P : now;
    float *onto = keep ? way.previous + (position + n) * P : then;
    for (int i = 0; i < n; i++) {
      target[i] = i < next ? onto + i * P : way.final_hidden + item.row[i] * P;
      if (compressed) {
        expand(c.table[d], c.table_type, c.table_scale[d], row_at(position + i), G * P, expanded + i * G * P);
        x[i] = expanded + i * G * P;
      } else {
        x[i] = x_next[i];
      }
    }
    for (int i = 0; i < next && !compressed; i++) x_next[i] = table + row_at(position + n + i) * G * P;
    float *saved = keep ? way.saved + position * Cell::S * P : nullptr;
    // A single row leaves the first-level cache to the weights: what the table has for its next step goes to the second.
    if (n == 1 && next == 1 && !compressed)
      for (int64_t j = 0; j < G * P; j += TEXTRNN_LANES) prefetch_second(x_next[0] + j);
    auto finish = [&]<int M>(const V *acc, int i, int64_t j) __attribute__((always_inline)) {
      const Place at{x[i] + j, P, load(from + i * P + j), memory + i * P + j,
                     saved && !(Cell::STATE && i < next) ? saved + (int64_t)i * Cell::S * P + j : nullptr};
      // Long texts keep more than the caches hold: what the next step writes is asked for.
      // (A single row, as of the one text whose latency counts, does without the question.)
      if (M > 1 && Cell::R && !Cell::STATE && saved && i < next)
#pragma GCC unroll 8
        for (int s = 0; s < Cell::S; s++) prefetch_to_write(at.saved + ((int64_t)n * Cell::S + s) * P);
      if (M > 1 && keep && i < next) prefetch_to_write(target[i] + next * P + j);
      const V state = Cell::step(acc, at);
      store(target[i] + j, state);
      if constexpr (PAIRS) store_bf16(written + i * P + j, state);
      if (M > 1 && i < next && !compressed)
#pragma GCC unroll 4
        for (int g = 0; g < G; g++) prefetch(x_next[i] + g * P + j);
    };
    if constexpr (Cell::R) {
      in_blocks<Blocking<Cell>::MAX>(n, [&]<int M>(int i) __attribute__((always_inline)) {
        auto some = [&]<int N>(int64_t j) __attribute__((always_inline)) {
          V acc[M][N * G];
          {
            const InPhase in_product(phase::RECURRENT_PRODUCT);
#pragma GCC unroll 8
            for (int p = 0; p < N; p++)
#pragma GCC unroll 8
              for (int m = 0; m < M; m++)
#pragma GCC unroll 8
                for (int g = 0; g < G; g++)
                  acc[m][p * G + g] = Cell::start(x[i + m] + j + p * W, P, g,
                                                  G == 3 ? load(way.candidate_bias + j + p * W) : V{});
            const Number *before;
            if constexpr (PAIRS) before = read; else before = from;
            multiply_add<M, N, G>(before + (int64_t)i * P, P, (const Number *)way.panels + j / W * panel, panel, depth, acc);
          }
          const InPhase in_gates(phase::GATES);
#pragma GCC unroll 8
          for (int m = 0; m < M; m++)
#pragma GCC unroll 8
            for (int p = 0; p < N; p++) finish.template operator()<M>(acc[m] + p * G, i + m, j + p * W);
        };
        constexpr int N = Blocking<Cell>::template panels<M>();
        const int64_t wide = P / (N * W) * (N * W);
        // A single row reads the panels to and fro: those that it read last are still in the first-level cache.
        if (M == 1 && (t & 1)) {
          for (int64_t j = P; j > wide; j -= W) some.template operator()<1>(j - W);
          for (int64_t j = wide; j > 0; j -= N * W) some.template operator()<N>(j - N * W);
        } else {
          for (int64_t j = 0; j < wide; j += N * W) some.template operator()<N>(j);
          for (int64_t j = wide; j < P; j += W) some.template operator()<1>(j);
        }
      });
    } else {
      const InPhase in_gates(phase::GATES);
      for (int i = 0; i < n; i++)
        for (int64_t j = 0; j < P; j += W) {
          V acc[G];
          for (int g = 0; g < G; g++) acc[g] = load(x[i] + g * P + j);
          finish.template operator()<2>(acc, i, j);
        }
    }
    if (c.pooling == TEXTRNN_MEAN) {
      for (int i = 0; i < n; i++)
        for (int64_t j = 0; j < P; j += W) store(sums + i * P + j, load(sums + i * P + j) + load(target[i] + j));
    } else if (c.pooling == TEXTRNN_MAX) {
      for (int i = 0; i < n; i++) {
        int32_t *best = c.argmax ? c.argmax + (item.row[i] * (int64_t)c.directions + d) * P : nullptr;
        for (int64_t j = 0; j < P; j += W) {
          const V h = load(target[i] + j), before = load(sums + i * P + j);
          const I new_best = (h > before) | (h != h);  // nan passes, as in torch.amax, and stays
          store(sums + i * P + j, new_best ? h : before);
          if (best) store_int(best + j, new_best ? t - I{} : load_int(best + j));
        }
      }
    }
    if (c.outputs)
      for (int i = 0; i < n; i++) {
        const int64_t q = d ? plan.mirror[position + i] : position + i;
        memcpy(c.outputs + (q * c.directions + d) * P, target[i], P * sizeof(float));
      }
    position += n;
    float *swap = now;
    now = then;
    then = swap;
    Number *swap_read = read;
    read = written;
    written = swap_read;
  }
  for (int64_t i = 0; i < rows; i++) {
    const int64_t row = item.row[i];
    if (way.final_memory) memcpy(way.final_memory + row * P, memory + i * P, P * sizeof(float));
    if (!c.pooled) continue;
    float *pooled = c.pooled + (row * c.directions + d) * P;
    const float *source = c.pooling == TEXTRNN_LAST ? way.final_hidden + row * P : sums + i * P;
    const V count = splat(c.pooling == TEXTRNN_MEAN && item.length[i] ? (float)item.length[i] : 1.f);
    for (int64_t j = 0; j < P; j += W) store(pooled + j, load(source + j) / count);
  }
  return true;
}

constexpr int64_t NEAR = 128;  // positions whose gates and states lie in the second-level cache together

template <class Cell>
static bool backward(const textrnn_layer &c, int64_t number, int d) {
  constexpr int S = Cell::S;
  const InPhase in_gates(phase::GATES_BACK);
  const textrnn_plan &plan = *c.plan;
  const textrnn_item &item = plan.item[number];
  const textrnn_direction &way = c.direction[d];
  const int64_t P = c.padded, rows = item.rows, K = Cell::G * P;
  const float *panels = way.panels + Cell::G * P * c.hidden;
  float *d_hidden = scratch(0, rows * P * 2);
  if (!d_hidden) return false;
  float *d_memory = d_hidden + rows * P;
  for (int64_t i = 0; i < rows; i++) {
    const int64_t row = item.row[i];
    const float *pooled = c.pooling == TEXTRNN_LAST && c.d_pooled ? c.d_pooled + (row * c.directions + d) * P : nullptr;
    for (int64_t j = 0; j < P; j += W) {
      V sum = way.d_final_hidden ? load(way.d_final_hidden + row * P + j) : V{};
      store(d_hidden + i * P + j, pooled ? sum + load(pooled + j) : sum);
      store(d_memory + i * P + j, way.d_final_memory ? load(way.d_final_memory + row * P + j) : V{});
    }
  }
  // Gradients of the recurrent weights: an outer product for each position, made while the gates' gradients are near.
  const int64_t up = (K + MR - 1) / MR * MR;
  float *d_weight = nullptr, *packed_a = nullptr, *packed_b = nullptr;
  if constexpr (Cell::R) {
    d_weight = way.partial + number * (up * P + K);
    memset(d_weight, 0, (up * P + K) * sizeof(float));
    packed_a = scratch(1, (NEAR + rows + 1) * up + 8);
    packed_b = scratch(2, (NEAR + rows) * P);
    if (!packed_a || !packed_b) return false;
  }
  int64_t position = item.first_position;
  for (int t = 0; t < item.time; t++) position += item.alive[t];
  int64_t done = position;
  for (int t = item.time - 1; t >= 0; t--) {
    const int n = item.alive[t], next = t + 1 < item.time ? item.alive[t + 1] : 0;
    position -= n;
    const int64_t before = t ? position - item.alive[t - 1] : 0;
    for (int i = 0; i < n; i++) {
      const int64_t row = item.row[i], q = d ? plan.mirror[position + i] : position + i;
      const float *pooled = c.d_pooled ? c.d_pooled + (row * c.directions + d) * P : nullptr;
      const int32_t *best = c.argmax ? c.argmax + (row * c.directions + d) * P : nullptr;
      const float *output = c.d_outputs ? c.d_outputs + (q * c.directions + d) * P : nullptr;
      const float *x = Cell::R ? nullptr : way.projected + (c.index ? (int64_t)c.index[q] : q) * Cell::G * P;
      const float *memory = nullptr;
      if constexpr (Cell::MEMORY > 0)
        memory = t ? way.saved + ((before + i) * S + Cell::MEMORY) * P
                   : way.start_memory ? way.start_memory + row * P : nullptr;
      const float *after = nullptr;
      if constexpr (Cell::STATE)
        after = i < next ? way.previous + (position + n + i) * P : way.saved + (position + i) * S * P;
      const V share = splat(1.f / (float)item.length[i]);
      for (int64_t j = 0; j < P; j += W) {
        V grad = load(d_hidden + i * P + j);
        if (pooled && c.pooling == TEXTRNN_MEAN) grad = fma(share, load(pooled + j), grad);
        if (pooled && c.pooling == TEXTRNN_MAX) grad += load_int(best + j) == t - I{} ? load(pooled + j) : V{};
        if (output) grad += load(output + j);
        const BackPlace at{way.saved + (position + i) * S * P + j, P, x ? x + j : nullptr, Cell::STATE ? after + j : nullptr,
                           load(way.previous + (position + i) * P + j), memory ? load(memory + j) : V{},
                           d_memory + i * P + j};
        store(d_hidden + i * P + j, Cell::back(grad, at));
      }
      // What the step before needs is asked for while the products run.
      if (Cell::R && t) {
        const float *gates = way.saved + (before + i) * S * P, *state = way.previous + (before + i) * P;
        for (int64_t j = 0; j < S * P; j += TEXTRNN_LANES) prefetch_second(gates + j);
        for (int64_t j = 0; j < P; j += TEXTRNN_LANES) prefetch_second(state + j);
      }
    }
    if constexpr (Cell::R) {
      const InPhase in_product(phase::PRODUCT_BACK);
#if defined(__AVX512F__)
      constexpr int MAX = 6, WIDE = 4;
#else
      constexpr int MAX = 4, WIDE = 2;
#endif
      const float *gates = way.saved + position * S * P;
      in_blocks<MAX>(n, [&]<int M>(int i) __attribute__((always_inline)) {
        auto some = [&]<int N>(int64_t j) __attribute__((always_inline)) {
          V acc[M][N];
#pragma GCC unroll 8
          for (int m = 0; m < M; m++)
#pragma GCC unroll 8
            for (int v = 0; v < N; v++) acc[m][v] = load(d_hidden + (i + m) * P + j + v * W);
          multiply_add<M, N, 1>(gates + (int64_t)i * S * P, S * P, panels + j * K, K * W, K, acc);
#pragma GCC unroll 8
          for (int m = 0; m < M; m++)
#pragma GCC unroll 8
            for (int v = 0; v < N; v++) store(d_hidden + (i + m) * P + j + v * W, acc[m][v]);
        };
        constexpr int N = M == 1 ? 8 : M == 2 && WIDE < 4 ? 4 : WIDE;
        int64_t j = 0;
        for (; j + N * W <= P; j += N * W) some.template operator()<N>(j);
        for (; j < P; j += W) some.template operator()<1>(j);
      });
      if (done - position >= NEAR || t == 0) {
        const InPhase in_outer(phase::OUTER_PRODUCT);
        accumulate_outer(gates, S * P, K, way.previous + position * P, P, done - position, d_weight, d_weight + up * P, packed_a,
                         packed_b);
        done = position;
      }
    }
  }
  for (int64_t i = 0; i < rows; i++) {
    if (way.d_start_hidden) memcpy(way.d_start_hidden + item.row[i] * P, d_hidden + i * P, P * sizeof(float));
    if (way.d_start_memory) memcpy(way.d_start_memory + item.row[i] * P, d_memory + i * P, P * sizeof(float));
  }
  return true;
}

// The recurrent weights as the loops read them. Forward: for W units the G gates of each k < hidden. Back: for W units of
// the state before, the weights of each gate row in the order of Cell::RECURRENT.
//
// Units first to end, multiples of W.
template <class Cell>
static void pack(const textrnn_layer &c, int d, int64_t first, int64_t end) {
  if constexpr (Cell::R) {
    const textrnn_direction &way = c.direction[d];
    const int64_t H = c.hidden, P = c.padded, K = Cell::G * P;
    const float *weight = way.from_hidden;
    for (int64_t j = first; j < end; j += W)
      for (int g = 0; g < Cell::G; g++)
        turn_rows(weight + (g * H + j) * H, H, H - j, H, way.panels + j * H * Cell::G + g * W, Cell::G * W);
    if (!way.saved) return;
    for (int64_t j = first; j < end; j += W) {
      float *to = way.panels + Cell::G * P * H + j * K;
      for (int g = 0; g < Cell::G; g++)
        for (int64_t k = 0; k < P; k++, to += W) {
          const float *row = weight + (Cell::RECURRENT[g] * H + k) * H + j;
          if (k < H && j + W <= H) store(to, load(row));
          else
            for (int l = 0; l < W; l++) to[l] = k < H && j + l < H ? row[l] : 0.f;
        }
    }
  }
}

// The gradients of recurrent weights and bias: the sum over the items, in their order. Rows first to end of one gate.
template <class Cell>
static void sum_items(const textrnn_layer &c, int d, int g, int64_t first, int64_t end) {
  if constexpr (Cell::R) {
    const textrnn_direction &way = c.direction[d];
    const int64_t P = c.padded, H = c.hidden, K = Cell::G * P, size = (K + MR - 1) / MR * MR * P + K;
    const int64_t gate = Cell::RECURRENT[g];
    for (int64_t i = first; i < end; i++) {
      float *to = way.d_from_hidden + (gate * H + i) * H;
      for (int64_t j = 0; j < H; j += W) {
        V sum{};
        for (int64_t item = 0; item < c.plan->items; item++) sum += load(way.partial + item * size + (g * P + i) * P + j);
        if (j + W <= H) store(to + j, sum);
        else
          for (int64_t l = 0; l < H - j; l++) to[j + l] = sum[l];
      }
      if (!way.d_recurrent_bias) continue;
      float sum = 0.f;
      for (int64_t item = 0; item < c.plan->items; item++) sum += way.partial[(item + 1) * size - K + g * P + i];
      way.d_recurrent_bias[gate * H + i] = sum;
    }
  }
}

// The gradient of a row of `projected` is the sum over the positions that read it, in rising order; or that of its position.
template <class Cell>
static void gather(const textrnn_layer &c, int d, int64_t first, int64_t end) {
  const textrnn_plan &plan = *c.plan;
  const textrnn_direction &way = c.direction[d];
  const int64_t P = c.padded, width = Cell::G * P;
  for (int64_t u = first; u < end; u++) {
    float *to = way.d_projected + u * width;
    const int64_t begin = c.index ? plan.occurrence[u] : u, stop = c.index ? plan.occurrence[u + 1] : u + 1;
    for (int64_t o = begin; o < stop; o++) {
      const int64_t p = c.index ? plan.occurrences[o] : o;
      const float *from = way.saved + ((d ? plan.mirror[p] : p) * Cell::S + Cell::FIRST) * P;
      if (o == begin) memcpy(to, from, width * sizeof(float));
      else
        for (int64_t j = 0; j < width; j += W) store(to + j, load(to + j) + load(from + j));
    }
  }
}

}  // namespace
