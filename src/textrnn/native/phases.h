// Where the time goes: cycles that the calling thread spends in each phase, the phases inside not counted with it. Only a build
// with TEXTRNN_PHASES counts; see benchmarks/phases.py. In any other nothing is left of it.
#pragma once
#include <stdint.h>

namespace textrnn {

namespace phase {
enum Name {
  OUTSIDE,           // of the library
  PLANNING,          // sorting rows, finding the different words
  PACKING_WEIGHTS,   // into the order in which the recurrent product and that of the inputs read them
  PACKING_GATES,     // and states, for the outer product
  PACKING,           // the factors of the products of inputs and of gradients of inputs
  INPUT_PRODUCT,     // W x of the words
  RECURRENT_PRODUCT, // U h, forward
  GATES,             // and activations, forward
  STEPS,             // the rest of the way forward: addresses, pooling
  GATES_BACK,        // their gradients
  PRODUCT_BACK,      // gradients of the states before
  OUTER_PRODUCT,     // gradients of U
  SUMS,              // of the gradients of a word's positions and of the items
  INPUT_GRADIENTS,   // products: gradients of W and of the words
  WORDS,             // embeddings and their gradients, masks
  HEAD,              // and loss
  OPTIMISER,         // and clipping
  WAITING,           // for the other threads
  REST,              // between all of these
  COUNT
};
}  // namespace phase

#if defined(TEXTRNN_PHASES)

extern thread_local uint64_t phase_cycles[phase::COUNT] __attribute__((tls_model("initial-exec")));
extern thread_local uint64_t phase_since __attribute__((tls_model("initial-exec")));
extern thread_local int phase_now __attribute__((tls_model("initial-exec")));

static inline __attribute__((always_inline)) int enter_phase(int name) {
  asm volatile("" ::: "memory");
  const uint64_t now = __builtin_ia32_rdtsc();
  const int before = phase_now;
  phase_cycles[before] += now - phase_since;
  phase_since = now;
  phase_now = name;
  asm volatile("" ::: "memory");
  return before;
}

// What a second thread would spare, tasks taken in turns as `parallel` hands them out: what the less busy one does, by the phase
// around the tasks.
extern thread_local uint64_t phase_spared[phase::COUNT] __attribute__((tls_model("initial-exec")));
class SecondThread {
  uint64_t busy[2] = {}, since = 0;

 public:
  void begin() { since = __builtin_ia32_rdtsc(); }
  void end() { busy[busy[1] < busy[0]] += __builtin_ia32_rdtsc() - since; }
  ~SecondThread() { phase_spared[phase_now] += busy[0] < busy[1] ? busy[0] : busy[1]; }
};

// A phase until the end of the block.
class InPhase {
  int before;

 public:
  __attribute__((always_inline)) explicit InPhase(phase::Name name) : before(enter_phase(name)) {}
  __attribute__((always_inline)) ~InPhase() { enter_phase(before); }
};

#else

struct InPhase {
  __attribute__((always_inline)) explicit InPhase(phase::Name) {}
};
struct SecondThread {
  void begin() {}
  void end() {}
};

#endif

}  // namespace textrnn
