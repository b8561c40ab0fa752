// Where a layer keeps what it needs for itself: all of it in one piece of memory, which the caller owns.
#include <cstring>

#include "internal.h"

using namespace textrnn;

namespace {

// Hands out memory from its beginning, each piece at a cache line; without memory it only counts.
class Pieces {
  float *memory;

 public:
  int64_t floats = 0;
  explicit Pieces(float *memory) : memory(memory) {}
  template <class Number>
  void take(Number *&place, int64_t count) {
    static_assert(sizeof(Number) == sizeof(float));
    if (memory) place = (Number *)(memory + floats);
    floats += (count + TEXTRNN_LANES - 1) / TEXTRNN_LANES * TEXTRNN_LANES;
  }
};

}  // namespace

int64_t textrnn_place(textrnn_layer *layer, int32_t training, float *memory) {
  textrnn_layer &c = *layer;
  const CellShape *shape = cell_shape(c.cell);
  if (!shape) return -1;
  const int64_t batch = c.plan->batch, positions = c.plan->positions, P = c.padded, wide = shape->gates * P;
  Pieces pieces(memory);
  if (!c.input) {
    pieces.take(c.input, c.inputs * c.features);
    if (training) pieces.take(c.d_input, c.inputs * c.features);
  }
  if (training && c.pooling == TEXTRNN_MAX) pieces.take(c.argmax, batch * c.directions * P);
  for (int d = 0; d < c.directions; d++) {
    textrnn_direction &way = c.direction[d];
    pieces.take(way.projected, c.inputs * wide);
    if (shape->recurrent) pieces.take(way.panels, (training ? 2 : 1) * wide * P);
    if (!way.final_hidden) pieces.take(way.final_hidden, batch * P);
    if (way.recurrent_bias) {
      float *candidate = nullptr;
      pieces.take(candidate, P);
      if (candidate) {
        memcpy(candidate, way.recurrent_bias + 2 * c.hidden, c.hidden * sizeof(float));
        memset(candidate + c.hidden, 0, (P - c.hidden) * sizeof(float));
      }
      way.candidate_bias = candidate;
    }
    if (!training) continue;
    pieces.take(way.saved, positions * shape->saved * P);
    pieces.take(way.previous, positions * P);
    if (shape->recurrent) pieces.take(way.partial, c.plan->items * (wide + 8) * (P + 1));
    // The way back reads all of `projected` that it wants before it writes the first of `d_projected`.
    if (c.index || c.directions > 1) way.d_projected = way.projected;
  }
  return pieces.floats;
}
