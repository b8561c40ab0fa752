// Forward, loss, backward, clipping and Adam of a network of one layer, one after the other without leaving the library. What
// autograd and an optimiser in Python do around the kernels takes as long as these on short texts.
//
// The readable twin is `by_autograd` in src/textrnn/training/steps.py: the same masks, the same results up to rounding.
#include "training.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <vector>

#include "internal.h"
#include "phases.h"

#if defined(_WIN32)
#define TEXTRNN_EXPORT extern "C" __declspec(dllexport)
#else
#define TEXTRNN_EXPORT extern "C" __attribute__((visibility("default")))
#endif

extern "C" {
int32_t textrnn_adam_catch_up(const textrnn_adam_table *of, const int64_t *rows, int64_t count);
int32_t textrnn_adam_step(const textrnn_adam_table *of, const int64_t *rows, int64_t count, const float *gradient,
                          const textrnn_adam_settings *settings);
void textrnn_adam_dense(const textrnn_adam_tensor *tensors, int64_t count, int32_t threads);
double textrnn_clip(const textrnn_gradient *gradients, int64_t count, double largest, int32_t threads);
}

using namespace textrnn;

namespace {

enum Status : int32_t { DONE = 0, REFUSED = 1, NO_MEMORY = 2, DIVERGED = 3 };

// Memory that a thread keeps from step to step: fresh pages from the system cost as much as a tenth of a step.
class Arena {
  float *memory = nullptr;
  int64_t size = 0, used = 0;

 public:
  ~Arena() { std::free(memory); }
  // So many floats from here on; false if memory is short. What was given out before is lost.
  bool reserve(int64_t floats) {
    used = 0;
    if (floats <= size) return true;
    std::free(memory);
    const size_t bytes = ((size_t)(floats + floats / 8) * sizeof(float) + 4095) / 4096 * 4096;
    memory = static_cast<float *>(std::aligned_alloc(4096, bytes));
    size = memory ? (int64_t)(bytes / sizeof(float)) : 0;
    return memory != nullptr;
  }
  static int64_t rounded(int64_t floats) { return (floats + 15) / 16 * 16; }
  // Without memory only counts, so that the same code says how much it needs.
  float *take(int64_t floats) {
    float *here = memory ? memory + used : nullptr;
    used += rounded(floats);
    return here;
  }
  int64_t taken() const { return used; }
};
thread_local Arena arena;

struct Memory {
  float *features, *factors, *d_features, *logits, *d_head_weight, *d_head_bias, *d_rows;
  int64_t *d_ids;
};

// Places in the arena for everything between the ids and the gradients.
Memory places(Arena &from, textrnn_training_step &s, const textrnn_plan &plan, const CellShape &shape) {
  textrnn_layer &c = s.layer;
  const int64_t G = shape.gates, P = c.padded, H = c.hidden, D = c.directions, E = c.features;
  const int64_t batch = plan.batch, wide = D * H;
  Memory memory = {};
  for (int64_t d = 0; d < D; d++) c.direction[d].recurrent_bias = s.recurrent_bias[d];
  if (float *own = from.take(textrnn_place(&c, 1, nullptr))) textrnn_place(&c, 1, own);
  s.reading.inputs = const_cast<float *>(c.input);  // written there by `textrnn_read_words`
  s.reading.d_inputs = c.d_input;
  c.pooled = from.take(batch * D * P);
  c.d_pooled = from.take(batch * D * P);
  for (int64_t d = 0; d < D; d++) {
    textrnn_direction &way = c.direction[d];
    way.d_from_input = from.take(G * H * E);
    way.d_input_bias = from.take(G * H);
    way.d_from_hidden = shape.recurrent ? from.take(G * H * H) : nullptr;
    way.d_recurrent_bias = way.recurrent_bias ? from.take(G * H) : nullptr;
  }
  memory.features = from.take(batch * wide);
  memory.factors = from.take(batch * wide);
  memory.d_features = from.take(wide);
  memory.logits = from.take(batch * s.classes);
  memory.d_head_weight = from.take(s.classes * wide);
  memory.d_head_bias = from.take(s.classes);
  memory.d_rows = s.reading.d_rows = from.take(plan.unique * E);
  memory.d_ids = s.reading.d_ids = (int64_t *)from.take(2 * plan.unique);
  return memory;
}

// Logits [batch, classes] of the pooled vectors, which are masked on the way.
void score(const textrnn_training_step &s, const Memory &m, bool masked) {
  const textrnn_layer &c = s.layer;
  const int64_t H = c.hidden, P = c.padded, D = c.directions, wide = D * H, C = s.classes;
  if (masked) kernels_in_use().mask_rows(s.pooled, 0, s.batch, wide, m.factors);
  for (int64_t b = 0; b < s.batch; b++) {
    float *x = m.features + b * wide;
    const float *factors = m.factors + b * wide;
    for (int64_t d = 0; d < D; d++) memcpy(x + d * H, c.pooled + (b * D + d) * P, H * sizeof(float));
    if (masked)
      for (int64_t j = 0; j < wide; j++) x[j] *= factors[j];
    for (int64_t k = 0; k < C; k++) {
      float sums[8] = {};
      const float *w = s.head_weight + k * wide;
      int64_t j = 0;
      for (; j + 8 <= wide; j += 8)
        for (int l = 0; l < 8; l++) sums[l] += x[j + l] * w[j + l];
      for (; j < wide; j++) sums[j % 8] += x[j] * w[j];
      float sum = 0;
      for (int l = 0; l < 8; l++) sum += sums[l];
      m.logits[b * C + k] = sum + s.head_bias[k];
    }
  }
}

// log softmax of a text's logits. [classes]
void log_probabilities(const float *logits, int64_t classes, double *to) {
  const double largest = *std::max_element(logits, logits + classes);
  double sum = 0;
  for (int64_t k = 0; k < classes; k++) sum += std::exp(logits[k] - largest);
  const double log_sum = std::log(sum) + largest;
  for (int64_t k = 0; k < classes; k++) to[k] = logits[k] - log_sum;
}

// Logits, mean cross-entropy and its gradients, back to the pooled vectors. False if a target is none of the classes.
//
// With `r_drop` (Liang et al. 2021, arXiv:2106.14448) half the mean of KL(p || q) + KL(q || p) over the texts, times r_drop, is
// learnt from as well, p and q being the two readings of a text; s.loss is without it.
bool head(textrnn_training_step &s, const Memory &m) {
  const InPhase in_head(phase::HEAD);
  const textrnn_layer &c = s.layer;
  const int64_t H = c.hidden, P = c.padded, D = c.directions, wide = D * H, C = s.classes, batch = s.batch;
  double weights = 0, loss = 0;
  const auto weight_of = [&](int64_t b) {
    const double of_class = s.class_weights ? s.class_weights[s.targets[b]] : 1.f;
    return s.text_weights ? of_class * s.text_weights[b] : of_class;
  };
  for (int64_t b = 0; b < batch; b++) {
    if (s.targets[b] < 0 || s.targets[b] >= C) return false;
    weights += weight_of(b);
  }
  weights = std::max(weights, 1e-30);  // all may be 0
  const bool masked = s.pooled.scale != 0.f;
  score(s, m, masked);
  memset(m.d_head_weight, 0, C * wide * sizeof(float));
  memset(m.d_head_bias, 0, C * sizeof(float));
  s.correct = 0;
  std::vector<double> own(C), twin(C);
  for (int64_t b = 0; b < batch; b++) {
    const float *x = m.features + b * wide, *logits = m.logits + b * C, *factors = m.factors + b * wide;
    const int64_t target = s.targets[b];
    log_probabilities(logits, C, own.data());
    s.correct += std::max_element(logits, logits + C) - logits == target;
    const double weight = weight_of(b);
    loss -= weight * own[target];
    double divergence = 0;  // KL of the own probabilities from the twin's
    if (s.r_drop != 0) {
      log_probabilities(m.logits + (b + batch / 2) % batch * C, C, twin.data());
      for (int64_t k = 0; k < C; k++) divergence += std::exp(own[k]) * (own[k] - twin[k]);
    }
    memset(m.d_features, 0, wide * sizeof(float));
    for (int64_t k = 0; k < C; k++) {
      const double p = std::exp(own[k]);
      double slope = weight / weights * (p - (k == target));
      if (s.r_drop != 0) slope += s.r_drop / batch * (p * (own[k] - twin[k] - divergence) + p - std::exp(twin[k]));
      const float gradient = (float)slope;
      const float *w = s.head_weight + k * wide;
      float *d_w = m.d_head_weight + k * wide;
      for (int64_t j = 0; j < wide; j++) m.d_features[j] += gradient * w[j];
      for (int64_t j = 0; j < wide; j++) d_w[j] += gradient * x[j];
      m.d_head_bias[k] += gradient;
    }
    if (masked)
      for (int64_t j = 0; j < wide; j++) m.d_features[j] *= factors[j];
    for (int64_t d = 0; d < D; d++) {
      float *to = const_cast<float *>(c.d_pooled) + (b * D + d) * P;
      memcpy(to, m.d_features + d * H, H * sizeof(float));
      memset(to + H, 0, (P - H) * sizeof(float));
    }
  }
  s.loss = loss / weights;
  return true;
}

textrnn_plan *make_plan(const textrnn_training_step &s) {
  const InPhase in_planning(phase::PLANNING);
  const bool through = s.time > 0;
  const int64_t readings = s.reading.readings;
  const int64_t time = through ? s.time : s.batch ? *std::max_element(s.lengths, s.lengths + s.batch) : 0;
  std::vector<int64_t> ids(s.batch * time), through_all;
  const int32_t *from = s.ids;
  for (int64_t b = 0; b < s.batch; b++) {
    if (s.lengths[b] < 0 || s.lengths[b] > time) return nullptr;
    const int64_t reading = b * readings / s.batch;  // the texts once, and then the same again
    for (int64_t t = s.lengths[b]; t < time; t++) ids[b * time + t] = reading;  // of padding
    for (int64_t t = 0; t < s.lengths[b]; t++)
      ids[b * time + t] = from[t] < 0 || from[t] >= s.embedding->rows ? -1 : from[t] * readings + reading;
    from += s.lengths[b];
  }
  if (through) through_all.assign(s.batch, time);
  constexpr int64_t ROWS_AN_ITEM = 16;  // as in plan.py
  return textrnn_plan_new(s.batch, through ? through_all.data() : s.lengths, ROWS_AN_ITEM, 0, ids.data(), time, s.stamp,
                          s.embedding->rows * readings);
}

// The words of a plan: its ids where there is one reading, else what they are ids of, in `found`.
const int64_t *words_of(const textrnn_plan &plan, int64_t readings, int32_t *stamp, std::vector<int64_t> &found, int64_t &count) {
  count = plan.unique;
  if (readings == 1) return plan.unique_ids;
  for (int64_t u = 0; u < plan.unique; u++) {
    const int64_t id = plan.unique_ids[u] / readings;
    if (stamp[id] < 0) {
      stamp[id] = 0;
      found.push_back(id);
    }
  }
  for (const int64_t id : found) stamp[id] = -1;
  count = (int64_t)found.size();
  return found.data();
}

Status take_step(textrnn_training_step &s) {
  const InPhase in_rest(phase::REST);
  textrnn_layer &c = s.layer;
  const CellShape *shape = cell_shape(c.cell);
  const std::unique_ptr<textrnn_plan, void (*)(textrnn_plan *)> plan(make_plan(s), textrnn_plan_free);
  if (!shape || !plan) return REFUSED;
  c.plan = s.reading.plan = plan.get();
  const bool once = by_words(s.reading);
  c.index = once ? plan->unique_of : nullptr;
  c.inputs = once ? plan->unique : plan->positions;

  Arena count;
  places(count, s, *plan, *shape);
  if (!arena.reserve(count.taken())) return NO_MEMORY;
  const Memory memory = places(arena, s, *plan, *shape);

  std::vector<int64_t> found;
  int64_t distinct;
  const int64_t *read = words_of(*plan, s.reading.readings, s.stamp, found, distinct);
  if (const int32_t status = textrnn_adam_catch_up(s.embedding, read, distinct)) return (Status)status;
  if (textrnn_read_words(&s.reading) || textrnn_forward(&c)) return NO_MEMORY;
  if (!head(s, memory)) return REFUSED;
  if (textrnn_backward(&c)) return NO_MEMORY;
  const int64_t words = textrnn_learn_words(&s.reading);
  if (words < 0) return NO_MEMORY;

  std::vector<textrnn_gradient> gradients{{words * c.features, memory.d_rows}};
  textrnn_adam_tensor *tensor = s.tensors;
  const auto learn = [&](float *gradient) {
    if (!gradient) return;
    gradients.push_back({tensor->count, gradient});
    tensor++->gradient = gradient;
  };
  learn(memory.d_head_weight);
  learn(memory.d_head_bias);
  for (int d = 0; d < c.directions; d++) {
    const textrnn_direction &way = c.direction[d];
    for (float *gradient : {way.d_from_input, way.d_input_bias, way.d_from_hidden, way.d_recurrent_bias}) learn(gradient);
  }
  s.norm = textrnn_clip(gradients.data(), (int64_t)gradients.size(), s.largest_norm, c.threads);
  if (!std::isfinite(s.loss + s.norm)) return DIVERGED;
  textrnn_adam_dense(s.tensors, s.tensor_count, c.threads);
  return (Status)textrnn_adam_step(s.embedding, memory.d_ids, words, memory.d_rows, &s.embedding_settings);
}

}  // namespace

// Nothing is learnt unless it is done. The caller counts the steps up.
TEXTRNN_EXPORT int32_t textrnn_train_step(textrnn_training_step *step) {
  const textrnn_layer given = step->layer;
  Status status = NO_MEMORY;
  try {
    status = take_step(*step);
  } catch (const std::bad_alloc &) {
  }
  step->layer = given;  // addresses of this call alone
  return status;
}
