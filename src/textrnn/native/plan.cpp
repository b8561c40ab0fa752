// Which step of which row is computed when: see kernels.h.
#include <algorithm>
#include <cstring>
#include <new>
#include <numeric>
#include <vector>

#include "kernels.h"
#include "phases.h"

namespace {

// The public record points into the vectors beside it.
struct Plan : textrnn_plan {
  std::vector<textrnn_item> items_;
  std::vector<int32_t> alive, row, source_row_, source_time_, mirror_, unique_of_, occurrences_;
  std::vector<int64_t> length, unique_ids_, occurrence_;
};

bool find_unique(Plan &plan, const int64_t *ids, int64_t stride, int32_t *stamp, int64_t vocabulary) {
  const int64_t positions = plan.positions;
  if (vocabulary > INT32_MAX) return false;
  plan.unique_of_.resize(positions);
  for (int64_t p = 0; p < positions; p++) {
    const int64_t id = ids[plan.source_row_[p] * stride + plan.source_time_[p]];
    if (id < 0 || id >= vocabulary) return false;
    __builtin_prefetch(stamp + id, 1);  // else each new word would wait for memory
    plan.unique_of_[p] = (int32_t)id;
  }
  plan.unique_ids_.reserve(positions);
  for (int32_t &of : plan.unique_of_) {
    int32_t &known = stamp[of];
    if (known < 0) {
      known = (int32_t)plan.unique_ids_.size();
      plan.unique_ids_.push_back(of);
    }
    of = known;
  }
  for (const int64_t id : plan.unique_ids_) stamp[id] = -1;
  // A counting sort keeps the positions of each id in rising order.
  const int64_t unique = (int64_t)plan.unique_ids_.size();
  plan.occurrence_.assign(unique + 1, 0);
  for (const int32_t u : plan.unique_of_) plan.occurrence_[u + 1]++;
  for (int64_t u = 0; u < unique; u++) plan.occurrence_[u + 1] += plan.occurrence_[u];
  std::vector<int64_t> next(plan.occurrence_.begin(), plan.occurrence_.end() - 1);
  plan.occurrences_.resize(positions);
  for (int64_t p = 0; p < positions; p++) plan.occurrences_[next[plan.unique_of_[p]]++] = (int32_t)p;
  plan.unique = unique;
  plan.unique_of = plan.unique_of_.data();
  plan.unique_ids = plan.unique_ids_.data();
  plan.occurrence = plan.occurrence_.data();
  plan.occurrences = plan.occurrences_.data();
  return true;
}

bool fill(Plan &plan, int64_t batch, const int64_t *lengths, int64_t rows_an_item, bool contiguous, const int64_t *ids,
          int64_t stride, int32_t *stamp, int64_t vocabulary) {
  int64_t positions = 0;
  for (int64_t row = 0; row < batch; row++) {
    if (lengths[row] < 0 || lengths[row] > (ids ? stride : INT32_MAX)) return false;
    positions += lengths[row];
  }
  if (positions > INT32_MAX || batch > INT32_MAX || rows_an_item < 1) return false;
  std::vector<int32_t> order(batch);
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int32_t a, int32_t b) { return lengths[a] > lengths[b]; });
  const int64_t items = std::max<int64_t>(1, (batch + rows_an_item - 1) / rows_an_item);

  plan.batch = batch;
  plan.positions = positions;
  plan.items = items;
  plan.items_.resize(items);
  plan.row.resize(batch);
  plan.length.resize(batch);
  plan.source_row_.resize(positions);
  plan.source_time_.resize(positions);
  plan.mirror_.resize(positions);
  int64_t steps = 0;  // of all items, to reserve before pointers are taken
  const auto first_of = [&](int64_t k) { return contiguous ? k * batch / items : k; };
  for (int64_t k = 0; k < items && k < batch; k++) steps += lengths[order[first_of(k)]];
  plan.alive.resize(steps);

  int64_t first_row = 0, first_step = 0, position = 0;
  std::vector<int64_t> step_position;
  for (int64_t k = 0; k < items; k++) {
    textrnn_item &item = plan.items_[k];
    int32_t *row = plan.row.data() + first_row;
    int64_t *length = plan.length.data() + first_row;
    item.rows = 0;
    const auto take = [&](int64_t i) {
      if (i >= batch) return;
      row[item.rows] = order[i];
      length[item.rows++] = lengths[order[i]];
    };
    if (contiguous)
      for (int64_t i = first_of(k); i < first_of(k + 1); i++) take(i);
    else  // every other round the other way round: else the first item would get the longest row of each
      for (int64_t round = 0; round * items < batch; round++) take(round * items + (round % 2 ? items - 1 - k : k));
    item.time = item.rows ? (int32_t)length[0] : 0;
    item.first_position = position;
    item.row = row;
    item.length = length;
    int32_t *alive = plan.alive.data() + first_step;
    item.alive = alive;
    step_position.resize(item.time);
    int32_t n = item.rows;
    for (int32_t t = 0; t < item.time; t++) {
      while (n > 0 && length[n - 1] <= t) n--;
      alive[t] = n;
      step_position[t] = position;
      for (int32_t i = 0; i < n; i++) {
        plan.source_row_[position] = row[i];
        plan.source_time_[position++] = t;
      }
    }
    for (int32_t t = 0; t < item.time; t++)
      for (int32_t i = 0; i < alive[t]; i++)
        plan.mirror_[step_position[t] + i] = (int32_t)(step_position[length[i] - 1 - t] + i);
    first_row += item.rows;
    first_step += item.time;
  }
  plan.item = plan.items_.data();
  plan.source_row = plan.source_row_.data();
  plan.source_time = plan.source_time_.data();
  plan.mirror = plan.mirror_.data();
  return !ids || find_unique(plan, ids, stride, stamp, vocabulary);
}

}  // namespace

textrnn_plan *textrnn_plan_new(int64_t batch, const int64_t *lengths, int64_t rows_an_item, int32_t contiguous,
                               const int64_t *ids, int64_t row_stride, int32_t *stamp, int64_t vocabulary) {
  const textrnn::InPhase in_planning(textrnn::phase::PLANNING);
  Plan *plan = new (std::nothrow) Plan{};
  if (!plan) return nullptr;
  try {
    if (fill(*plan, batch, lengths, rows_an_item, contiguous != 0, ids, row_stride, stamp, vocabulary)) return plan;
  } catch (const std::bad_alloc &) {
  }
  delete plan;
  return nullptr;
}

void textrnn_plan_free(textrnn_plan *plan) { delete static_cast<Plan *>(plan); }
