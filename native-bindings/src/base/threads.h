// A loop whose iterations are shared by a fixed number of threads.
//
// Results must not depend on the number of threads, so each index must write only to memory that no
// other index touches.
#ifndef CORVID_BASE_THREADS_H_
#define CORVID_BASE_THREADS_H_

#include <cstddef>
#include <functional>

namespace corvid {

// Calls work(index, thread) once for every index below `count`, on up to `threads` threads (at
// least 1), one of which is the caller's. Free threads take the next index in ascending order.
// `thread` is below `threads`. After an exception no further index is started; the first exception
// is rethrown when all threads have ended.
void parallel_for(size_t count, size_t threads,
                  const std::function<void(size_t index, size_t thread)>& work);

}  // namespace corvid

#endif  // CORVID_BASE_THREADS_H_
