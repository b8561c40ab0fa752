// Embeddings of a plan's words, through dropout masks, and their gradients: one pass each, cut into tasks.
#include <algorithm>
#include <atomic>
#include <utility>

#include "internal.h"
#include "phases.h"
#include "threads.h"

using namespace textrnn;

namespace {

template <class Task>
int in_tasks(int32_t threads, int64_t count, int64_t at_once, const Task &task) {
  std::atomic<bool> failed{false};
  parallel(threads, (count + at_once - 1) / at_once, [&](int64_t t) {
    if (!task(t * at_once, std::min(count, (t + 1) * at_once))) failed = true;
  });
  return failed;
}

// The first `count` of `order` by rising id, a byte at a time from the lowest one: comparisons, which no processor foresees, take
// five times as long. `other` has room for as many. Returns which of both has them in the end.
int32_t *sorted(int32_t *order, int32_t *other, int64_t count, const int64_t *ids) {
  int64_t largest = 0;
  for (int64_t i = 0; i < count; i++) largest = std::max(largest, ids[order[i]]);
  for (int shift = 0; shift < 63 && largest >> shift; shift += 8) {
    int64_t begin[257] = {};
    for (int64_t i = 0; i < count; i++) begin[(ids[order[i]] >> shift & 255) + 1]++;
    for (int digit = 0; digit < 256; digit++) begin[digit + 1] += begin[digit];
    for (int64_t i = 0; i < count; i++) other[begin[ids[order[i]] >> shift & 255]++] = order[i];
    std::swap(order, other);
  }
  return order;
}

}  // namespace

void textrnn_mask_rows(const textrnn_mask *mask, int64_t rows, int64_t columns, float *to) {
  kernels_in_use().mask_rows(*mask, 0, rows, columns, to);
}

int textrnn_read_words(const textrnn_reading *reading) {
  const InPhase in_words(phase::WORDS);
  const textrnn_reading &r = *reading;
  const Kernels &kernels = kernels_in_use();
  return in_tasks(r.threads, by_words(r) ? r.plan->unique : r.plan->positions, 64,
                  [&](int64_t first, int64_t end) { return kernels.read_words(r, first, end); });
}

int64_t textrnn_learn_words(const textrnn_reading *reading) {
  const InPhase in_words(phase::WORDS);
  textrnn_reading r = *reading;
  const int64_t *ids = r.plan->unique_ids, unique = r.plan->unique;
  int32_t *order = (int32_t *)scratch(4, 3 * unique + 1), *begin = order + 2 * unique;
  if (!order && unique) return -1;
  int64_t count = 0;
  for (int64_t u = 0; u < unique; u++)
    if (ids[u] / r.readings != r.silent) order[count++] = (int32_t)u;
  r.order = sorted(order, order + unique, count, ids);
  r.begin = begin;
  int64_t words = 0;
  for (int64_t i = 0; i < count; i++) {
    const int64_t id = ids[r.order[i]] / r.readings;
    if (words && r.d_ids[words - 1] == id) continue;
    begin[words] = (int32_t)i;
    r.d_ids[words++] = id;
  }
  if (order) begin[words] = (int32_t)count;
  const Kernels &kernels = kernels_in_use();
  const int failed = in_tasks(r.threads, words, 32, [&](int64_t first, int64_t end) { return kernels.learn_words(r, first, end); });
  return failed ? -1 : words;
}
