// Scores of texts by the n-grams they hold.
#include <atomic>
#include <cmath>
#include <vector>

#include "kernels.h"
#include "ngram_keys.h"
#include "threads.h"

namespace {

// An open table of places, -1 where free; keys are hashes already, their low bits as good as any.
int32_t *slot_of(const textrnn_ngrams &part, int32_t key) {
  int64_t at = key & (part.slots - 1);
  while (part.slot[at] >= 0 && part.key[part.slot[at]] != key) at = (at + 1) & (part.slots - 1);
  return part.slot + at;
}

// Adds to `scores` the rows of some n-grams, divided by the root of their number.
void add_kind(const textrnn_ngrams &part, const int32_t *keys, int64_t count, double *sums, double *scores) {
  if (!count) return;
  for (int64_t k = 0; k < part.classes; ++k) sums[k] = 0;
  for (int64_t index = 0; index < count; ++index) {
    const int32_t place = *slot_of(part, keys[index]);
    if (place < 0) continue;
    const float *row = part.weight + place * part.classes;
    for (int64_t k = 0; k < part.classes; ++k) sums[k] += row[k];
  }
  const double root = std::sqrt(static_cast<double>(count));
  for (int64_t k = 0; k < part.classes; ++k) scores[k] += sums[k] / root;
}

}  // namespace

int32_t textrnn_ngrams_index(const textrnn_ngrams *part) {
  if (part->slots <= part->count || (part->slots & (part->slots - 1)) || part->count > INT32_MAX) return 1;
  for (int64_t at = 0; at < part->slots; ++at) part->slot[at] = -1;
  for (int64_t place = 0; place < part->count; ++place) *slot_of(*part, part->key[place]) = static_cast<int32_t>(place);
  return 0;
}

int32_t textrnn_ngrams_scores(const textrnn_ngrams *part, const int32_t *keys, const int64_t *offsets, int64_t texts,
                              float *scores, int32_t threads) {
  const int64_t shares = texts < 8 * threads ? 1 : threads;
  std::atomic<bool> failed{false};
  textrnn::parallel(threads, shares, [&](int64_t share) {
    try {
      std::vector<double> sums(static_cast<size_t>(2 * part->classes));
      double *total = sums.data() + part->classes;
      for (int64_t text = texts * share / shares; text < texts * (share + 1) / shares; ++text) {
        const int32_t *begin = keys + offsets[text], *end = keys + offsets[text + 1], *middle = begin;
        while (middle < end && *middle < textrnn::ngrams::OF_CHARACTERS) ++middle;
        for (int64_t k = 0; k < part->classes; ++k) total[k] = part->bias[k];
        add_kind(*part, begin, middle - begin, sums.data(), total);
        add_kind(*part, middle, end - middle, sums.data(), total);
        for (int64_t k = 0; k < part->classes; ++k) scores[text * part->classes + k] = static_cast<float>(total[k]);
      }
    } catch (...) {
      failed = true;
    }
  });
  return failed;
}
