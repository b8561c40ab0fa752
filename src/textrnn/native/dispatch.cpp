// The C interface: chooses the instruction set once, cuts calls into tasks and hands these to threads.
#include <atomic>
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "internal.h"
#include "phases.h"
#include "threads.h"

namespace textrnn {
namespace {

bool supported(const Kernels &kernels) {
#if defined(TEXTRNN_X86)
  __builtin_cpu_init();
  if (&kernels == &avx512_kernels)
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl");
  if (&kernels == &avx2_kernels) return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#endif
  return &kernels == &portable_kernels;
}

#if defined(TEXTRNN_X86)
const Kernels *const ALL[] = {&avx512_kernels, &avx2_kernels, &portable_kernels};
#else
const Kernels *const ALL[] = {&portable_kernels};
#endif

const Kernels *best() {
  for (const Kernels *kernels : ALL)
    if (supported(*kernels)) return kernels;
  return &portable_kernels;
}
std::atomic<const Kernels *> chosen{best()};

#if defined(TEXTRNN_HAS_BF16)
// Whether a layer's recurrent product is to be made in 16-bit brain floats, and can be.
bool in_bf16(const textrnn_layer &c) {
  return c.precision == TEXTRNN_BF16 && cell_shape(c.cell)->recurrent && !c.direction[0].saved && textrnn_has_bf16();
}
#endif

void pack_units(const textrnn_layer &c, int d, int64_t first, int64_t end) {
#if defined(TEXTRNN_HAS_BF16)
  if (in_bf16(c)) {
    if (first == 0) bf16_kernels.pack(c, d);  // all units at once
    return;
  }
#endif
  chosen.load()->pack(c, d, first, end);
}

bool forward_item(const textrnn_layer &c, int64_t item, int d) {
#if defined(TEXTRNN_HAS_BF16)
  if (in_bf16(c)) return bf16_kernels.forward(c, item, d);
#endif
  return chosen.load()->forward(c, item, d);
}

// Slots of memory that a thread keeps between calls.
struct Slots {
  float *memory[5] = {};
  int64_t floats[5] = {};
  ~Slots() {
    for (float *some : memory) std::free(some);
  }
};
thread_local Slots slots;

textrnn_factor factor(const float *a, int64_t a_row, int64_t a_column, const float *b, int64_t b_row, int64_t b_column,
                      int64_t k) {
  return {a, b, a_row, a_column, b_row, b_column, k};
}

int products(const textrnn_product *product, int64_t count, int threads) {
  std::vector<int64_t> first{0};
  for (int64_t i = 0; i < count; i++) {
    if (product[i].m < 1 || product[i].n < 1) {  // an empty batch: no tiles, and no size to divide by
      first.push_back(first.back());
      continue;
    }
    const Tiling tiling = tiling_of(product[i]);
    first.push_back(first.back() + tiling.down * tiling.across);
  }
  const Kernels &kernels = *chosen.load();
  std::atomic<bool> failed{false};
  parallel(threads, first.back(), [&](int64_t task) {
    int64_t i = 0;
    while (task >= first[i + 1]) i++;
    if (!kernels.tile(product[i], task - first[i])) failed = true;
  });
  return failed;
}

// The input weights of some units, turned and padded, since the product reads them many times; and the recurrent ones, packed.
void prepare(const textrnn_layer &c, const CellShape &shape, int d, int64_t first, int64_t end, float *turned) {
  const textrnn_direction &way = c.direction[d];
  const int64_t H = c.hidden, P = c.padded, E = c.features, wide = shape.gates * P;
  if (way.from_hidden) pack_units(c, d, first, end);
  if (!turned) return;
  for (int64_t g = 0; g < shape.gates; g++) {
    float *bias = turned + E * wide + g * P;
    for (int64_t j = first; j < end; j++) bias[j] = j < H ? way.input_bias[g * H + j] : 0.f;
    // Of reset and update both biases add up; the candidate's acts inside the reset.
    for (int64_t j = first; way.recurrent_bias && g < 2 && j < end && j < H; j++) bias[j] += way.recurrent_bias[g * H + j];
    kernels_in_use().turn(way.from_input + g * H * E, H, E, first, end, turned + g * P, wide);
  }
}

// W x + b of every input row, in each direction, by weights that `prepare` has turned, or that were turned once for all calls.
int project(const textrnn_layer &c, const CellShape &shape, const float *turned) {
  const InPhase in_product(phase::INPUT_PRODUCT);
  std::vector<textrnn_product> all;
  std::vector<textrnn_factor> factors(c.directions);
  const int64_t E = c.features, wide = shape.gates * c.padded;
  for (int d = 0; d < c.directions; d++) {
    const float *weight = c.direction[d].turned ? c.direction[d].turned : turned + d * (E + 1) * wide;
    factors[d] = factor(c.input, E, 1, weight, wide, 1, E);
    all.push_back({&factors[d], 1, c.inputs, wide, wide, c.direction[d].projected, weight + E * wide, nullptr});
  }
  return products(all.data(), (int64_t)all.size(), c.threads);
}

// Gradients of input weights, biases and inputs as products over the input rows. Gates are cut apart where they are padded.
int backward_products(const textrnn_layer &c, const CellShape &shape) {
  const InPhase in_gradients(phase::INPUT_GRADIENTS);
  std::vector<textrnn_product> all;
  const int64_t whole = c.hidden == c.padded ? shape.gates : 1, parts = shape.gates / whole, rows = whole * c.hidden;
  const int64_t E = c.features, wide = shape.gates * c.padded;
  std::vector<textrnn_factor> weights(c.directions * parts), inputs(c.directions * parts);
  size_t used = 0;
  for (int d = 0; d < c.directions; d++) {
    const textrnn_direction &way = c.direction[d];
    for (int64_t g = 0; g < parts; g++, used++) {
      const int64_t apart = way.d_projected ? wide : shape.saved * c.padded;  // from row to row
      const float *gates = (way.d_projected ? way.d_projected : way.saved + shape.first * c.padded) + g * c.padded;
      weights[used] = factor(gates, 1, apart, c.input, E, 1, c.inputs);
      inputs[used] = factor(gates, apart, 1, way.from_input + g * rows * E, E, 1, rows);
      all.push_back({&weights[used], 1, rows, E, E, way.d_from_input + g * rows * E, nullptr, way.d_input_bias + g * rows});
    }
  }
  if (c.d_input) all.push_back({inputs.data(), (int32_t)used, c.inputs, E, E, c.d_input, nullptr, nullptr});
  return products(all.data(), (int64_t)all.size(), c.threads);
}

}  // namespace

const Kernels &kernels_in_use() { return *chosen.load(); }

float *scratch(int slot, int64_t floats) {
  if (slots.floats[slot] < floats) {
    std::free(slots.memory[slot]);
    const size_t bytes = ((size_t)floats * sizeof(float) + 4095) / 4096 * 4096;
    slots.memory[slot] = static_cast<float *>(std::aligned_alloc(4096, bytes));
    slots.floats[slot] = slots.memory[slot] ? (int64_t)(bytes / sizeof(float)) : 0;
  }
  return slots.memory[slot];
}

const CellShape *cell_shape(int32_t cell) {
  static const CellShape shapes[] = {
      {1, 1, 0, true, {0}},          {1, 1, 0, true, {0}},     {3, 4, 1, true, {2, 0, 1}},
      {4, 5, 0, true, {0, 1, 2, 3}}, {2, 2, 0, false, {0, 1}}, {3, 3, 0, false, {0, 1, 2}},
  };
  return cell < 0 || cell > TEXTRNN_MINLSTM ? nullptr : &shapes[cell];
}

}  // namespace textrnn

using namespace textrnn;

const char *textrnn_instruction_set(void) { return chosen.load()->name; }

int textrnn_use_instruction_set(const char *name) {
  for (const Kernels *kernels : ALL)
    if (!std::strcmp(kernels->name, name) && supported(*kernels)) {
      chosen = kernels;
      return 1;
    }
  return 0;
}

int textrnn_has_bf16(void) {
#if defined(TEXTRNN_HAS_BF16)
  static const bool here = __builtin_cpu_supports("avx512bf16");
  return here && chosen.load() == &avx512_kernels;
#else
  return 0;
#endif
}

int textrnn_cell_shape(int32_t cell, int32_t *gates, int32_t *saved) {
  const CellShape *shape = cell_shape(cell);
  if (!shape) return 0;
  *gates = shape->gates;
  *saved = shape->saved;
  return 1;
}

void textrnn_pack(const textrnn_layer *layer) {
  for (int d = 0; d < layer->directions; d++) pack_units(*layer, d, 0, layer->padded);
}

int textrnn_scan(const textrnn_scan_call *call) {
  constexpr int64_t ROWS = 8;
  const Kernels &kernels = *chosen.load();
  parallel(call->threads, (call->batch + ROWS - 1) / ROWS, [&](int64_t task) {
    kernels.scan(*call, task * ROWS, std::min(call->batch, (task + 1) * ROWS));
  });
  return 0;
}

