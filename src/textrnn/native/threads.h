// A pool of threads that run numbered tasks. Which thread runs a task changes no result.
#pragma once
#include <cstdint>
#include <functional>

namespace textrnn {

// Runs task(0) to task(count - 1) on at most `threads` threads, the caller's among them, with denormal numbers flushed to zero
// in these tasks only; returns when all are done. Where the pool is busy with another caller, the tasks run on this thread.
void parallel(int threads, int64_t count, const std::function<void(int64_t)> &task);

}  // namespace textrnn
