#include "threads.h"

#include "phases.h"

#include <atomic>
#include <mutex>
#include <thread>
#include <vector>
#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#endif
#if defined(__SSE2__)
#include <immintrin.h>
#endif

namespace textrnn {
namespace {

// Numbers too small for full precision cost a hundred cycles each, and gradients that vanish through time end as such.
class FlushDenormals {
#if defined(__SSE2__)
  unsigned before = _mm_getcsr();

 public:
  FlushDenormals() { _mm_setcsr(before | 0x8040); }
  ~FlushDenormals() { _mm_setcsr(before); }
#elif defined(__aarch64__)
  uint64_t before;

 public:
  FlushDenormals() {
    asm volatile("mrs %0, fpcr" : "=r"(before));
    asm volatile("msr fpcr, %0" ::"r"(before | (1u << 24)));
  }
  ~FlushDenormals() { asm volatile("msr fpcr, %0" ::"r"(before)); }
#endif
};

inline void pause() {
#if defined(__SSE2__)
  _mm_pause();
#endif
}

// A waiting thread looks so many times before it sleeps: to be woken costs the caller 20 microseconds. The caller looks as long as
// a thread takes that is about to end, 100 microseconds on a processor of 2023; the others for as long as a Python program needs
// between two calls of the training of short texts.
constexpr int SPINS = 4000, SPINS_BETWEEN_CALLS = 10000;

// The caller works like the others and waits for those only that have begun: one that is still asleep, or whose processor
// somebody else has, is not waited for, and what would have been its tasks is done by then.
struct Pool {
  static constexpr int CLOSED = 1 << 30;

  std::mutex owner;
  std::vector<std::thread> workers;
  std::atomic<uint32_t> round{0};
  std::atomic<int> inside{CLOSED};  // workers at the tasks of this round, and CLOSED when nobody may join them any more
  std::atomic<int64_t> next{0}, count{0};
  std::atomic<int> wanted{0};
  const std::function<void(int64_t)> *task = nullptr;

  void take() {
    FlushDenormals flush;
    for (int64_t i; (i = next.fetch_add(1)) < count.load();) (*task)(i);
  }
  bool join() {
    for (int now = inside.load(); !(now & CLOSED);)
      if (inside.compare_exchange_weak(now, now + 1)) return true;
    return false;
  }
  void work(int number, uint32_t seen) {
    for (;;) {
      for (int i = 0; i < SPINS_BETWEEN_CALLS && round.load(std::memory_order_acquire) == seen; i++) pause();
      round.wait(seen, std::memory_order_acquire);
      seen = round.load(std::memory_order_acquire);
      if (!join()) continue;
      if (number < wanted.load()) take();
      if (inside.fetch_sub(1) == CLOSED + 1) inside.notify_one();
    }
  }
  void run(int threads, int64_t tasks, const std::function<void(int64_t)> &what) {
    start(threads, tasks, what);
    take();
    const InPhase waiting(phase::WAITING);
    inside.fetch_or(CLOSED);
    for (int i = 0; i < SPINS && inside.load() != CLOSED; i++) pause();
    for (int left; (left = inside.load()) != CLOSED;) inside.wait(left);
  }
  void start(int threads, int64_t tasks, const std::function<void(int64_t)> &what) {
    const InPhase waiting(phase::WAITING);
    while ((int)workers.size() < threads - 1) {
      const int number = (int)workers.size();
      const uint32_t seen = round.load();
      try {
        workers.emplace_back([this, number, seen] { work(number, seen); });
      } catch (...) {  // the system gives no more threads: fewer will do
        break;
      }
      workers.back().detach();
    }
    task = &what;
    count = tasks;
    next = 0;
    wanted = threads - 1;
    inside = 0;
    round.fetch_add(1, std::memory_order_release);
    round.notify_all();
  }
};

// Never destroyed: its threads may outlive everything. After a fork the child has none of them and starts anew.
std::atomic<Pool *> current{new Pool};
#if defined(__unix__) || defined(__APPLE__)
const int registered = pthread_atfork(nullptr, nullptr, [] { current = new Pool; });
#endif

}  // namespace

void parallel(int threads, int64_t count, const std::function<void(int64_t)> &task) {
  Pool *pool = current.load();
  if (threads > count) threads = (int)count;
  std::unique_lock<std::mutex> lock(pool->owner, std::defer_lock);
  if (threads < 2 || !lock.try_lock()) {
    FlushDenormals flush;
    SecondThread second;
    for (int64_t i = 0; i < count; i++) {
      second.begin();
      task(i);
      second.end();
    }
    return;
  }
  pool->run(threads, count, task);
}

}  // namespace textrnn
