// Where the tokens of a text begin and end: 64 bytes at a time become bit masks of letters and of marks.
#pragma once
#include <bit>
#include <cstdlib>
#include <memory>

#include "words_unicode.h"

namespace textrnn::words {

template <class Item>
class Room {  // uninitialised memory that only grows
 public:
  bool reserve(size_t size) {
    if (size <= size_) return true;
    items_.reset();
    size_ = 0;
    items_.reset(static_cast<Item *>(std::malloc(size * sizeof(Item))));
    if (!items_) return false;
    size_ = size;
    return true;
  }
  Item *data() const { return items_.get(); }

 private:
  struct Free {
    void operator()(Item *items) const { std::free(items); }
  };
  std::unique_ptr<Item, Free> items_;
  size_t size_ = 0;
};

constexpr size_t LONGEST_TEXT = size_t{1}
                                << 28;  // bytes; positions are 32 bits wide, and rewriting may take 3 times it

struct Scratch {                // memory of one thread
  Room<char> text;              // lower-cased, marks set apart by spaces
  Room<uint32_t> begins, ends;  // of tokens in it
};

// 64 bytes that are 0 or 1 as bits, the first byte as the lowest.
inline uint64_t bits_of(const uint8_t *flags) {
  uint64_t bits = 0;
  for (int part = 0; part < 8; ++part) {
    uint64_t eight = 0;
    if constexpr (std::endian::native == std::endian::little)
      std::memcpy(&eight, flags + 8 * part, 8);
    else
      for (int index = 0; index < 8; ++index) eight |= static_cast<uint64_t>(flags[8 * part + index]) << 8 * index;
    bits |= (eight * 0x0102040810204080u >> 56) << 8 * part;
  }
  return bits;
}

// Lists begin and end of each token of a rewritten text of `length` bytes, PADDING bytes after it may be overwritten.
// In it every byte above 0x7F joins, for a mark above 0x7F has spaces around it.
inline size_t find_tokens(char *text, size_t length, uint32_t *begins, uint32_t *ends) {
  constexpr size_t BLOCK = 64;
  std::memset(text + length, ' ', PADDING);
  size_t begun = 0, ended = 0;
  uint64_t joined_before = 0, alone_before = 0;              // the last byte of the block before, as bit 0
  for (size_t start = 0; start <= length; start += BLOCK) {  // <=: the end of a last token at the very end
    uint8_t joins[BLOCK], alone[BLOCK];
    for (size_t index = 0; index < BLOCK; ++index) {
      const unsigned char byte = static_cast<unsigned char>(text[start + index]);
      const bool joining = static_cast<unsigned char>(byte - 'a') < 26 || static_cast<unsigned char>(byte - '0') < 10 ||
                           byte == '\'' || byte >= 0x80;
      const bool visible = static_cast<unsigned char>(byte - 33) < 94;
      joins[index] = joining ? 1 : 0;
      alone[index] = visible && !joining ? 1 : 0;
    }
    const uint64_t joining = bits_of(joins), single = bits_of(alone);
    const uint64_t before = joining << 1 | joined_before, single_before = single << 1 | alone_before;
    joined_before = joining >> 63;
    alone_before = single >> 63;
    for (uint64_t bits = single | (joining & ~before); bits; bits &= bits - 1)
      begins[begun++] = static_cast<uint32_t>(start) + static_cast<uint32_t>(std::countr_zero(bits));
    for (uint64_t bits = single_before | (~joining & before); bits; bits &= bits - 1)
      ends[ended++] = static_cast<uint32_t>(start) + static_cast<uint32_t>(std::countr_zero(bits));
  }
  return ended;
}

struct Part {  // the tokens of one piece of a text, in the scratch memory
  size_t tokens;
  Status status;
};

inline Part tokenize(const char *at, const char *end, Scratch &scratch, WantedPages &wanted) {
  const size_t length = static_cast<size_t>(end - at);
  // The last block of find_tokens may reach BLOCK bytes beyond what was rewritten.
  if (length > LONGEST_TEXT || !scratch.text.reserve(3 * length + 2 * PADDING) ||
      !scratch.begins.reserve(length + PADDING) || !scratch.ends.reserve(length + PADDING))
    return {0, PYTHON};
  char *written = scratch.text.data();
  const Status status = rewrite(at, end, scratch.text.data(), &written, wanted);
  if (status != DONE) return {0, status};
  const size_t rewritten = static_cast<size_t>(written - scratch.text.data());
  return {find_tokens(scratch.text.data(), rewritten, scratch.begins.data(), scratch.ends.data()), DONE};
}

}  // namespace textrnn::words
