// Inference of a whole network in one call: ids to scores, so that a short text costs little more than its kernels.
#pragma once
#include "kernels.h"

#ifdef __cplusplus
extern "C" {
#endif
#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

// What the functions below return.
enum { TEXTRNN_DONE, TEXTRNN_NO_MEMORY, TEXTRNN_NO_SUCH_ID, TEXTRNN_ROWS_MISSING };

// Embedding, layers, pooling and head. All arrays begin at a multiple of 64 bytes for speed; nothing depends on it.
typedef struct textrnn_network {
  int32_t layers, pooling, classes;
  int32_t scans;                  // a single layer of a minimal cell whose table holds z and a; see textrnn_scan_call
  int64_t vocabulary;
  int64_t features;               // of `embedding`
  const textrnn_layer *layer;     // [layers]: cell, sizes, tables of the first; packed weights and `turned` of each direction. A
                                  // layer above the first reads directions * padded features
  const uint8_t *written[2];      // which rows of the tables, or of `embedding`, there are [vocabulary]; 1 for each table
  const void *embedding;          // [vocabulary, features] where the first layer has no tables; else NULL
  const float *embedding_scale;   // I8: [vocabulary]
  int32_t embedding_type;
  int32_t tokens_at_once;         // of a network with several layers: those whose states are held at once
  const float *head;              // [directions * padded, classes rounded up to LANES]
  const float *head_bias;         // [classes rounded up to LANES]
} textrnn_network;

// What a network remembers of one text that it reads left to right, token by token.
typedef struct textrnn_stream {
  float *hidden, *memory;         // [layers, padded]; memory of the LSTM
  double *pool;                   // [padded]: last, sum or largest of the last layer's states
  int64_t steps;
} textrnn_stream;

// Scores [batch, classes] of texts whose ids stand one after the other; text i is ids[offsets[i]] to ids[offsets[i + 1]].
// ROWS_MISSING: the tables lack a token; write it and call again. NO_SUCH_ID: so says an id, or the offsets fall.
int textrnn_scores(const textrnn_network *network, int64_t batch, const int32_t *ids, const int64_t *offsets, int32_t threads,
                   float *scores);
// Reads `count` more tokens, of a network with one direction; memory does not grow with their number.
int textrnn_stream_read(const textrnn_network *network, textrnn_stream *stream, const int32_t *ids, int64_t count);
// Scores [classes] after the tokens so far and `padding` tokens 0, which the stream forgets again.
int textrnn_stream_scores(const textrnn_network *network, const textrnn_stream *stream, int64_t padding, float *scores);

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif
