// How often each token occurs in texts, in the order of first appearance.
#pragma once
#include "words_tokens.h"

namespace textrnn::words {

class Counter {
 public:
  explicit Counter(uint64_t seed) : table_(seed, -1, 0) {}

  // A token of 1 or more bytes, with PADDING readable bytes after it; false if too many collide.
  bool add(const char *token, size_t length) {
    if (counts_.size() == INT32_MAX) return false;
    const auto next = static_cast<int32_t>(counts_.size());
    const int32_t id = table_.add(token, length, next);
    if (id < 0) return false;
    if (id == next) {
      counts_.push_back(0);
      ends_.push_back(static_cast<int64_t>(table_.size()));
    }
    ++counts_[static_cast<size_t>(id)];
    return true;
  }

  const char *bytes() const { return table_.bytes(); }            // of the tokens, one after the other
  const std::vector<int64_t> &ends() const { return ends_; }      // of each of them
  const std::vector<int64_t> &counts() const { return counts_; }  // of each of them

 private:
  Table table_;
  std::vector<int64_t> ends_, counts_;
};

}  // namespace textrnn::words
