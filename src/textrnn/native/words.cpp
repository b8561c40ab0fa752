// The rule `words` (src/textrnn/text/tokenizer.py) from UTF-8 bytes to ids, many texts at once on several threads.
//
// A text goes through three loops. `rewrite` (words_unicode.h) does what NFC, lower() and translate() do in Python: it
// writes a lower-cased copy in which marks that stand alone have spaces around them. `find_tokens` (words_tokens.h)
// lists where tokens begin and end. `Table::find` (words_table.h) looks each of them up.
//
// Plain C outside, called through ctypes; nothing throws across the border, and no pointer is kept but in a handle.

#include <algorithm>
#include <new>

#include "threads.h"
#include "words_count.h"
#include "words_encode.h"

namespace textrnn::words {
namespace {

constexpr int32_t UNK_ID = 1;
constexpr size_t BLOCK_BYTES = size_t{1} << 16;  // of texts that one thread takes at a time
constexpr int32_t MOST_THREADS = 256;
constexpr int64_t MOST_TOKENS = int64_t{1} << 40;

struct Block {
  int64_t first, last;  // texts
  size_t room;          // where its ids may begin
  size_t ids;           // how many there are
};

// Whether `offsets` [count + 1] rise from 0, with something at `tokens` if there are bytes.
bool rising(const char *tokens, const int64_t *offsets, int64_t count) {
  if (!offsets || count < 0 || count > INT32_MAX / 2 || offsets[0] != 0) return false;
  for (int64_t index = 0; index < count; ++index)
    if (offsets[index + 1] < offsets[index]) return false;
  return tokens || !offsets[count];
}

// The texts in blocks; false if a size or pointer is impossible, or `room` too small for the ids.
bool divide(const char *const *texts, const int64_t *sizes, int64_t count, size_t most, int64_t room,
            std::vector<Block> &blocks) {
  size_t needed = 0, bytes = 0;
  for (int64_t text = 0; text < count; ++text) {
    if (sizes[text] < 0 || (sizes[text] && !texts[text])) return false;
    if (blocks.empty() || bytes >= BLOCK_BYTES) {
      blocks.push_back({text, text, needed, 0});
      bytes = 0;
    }
    const size_t size = static_cast<size_t>(sizes[text]);
    blocks.back().last = text + 1;
    bytes += size;
    needed += size < most ? size : most;
    if (needed > static_cast<size_t>(room)) return false;
  }
  return true;
}

}  // namespace
}  // namespace textrnn::words

using namespace textrnn::words;