int textrnn_forward(const textrnn_layer *layer) {
  const InPhase in_rest(phase::REST);
  const textrnn_layer &c = *layer;
  const CellShape *shape = cell_shape(c.cell);
  if (!shape) return 1;
  constexpr int64_t UNITS = 16;
  const int64_t apart = (c.features + 1) * shape->gates * c.padded, parts = c.padded / UNITS;
  const bool projected = !c.table[0], turning = projected && !c.direction[0].turned;
  float *turned = turning ? scratch(4, c.directions * apart) : nullptr;
  if (turning && !turned) return 1;
  if (turned || c.direction[0].from_hidden) {
    const InPhase in_packing(phase::PACKING_WEIGHTS);
    parallel(c.threads, parts * c.directions, [&](int64_t task) {
      const int64_t d = task / parts, first = task % parts * UNITS;
      prepare(c, *shape, (int)d, first, first + UNITS, turned ? turned + d * apart : nullptr);
    });
  }
  if (projected && project(c, *shape, turned)) return 1;
  std::atomic<bool> failed{false};
  parallel(c.threads, c.plan->items * c.directions, [&](int64_t task) {
    if (!forward_item(c, task / c.directions, (int)(task % c.directions))) failed = true;
  });
  return failed;
}

int textrnn_backward(const textrnn_layer *layer) {
  const InPhase in_rest(phase::REST);
  const textrnn_layer &c = *layer;
  const CellShape *shape = cell_shape(c.cell);
  const Kernels &kernels = *chosen.load();
  if (!shape) return 1;
  std::atomic<bool> failed{false};
  parallel(c.threads, c.plan->items * c.directions, [&](int64_t task) {
    if (!kernels.backward(c, task / c.directions, (int)(task % c.directions))) failed = true;
  });
  if (failed) return 1;
  constexpr int64_t CHUNK = 32;
  const int64_t chunks = c.direction[0].d_projected ? (c.inputs + CHUNK - 1) / CHUNK * c.directions : 0;
  const int64_t rows = (c.hidden + CHUNK - 1) / CHUNK, sums = rows * shape->gates * c.directions;
  {
    const InPhase in_sums(phase::SUMS);
    parallel(c.threads, chunks + sums, [&](int64_t task) {
      const int d = (int)(task % c.directions);
      int64_t first = task / c.directions * CHUNK;
      if (task < chunks) {
        kernels.gather(c, d, first, std::min(c.inputs, first + CHUNK));
      } else {
        const int64_t left = (task - chunks) / c.directions;
        first = left % rows * CHUNK;
        kernels.sum_items(c, (int)((task - chunks) % c.directions), (int)(left / rows), first,
                          std::min<int64_t>(c.hidden, first + CHUNK));
      }
    });
  }
  return backward_products(c, *shape);
}

int textrnn_products(const textrnn_product *product, int32_t count, int32_t threads) {
  return products(product, count, threads);
}

void textrnn_activate(int32_t what, const float *x, float *y, int64_t count) {
  chosen.load()->activate(what, x, y, count);
}

double textrnn_peak_operations(int32_t threads, int64_t iterations) {
  std::vector<double> done(threads);
  parallel(threads, threads, [&](int64_t i) { done[i] = chosen.load()->peak(iterations); });
  double sum = 0;
  for (const double some : done) sum += some;
  return sum;
}

#if defined(TEXTRNN_PHASES)
namespace textrnn {
thread_local uint64_t phase_cycles[phase::COUNT], phase_spared[phase::COUNT], phase_since;
thread_local int phase_now = phase::OUTSIDE;
}  // namespace textrnn

// Cycles of each phase since the last call of this thread, and how many of them a second thread would spare
// [2, phase::COUNT]; returns how many phases there are.
extern "C" __attribute__((visibility("default"))) int textrnn_phases(uint64_t *cycles) {
  enter_phase(phase::OUTSIDE);
  for (int i = 0; i < phase::COUNT; i++) {
    cycles[i] = phase_cycles[i], cycles[phase::COUNT + i] = phase_spared[i];
    phase_cycles[i] = phase_spared[i] = 0;
  }
  phase_since = __builtin_ia32_rdtsc();
  return phase::COUNT;
}
#endif
