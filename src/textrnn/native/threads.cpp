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

constexpr int SPINS = 4000;  // some 20 to 100 microseconds: shorter than waking a thread, longer than between two calls

struct Pool {
  std::mutex owner;
  std::vector<std::thread> workers;
  std::atomic<uint32_t> round{0};
  std::atomic<int64_t> next{0}, count{0};
  std::atomic<int> wanted{0}, busy{0};
  const std::function<void(int64_t)> *task = nullptr;

  void take() {
    FlushDenormals flush;
    for (int64_t i; (i = next.fetch_add(1)) < count.load();) (*task)(i);
  }
  void work(int number, uint32_t seen) {
    for (;;) {
      for (int i = 0; i < SPINS && round.load(std::memory_order_acquire) == seen; i++) pause();
      round.wait(seen, std::memory_order_acquire);
      seen = round.load(std::memory_order_acquire);
      if (number < wanted.load()) take();
      if (busy.fetch_sub(1) == 1) busy.notify_one();
    }
  }
  void run(int threads, int64_t tasks, const std::function<void(int64_t)> &what) {
    start(threads, tasks, what);
    take();
    const InPhase waiting(phase::WAITING);
    for (int i = 0; i < SPINS && busy.load() > 0; i++) pause();
    for (int left; (left = busy.load()) > 0;) busy.wait(left);
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
    busy = (int)workers.size();
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
