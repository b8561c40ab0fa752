// The C interface of the native kernels, and the records that the parts of the library share.
//
// Conventions. All floats are 32 bits, all arrays row-major and without gaps unless a stride is named. `hidden` is rounded up
// to `padded`, the next multiple of LANES; what lies beyond `hidden` is zero, so that no loop has a ragged end. Inputs and
// outputs of a function must not overlap. Gate order and meaning are PyTorch's.
//
// Positions. A plan sorts the rows of a batch by length, the longest first, deals them out to `items` (0, 1, 2, 2, 1, 0, 0, 1
// and so on, so that all have as many steps to do) and numbers the real steps of each item time by time: first step 0 of its rows, then step 1
// of those that have one, and so on. A step's number is its position; there is one for each real token of the batch and none
// for padding. The rows alive at any time are the first ones of the item.
//
// The right-to-left direction reads the row's step `length - 1 - t` at time t; `mirror` tells the position of that step.
#pragma once
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

enum { TEXTRNN_LANES = 16 };
enum { TEXTRNN_ELMAN, TEXTRNN_ELMAN_RELU, TEXTRNN_GRU, TEXTRNN_LSTM, TEXTRNN_MINGRU, TEXTRNN_MINLSTM };
enum { TEXTRNN_NO_POOLING, TEXTRNN_LAST, TEXTRNN_MEAN, TEXTRNN_MAX };
enum { TEXTRNN_F32, TEXTRNN_F16, TEXTRNN_I8 };
enum { TEXTRNN_FULL, TEXTRNN_BF16 };

typedef struct textrnn_item {
  int32_t rows, time;       // rows, and steps of the longest of them
  int64_t first_position;   // positions of an item are contiguous
  const int32_t *alive;     // rows that have a step t [time]
  const int32_t *row;       // row of the batch [rows]
  const int64_t *length;    // real steps of each of these rows [rows]
} textrnn_item;

typedef struct textrnn_plan {
  int64_t batch, positions, items, unique;
  const textrnn_item *item;       // [items]
  const int32_t *source_row;      // row of the batch at each position [positions]
  const int32_t *source_time;     // step of that row at each position [positions]
  const int32_t *mirror;          // position that the right-to-left direction reads in its place [positions]
  const int32_t *unique_of;       // index into unique_ids at each position [positions]; NULL without ids
  const int64_t *unique_ids;      // the different ids of the batch by first occurrence [unique]
  const int64_t *occurrence;      // where the positions of each unique id begin in `occurrences` [unique + 1]
  const int32_t *occurrences;     // positions grouped by unique id, rising [positions]
} textrnn_plan;

// One direction of a layer. G gates, S saved vectors a step: see textrnn_cell_shape.
typedef struct textrnn_direction {
  const float *from_input;        // [G * hidden, features]
  const float *input_bias;        // [G * hidden]; for the GRU with the recurrent bias of reset and update added
  const float *from_hidden;       // [G * hidden, hidden]; NULL for minimal cells
  const float *candidate_bias;    // [hidden] of the GRU's candidate, inside the reset; else NULL
  float *projected;               // [inputs, G * padded]: W x + b of every input row; written unless `fold`
  float *panels;                  // [G * padded * padded], twice that for training: packed recurrent weights, written
  float *saved;                   // [positions, S * padded]; NULL in inference. Backward leaves gradients of the gates in it
  float *previous;                // [positions, padded]: the state before each step; NULL in inference
  const float *start_hidden;      // [batch, padded]; NULL: zeros
  const float *start_memory;      // [batch, padded], LSTM; NULL: zeros
  float *final_hidden;            // [batch, padded]
  float *final_memory;            // [batch, padded], LSTM, else NULL
  // backward
  const float *d_final_hidden;    // [batch, padded]; NULL: zeros
  const float *d_final_memory;    // [batch, padded]; NULL: zeros
  float *d_start_hidden;          // [batch, padded]; NULL if not wanted
  float *d_start_memory;          // [batch, padded], LSTM; NULL if not wanted
  float *d_projected;             // [inputs, G * padded]; NULL for `saved` as it lies: without index, left to right
  float *partial;                 // [items, G * padded + 8, padded + 1]: memory for sums of each item; NULL for minimal cells
  float *d_from_input;            // [G * hidden, features]
  float *d_input_bias;            // [G * hidden]
  float *d_from_hidden;           // [G * hidden, hidden]
  float *d_recurrent_bias;        // [G * hidden], GRU, else NULL
  // inference
  const float *turned;            // [features + 1, G * padded]: from_input turned and padded, and input_bias; NULL: made of both
  // training
  const float *recurrent_bias;    // [G * hidden] of the GRU, which `input_bias` is without then; NULL: as said there
} textrnn_direction;

