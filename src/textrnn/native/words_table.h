// Tokens and their ids in one hash table with open addressing, made for many look-ups of short tokens.
#pragma once
#include <cstdint>
#include <cstring>
#include <vector>

namespace textrnn::words {

constexpr size_t PADDING = 64;      // bytes that may be read after the end of every buffer of ours
constexpr int LONGEST_PROBE = 256;  // tokens made to collide are refused instead of slowing everything down

inline uint64_t load(const char *bytes) {
  uint64_t word;
  std::memcpy(&word, bytes, sizeof word);
  return word;
}

// Keeps the bytes of a token of 0 to 16 bytes out of two words; made from bytes, so for any byte order.
struct Masks {
  uint64_t first[17], second[17];
  Masks() {
    for (size_t length = 0; length <= 16; ++length) {
      unsigned char bytes[16] = {};
      std::memset(bytes, 0xFF, length);
      std::memcpy(&first[length], bytes, 8);
      std::memcpy(&second[length], bytes + 8, 8);
    }
  }
};
inline const Masks masks;

class Table {
 public:
  // `seed`: any number; the order of the slots depends on it, what is found does not. `absent`: the id of other tokens.
  Table(uint64_t seed, int32_t absent, size_t tokens) : seed_(seed | 1), absent_(absent), bytes_(PADDING) {
    size_t slots = 16;
    while (2 * slots < 3 * tokens) slots *= 2;
    resize(slots);
  }

  // The id of a token of 1 or more bytes, with PADDING readable bytes after it.
  int32_t find(const char *token, size_t length) const {
    const Key key = key_of(token, length);
    for (size_t at = key.hash >> shift_;; at = (at + 1) & (slots_.size() - 1))
      if (matches(slots_[at], key, token, length) || !slots_[at].length) return slots_[at].id;
  }

  // The id that such a token has, or from now on: `id`; -1 if too many tokens collide.
  int32_t add(const char *token, size_t length, int32_t id) {
    const Key key = key_of(token, length);
    size_t at = key.hash >> shift_;
    for (int probes = 0; slots_[at].length; at = (at + 1) & (slots_.size() - 1)) {
      if (matches(slots_[at], key, token, length)) return slots_[at].id;
      if (++probes == LONGEST_PROBE) return -1;
    }
    const size_t offset = bytes_.size() - PADDING;
    bytes_.resize(bytes_.size() + length);
    std::memcpy(bytes_.data() + offset, token, length);
    slots_[at] = {key.first, key.second, static_cast<uint32_t>(length), id, offset};
    if (3 * ++used_ > 2 * slots_.size()) resize(2 * slots_.size());
    return id;
  }

  // All tokens added, one after the other in the order of addition.
  const char *bytes() const { return bytes_.data(); }
  size_t size() const { return bytes_.size() - PADDING; }

 private:
  struct Slot {  // 32 bytes; tokens of up to 16 bytes are compared without leaving the slot
    uint64_t first, second;
    uint32_t length;  // 0: the slot is free
    int32_t id;
    uint64_t offset;
  };
  struct Key {
    uint64_t first, second, hash;
  };

  bool matches(const Slot &slot, const Key &key, const char *token, size_t length) const {
    return slot.first == key.first && slot.second == key.second && slot.length == length &&
           (length <= 16 || std::memcmp(bytes_.data() + slot.offset + 16, token + 16, length - 16) == 0);
  }

  Key key_of(const char *token, size_t length) const {
    const size_t kept = length < 16 ? length : 16;
    Key key{load(token) & masks.first[kept], load(token + 8) & masks.second[kept], 0};
    key.hash = mix(key.first ^ seed_, key.second + length);
    for (size_t done = 16; done < length; done += 16) {  // rare: more than 16 bytes
      const size_t left = length - done < 16 ? length - done : 16;
      key.hash = mix(key.hash ^ (load(token + done) & masks.first[left]), load(token + done + 8) & masks.second[left]);
    }
    return key;
  }

  // Multiply and fold, so that every bit of both words reaches the high bits, which choose the slot.
  static uint64_t mix(uint64_t one, uint64_t other) {
    uint64_t hash = one * 0x9E3779B97F4A7C15u;
    hash ^= hash >> 32;
    hash = (hash + other) * 0xD6E8FEB86659FD93u;
    hash ^= hash >> 29;
    return hash * 0xA0761D6478BD642Fu;
  }

  void resize(size_t size) {
    std::vector<Slot> old(size, Slot{0, 0, 0, absent_, 0});
    old.swap(slots_);
    shift_ = 64;
    for (; size > 1; size /= 2) --shift_;
    for (const Slot &slot : old) {
      if (!slot.length) continue;
      size_t at = key_of(bytes_.data() + slot.offset, slot.length).hash >> shift_;
      while (slots_[at].length) at = (at + 1) & (slots_.size() - 1);
      slots_[at] = slot;
    }
  }

  uint64_t seed_;
  int32_t absent_;
  int shift_ = 0;
  size_t used_ = 0;
  std::vector<Slot> slots_;
  std::vector<char> bytes_;
};

}  // namespace textrnn::words
