// Products of a sparse matrix, in compressed rows, with a dense one that has few columns.
//
// What takes the time is fetching a row of the dense matrix for each number of the sparse one. Sixteen columns are one
// cache line; it is asked for some numbers ahead, since no processor foresees these places.
#include "kernels.h"
#include "threads.h"

namespace {

typedef float Four __attribute__((vector_size(16), aligned(4), may_alias));
constexpr int64_t AHEAD = 16;

// to[0..4 N + REST) = sum over some numbers of number * dense[its column][0..4 N + REST)
template <int N, int REST>
void add_row(const textrnn_sparse &matrix, int64_t begin, int64_t end, int64_t last, const float *dense, int64_t width, float *to) {
  Four sums[N + 1] = {};
  float rest[REST + 1] = {};
  for (int64_t at = begin; at < end; at++) {
    if (at + AHEAD < last) __builtin_prefetch(dense + matrix.column[at + AHEAD] * width);
    float number = matrix.number[at];
    if (matrix.squared) number *= number;
    const float *row = dense + matrix.column[at] * width;
    for (int i = 0; i < N; i++) sums[i] += number * *(const Four *)(row + 4 * i);
    for (int i = 0; i < REST; i++) rest[i] += number * row[4 * N + i];
  }
  for (int i = 0; i < N; i++) *(Four *)(to + 4 * i) = sums[i];
  for (int i = 0; i < REST; i++) to[4 * N + i] = rest[i];
}

template <int N>
void add_row(int64_t rest, const textrnn_sparse &matrix, int64_t begin, int64_t end, int64_t last, const float *dense, int64_t width,
             float *to) {
  switch (rest) {
    case 0: if constexpr (N > 0) add_row<N, 0>(matrix, begin, end, last, dense, width, to); break;
    case 1: add_row<N, 1>(matrix, begin, end, last, dense, width, to); break;
    case 2: add_row<N, 2>(matrix, begin, end, last, dense, width, to); break;
    default: add_row<N, 3>(matrix, begin, end, last, dense, width, to);
  }
}

// The only column: four sums, since one would have to wait for itself.
void add_row_to_one(const textrnn_sparse &matrix, int64_t begin, int64_t end, const float *dense, float *to) {
  float sums[4] = {};
  for (int64_t at = begin; at < end; at++) {
    float number = matrix.number[at];
    if (matrix.squared) number *= number;
    sums[at & 3] += number * dense[matrix.column[at]];
  }
  *to = (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

}  // namespace

void textrnn_sparse_product(const textrnn_sparse *matrix, const float *dense, int64_t width, float *to, int32_t threads) {
  const int64_t rows = matrix->rows, last = matrix->offset[rows], shares = rows < 64 ? 1 : 8 * threads;
  textrnn::parallel(threads, shares, [&](int64_t share) {
    for (int64_t row = rows * share / shares; row < rows * (share + 1) / shares; row++) {
      const int64_t begin = matrix->offset[row], end = matrix->offset[row + 1];
      if (width == 1) {
        add_row_to_one(*matrix, begin, end, dense, to + row);
        continue;
      }
      int64_t k = 0;
      for (; k + 16 <= width; k += 16) add_row<4, 0>(*matrix, begin, end, last, dense + k, width, to + row * width + k);
      const int64_t rest = (width - k) % 4;
      float *here = to + row * width + k;
      switch ((width - k) / 4) {
        case 0: add_row<0>(rest, *matrix, begin, end, last, dense + k, width, here); break;
        case 1: add_row<1>(rest, *matrix, begin, end, last, dense + k, width, here); break;
        case 2: add_row<2>(rest, *matrix, begin, end, last, dense + k, width, here); break;
        default: add_row<3>(rest, *matrix, begin, end, last, dense + k, width, here);
      }
    }
  });
}
