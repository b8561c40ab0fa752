// The n-grams of many texts, from their UTF-8 or from tokens that Python has found.
#include "ngram_keys.h"

#include <atomic>
#include <memory>
#include <new>

#include "threads.h"
#include "words_tokens.h"

namespace {

using namespace textrnn;

struct Keys {
  std::vector<std::vector<int32_t>> blocks;  // of neighbouring texts, in their order
  int64_t size() const {
    int64_t total = 0;
    for (const auto &block : blocks) total += static_cast<int64_t>(block.size());
    return total;
  }
};

constexpr int64_t TEXTS_A_BLOCK = 32;

bool possible(ngrams::Rule rule) { return rule.tokens >= 0 && rule.tokens <= 64 && rule.characters >= 0 && rule.characters <= 64; }

}  // namespace

extern "C" {
#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

// The n-grams of texts by the rule `words`; their number, -1 for impossible arguments, -2 without memory.
//
// texts, sizes    UTF-8 and bytes of each; [count]
// tokens, characters  of the longest n-gram of either kind; 0: none
// lengths         receives the number of n-grams of each text; [count]
// status, wanted  as of textrnn_words_encode
// handle          receives what textrnn_ngrams_take wants
int64_t textrnn_ngrams_of_texts(const char *const *texts, const int64_t *sizes, int64_t count, int64_t tokens,
                                int64_t characters, int32_t threads, int64_t *lengths, uint8_t *status,
                                uint8_t *wanted, void **handle) {
  const ngrams::Rule rule{tokens, characters};
  if (count < 0 || !possible(rule) || !handle || !wanted || (count && (!texts || !sizes || !lengths || !status)))
    return -1;
  for (int64_t text = 0; text < count; ++text)
    if (sizes[text] < 0 || (sizes[text] && !texts[text])) return -1;
  try {
    auto keys = std::make_unique<Keys>();
    keys->blocks.resize(static_cast<size_t>((count + TEXTS_A_BLOCK - 1) / TEXTS_A_BLOCK));
    words::WantedPages missing{};
    std::atomic<size_t> next{0};
    std::atomic<bool> failed{false};
    const int64_t tasks = std::max<int64_t>(1, std::min<int64_t>(threads, static_cast<int64_t>(keys->blocks.size())));
    parallel(static_cast<int32_t>(tasks), tasks, [&](int64_t) {
      try {
        words::Scratch reading;
        ngrams::Scratch scratch;
        for (size_t index; (index = next.fetch_add(1)) < keys->blocks.size();) {
          auto &block = keys->blocks[index];
          const int64_t first = static_cast<int64_t>(index) * TEXTS_A_BLOCK;
          for (int64_t text = first; text < std::min(count, first + TEXTS_A_BLOCK); ++text) {
            const words::Part part = words::tokenize(texts[text], texts[text] + sizes[text], reading, missing);
            const size_t before = block.size();
            status[text] = part.status;
            if (part.status == words::DONE)
              ngrams::each_key(reading.text.data(), reading.begins.data(), reading.ends.data(), part.tokens, rule,
                               scratch, [&](int32_t key) { block.push_back(key); });
            lengths[text] = static_cast<int64_t>(block.size() - before);
          }
        }
      } catch (...) {
        failed = true;
      }
    });
    if (failed) return -2;
    for (int page = 0; page < words::PAGES; ++page)
      if (missing[page].load(std::memory_order_relaxed)) wanted[page] = 1;
    const int64_t total = keys->size();
    *handle = keys.release();
    return total;
  } catch (...) {
    return -2;
  }
}

// The same for tokens that are UTF-8 one after the other: ends [tokens] where each ends, counts [count] how many each
// text has.
int64_t textrnn_ngrams_of_tokens(const char *bytes, const uint32_t *ends, const int64_t *counts, int64_t count,
                                 int64_t tokens, int64_t characters, int64_t *lengths, void **handle) {
  const ngrams::Rule rule{tokens, characters};
  if (count < 0 || !possible(rule) || !handle || (count && (!counts || !lengths))) return -1;
  try {
    auto keys = std::make_unique<Keys>();
    keys->blocks.resize(1);
    ngrams::Scratch scratch;
    std::vector<uint32_t> begins;
    size_t first = 0;
    for (int64_t text = 0; text < count; ++text) {
      if (counts[text] < 0) return -1;
      const size_t some = static_cast<size_t>(counts[text]), before = keys->blocks[0].size();
      begins.resize(some);
      for (size_t token = 0; token < some; ++token) begins[token] = first + token ? ends[first + token - 1] : 0;
      ngrams::each_key(bytes, begins.data(), ends + first, some, rule, scratch,
                       [&](int32_t key) { keys->blocks[0].push_back(key); });
      lengths[text] = static_cast<int64_t>(keys->blocks[0].size() - before);
      first += some;
    }
    const int64_t total = keys->size();
    *handle = keys.release();
    return total;
  } catch (...) {
    return -2;
  }
}

// Moves the n-grams of a handle to where there is room for them, and frees it.
void textrnn_ngrams_take(void *handle, int32_t *to) {
  const std::unique_ptr<Keys> keys(static_cast<Keys *>(handle));
  for (const auto &block : keys->blocks) to = std::copy(block.begin(), block.end(), to);
}

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif
}
