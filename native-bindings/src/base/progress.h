// Progress and cancellation of a training run. Thread-safe: the worker updates it, the thread that
// started the run reads it and may cancel.
#ifndef CORVID_BASE_PROGRESS_H_
#define CORVID_BASE_PROGRESS_H_

#include <atomic>
#include <cstdint>

#include "base/error.h"

namespace corvid {

class Progress {
 public:
  // `phase` must be a string literal: only the pointer is kept.
  void start(const char* phase, uint64_t total) {
    done_ = 0;
    total_ = total;
    phase_ = phase;
  }
  void add(uint64_t done) { done_ += done; }
  void cancel() { cancelled_ = true; }
  // Throws ERR_ABORTED after cancel(). To be called every few milliseconds.
  void check() const {
    if (cancelled_) throw Error("ERR_ABORTED", "training was cancelled");
  }

  const char* phase() const { return phase_; }
  uint64_t done() const { return done_; }
  uint64_t total() const { return total_; }

 private:
  std::atomic<const char*> phase_{"start"};
  std::atomic<uint64_t> done_{0};
  std::atomic<uint64_t> total_{0};
  std::atomic<bool> cancelled_{false};
};

}  // namespace corvid

#endif  // CORVID_BASE_PROGRESS_H_
