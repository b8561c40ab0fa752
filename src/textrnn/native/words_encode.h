// The ids of one text, of which the beginning, the end or both are kept.
#pragma once
#include "words_tokens.h"

namespace textrnn::words {

inline void look_up(const Table &vocabulary, const Scratch &scratch, size_t first, size_t count, int32_t *ids) {
  const char *text = scratch.text.data();
  const uint32_t *begins = scratch.begins.data() + first;
  const uint32_t *ends = scratch.ends.data() + first;
  for (size_t index = 0; index < count; ++index)
    ids[index] = vocabulary.find(text + begins[index], ends[index] - begins[index]);
}

struct Kept {  // how many tokens of a long text's head and tail are read
  size_t head, tail;
};

// A space with a character below 0x80 after it: no rule looks across it, so both sides can be treated on their own.
inline bool divides(const char *at) { return at[0] == ' ' && static_cast<unsigned char>(at[1]) < 0x80; }

constexpr size_t BYTES_A_TOKEN = 8;  // with the space; English has 5 to 6
constexpr size_t SMALLEST_END = 64;

// The ids of the last or first tokens of a long text from a piece at its end, as long as it needs to be but within
// [at, end); false: the piece would be everything, or is left to Python.
inline bool encode_end(const Table &vocabulary, const char *at, const char *end, size_t wanted_tokens, bool tail,
                       Scratch &scratch, WantedPages &wanted, int32_t *ids) {
  if (!wanted_tokens) return true;
  const size_t length = static_cast<size_t>(end - at);
  for (size_t size = wanted_tokens * BYTES_A_TOKEN + SMALLEST_END; size < length; size *= 2) {
    const char *cut = tail ? end - size : at + size;
    if (tail)
      while (cut > at && !divides(cut - 1)) --cut;
    else
      while (cut + 1 < end && !divides(cut)) ++cut;
    if (cut <= at || cut + 1 >= end) return false;
    const Part part = tail ? tokenize(cut, end, scratch, wanted) : tokenize(at, cut, scratch, wanted);
    if (part.status != DONE) return false;
    if (part.tokens >= wanted_tokens) {
      look_up(vocabulary, scratch, tail ? part.tokens - wanted_tokens : 0, wanted_tokens, ids);
      return true;
    }
  }
  return false;
}

// Writes the ids that are kept; the number of them, or a status other than DONE.
inline Status encode(const Table &vocabulary, const char *at, size_t length, Kept kept, Scratch &scratch,
                     WantedPages &wanted, int32_t *ids, size_t *count) {
  const size_t most = kept.head + kept.tail;
  // The middle of a long text need not be read: its two halves each hold the tokens that are kept of them.
  if (length / 2 > most * BYTES_A_TOKEN) {
    const char *middle = at + (kept.tail == 0 ? length : kept.head == 0 ? 0 : length / 2);
    while (middle > at && middle < at + length - 1 && !divides(middle - 1)) --middle;
    if ((middle > at || kept.head == 0) && encode_end(vocabulary, at, middle, kept.head, false, scratch, wanted, ids) &&
        encode_end(vocabulary, middle, at + length, kept.tail, true, scratch, wanted, ids + kept.head)) {
      *count = most;
      return DONE;
    }
  }
  const Part part = tokenize(at, at + length, scratch, wanted);
  if (part.status != DONE) return part.status;
  if (part.tokens <= most) {
    look_up(vocabulary, scratch, 0, part.tokens, ids);
    *count = part.tokens;
  } else {
    look_up(vocabulary, scratch, 0, kept.head, ids);
    look_up(vocabulary, scratch, part.tokens - kept.tail, kept.tail, ids + kept.head);
    *count = most;
  }
  return DONE;
}

}  // namespace textrnn::words
