// The rule `words` (src/textrnn/text/tokenizer.py) from UTF-8 bytes to ids, many texts at once on several threads.
//
// A text goes through three loops. `rewrite` does what NFC, lower() and translate() do in Python: it writes a
// lower-cased copy in which marks that stand alone have spaces around them. `find_tokens` turns 64 bytes at a time into
// bit masks of letters and of marks, and lists where tokens begin and end. `Vocabulary::find` looks each of them up.
//
// What a character becomes is decided by Python, whose Unicode tables arrive here in pages of 256 code points. A text
// with a character that these three loops cannot treat exactly as Python does is left to Python and marked so.
//
// Plain C outside, called through ctypes; nothing throws across the border, and no pointer is kept but in a handle.

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <thread>
#include <vector>

#if defined(_WIN32)
#define TEXTRNN_EXPORT extern "C" __declspec(dllexport)
#else
#define TEXTRNN_EXPORT extern "C" __attribute__((visibility("default")))
#endif

namespace {

// ---- Unicode pages -------------------------------------------------------------------------------------------------

constexpr int PAGES = 0x1100;  // 256 code points each

// An entry: bits 0-20 the lower-case code point, 21-22 its kind, 23 "Python must do this text", 24-31 combining class.
enum Kind : uint32_t { JOINS = 0, CUTS = 1, ALONE = 2, VANISHES = 3 };
constexpr uint32_t LEFT_TO_PYTHON = 1u << 23;

std::atomic<const uint32_t*> pages[PAGES];  // set once each, never freed: they belong to the process

// Python's nfc() cuts longer runs of combining marks apart.
constexpr int LONGEST_RUN_OF_MARKS = 30;

enum Status : uint8_t { DONE = 0, PYTHON = 1, PAGE_WANTED = 2 };

// ---- Vocabulary ----------------------------------------------------------------------------------------------------

constexpr size_t PADDING = 64;     // bytes that may be read after the end of every buffer of ours
constexpr int LONGEST_PROBE = 256;  // a vocabulary made to collide is refused instead of slowing everything down

inline uint64_t load(const char* bytes) {
    uint64_t word;
    std::memcpy(&word, bytes, sizeof word);
    return word;
}

struct Masks {  // keeps the bytes of a token of 0 to 16 bytes out of two words; made from bytes, so for any byte order
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
const Masks masks;

struct Slot {  // 32 bytes; tokens of up to 16 bytes are compared without leaving the slot
    uint64_t first, second;
    uint32_t length;  // 0: the slot is free
    int32_t id;
    uint64_t offset;
};

struct Key {
    uint64_t first, second, hash;
};

class Vocabulary {
  public:
    static constexpr int32_t UNK_ID = 1;

    // False: too many tokens collide. Of two equal tokens the first one counts.
    bool build(const char* tokens, const int64_t* offsets, int64_t count, int32_t first_id, uint64_t seed) {
        seed_ = seed | 1;
        size_t slots = 16;
        while (slots < static_cast<size_t>(count) + static_cast<size_t>(count) / 2) slots *= 2;
        shift_ = 64;
        for (size_t size = slots; size > 1; size /= 2) --shift_;
        slots_.assign(slots, Slot{});
        bytes_.assign(static_cast<size_t>(offsets[count]) + PADDING, 0);
        if (offsets[count]) std::memcpy(bytes_.data(), tokens, static_cast<size_t>(offsets[count]));
        for (int64_t index = 0; index < count; ++index) {
            const size_t length = static_cast<size_t>(offsets[index + 1] - offsets[index]);
            if (length == 0 || length > UINT32_MAX) continue;  // no token of a text is empty
            const char* token = bytes_.data() + offsets[index];
            const Key key = key_of(token, length);
            size_t slot = key.hash >> shift_;
            for (int probes = 0; slots_[slot].length; ++probes) {
                if (probes == LONGEST_PROBE) return false;
                slot = (slot + 1) & (slots - 1);
            }
            slots_[slot] = {key.first, key.second, static_cast<uint32_t>(length),
                            first_id + static_cast<int32_t>(index), static_cast<uint64_t>(offsets[index])};
        }
        return true;
    }

    // The id of a token of 1 or more bytes, with PADDING readable bytes after it.
    int32_t find(const char* token, size_t length) const {
        const Key key = key_of(token, length);
        const size_t last = slots_.size() - 1;
        for (size_t slot = key.hash >> shift_;; slot = (slot + 1) & last) {
            const Slot& found = slots_[slot];
            if (found.first == key.first && found.second == key.second && found.length == length &&
                (length <= 16 || std::memcmp(bytes_.data() + found.offset + 16, token + 16, length - 16) == 0))
                return found.id;
            if (!found.length) return UNK_ID;
        }
    }

  private:
    Key key_of(const char* token, size_t length) const {
        const size_t kept = length < 16 ? length : 16;
        Key key{load(token) & masks.first[kept], load(token + 8) & masks.second[kept], 0};
        uint64_t hash = mix(key.first ^ seed_, key.second + length);
        for (size_t done = 16; done < length; done += 16) {  // rare: more than 16 bytes
            const size_t left = length - done < 16 ? length - done : 16;
            hash = mix(hash ^ (load(token + done) & masks.first[left]), load(token + done + 8) & masks.second[left]);
        }
        key.hash = hash;
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

    std::vector<Slot> slots_;
    std::vector<char> bytes_;
    int shift_ = 0;
    uint64_t seed_ = 0;
};

// ---- Scratch memory of one thread ----------------------------------------------------------------------------------

template <class Item>
class Room {  // uninitialised memory that only grows
  public:
    bool reserve(size_t size) {
        if (size <= size_) return true;
        items_.reset();
        size_ = 0;
        items_.reset(static_cast<Item*>(std::malloc(size * sizeof(Item))));
        if (!items_) return false;
        size_ = size;
        return true;
    }
    Item* data() const { return items_.get(); }

  private:
    struct Free {
        void operator()(Item* items) const { std::free(items); }
    };
    std::unique_ptr<Item, Free> items_;
    size_t size_ = 0;
};

constexpr size_t LONGEST_TEXT = size_t{1} << 28;  // bytes; positions are 32 bits wide, and rewriting may take 3 times it

struct Scratch {
    Room<char> text;              // lower-cased, marks set apart by spaces
    Room<uint32_t> begins, ends;  // of tokens in it
};

// ---- Rewriting -----------------------------------------------------------------------------------------------------

// One code point from well-formed UTF-8 that starts with a byte above 0x7F; 0 where it is malformed.
inline uint32_t decode(const char* at, const char* end, int* length) {
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
        const uint32_t code =
            (lead & 0x07) << 18 | (byte(1) & 0x3F) << 12 | (byte(2) & 0x3F) << 6 | (byte(3) & 0x3F);
        *length = 4;
        return code < 0x10000 || code > 0x10FFFF ? 0 : code;
    }
    return 0;
}

inline char* append(char* out, uint32_t code) {
    if (code < 0x80) {
        *out++ = static_cast<char>(code);  // the Kelvin sign becomes k
    } else if (code < 0x800) {
        *out++ = static_cast<char>(0xC0 | code >> 6);
        *out++ = static_cast<char>(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
        *out++ = static_cast<char>(0xE0 | code >> 12);
        *out++ = static_cast<char>(0x80 | (code >> 6 & 0x3F));
        *out++ = static_cast<char>(0x80 | (code & 0x3F));
    } else {
        *out++ = static_cast<char>(0xF0 | code >> 18);
        *out++ = static_cast<char>(0x80 | (code >> 12 & 0x3F));
        *out++ = static_cast<char>(0x80 | (code >> 6 & 0x3F));
        *out++ = static_cast<char>(0x80 | (code & 0x3F));
    }
    return out;
}

inline unsigned char lower(unsigned char byte) {
    return static_cast<unsigned char>(byte + (static_cast<unsigned char>(byte - 'A') < 26 ? 32 : 0));
}

// Marks every page of [at, end) that is not there yet, so that Python is asked once.
void want_pages(const char* at, const char* end, std::atomic<uint8_t>* wanted) {
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

// Writes NFC, lower case and the spaces around marks to `out`, which holds 3 * (end - at) + PADDING bytes: 2 bytes at
// least become 4 at most and 2 spaces. `*written` is the end of what was written.
Status rewrite(const char* at, const char* end, char* out, char** written, std::atomic<uint8_t>* wanted) {
    constexpr int BLOCK = 16;
    uint32_t last_class = 0;
    int run_of_marks = 0;
    while (at < end) {
        while (end - at >= BLOCK) {
            unsigned char block[BLOCK];
            std::memcpy(block, at, BLOCK);
            if ((load(at) | load(at + 8)) & 0x8080808080808080u) break;
            for (int index = 0; index < BLOCK; ++index) block[index] = lower(block[index]);
            std::memcpy(out, block, BLOCK);
            at += BLOCK;
            out += BLOCK;
            last_class = 0;
            run_of_marks = 0;
        }
        // Up to one block character by character, then back to whole blocks.
        const char* stop = end - at < BLOCK ? end : at + BLOCK;
        while (at < stop) {
            if (static_cast<unsigned char>(*at) < 0x80) {
                *out++ = static_cast<char>(lower(static_cast<unsigned char>(*at++)));
                last_class = 0;
                run_of_marks = 0;
                continue;
            }
            int length = 1;
            const uint32_t code = decode(at, end, &length);
            if (!code) return PYTHON;
            const uint32_t* page = pages[code >> 8].load(std::memory_order_acquire);
            if (!page) {
                want_pages(at, end, wanted);
                return PAGE_WANTED;
            }
            const uint32_t entry = page[code & 0xFF];
            if (entry & LEFT_TO_PYTHON) return PYTHON;
            // NFC_Quick_Check of Unicode Standard Annex 15: such text is in normal form if classes do not fall.
            const uint32_t combining_class = entry >> 24;
            if (combining_class) {
                if (combining_class < last_class || ++run_of_marks > LONGEST_RUN_OF_MARKS) return PYTHON;
            } else {
                run_of_marks = 0;
            }
            last_class = combining_class;
            switch (static_cast<Kind>(entry >> 21 & 3)) {
                case JOINS:
                    out = append(out, entry & 0x1FFFFF);
                    break;
                case CUTS:
                    *out++ = ' ';
                    break;
                case ALONE:
                    *out++ = ' ';
                    out = append(out, entry & 0x1FFFFF);
                    *out++ = ' ';
                    break;
                case VANISHES:
                    break;
            }
            at += length;
        }
    }
    *written = out;
    return DONE;
}

// ---- Tokens --------------------------------------------------------------------------------------------------------

// 64 bytes that are 0 or 1 as bits, the first byte as the lowest.
inline uint64_t bits_of(const uint8_t* flags) {
    uint64_t bits = 0;
    for (int part = 0; part < 8; ++part) {
        uint64_t eight = 0;  // assembled so that the byte order of the machine does not matter
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
        for (int index = 0; index < 8; ++index) eight |= static_cast<uint64_t>(flags[8 * part + index]) << 8 * index;
#else
        std::memcpy(&eight, flags + 8 * part, 8);
#endif
        bits |= (eight * 0x0102040810204080u >> 56) << 8 * part;
    }
    return bits;
}

inline int lowest_bit(uint64_t bits) {
#if defined(__GNUC__) || defined(__clang__)
    return __builtin_ctzll(bits);
#else
    int index = 0;
    while (!(bits & 1)) bits >>= 1, ++index;
    return index;
#endif
}

// Lists begin and end of each token of a rewritten text of `length` bytes, PADDING bytes after it may be overwritten.
// In it every byte above 0x7F joins, for a mark above 0x7F has spaces around it.
size_t find_tokens(char* text, size_t length, uint32_t* begins, uint32_t* ends) {
    constexpr size_t BLOCK = 64;
    std::memset(text + length, ' ', PADDING);
    size_t begun = 0, ended = 0;
    uint64_t joined_before = 0, alone_before = 0;  // the last byte of the block before, as bit 0
    for (size_t start = 0; start <= length; start += BLOCK) {  // <=: the end of a last token at the very end
        uint8_t joins[BLOCK], alone[BLOCK];
        for (size_t index = 0; index < BLOCK; ++index) {
            const unsigned char byte = static_cast<unsigned char>(text[start + index]);
            const bool joining = static_cast<unsigned char>(byte - 'a') < 26 ||
                                 static_cast<unsigned char>(byte - '0') < 10 || byte == '\'' || byte >= 0x80;
            const bool visible = static_cast<unsigned char>(byte - 33) < 94;
            joins[index] = joining ? 1 : 0;
            alone[index] = visible && !joining ? 1 : 0;
        }
        const uint64_t joining = bits_of(joins), single = bits_of(alone);
        const uint64_t before = joining << 1 | joined_before, single_before = single << 1 | alone_before;
        joined_before = joining >> 63;
        alone_before = single >> 63;
        for (uint64_t bits = single | (joining & ~before); bits; bits &= bits - 1)
            begins[begun++] = static_cast<uint32_t>(start) + static_cast<uint32_t>(lowest_bit(bits));
        for (uint64_t bits = single_before | (~joining & before); bits; bits &= bits - 1)
            ends[ended++] = static_cast<uint32_t>(start) + static_cast<uint32_t>(lowest_bit(bits));
    }
    return ended;
}

// ---- One text ------------------------------------------------------------------------------------------------------

struct Part {  // the tokens of one piece of a text, in the scratch memory
    size_t tokens;
    Status status;
};

Part tokenize(const char* at, const char* end, Scratch& scratch, std::atomic<uint8_t>* wanted) {
    const size_t length = static_cast<size_t>(end - at);
    // The last block of find_tokens may reach BLOCK bytes beyond what was rewritten.
    if (length > LONGEST_TEXT || !scratch.text.reserve(3 * length + 2 * PADDING) ||
        !scratch.begins.reserve(length + PADDING) || !scratch.ends.reserve(length + PADDING))
        return {0, PYTHON};
    char* written = scratch.text.data();
    const Status status = rewrite(at, end, scratch.text.data(), &written, wanted);
    if (status != DONE) return {0, status};
    const size_t rewritten = static_cast<size_t>(written - scratch.text.data());
    return {find_tokens(scratch.text.data(), rewritten, scratch.begins.data(), scratch.ends.data()), DONE};
}

void look_up(const Vocabulary& vocabulary, const Scratch& scratch, size_t first, size_t count, int32_t* ids) {
    const char* text = scratch.text.data();
    const uint32_t* begins = scratch.begins.data() + first;
    const uint32_t* ends = scratch.ends.data() + first;
    for (size_t index = 0; index < count; ++index)
        ids[index] = vocabulary.find(text + begins[index], ends[index] - begins[index]);
}

struct Kept {  // how many tokens of a long text's head and tail are read
    size_t head, tail;
};

// A space with a character below 0x80 after it: no rule looks across it, so both sides can be treated on their own.
inline bool divides(const char* at) { return at[0] == ' ' && static_cast<unsigned char>(at[1]) < 0x80; }

constexpr size_t BYTES_A_TOKEN = 8;  // with the space; English has 5 to 6
constexpr size_t SMALLEST_END = 64;

// The ids of the last or first tokens of a long text from a piece at its end, as long as it needs to be but within
// [at, end); false: the piece would be everything, or is left to Python.
bool encode_end(const Vocabulary& vocabulary, const char* at, const char* end, size_t wanted_tokens, bool tail,
                Scratch& scratch, std::atomic<uint8_t>* wanted, int32_t* ids) {
    if (!wanted_tokens) return true;
    const size_t length = static_cast<size_t>(end - at);
    for (size_t size = wanted_tokens * BYTES_A_TOKEN + SMALLEST_END; size < length; size *= 2) {
        const char* cut = tail ? end - size : at + size;
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
Status encode(const Vocabulary& vocabulary, const char* at, size_t length, Kept kept, Scratch& scratch,
              std::atomic<uint8_t>* wanted, int32_t* ids, size_t* count) {
    const size_t most = kept.head + kept.tail;
    // The middle of a long text need not be read: its two halves each hold the tokens that are kept of them.
    if (length / 2 > most * BYTES_A_TOKEN) {
        const char* middle = at + (kept.tail == 0 ? length : kept.head == 0 ? 0 : length / 2);
        while (middle > at && middle < at + length - 1 && !divides(middle - 1)) --middle;
        if ((middle > at || kept.head == 0) &&
            encode_end(vocabulary, at, middle, kept.head, false, scratch, wanted, ids) &&
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

// ---- Many texts ----------------------------------------------------------------------------------------------------

constexpr size_t BLOCK_BYTES = size_t{1} << 16;  // of texts that one thread takes at a time

struct Block {
    int64_t first, last;  // texts
    size_t room;          // where its ids may begin
    size_t ids;           // how many there are
};

}  // namespace

// A vocabulary as a handle, to be freed with textrnn_words_free; NULL where it cannot be built.
//
// tokens    UTF-8, one after the other; [offsets[count]] bytes
// offsets   where each begins, rising from 0; [count + 1]
// first_id  id of the first token, the others follow
// seed      any number; the order of the table depends on it, its answers do not
TEXTRNN_EXPORT void* textrnn_words_new(const char* tokens, const int64_t* offsets, int64_t count, int32_t first_id,
                                       uint64_t seed) {
    if (!offsets || count < 0 || count > INT32_MAX / 2 || offsets[0] != 0 || first_id < 0) return nullptr;
    for (int64_t index = 0; index < count; ++index)
        if (offsets[index + 1] < offsets[index]) return nullptr;
    if (offsets[count] && !tokens) return nullptr;
    try {
        auto vocabulary = std::make_unique<Vocabulary>();
        return vocabulary->build(tokens, offsets, count, first_id, seed) ? vocabulary.release() : nullptr;
    } catch (...) {
        return nullptr;
    }
}

TEXTRNN_EXPORT void textrnn_words_free(void* handle) { delete static_cast<Vocabulary*>(handle); }

// Sets the 256 entries of one page of code points (see `Kind`); 0, or -1 where that is impossible. A page that is
// there already stays as it is.
TEXTRNN_EXPORT int32_t textrnn_words_set_page(int32_t page, const uint32_t* entries) {
    if (page < 0 || page >= PAGES || !entries) return -1;
    auto* copy = new (std::nothrow) uint32_t[256];
    if (!copy) return -1;
    std::memcpy(copy, entries, 256 * sizeof *copy);
    const uint32_t* nothing = nullptr;
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
TEXTRNN_EXPORT int64_t textrnn_words_encode(const void* handle, const char* const* texts, const int64_t* sizes,
                                            int64_t count, int64_t head, int64_t tail, int32_t threads, int32_t* ids,
                                            int64_t room, int64_t* lengths, uint8_t* status, uint8_t* wanted) {
    constexpr int64_t MOST_TOKENS = int64_t{1} << 40;
    if (!handle || count < 0 || head < 0 || tail < 0 || head > MOST_TOKENS || tail > MOST_TOKENS || room < 0) return -1;
    if (!wanted || (count && (!texts || !sizes || !lengths || !status)) || (room && !ids)) return -1;
    try {
        const Vocabulary& vocabulary = *static_cast<const Vocabulary*>(handle);
        const Kept kept{static_cast<size_t>(head), static_cast<size_t>(tail)};
        std::vector<Block> blocks;
        size_t needed = 0, bytes = 0;
        for (int64_t text = 0; text < count; ++text) {
            if (sizes[text] < 0 || (sizes[text] && !texts[text])) return -1;
            if (blocks.empty() || bytes >= BLOCK_BYTES) {
                blocks.push_back({text, text, needed, 0});
                bytes = 0;
            }
            const size_t size = static_cast<size_t>(sizes[text]);
            const size_t most = kept.head + kept.tail;
            blocks.back().last = text + 1;
            bytes += size;
            needed += size < most ? size : most;
            if (needed > static_cast<size_t>(room)) return -1;
        }
        std::unique_ptr<std::atomic<uint8_t>[]> pages_wanted(new std::atomic<uint8_t>[PAGES]());
        std::atomic<size_t> next{0};
        const auto work = [&]() noexcept {
            Scratch scratch;
            for (size_t index; (index = next.fetch_add(1)) < blocks.size();) {
                Block& block = blocks[index];
                for (int64_t text = block.first; text < block.last; ++text) {
                    size_t found = 0;
                    status[text] = encode(vocabulary, texts[text], static_cast<size_t>(sizes[text]), kept, scratch,
                                          pages_wanted.get(), ids + block.room + block.ids, &found);
                    if (status[text] != DONE) found = 0;
                    lengths[text] = static_cast<int64_t>(found);
                    block.ids += found;
                }
            }
        };
        std::vector<std::thread> helpers;
        try {
            const size_t most = blocks.size() < 256 ? blocks.size() : 256;
            helpers.reserve(most);
            while (helpers.size() + 1 < most && static_cast<int64_t>(helpers.size()) + 1 < threads)
                helpers.emplace_back(work);
        } catch (...) {  // the system gives no more threads: those that are there do it
        }
        work();
        for (std::thread& helper : helpers) helper.join();
        size_t written = 0;
        for (const Block& block : blocks) {
            if (block.ids && written != block.room)
                std::memmove(ids + written, ids + block.room, block.ids * sizeof *ids);
            written += block.ids;
        }
        for (int page = 0; page < PAGES; ++page)
            if (pages_wanted[static_cast<size_t>(page)].load(std::memory_order_relaxed)) wanted[page] = 1;
        return static_cast<int64_t>(written);
    } catch (...) {
        return -2;
    }
}
