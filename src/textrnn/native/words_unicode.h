// What NFC, lower() and translate() of the rule `words` do to a text, in one pass over its UTF-8.
//
// What a character becomes is decided by Python, whose Unicode tables arrive here in pages of 256 code points. A text
// with a character that this pass cannot treat exactly as Python does is left to Python.
#pragma once
#include <atomic>
#include <cstdint>
#include <cstring>

#include "words_table.h"

namespace textrnn::words {

constexpr int PAGES = 0x1100;  // 256 code points each

// An entry: bits 0-20 the lower-case code point, 21-22 its kind, 23 "Python must do this text", 24-31 combining class.
enum Kind : uint32_t { JOINS = 0, CUTS = 1, ALONE = 2, VANISHES = 3 };
constexpr uint32_t LEFT_TO_PYTHON = 1u << 23;

inline std::atomic<const uint32_t *> pages[PAGES];  // set once each, never freed: they belong to the process

// Python's nfc() cuts longer runs of combining marks apart.
constexpr int LONGEST_RUN_OF_MARKS = 30;

enum Status : uint8_t { DONE = 0, PYTHON = 1, PAGE_WANTED = 2 };

using WantedPages = std::atomic<uint8_t>[PAGES];

// One code point from well-formed UTF-8 that starts with a byte above 0x7F; 0 where it is malformed.
inline uint32_t decode(const char *at, const char *end, int *length) {
  const auto byte = [at](int index) { return static_cast<uint32_t>(static_cast<unsigned char>(at[index])); };
  const auto follows = [byte](int index) { return (byte(index) & 0xC0) == 0x80; };
  const uint32_t lead = byte(0);
  const ptrdiff_t left = end - at;
  if (lead >= 0xC2 && lead < 0xE0 && left >= 2 && follows(1)) {
    *length = 2;
    return (lead & 0x1F) << 6 | (byte(1) & 0x3F);
  }
  if (lead >= 0xE0 && lead < 0xF0 && left >= 3 && follows(1) && follows(2)) {
    const uint32_t code = (lead & 0x0F) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F);
    *length = 3;
    return code < 0x800 || (code >= 0xD800 && code < 0xE000) ? 0 : code;
  }
  if (lead >= 0xF0 && lead < 0xF5 && left >= 4 && follows(1) && follows(2) && follows(3)) {
    const uint32_t code = (lead & 0x07) << 18 | (byte(1) & 0x3F) << 12 | (byte(2) & 0x3F) << 6 | (byte(3) & 0x3F);
    *length = 4;
    return code < 0x10000 || code > 0x10FFFF ? 0 : code;
  }
  return 0;
}

inline char *append(char *out, uint32_t code) {
  const auto follower = [code](int shift) { return static_cast<char>(0x80 | (code >> shift & 0x3F)); };
  if (code < 0x80) {
    *out++ = static_cast<char>(code);  // the Kelvin sign becomes k
  } else if (code < 0x800) {
    *out++ = static_cast<char>(0xC0 | code >> 6);
    *out++ = follower(0);
  } else if (code < 0x10000) {
    *out++ = static_cast<char>(0xE0 | code >> 12);
    *out++ = follower(6);
    *out++ = follower(0);
  } else {
    *out++ = static_cast<char>(0xF0 | code >> 18);
    *out++ = follower(12);
    *out++ = follower(6);
    *out++ = follower(0);
  }
  return out;
}

inline unsigned char lower(unsigned char byte) {
  return static_cast<unsigned char>(byte + (static_cast<unsigned char>(byte - 'A') < 26 ? 32 : 0));
}

// Marks every page of [at, end) that is not there yet, so that Python is asked once.
inline void want_pages(const char *at, const char *end, WantedPages &wanted) {
  while (at < end) {
    int length = 1;
    if (static_cast<unsigned char>(*at) >= 0x80) {
      const uint32_t code = decode(at, end, &length);
      if (code && !pages[code >> 8].load(std::memory_order_acquire))
        wanted[code >> 8].store(1, std::memory_order_relaxed);
    }
    at += length;
  }
}

// Combining marks in the order of their classes: NFC_Quick_Check of Unicode Standard Annex 15.
struct Marks {
  uint32_t last_class = 0;
  int run = 0;
  bool in_order(uint32_t combining_class) {
    if (combining_class && (combining_class < last_class || ++run > LONGEST_RUN_OF_MARKS)) return false;
    if (!combining_class) run = 0;
    last_class = combining_class;
    return true;
  }
};

// Writes NFC, lower case and the spaces around marks to `out`, which holds 3 * (end - at) + PADDING bytes: 2 bytes at
// least become 4 at most and 2 spaces. `*written` is the end of what was written.
inline Status rewrite(const char *at, const char *end, char *out, char **written, WantedPages &wanted) {
  constexpr int BLOCK = 16;
  Marks marks;
  while (at < end) {
    while (end - at >= BLOCK) {
      unsigned char block[BLOCK];
      std::memcpy(block, at, BLOCK);
      if ((load(at) | load(at + 8)) & 0x8080808080808080u) break;
      for (int index = 0; index < BLOCK; ++index) block[index] = lower(block[index]);
      std::memcpy(out, block, BLOCK);
      at += BLOCK;
      out += BLOCK;
      marks = {};
    }
    // Up to one block character by character, then back to whole blocks.
    const char *stop = end - at < BLOCK ? end : at + BLOCK;
    while (at < stop) {
      if (static_cast<unsigned char>(*at) < 0x80) {
        *out++ = static_cast<char>(lower(static_cast<unsigned char>(*at++)));
        marks = {};
        continue;
      }
      int length = 1;
      const uint32_t code = decode(at, end, &length);
      if (!code) return PYTHON;
      const uint32_t *page = pages[code >> 8].load(std::memory_order_acquire);
      if (!page) {
        want_pages(at, end, wanted);
        return PAGE_WANTED;
      }
      const uint32_t entry = page[code & 0xFF];
      if (entry & LEFT_TO_PYTHON || !marks.in_order(entry >> 24)) return PYTHON;
      const auto kind = static_cast<Kind>(entry >> 21 & 3);
      if (kind == CUTS || kind == ALONE) *out++ = ' ';
      if (kind == JOINS || kind == ALONE) out = append(out, entry & 0x1FFFFF);
      if (kind == ALONE) *out++ = ' ';
      at += length;
    }
  }
  *written = out;
  return DONE;
}

}  // namespace textrnn::words