// One layer over one plan, both directions in one call.
typedef struct textrnn_layer {
  const textrnn_plan *plan;
  int32_t cell, hidden, padded, directions, pooling, threads;
  int32_t table_type;             // of `table`, below
  int32_t precision;              // inference: BF16 multiplies states and recurrent weights in 16-bit brain floats where
                                  // textrnn_has_bf16(); for training, minimal cells and elsewhere it is FULL
  int64_t features, inputs;       // columns and rows of `input`
  const float *input;             // [inputs, features]: a row for each unique id, or for each position
  const int32_t *index;           // row of input (or table) for each position [positions]; NULL: the position itself
  const void *table[2];           // inference: projected inputs of the whole vocabulary [vocabulary, G * padded] in place of
                                  // `projected`, of table_type; NULL: project `input`
  const float *table_scale[2];    // I8: scale of each row [vocabulary]
  float *outputs;                 // [positions, directions * padded] in the order of positions; NULL if not wanted
  float *pooled;                  // [batch, directions * padded]; NULL without pooling
  int32_t *argmax;                // [batch, directions * padded]: step of the largest, max pooling in training; else NULL
  textrnn_direction direction[2];
  // backward
  const float *d_outputs;         // like outputs; NULL: zeros
  const float *d_pooled;          // like pooled; NULL: zeros
  float *d_input;                 // [inputs, features]; NULL if not wanted
} textrnn_layer;

// Inference of one layer of a minimal cell. A row of the table holds z and a of h' = h - z h + a: [vocabulary, 2 * padded].
typedef struct textrnn_scan_call {
  int64_t batch;
  const int32_t *ids;             // of all texts, one after the other; not checked against the table
  const int64_t *offsets;         // where each text begins, and the end [batch + 1]
  int32_t padded, directions, pooling, threads, table_type;  // F32 or F16
  const void *table[2];
  float *pooled;                  // [batch, directions * padded]
} textrnn_scan_call;

// One part of a sum of products: A [m, k] times B [k, n] with strides for rows and columns.
typedef struct textrnn_factor {
  const float *a, *b;
  int64_t a_row, a_column, b_row, b_column, k;
} textrnn_factor;

// C [m, n] = bias + sum over factors A B. Every element is summed by one thread in the order of k.
typedef struct textrnn_product {
  const textrnn_factor *factor;
  int32_t factors;
  int64_t m, n, c_row;
  float *c;
  const float *bias;              // [n] or NULL
  float *row_sums;                // [m]: sum over k of the first factor's A, or NULL
} textrnn_product;

// The n-gram part of a network: a row of weights for each n-gram that is known.
typedef struct textrnn_ngrams {
  int64_t count, classes;         // n-grams; classes
  const int32_t *key;               // different ones, not negative [count]
  const float *weight, *bias;       // [count, classes], [classes]
  int32_t *slot;                    // filled by textrnn_ngrams_index [slots]
  int64_t slots;                    // a power of two above count
} textrnn_ngrams;
// A sparse matrix in compressed rows.
typedef struct textrnn_sparse {
  int64_t rows;
  const int32_t *offset, *column;   // [rows + 1]; of each number
  const float *number;
  int32_t squared;                  // 1: every number stands for its square
} textrnn_sparse;
// Inverted dropout: the factor is 0 or `scale`, see reading.h. Scale 0: no mask.
typedef struct textrnn_mask {
  uint64_t seed;
  int32_t threshold;              // the least of 65,536 signed numbers that is kept
  float scale;
} textrnn_mask;

// Rows of a mask of features: step * batch + row of the batch; that row alone; the id.
enum { TEXTRNN_BY_STEP, TEXTRNN_BY_TEXT, TEXTRNN_BY_WORD };

