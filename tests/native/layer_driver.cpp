// A layer of every cell, forward and back, through the C interface alone: writes all results as raw floats. So one machine's
// or compiler's library is compared with another's where there is no Python.
//
// Usage: layer_driver LIBRARY INSTRUCTION_SET > FILE
//
// For each cell, each of three poolings and two hidden sizes: two directions, a ragged batch with an empty row, non-zero
// initial states, gradients from the pooled vector, the outputs and the final states.
#include <dlfcn.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "kernels.h"

namespace {

using Floats = std::vector<float>;
void *library;

template <class F>
F *function(const char *name) {
  void *found = dlsym(library, name);
  if (!found) std::fprintf(stderr, "%s\n", dlerror()), std::exit(2);
  return reinterpret_cast<F *>(found);
}

uint64_t state = 1;
uint64_t draw() { return (state = state * 6364136223846793005u + 1442695040888963407u) >> 33; }

// [rows, columns] in -scale to scale, zeros beyond `used` columns; every value is exact on any machine.
Floats random(int64_t rows, int64_t columns, int64_t used, float scale) {
  Floats some(rows * columns);
  for (int64_t i = 0; i < rows; i++)
    for (int64_t j = 0; j < used; j++) some[i * columns + j] = scale * ((float)(int)(draw() % 4097 - 2048) / 2048.f);
  return some;
}

void write(const Floats &some) {
  if (std::fwrite(some.data(), sizeof(float), some.size(), stdout) != some.size()) std::exit(3);
}

void layer(int32_t cell, int32_t pooling, int32_t hidden) {
  constexpr int64_t D = 2, E = 37, VOCABULARY = 50;
  const std::vector<int64_t> lengths{9, 0, 23, 4, 1, 16, 16, 2, 7, 23, 5, 30, 3, 1, 8, 11, 6, 2, 19};
  const int64_t batch = (int64_t)lengths.size(), time = 30, P = (hidden + TEXTRNN_LANES - 1) / TEXTRNN_LANES * TEXTRNN_LANES;
  std::vector<int64_t> ids(batch * time);
  for (int64_t &id : ids) id = (int64_t)(draw() % VOCABULARY);
  std::vector<int32_t> stamp(VOCABULARY, -1);
  textrnn_plan *plan = function<decltype(textrnn_plan_new)>("textrnn_plan_new")(batch, lengths.data(), 16, 0, ids.data(), time,
                                                                                stamp.data(), VOCABULARY);
  int32_t G, S;
  if (!plan || !function<decltype(textrnn_cell_shape)>("textrnn_cell_shape")(cell, &G, &S)) std::exit(4);
  const bool recurrent = cell < TEXTRNN_MINGRU, lstm = cell == TEXTRNN_LSTM, gru = cell == TEXTRNN_GRU;
  const int64_t positions = plan->positions, inputs = plan->unique;
  const Floats input = random(inputs, E, E, 1.f), d_pooled = random(batch, D * P, D * P, 1.f);
  Floats d_outputs(positions * D * P), outputs(positions * D * P), pooled(batch * D * P), d_input(inputs * E);
  std::vector<int32_t> argmax(batch * D * P);
  textrnn_layer c{};
  c.plan = plan, c.cell = cell, c.hidden = hidden, c.padded = (int32_t)P, c.directions = D, c.pooling = pooling, c.threads = 2;
  c.features = E, c.inputs = inputs, c.input = input.data(), c.index = plan->unique_of;
  c.outputs = outputs.data(), c.pooled = pooled.data(), c.argmax = pooling == TEXTRNN_MAX ? argmax.data() : nullptr;
  c.d_outputs = d_outputs.data(), c.d_pooled = d_pooled.data(), c.d_input = d_input.data();
  std::vector<Floats> given, made, scratch;
  given.reserve(32), made.reserve(32), scratch.reserve(32);
  auto add = [](std::vector<Floats> &to, Floats some) { return to.emplace_back(std::move(some)).data(); };
  const float scale = 1.f / std::sqrt((float)hidden);
  for (int64_t p = 0; p < positions; p++)
    for (int64_t d = 0; d < D; d++)
      for (int64_t j = 0; j < hidden; j++) d_outputs[(p * D + d) * P + j] = (float)(int)(draw() % 4097 - 2048) / 2048.f;
  for (int64_t d = 0; d < D; d++) {
    textrnn_direction &way = c.direction[d];
    way.from_input = add(given, random(G * hidden, E, E, 0.2f));
    way.input_bias = add(given, random(1, G * hidden, G * hidden, 0.2f));
    if (recurrent) way.from_hidden = add(given, random(G * hidden, hidden, hidden, scale));
    if (gru) way.candidate_bias = add(given, random(1, P, hidden, 0.2f));
    way.start_hidden = add(given, random(batch, P, hidden, 0.5f));
    way.d_final_hidden = add(given, random(batch, P, hidden, 1.f));
    if (lstm) way.start_memory = add(given, random(batch, P, hidden, 0.5f));
    if (lstm) way.d_final_memory = add(given, random(batch, P, hidden, 1.f));
    way.projected = add(scratch, Floats(inputs * G * P));
    way.panels = add(scratch, Floats(2 * G * P * P));
    way.saved = add(scratch, Floats(positions * S * P));
    way.previous = add(scratch, Floats(positions * P));
    way.d_projected = add(scratch, Floats(inputs * G * P));
    way.partial = add(scratch, Floats(plan->items * (G * P + 8) * (P + 1)));
    way.final_hidden = add(made, Floats(batch * P));
    if (lstm) way.final_memory = add(made, Floats(batch * P));
    way.d_start_hidden = add(made, Floats(batch * P));
    if (lstm) way.d_start_memory = add(made, Floats(batch * P));
    way.d_from_input = add(made, Floats(G * hidden * E));
    way.d_input_bias = add(made, Floats(G * hidden));
    if (recurrent) way.d_from_hidden = add(made, Floats(G * hidden * hidden));
    if (gru) way.d_recurrent_bias = add(made, Floats(G * hidden));
  }
  if (function<decltype(textrnn_forward)>("textrnn_forward")(&c)) std::exit(5);
  if (function<decltype(textrnn_backward)>("textrnn_backward")(&c)) std::exit(6);
  for (const Floats *some : {&outputs, &pooled, &d_input}) write(*some);
  for (const Floats &some : made) write(some);
  function<decltype(textrnn_plan_free)>("textrnn_plan_free")(plan);
}

}  // namespace

int main(int count, char **arguments) {
  if (count != 3) return 1;
  library = dlopen(arguments[1], RTLD_NOW);
  if (!library) return std::fprintf(stderr, "%s\n", dlerror()), 2;
  if (!function<decltype(textrnn_use_instruction_set)>("textrnn_use_instruction_set")(arguments[2])) return 7;
  for (const int32_t hidden : {70, 128})
    for (const int32_t pooling : {TEXTRNN_LAST, TEXTRNN_MEAN, TEXTRNN_MAX})
      for (int32_t cell = TEXTRNN_ELMAN; cell <= TEXTRNN_MINLSTM; cell++) layer(cell, pooling, hidden);
  return 0;
}