extern "C" {
#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

// A vocabulary as a handle, to be freed with textrnn_words_free; NULL where it cannot be built.
//
// tokens    UTF-8, one after the other; [offsets[count]] bytes
// offsets   where each begins, rising from 0; [count + 1]. Of two equal tokens the first one counts, empty ones do not
// first_id  id of the first token, the others follow
// seed      any number; the order of the table depends on it, its answers do not
void *textrnn_words_new(const char *tokens, const int64_t *offsets, int64_t count, int32_t first_id, uint64_t seed) {
  if (!rising(tokens, offsets, count) || first_id < 0) return nullptr;
  try {
    auto vocabulary = std::make_unique<Table>(seed, UNK_ID, static_cast<size_t>(count));
    std::vector<char> padded(static_cast<size_t>(offsets[count]) + PADDING);
    if (offsets[count]) std::memcpy(padded.data(), tokens, static_cast<size_t>(offsets[count]));
    for (int64_t index = 0; index < count; ++index) {
      const size_t length = static_cast<size_t>(offsets[index + 1] - offsets[index]);
      if (length == 0 || length > UINT32_MAX) continue;  // no token of a text is empty
      if (vocabulary->add(padded.data() + offsets[index], length, first_id + static_cast<int32_t>(index)) < 0)
        return nullptr;
    }
    return vocabulary.release();
  } catch (...) {
    return nullptr;
  }
}

void textrnn_words_free(void *handle) { delete static_cast<Table *>(handle); }

// Sets the 256 entries of one page of code points (see `Kind`); 0, or -1 where that is impossible. A page that is
// there already stays as it is.
int32_t textrnn_words_set_page(int32_t page, const uint32_t *entries) {
  if (page < 0 || page >= PAGES || !entries) return -1;
  auto *copy = new (std::nothrow) uint32_t[256];
  if (!copy) return -1;
  std::memcpy(copy, entries, 256 * sizeof *copy);
  const uint32_t *nothing = nullptr;
  if (!pages[page].compare_exchange_strong(nothing, copy, std::memory_order_acq_rel)) delete[] copy;
  return 0;
}

// The ids of many texts, one after the other; their number, -1 for impossible arguments, -2 without memory.
//
// handle    from textrnn_words_new
// texts     UTF-8; [count] pointers
// sizes     bytes of each; [count]
// head      tokens kept at the beginning of a text with more than head + tail of them
// tail      tokens kept at its end
// threads   at most so many work; the result does not depend on it
// ids       receives the ids; must have room for min(sizes[i], head + tail) of each text
// room      of `ids`
// lengths   receives the number of ids of each text; [count]
// status    receives 0 = done, 1 = left to Python, 2 = a page is missing; [count]; ids of others than 0 are left out
// wanted    pages that are missing are set to 1; [0x1100]
int64_t textrnn_words_encode(const void *handle, const char *const *texts, const int64_t *sizes, int64_t count,
                             int64_t head, int64_t tail, int32_t threads, int32_t *ids, int64_t room, int64_t *lengths,
                             uint8_t *status, uint8_t *wanted) {
  if (!handle || count < 0 || head < 0 || tail < 0 || head > MOST_TOKENS || tail > MOST_TOKENS || room < 0) return -1;
  if (!wanted || (count && (!texts || !sizes || !lengths || !status)) || (room && !ids)) return -1;
  try {
    const Table &vocabulary = *static_cast<const Table *>(handle);
    const Kept kept{static_cast<size_t>(head), static_cast<size_t>(tail)};
    std::vector<Block> blocks;
    if (!divide(texts, sizes, count, kept.head + kept.tail, room, blocks)) return -1;
    WantedPages missing{};
    std::atomic<size_t> next{0};
    // A task for each thread, which takes blocks as long as there are some: so each has one scratch memory.
    const int tasks = std::max(1, std::min({threads, MOST_THREADS, static_cast<int32_t>(blocks.size())}));
    textrnn::parallel(tasks, tasks, [&](int64_t) {
      Scratch scratch;
      for (size_t index; (index = next.fetch_add(1)) < blocks.size();) {
        Block &block = blocks[index];
        for (int64_t text = block.first; text < block.last; ++text) {
          size_t found = 0;
          status[text] = encode(vocabulary, texts[text], static_cast<size_t>(sizes[text]), kept, scratch, missing,
                                ids + block.room + block.ids, &found);
          if (status[text] != DONE) found = 0;
          lengths[text] = static_cast<int64_t>(found);
          block.ids += found;
        }
      }
    });
    size_t written = 0;
    for (const Block &block : blocks) {
      if (block.ids && written != block.room) std::memmove(ids + written, ids + block.room, block.ids * sizeof *ids);
      written += block.ids;
    }
    for (int page = 0; page < PAGES; ++page)
      if (missing[page].load(std::memory_order_relaxed)) wanted[page] = 1;
    return static_cast<int64_t>(written);
  } catch (...) {
    return -2;
  }
}

// A counter of tokens as a handle, to be freed with textrnn_words_counter_free; NULL without memory.
void *textrnn_words_counter_new(uint64_t seed) {
  try {
    return new Counter(seed);
  } catch (...) {
    return nullptr;
  }
}

void textrnn_words_counter_free(void *handle) { delete static_cast<Counter *>(handle); }

// Counts the tokens of texts up to the first one that cannot be read; the number of texts counted, -1 for impossible
// arguments, -2 without memory, -3 if too many tokens collide. After -2 and -3 the counts are of no use.
//
// status    receives why that text cannot be read, or 0; see textrnn_words_encode
// wanted    pages that are missing are set to 1; [0x1100]
int64_t textrnn_words_count(void *handle, const char *const *texts, const int64_t *sizes, int64_t count,
                            uint8_t *status, uint8_t *wanted) {
  if (!handle || count < 0 || !status || !wanted || (count && (!texts || !sizes))) return -1;
  try {
    auto &counter = *static_cast<Counter *>(handle);
    Scratch scratch;
    WantedPages missing{};
    *status = DONE;
    for (int64_t text = 0; text < count; ++text) {
      if (sizes[text] < 0 || (sizes[text] && !texts[text])) return -1;
      const Part part = tokenize(texts[text], texts[text] + sizes[text], scratch, missing);
      if (part.status != DONE) {
        *status = part.status;
        for (int page = 0; page < PAGES; ++page)
          if (missing[page].load(std::memory_order_relaxed)) wanted[page] = 1;
        return text;
      }
      const uint32_t *begins = scratch.begins.data(), *ends = scratch.ends.data();
      for (size_t token = 0; token < part.tokens; ++token)
        if (!counter.add(scratch.text.data() + begins[token], ends[token] - begins[token])) return -3;
    }
    return count;
  } catch (...) {
    return -2;
  }
}

// Counts tokens that Python has found; their number or an error as above. tokens and offsets as in textrnn_words_new.
int64_t textrnn_words_count_tokens(void *handle, const char *tokens, const int64_t *offsets, int64_t count) {
  if (!handle || !rising(tokens, offsets, count)) return -1;
  try {
    std::vector<char> padded(static_cast<size_t>(offsets[count]) + PADDING);
    if (offsets[count]) std::memcpy(padded.data(), tokens, static_cast<size_t>(offsets[count]));
    for (int64_t index = 0; index < count; ++index) {
      const int64_t length = offsets[index + 1] - offsets[index];
      if (length == 0 || length > UINT32_MAX) return -1;
      if (!static_cast<Counter *>(handle)->add(padded.data() + offsets[index], static_cast<size_t>(length))) return -3;
    }
    return count;
  } catch (...) {
    return -2;
  }
}

// The number of different tokens and, where wanted, what they are; to be asked twice. NULL: not wanted.
//
// size      receives the bytes of all tokens
// tokens    receives them, in the order of first appearance; [size]
// ends      receives where each ends; [different tokens]
// counts    receives how often each occurs; [different tokens]
int64_t textrnn_words_counts(const void *handle, int64_t *size, char *tokens, int64_t *ends, int64_t *counts) {
  if (!handle) return -1;
  const auto &counter = *static_cast<const Counter *>(handle);
  const size_t different = counter.counts().size();
  const int64_t bytes = different ? counter.ends().back() : 0;
  if (size) *size = bytes;
  if (!different) return 0;
  if (tokens) std::memcpy(tokens, counter.bytes(), static_cast<size_t>(bytes));
  if (ends) std::memcpy(ends, counter.ends().data(), different * sizeof *ends);
  if (counts) std::memcpy(counts, counter.counts().data(), different * sizeof *counts);
  return static_cast<int64_t>(different);
}

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif
}