// The embeddings of a plan's words: a row of `inputs` for each unique id, or for each position where a mask of features makes
// every occurrence of a word another.
//
// With `readings` above 1 the plan's ids are id * readings + reading: every reading of a batch has factors of its own by word.
typedef struct textrnn_reading {
  const textrnn_plan *plan;
  int64_t features;
  const float *table;             // [vocabulary, features]
  textrnn_mask word, feature;     // by the table's id; by `by`
  int32_t by, readings, threads;
  float *inputs;                  // [unique or positions, features]
  // backward
  const float *d_inputs;          // like inputs
  int64_t silent;                 // the id that learns nothing
  const int32_t *order, *begin;   // [unique], [unique + 1]: the library's own memory
  int64_t *d_ids;                 // [unique]: the ids that have a gradient, rising
  float *d_rows;                  // [unique, features]: their gradients
} textrnn_reading;

// Name of the instruction set in use: "avx512", "avx2" or "portable".
const char *textrnn_instruction_set(void);
// Use another one, for tests; returns 0 if this processor lacks it.
int textrnn_use_instruction_set(const char *name);
// 1 if the instruction set in use goes with products of 16-bit brain floats that this processor has.
int textrnn_has_bf16(void);
// 0 if the cell is unknown; gates, saved vectors a step.
int textrnn_cell_shape(int32_t cell, int32_t *gates, int32_t *saved);
// Plan of a batch. ids [batch, row_stride] may be NULL; `stamp` [vocabulary] holds -1 everywhere, before and after.
// NULL if memory is short, a length is negative or beyond the ids, or an id lies outside the vocabulary.
// With `contiguous` each item gets neighbours among the sorted rows, of nearly equal length, instead of every items-th one.
textrnn_plan *textrnn_plan_new(int64_t batch, const int64_t *lengths, int64_t rows_an_item, int32_t contiguous,
                               const int64_t *ids, int64_t row_stride, int32_t *stamp, int64_t vocabulary);
void textrnn_plan_free(textrnn_plan *plan);
// Packs the recurrent weights into `panels` once; with from_hidden NULL, forward takes them as they are.
void textrnn_pack(const textrnn_layer *layer);
// The floats that a layer needs for itself, for `training` until the way back is over: projected, panels, saved, previous,
// d_projected, partial, argmax, with recurrent_bias candidate_bias, and where they are NULL final_hidden and input (then d_input
// too). With memory, which begins at a cache line, all of these get their places in it. -1: the cell is unknown.
int64_t textrnn_place(textrnn_layer *layer, int32_t training, float *memory);
int textrnn_scan(const textrnn_scan_call *call);
// 0 on success, 1 if memory is short. Forward keeps what backward needs if `saved` is given.
int textrnn_forward(const textrnn_layer *layer);
int textrnn_backward(const textrnn_layer *layer);
int textrnn_products(const textrnn_product *products, int32_t count, int32_t threads);
// Makes the n-grams findable; 1 if `slots` is not what it must be.
int32_t textrnn_ngrams_index(const textrnn_ngrams *part);
// Scores of texts [texts, classes] from the keys of their n-grams (ngram_keys.h), those of tokens before those of
// characters; the sums in double precision in this order. 1 if memory is short.
int32_t textrnn_ngrams_scores(const textrnn_ngrams *part, const int32_t *keys, const int64_t *offsets, int64_t texts,
                              float *scores, int32_t threads);
// to [rows, width] = the matrix times dense [columns, width]; every sum in the order of the numbers, whatever the threads.
void textrnn_sparse_product(const textrnn_sparse *matrix, const float *dense, int64_t width, float *to, int32_t threads);
// Factors of the first rows of a mask [rows, columns].
void textrnn_mask_rows(const textrnn_mask *mask, int64_t rows, int64_t columns, float *to);
// 0 on success, 1 if memory is short.
int textrnn_read_words(const textrnn_reading *reading);
// The number of ids that have a gradient; -1 if memory is short.
int64_t textrnn_learn_words(const textrnn_reading *reading);
// Bits of the activation functions, for tests: what 0 tanh, 1 sigmoid, 2 exp.
void textrnn_activate(int32_t what, const float *x, float *y, int64_t count);
// Floating-point operations done in a loop of dependent-free fused multiply-adds, for the measured peak.
double textrnn_peak_operations(int32_t threads, int64_t iterations);

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif
