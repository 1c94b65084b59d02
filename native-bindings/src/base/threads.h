// Work shared by a fixed number of threads.
//
// Results must not depend on the number of threads: hand out indexes, and let every index write
// its own output.
#ifndef CORVID_BASE_THREADS_H_
#define CORVID_BASE_THREADS_H_

#include <cstddef>
#include <functional>

namespace corvid {

// Calls work(index, thread) once for every index below `count`, from `threads` threads (the
// caller's among them; at least 1), indexes handed out in ascending order as threads come free.
// `thread` is below `threads`. The first exception thrown is thrown again here, after all threads
// have ended; indexes not yet handed out by then are dropped.
void parallel_for(size_t count, size_t threads,
                  const std::function<void(size_t index, size_t thread)>& work);

}  // namespace corvid

#endif  // CORVID_BASE_THREADS_H_
