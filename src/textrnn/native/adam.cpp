// Adam on some rows of a table, in place and in one pass. The formulas and the readable twin are in
// src/textrnn/training/lazy_adam.py and adam_rows.py; names are theirs.
//
// The loops over features are in adam_rows.h, compiled for each instruction set. Every element is computed by itself with
// correctly rounded operations, so neither the instruction set nor the number of threads changes a bit.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <new>
#include <vector>

#include "internal.h"
#include "phases.h"
#include "threads.h"

#if defined(_WIN32)
#define TEXTRNN_EXPORT extern "C" __declspec(dllexport)
#else
#define TEXTRNN_EXPORT extern "C" __attribute__((visibility("default")))
#endif

using namespace textrnn;

namespace {

enum Status : int32_t { DONE = 0, OUTSIDE = 1, NO_MEMORY = 2 };

constexpr int64_t ROWS_A_TASK = 64;
constexpr int64_t NUMBERS_A_TASK = 4096;
constexpr int64_t ROWS_FOR_THREADS = 256;  // below, a second thread saves no time

bool all_inside(const textrnn_adam_table &table, const int64_t *rows, int64_t count) {
  bool inside = true;
  for (int64_t i = 0; i < count; i++) inside &= (uint64_t)rows[i] < (uint64_t)table.rows;
  return inside;
}

// The row and its last step at `late[*found]`, which counts if it has left out anything; once only.
void note_late(const textrnn_adam_table &table, int64_t row, AdamRow *late, int64_t *found) {
  late[*found] = {row, table.row_steps[row]};
  *found += table.row_steps[row] != table.steps;
  table.row_steps[row] = table.steps;
}

AdamFactors factors_of(const textrnn_adam_settings &s) {
  const double correction1 = 1 - std::pow(s.beta1, (double)s.step);
  const double correction2 = std::sqrt(1 - std::pow(s.beta2, (double)s.step));
  return {
      .kept = s.decoupled ? (float)(1 - s.rate * s.weight_decay) : 1,
      .decay = s.decoupled ? 0 : (float)s.weight_decay,
      .beta1 = (float)s.beta1,
      .rest1 = (float)(1 - s.beta1),
      .beta2 = (float)s.beta2,
      .rest2 = (float)(1 - s.beta2),
      .rate = (float)(s.rate / correction1),
      .correction = (float)(1 / correction2),
      .eps = (float)s.eps,
  };
}

// task(i, begin, end, part) for the numbers begin to end of the i-th of some tensors or gradients; parts are counted through.
template <class Some, class Task>
void in_parts(const Some *some, int64_t count, int32_t threads, const Task &task) {
  std::vector<int64_t> first{0};
  for (int64_t i = 0; i < count; i++) first.push_back(first.back() + (some[i].count + NUMBERS_A_TASK - 1) / NUMBERS_A_TASK);
  textrnn::parallel(threads, first.back(), [&](int64_t t) {
    int64_t i = 0;
    while (t >= first[i + 1]) i++;
    const int64_t begin = (t - first[i]) * NUMBERS_A_TASK;
    task(i, begin, std::min(some[i].count, begin + NUMBERS_A_TASK), t);
  });
}

// One more step that rows may leave out.
void lengthen_history(const textrnn_adam_table &table, double kept, double rate, double rate_eps) {
  const int64_t now = table.steps + 1;
  for (int64_t s = 0; s < now; s++) {
    table.kept[s] *= kept;
    table.coasted[s] = table.coasted[s] * kept + rate * table.coasting[now - s];
    table.coasted_eps[s] = table.coasted_eps[s] * kept + rate_eps * table.coasting_eps[now - s];
  }
}

template <class Task>
void in_tasks(const textrnn_adam_table &table, int64_t count, const Task &task) {
  textrnn::parallel(count < ROWS_FOR_THREADS ? 1 : table.threads, (count + ROWS_A_TASK - 1) / ROWS_A_TASK, [&](int64_t t) {
    task(t * ROWS_A_TASK, std::min(count, (t + 1) * ROWS_A_TASK));
  });
}

}  // namespace

// Catch up every row.
TEXTRNN_EXPORT void textrnn_adam_catch_up_all(const textrnn_adam_table *of) {
  const InPhase in_optimiser(phase::OPTIMISER);
  const textrnn_adam_table &table = *of;
  const Kernels &kernels = kernels_in_use();
  in_tasks(table, table.rows, [&](int64_t begin, int64_t end) {
    AdamRow late[ROWS_A_TASK];
    int64_t found = 0;
    for (int64_t row = begin; row < end; row++) note_late(table, row, late, &found);
    kernels.adam_rows(table, late, found, nullptr, nullptr);
  });
}

