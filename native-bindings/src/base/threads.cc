#include "base/threads.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace corvid {

void parallel_for(size_t count, size_t threads,
                  const std::function<void(size_t index, size_t thread)>& work) {
  threads = std::max<size_t>(1, std::min(threads, count));
  std::atomic<size_t> next{0};
  std::exception_ptr failure;
  std::mutex failure_lock;

  const auto run = [&](size_t thread) {
    try {
      for (size_t index = next++; index < count; index = next++) work(index, thread);
    } catch (...) {
      const std::lock_guard<std::mutex> hold(failure_lock);
      if (!failure) failure = std::current_exception();
      next = count;
    }
  };

  std::vector<std::thread> workers;
  workers.reserve(threads);
  try {
    for (size_t thread = 1; thread < threads; ++thread) workers.emplace_back(run, thread);
  } catch (const std::system_error&) {
    // No more threads can be started; those that run do all the work.
  }
  run(0);
  for (std::thread& worker : workers) worker.join();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace corvid
