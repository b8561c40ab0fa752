// Inference with the recurrent product in 16-bit brain floats, for processors that multiply these twice as fast: see
// docs/architecture.md for what it gains and costs. States, gates, activations and sums stay in 32 bits.
#pragma GCC diagnostic ignored "-Wunused-function"  // of the headers only the way forward is needed
#include "sequence.h"

namespace textrnn::TEXTRNN_ISA {

template <class F>
INLINE auto with_recurrent_cell(int32_t cell, F &&f) {
  switch (cell) {
    case TEXTRNN_ELMAN: return f.template operator()<Elman>();
    case TEXTRNN_ELMAN_RELU: return f.template operator()<ElmanRelu>();
    case TEXTRNN_GRU: return f.template operator()<Gru>();
    default: return f.template operator()<Lstm>();
  }
}

// To the nearest, to the even one of two; nan stays nan.
INLINE uint16_t rounded(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  if (x != x) return (uint16_t)(bits >> 16 | 0x40);
  return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

// For W units the G gates of each pair of k < hidden, both numbers of a pair side by side; zeros beyond.
static void pack_pairs(const textrnn_layer &c, int d) {
  with_recurrent_cell(c.cell, [&]<class Cell>() {
    const textrnn_direction &way = c.direction[d];
    const int64_t H = c.hidden, P = c.padded;
    uint16_t *to = (uint16_t *)way.panels;
    for (int64_t j = 0; j < P; j += W)
      for (int64_t k = 0; k < H; k += 2)
        for (int64_t g = 0; g < Cell::G; g++)
          for (int64_t l = j; l < j + W; l++)
            for (int64_t i = k; i < k + 2; i++) *to++ = l < H && i < H ? rounded(way.from_hidden[(g * H + l) * H + i]) : 0;
  });
}

static bool forward_pairs(const textrnn_layer &c, int64_t item, int d) {
  return with_recurrent_cell(c.cell, [&]<class Cell>() { return forward<Cell, Pairs>(c, item, d); });
}

}  // namespace textrnn::TEXTRNN_ISA

namespace textrnn {
extern const Bf16Kernels bf16_kernels = {TEXTRNN_ISA::pack_pairs, TEXTRNN_ISA::forward_pairs};
}  // namespace textrnn
