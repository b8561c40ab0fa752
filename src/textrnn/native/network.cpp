// A whole network over a batch: what lies between the kernels of the layers.
#include "network.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <vector>

#include "internal.h"

namespace textrnn {
namespace {

constexpr int64_t ROWS_AN_ITEM = 24;  // texts that a thread reads together: whole register blocks of 8 or 6 rows, and little
                                      // enough for its caches
constexpr int64_t KEPT = 1 << 18;     // floats of a block of memory that a thread keeps between calls
constexpr int64_t STREAM_TOKENS = 64; // of a stream that are read at once

enum { OUTPUTS, OTHER_OUTPUTS, PROJECTED, OTHER_PROJECTED, FINAL, POOLED, INPUT, SCORES, BLOCKS };

// Blocks of memory of one thread, aligned to cache lines; large ones are given back after each call.
class Memory {
  struct Free {
    void operator()(float *some) const { std::free(some); }
  };
  std::unique_ptr<float, Free> block[BLOCKS];
  int64_t size[BLOCKS] = {};

 public:
  float *floats(int which, int64_t count) {
    if (size[which] < count) {
      const size_t bytes = ((size_t)count * sizeof(float) + 63) / 64 * 64;
      block[which].reset(static_cast<float *>(std::aligned_alloc(64, bytes)));
      if (!block[which]) {
        size[which] = 0;
        throw std::bad_alloc();
      }
      size[which] = (int64_t)(bytes / sizeof(float));
    }
    return block[which].get();
  }
  void trim() {
    for (int i = 0; i < BLOCKS; i++)
      if (size[i] > KEPT) {
        block[i].reset();
        size[i] = 0;
      }
  }
};
thread_local Memory memory;

// The plan of a single text, without the sorting and the memory that `textrnn_plan_new` needs.
struct SinglePlan {
  std::vector<int32_t> alive, mirror;
  int32_t row = 0;
  int64_t length = 0;
  textrnn_item item{};
  textrnn_plan plan{};

  const textrnn_plan *of(int64_t time) {
    length = time;
    alive.resize(std::max<size_t>(alive.size(), time), 1);
    mirror.resize(std::max<size_t>(mirror.size(), time));
    for (int64_t t = 0; t < time; t++) mirror[t] = (int32_t)(time - 1 - t);
    item = {1, (int32_t)time, 0, alive.data(), &row, &length};
    plan = {};
    plan.batch = plan.items = 1;
    plan.positions = time;
    plan.item = &item;
    plan.mirror = mirror.data();
    return &plan;
  }
};
thread_local SinglePlan single_plan;

// Frees a plan at the end of a block.
struct PlanFree {
  void operator()(textrnn_plan *plan) const { textrnn_plan_free(plan); }
};

// Whether the ids are there; a value of the enumeration above.
int check(const textrnn_network &net, const int32_t *ids, int64_t count) {
  const bool two = net.written[1] != nullptr;
  bool there = true;
  for (int64_t i = 0; i < count; i++) {
    if (ids[i] < 0 || ids[i] >= net.vocabulary) return TEXTRNN_NO_SUCH_ID;
    there &= net.written[0][ids[i]] && (!two || net.written[1][ids[i]]);
  }
  return there ? TEXTRNN_DONE : TEXTRNN_ROWS_MISSING;
}

// One layer, the k-th, over a plan. `outputs` [positions, directions * padded] of the layer below, NULL for the first one.
// Starts from the states of `stream` and leaves them there, if it is given.
int run_layer(const textrnn_network &net, int64_t k, const textrnn_plan *plan, const int32_t *index, const float *below,
              float *outputs, float *pooled, const textrnn_stream *stream, int threads) {
  textrnn_layer c = net.layer[k];
  c.plan = plan;
  c.threads = threads;
  c.outputs = outputs;
  c.pooled = pooled;
  c.pooling = pooled ? net.pooling : TEXTRNN_NO_POOLING;
  const int64_t P = c.padded, wide = cell_shape(c.cell)->gates * P, size = plan->batch * P;
  if (below) {
    c.input = below;
    c.features = c.directions * P;
  } else if (c.table[0]) {
    c.index = index;
  } else {
    float *rows = memory.floats(INPUT, plan->positions * net.features);
    for (int64_t p = 0; p < plan->positions; p++)
      kernels_in_use().expand(net.embedding, net.embedding_type, net.embedding_scale, index[p], net.features,
                              rows + p * net.features);
    c.input = rows;
    c.features = net.features;
  }
  c.inputs = c.table[0] ? 0 : plan->positions;
  float *final_states = memory.floats(FINAL, 4 * size);
  for (int d = 0; d < c.directions; d++) {
    textrnn_direction &way = c.direction[d];
    if (!c.table[0]) way.projected = memory.floats(PROJECTED + d, plan->positions * wide);
    way.final_hidden = stream ? stream->hidden + k * P : final_states + 2 * d * size;
    way.final_memory = c.cell != TEXTRNN_LSTM ? nullptr : stream ? stream->memory + k * P : final_states + (2 * d + 1) * size;
    if (stream) {
      way.start_hidden = way.final_hidden;
      way.start_memory = way.final_memory;
    }
  }
  return textrnn_forward(&c);
}

// The pooled states of some texts.
int read(const textrnn_network &net, int64_t batch, const int32_t *ids, const int64_t *offsets, int threads, float *pooled) {
  const textrnn_layer &first = net.layer[0];
  const int64_t states = first.directions * first.padded;
  if (net.scans) {
    textrnn_scan_call call{};
    call.batch = batch;
    call.ids = ids;
    call.offsets = offsets;
    call.padded = first.padded;
    call.directions = first.directions;
    call.pooling = net.pooling;
    call.threads = threads;
    call.table_type = first.table_type;
    for (int d = 0; d < first.directions; d++) call.table[d] = first.table[d];
    call.pooled = pooled;
    return textrnn_scan(&call);
  }
  std::unique_ptr<textrnn_plan, PlanFree> made;
  std::vector<int32_t> gathered;
  const textrnn_plan *plan;
  const int32_t *index = ids + offsets[0];
  if (batch == 1) {
    plan = single_plan.of(offsets[1] - offsets[0]);
  } else {
    std::vector<int64_t> lengths(batch);
    for (int64_t i = 0; i < batch; i++) lengths[i] = offsets[i + 1] - offsets[i];
    // Enough items for every thread, but not so small that a step has few rows.
    const int64_t wanted = std::min<int64_t>((threads + first.directions - 1) / first.directions, (batch + 3) / 4);
    const int64_t items = std::max<int64_t>({1, (batch + ROWS_AN_ITEM - 1) / ROWS_AN_ITEM, wanted});
    made.reset(textrnn_plan_new(batch, lengths.data(), std::max<int64_t>(1, (batch + items - 1) / items), items > 2 * threads,
                                nullptr, 0, nullptr, 0));
    if (!made) return TEXTRNN_NO_MEMORY;
    plan = made.get();
    gathered.resize(plan->positions);
    for (int64_t p = 0; p < plan->positions; p++) gathered[p] = ids[offsets[plan->source_row[p]] + plan->source_time[p]];
    index = gathered.data();
  }
  const float *below = nullptr;
  for (int64_t k = 0; k < net.layers; k++) {
    const bool last = k + 1 == net.layers;
    float *outputs = last ? nullptr : memory.floats(k % 2 ? OTHER_OUTPUTS : OUTPUTS, plan->positions * states);
    if (run_layer(net, k, plan, index, below, outputs, last ? pooled : nullptr, nullptr, threads)) return TEXTRNN_NO_MEMORY;
    below = outputs;
  }
  return TEXTRNN_DONE;
}

// Pooled states [batch, directions * padded] to scores [batch, classes].
int head(const textrnn_network &net, int64_t batch, const float *pooled, int threads, float *scores) {
  const int64_t states = (int64_t)net.layer[0].directions * net.layer[0].padded;
  const int64_t wide = (net.classes + TEXTRNN_LANES - 1) / TEXTRNN_LANES * TEXTRNN_LANES;
  float *padded = memory.floats(SCORES, batch * wide);
  const textrnn_factor factor{pooled, net.head, states, 1, wide, 1, states};
  const textrnn_product product{&factor, 1, batch, wide, wide, padded, net.head_bias, nullptr};
  if (textrnn_products(&product, 1, threads)) return TEXTRNN_NO_MEMORY;
  for (int64_t i = 0; i < batch; i++) std::memcpy(scores + i * net.classes, padded + i * wide, net.classes * sizeof(float));
  return TEXTRNN_DONE;
}

int scores_of(const textrnn_network &net, int64_t batch, const int32_t *ids, const int64_t *offsets, int threads, float *scores) {
  for (int64_t i = 0; i < batch; i++)
    if (offsets[i] < 0 || offsets[i] > offsets[i + 1]) return TEXTRNN_NO_SUCH_ID;
  if (const int wrong = check(net, ids + offsets[0], offsets[batch] - offsets[0])) return wrong;
  const int64_t states = (int64_t)net.layer[0].directions * net.layer[0].padded;
  float *pooled = memory.floats(POOLED, batch * states);
  // Where something is kept for each token, only so many are read at once.
  const bool keeps = net.layers > 1 || !net.layer[0].table[0];
  for (int64_t first = 0, end; first < batch; first = end) {
    end = batch;
    if (keeps) {
      end = std::upper_bound(offsets + first, offsets + batch + 1, offsets[first] + net.tokens_at_once) - offsets - 1;
      end = std::min(batch, std::max(end, first + 1));
    }
    if (const int wrong = read(net, end - first, ids, offsets + first, threads, pooled + first * states)) return wrong;
  }
  return head(net, batch, pooled, threads, scores);
}

// h' = h - z h + a, where z and a are a row of the table.
void scan_step(const textrnn_layer &c, int32_t id, float *hidden, float *row) {
  kernels_in_use().expand(c.table[0], c.table_type, c.table_scale[0], id, 2 * c.padded, row);
  for (int64_t j = 0; j < c.padded; j++) hidden[j] = hidden[j] - row[j] * hidden[j] + row[c.padded + j];
}

void add_to_pool(int pooling, textrnn_stream &stream, const float *state, int64_t size) {
  for (int64_t j = 0; j < size; j++) {
    double &pool = stream.pool[j];
    const double h = state[j];
    if (pooling == TEXTRNN_MEAN) pool += h;
    else if (pooling == TEXTRNN_LAST || stream.steps == 0 || h > pool || std::isnan(h)) pool = h;
  }
  stream.steps++;
}

int stream_read(const textrnn_network &net, textrnn_stream &stream, const int32_t *ids, int64_t count) {
  const int64_t P = net.layer[0].padded;
  for (int64_t first = 0; first < count; first += STREAM_TOKENS) {
    const int64_t time = std::min(STREAM_TOKENS, count - first);
    if (net.scans) {
      float *row = memory.floats(OUTPUTS, 2 * P);
      for (int64_t t = 0; t < time; t++) {
        scan_step(net.layer[0], ids[first + t], stream.hidden, row);
        add_to_pool(net.pooling, stream, stream.hidden, P);
      }
      continue;
    }
    const textrnn_plan *plan = single_plan.of(time);
    float *below = nullptr;
    for (int64_t k = 0; k < net.layers; k++) {
      float *outputs = memory.floats(k % 2 ? OTHER_OUTPUTS : OUTPUTS, time * P);
      if (run_layer(net, k, plan, ids + first, below, outputs, nullptr, &stream, 1)) return TEXTRNN_NO_MEMORY;
      below = outputs;
    }
    for (int64_t t = 0; t < time; t++) add_to_pool(net.pooling, stream, below + t * P, P);
  }
  return TEXTRNN_DONE;
}

int stream_scores(const textrnn_network &net, const textrnn_stream &stream, int64_t padding, float *scores) {
  const int64_t P = net.layer[0].padded, size = net.layers * P;
  float *pooled = memory.floats(POOLED, P);
  std::vector<double> pool(stream.pool, stream.pool + P);
  textrnn_stream now = stream;
  now.pool = pool.data();
  std::vector<float> states;
  if (padding > 0) {
    states.resize(2 * size);
    std::memcpy(states.data(), stream.hidden, size * sizeof(float));
    if (stream.memory) std::memcpy(states.data() + size, stream.memory, size * sizeof(float));
    now.hidden = states.data();
    now.memory = stream.memory ? states.data() + size : nullptr;
    const std::vector<int32_t> zeros(std::min(padding, STREAM_TOKENS), 0);
    for (int64_t left = padding; left > 0; left -= STREAM_TOKENS)
      if (const int wrong = stream_read(net, now, zeros.data(), std::min(left, STREAM_TOKENS))) return wrong;
  }
  const double share = net.pooling == TEXTRNN_MEAN && now.steps ? (double)now.steps : 1.0;
  for (int64_t j = 0; j < P; j++) pooled[j] = (float)(pool[j] / share);
  return head(net, 1, pooled, 1, scores);
}

// Around each function of the interface: what was thrown becomes a number, and large blocks of memory go back.
template <class Work>
int guarded(Work &&work) {
  int result = TEXTRNN_NO_MEMORY;
  try {
    result = work();
  } catch (const std::bad_alloc &) {
  }
  memory.trim();
  return result;
}

}  // namespace
}  // namespace textrnn

using namespace textrnn;

int textrnn_scores(const textrnn_network *network, int64_t batch, const int32_t *ids, const int64_t *offsets, int32_t threads,
                   float *scores) {
  if (batch == 0) return TEXTRNN_DONE;
  return guarded([&] { return scores_of(*network, batch, ids, offsets, threads, scores); });
}

int textrnn_stream_read(const textrnn_network *network, textrnn_stream *stream, const int32_t *ids, int64_t count) {
  if (const int wrong = check(*network, ids, count)) return wrong;
  return guarded([&] { return stream_read(*network, *stream, ids, count); });
}

int textrnn_stream_scores(const textrnn_network *network, const textrnn_stream *stream, int64_t padding, float *scores) {
  const int32_t zero = 0;
  if (const int wrong = padding > 0 ? check(*network, &zero, 1) : TEXTRNN_DONE) return wrong;
  return guarded([&] { return stream_scores(*network, *stream, padding, scores); });
}
