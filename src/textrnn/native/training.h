// A whole step of training in one call: see training.cpp. The Python side (training/native_step.py) has the record field by
// field.
#pragma once
#include "adam.h"
#include "kernels.h"

extern "C" {

typedef struct textrnn_training_step {
  textrnn_layer layer;            // cell, sizes, pooling, threads and the addresses of the weights; the rest is filled in here
  const float *recurrent_bias[2]; // [3 * hidden] of each direction of a GRU, else NULL; input_bias is without it
  textrnn_reading reading;        // features, table, masks, by, readings, silent and threads; the rest is filled in here
  textrnn_mask pooled;            // of the pooled vectors, [batch, directions * hidden]
  int64_t classes;
  const float *head_weight;       // [classes, directions * hidden]
  const float *head_bias;         // [classes]
  const float *class_weights;     // [classes]; NULL: all 1
  double largest_norm;
  double r_drop;                  // weight of the divergence between text b and text b + batch / 2, the same text again
  // of the batch
  int64_t batch, time;            // time: steps that every text is padded to and read through; 0: none is read beyond its end
  const int32_t *ids;             // one text after the other
  const int64_t *lengths;         // [batch]
  const int64_t *targets;         // [batch]
  const float *text_weights;      // of each text in the loss, [batch]; NULL: all 1
  int32_t *stamp;                 // -1 for every id of the vocabulary and reading
  // of the optimiser
  textrnn_adam_tensor *tensors;   // weight and bias of the head, then for each direction W_ih, b_ih, W_hh, b_hh where there are
  int64_t tensor_count;           // such; gradients are filled in here
  const textrnn_adam_table *embedding;
  textrnn_adam_settings embedding_settings;
  // results
  double loss, norm;
  int64_t correct;                // texts whose largest logit is the target's
} textrnn_training_step;

}  // extern "C"
