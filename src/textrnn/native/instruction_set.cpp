// The kernels for one instruction set: compiled once for each, with TEXTRNN_ISA as its name.
#include "adam_rows.h"
#include "product.h"
#include "reading.h"
#include "scan.h"
#include "sequence.h"

namespace textrnn::TEXTRNN_ISA {

// Calls f with the type of the cell.
template <class F>
INLINE auto with_cell(int32_t cell, F &&f) {
  switch (cell) {
    case TEXTRNN_ELMAN: return f.template operator()<Elman>();
    case TEXTRNN_ELMAN_RELU: return f.template operator()<ElmanRelu>();
    case TEXTRNN_GRU: return f.template operator()<Gru>();
    case TEXTRNN_LSTM: return f.template operator()<Lstm>();
    case TEXTRNN_MINGRU: return f.template operator()<MinGru>();
    default: return f.template operator()<MinLstm>();
  }
}

static void pack_cell(const textrnn_layer &c, int d, int64_t first, int64_t end) {
  with_cell(c.cell, [&]<class Cell>() { pack<Cell>(c, d, first, end); });
}
static void turn(const float *from, int64_t rows, int64_t columns, int64_t first, int64_t end, float *to, int64_t to_row) {
  for (int64_t i = first; i < end; i += W) turn_rows(from + i * columns, columns, rows - i, columns, to + i, to_row);
}
static bool forward_cell(const textrnn_layer &c, int64_t item, int d) {
  return with_cell(c.cell, [&]<class Cell>() { return forward<Cell>(c, item, d); });
}
static bool backward_cell(const textrnn_layer &c, int64_t item, int d) {
  return with_cell(c.cell, [&]<class Cell>() { return backward<Cell>(c, item, d); });
}
static void gather_cell(const textrnn_layer &c, int d, int64_t first, int64_t end) {
  with_cell(c.cell, [&]<class Cell>() { gather<Cell>(c, d, first, end); });
}
static void sum_items_of_cell(const textrnn_layer &c, int d, int g, int64_t first, int64_t end) {
  with_cell(c.cell, [&]<class Cell>() { sum_items<Cell>(c, d, g, first, end); });
}

static void expand_row(const void *table, int32_t type, const float *scale, int64_t index, int64_t width, float *out) {
  expand(table, type, scale, index, width, out);
}

static void activate(int32_t what, const float *x, float *y, int64_t count) {
  float in[W] = {}, out[W];
  for (int64_t i = 0; i < count; i += W) {
    const int64_t here = count - i < W ? count - i : W;
    memcpy(in, x + i, here * sizeof(float));
    const V v = load(in);
    store(out, what == 0 ? hyperbolic_tangent(v) : what == 1 ? sigmoid(v) : exponential(v));
    memcpy(y + i, out, here * sizeof(float));
  }
}

static double peak(int64_t iterations) {
  V acc[12];
  for (int i = 0; i < 12; i++) acc[i] = splat(0.01f * (float)i);
  const V x = splat(0.999f), y = splat(0.001f);
  for (int64_t k = 0; k < iterations; k++)
#pragma GCC unroll 12
    for (int i = 0; i < 12; i++) acc[i] = fma(acc[i], x, y);
  volatile float sink = 0;
  for (int i = 0; i < 12; i++) sink = sink + acc[i][0];
  return 2.0 * 12 * W * (double)iterations;
}

}  // namespace textrnn::TEXTRNN_ISA

namespace textrnn {
#define PASTE(a, b) a##b
#define TABLE(isa) PASTE(isa, _kernels)
#define STRING(isa) #isa
#define NAME(isa) STRING(isa)
extern const Kernels TABLE(TEXTRNN_ISA) = {NAME(TEXTRNN_ISA),
                                           TEXTRNN_ISA::W,
                                           TEXTRNN_ISA::pack_cell,
                                           TEXTRNN_ISA::turn,
                                           TEXTRNN_ISA::forward_cell,
                                           TEXTRNN_ISA::backward_cell,
                                           TEXTRNN_ISA::gather_cell,
                                           TEXTRNN_ISA::sum_items_of_cell,
                                           TEXTRNN_ISA::scan,
                                           TEXTRNN_ISA::expand_row,
                                           TEXTRNN_ISA::tile,
                                           TEXTRNN_ISA::activate,
                                           TEXTRNN_ISA::peak,
                                           TEXTRNN_ISA::mask_rows,
                                           TEXTRNN_ISA::read_words,
                                           TEXTRNN_ISA::learn_words,
                                           TEXTRNN_ISA::adam_rows,
                                           TEXTRNN_ISA::sum_of_squares,
                                           TEXTRNN_ISA::scale};
}  // namespace textrnn
