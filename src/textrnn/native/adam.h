// What adam.cpp, the dispatcher and the units of the instruction sets share. See adam.cpp.
#pragma once
#include <stdint.h>

// The Python side (training/native_adam.py) has these two records field by field.
extern "C" {

typedef struct textrnn_adam_table {
  int64_t rows, features;
  float *weights, *first, *second;  // [rows, features]
  int64_t *row_steps;               // last step of each row [rows]
  int64_t steps;                    // of the history
  double *kept, *coasted, *coasted_eps;                   // for a row last stepped at s [more than steps]
  const double *fade1, *fade2, *coasting, *coasting_eps;  // by the number of steps left out [more than steps]
  double eps;
  int32_t threads;
} textrnn_adam_table;

typedef struct textrnn_adam_settings {
  int64_t step;       // the number of the step to do, from 1 at the beginning of the training
  double rate, beta1, beta2, eps, weight_decay;
  int32_t decoupled;  // whether decay is taken off the weights (AdamW) or added to the gradient (Adam)
} textrnn_adam_settings;

// Parameters that have a gradient each, and their moments [count].
typedef struct textrnn_adam_tensor {
  int64_t count;
  float *weights, *first, *second;
  const float *gradient;
  textrnn_adam_settings settings;
} textrnn_adam_tensor;

typedef struct textrnn_gradient {
  int64_t count;
  float *values;
} textrnn_gradient;

}  // extern "C"

namespace textrnn {

struct AdamRow {
  int64_t row, last_step;
};

// Of one step; `decay` is what is added to the gradient.
struct AdamFactors {
  float kept, decay, beta1, rest1, beta2, rest2, rate, correction, eps;
};

}  // namespace textrnn
