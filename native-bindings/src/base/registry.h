// A table of open objects by key, so that worker threads that open the same file share one object.
// Thread-safe.
#ifndef CORVID_BASE_REGISTRY_H_
#define CORVID_BASE_REGISTRY_H_

#include <map>
#include <memory>
#include <mutex>
#include <utility>

namespace corvid {

// Holds weak references only: an object lives as long as a caller of find() or open() holds it.
template <typename Key, typename Value>
class Registry {
 public:
  // The live value of `key`, or else the result of `make`. `make` is called under the lock, so two
  // threads never make the same value twice.
  template <typename Make>
  std::shared_ptr<Value> open(const Key& key, const Make& make) {
    const std::lock_guard<std::mutex> hold(lock_);
    if (std::shared_ptr<Value> value = lookup(key)) return value;
    std::shared_ptr<Value> value = make();
    sweep();
    entries_[key] = value;
    return value;
  }

  // The live value of `key`, or null.
  std::shared_ptr<Value> find(const Key& key) {
    const std::lock_guard<std::mutex> hold(lock_);
    return lookup(key);
  }

 private:
  std::shared_ptr<Value> lookup(const Key& key) {
    const auto entry = entries_.find(key);
    return entry == entries_.end() ? nullptr : entry->second.lock();
  }
  void sweep() {
    for (auto entry = entries_.begin(); entry != entries_.end();) {
      entry = entry->second.expired() ? entries_.erase(entry) : std::next(entry);
    }
  }

  std::mutex lock_;
  std::map<Key, std::weak_ptr<Value>> entries_;
};

}  // namespace corvid

#endif  // CORVID_BASE_REGISTRY_H_