// Catch up rows [count], in any order, also several times. Nothing happens unless it is done.
TEXTRNN_EXPORT int32_t textrnn_adam_catch_up(const textrnn_adam_table *of, const int64_t *rows, int64_t count) {
  const InPhase in_optimiser(phase::OPTIMISER);
  const textrnn_adam_table &table = *of;
  const Kernels &kernels = kernels_in_use();
  if (!all_inside(table, rows, count)) return OUTSIDE;
  const std::unique_ptr<AdamRow[]> late(new (std::nothrow) AdamRow[(size_t)count]);
  if (!late) return NO_MEMORY;
  int64_t found = 0;
  for (int64_t i = 0; i < count; i++) note_late(table, rows[i], late.get(), &found);
  in_tasks(table, found, [&](int64_t begin, int64_t end) {
    kernels.adam_rows(table, late.get() + begin, end - begin, nullptr, nullptr);
  });
  return DONE;
}

// One step on rows [count], each named once, with their gradients [count, features]; late ones are caught up. The caller
// counts `steps` up. Nothing happens unless it is done.
TEXTRNN_EXPORT int32_t textrnn_adam_step(const textrnn_adam_table *of, const int64_t *rows, int64_t count, const float *gradient,
                                         const textrnn_adam_settings *settings) {
  const InPhase in_optimiser(phase::OPTIMISER);
  const textrnn_adam_table &table = *of;
  const Kernels &kernels = kernels_in_use();
  const textrnn_adam_settings &s = *settings;
  if (!all_inside(table, rows, count)) return OUTSIDE;
  const std::unique_ptr<AdamRow[]> stepped(new (std::nothrow) AdamRow[(size_t)count]);
  if (!stepped) return NO_MEMORY;
  for (int64_t i = 0; i < count; i++) {
    stepped[i] = {rows[i], table.row_steps[rows[i]]};
    table.row_steps[rows[i]] = table.steps + 1;
  }
  const double correction1 = 1 - std::pow(s.beta1, (double)s.step);
  const double correction2 = std::sqrt(1 - std::pow(s.beta2, (double)s.step));
  const double kept = s.decoupled ? 1 - s.rate * s.weight_decay : 1;
  const AdamFactors factors = factors_of(s);
  in_tasks(table, count, [&](int64_t begin, int64_t end) {
    kernels.adam_rows(table, stepped.get() + begin, end - begin, gradient + begin * table.features, &factors);
  });
  const double rate = s.rate * correction2 / correction1;
  lengthen_history(table, kept, rate, rate * s.eps * correction2);
  return DONE;
}

// One step on all of some tensors.
TEXTRNN_EXPORT void textrnn_adam_dense(const textrnn_adam_tensor *tensors, int64_t count, int32_t threads) {
  const InPhase in_optimiser(phase::OPTIMISER);
  const Kernels &kernels = kernels_in_use();
  std::vector<AdamFactors> factors;
  for (int64_t i = 0; i < count; i++) factors.push_back(factors_of(tensors[i].settings));
  in_parts(tensors, count, threads, [&](int64_t i, int64_t begin, int64_t end, int64_t) {
    const textrnn_adam_tensor &tensor = tensors[i];
    textrnn_adam_table table = {};  // of one row that is not late
    table.features = end - begin;
    table.weights = tensor.weights + begin;
    table.first = tensor.first + begin;
    table.second = tensor.second + begin;
    const AdamRow row = {0, 0};
    kernels.adam_rows(table, &row, 1, tensor.gradient + begin, &factors[i]);
  });
}

// Scales all gradients so that their common norm is at most `largest`; the norm before. The same for any number of threads.
TEXTRNN_EXPORT double textrnn_clip(const textrnn_gradient *gradients, int64_t count, double largest, int32_t threads) {
  const InPhase in_optimiser(phase::OPTIMISER);
  const Kernels &kernels = kernels_in_use();
  int64_t parts = 0;
  for (int64_t i = 0; i < count; i++) parts += (gradients[i].count + NUMBERS_A_TASK - 1) / NUMBERS_A_TASK;
  std::vector<double> squares(parts);
  in_parts(gradients, count, threads, [&](int64_t i, int64_t begin, int64_t end, int64_t part) {
    squares[part] = kernels.sum_of_squares(gradients[i].values + begin, end - begin);
  });
  double sum = 0;
  for (const double some : squares) sum += some;
  const double norm = std::sqrt(sum), factor = largest / (norm + 1e-6);
  if (!(factor >= 1))  // also if it is nan, which passes on
    in_parts(gradients, count, threads, [&](int64_t i, int64_t begin, int64_t end, int64_t) {
      kernels.scale(gradients[i].values + begin, end - begin, (float)factor);
    });
  return norm;
}
