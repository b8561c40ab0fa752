// What the units compiled for one instruction set each offer to the dispatcher, and what it offers to them.
//
// These units use no templates of the standard library: the linker keeps one copy of such code for all units, and that copy
// could hold instructions that the processor lacks.
#pragma once
#include "adam.h"
#include "kernels.h"

namespace textrnn {

struct Kernels {
  const char *name;
  int width;
  // Packs the recurrent weights of one direction, units first to end; for training those of the way back too.
  void (*pack)(const textrnn_layer &, int direction, int64_t first, int64_t end);
  // Rows first to end, multiples of the width, of `from` [rows, columns] as columns of `to`; those beyond `rows` are zero.
  void (*turn)(const float *from, int64_t rows, int64_t columns, int64_t first, int64_t end, float *to, int64_t to_row);
  // One work item: an item of the plan, in one direction. Returns false if memory is short.
  bool (*forward)(const textrnn_layer &, int64_t item, int direction);
  bool (*backward)(const textrnn_layer &, int64_t item, int direction);
  // d_projected of the unique ids first to end.
  void (*gather)(const textrnn_layer &, int direction, int64_t first, int64_t end);
  // Rows first to end of a gate's recurrent weights (the g-th of the saved vectors): their gradients from those of the items.
  void (*sum_items)(const textrnn_layer &, int direction, int g, int64_t first, int64_t end);
  void (*scan)(const textrnn_scan_call &, int64_t first_row, int64_t end_row);
  // Row `index` of a table [rows, width] of a type in kernels.h as floats; `scale` of each row for I8.
  void (*expand)(const void *table, int32_t type, const float *scale, int64_t index, int64_t width, float *out);
  // One tile of a product.
  bool (*tile)(const textrnn_product &, int64_t tile);
  void (*activate)(int32_t what, const float *x, float *y, int64_t count);
  double (*peak)(int64_t iterations);
  void (*mask_rows)(const textrnn_mask &, int64_t first, int64_t end, int64_t columns, float *to);
  // Rows of the inputs, words with a gradient: first to end. They return false if memory is short.
  bool (*read_words)(const textrnn_reading &, int64_t first, int64_t end);
  bool (*learn_words)(const textrnn_reading &, int64_t first, int64_t end);
  // Adam on listed rows: see adam_rows.h.
  void (*adam_rows)(const textrnn_adam_table &, const AdamRow *rows, int64_t count, const float *gradient,
                    const AdamFactors *factors);
  double (*sum_of_squares)(const float *values, int64_t count);
  void (*scale)(float *values, int64_t count, float factor);
};

// Inference with the recurrent product in 16-bit brain floats; as `pack` and `forward` above.
struct Bf16Kernels {
  void (*pack)(const textrnn_layer &, int direction);
  bool (*forward)(const textrnn_layer &, int64_t item, int direction);
};
extern const Bf16Kernels bf16_kernels;

extern const Kernels avx512_kernels, avx2_kernels, portable_kernels;
const Kernels &kernels_in_use();

struct CellShape {
  int gates, saved, first;  // `first` of the saved vectors that are gradients with respect to W x + b
  bool recurrent;
  int recurrent_gate[4];    // gate of each of the first saved vectors
};
const CellShape *cell_shape(int32_t cell);

// Whether a word is read once, whatever the number of its occurrences: nothing makes one another than the next.
static inline bool by_words(const textrnn_reading &r) { return r.feature.scale == 0.f || r.by == TEXTRNN_BY_WORD; }

// Tiles of C: of nearly equal size, and the same for any number of threads, so that the order of every sum is.
struct Tiling {
  int64_t m, n, down, across;
};
inline Tiling tiling_of(const textrnn_product &p) {
  const int64_t down = (p.m + 95) / 96, across = (p.n + 191) / 192;
  const int64_t m = (p.m + down - 1) / down, n = (p.n + across - 1) / across;
  return {(m + 11) / 12 * 12, (n + 63) / 64 * 64, down, across};  // multiples of a register block
}

// Memory of the calling thread for as long as nobody asks again with the same slot; aligned to 64 bytes; NULL if short.
float *scratch(int slot, int64_t floats);

}  // namespace textrnn
