// Scores of texts by the n-grams they hold; the same keys as textrnn/text/ngrams.py.
#include <atomic>
#include <cstdint>
#include <cstring>
#include <vector>

#include "kernels.h"
#include "threads.h"

namespace {

constexpr uint64_t MULTIPLIER = 0x9E3779B97F4A7C15u;

// An open table of places, -1 where free; keys are hashes already, their low bits as good as any.
int32_t *slot_of(const textrnn_ngrams &part, int32_t key) {
  int64_t at = key & (part.slots - 1);
  while (part.slot[at] >= 0 && part.key[part.slot[at]] != key) at = (at + 1) & (part.slots - 1);
  return part.slot + at;
}

// Adds the rows of the different n-grams of one text; `seen` [n-grams] holds `mark` where one was met already.
void add_text(const textrnn_ngrams &part, const int32_t *ids, int64_t tokens, uint32_t *seen, uint32_t mark,
              double *sums) {
  for (int64_t first = 0; first < tokens; ++first) {
    uint64_t hash = 0;
    for (int64_t last = first; last < tokens && last - first < part.longest; ++last) {
      hash = (hash + static_cast<uint64_t>(static_cast<int64_t>(ids[last])) + 1) * MULTIPLIER;
      const int32_t place = *slot_of(part, static_cast<int32_t>(hash >> 33));
      if (place < 0 || seen[place] == mark) continue;
      seen[place] = mark;
      const float *row = part.weight + place * part.classes;
      for (int64_t k = 0; k < part.classes; ++k) sums[k] += row[k];
    }
  }
}

}  // namespace

int32_t textrnn_ngrams_index(const textrnn_ngrams *part) {
  if (part->slots <= part->count || (part->slots & (part->slots - 1)) || part->count > INT32_MAX) return 1;
  for (int64_t at = 0; at < part->slots; ++at) part->slot[at] = -1;
  for (int64_t place = 0; place < part->count; ++place) *slot_of(*part, part->key[place]) = static_cast<int32_t>(place);
  return 0;
}

int32_t textrnn_ngrams_scores(const textrnn_ngrams *part, const int32_t *ids, const int64_t *offsets, int64_t texts,
                              float *scores, int32_t threads) {
  if (texts < 1) return 0;
  const int64_t shares = texts < 8 * threads ? 1 : threads;  // a thread's marks cost as much as some texts
  std::atomic<bool> failed{false};
  textrnn::parallel(threads, shares, [&](int64_t share) {
    try {
      std::vector<uint32_t> seen(static_cast<size_t>(part->count), 0);
      std::vector<double> sums(static_cast<size_t>(part->classes));
      uint32_t mark = 0;
      for (int64_t text = texts * share / shares; text < texts * (share + 1) / shares; ++text) {
        if (++mark == 0) {  // all marks are used up
          std::memset(seen.data(), 0, seen.size() * sizeof seen[0]);
          mark = 1;
        }
        for (int64_t k = 0; k < part->classes; ++k) sums[k] = part->bias[k];
        add_text(*part, ids + offsets[text], offsets[text + 1] - offsets[text], seen.data(), mark, sums.data());
        for (int64_t k = 0; k < part->classes; ++k) scores[text * part->classes + k] = static_cast<float>(sums[k]);
      }
    } catch (...) {
      failed = true;
    }
  });
  return failed;
}
