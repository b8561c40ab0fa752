// Which n-grams a text holds, as keys of 31 bits; the very same numbers as src/textrnn/text/ngrams.py.
#pragma once
#include <algorithm>
#include <bit>
#include <cstdint>
#include <vector>

namespace textrnn::ngrams {

constexpr uint64_t MULTIPLIER = 0x9E3779B97F4A7C15u;
constexpr uint64_t HASH_OF_NOTHING = 0xCBF29CE484222325u, HASH_PRIME = 0x100000001B3u;  // FNV-1a
constexpr uint32_t BEGIN_OF_TOKEN = 0x110000, END_OF_TOKEN = 0x110001;                  // beyond all code points
constexpr int SHIFT = 34;
constexpr int32_t OF_CHARACTERS = int32_t{1} << 30;

struct Rule {
  int64_t tokens, characters;  // of the longest n-gram of tokens, and of characters of one token; 0: none
};

// The different keys of one text; its memory serves the next text, too.
class Distinct {
 public:
  void clear() {
    count_ = 0;
    if (++mark_) return;
    std::fill(slots_.begin(), slots_.end(), 0);  // all marks are used up
    mark_ = 1;
  }
  bool insert(int32_t key) {
    if (2 * (count_ + 1) > slots_.size()) grow();
    if (!place(static_cast<uint64_t>(mark_) << 32 | static_cast<uint32_t>(key))) return false;
    ++count_;
    return true;
  }

 private:
  bool place(uint64_t item) {
    const size_t mask = slots_.size() - 1;
    for (size_t at = item & mask;; at = (at + 1) & mask) {  // keys are hashes already
      if (slots_[at] == item) return false;
      if (slots_[at] >> 32 == mark_) continue;
      slots_[at] = item;
      return true;
    }
  }
  void grow() {
    std::vector<uint64_t> before(std::max<size_t>(1024, 2 * slots_.size()), 0);
    before.swap(slots_);
    for (const uint64_t item : before)
      if (item >> 32 == mark_) place(item);
  }

  std::vector<uint64_t> slots_;  // the mark of the text, and the key
  size_t count_ = 0;
  uint32_t mark_ = 0;
};

struct Scratch {
  Distinct distinct;
  std::vector<uint64_t> hashes;      // of the tokens, the beginning of the text before them
  std::vector<uint32_t> characters;  // of a token, with its beginning and end
};

inline uint64_t hash_of(const char *token, size_t length) {
  uint64_t hash = HASH_OF_NOTHING;
  for (size_t index = 0; index < length; ++index)
    hash = (hash ^ static_cast<unsigned char>(token[index])) * HASH_PRIME;
  return hash;
}

// Code points of UTF-8 that was checked when it was made.
inline void decode(const char *at, const char *end, std::vector<uint32_t> &characters) {
  while (at < end) {
    const auto lead = static_cast<unsigned char>(*at++);
    const int followers = lead < 0xC0 ? 0 : lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : 3;
    uint32_t code = followers ? lead & (0x3Fu >> followers) : lead;
    for (int index = 0; index < followers && at < end; ++index) code = code << 6 | (static_cast<unsigned char>(*at++) & 0x3F);
    characters.push_back(code);
  }
}

// Runs of up to `longest` items as keys; none that is the first or the last of `alone` marks on its own.
template <class Item, class Found>
void each_run(const std::vector<Item> &items, int64_t longest, size_t alone_before, size_t alone_after, int32_t kind,
              Distinct &distinct, Found found) {
  for (size_t first = 0; first < items.size(); ++first) {
    const bool alone = first < alone_before || first >= items.size() - alone_after;
    uint64_t hash = 0;
    for (size_t last = first; last < items.size() && static_cast<int64_t>(last - first) < longest; ++last) {
      hash = (hash + items[last] + 1) * MULTIPLIER;
      const int32_t key = static_cast<int32_t>(hash >> SHIFT) | kind;
      if ((last > first || !alone) && distinct.insert(key)) found(key);
    }
  }
}

// Calls `found` with the key of every different n-gram of a text, in the order in which they appear.
template <class Found>
void each_key(const char *text, const uint32_t *begins, const uint32_t *ends, size_t tokens, Rule rule,
              Scratch &scratch, Found found) {
  scratch.distinct.clear();
  scratch.hashes.assign(1, HASH_OF_NOTHING);
  for (size_t token = 0; token < tokens; ++token)
    scratch.hashes.push_back(hash_of(text + begins[token], ends[token] - begins[token]));
  each_run(scratch.hashes, rule.tokens, 1, 0, 0, scratch.distinct, found);
  for (size_t token = 0; rule.characters && token < tokens; ++token) {
    scratch.characters.assign(1, BEGIN_OF_TOKEN);
    decode(text + begins[token], text + ends[token], scratch.characters);
    scratch.characters.push_back(END_OF_TOKEN);
    each_run(scratch.characters, rule.characters, 1, 1, OF_CHARACTERS, scratch.distinct, found);
  }
}

}  // namespace textrnn::ngrams
